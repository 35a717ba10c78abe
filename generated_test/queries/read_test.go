package queries

import (
	"errors"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// chain is a query on posts, with the tables that each of its statements reads.
type chain struct {
	name  string
	reads []string
	build func(q *gorm.DB) *gorm.DB
}

// chains are one of each kind of clause.
var chains = []chain{
	{"all", []string{"posts"}, func(q *gorm.DB) *gorm.DB { return q }},
	{"where", []string{"posts"}, func(q *gorm.DB) *gorm.DB { return q.Where("title = ? OR score > ?", "one", 2.0).Order("id") }},
	{"struct and map", []string{"posts"}, func(q *gorm.DB) *gorm.DB { return q.Where(&Post{AuthorID: 1}).Where(map[string]any{"public": true}) }},
	{"not, or, in", []string{"posts"}, func(q *gorm.DB) *gorm.DB { return q.Not("id", []int{9, 8}).Or("id IN ?", []int{1, 2}) }},
	{"named", []string{"posts"}, func(q *gorm.DB) *gorm.DB {
		return q.Where("title = @t", map[string]any{"t": "two"})
	}},
	{"order, limit, offset", []string{"posts"}, func(q *gorm.DB) *gorm.DB { return q.Order("score DESC").Limit(2).Offset(1) }},
	{"unscoped", []string{"posts"}, func(q *gorm.DB) *gorm.DB { return q.Unscoped().Order("id") }},
	{"scopes", []string{"posts"}, func(q *gorm.DB) *gorm.DB {
		return q.Scopes(func(db *gorm.DB) *gorm.DB { return db.Where("public = ?", true) })
	}},
	{"nothing", []string{"posts"}, func(q *gorm.DB) *gorm.DB { return q.Where("id = ?", 99) }},
	{"join of a relation", []string{"posts authors"}, func(q *gorm.DB) *gorm.DB { return q.Joins("Author").Order("posts.id") }},
	{"inner join with conditions", []string{"posts authors"}, func(q *gorm.DB) *gorm.DB {
		return q.InnerJoins("Author", q.Session(&gorm.Session{NewDB: true}).Where(&Author{Name: "Ann"})).Order("posts.id")
	}},
	{"join in text", []string{"posts authors"}, func(q *gorm.DB) *gorm.DB {
		return q.Joins("JOIN authors a ON a.id = posts.author_id AND a.name = ?", "Bob").Order("posts.id")
	}},
	{"subquery", []string{"posts authors"}, func(q *gorm.DB) *gorm.DB {
		return q.Where("author_id IN (?)", q.Session(&gorm.Session{NewDB: true}).Model(&Author{}).Select("id").Where("name = ?", "Ann")).Order("id")
	}},
	{"exists", []string{"posts post_tags tags"}, func(q *gorm.DB) *gorm.DB {
		return q.Where("EXISTS (SELECT 1 FROM post_tags pt JOIN tags t ON t.name = pt.tag_name WHERE pt.post_id = posts.id AND t.name = ?)", "go").Order("id")
	}},
	{"from a subquery", []string{"posts"}, func(q *gorm.DB) *gorm.DB {
		return q.Table("(?) AS posts", q.Session(&gorm.Session{NewDB: true}).Model(&Post{}).Where("score > ?", 0)).Order("id")
	}},
	{"group", []string{"posts"}, func(q *gorm.DB) *gorm.DB {
		return q.Where("id IN (SELECT MAX(id) FROM posts GROUP BY author_id HAVING COUNT(*) > 1)").Order("id")
	}},
	{"CTE in text", []string{"posts"}, func(q *gorm.DB) *gorm.DB {
		return q.Raw("WITH mine AS (SELECT * FROM posts WHERE author_id = ?) SELECT * FROM mine ORDER BY id", 1)
	}},
	{"union", []string{"posts"}, func(q *gorm.DB) *gorm.DB {
		return q.Raw("SELECT * FROM posts WHERE id = ? UNION ALL SELECT * FROM posts WHERE id = ?", 1, 3)
	}},
	{"preload of one", []string{"posts", "authors"}, func(q *gorm.DB) *gorm.DB { return q.Preload("Author").Order("id") }},
	{"preload of many", []string{"posts", "post_tags", "tags"}, func(q *gorm.DB) *gorm.DB { return q.Preload("Tags").Order("id") }},
	{"nested preload", []string{"posts", "authors", "posts"}, func(q *gorm.DB) *gorm.DB { return q.Preload("Author.Posts", "public = ?", true).Order("id") }},
	{"distinct", []string{"posts"}, func(q *gorm.DB) *gorm.DB { return q.Distinct().Order("id").Limit(3) }},
	{"a clause", []string{"posts"}, func(q *gorm.DB) *gorm.DB {
		return q.Clauses(clause.OrderBy{Columns: []clause.OrderByColumn{{Column: clause.Column{Name: "id"}, Desc: true}}})
	}},
}

// behaviour 16: a query is a miss and then a hit, and a hit is what GORM gives without a cache: rows, relations, the order,
// empty and nil, and what AfterFind has made.
func TestQueryIsGORMs(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		for _, c := range chains {
			t.Run(c.name, func(t *testing.T) {
				p.flush(t) // the statements of preloads may be another chain's, too
				var want []*Post
				ok(t, c.build(p.db.Model(&Post{}).Session(&gorm.Session{})).Find(&want).Error)
				var got [3][]*Post
				for i, n := range []int{len(c.reads), 0, 0} {
					p.sent(t, c.name, n, func() {
						var err error
						got[i], err = p.m.Post.Cache.Query(bg, c.build)
						ok(t, err)
					})
					fixture.Same(t, c.name, got[i], want)
				}
				for i, post := range got[1] { // each caller has rows of its own
					if post == got[2][i] {
						t.Fatal("two callers share a row")
					}
					post.Title, post.Author = "changed", nil
					for j := range post.Data {
						post.Data[j]++
					}
				}
				again, err := p.m.Post.Cache.Query(bg, c.build)
				ok(t, err)
				fixture.Same(t, "after a change of what was handed out", again, want)
			})
		}
		if faults := p.heard.take(); len(faults) > 0 {
			t.Errorf("%q", faults)
		}
	})
}

