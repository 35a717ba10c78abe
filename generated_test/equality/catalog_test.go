package equality

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// Models whose tables are not there yet are read from the database, and their writes flush the whole table; it is
// reported, once. When the table is there, they are cached.
func TestMigratedAfterNewModels(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := open(t, d)
		if errs := p.faults.of("Word"); len(errs) != 1 || !strings.Contains(errs[0].Error(), "migrate before NewModels") {
			t.Errorf("reported: %v", errs)
		}
		if _, err := p.m.Word.Cache.GetByText(context.Background(), "a"); err == nil {
			t.Error("a read of a table that is not there")
		}
		must(t, p.db.AutoMigrate(&Word{}))
		p.faults.fell() // what DDL flushes
		must(t, p.db.Create(&Word{Text: "ABC", Live: true}).Error)
		if fell := p.faults.fell(); !slices.Contains(fell, "equal:words") { // which has the database asked, behind it
			t.Errorf("a write before it is known how the columns compare flushes %q", fell)
		}
		if want := "values or columns that do not compare"; p.faults.reason != want {
			t.Errorf("the reason is %q, want %q", p.faults.reason, want)
		}
		must(t, p.m.Word.Cache.FlushGetByText(context.Background(), "abc"))
		agree(t, "migrated", p.words("abc", "ABC"))
		get := of("GetByText", WordReader(p.m.Word.Cache), WordReader(p.m.Word.Objects), WordReader.GetByText, "ABC")
		for end := time.Now().Add(time.Minute); ; {
			if _, err := get.cache(context.Background()); err != nil {
				t.Fatal(err)
			}
			if p.statements(func() { _, _ = get.cache(context.Background()) }) == 0 {
				break
			}
			if time.Now().After(end) {
				t.Fatal("it is never cached")
			}
		}
		must(t, p.db.Create(&Word{Text: "abc", Live: true, N: 7}).Error)
		must(t, p.db.Where("text = ?", "ABC").Delete(&Word{}).Error)
		agree(t, "cached", p.words("abc", "ABC"))
		if errs := p.faults.of("Word"); len(errs) != 1 {
			t.Errorf("reported again: %v", errs)
		}
	})
}

// A program that only writes has the database asked, too: else it flushed whole tables for as long as it runs.
func TestWorkerMigratedAfterNewModels(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := open(t, d)
		must(t, p.db.AutoMigrate(&Word{}))
		for end := time.Now().Add(time.Minute); ; {
			p.faults.fell()
			must(t, p.db.Create(&Word{Text: "a", Live: true}).Error)
			fell := p.faults.fell()
			if len(fell) > 0 && !slices.Contains(fell, "equal:words") {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%q: every write flushes the whole table", fell)
			}
			must(t, p.db.Where("text = ?", "a").Delete(&Word{}).Error)
		}
		agree(t, "cached", p.words("a", "A"))
	})
}

// A column that the table lacks is as a table that is not there.
func TestColumnMissing(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := open(t, d, "CREATE TABLE names (title varchar(20))")
		if errs := p.faults.of("Name"); len(errs) != 1 {
			t.Errorf("reported: %v", errs)
		}
	})
}

// naming puts a schema before a table's name, or spells it another way.
type naming struct {
	schema.NamingStrategy
	table func(string) string
}

func (n naming) TableName(s string) string { return n.table(n.NamingStrategy.TableName(s)) }

