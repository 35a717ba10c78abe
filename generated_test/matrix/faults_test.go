package matrix

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// eachWorld runs a test on a world with a cache, of each database.
func eachWorld(t *testing.T, config gorm.Config, test func(t *testing.T, w *world)) {
	for _, d := range databases[:3] {
		t.Run(d.name, func(t *testing.T) {
			w := newWorld(t, d.name, d.new(t), config).cached(t, cacheruntime.Options{})
			w.spy.take()
			test(t, w)
			w.idle(t)
		})
	}
}

// idle fails the test where a connection is not given back.
func (w *world) idle(t *testing.T) {
	t.Helper()
	pool, err := w.db.DB()
	must(t, err)
	for end := time.Now().Add(time.Minute); pool.Stats().InUse > 0; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d connections are in use", pool.Stats().InUse)
		}
	}
}

// Bad input: a panic in code that the plugin runs, in its reads and in what it sends. The write is GORM's, `all` falls, it
// is reported, and the connection goes back.
func TestPanicInRead(t *testing.T) {
	eachWorld(t, gorm.Config{}, func(t *testing.T, w *world) {
		must(t, w.plain.AutoMigrate(&Vase{}))
		for _, c := range []struct {
			name        string
			scan, value int64
			write       func(db *gorm.DB) *gorm.DB
			rows        int64
			text        string
		}{
			// Of its own, GORM scans nothing in these writes; the plugin reads the rows.
			{"Scan, before an update", 1, 0, func(db *gorm.DB) *gorm.DB {
				return db.Model(&Vase{}).Where("text = ?", "old").Update("glass", "blue")
			}, 2, "old"},
			{"Scan, before an update of the second row", 3, 0, func(db *gorm.DB) *gorm.DB {
				return db.Model(&Vase{}).Where("text = ?", "old").Update("text", "new")
			}, 2, "new"},
			{"Scan, before a delete", 1, 0, func(db *gorm.DB) *gorm.DB { return db.Where("text = ?", "old").Delete(&Vase{}) }, 2, ""},
			{"Scan, after a create", 1, 0, func(db *gorm.DB) *gorm.DB { return db.Create(&Vase{Code: "c", Glass: "red", Text: "made"}) }, 1, "old"},
			// The first Value is one of the plugin's, whose condition comes before GORM's statement.
			{"Value, before an update", 0, 1, func(db *gorm.DB) *gorm.DB {
				return db.Model(&Vase{}).Where("code = ?", Glass("a")).Update("text", "new")
			}, 1, "new"},
		} {
			for _, in := range []string{"alone", "in a transaction"} {
				must(t, w.plain.Where("1 = 1").Delete(&Vase{}).Error)
				must(t, w.plain.Create(&[]Vase{{Code: "a", Glass: "red", Text: "old"}, {Code: "b", Glass: "red", Text: "old"}}).Error)
				ScanPanics.Store(c.scan)
				ValuePanics.Store(c.value)
				var tx *gorm.DB
				if in == "alone" {
					tx = c.write(w.db)
				} else {
					must(t, w.db.Transaction(func(outer *gorm.DB) error {
						tx = c.write(outer)
						return tx.Error
					}))
				}
				if tx.Error != nil || tx.RowsAffected != c.rows {
					t.Errorf("%s, %s: %d rows, %v", c.name, in, tx.RowsAffected, tx.Error)
				}
				ScanPanics.Store(0)
				ValuePanics.Store(0)
				lists, reason, faults := w.spy.take()
				if !slices.Equal(lists, []string{"vases"}) || !strings.Contains(reason, "panic") || len(faults) != 1 || !strings.Contains(faults[0].Error(), "on purpose") {
					t.Errorf("%s, %s: %q fell (%s), and %v was reported", c.name, in, lists, reason, faults)
				}
				var v Vase
				found := w.plain.Limit(1).Order("code").Find(&v)
				must(t, found.Error)
				if v.Text != c.text {
					t.Errorf("%s, %s: the row is %+v", c.name, in, v)
				}
				w.idle(t)
			}
		}
	})
}

// between runs a function once, after a statement that holds a text was sent and before the next one.
type between struct {
	*fixture.Statements
	after string
	do    atomic.Pointer[func()]
}

// meddled is a world in which something happens between two statements.
func meddled(t *testing.T, kind string, d fixture.Database) (*world, func(after string, do func())) {
	w := newWorld(t, kind, d, gorm.Config{}).cached(t, cacheruntime.Options{})
	b := &between{Statements: w.sql}
	w.db.Logger = b
	w.db = w.db.Session(&gorm.Session{NewDB: true, Logger: b})
	w.spy.take()
	return w, func(after string, do func()) {
		b.after = after
		b.do.Store(&do)
	}
}

