package load

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
)

// Problem is one mistake in a source.
type Problem struct {
	File      string // relative to the folder that the command runs in, where it lies below it; "" is nowhere
	Line, Col int    // 0 is the whole file or folder
	Message   string
}

// String returns the problem as compilers write theirs.
func (p Problem) String() string {
	switch {
	case p.File == "":
		return "cachegen: " + p.Message
	case p.Line == 0:
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Col, p.Message)
}

// Problems are all mistakes of one run.
type Problems []Problem

// sorted orders problems by place and drops repeated ones.
func (p Problems) sorted() Problems {
	slices.SortFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(p)
}

// place is somewhere that an error can point at.
type place struct {
	pos token.Pos
}

// inTag is the place of a byte of a tag's literal.
func inTag(lit *ast.BasicLit, offset int) place { return place{lit.Pos() + token.Pos(offset)} }

func (l *loader) errorf(at place, format string, args ...any) {
	p := l.position(at.pos)
	l.problems = append(l.problems, Problem{File: p.Filename, Line: p.Line, Col: p.Column, Message: fmt.Sprintf(format, args...)})
}

func (l *loader) position(pos token.Pos) token.Position {
	p := l.pkg.Fset.Position(pos)
	p.Filename = relative(l.base, p.Filename)
	return p
}

// relative shortens a file name to the one below base, if it lies there. The go command names files by
// the real folder, where base may be a link to it.
func relative(base, file string) string {
	base, err := filepath.Abs(base)
	if err != nil {
		return file
	}
	real, err := filepath.EvalSymlinks(base)
	if err != nil {
		real = base
	}
	for _, b := range []string{base, real} {
		if rel, err := filepath.Rel(b, file); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return file
}

// tagError reports what the tag parser found.
func (l *loader) tagError(lit *ast.BasicLit, err *tag.Error) {
	l.errorf(inTag(lit, err.Offset), "%s", err.Message)
}

// Suggest returns `; did you mean "x"?` for the candidate closest to word, if any is close.
func Suggest(word string, candidates []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, c := range candidates {
		if d := edits(strings.ToLower(word), strings.ToLower(c)); d < distance {
			best, distance = c, d
		}
	}
	if best == "" || distance >= len([]rune(word)) {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// edits is the number of letters to insert, delete, replace or swap with their neighbour to make
// b of a (the restricted Damerau-Levenshtein distance).
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	d := make([][]int, len(x)+1)
	for i := range d {
		d[i] = make([]int, len(y)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}
