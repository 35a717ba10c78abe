package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/explain"
	"github.com/cachegen/cachegen/cmd/cachegen/internal/load"
	"github.com/cachegen/cachegen/templates"
)

// writer writes a report in one form.
type writer func(explain.Report, io.Writer) error

// forms are the forms that a report is written in, by the flag that asks for each.
var forms = map[string]writer{
	"json": explain.Report.JSON,
	"dot":  explain.Report.DOT,
	"svg":  explain.Report.SVG,
}

// explainFlags takes the flag that names a form out of the arguments of explain, wherever it stands.
// Other flags are left in.
func explainFlags(args []string) (write writer, rest []string, err error) {
	write, given := explain.Report.Text, ""
	for _, a := range args {
		name := strings.TrimPrefix(strings.TrimPrefix(a, "-"), "-")
		form, known := forms[name]
		switch {
		case !known || name == a:
			rest = append(rest, a)
		case given != "" && given != name:
			return nil, nil, fmt.Errorf("explain writes one form at a time: -%s or -%s", given, name)
		default:
			write, given = form, name
		}
	}
	return write, rest, nil
}

// showReport prints what the models of packages hang on.
func showReport(env Env, patterns []string, write writer) int {
	pkgs, problems, err := load.Packages(env.Dir, patterns...)
	switch {
	case err != nil:
		return env.fail(err)
	case len(problems) > 0:
		return env.fail(problemsError(problems))
	}
	models := 0
	described := make([]templates.Package, len(pkgs))
	for i, p := range pkgs {
		described[i] = p.Describe
		models += len(p.Describe.Models)
	}
	env.warnOfNone(models, patterns)
	var out bytes.Buffer
	if err := write(explain.Of(described), &out); err != nil {
		return env.fail(err)
	}
	if _, err := out.WriteTo(env.Stdout); err != nil {
		return env.fail(err)
	}
	return ok
}
