package sqltext_test

import (
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

func strict(o *fixture.Options)   { o.Runtime.Mode = cacheruntime.Strict }
func prepared(o *fixture.Options) { o.GORM = &gorm.Config{PrepareStmt: true} }

const retitle = "UPDATE croupons SET title = 'new' WHERE id = 1"

// returning is a write that returns rows: MariaDB has none for an UPDATE.
func (w *world) returning() string {
	if w.name == "mysql" {
		return "REPLACE INTO croupons (id, slug, title) VALUES (1, 'a', 'new') RETURNING *"
	}
	return retitle + " RETURNING *"
}

// behaviour 50: what was cached before a text is read anew after it, whichever way the text went.
func TestNothingStale(t *testing.T) {
	for name, changes := range map[string][]change{"available": nil, "strict": {strict}, "prepared": {prepared}} {
		fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
			w := newWorld(t, d, changes...)
			var got []shop.Croupon
			for way, write := range map[string]func() error{
				"Exec":              func() error { return w.DB.Exec(retitle).Error },
				"Exec of a model's": func() error { return w.DB.Model(&shop.Merchant{}).Exec(retitle).Error },
				"Exec with values":  func() error { return w.DB.Exec("UPDATE croupons SET title = ? WHERE id = ?", "new", 1).Error },
				"Exec with names": func() error {
					return w.DB.Exec("UPDATE croupons SET title = @t WHERE id = @id", map[string]any{"t": "new", "id": 1}).Error
				},
				"Find": func() error { return w.DB.Raw(w.returning()).Find(&got).Error },
				"Transaction": func() error {
					return w.DB.Transaction(func(tx *gorm.DB) error { return tx.Exec(retitle).Error })
				},
				"Rows in a transaction": func() error {
					return w.DB.Transaction(func(tx *gorm.DB) error { return tx.Raw(w.returning()).Scan(&got).Error })
				},
				"Connection": func() error {
					return w.DB.Connection(func(tx *gorm.DB) error { return tx.Exec(retitle).Error })
				},
			} {
				w.fill()
				if err := w.RT.FlushTable(t.Context(), "croupons"); err != nil {
					t.Fatal(err)
				}
				if title := w.title(1); title != "A" {
					t.Fatalf("%s, %s: at first %q", name, way, title)
				}
				w.falls(name+", "+way, "croupons", write)
				if title := w.title(1); title != "new" {
					t.Errorf("%s, %s: after it %q", name, way, title)
				}
				before := w.RT.Stats().CacheStatements
				if w.title(1); w.RT.Stats().CacheStatements != before {
					t.Errorf("%s, %s: read twice, the row is not a hit", name, way)
				}
			}
			w.inUse(0)
		})
	}
}

// inUse fails the test unless so many connections are in use.
func (w *world) inUse(want int) {
	w.t.Helper()
	bare, err := w.DB.DB()
	if err != nil {
		w.t.Fatal(err)
	}
	if n := bare.Stats().InUse; n != want {
		w.t.Errorf("%d connections are in use, want %d", n, want)
	}
}

// A transaction collects, and what is rolled back never falls.
func TestTransactions(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, strict)
		w.falls("rolled back", "", func() error {
			return w.DB.Transaction(func(tx *gorm.DB) error { return errors.Join(tx.Exec(retitle).Error, errors.New("no")) })
		})
		w.falls("rolled back to a savepoint", "merchants", func() error {
			return w.DB.Transaction(func(tx *gorm.DB) error {
				if err := tx.Exec("DELETE FROM merchants WHERE id = 1").Error; err != nil {
					return err
				}
				_ = tx.Transaction(func(tx *gorm.DB) error { return errors.Join(tx.Exec(retitle).Error, errors.New("no")) })
				fell, _ := w.heard.Take()
				if fell != "" {
					t.Errorf("%q fell before the COMMIT", fell)
				}
				return nil
			})
		})
		w.falls("refused in a transaction that goes on", "merchants", func() error {
			return w.DB.Transaction(func(tx *gorm.DB) error {
				_ = tx.Transaction(func(tx *gorm.DB) error { return tx.Exec("UPDATE croupons SET nothing = 1").Error })
				return tx.Exec("UPDATE merchants SET name = 'z'").Error
			})
		})
	})
}

// Strict mode refuses a write whose rows outlive the callbacks, of tables that are cached.
func TestRowsOutside(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, strict)
		var got []shop.Croupon
		w.falls("Scan", "", func() error {
			err := w.DB.Raw(w.returning()).Scan(&got).Error
			if err == nil || !strings.Contains(err.Error(), "use Raw(…).Find") {
				t.Errorf("Scan: %v", err)
			}
			return err
		})
		var n int
		w.falls("Scan of others", "", func() error {
			err := w.DB.Raw("INSERT INTO others VALUES (7, 7) RETURNING n").Scan(&n).Error
			if err != nil || n != 7 {
				t.Errorf("Scan of a table that no model is of: %d, %v", n, err)
			}
			return err
		})
	})
}

