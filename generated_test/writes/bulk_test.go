package writes_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// few are limits that a handful of rows is above.
func few(s *setup) { s.options.BulkRows, s.options.BulkLists = 5, 3 }

// fill makes n rows of a table anew, in cities and with slugs of their own.
func (w *world) fill(n int) {
	w.t.Helper()
	w.past("DELETE FROM croupons")
	w.past("DELETE FROM notes")
	croupons, notes := make([]Croupon, n), make([]Note, n)
	for i := range n {
		croupons[i] = Croupon{ID: uint64(i + 1), Slug: fmt.Sprint("s", i+1), City: fmt.Sprint("c", i+1)}
		notes[i] = Note{ID: uint64(i + 1), Topic: "t"}
	}
	for _, err := range []error{w.db.CreateInBatches(croupons, 500).Error, w.db.CreateInBatches(notes, 500).Error} {
		if err != nil {
			w.t.Fatal(err)
		}
	}
	w.countOn()
	w.spy.take()
	w.log.take()
}

// values are n croupons, of which the first has the slug and city of a number.
func values(n, first int, keys bool) []Croupon {
	all := make([]Croupon, n)
	for i := range all {
		all[i] = Croupon{Slug: fmt.Sprint("s", first+i), City: fmt.Sprint("c", first+i), Tier: "basic", Title: "new"}
		if keys {
			all[i].ID = uint64(first + i)
		}
	}
	return all
}

// rowsOf are the lists of the first n rows themselves.
func rowsOf(table string, n int, more ...string) (lists []string) {
	for i := range n {
		key := fmt.Sprint(i + 1)
		if table == "documents" {
			key = "x," + key
		}
		lists = append(lists, table+":"+key)
	}
	return append(lists, more...)
}

