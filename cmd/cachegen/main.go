// Command cachegen generates typed cache accessors for GORM models from their struct tags. Run it
// with go tool cachegen, or from a //go:generate line; cachegen help tells the rest.
package main

import (
	"os"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/cli"
)

func main() {
	os.Exit(cli.Run(cli.Env{Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr}))
}