// Options.RawSQL answers for what is not recognised, and for nothing else.
func TestRawSQLOption(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		var asked []string
		w := newWorld(t, d, func(o *fixture.Options) {
			o.Runtime.RawSQL = func(text string) ([]string, bool) {
				asked = append(asked, text)
				switch {
				case strings.Contains(text, "quiet"):
					return nil, true
				case strings.Contains(text, "one"):
					return []string{"Public.merchants", "unheard"}, true
				case strings.Contains(text, "bang"):
					panic("bang")
				}
				return []string{"merchants"}, false
			}
		})
		before := w.RT.Stats()
		for text, falls := range map[string]string{"NONSENSE quiet": "", "NONSENSE one": "merchants", "NONSENSE bang": every, "NONSENSE": every, retitle: "croupons", "SELECT 1": ""} {
			w.falls(text, falls, func() error { return w.DB.Exec(text).Error })
		}
		slices.Sort(asked)
		if got := strings.Join(asked, ","); got != "NONSENSE,NONSENSE bang,NONSENSE one,NONSENSE quiet" {
			t.Errorf("asked of %s", got)
		}
		s := w.RT.Stats().Minus(before)
		if s.UnrecognisedSQL != 2 || s.Events[flushlist.Fault] != 1 {
			t.Errorf("counted %d not recognised and %d faults", s.UnrecognisedSQL, s.Events[flushlist.Fault])
		}
	})
}

// The catalog is asked once, and again after DDL of this program.
func TestCatalogIsRemembered(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d)
		exec := func(q string) func() error {
			return func() error {
				err := w.DB.Exec(q).Error
				if err != nil {
					t.Error(err)
				}
				return err
			}
		}
		const write = "UPDATE others SET n = n + 1"
		w.falls("first", "", exec(write))
		before := w.RT.Stats().PluginStatements
		w.falls("second", "", exec(write))
		if n := w.RT.Stats().PluginStatements - before; n != 0 {
			t.Errorf("%d statements of the plugin's before a second write of a table", n)
		}
		w.falls("renamed", "", exec("ALTER TABLE others RENAME TO formerly"))
		w.falls("a view", "", exec("CREATE VIEW others AS SELECT id, popularity AS n FROM croupons"))
		want := "croupons"
		switch w.name {
		case "sqlite":
			w.past("CREATE TRIGGER t INSTEAD OF UPDATE ON others BEGIN UPDATE croupons SET popularity = NEW.n WHERE id = NEW.id; END")
			want = every
		case "mysql":
			want = every
		}
		w.falls("a view's write", want, exec(write))
	})
}

