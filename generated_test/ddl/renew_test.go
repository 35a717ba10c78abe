package ddl_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/ddl"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// questions counts how often the catalog was asked for foreign keys: by writes, and behind them.
type questions struct {
	logger.Interface
	byWrites, behind atomic.Int32
}

type writing struct{}

func (q *questions) Trace(ctx context.Context, _ time.Time, f func() (string, int64), _ error) {
	sql, _ := f()
	switch {
	case !strings.Contains(sql, "pg_constraint") && !strings.Contains(sql, "key_column_usage"):
	case ctx.Value(writing{}) != nil:
		q.byWrites.Add(1)
	default:
		q.behind.Add(1)
	}
}

// What the catalog said is asked for again behind the writes, before it is too old for them: a program that writes all the time never
// waits for it, and hears of what another has done to the tables.
func TestTheCatalogIsAskedBehindWrites(t *testing.T) {
	for name, open := range map[string]func(testing.TB) fixture.Database{"postgres": fixture.Postgres, "mariadb": fixture.MariaDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := &questions{Interface: logger.Discard}
			w := newWorld(t, open(t), gorm.Config{Logger: asked})
			w.past("INSERT INTO parts (id, code, shelf, title) VALUES (1, 'a', 's', ''), (2, 'b', 's', '')", "INSERT INTO screws (id, part_id) VALUES (1, 1), (2, 2)")
			asked.behind.Store(0) // NewModels did
			w.past("ALTER TABLE screws ADD FOREIGN KEY (part_id) REFERENCES parts (id) ON DELETE CASCADE")

			db := w.db.WithContext(context.WithValue(context.Background(), writing{}, true))
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			write := func() { w.must(db.Model(&ddl.Part{ID: 1}).Update("title", time.Now().Format(time.StampNano)).Error) }
			began := time.Now()
			for last := began; asked.behind.Load() == 0; <-tick.C {
				write()
				if asked.byWrites.Load() > 0 && time.Since(last) < 25*time.Second { // else the machine stood still
					t.Fatal("a write had to ask the catalog, among frequent ones")
				}
				last = time.Now()
			}
			// Its answer is on its way.
			for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
				w.past("INSERT INTO screws (id, part_id) SELECT 3, 2 FROM parts WHERE id = 2 AND NOT EXISTS (SELECT 1 FROM screws WHERE id = 3)")
				w.heard.Take()
				w.must(db.Delete(&ddl.Part{ID: 2}).Error)
				fell, _ := w.heard.Take()
				if strings.Contains(fell, "screws:3") && strings.Contains(fell, "screws.ListByPartID(2)") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%s fell: the foreign key of another program is not known", fell)
				}
				w.past("INSERT INTO parts (id, code, shelf, title) VALUES (2, 'b', 's', '')")
			}
			if n := asked.behind.Load(); n != 1 && time.Since(began) < 50*time.Second {
				t.Errorf("asked %d times behind the writes, not once", n)
			}
		})
	}
}
