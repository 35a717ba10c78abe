// Command program is the program of release 1.
package main

import (
	"context"
	"strconv"

	"github.com/cachegen/cachegen/generated_test/releases/program"
	release "github.com/cachegen/cachegen/generated_test/releases/v1"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

func main() { program.Main(open) }

func open(rt *cacheruntime.Runtime) (program.Release, error) {
	m, err := release.NewModels(rt)
	if err != nil {
		return program.Release{}, err
	}
	return program.Release{
		Model: &release.Croupon{},
		Reads: map[string]program.Reader{
			"Get": func(ctx context.Context, arg string) (string, error) {
				id, err := strconv.ParseUint(arg, 10, 64)
				if err != nil {
					return "", err
				}
				c, err := m.Croupon.Cache.Get(ctx, id)
				if err != nil {
					return "", err
				}
				return text(c), nil
			},
			"ListByCity": listed(m.Croupon.Cache.ListByCity),
			"ListTitled": listed(m.Croupon.Cache.ListTitled),
		},
	}, nil
}

func listed(read func(context.Context, string) ([]*release.Croupon, error)) program.Reader {
	return func(ctx context.Context, arg string) (string, error) {
		rows, err := read(ctx, arg)
		return program.Joined(rows, text), err
	}
}

func text(c *release.Croupon) string {
	return strconv.FormatUint(c.ID, 10) + ":" + c.Title + ":" + c.City + ":" + c.Category
}
