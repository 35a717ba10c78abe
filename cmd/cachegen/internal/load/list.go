package load

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/tools/go/packages"
)

// list asks the go command which packages patterns name, and for their files. Where generated files
// hinder it, since they are half merged or belong to a package that has another name now, it is
// asked again with a package clause in their place; overlay holds those.
func list(dir string, patterns []string) (listed []*packages.Package, overlay map[string][]byte, err error) {
	var queries []string
	for _, p := range patterns {
		if strings.HasSuffix(p, ".go") {
			return nil, nil, fmt.Errorf("%s is a file; name packages, as in cachegen . or cachegen ./..., since the models of a package are generated together", p)
		}
		queries = append(queries, "pattern="+p) // or else a = in it would have a meaning
	}
	cfg := &packages.Config{Mode: packages.NeedName | packages.NeedFiles | packages.NeedModule, Dir: dir}
	listed, err = packages.Load(cfg, queries...)
	if err != nil {
		return nil, nil, goError(err)
	}
	if overlay = stubs(listed); len(overlay) > 0 {
		cfg.Overlay = overlay
		if listed, err = packages.Load(cfg, queries...); err != nil {
			return nil, nil, goError(err)
		}
	}
	if len(listed) == 0 {
		return nil, nil, nothing(dir, patterns)
	}
	return listed, overlay, nil
}

// goError is an error of the go command without what packages writes around it.
func goError(err error) error {
	if m := wrapped.FindStringSubmatch(err.Error()); m != nil {
		if text := strings.TrimSpace(m[2]); text != "" {
			return errors.New(text)
		}
		return errors.New(m[1])
	}
	return err
}

var wrapped = regexp.MustCompile(`(?s)^err: (.*?): stderr: (.*)$`)

// nothing says why there are no packages at all.
func nothing(dir string, patterns []string) error {
	cmd := exec.Command("go", "env", "GOMOD")
	cmd.Dir = dir
	if out, err := cmd.Output(); err == nil {
		if mod := strings.TrimSpace(string(out)); mod == "" || mod == os.DevNull {
			return errors.New("there is no go.mod here or in a folder above; run go mod init first, or run cachegen inside the module")
		}
	}
	return fmt.Errorf("no packages match %s; cachegen ./... takes all below this folder", strings.Join(patterns, " "))
}

// stubs returns package clauses in place of our generated files in the folders of packages that
// could not be listed.
func stubs(listed []*packages.Package) map[string][]byte {
	out := map[string][]byte{}
	for _, p := range listed {
		if len(p.Errors) == 0 || p.Dir == "" {
			continue
		}
		names, _ := filepath.Glob(filepath.Join(Escape(p.Dir), "*.go"))
		var ours []string
		name := ""
		for _, file := range names {
			src, err := os.ReadFile(file)
			switch {
			case err != nil || strings.HasSuffix(file, "_test.go"):
			case Generated(src):
				ours = append(ours, file)
			default:
				// The first file's is as good as any: where they differ, that is the error.
				if f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.PackageClauseOnly); err == nil && name == "" && buildConstraint(file, src) == "" {
					name = f.Name.Name
				}
			}
		}
		for _, file := range ours {
			if name != "" {
				out[file] = stub(name)
			}
		}
	}
	return out
}

// Escape makes a folder's name match only itself in a pattern of filepath.Glob.
func Escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// listError turns an error of the go command about a package into a problem. Files to embed that are
// not there are the compiler's matter.
func listError(base string, p *packages.Package, e packages.Error) (Problem, bool) {
	if strings.HasPrefix(e.Msg, "pattern ") && strings.Contains(e.Msg, "no matching files found") {
		return Problem{}, false
	}
	out := Problem{Message: e.Msg}
	var line, col int
	parts := strings.Split(e.Pos, ":")
	if n := len(parts); n >= 3 {
		_, _ = fmt.Sscan(parts[n-2], &line)
		_, _ = fmt.Sscan(parts[n-1], &col)
		out.File, out.Line, out.Col = relative(base, inFolder(base, strings.Join(parts[:n-2], ":"))), line, col
	} else if p.Dir != "" {
		out.File = relative(base, p.Dir)
	}
	return out, true
}

// inFolder makes a file's name absolute; the go command writes names relative to its folder.
func inFolder(base, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(base, file)
}
