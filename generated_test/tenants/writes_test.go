package tenants

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
)

// draft is a note by another struct, in a table of its own.
type draft Note

func (draft) TableName() string { return "drafts" }

// A callback that sends a write to a cached table.
func TestWritesSentHere(t *testing.T) {
	for _, partition := range []func(context.Context) string{nil, tenantOf} {
		p := start(t, fixture.SQLite(t), options{partition: partition})
		seed(t, p)
		ok(t, p.db.Callback().Update().Before("gorm:update").Register("app:publish", func(db *gorm.DB) {
			if db.Statement.Table == "drafts" || db.Statement.Table == "pages" {
				db.Statement.Table, db.Statement.TableExpr = "notes", nil
			}
		}))
		alike(t, p, nobody)
		for topic, from := range map[string]*gorm.DB{"rust": p.db.Model(&draft{}), "c": p.db.Table("pages")} { // not cached, and cached
			if tx := from.Where("rank < 3").Update("topic", topic); tx.Error != nil || tx.RowsAffected != 3 {
				t.Errorf("%d rows, %v", tx.RowsAffected, tx.Error)
			}
			alike(t, p, nobody)
			ok(t, p.db.Model(&Note{}).Where("rank < 3").Update("topic", "go").Error)
			alike(t, p, nobody)
		}
	}
}

// A table for each tenant, by its name: a write without the model's struct is known by the table that it began with.
func TestTableOfTenant(t *testing.T) {
	p := start(t, fixture.SQLite(t), options{partition: tenantOf})
	seed(t, p)
	ok(t, p.db.Table("a_notes").AutoMigrate(&Note{}))
	ok(t, p.db.Exec("INSERT INTO a_notes SELECT * FROM notes").Error)
	move := func(db *gorm.DB) {
		if db.Statement.Table == "notes" && tenantOf(db.Statement.Context) != "" {
			db.Statement.Table, db.Statement.TableExpr = tenantOf(db.Statement.Context)+"_notes", nil
		}
	}
	ok(t, errors.Join(p.db.Callback().Query().Before("gorm:query").Register("app:move", move),
		p.db.Callback().Update().Before("gorm:update").Register("app:move", move)))
	alike(t, p, nobody, of("a"))
	db := p.db.WithContext(of("a"))
	for _, write := range []func() *gorm.DB{
		func() *gorm.DB { return db.Table("notes").Where("rank < 3").Updates(map[string]any{"topic": "rust"}) },
		func() *gorm.DB { return db.Model(&Note{}).Where("rank < 3").Update("topic", "go") },
		func() *gorm.DB { return db.Model(&Note{ID: 1}).Update("text", "new") },
	} {
		if tx := write(); tx.Error != nil || tx.RowsAffected == 0 {
			t.Errorf("%d rows, %v", tx.RowsAffected, tx.Error)
		}
		alike(t, p, nobody, of("a"))
	}
}

// A callback that sends writes elsewhere: they change the rows that they would without the plugin, and flush what
// they may have changed, wherever in the order of callbacks it stands.
func TestWritesSentElsewhere(t *testing.T) {
	for _, table := range []string{"main.notes", "other_notes"} { // the same table by another name, and another
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprint(table, " ", first), func(t *testing.T) {
				d := fixture.SQLite(t)
				elsewhere := func(db *gorm.DB) {
					move := func(db *gorm.DB) {
						if tenantOf(db.Statement.Context) == "a" && db.Statement.Table == "notes" {
							db.Statement.Table = table
						}
					}
					create, update, del := db.Callback().Create(), db.Callback().Update(), db.Callback().Delete()
					if first {
						ok(t, errors.Join(create.Before("*").Register("app:move", move), update.Before("*").Register("app:move", move),
							del.Before("*").Register("app:move", move)))
						return
					}
					ok(t, errors.Join(create.Before("gorm:create").Register("app:move", move),
						update.Before("gorm:update").Register("app:move", move), del.Before("gorm:delete").Register("app:move", move)))
				}
				p := start(t, d, options{before: elsewhere})
				seed(t, p)
				ok(t, p.db.Exec("CREATE TABLE other_notes AS SELECT id + 100 AS id, tenant, slug, topic, rank, done, text, created_at, deleted_at FROM notes").Error)
				for _, w := range []struct {
					what  string
					rows  int64
					write func(db *gorm.DB) *gorm.DB
				}{
					{"update", 3, func(db *gorm.DB) *gorm.DB { return db.Model(&Note{}).Where("rank < 3").Update("topic", "rust") }},
					{"update back", 3, func(db *gorm.DB) *gorm.DB { return db.Model(&Note{}).Where("rank < 3").Update("topic", "go") }},
					{"soft delete", 1, func(db *gorm.DB) *gorm.DB { return db.Where("rank = 0").Delete(&Note{}) }},
					{"delete", 1, func(db *gorm.DB) *gorm.DB { return db.Unscoped().Where("rank = 5").Delete(&Note{}) }},
					{"create", 1, func(db *gorm.DB) *gorm.DB { return db.Create(&Note{ID: 200, Slug: "new", Topic: "go"}) }},
				} {
					alike(t, p, nobody)
					if tx := w.write(p.db.WithContext(of("a"))); tx.Error != nil || tx.RowsAffected != w.rows {
						t.Errorf("%s: %d rows, %v", w.what, tx.RowsAffected, tx.Error)
					}
					alike(t, p, nobody)
				}
			})
		}
	}
}
