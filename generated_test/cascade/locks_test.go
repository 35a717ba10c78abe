package cascade_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/cascade"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// watcher is a logger that calls on with each statement, before the next is sent.
type watcher struct {
	logger.Interface
	on func(sql string)
}

func (w watcher) LogMode(logger.LogLevel) logger.Interface { return w }

func (w watcher) Trace(ctx context.Context, begin time.Time, f func() (string, int64), err error) {
	w.Interface.Trace(ctx, begin, f, err)
	sql, _ := f()
	w.on(sql)
}

// behaviour 40: once the rows that hang on others have been read, nobody adds one before they are deleted, be it to rows of a
// table that no model is cached of.
func TestNobodyAdds(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		on := func(string) {}
		w := newWorld(t, enforcing(d), func(c *gorm.Config, _ *cacheruntime.Options) {
			c.Logger = watcher{c.Logger, func(sql string) { on(sql) }}
		})
		patience := map[string]string{"sqlite": "PRAGMA busy_timeout = 100", "postgres": "SET lock_timeout = 200", "mysql": "SET innodb_lock_wait_timeout = 1"}[d.Name]
		tried := 0
		on = func(sql string) {
			sql = strings.NewReplacer("`", "", `"`, "").Replace(sql)
			if !strings.HasPrefix(sql, "SELECT") || !strings.Contains(sql, "FROM items") {
				return
			}
			on = func(string) {}
			bare, err := w.db.DB()
			w.must(err)
			conn, err := bare.Conn(t.Context())
			w.must(err)
			defer conn.Close()
			_, err = conn.ExecContext(t.Context(), patience)
			w.must(err)
			for _, add := range []string{
				"INSERT INTO croupons (id, title, merchant_id) VALUES (99, 'late', 1)",
				"INSERT INTO items (id, stall_id) VALUES (99, 1)",
				"UPDATE items SET stall_id = 1 WHERE id = 3",
			} {
				tried++
				if _, err := conn.ExecContext(t.Context(), add); err == nil {
					t.Errorf("%s: nothing held it up", add)
				}
			}
		}
		w.must(w.db.Delete(&cascade.Merchant{ID: 1}).Error)
		if tried != 3 {
			t.Errorf("%d tries", tried)
		}
	})
}
