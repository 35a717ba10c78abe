package explain

import (
	"cmp"
	"regexp"
	"strings"
	"unicode/utf8"
)

// cells is how many columns of a terminal, or widths of a fixed-width font's letter, text takes.
func cells(text string) int {
	n := 0
	for _, r := range text {
		n += cellsOf(r)
	}
	return n
}

// cellsOf is 2 for what is drawn wide: East Asian scripts, emoji, and the sign that stands for what
// cannot be drawn. Where in doubt it is 2.
func cellsOf(r rune) int {
	if r < ' ' || r >= 0x1100 && r < 0x1200 || r >= 0x2e80 && r < 0xd7ff || r >= 0xf900 {
		return 2
	}
	return 1
}

// wrap breaks text into lines of at most most cells: after a blank or a comma, or else a dot or a
// bracket, or else anywhere.
func wrap(text string, most int) []string {
	var lines []string
	text = strings.NewReplacer("\n", " ", "\t", " ").Replace(strings.ToValidUTF8(text, "\ufffd"))
	for rest := text; rest != ""; {
		end, word, part, n := 0, 0, 0, 0 // where a line may end: anywhere, after a word, within a long one
		for i, r := range rest {
			if n += cellsOf(r); n > most && i > 0 {
				break
			}
			end = i + utf8.RuneLen(r)
			switch r {
			case ' ', ',':
				word = end
			case '.', '(', '[', '/':
				part = end
			}
		}
		if end < len(rest) {
			end = cmp.Or(word, part, end)
		}
		lines = append(lines, strings.TrimRight(rest[:end], " "))
		rest = strings.TrimLeft(rest[end:], " ")
	}
	return lines
}

// shortType leaves the folders of packages out of a type: sql.Null[example.com/shop.Color] is
// sql.Null[shop.Color].
func shortType(t string) string { return folders.ReplaceAllString(t, "") }

var folders = regexp.MustCompile(`[^\[\]*, ]*/`)