// The table is found where its statements find it.
func TestWhereTheTableIs(t *testing.T) {
	citext := "CREATE EXTENSION citext"
	decoy := "CREATE TABLE names (name text PRIMARY KEY, title text)"
	for _, c := range []struct {
		name  string
		on    func(testing.TB) fixture.Database
		table func(string) string
		ddl   []string
	}{
		{"postgres, a schema", fixture.Postgres, func(s string) string { return "Shop." + s },
			[]string{citext, decoy, `CREATE SCHEMA "Shop"`, `CREATE TABLE "Shop".names (name citext PRIMARY KEY, title text)`}},
		{"postgres, the search_path", fixture.Postgres, nil,
			[]string{citext, decoy, "CREATE SCHEMA shop", "CREATE TABLE shop.names (name citext PRIMARY KEY, title text)", "SET search_path TO shop, public"}},
		{"postgres, a capital", fixture.Postgres, strings.ToUpper,
			[]string{citext, decoy, `CREATE TABLE "NAMES" (name citext PRIMARY KEY, title text)`}},
		{"postgres, a view", fixture.Postgres, nil,
			[]string{citext, "CREATE TABLE base (name citext PRIMARY KEY, title text)", "CREATE VIEW names AS SELECT * FROM base"}},
		{"postgres, parts", fixture.Postgres, nil,
			[]string{citext, "CREATE TABLE names (name citext PRIMARY KEY, title text) PARTITION BY LIST (name)", "CREATE TABLE part PARTITION OF names DEFAULT"}},
		{"mariadb, a database", fixture.MariaDB, func(s string) string { return "cachegen_other." + s },
			[]string{"CREATE TABLE names (name varchar(20) COLLATE utf8mb4_bin PRIMARY KEY, title text)", "CREATE OR REPLACE DATABASE cachegen_other",
				"CREATE TABLE cachegen_other.names (name varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, title text)"}},
		{"mariadb, names that differ in case", fixture.MariaDB, nil,
			[]string{"CREATE TABLE NAMES (name varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, title text)",
				"CREATE TABLE names (name varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_danish_ci PRIMARY KEY, title text)"}},
		{"mariadb, a view", fixture.MariaDB, nil,
			[]string{"CREATE TABLE base (name varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_danish_ci PRIMARY KEY, title text)", "CREATE VIEW names AS SELECT * FROM base"}},
		{"sqlite, another file", fixture.SQLite, func(s string) string { return "aux." + s },
			[]string{decoy, "ATTACH ':memory:' AS aux", "CREATE TABLE aux.names (name text COLLATE NOCASE PRIMARY KEY, title text)"}},
		{"sqlite, temporary", fixture.SQLite, nil,
			[]string{decoy, "CREATE TEMP TABLE Names (name text COLLATE NOCASE PRIMARY KEY, title text) WITHOUT ROWID"}},
		{"sqlite, a view", fixture.SQLite, nil,
			[]string{"CREATE TABLE base (name text COLLATE NOCASE PRIMARY KEY, title text)", "CREATE VIEW names AS SELECT name COLLATE NOCASE AS name, title FROM base",
				"CREATE TRIGGER made INSTEAD OF INSERT ON names BEGIN INSERT INTO base VALUES (new.name, new.title); END",
				"CREATE TRIGGER changed INSTEAD OF UPDATE ON names BEGIN UPDATE base SET title = new.title WHERE name = old.name; END"}},
		{"sqlite, a copy", fixture.SQLite, nil,
			[]string{"CREATE TABLE base (name text COLLATE NOCASE PRIMARY KEY, title text)", "CREATE TABLE names AS SELECT * FROM base"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &program{sql: &fixture.Statements{}, faults: &faults{}}
			config := &gorm.Config{Logger: p.sql}
			if c.table != nil {
				config.NamingStrategy = naming{table: c.table}
			}
			p.db = c.on(t).Open(t, config)
			pool, err := p.db.DB()
			must(t, err)
			pool.SetMaxOpenConns(1) // what is set or attached is a connection's
			p.exec(t, c.ddl...)
			p.start(t)
			for _, err := range p.faults.of("Name") {
				t.Error(err)
			}
			ca, o := NameReader(p.m.Name.Cache), NameReader(p.m.Name.Objects)
			var all []read
			for _, k := range []string{"AAR", "aar", "Åar", "år"} {
				all = append(all, of("Get", ca, o, NameReader.Get, k))
			}
			agree(t, "empty", all)
			must(t, p.db.Create(&Name{Name: "aar", Title: "first"}).Error)
			agree(t, "created", all)
			for i, k := range []string{"aar", "AAR", "år"} {
				if c.name == "sqlite, a view" { // SQLite reports no row changed, and the plugin believes it
					break
				}
				must(t, p.db.Model(&Name{Name: k}).Update("title", fmt.Sprint(i)).Error)
				agree(t, "changed as "+k, all)
			}
			p.hits(t, all[0])
		})
	}
}