// behaviour 45: another program makes the row between the plugin's look and the upsert, which changes it then.
//
//  1. the plugin finds no row to lock
//  2. another program makes it
//  3. the upsert takes it over: on which lists it was, nobody knows
func TestUpsertOfRowMadeMeanwhile(t *testing.T) {
	for _, d := range databases[1:] {
		t.Run(d.name, func(t *testing.T) {
			w, then := meddled(t, d.name, d.new(t))
			other := func(s Shop) func() { return func() { must(t, w.plain.Create(&s).Error) } }
			for _, c := range []struct {
				name  string
				other Shop
				write func() error
			}{
				{"by a unique column", Shop{Name: "dora", City: "salem"}, func() error {
					return w.db.Clauses(clause.OnConflict{Columns: columns("name"), DoUpdates: clause.AssignmentColumns([]string{"city"})}).Create(&Shop{Name: "dora", City: "reno"}).Error
				}},
				{"by its key", Shop{ID: 70, Name: "edna", City: "salem"}, func() error {
					return w.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Shop{ID: 70, Name: "edna", City: "reno"}).Error
				}},
			} {
				then("SELECT", other(c.other))
				must(t, c.write())
				lists, reason, _ := w.spy.take()
				if !slices.Equal(lists, []string{"shops"}) || reason != "upsert" {
					t.Errorf("%s: %q fell (%s)", c.name, lists, reason)
				}
				var s Shop
				must(t, w.plain.First(&s, "name = ?", c.other.Name).Error)
				if s.City != "reno" {
					t.Errorf("%s: the row is %+v", c.name, s)
				}
			}
		})
	}
}

// behaviour 45: on MySQL and MariaDB, rows that are there are held from the plugin's look until the end of the upsert, and keys that are not
// there are not: writers who do not wait for one another without the plugin do not with it.
func TestUpsertHoldsWhatIsThere(t *testing.T) {
	for _, d := range databases[2:] {
		t.Run(d.name, func(t *testing.T) {
			w, then := meddled(t, d.name, d.new(t))
			asked := func(row string) error {
				var s Shop
				return w.plain.Raw("SELECT * FROM shops WHERE " + row + " FOR UPDATE NOWAIT").Scan(&s).Error
			}
			looks := 0
			then("FOR UPDATE", func() {
				looks++
				if err := asked("id = 1"); err == nil || !strings.Contains(err.Error(), "1205") {
					t.Errorf("the row that the upsert will change is free: %v", err)
				}
				for _, row := range []string{"id = 2", "id = 70"} {
					if err := asked(row); err != nil {
						t.Errorf("%s: %v", row, err)
					}
				}
				must(t, w.plain.Create(&Shop{ID: 71, Name: "fay", City: "salem"}).Error)
			})
			shops := []Shop{{ID: 1, Name: "anna", City: "reno"}, {ID: 70, Name: "edna", City: "reno"}}
			must(t, w.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&shops).Error)
			want := []string{"shops.CountByCity(bend)", "shops.CountByCity(reno)", "shops.GetByName(edna)", "shops.ListByCity(bend)", "shops.ListByCity(reno)",
				"shops.ListByRegionID(1)", "shops.ListByRegionID(~)", "shops:1", "shops:70"}
			if lists, reason, _ := w.spy.take(); looks != 1 || !slices.Equal(lists, want) {
				t.Errorf("%q fell (%s), after %d locking reads of the plugin's", lists, reason, looks)
			}
		})
	}
}

// behaviour 45: rows that DO NOTHING leaves are held, too: one that another program deletes in between would be made anew, and fall.
func TestDoNothingHoldsWhatIsThere(t *testing.T) {
	for _, d := range databases[1:] {
		t.Run(d.name, func(t *testing.T) {
			w, then := meddled(t, d.name, d.new(t))
			looks := 0
			then("FOR ", func() {
				looks++
				var s Shop
				if err := w.plain.Raw("SELECT * FROM shops WHERE id = 1 FOR UPDATE NOWAIT").Scan(&s).Error; err == nil {
					t.Error("the row may be deleted before the statement finds it")
				}
			})
			shops := []Shop{{ID: 1, Name: "anna", City: "reno"}, {ID: 70, Name: "edna", City: "reno"}}
			must(t, w.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&shops).Error)
			want := []string{"shops.CountByCity(reno)", "shops.GetByName(edna)", "shops.ListByCity(reno)", "shops.ListByRegionID(~)", "shops:70"}
			if lists, reason, _ := w.spy.take(); looks != 1 || !slices.Equal(lists, want) {
				t.Errorf("%q fell (%s), after %d locking reads of the plugin's", lists, reason, looks)
			}
		})
	}
}

