package queries

import (
	"context"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// BenchmarkQuery is a query of four rows: a hit in the first tier, the database, and what GORM alone does to build its
// statement, which a hit does too.
func BenchmarkQuery(b *testing.B) {
	p := start(b, fixture.SQLite(b), options{})
	p.db.Logger = logger.Discard
	p.seed(b)
	chain := func(q *gorm.DB) *gorm.DB { return q.Where("score > ? AND public = ?", -5.0, true).Order("id") }
	query := func(ctx context.Context, posts PostReader) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if rows, err := posts.Query(ctx, chain); err != nil || len(rows) != 2 {
					b.Fatal(rows, err)
				}
			}
		}
	}
	ctx := cacheruntime.WithBypass(bg)
	b.Run("hit", query(bg, p.m.Post.Cache))
	b.Run("database", query(ctx, p.m.Post.Objects))
	b.Run("statement", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			var rows []*Post
			chain(p.db.Session(&gorm.Session{DryRun: true}).Model(&Post{})).Find(&rows)
		}
	})
}
