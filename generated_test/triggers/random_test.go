package triggers_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/triggers"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

var (
	randomRounds = flag.Int("rounds", 12, "sets of random triggers a database")
	randomSeed   = flag.Uint64("seed", 0, "of the random triggers and writes; 0: another each time")
)

// behaviours 32, 40 to 44, 97: random triggers and random writes; after each of these, every cached read is as the database has it.
func TestRandomTriggers(t *testing.T) {
	seed := *randomSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d)
		w.past(shownAuthors(d.Name)...)
		w.past(routines[d.Name]...)
		r := &random{Rand: rand.New(rand.NewPCG(seed, 0)), name: d.Name}
		made := 0
		for round := range *randomRounds {
			w.fill()
			var said []string
			for i := range 1 + r.IntN(3) {
				define := r.trigger(fmt.Sprintf("g%d", i))
				w.make(trigger{table: define.table, sqlite: define.text, postgres: define.text, mariadb: define.text})
				said = append(said, define.text)
			}
			for range 4 {
				for _, read := range w.reads() {
					_, _ = read[0]()
				}
				text, write := r.write()
				w.heard.Take()
				err := write(w.db.Session(&gorm.Session{NewDB: true, PrepareStmt: r.IntN(3) == 0, SkipDefaultTransaction: r.IntN(3) == 0}))
				fell, _ := w.heard.Take()
				if err == nil {
					made++
				}
				said = append(said, fmt.Sprintf("%s: %v: fell %s", text, err, fell))
				for name, read := range w.reads() {
					cached, err := read[0]()
					real, failed := read[1]()
					if fmt.Sprint(err) != fmt.Sprint(failed) {
						t.Errorf("%s: cached %v, in the database %v", name, err, failed)
					} else {
						fixture.Same(t, name, cached, real)
					}
				}
				if t.Failed() {
					t.Fatalf("-seed %d, round %d:\n\t%s", seed, round, strings.Join(said, "\n\t"))
				}
			}
		}
		t.Logf("-seed %d: %d of %d writes were made", seed, made, 4**randomRounds)
	})
}

// random makes triggers and writes.
type random struct {
	*rand.Rand
	name string
}

// of is one of these.
func (r *random) of(all ...string) string { return all[r.IntN(len(all))] }

// write is a write of any kind.
func (r *random) write() (string, func(db *gorm.DB) error) {
	id := uint64(1 + r.IntN(3))
	column, value := r.of("title", "slug", "note", "touched"), r.of("s", "n", "x", "t")
	post := &triggers.Post{ID: id, AuthorID: uint64(1 + r.IntN(2)), Title: r.of("s", "n", "x"), Slug: r.of("s", "n", "x"), Note: r.of("", "z")}
	said := func(what string) string { return fmt.Sprintf("%s %+v %s=%s", what, *post, column, value) }
	type kind = func(db *gorm.DB) error
	kinds := []struct {
		what string
		do   kind
	}{
		{"create", func(db *gorm.DB) error { return db.Create(post).Error }},
		{"create without a key", func(db *gorm.DB) error { post.ID = 0; return db.Create(post).Error }},
		{"create two", func(db *gorm.DB) error {
			other := *post
			other.ID = 4
			return db.Create([]*triggers.Post{{ID: 3, AuthorID: 1, Slug: "x"}, &other}).Error
		}},
		{"save", func(db *gorm.DB) error { return db.Save(post).Error }},
		{"update by key", func(db *gorm.DB) error { return db.Model(&triggers.Post{ID: id}).Update(column, value).Error }},
		{"updates of a struct", func(db *gorm.DB) error { return db.Updates(post).Error }},
		{"updates of a map", func(db *gorm.DB) error {
			return db.Model(&triggers.Post{ID: id}).Updates(map[string]any{column: value, "author_id": 2}).Error
		}},
		{"update where", func(db *gorm.DB) error {
			return db.Model(&triggers.Post{}).Where("author_id = 1").Update(column, value).Error
		}},
		{"update all", func(db *gorm.DB) error {
			return db.Model(&triggers.Post{}).Where("1 = 1").UpdateColumn(column, value).Error
		}},
		{"upsert", func(db *gorm.DB) error { return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(post).Error }},
		{"upsert of one column", func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{column})}).Create(post).Error
		}},
		{"do nothing", func(db *gorm.DB) error { return db.Clauses(clause.OnConflict{DoNothing: true}).Create(post).Error }},
		{"upsert of a badge by its code", func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "code"}}, DoUpdates: clause.AssignmentColumns([]string{"note"})}).Create(&triggers.Badge{ID: r.of("z", "x"), Code: "cx", Note: "u"}).Error
		}},
		{"delete", func(db *gorm.DB) error { return db.Delete(&triggers.Post{ID: id}).Error }},
		{"delete where", func(db *gorm.DB) error { return db.Where("slug = ?", value).Delete(&triggers.Post{}).Error }},
		{"text that updates", func(db *gorm.DB) error {
			return db.Exec("UPDATE posts SET "+column+" = ? WHERE id = ?", value, id).Error
		}},
		{"text that inserts", func(db *gorm.DB) error {
			return db.Exec("INSERT INTO posts (author_id, title, slug, note, touched) VALUES (1, 'x', 'n', '', '')").Error
		}},
		{"text that deletes", func(db *gorm.DB) error { return db.Exec("DELETE FROM posts WHERE id = ?", id).Error }},
		{"text on a view", func(db *gorm.DB) error { return db.Exec("UPDATE shown SET name = ? WHERE id = 1", value).Error }},
		{"table", func(db *gorm.DB) error {
			return db.Table("posts").Where("id = ?", id).Updates(map[string]any{column: value}).Error
		}},
		{"create a remark", func(db *gorm.DB) error { return db.Create(&triggers.Remark{PostID: id}).Error }},
		{"create a remark with its post", func(db *gorm.DB) error { return db.Create(&triggers.Remark{Post: post}).Error }},
		{"an association", func(db *gorm.DB) error { return db.Model(&triggers.Remark{ID: 1}).Association("Post").Replace(post) }},
		{"update an author", func(db *gorm.DB) error {
			return db.Model(&triggers.Author{ID: 1}).Update("name", value).Error
		}},
		{"create a draft", func(db *gorm.DB) error { return db.Create(&triggers.Draft{AuthorID: 1}).Error }},
		{"delete drafts", func(db *gorm.DB) error { return db.Where("1 = 1").Delete(&triggers.Draft{}).Error }},
		{"a transaction", func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				if err := tx.Model(&triggers.Post{ID: 1}).Update(column, value).Error; err != nil {
					return err
				}
				return tx.Delete(&triggers.Post{ID: 2}).Error
			})
		}},
	}
	k := kinds[r.IntN(len(kinds))]
	return said(k.what), k.do
}
