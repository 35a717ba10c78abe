package transactions_test

import (
	"database/sql"
	"errors"
	"runtime"
	"testing"

	"github.com/cachegen/cachegen/generated_test/shop"
	"gorm.io/gorm"
)

var errNo = errors.New("no")

// scene is one case: what a program does, and what has fallen at its end.
type scene struct {
	name    string // the behaviours that it shows, and what is done
	run     func(w *world)
	flushed string            // rows whose lists fell
	titles  map[string]string // of the rows that are not "old" at the end
}

// play runs scenes, one after the other in one world. At each one's end the cache and the database agree, no token is
// left in any cell, and no connection in use.
func play(t *testing.T, w *world, scenes []scene) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			w.TB = t
			w.deal()
			s.run(w)
			w.flushed(s.flushed)
			for _, name := range names {
				want := s.titles[string(name)]
				if want == "" {
					want = "old"
				}
				w.reads("at the end", w.M, string(name), want)
			}
			w.cached()
			w.idle()
			w.flushed("")
			if faults := w.heard.reported(); len(faults) > 0 {
				t.Errorf("reported: %v", faults)
			}
		})
	}
}

// behaviours 52, 53, 54, 56, 57: what is written is read inside by WithTx, outside after the COMMIT, and never after a
// rollback.
func TestEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) { play(t, w, ends) })
}

// saves writes the row a, and reads it inside and outside.
func saves(w *world, tx *gorm.DB) error {
	if err := update(tx, "a", "new"); err != nil {
		return err
	}
	w.reads("inside", w.M.WithTx(tx), "a", "new")
	w.reads("outside", w.M, "a", "old")
	w.flushed("")
	return nil
}

var aIsNew = map[string]string{"a": "new"}

var ends = []scene{
	{name: "52, 53: db.Transaction", flushed: "a", titles: aIsNew, run: func(w *world) {
		w.ok(w.db.Transaction(func(tx *gorm.DB) error { return saves(w, tx) }))
	}},
	{name: "54: an error", run: func(w *world) {
		err := w.db.Transaction(func(tx *gorm.DB) error { return errors.Join(saves(w, tx), errNo) })
		if !errors.Is(err, errNo) {
			w.Error(err)
		}
	}},
	{name: "56: Begin and Commit", flushed: "ab", titles: map[string]string{"a": "new", "b": "newer"}, run: func(w *world) {
		tx := w.db.Begin()
		w.ok(saves(w, tx))
		w.ok(update(tx, "b", "new"))
		w.ok(update(tx, "b", "newer"))
		w.ok(tx.Commit().Error)
	}},
	{name: "56: Begin and Rollback", run: func(w *world) {
		tx := w.db.Begin()
		w.ok(saves(w, tx))
		w.ok(tx.Rollback().Error)
	}},
	{name: "56: a panic", run: func(w *world) {
		panics(w, "the program's", func() {
			_ = w.db.Transaction(func(tx *gorm.DB) error { w.ok(saves(w, tx)); panic("the program's") })
		})
	}},
	{name: "56: the goroutine ends", run: func(w *world) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = w.db.Transaction(func(tx *gorm.DB) error { w.ok(saves(w, tx)); runtime.Goexit(); return nil })
		}()
		<-done
	}},
	{name: "56: Commit after Rollback, Rollback after Commit, and writes after both", flushed: "b", titles: map[string]string{"b": "newer"}, run: func(w *world) {
		tx := w.db.Begin()
		w.ok(saves(w, tx))
		w.ok(tx.Rollback().Error)
		done(w, "Commit after Rollback", tx.Commit().Error)
		tx = w.db.Begin()
		w.ok(update(tx, "b", "new"))
		w.ok(tx.Commit().Error)
		w.flushed("b")
		done(w, "Commit after Commit", tx.Commit().Error)
		tx = w.db.Begin()
		w.ok(update(tx, "b", "newer"))
		w.ok(tx.Commit().Error)
		done(w, "Rollback after Commit", tx.Rollback().Error)
		tx = w.db.Begin()
		w.ok(tx.Commit().Error)
		done(w, "a write", update(tx, "c", "lost"))
		done(w, "a delete", tx.Delete(&shop.Croupon{ID: id("c")}).Error)
		done(w, "SQL text", tx.Exec("UPDATE croupons SET title = 'lost'").Error)
		if _, err := w.M.WithTx(tx).Croupon.Cache.Get(ctx, id("c")); err == nil {
			w.Error("a transaction is read that has ended")
		}
	}},
	{name: "57: nothing is written, and nothing filled", run: func(w *world) {
		w.ok(w.RT.FlushTable(ctx, "croupons"))
		w.heard.take()
		w.ok(w.db.Transaction(func(tx *gorm.DB) error {
			m := w.M.WithTx(tx).Croupon.Cache
			_, err := m.GetMany(ctx, 1, 2)
			_, err2 := m.ListByCity(ctx, "Portland")
			_, err3 := m.GetBySlug(ctx, "a")
			n, err4 := m.CountByCity(ctx, "Portland")
			if n != int64(len(names)) {
				w.Errorf("counted %d", n)
			}
			return errors.Join(err, err2, err3, err4)
		}))
		before := w.RT.Stats().CacheStatements
		w.reads("outside", w.M, "a", "old")
		if n := w.RT.Stats().CacheStatements - before; n != 1 {
			w.Errorf("%d statements for a row that only a transaction has read, not 1", n)
		}
	}},
}

// panics runs f, which must panic with want.
func panics(w *world, want any, f func()) {
	w.Helper()
	defer func() {
		w.Helper()
		if got := recover(); got != want {
			w.Errorf("the panic is %v, not %v", got, want)
		}
	}()
	f()
}

// done expects the error of a transaction that has ended.
func done(w *world, what string, err error) {
	w.Helper()
	if !errors.Is(err, sql.ErrTxDone) {
		w.Errorf("%s: %v", what, err)
	}
}