// bulk are writes of many rows, or lists, on a table of six.
var bulk = []struct {
	what   string
	write  func(db *gorm.DB) *gorm.DB
	rows   int64 // that it changes; -1: as the database counts
	falls  []string
	reason string
}{
	{"Update of 6", func(db *gorm.DB) *gorm.DB { return db.Model(&Croupon{}).Where("id > 0").Update("title", "x") },
		6, []string{"croupons"}, "over BulkRows"},
	{"Update of 5", func(db *gorm.DB) *gorm.DB { return db.Model(&Croupon{}).Where("id < 6").Update("title", "x") },
		5, rowsOf("croupons", 5), ""},
	{"Update of all", func(db *gorm.DB) *gorm.DB {
		return db.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(&Croupon{}).Updates(map[string]any{"city": "x"})
	}, 6, []string{"croupons"}, "over BulkRows"},
	{"Update of a slice of 6", func(db *gorm.DB) *gorm.DB {
		all := values(6, 1, true)
		return db.Model(&all).Update("title", "x")
	}, 6, []string{"croupons"}, "over BulkRows"},
	{"Update of a slice of 5", func(db *gorm.DB) *gorm.DB {
		all := values(5, 1, true)
		return db.Model(&all).Update("title", "x")
	}, 5, rowsOf("croupons", 5), ""},
	{"UpdateColumn with an expression", func(db *gorm.DB) *gorm.DB {
		return db.Model(&Croupon{}).Where("id > 0").UpdateColumn("popularity", gorm.Expr("popularity + 1"))
	}, 6, []string{"croupons"}, "over BulkRows"},
	{"Update of 4 lists", func(db *gorm.DB) *gorm.DB { return db.Model(&Croupon{}).Where("id < 4").Update("city", "x") },
		3, []string{"croupons"}, "over BulkLists"},
	{"Update of 3 lists", func(db *gorm.DB) *gorm.DB { return db.Model(&Croupon{}).Where("id < 3").Update("city", "x") },
		2, rowsOf("croupons", 2, "croupons.ListByCity(c1)", "croupons.ListByCity(c2)", "croupons.ListByCity(x)"), ""},
	{"Delete of 6", func(db *gorm.DB) *gorm.DB { return db.Where("id > 0").Delete(&Croupon{}) },
		6, []string{"croupons"}, "over BulkRows"},
	{"Delete by 6 keys", func(db *gorm.DB) *gorm.DB { return db.Delete(&Croupon{}, []int{1, 2, 3, 4, 5, 6}) },
		6, []string{"croupons"}, "over BulkRows"},
	{"Delete by values", func(db *gorm.DB) *gorm.DB {
		all := values(6, 1, true)
		return db.Delete(&all)
	}, 6, []string{"croupons"}, "over BulkRows"},
	{"Delete of 6 lists", func(db *gorm.DB) *gorm.DB { return db.Delete(&Croupon{}, []int{1, 2}) },
		2, []string{"croupons"}, "over BulkLists"},
	{"Delete of 3 lists", func(db *gorm.DB) *gorm.DB { return db.Delete(&Croupon{ID: 1}) },
		1, rowsOf("croupons", 1, "croupons.GetBySlug(s1)", "croupons.ListByCity(c1)", "croupons.ListByTier(basic)"), ""},
	{"soft Delete of 6", func(db *gorm.DB) *gorm.DB { return db.Where("id > 0").Delete(&Note{}) },
		6, []string{"notes"}, "over BulkRows"},
	{"soft Delete of 5", func(db *gorm.DB) *gorm.DB { return db.Where("id < 6").Delete(&Note{}) },
		5, rowsOf("notes", 5, "notes.ListByTopic(t)"), ""},
	{"Unscoped Delete of 6", func(db *gorm.DB) *gorm.DB { return db.Unscoped().Where("id > 0").Delete(&Note{}) },
		6, []string{"notes"}, "over BulkRows"},
	{"Create of 6", func(db *gorm.DB) *gorm.DB {
		all := values(6, 7, false)
		return db.Create(&all)
	}, 6, []string{"croupons"}, "over BulkRows"},
	{"Create of 6 lists", func(db *gorm.DB) *gorm.DB {
		all := values(2, 7, false)
		return db.Create(&all)
	}, 2, []string{"croupons"}, "over BulkLists"},
	{"Create of 5 notes", func(db *gorm.DB) *gorm.DB {
		all := []Note{{ID: 7, Topic: "a"}, {ID: 8, Topic: "a"}, {ID: 9, Topic: "a"}, {ID: 10, Topic: "b"}, {ID: 11, Topic: "b"}}
		return db.Create(&all)
	}, 5, []string{"notes:7", "notes:8", "notes:9", "notes:10", "notes:11", "notes.ListByTopic(a)", "notes.ListByTopic(b)"}, ""},
	{"upsert of 6", func(db *gorm.DB) *gorm.DB {
		all := values(6, 1, true)
		return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&all)
	}, -1, []string{"croupons"}, "over BulkRows"},
	{"Save of 6", func(db *gorm.DB) *gorm.DB {
		all := values(6, 1, true)
		return db.Save(&all)
	}, -1, []string{"croupons"}, "over BulkRows"},
	{"Save of 5", func(db *gorm.DB) *gorm.DB {
		all := values(5, 1, true)
		return db.Save(&all)
	}, -1, rowsOf("croupons", 5), ""},
	{"DO NOTHING of 6", func(db *gorm.DB) *gorm.DB {
		all := values(6, 4, true)
		return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&all)
	}, -1, []string{"croupons"}, "over BulkRows"},
}

// behaviour 49: above the limits of a statement the whole table falls, and all rows are written that would be without the
// plugin; up to them, what falls is exact.
func TestBulk(t *testing.T) {
	oneWayOf(t, few, func(t *testing.T, w *world) {
		for _, c := range bulk {
			w.fill(6)
			tx := c.write(w.db)
			if tx.Error != nil || c.rows >= 0 && tx.RowsAffected != c.rows {
				t.Errorf("%s: %d rows, not %d: %v", c.what, tx.RowsAffected, c.rows, tx.Error)
			}
			if reason := w.spy.why(); reason != c.reason {
				t.Errorf("%s: the reason is %q, not %q", c.what, reason, c.reason)
			}
			w.flushed(c.what, slices.Clone(c.falls)...)
		}
	})
}

// ofModels are the statements on tables of models, without those that ask for the catalog, as the plugin does once a minute.
func ofModels(all []statement) []statement {
	return slices.DeleteFunc(all, func(s statement) bool { return !onModels.MatchString(s.sql) })
}

var onModels = regexp.MustCompile("(?i)(FROM|UPDATE|INTO) [`\"]?(croupons|notes)")