// behaviour 16: the first row, absence, and counts are cached like rows.
func TestOneAndCount(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		byAnn := func(q *gorm.DB) *gorm.DB { return q.Where("author_id = ?", 1).Order("score DESC") }
		nobody := func(q *gorm.DB) *gorm.DB { return q.Where("author_id = ?", 7) }
		for i := range 2 {
			p.sent(t, "one", 1-i, func() {
				if post, err := p.m.Post.Cache.QueryOne(bg, byAnn); err != nil || post.ID != 2 || post.Shown != "<two>" {
					t.Errorf("%v, %v", post, err)
				}
			})
			p.sent(t, "none", 1-i, func() {
				if post, err := p.m.Post.Cache.QueryOne(bg, nobody); !notFound(err) || post != nil {
					t.Errorf("%v, %v", post, err)
				}
			})
			p.sent(t, "count", 1-i, func() {
				if n, err := p.m.Post.Cache.QueryCount(bg, byAnn); err != nil || n != 2 {
					t.Errorf("%d, %v", n, err)
				}
			})
		}
		ok(t, p.db.Create(&Post{ID: 70, AuthorID: 7, Title: "new"}).Error)
		if post, err := p.m.Post.Cache.QueryOne(bg, nobody); err != nil || post.ID != 70 {
			t.Errorf("%v, %v", post, err)
		}
	})
}

