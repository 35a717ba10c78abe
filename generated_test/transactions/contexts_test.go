package transactions_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
)

// behaviour 56: contexts that end before the COMMIT.
func TestContextEnds(t *testing.T) {
	twice(t, func(t *testing.T, w *world) { play(t, w, contexts) })
}

var contexts = []scene{
	{name: "56: before Commit", run: func(w *world) {
		ctx, cancel := context.WithCancel(ctx)
		tx := w.db.WithContext(ctx).Begin()
		w.ok(saves(w, tx))
		cancel()
		if tx.Commit().Error == nil {
			w.Error("committed under a context that had ended")
		}
	}},
	{name: "56: in db.Transaction, and nothing fails there", run: func(w *world) {
		ctx, cancel := context.WithCancel(ctx)
		if w.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			err := saves(w, tx)
			cancel()
			return err
		}) == nil {
			w.Error("committed under a context that had ended")
		}
	}},
	{name: "56: in a nested transaction", run: func(w *world) {
		ctx, cancel := context.WithCancel(ctx)
		if w.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			w.ok(saves(w, tx))
			_ = tx.Transaction(func(tx *gorm.DB) error { err := update(tx, "b", "lost"); cancel(); return err })
			return nil
		}) == nil {
			w.Error("committed under a context that had ended")
		}
	}},
	{name: "56: a deadline, while the program does something else", run: func(w *world) {
		ctx, cancel := context.WithCancel(ctx)
		tx := w.db.WithContext(ctx).Begin()
		w.ok(saves(w, tx))
		cancel()
		w.idle() // database/sql has rolled it back
		if err := update(tx, "b", "lost"); err == nil {
			w.Error("wrote under a context that had ended")
		}
		tx.Error = nil
		_ = tx.Rollback()
	}},
	{name: "56: before Begin", run: func(w *world) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		if err := w.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return update(tx, "a", "lost") }); !errors.Is(err, context.Canceled) {
			w.Error(err)
		}
		if err := w.db.WithContext(ctx).Begin().Error; !errors.Is(err, context.Canceled) {
			w.Error(err)
		}
	}},
}

// behaviour 56: a context that ends while the database is at its COMMIT. Whatever the driver says, nobody is served what
// the database does not have.
//
//  1. writer: leaves its tokens; COMMIT is sent, and the database does not answer yet
//  2. the context ends; PostgreSQL's driver gives up, MariaDB's waits
//  3. the database goes on, and commits, or has heard of the end
//  4. reads are what the database has, and are cached again
func TestContextEndsDuringCommit(t *testing.T) {
	for name, database := range map[string]func(testing.TB) fixture.Database{"postgres": fixture.Postgres, "mariadb": fixture.MariaDB} {
		t.Run(name, func(t *testing.T) {
			for _, ended := range []bool{true, false} {
				w := newWorld(t, database(t), setup{ttl: 2 * time.Second})
				w.deal()
				release := w.holdCommit()
				ctx, cancel := context.WithCancel(ctx)
				done := make(chan error, 1)
				go func() {
					done <- w.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return update(tx, "a", "new") })
				}()
				w.eventually("COMMIT does not wait", w.held)
				if ended {
					cancel()
				}
				if name == "postgres" && ended {
					if err := <-done; err == nil {
						t.Error("a COMMIT that was given up has no error")
					}
					release()
				} else {
					release()
					w.ok(<-done)
				}
				cancel()
				w.idle()
				for range 20 {
					// The COMMIT may take effect between two of these.
					before, got, after := w.inDatabase("a"), title(w.M, "a"), w.inDatabase("a")
					if got != before && got != after {
						t.Errorf("read %q, and the database has %q", got, after)
					}
				}
				w.eventually("the row is not cached again", func() bool {
					before := w.RT.Stats().CacheStatements
					return title(w.M, "a") == w.inDatabase("a") && w.RT.Stats().CacheStatements == before
				})
			}
		})
	}
}

// holdCommit makes the database wait at every COMMIT of a change of croupons until release.
func (w *world) holdCommit() (release func()) {
	w.Helper()
	other := w.database.Open(w, nil)
	if w.database.Name == "mysql" {
		pool, err := other.DB()
		w.ok(err)
		conn, err := pool.Conn(ctx)
		w.ok(err)
		_, err = conn.ExecContext(ctx, "BACKUP STAGE START")
		w.ok(err)
		_, err = conn.ExecContext(ctx, "BACKUP STAGE BLOCK_COMMIT")
		w.ok(err)
		return func() {
			_, err := conn.ExecContext(ctx, "BACKUP STAGE END")
			w.ok(errors.Join(err, conn.Close()))
		}
	}
	for _, statement := range []string{
		`CREATE FUNCTION wait() RETURNS trigger AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$ LANGUAGE plpgsql`,
		`CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON croupons DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()`,
	} {
		w.ok(other.Exec(statement).Error)
	}
	lock := other.Begin()
	w.ok(lock.Exec(`SELECT pg_advisory_xact_lock(42)`).Error)
	return func() { w.ok(lock.Commit().Error) }
}

// held reports whether a COMMIT waits.
func (w *world) held() bool {
	query := "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'COMMIT%' AND state LIKE 'Waiting%' AND db = DATABASE()"
	if w.database.Name == "postgres" {
		query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
	}
	var n int64
	w.ok(w.DB.Raw(query).Row().Scan(&n))
	return n > 0
}