// behaviour 49: what is read for a write, and asked, does not grow with the rows that it changes.
func TestBulkIsBounded(t *testing.T) {
	const limit, many = 5, 100
	everywhere(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			what  string
			write func() *gorm.DB
		}{
			{"Update", func() *gorm.DB { return w.db.Model(&Croupon{}).Where("id > 0").Update("city", "x") }},
			{"Update of no list's column", func() *gorm.DB { return w.db.Model(&Croupon{}).Where("id > 0").Update("title", "x") }},
			{"Delete", func() *gorm.DB { return w.db.Where("id > 0").Delete(&Croupon{}) }},
			{"soft Delete", func() *gorm.DB { return w.db.Where("topic = ?", "t").Delete(&Note{}) }},
			{"Unscoped Delete", func() *gorm.DB { return w.db.Unscoped().Where("topic = ?", "t").Delete(&Note{}) }},
		} {
			var made [2][]statement
			for i, n := range []int{limit + 1, many} {
				w.fill(n)
				if tx := c.write(); tx.Error != nil || tx.RowsAffected != int64(n) {
					t.Errorf("%s: %d rows, not %d: %v", c.what, tx.RowsAffected, n, tx.Error)
				}
				made[i] = ofModels(w.log.told())
				read, limited := int64(0), false
				for _, s := range made[i] {
					if strings.HasPrefix(s.sql, "SELECT") {
						read += s.rows
						limited = limited || strings.Contains(s.sql, fmt.Sprint(" LIMIT ", limit+1))
					}
				}
				if read != limit+1 || !limited {
					t.Errorf("%s of %d rows: %d are read, not %d, by %v", c.what, n, read, limit+1, made[i])
				}
			}
			if len(made[0]) != len(made[1]) {
				t.Errorf("%s: the statements for %d rows are %v, and for %d rows %v", c.what, limit+1, made[0], many, made[1])
			}
		}
		// Values that were given are not read at all.
		w.fill(1)
		all := values(many, 2, false)
		if err := w.db.Create(&all).Error; err != nil {
			t.Fatal(err)
		}
		if made := ofModels(w.log.told()); len(made) != 1 {
			t.Errorf("Create made the statements %v", made)
		}
	}, few)
}

// behaviour 49: the limits that hold where the options say nothing.
func TestBulkByDefault(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.fill(1001)
		title := func(id int) func() error {
			return func() error {
				return w.db.Model(&Croupon{}).Where("id <= ?", id).Update("title", fmt.Sprint("to ", id)).Error
			}
		}
		w.flushes("1000 rows", title(1000), rowsOf("croupons", 1000)...)
		w.flushes("1001 rows", title(1001), "croupons")

		// Each leaves a city of its own, and all come to one.
		move := func(from, to int, city string) func() error {
			return func() error {
				return w.db.Model(&Croupon{}).Where("id BETWEEN ? AND ?", from, to).Update("city", city).Error
			}
		}
		w.spy.take()
		if err := move(1, 255, "x")(); err != nil {
			t.Fatal(err)
		}
		if lists := w.spy.take(); len(lists) != 255+256 || slices.Contains(lists, "croupons") {
			t.Errorf("a write of 255 rows and 256 lists flushed %d: %q …", len(lists), lists[:1])
		}
		w.flushes("257 lists", move(256, 511, "z"), "croupons")

		// As many rows with a key of two columns are found, and pinned to, and made.
		docs := make([]Document, 1000)
		for i := range docs {
			docs[i] = Document{Org: "x", No: int64(i + 1), Shelf: "s"}
		}
		w.flushes("1000 documents made", func() error { return w.db.Create(&docs).Error },
			rowsOf("documents", len(docs), "documents.ListByShelf(s)")...)
		w.flushes("1000 documents", func() error { return w.db.Model(&Document{}).Where("no > 0").Update("shelf", "t").Error },
			rowsOf("documents", len(docs), "documents.ListByShelf(s)", "documents.ListByShelf(t)")...)
		w.flushes("1000 documents saved", func() error { return w.db.Save(&docs).Error },
			rowsOf("documents", len(docs), "documents.ListByShelf(s)", "documents.ListByShelf(t)")...)
	})
}
