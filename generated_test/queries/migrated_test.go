package queries

import (
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
)

// A query of a table that was not there when NewModels ran is cached once the table is there, though no other accessor reads the model.
func TestMigratedAfterNewModels(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, d, options{unmade: true})
		p.migrate(t)
		p.seed(t)
		read := func() {
			posts, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q.Where("author_id = ?", 1).Order("id") })
			if err != nil || len(posts) != 2 {
				t.Fatalf("%v %v", posts, err)
			}
		}
		for end := time.Now().Add(time.Minute); len(p.sql.Of(read)) > 0; {
			if time.Now().After(end) {
				t.Fatalf("it is never cached: %v", p.rt.Stats())
			}
		}
	})
}
