// Package program is what the programs of two releases have in common: they do what they are told on their
// standard input, a command a line, and answer with a line each.
package program

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Release is one release's models.
type Release struct {
	// Model is an empty row.
	Model any
	// Reads are the accessors by name; a Reader answers with what it found, as text.
	Reads map[string]Reader
}

// Reader reads with one argument.
type Reader func(ctx context.Context, arg string) (string, error)

// Main runs a program until its standard input ends. open makes the release's models.
//
//	read NAME ARGUMENT      the values found | the outcomes of the lookups
//	set ID COLUMN VALUE     what was flushed, and why where a whole table was
func Main(open func(rt *cacheruntime.Runtime) (Release, error)) {
	dsn := flag.String("dsn", "", "of the PostgreSQL database")
	servers := flag.String("servers", "", "of memcached, with commas")
	intentTTL := flag.Duration("intentttl", time.Second, "as tiered.Options.IntentTTL")
	flag.Parse()
	if err := run(open, *dsn, strings.Split(*servers, ","), *intentTTL); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(open func(rt *cacheruntime.Runtime) (Release, error), dsn string, servers []string, intentTTL time.Duration) error {
	db, err := gorm.Open(postgres.Open(dsn), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return err
	}
	store, err := tiered.Open(tiered.Options{Servers: servers, IntentTTL: intentTTL, Timeout: 5 * time.Second})
	if err != nil {
		return err
	}
	defer store.Close()
	rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: "shop", Mode: cacheruntime.Strict})
	if err != nil {
		return err
	}
	defer rt.Close()
	release, err := open(rt)
	if err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		answer, err := do(db, release, strings.Fields(in.Text()))
		if err != nil {
			answer = "error: " + err.Error()
		}
		if _, err := io.WriteString(os.Stdout, strings.ReplaceAll(answer, "\n", " ")+"\n"); err != nil {
			return err
		}
	}
	return in.Err()
}

func do(db *gorm.DB, release Release, words []string) (string, error) {
	ctx, trace := cacheruntime.WithTrace(context.Background())
	switch {
	case len(words) == 3 && words[0] == "read" && release.Reads[words[1]] != nil:
		values, err := release.Reads[words[1]](ctx, words[2])
		if err != nil {
			return "", err
		}
		return values + " | " + outcomes(trace, words[1]), nil
	case len(words) == 4 && words[0] == "set":
		if err := db.WithContext(ctx).Model(release.Model).Where("id = ?", words[1]).Update(words[2], words[3]).Error; err != nil {
			return "", err
		}
		var flushed []string
		for _, f := range trace.Flushes() {
			flushed = append(flushed, strings.Join(f.Lists, " ")+" "+f.Reason)
		}
		return strings.TrimSpace(strings.Join(flushed, " ")), nil
	}
	return "", fmt.Errorf("the command %q is unknown", words)
}

// outcomes are those of the lookups of one accessor.
func outcomes(trace *cacheruntime.Trace, accessor string) string {
	var all []string
	for _, r := range trace.Reads() {
		if strings.HasSuffix(r.Accessor, "."+accessor) {
			all = append(all, r.Outcome.String())
		}
	}
	return strings.Join(all, ", ")
}

// Joined is values as a Reader answers with them.
func Joined[T any](rows []T, text func(T) string) string {
	var values []string
	for _, r := range rows {
		values = append(values, text(r))
	}
	return strings.Join(values, " ")
}
