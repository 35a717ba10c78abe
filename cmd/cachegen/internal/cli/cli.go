// Package cli is the cachegen command: it reads packages, generates their code, and writes it or
// shows how it differs from what is there.
package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/load"
)

// Env is what the command gets from outside.
type Env struct {
	Args   []string // without the command's name
	Dir    string   // the folder that patterns and file names are relative to; "" is the current one
	Stdout io.Writer
	Stderr io.Writer
}

// The exit codes of the command.
const (
	ok     = 0
	failed = 1 // an error, or generated code that is not current
	misuse = 2 // arguments that mean nothing, or packages without anything to compare
)

const usage = `cachegen generates typed cache accessors for GORM models from their cache:"…" struct tags.

Usage:

	cachegen [generate] [packages]   write the generated code of the packages
	cachegen diff [packages]         show what generate would change, and exit 1 if that is anything,
	                                 or 2 if there are no models to compare
	cachegen explain [packages]      say what a change of each column flushes; see docs/explain.md
	                                 -json, -dot and -svg say it for programs, graphviz and browsers
	cachegen version                 print the version
	cachegen help                    print this

Packages are named as for the go command; none is the one in the current folder.
Files are touched only where their first line says that cachegen generated them, and nothing is
written while any tag has an error. The tags are described in docs/tags.md.
`

var commands = []string{"generate", "diff", "explain", "version", "help"}

// commandOf finds the command in the arguments, and returns the others. A word that is nearly a command is taken
// for one: a package of the user's is named with a dot or a slash.
func commandOf(args []string) (command string, rest []string, err error) {
	command, rest = "generate", args
	if len(args) > 0 && slices.Contains(commands, args[0]) {
		command, rest = args[0], args[1:]
	} else if len(args) > 0 && !strings.HasPrefix(args[0], "-") && !strings.ContainsAny(args[0], `./\`) {
		if hint := load.Suggest(args[0], commands); hint != "" {
			return "", nil, fmt.Errorf("unknown command %q%s", args[0], hint)
		}
	}
	if slices.ContainsFunc(rest, func(a string) bool { return a == "-h" || a == "-help" || a == "--help" }) {
		return "help", nil, nil
	}
	return command, rest, nil
}

// Run runs the command and returns its exit code.
func Run(env Env) int {
	if env.Dir == "" {
		env.Dir = "."
	}
	command, args, err := commandOf(env.Args)
	if err != nil {
		fmt.Fprintf(env.Stderr, "cachegen: %v\n", err)
		return misuse
	}
	var write writer
	if command == "explain" {
		if write, args, err = explainFlags(args); err != nil {
			fmt.Fprintf(env.Stderr, "cachegen: %v\n", err)
			return misuse
		}
	}
	if i := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "-") }); i >= 0 {
		fmt.Fprintf(env.Stderr, "cachegen: unknown flag %s; cachegen help lists the commands\n", args[i])
		return misuse
	}
	switch command {
	case "help":
		fmt.Fprint(env.Stdout, usage)
		return ok
	case "version":
		fmt.Fprintln(env.Stdout, "cachegen "+version())
		return ok
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	if command == "explain" {
		return showReport(env, args, write)
	}
	changes, dirs, models, err := plan(env, args)
	if err != nil {
		return env.fail(err)
	}
	if command == "diff" && models == 0 && len(changes) == 0 { // or else a CI job that names the wrong packages is green for ever
		advice := "name the packages that have models, as in cachegen diff ./..."
		if slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "...") }) {
			advice = "run it where the models are, or name their packages"
		}
		fmt.Fprintf(env.Stderr, "cachegen: no model with a cache tag in %s, and so nothing to compare; %s\n", strings.Join(args, " "), advice)
		return misuse
	}
	env.warnOfNone(models, args)
	if command == "diff" {
		return showDiff(env, changes)
	}
	for _, dir := range dirs {
		sweep(dir)
	}
	if err := replace(env.Dir, changes); err != nil {
		fmt.Fprintf(env.Stderr, "cachegen: %v\n", err)
		return failed
	}
	return ok
}

// fail prints an error, or every problem with the sources, and returns the exit code.
func (env Env) fail(err error) int {
	var problems problemsError
	if !errors.As(err, &problems) {
		fmt.Fprintf(env.Stderr, "cachegen: %v\n", err)
	}
	for _, p := range problems {
		fmt.Fprintln(env.Stderr, p)
	}
	return failed
}

// warnOfNone says that the packages have no models, since a pattern may have been mistaken.
func (env Env) warnOfNone(models int, patterns []string) {
	if models == 0 {
		fmt.Fprintf(env.Stderr, "cachegen: no model with a cache tag in %s\n", strings.Join(patterns, " "))
	}
}

// showDiff prints the changes and says whether there are any.
func showDiff(env Env, changes []change) int {
	for _, c := range changes {
		name := shown(env.Dir, c.path)
		from, to := "a/"+name, "b/"+name
		if c.old == nil {
			from = "/dev/null"
		}
		if c.new == nil {
			to = "/dev/null"
		}
		fmt.Fprint(env.Stdout, unified(from, to, string(c.old), string(c.new)))
	}
	if len(changes) > 0 {
		return failed
	}
	return ok
}

// problemsError carries what is wrong with the sources.
type problemsError load.Problems

func (p problemsError) Error() string { return fmt.Sprintf("%d problems", len(p)) }

// version is the version of the module that the command was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
			if m.Path == "github.com/cachegen/cachegen" && m.Version != "" {
				return m.Version
			}
		}
	}
	return "(devel)"
}
