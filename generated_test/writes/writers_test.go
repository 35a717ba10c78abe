package writes_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"gorm.io/gorm"
)

// manyWriters has 8 writers write rows of their own at once, which none of them may be refused.
func manyWriters(w *world, writes int) {
	w.t.Helper()
	const writers = 8
	for i := range writers {
		w.seed(&Croupon{ID: uint64(i + 1), Slug: fmt.Sprint("s", i), City: "portland", Active: true}, &Merchant{ID: uint64(i + 1)})
	}
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := range writes {
				if err := w.writeOwn(i, n); err != nil {
					w.t.Errorf("writer %d, write %d: %v", i, n, err)
					return
				}
			}
		})
	}
	wg.Wait()
	var sum, rows int64
	w.db.Model(&Croupon{}).Select("sum(popularity)").Scan(&sum)
	w.db.Model(&Croupon{}).Count(&rows)
	if want := writers * int64(writes/4); sum != want || rows != writers {
		w.t.Errorf("%d increments of %d rows, not %d of %d", sum, rows, want, writers)
	}
}

// writeOwn is the write of a number by a writer.
func (w *world) writeOwn(writer, n int) error {
	c := Croupon{ID: uint64(writer + 1)}
	kind := n % 4
	if w.d.Name == "mysql" && kind == 2 {
		kind = 0 // InnoDB also locks what is between rows: there, rows that come and go may meet, without the plugin too
	}
	switch kind {
	case 0: // read before, read after
		return w.db.Model(&c).Update("city", fmt.Sprint("c", n)).Error
	case 1:
		return w.db.Model(&Croupon{}).Where("slug = ?", fmt.Sprint("s", writer)).Update("popularity", gorm.Expr("popularity + 1")).Error
	case 2: // a row that comes and goes
		made := Croupon{Slug: fmt.Sprint("made by ", writer, " as ", n), City: "portland"}
		return errors.Join(w.db.Create(&made).Error, w.db.Delete(&made).Error)
	}
	return w.db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&Merchant{ID: c.ID}).Update("name", fmt.Sprint(n)).Error; err != nil {
			return err
		}
		return tx.Model(&c).Update("active", n%8 == 0).Error
	})
}

// behaviour 100, on the others too: the locks that the plugin takes are the write's own, so that writers of different rows
// are not refused where GORM alone would let them pass.
func TestWriters(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) { manyWriters(w, 24) })
}