// Another write asks the catalog while DDL has begun and is not done: what it hears is not kept.
func TestCatalogDuringDDL(t *testing.T) {
	w := newWorld(t, fixture.Postgres(t))
	const write = "UPDATE others SET n = n + 1"
	asked := 0
	err := w.DB.Callback().Raw().After("cachegen:before_sql").Before("gorm:raw").Register("meanwhile", func(db *gorm.DB) {
		if strings.HasPrefix(db.Statement.SQL.String(), "CREATE RULE") {
			asked++
			w.falls("meanwhile", "", func() error { return w.DB.Exec(write).Error })
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DB.Exec("CREATE RULE more AS ON UPDATE TO others DO ALSO DELETE FROM merchants").Error; err != nil || asked != 1 {
		t.Fatalf("asked %d times meanwhile: %v", asked, err)
	}
	w.falls("after the rule was made", "merchants", func() error { return w.DB.Exec(write).Error })
}

// What the catalog says in a transaction with DDL is not believed after its end.
func TestCatalogOfATransaction(t *testing.T) {
	w := newWorld(t, fixture.Postgres(t))
	w.past("CREATE TABLE child (extra int) INHERITS (croupons)")
	const write = "UPDATE child SET extra = 5"
	w.past("INSERT INTO child (id, title) VALUES (9, 'x')")
	apart := func(tx *gorm.DB) error {
		return errors.Join(tx.Exec("ALTER TABLE child NO INHERIT croupons").Error, tx.Exec(write).Error)
	}
	w.falls("before", "croupons", func() error { return w.DB.Exec(write).Error })
	w.falls("rolled back", "", func() error {
		return w.DB.Transaction(func(tx *gorm.DB) error { return errors.Join(apart(tx), errors.New("no")) })
	})
	w.falls("after the rollback", "croupons", func() error { return w.DB.Exec(write).Error })
	w.falls("committed", "croupons", func() error { return w.DB.Transaction(apart) })
	w.falls("after the commit", "", func() error { return w.DB.Exec(write).Error })

	// Meanwhile, others ask: PostgreSQL refuses their text before it waits for a lock.
	others := func() { _ = w.DB.Exec("UPDATE child SET extra = = 5").Error }
	w.falls("a child again", "croupons", func() error {
		return w.DB.Transaction(func(tx *gorm.DB) error {
			err := tx.Exec("ALTER TABLE child INHERIT croupons").Error
			others()
			err = errors.Join(err, tx.Exec(write).Error)
			others()
			return err
		})
	})
	w.falls("after that commit", "croupons", func() error { return w.DB.Exec(write).Error })
}

// A catalog that does not answer costs a flush of everything, and not the transaction.
func TestCatalogThatFails(t *testing.T) {
	for name, changes := range map[string][]change{"plain": nil, "prepared": {prepared}} {
		w := newWorld(t, fixture.Postgres(t), changes...)
		bare, err := w.DB.DB()
		if err != nil {
			t.Fatal(err)
		}
		lock, err := bare.Begin()
		if err != nil {
			t.Fatal(err)
		}
		w.falls(name, every, func() error {
			return w.DB.Transaction(func(tx *gorm.DB) error {
				if err := tx.Exec("SET LOCAL lock_timeout = '20ms'").Error; err != nil {
					t.Error(err)
				}
				if _, err := lock.Exec("LOCK TABLE pg_catalog.pg_inherits IN ACCESS EXCLUSIVE MODE"); err != nil {
					t.Error(err)
				}
				if err := tx.Exec(retitle).Error; err != nil {
					t.Errorf("%s: the write: %v", name, err)
				}
				return lock.Rollback()
			})
		})
		if title := w.title(1); title != "new" {
			t.Errorf("%s: after it %q", name, title)
		}
	}
}

// A read in front of a write in a transaction would take a snapshot of SQLite's, and fail with SQLITE_BUSY where
// another wrote in between. behaviour 100
func TestNoReadBeforeAWrite(t *testing.T) {
	w := newWorld(t, fixture.SQLite(t))
	others := 0
	err := w.DB.Callback().Raw().After("cachegen:before_sql").Before("gorm:raw").Register("another", func(*gorm.DB) {
		others++
		w.past("UPDATE others SET n = n + 1")
	})
	if err != nil {
		t.Fatal(err)
	}
	w.falls("a write after another's", "croupons", func() error {
		err := w.DB.Transaction(func(tx *gorm.DB) error { return tx.Exec(retitle).Error })
		if err != nil || others != 1 {
			t.Errorf("%d others wrote in between: %v", others, err)
		}
		return err
	})
}

// bang panics when it is sent.
type bang struct{}

func (bang) Value() (driver.Value, error) { panic("bang") }

// What GORM cannot read is written all the same, as without the plugin; a panic rolls back, and no
// connection is lost.
func TestErrorsAndPanics(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d)
		if w.name != "mysql" {
			w.falls("what cannot be scanned", "croupons", func() error {
				var got []struct{ Title int }
				err := w.DB.Raw(retitle + " RETURNING title").Find(&got).Error
				if err == nil {
					t.Error("a text was scanned into a number")
				}
				return err
			})
			if title := w.title(1); title != "new" {
				t.Errorf("after a write that could not be scanned: %q", title)
			}
		}
		w.fill()
		w.falls("a panic", "", func() error {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			return w.DB.Exec("UPDATE croupons SET title = ?", bang{}).Error
		})
		w.inUse(0)
		w.falls("after it", "croupons", func() error { return w.DB.Exec(retitle).Error })
		w.falls("translated", "", func() error {
			tx := w.DB.Session(&gorm.Session{})
			tx.Config.TranslateError = true
			err := tx.Exec("INSERT INTO merchants (id, name) VALUES (1, 'taken')").Error
			tx.Config.TranslateError = false
			if !errors.Is(err, gorm.ErrDuplicatedKey) {
				t.Errorf("translated: %v", err)
			}
			return err
		})
	})
}

// One connection is enough.
func TestOneConnection(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, strict)
		bare, err := w.DB.DB()
		if err != nil {
			t.Fatal(err)
		}
		bare.SetMaxOpenConns(1)
		w.falls("Exec", "croupons", func() error { return w.DB.Exec(retitle).Error })
		w.falls("Exec of others", "", func() error { return w.DB.Exec("DELETE FROM others").Error })
		w.falls("Transaction", "croupons merchants", func() error {
			return w.DB.Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("UPDATE croupons SET title = 'newer'").Error, tx.Exec("DELETE FROM merchants").Error)
			})
		})
		w.falls("Connection", "croupons", func() error {
			return w.DB.Connection(func(tx *gorm.DB) error { return tx.Exec("DELETE FROM croupons").Error })
		})
	})
}
