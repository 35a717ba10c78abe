package writes_test

import (
	"context"
	"database/sql"
	"runtime"
	"testing"
	"time"

	"gorm.io/gorm"
)

// collecting is a database that collects garbage before each COMMIT.
type collecting struct{ *sql.DB }

func (p collecting) BeginTx(ctx context.Context, o *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := p.DB.BeginTx(ctx, o)
	return collectingTx{tx}, err
}

func (p collecting) GetDBConn() (*sql.DB, error) { return p.DB, nil }

type collectingTx struct{ *sql.Tx }

func (t collectingTx) Commit() error {
	for range 3 {
		runtime.GC()
		<-time.After(5 * time.Millisecond) // cleanups run, and what they cancel is rolled back
	}
	return t.Tx.Commit()
}

// The transaction that the plugin begins is ended by the garbage collector if nobody else can, and not
// while it is being committed.
func TestGarbageIsCollectedDuringCommit(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		for range 5 {
			c := &Croupon{Slug: "a"}
			if err := w.db.Create(c).Error; err != nil {
				t.Fatal(err)
			}
			if err := w.db.Model(c).Update("city", "x").Error; err != nil {
				t.Fatal(err)
			}
			if err := w.db.Delete(c).Error; err != nil {
				t.Fatal(err)
			}
		}
	}, unwrapped, func(s *setup) { s.pool = func(db *sql.DB) gorm.ConnPool { return collecting{db} } })
}
