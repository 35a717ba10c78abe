package writes_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// onlyActive is a callback of an application's, which adds a condition.
func onlyActive(db *gorm.DB) {
	if db.Statement.Table == "croupons" && db.Statement.SQL.Len() == 0 {
		db.Statement.AddClause(clause.Where{Exprs: []clause.Expression{clause.Eq{Column: "active", Value: true}}})
	}
}

// behaviour 43: what an application adds to its queries does not narrow its writes.
func TestCallbackOnQueries(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		if err := w.db.Callback().Query().Before("gorm:query").Register("active", onlyActive); err != nil {
			t.Fatal(err)
		}
		if err := w.db.Callback().Row().Before("gorm:row").Register("active", onlyActive); err != nil {
			t.Fatal(err)
		}
		rows := func(what string, n int64, write func() *gorm.DB) {
			t.Helper()
			if tx := write(); tx.Error != nil || tx.RowsAffected != n {
				t.Errorf("%s: %d rows, not %d: %v", what, tx.RowsAffected, n, tx.Error)
			}
		}
		rows("Update", 3, func() *gorm.DB { return w.db.Model(&Croupon{}).Where("id > 0").Update("city", "x") })
		w.flushed("Update", union(cities(1, "portland", "x"), cities(2, "portland", "x"),
			[]string{"croupons:3", "croupons.ListByCity(eugene)", "croupons.ListByCity(x)"})...)
		if !slices.ContainsFunc(w.log.take(), func(sql string) bool {
			return strings.HasPrefix(strings.NewReplacer("`", "", `"`, "").Replace(sql), "SELECT id,slug")
		}) {
			t.Error("the logger was not told of the plugin's read")
		}
		rows("Delete", 3, func() *gorm.DB { return w.db.Where("id > 0").Delete(&Croupon{}) })
	})
}

// behaviour 51: where the plugin's read fails, the transaction may have ended with it, as with a deadlock on
// MySQL: the write must not run outside of it, and fails.
func TestReadThatFails(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		if err := w.db.Exec("ALTER TABLE croupons DROP COLUMN tier").Error; err != nil {
			t.Fatal(err)
		}
		w.spy.take()
		for what, write := range map[string]func() error{
			"Update": func() error { return w.db.Model(&Croupon{ID: 1}).Update("city", "x").Error },
			"Delete": func() error { return w.db.Delete(&Croupon{ID: 1}).Error },
			"upsert": func() error {
				return w.db.Clauses(clause.OnConflict{UpdateAll: true}).Omit("Tier").Create(&Croupon{ID: 1, Slug: "z"}).Error
			},
			"after a create": func() error {
				return w.db.Omit("Tier").Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}}}).Create(&Croupon{Slug: "z"}).Error
			},
		} {
			says := on(w, "no such column: tier", `column "tier" does not exist`, "Unknown column 'tier'")
			if err := write(); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v", what, err)
			}
			w.flushed(what)
		}
		var slugs []string
		if err := w.db.Table("croupons").Order("id").Pluck("slug", &slugs).Error; err != nil || !slices.Equal(slugs, []string{"a", "b", "c"}) {
			t.Errorf("%q, %v", slugs, err)
		}
	})
}

// readScope is a type of field that conditions queries, and no writes.
type readScope int64

func (readScope) GormDataType() string { return "bigint" }
func (readScope) QueryClauses(f *schema.Field) []clause.Interface {
	return []clause.Interface{clause.Where{Exprs: []clause.Expression{clause.Eq{Column: f.DBName, Value: 0}}}}
}

type scopedNote struct {
	ID        uint64
	Topic     string
	Hidden    readScope
	DeletedAt gorm.DeletedAt
}

func (scopedNote) TableName() string { return "notes" }

// behaviour 43: neither does a field that conditions queries alone; soft deletion does.
func TestQueryClausesAlone(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.db.Exec("ALTER TABLE notes ADD COLUMN hidden bigint DEFAULT 0")
		w.seed(&Note{ID: 1, Topic: "a"}, &Note{ID: 2, Topic: "a"}, &Note{ID: 3, Topic: "a"})
		w.db.Exec("UPDATE notes SET hidden = 1 WHERE id = 2")
		w.db.Delete(&Note{ID: 3})
		w.spy.take()
		w.flushes("Update", func() error {
			tx := w.db.Model(&scopedNote{}).Where("topic = ?", "a").Update("topic", "b")
			if tx.RowsAffected != 2 {
				t.Errorf("%d rows, not 2", tx.RowsAffected)
			}
			return tx.Error
		}, "notes:1", "notes:2", "notes.ListByTopic(a)", "notes.ListByTopic(b)")
	})
}

// behaviour 108: a write without a condition, to which a callback of the program's adds one.
func TestLateCondition(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		if err := errors.Join(w.db.Callback().Update().Before("gorm:update").Register("tenant", onlyActive),
			w.db.Callback().Delete().Before("gorm:delete").Register("tenant", onlyActive)); err != nil {
			t.Fatal(err)
		}
		w.flushes("Update", func() error { return w.db.Model(&Croupon{}).Update("city", "x").Error },
			"croupons:1", "croupons:2", "croupons.ListByCity(portland)", "croupons.ListByCity(x)",
			"croupons.CountActive(portland)", "croupons.CountActive(x)", "croupons.ListPopular(portland)", "croupons.ListPopular(x)")
		w.flushes("Delete", func() error {
			tx := w.db.Delete(&Croupon{})
			if tx.RowsAffected != 2 {
				t.Errorf("%d rows, not 2", tx.RowsAffected)
			}
			return tx.Error
		}, "croupons:1", "croupons:2", "croupons.GetBySlug(a)", "croupons.GetBySlug(b)", "croupons.ListByCity(x)", "croupons.ListByTier(basic)",
			"croupons.CountActive(x)", "croupons.ListPopular(x)")
	})
}

