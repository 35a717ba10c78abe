package queries

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// behaviour 16: a write of any table that a query reads makes it fall, through joins, subqueries and preloads, and a
// write of another does not. Of a chain with preloads, those statements fall that read the table.
func TestEachTableFalls(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		for i, c := range chains {
			for _, w := range []struct {
				table string
				write func(db *gorm.DB) *gorm.DB
			}{
				{"posts", func(db *gorm.DB) *gorm.DB { return db.Model(&Post{ID: 4}).Update("data", []byte(c.name)) }},
				{"authors", func(db *gorm.DB) *gorm.DB { return db.Model(&Author{ID: 1}).Update("name", gorm.Expr("name")) }},
				{"tags", func(db *gorm.DB) *gorm.DB { return db.Create(&Tag{Name: c.name}) }},
				{"post_tags", func(db *gorm.DB) *gorm.DB { return db.Create(&PostTag{PostID: 99, TagName: c.name}) }},
				{"secrets", func(db *gorm.DB) *gorm.DB { return db.Create(&Secret{ID: uint64(100 + i), Text: c.name}) }},
			} {
				_, err := p.m.Post.Cache.Query(bg, c.build)
				ok(t, err)
				if tx := w.write(p.db); tx.Error != nil {
					t.Fatal(tx.Error)
				} else if tx.RowsAffected == 0 {
					continue // MariaDB takes a name set to itself for unchanged
				}
				falls := 0
				for _, tables := range c.reads {
					if slices.Contains(strings.Fields(tables), w.table) {
						falls++
					}
				}
				var want []*Post
				ok(t, c.build(p.db.Model(&Post{}).Session(&gorm.Session{})).Find(&want).Error)
				p.sent(t, c.name+" after a write of "+w.table, falls, func() {
					got, err := p.m.Post.Cache.Query(bg, c.build)
					ok(t, err)
					fixture.Same(t, c.name, got, want)
				})
			}
		}
	})
}

// behaviour 16: whichever way a table is written, its queries fall, and those of no other table.
func TestEachWriteFalls(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		rollback := errors.New("rolled back")
		writes := []struct {
			name  string
			falls bool
			write func(db *gorm.DB) error
		}{
			{"create", true, func(db *gorm.DB) error { return db.Create(&Post{ID: 10, AuthorID: 1, Title: "ten"}).Error }},
			{"batches", true, func(db *gorm.DB) error {
				return db.CreateInBatches([]Post{{ID: 11, Title: "a"}, {ID: 12, Title: "b"}, {ID: 13, Title: "c"}}, 2).Error
			}},
			{"save", true, func(db *gorm.DB) error { return db.Save(&Post{ID: 10, AuthorID: 1, Title: "10"}).Error }},
			{"update of no list's column", true, func(db *gorm.DB) error { return db.Model(&Post{ID: 10}).Update("score", 7).Error }},
			{"update column", true, func(db *gorm.DB) error { return db.Model(&Post{ID: 10}).UpdateColumn("score", 8).Error }},
			{"update where", true, func(db *gorm.DB) error { return db.Model(&Post{}).Where("id > 10").Update("title", "many").Error }},
			{"update of nothing", false, func(db *gorm.DB) error { return db.Model(&Post{}).Where("id > 1000").Update("title", "none").Error }},
			{"upsert", true, func(db *gorm.DB) error {
				return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Post{ID: 10, Title: "upserted"}).Error
			}},
			{"another struct", true, func(db *gorm.DB) error {
				return db.Table("posts").Where("id = 10").Updates(map[string]any{"title": "map"}).Error
			}},
			{"SQL text", true, func(db *gorm.DB) error { return db.Exec("UPDATE posts SET title = 'text' WHERE id = 10").Error }},
			{"transaction", true, func(db *gorm.DB) error {
				return db.Transaction(func(tx *gorm.DB) error { return tx.Model(&Post{ID: 10}).Update("title", "in it").Error })
			}},
			{"rollback", false, func(db *gorm.DB) error {
				err := db.Transaction(func(tx *gorm.DB) error {
					ok(t, tx.Model(&Post{ID: 10}).Update("title", "gone").Error)
					return rollback
				})
				if !errors.Is(err, rollback) {
					return err
				}
				return nil
			}},
			{"nested save", true, func(db *gorm.DB) error {
				return db.Create(&Author{ID: 9, Name: "Cy", Posts: []Post{{ID: 14, Title: "nested"}}}).Error
			}},
			{"without flush", false, func(db *gorm.DB) error {
				return db.WithContext(cacheruntime.WithoutFlush(bg)).Model(&Post{ID: 10}).Update("data", []byte("unseen")).Error
			}},
			{"flush of a row", true, func(*gorm.DB) error { return p.m.Post.Cache.Flush(bg, 10) }},
			{"flush of all", true, func(*gorm.DB) error { return p.m.Post.Cache.FlushAll(bg) }},
			{"flush of a list", false, func(*gorm.DB) error { return p.m.Post.Cache.FlushListByAuthorID(bg, 1) }},
			{"soft delete", true, func(db *gorm.DB) error { return db.Delete(&Post{ID: 10}).Error }},
			{"delete where", true, func(db *gorm.DB) error { return db.Unscoped().Where("id >= 10").Delete(&Post{}).Error }},
			{"association", false, func(db *gorm.DB) error { return db.Model(&Post{ID: 1}).Association("Tags").Delete(&Tag{Name: "sql"}) }},
		}
		read := func(q *gorm.DB) *gorm.DB { return q.Order("id") }
		for _, w := range writes {
			_, err := p.m.Post.Cache.Query(bg, read)
			ok(t, err)
			_, err = p.m.Author.Cache.Query(bg, read)
			ok(t, err)
			ok(t, w.write(p.db))
			n := 0
			if w.falls {
				n = 1
			}
			want, err := p.m.Post.Objects.Query(bg, read)
			ok(t, err)
			p.sent(t, w.name, n, func() {
				got, err := p.m.Post.Cache.Query(bg, read)
				ok(t, err)
				if w.name != "without flush" {
					fixture.Same(t, w.name, got, want)
				}
			})
			others := 0
			if w.name == "nested save" { // of an author
				others = 1
			}
			p.sent(t, w.name+": another table", others, func() {
				_, err = p.m.Author.Cache.Query(bg, read)
				ok(t, err)
			})
		}
	})
}

// behaviour 16: models that are not tagged query keep no `table` list.
func TestOnlyTaggedTablesFlush(t *testing.T) {
	p := start(t, fixture.SQLite(t), options{})
	for row, want := range map[any]string{&Secret{ID: 1}: "queries:secrets:1", &Tag{Name: "x"}: "queries:tags.table() queries:tags:x"} {
		ctx, trace := cacheruntime.WithTrace(bg)
		ok(t, p.db.WithContext(ctx).Create(row).Error)
		if f := trace.Flushes(); len(f) != 1 || strings.Join(f[0].Lists, " ") != want {
			t.Errorf("%T: %v, want %s", row, f, want)
		}
	}
}
