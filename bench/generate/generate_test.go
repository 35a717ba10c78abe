// Package generate measures what the generator costs: how long it takes, and how much longer generated
// code takes to compile than the models alone. All with the real go command, on packages that it makes
// below testdata and removes again.
//
//	go test -bench . -benchtime 5x ./generate
package generate

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// makeModels writes a package of n models, no two of one shape, and returns its folder.
func makeModels(b *testing.B, n int) string {
	b.Helper()
	check(b, os.MkdirAll("testdata", 0o755))
	dir, err := os.MkdirTemp("testdata", "models")
	check(b, err)
	b.Cleanup(func() { os.RemoveAll(dir) })
	for i := range n {
		src := fmt.Sprintf(`package models

import (
	"time"

	"gorm.io/gorm"
)

// Model%[1]d is a model of ten columns.
type Model%[1]d struct {
	_ struct{} `+"`cache:\"model;ttl:24h\"`"+`
	_ struct{} `+"`cache:\"list:PopularInCity;by:City;where:Active = true;order:Popularity desc;limit:50\"`"+`
	_ struct{} `+"`cache:\"count:InCategory;by:City,Category%[1]d;where:Active = true\"`"+`

	gorm.Model
	Slug          string `+"`gorm:\"uniqueIndex\" cache:\"unique\"`"+`
	City          string `+"`gorm:\"index\" cache:\"list;count\"`"+`
	Category%[1]d string
	Popularity    int64
	Active        bool
	Since%[1]d    time.Time
}
`, i)
		check(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("model%d.go", i)), []byte(src), 0o644))
	}
	return dir
}

// touch changes a package, so that it is compiled anew.
func touch(b *testing.B, dir string, i int) {
	b.Helper()
	src := fmt.Sprintf("// Package models is made for a measurement.\npackage models\n\nconst run = \"%d %d\"\n\nvar _ = run\n", time.Now().UnixNano(), i)
	check(b, os.WriteFile(filepath.Join(dir, "run.go"), []byte(src), 0o644))
}

// command runs a command in a folder.
func command(b *testing.B, dir string, args ...string) {
	b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v\n%s", args, err, out)
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// The generator on the example, and on 200 models in a package: when nothing changed, and when the
// package did.
func BenchmarkGenerate(b *testing.B) {
	b.Run("example", func(b *testing.B) {
		command(b, "../../example", "go", "tool", "cachegen", "./...")
		for b.Loop() {
			command(b, "../../example", "go", "tool", "cachegen", "./...")
		}
	})
	dir := makeModels(b, 200)
	touch(b, dir, 0)
	command(b, dir, "go", "tool", "cachegen")
	b.Run("200 models", func(b *testing.B) {
		for b.Loop() {
			command(b, dir, "go", "tool", "cachegen")
		}
	})
	b.Run("200 models, package changed", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			touch(b, dir, i)
			b.StartTimer()
			command(b, dir, "go", "tool", "cachegen")
		}
	})
}

// Compiling 50 models alone, and with their generated code.
func BenchmarkCompile(b *testing.B) {
	dir := makeModels(b, 50)
	touch(b, dir, 0)
	command(b, dir, "go", "build") // what it imports
	compile := func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			touch(b, dir, i)
			b.StartTimer()
			command(b, dir, "go", "build")
		}
	}
	b.Run("50 models alone", compile)
	command(b, dir, "go", "tool", "cachegen")
	command(b, dir, "go", "build")
	b.Run("50 models, generated", compile)
}