// behaviour 43: where a program puts its own callback in the place of GORM's, nothing is planned, and `all` falls.
func TestReplacedCallback(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		if err := w.db.Callback().Update().Replace("gorm:update", func(db *gorm.DB) {
			db.Statement.Dest = map[string]any{"city": "elsewhere"}
			callbacks.Update(&callbacks.Config{})(db)
		}); err != nil {
			t.Fatal(err)
		}
		w.flushes("Update", func() error { return w.db.Model(&Croupon{ID: 1}).Update("title", "x").Error }, "croupons")
	})
}

// version is a type of field that conditions updates alone, as optimistic locks do.
type version int64

func (version) GormDataType() string { return "bigint" }
func (version) UpdateClauses(f *schema.Field) []clause.Interface {
	return []clause.Interface{versionClause{f}}
}

type versionClause struct{ f *schema.Field }

func (versionClause) Name() string               { return "" }
func (versionClause) Build(clause.Builder)       {}
func (versionClause) MergeClause(*clause.Clause) {}
func (v versionClause) ModifyStatement(st *gorm.Statement) {
	if value, zero := v.f.ValueOf(st.Context, st.ReflectValue); !zero {
		st.AddClause(clause.Where{Exprs: []clause.Expression{clause.Eq{Column: v.f.DBName, Value: value}}})
	}
}

type versioned struct {
	ID      uint64
	City    string
	Version version
}

func (versioned) TableName() string { return "croupons" }

// behaviour 108: the same, by a field's type.
func TestUpdateClausesAlone(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.db.Exec("ALTER TABLE croupons ADD COLUMN version bigint DEFAULT 1")
		w.seed(three()...)
		w.flushes("Update", func() error {
			tx := w.db.Model(&versioned{Version: 1}).Update("city", "x")
			if tx.RowsAffected != 3 {
				t.Errorf("%d rows, not 3", tx.RowsAffected)
			}
			return tx.Error
		}, "croupons")
		w.flushes("Update by key", func() error { return w.db.Model(&versioned{ID: 1, Version: 1}).Update("city", "z").Error },
			cities(1, "x", "z")...)
	})
}

// behaviour 45: a create that a callback of the program's makes an upsert.
func TestLateOnConflict(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		if err := w.db.Callback().Create().Before("gorm:create").Register("upsert", func(db *gorm.DB) {
			db.Statement.AddClause(clause.OnConflict{UpdateAll: true})
		}); err != nil {
			t.Fatal(err)
		}
		w.flushes("Create", func() error { return w.db.Create(&Croupon{ID: 1, Slug: "z", City: "x"}).Error },
			"croupons:1", "croupons.GetBySlug(a)", "croupons.GetBySlug(z)", "croupons.ListByCity(portland)", "croupons.ListByCity(x)",
			"croupons.CountActive(portland)", "croupons.ListPopular(portland)")
	})
}

// behaviours 43, 108: with a SET of the caller's GORM adds no condition on keys.
func TestSetClause(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		set := func(column string) clause.Set {
			return clause.Set{{Column: clause.Column{Name: column}, Value: "x"}}
		}
		for column, want := range map[string][]string{
			"title": {"croupons:1", "croupons:2", "croupons:3"},
			"city": union(cities(1, "portland", "x"), cities(2, "portland", "x"),
				[]string{"croupons:3", "croupons.ListByCity(eugene)", "croupons.ListByCity(x)"}),
		} {
			w.flushes("SET of a "+column, func() error {
				tx := w.db.Model(&Croupon{ID: 1}).Clauses(set(column)).Where("id > 0").Updates(map[string]any{})
				if tx.RowsAffected != 3 {
					t.Errorf("%d rows, not 3", tx.RowsAffected)
				}
				return tx.Error
			}, want...)
			if err := w.db.Model(&Croupon{ID: 1}).Clauses(set(column)).Updates(map[string]any{}).Error; !errors.Is(err, gorm.ErrMissingWhereClause) {
				t.Errorf("SET of a %s, without a condition: %v", column, err)
			}
			w.flushed("what GORM refuses")
		}
	})
}

// behaviour 56: a panic in a callback of the application's leaves nothing that could end the plugin's
// transaction, except the garbage collector.
func TestCallbackPanics(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		if err := w.db.Callback().Update().After("gorm:update").Register("boom", func(*gorm.DB) { panic("boom") }); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() { _ = recover() }()
			w.db.Model(&Croupon{ID: 1}).Update("title", "x")
		}()
		sqlDB, err := w.db.DB()
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); sqlDB.Stats().InUse > 0; runtime.GC() {
			if time.Now().After(end) {
				t.Fatal("the plugin's transaction still has its connection")
			}
		}
		w.flushed("a write that was lost")
		if got := w.title(cached, 1); got != "" {
			t.Errorf("the title is %q", got)
		}
	}, unwrapped)
}
