package tenants

import (
	"context"
	"errors"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// behaviours 52 to 55, 98: in a transaction, each write flushes in the partition of its own context, when the transaction commits; what
// a savepoint took back flushes in none.
//
//  1. both tenants have notes of theirs in the cache
//  2. one transaction writes a's, b's, and a's in a savepoint that is rolled back
//  3. inside, each tenant reads its own writes; outside, nobody reads any
//  4. COMMIT: both read what is there now; a rollback instead: neither misses
func TestPartitionsInTransactions(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, d, options{servers: []string{testserver.Memcached(t).Addr()}, partition: tenantOf, before: query(t, onlyOwn)})
		a, b := of("a"), of("b")
		ok(t, p.db.WithContext(a).Create(&Note{ID: 1, Tenant: "a", Slug: "s0", Topic: "go", Text: "old"}).Error)
		ok(t, p.db.WithContext(b).Create(&Note{ID: 2, Tenant: "b", Slug: "s0", Topic: "go", Text: "old"}).Error)
		text := func(m *Models, ctx context.Context, id uint64) string {
			t.Helper()
			n, err := m.Note.Cache.Get(ctx, id)
			if err != nil {
				return err.Error()
			}
			return n.Text
		}
		expect := func(what string, m *Models, wantA, wantB string) {
			t.Helper()
			if gotA, gotB := text(m, a, 1), text(m, b, 2); gotA != wantA || gotB != wantB {
				t.Errorf("%s: %q and %q, not %q and %q", what, gotA, gotB, wantA, wantB)
			}
		}
		update := func(tx *gorm.DB, ctx context.Context, id uint64, text, topic string) error {
			return tx.WithContext(ctx).Model(&Note{ID: id}).Updates(map[string]any{"text": text, "topic": topic}).Error
		}
		errNo := errors.New("no")
		for _, end := range []error{errNo, nil} {
			for range 2 {
				expect("before", p.m, "old", "old")
				alike(t, p, a, b)
			}
			if err := p.db.WithContext(a).Transaction(func(tx *gorm.DB) error {
				ok(t, update(tx, a, 1, "new", "rust"))
				ok(t, update(tx, b, 2, "new", "rust"))
				_ = tx.Transaction(func(tx *gorm.DB) error { return errors.Join(update(tx, a, 1, "lost", "c"), errNo) })
				expect("inside", p.m.WithTx(tx), "new", "new")
				expect("outside", p.m, "old", "old")
				ok(t, cacheruntime.AfterCommit(tx, func(ctx context.Context) {
					if tenantOf(ctx) != "a" {
						t.Errorf("a function runs for %q", tenantOf(ctx))
					}
				}))
				return end
			}); !errors.Is(err, end) {
				t.Fatal(err)
			}
			if end == nil {
				expect("committed", p.m, "new", "new")
				alike(t, p, a, b)
				continue
			}
			before := p.rt.Stats()
			expect("rolled back", p.m, "old", "old")
			if s := p.rt.Stats().Minus(before); s.Misses != 0 {
				t.Errorf("a rollback flushed:\n%s", s)
			}
		}
	})
}