// behaviour 45: on MySQL, two rows come in between, of which the upsert changes one and leaves the other: it counts as many
// rows as if it had made both.
func TestUpsertOfTwoRowsMadeMeanwhile(t *testing.T) {
	for _, d := range databases[2:] {
		t.Run(d.name, func(t *testing.T) {
			w, then := meddled(t, d.name, d.new(t))
			then("SHOW", func() {
				must(t, w.plain.Create(&[]Shop{{ID: 70, Name: "edna", City: "reno"}, {ID: 71, Name: "fay", City: "salem"}}).Error)
			})
			tx := w.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&[]Shop{{ID: 70, Name: "edna", City: "reno"}, {ID: 71, Name: "fay", City: "bend"}})
			if tx.Error != nil || tx.RowsAffected != 2 {
				t.Errorf("%d rows, %v", tx.RowsAffected, tx.Error)
			}
			if lists, reason, _ := w.spy.take(); !slices.Equal(lists, []string{"shops"}) || reason != "upsert" {
				t.Errorf("%q fell (%s)", lists, reason)
			}
		})
	}
}

// behaviour 45: on MySQL, a transaction sees what was there at its first read. What an upsert has changed is judged by what is there now:
//
//  1. the transaction reads
//  2. another program moves row 1 to salem
//  3. the plugin reads row 1 under a lock, where it is in salem
//  4. another program makes row 70
//  5. the upsert leaves row 1 as it is and changes row 70: the server counts one
//  6. to a read without a lock row 1 is where it was in 1, which looks like that one
func TestUpsertAfterARead(t *testing.T) {
	for _, d := range databases[2:] {
		t.Run(d.name, func(t *testing.T) {
			w, then := meddled(t, d.name, d.new(t))
			must(t, w.db.Transaction(func(tx *gorm.DB) error {
				var all []Shop
				must(t, tx.Find(&all).Error)
				must(t, w.plain.Model(&Shop{ID: 1}).Update("city", "salem").Error)
				then("SHOW", func() { must(t, w.plain.Create(&Shop{ID: 70, Name: "edna", City: "bend"}).Error) })
				return tx.Clauses(clause.OnConflict{DoUpdates: clause.AssignmentColumns([]string{"city"}), Columns: columns("id")}).
					Create(&[]Shop{{ID: 1, Name: "anna", City: "salem"}, {ID: 70, Name: "edna", City: "reno"}}).Error
			}))
			if lists, reason, _ := w.spy.take(); !slices.Equal(lists, []string{"shops"}) || reason != "upsert" {
				t.Errorf("%q fell (%s)", lists, reason)
			}
		})
	}
}

// behaviour 43: a row that comes to match a condition between the read and the write is not written, as if the write had
// been first; without the pin it would be written, and no list of it fall.
func TestRowMatchesMeanwhile(t *testing.T) {
	for _, d := range databases[1:3] { // SQLite has one writer at a time
		t.Run(d.name, func(t *testing.T) {
			w, then := meddled(t, d.name, d.new(t))
			then("FOR", func() {
				if d.name == "mariadb" { // which locks all that it has looked at
					return
				}
				must(t, w.plain.Model(&Article{ID: 3}).Update("kind", "food").Error)
			})
			tx := w.db.Model(&Article{}).Where("kind = ?", "food").Update("kind", "books")
			if tx.Error != nil || tx.RowsAffected != 2 {
				t.Errorf("%d rows, %v", tx.RowsAffected, tx.Error)
			}
			lists, _, _ := w.spy.take()
			if slices.Contains(lists, "articles:3") || !slices.Contains(lists, "articles:2") {
				t.Errorf("%q fell", lists)
			}
			var c Article
			must(t, w.plain.First(&c, 3).Error)
			if want := map[string]string{"postgres": "food", "mariadb": "tools"}[d.name]; c.Kind != want {
				t.Errorf("row 3 is of kind %s, want %s", c.Kind, want)
			}
		})
	}
}

// LogMode keeps sessions that change the level.
func (b *between) LogMode(logger.LogLevel) logger.Interface { return b }

// Trace is told of a statement that was sent.
func (b *between) Trace(ctx context.Context, begin time.Time, f func() (string, int64), err error) {
	b.Statements.Trace(ctx, begin, f, err)
	if sql, _ := f(); b.do.Load() != nil && strings.Contains(sql, b.after) {
		if do := b.do.Swap(nil); do != nil {
			(*do)()
		}
	}
}
