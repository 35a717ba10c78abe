package triggers_test

import (
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/triggers"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// every is the `all` of all models.
const every = "authors badges plates posts remarks stats"

// What falls for a post itself.
const (
	made3  = " posts.ListByAuthorID(1) posts.ListBySlug(n) posts:3"
	post1  = " posts:1"
	gone1  = " posts.ListByAuthorID(1) posts.ListBySlug(s) posts:1 remarks.ListByPostID(1) remarks:1"
	moved1 = "posts.ListBySlug(n) posts.ListBySlug(s) posts:1"
)

// counters keep the number of posts of each author.
var counters = []trigger{
	{when: "AFTER INSERT", table: "posts", code: "UPDATE authors SET posts = posts + 1 WHERE id = NEW.author_id"},
	{when: "AFTER DELETE", table: "posts", code: "UPDATE authors SET posts = posts - 1 WHERE id = OLD.author_id"},
	{when: "AFTER UPDATE", table: "posts", code: "UPDATE authors SET posts = posts WHERE id = NEW.author_id",
		sqlite:   "CREATE TRIGGER g2 AFTER UPDATE OF author_id ON posts BEGIN UPDATE authors SET posts = posts - 1 WHERE id = OLD.author_id; UPDATE authors SET posts = posts + 1 WHERE id = NEW.author_id; END",
		postgres: "CREATE FUNCTION g2() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE authors SET posts = posts - 1 WHERE id = OLD.author_id; UPDATE authors SET posts = posts + 1 WHERE id = NEW.author_id; RETURN NULL; END $$\n;\nCREATE TRIGGER g2 AFTER UPDATE OF author_id ON posts FOR EACH ROW EXECUTE FUNCTION g2()",
		mariadb:  "CREATE TRIGGER g2 AFTER UPDATE ON posts FOR EACH ROW IF NEW.author_id <> OLD.author_id THEN UPDATE authors SET posts = posts - 1 WHERE id = OLD.author_id; UPDATE authors SET posts = posts + 1 WHERE id = NEW.author_id; END IF"},
}

func post3() *triggers.Post { return &triggers.Post{ID: 3, AuthorID: 1, Title: "v", Slug: "n"} }

func one() *triggers.Post { return &triggers.Post{ID: 1} }

// behaviours 40, 43, 44: a table that a trigger writes falls with the write that it fires for, and with no other.
func TestCounters(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d)
		moved := "authors posts.ListByAuthorID(1) posts.ListByAuthorID(2) posts:1"
		// The trigger's updates are counted there, with the upsert's.
		counted := map[string]string{"mysql": "authors posts"}
		for _, c := range []kase{
			{what: "Create", falls: "authors" + made3, extra: 1, write: func(db *gorm.DB) error { return db.Create(post3()).Error }},
			{what: "Create of two", falls: "authors posts.ListByAuthorID(1) posts.ListBySlug(n) posts:3 posts:4", extra: 1, write: func(db *gorm.DB) error {
				return db.Create([]*triggers.Post{post3(), {ID: 4, AuthorID: 1, Slug: "n"}}).Error
			}},
			{what: "Update of another column", falls: "posts:1", on: map[string]string{"mysql": "authors posts:1"}, extra: 0, write: func(db *gorm.DB) error { return db.Model(one()).Update("note", "z").Error }},
			{what: "Update", falls: moved, extra: -1, write: func(db *gorm.DB) error { return db.Model(one()).Update("author_id", 2).Error }},
			{what: "Updates by a condition", falls: "authors posts.ListByAuthorID(1) posts.ListByAuthorID(2) posts:1 posts:2", extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{}).Where("author_id = 1").Update("author_id", 2).Error
			}},
			{what: "an update that finds no row", falls: "", extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{}).Where("author_id = 9").Update("author_id", 2).Error
			}},
			{what: "Delete", falls: "authors" + gone1, extra: -1, write: func(db *gorm.DB) error { return db.Delete(one()).Error }},
			{what: "a delete that finds no row", falls: "", extra: -1, write: func(db *gorm.DB) error { return db.Delete(&triggers.Post{ID: 9}).Error }},
			{what: "an upsert that makes a row", falls: "authors" + made3, on: counted, extra: -1, write: func(db *gorm.DB) error {
				return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(post3()).Error
			}},
			{what: "Save of a new row", falls: "authors" + made3, on: counted, extra: -1, write: func(db *gorm.DB) error { return db.Save(post3()).Error }},
			{what: "SQL text that inserts", falls: "authors posts", extra: -1, write: func(db *gorm.DB) error {
				return db.Exec("INSERT INTO posts (id, author_id, title, slug, note, touched) VALUES (3, 1, '', 'n', '', '')").Error
			}},
			{what: "SQL text that updates", falls: "authors posts", extra: -1, write: func(db *gorm.DB) error { return db.Exec("UPDATE posts SET author_id = 2 WHERE id = 1").Error }},
			{what: "SQL text that deletes", falls: "authors posts remarks", extra: -1, write: func(db *gorm.DB) error { return db.Exec("DELETE FROM posts WHERE id = 1").Error }},
			{what: "in a transaction", falls: "authors" + made3, extra: -1, write: func(db *gorm.DB) error {
				return db.Transaction(func(tx *gorm.DB) error { return tx.Create(post3()).Error })
			}},
			{what: "a transaction rolled back", falls: "", extra: -1, write: func(db *gorm.DB) error {
				tx := db.Begin()
				if err := tx.Create(post3()).Error; err != nil {
					return err
				}
				return tx.Rollback().Error
			}},
			{what: "a write of another table", falls: "authors.ListByName(a) authors.ListByName(n) authors:1", extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Author{ID: 1}).Update("name", "n").Error
			}},
		} {
			c.triggers = counters
			w.run([]kase{c})
		}
		w.fill()
		w.must(w.db.Exec("DROP TABLE IF EXISTS others").Error)
		w.falls("without triggers", made3[1:], 1, func(db *gorm.DB) error { return db.Create(post3()).Error })
	})
}