// behaviour 17: half a row is refused on the model, from the cache and from the database alike, and a projection is taken
// by Query[T], which touches no entry of a row.
func TestProjections(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		half := func(q *gorm.DB) *gorm.DB { return q.Select("id", "title") }
		for _, posts := range []PostReader{p.m.Post.Cache, p.m.Post.Objects} {
			for range 2 {
				if rows, err := posts.Query(bg, half); !errors.Is(err, cacheruntime.ErrPartialRow) || rows != nil || !strings.Contains(err.Error(), "author_id") {
					t.Errorf("%v, %v", rows, err)
				}
				if row, err := posts.QueryOne(bg, func(q *gorm.DB) *gorm.DB { return q.Omit("score") }); !errors.Is(err, cacheruntime.ErrPartialRow) || row != nil {
					t.Errorf("%v, %v", row, err)
				}
			}
			if _, err := posts.QueryCount(bg, half); err != nil {
				t.Error(err)
			}
		}
		type title struct {
			ID    uint64
			Title string
		}
		type per struct {
			AuthorID uint64
			N        int64
			Best     float64
		}
		same(t, p, "structs", func(db *gorm.DB) *gorm.DB { return db.Model(&Post{}).Select("id", "title").Order("id") },
			[]title{{1, "one"}, {2, "two"}, {3, "three"}, {4, "1"}})
		same(t, p, "groups", func(db *gorm.DB) *gorm.DB {
			return db.Model(&Post{}).Select("author_id, COUNT(*) AS n, MAX(score) AS best").Group("author_id").Having("COUNT(*) > ?", 1).Order("author_id")
		}, []per{{1, 2, 2.5}, {2, 2, 0}})
		same(t, p, "texts", func(db *gorm.DB) *gorm.DB { return db.Model(&Author{}).Select("name").Order("name") }, []string{"Ann", "Bob"})
		same(t, p, "numbers", func(db *gorm.DB) *gorm.DB { return db.Table("posts").Select("id").Order("id DESC") }, []uint64{4, 3, 2, 1})
		same(t, p, "a number", func(db *gorm.DB) *gorm.DB { return db.Raw("SELECT SUM(score) FROM posts WHERE id < ?", 3) }, []float64{4})
		same(t, p, "nothing", func(db *gorm.DB) *gorm.DB { return db.Table("tags").Where("name = ?", "?").Select("name") }, []string{})
		same(t, p, "nulls", func(db *gorm.DB) *gorm.DB { return db.Model(&Author{}).Select("born IS NULL").Order("id") }, []bool{false, true})
		var maps []map[string]any
		build := func(db *gorm.DB) *gorm.DB { return db.Table("posts").Order("id") }
		ok(t, build(p.db).Find(&maps).Error)
		same(t, p, "maps", build, maps)

		for i := range 2 {
			p.sent(t, "one", 2-2*i, func() {
				n, err := cacheruntime.QueryOne[int64](bg, p.rt, func(db *gorm.DB) *gorm.DB { return db.Model(&Post{}).Select("MAX(id)") })
				if err != nil || n != 4 {
					t.Errorf("%d, %v", n, err)
				}
				name, err := cacheruntime.QueryOne[string](bg, p.rt, func(db *gorm.DB) *gorm.DB { return db.Model(&Tag{}).Select("name").Where("name = ?", "go") })
				if err != nil || name != "go" {
					t.Errorf("%q, %v", name, err)
				}
			})
		}
		if _, err := cacheruntime.QueryOne[string](bg, p.rt, func(db *gorm.DB) *gorm.DB { return db.Model(&Tag{}).Select("name").Where("name = ?", "?") }); !notFound(err) {
			t.Error(err)
		}
		// No row came into the cache by all that.
		p.sent(t, "Get", 1, func() {
			if post, err := p.m.Post.Cache.Get(bg, 1); err != nil || post.AuthorID != 1 {
				t.Errorf("%v, %v", post, err)
			}
		})
	})
}

// same reads a projection twice, a miss and a hit.
func same[T any](t *testing.T, p *program, what string, build func(*gorm.DB) *gorm.DB, want []T) {
	t.Helper()
	for i := range 2 {
		p.sent(t, what, 1-i, func() {
			got, err := cacheruntime.Query[T](bg, p.rt, build)
			ok(t, err)
			fixture.Same(t, what, got, want)
		})
	}
}

// behaviours 16, 33: related rows come with a query's rows from their own entries, and fall alone.
func TestQueryWithRelated(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		public := func(q *gorm.DB) *gorm.DB { return q.Where("public = ?", true).Order("id") }
		reader := p.m.Post.Cache.WithAuthor()
		var want []*Post
		read := func(what string, statements int) {
			t.Helper()
			want = nil
			ok(t, public(p.db.Preload("Author")).Find(&want).Error)
			p.sent(t, what, statements, func() {
				got, err := reader.Query(bg, public)
				ok(t, err)
				fixture.Same(t, what, got, want)
			})
		}
		read("cold", 2)
		read("warm", 0)
		author := *want[0].Author
		author.Name = "Anna"
		ok(t, p.db.Omit("Posts").Save(&author).Error)
		read("an author was saved", 1)
		p.sent(t, "one", 1, func() {
			if post, err := reader.QueryOne(bg, public); err != nil || post.Author == nil || post.Author.Name != "Anna" {
				t.Errorf("%v, %v", post, err)
			}
		})
		objects, err := p.m.Post.Objects.WithAuthor().Query(bg, public)
		ok(t, err)
		fixture.Same(t, "Objects", objects, want)
		ok(t, p.db.Transaction(func(tx *gorm.DB) error {
			ok(t, tx.Model(&author).Update("Name", "Anne").Error)
			got, err := p.m.WithTx(tx).Post.Cache.WithAuthor().Query(bg, public)
			if err == nil && got[0].Author.Name != "Anne" {
				t.Errorf("in the transaction the author is %v", got[0].Author)
			}
			return err
		}))
	})
}
