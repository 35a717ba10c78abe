package sqltext_test

import (
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
)

var (
	randomTexts = flag.Int("texts", 400, "random texts a database and setting")
	randomSeed  = flag.Uint64("seed", 0, "of the random texts; 0: another each time")
)

// settings are statements after which a server reads text in another way.
var settings = map[string][]string{
	"sqlite":   {""},
	"postgres": {"", "SET standard_conforming_strings = off; SET backslash_quote = on"},
	"mysql":    {"", "SET sql_mode = 'ANSI_QUOTES'", "SET sql_mode = 'NO_BACKSLASH_ESCAPES'"},
}

// behaviour 50: never "writes nothing" of a text with which the database then changes rows. Random texts, many of them
// damaged, are sent to real databases, and what changed is compared with what fell.
func TestRandomTexts(t *testing.T) {
	seed := *randomSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		for _, setting := range settings[d.Name] {
			t.Run(setting, func(t *testing.T) {
				w := newWorld(t, another[d.Name](t))
				bare, err := w.DB.DB()
				if err != nil {
					t.Fatal(err)
				}
				bare.SetMaxOpenConns(1) // the one that has the setting
				if setting != "" {
					w.past(setting)
				}
				g := &grammar{r: rand.New(rand.NewPCG(seed, 0)), dialect: d.Name}
				took, changed := 0, 0
				before := w.snapshot()
				for i := range *randomTexts {
					text := g.text()
					w.heard.Take()
					err := w.send(i, text)
					fell, reasons := w.heard.Take()
					now := w.snapshot()
					for table, rows := range now {
						if rows == before[table] {
							continue
						}
						changed++
						if table != "others" && !strings.Contains(fell, table) {
							t.Errorf("-seed %d, text %d: %s changed, and %q fell, by\n%s", seed, i, table, fell, text)
						}
					}
					if err == nil {
						took++
						// With a backslash, another server might end a text elsewhere.
						if !g.damaged && !strings.Contains(text, `\`) && strings.Contains(reasons, "not recognised") {
							t.Errorf("-seed %d, text %d: not recognised:\n%s", seed, i, text)
						}
					}
					if fmt.Sprint(now) != fmt.Sprint(before) {
						w.fill()
						before = w.snapshot()
					}
				}
				t.Logf("-seed %d: of %d texts the database took %d; %d times a table changed; %d texts were not recognised",
					seed, *randomTexts, took, changed, w.RT.Stats().UnrecognisedSQL)
				if *randomTexts >= 400 && changed < 40 {
					t.Errorf("only %d texts changed anything: the test shows little", changed)
				}
			})
		}
	})
}

// send sends a text in one of the ways that there are.
func (w *world) send(i int, text string) error {
	var rows []map[string]any
	switch i % 5 {
	case 0:
		return w.DB.Raw(text).Find(&rows).Error
	case 1:
		return w.DB.Transaction(func(tx *gorm.DB) error { return tx.Exec(text).Error })
	case 2:
		return w.DB.Raw(text).Scan(&rows).Error
	}
	return w.DB.Exec(text).Error
}

// snapshot is what is in the tables.
func (w *world) snapshot() map[string]string {
	w.t.Helper()
	bare, err := w.DB.DB()
	if err != nil {
		w.t.Fatal(err)
	}
	found := map[string]string{}
	for table, columns := range map[string]string{"croupons": "id, title, popularity", "merchants": "id, name, id", "others": "id, n, n"} {
		rows, err := bare.Query("SELECT " + columns + " FROM " + table + " ORDER BY id")
		if err != nil {
			w.t.Fatal(err)
		}
		var b strings.Builder
		for rows.Next() {
			var a, c, d sql.NullString
			if err := rows.Scan(&a, &c, &d); err != nil {
				w.t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s|%s|%s\n", a.String, c.String, d.String)
		}
		if err := rows.Err(); err != nil {
			w.t.Fatal(err)
		}
		found[table] = b.String()
	}
	return found
}
