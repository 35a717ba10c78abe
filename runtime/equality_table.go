package cacheruntime

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm/schema"
)

// undecided says of a Table that the database has not yet told how its columns compare: the table was not
// there when NewModels ran, or the read failed. Until it tells, lists have no names that could be trusted:
// reads go to the database, and writes flush `all`.
type undecided struct {
	is    atomic.Bool // reads and writes look at it; keys.columns are set before it becomes false
	mu    sync.Mutex
	asked time.Time // when the database was last asked; written and read under mu
}

// askAgain is how long the database is left alone after it has not told.
const askAgain = time.Second

// begin is Runtime.begin of one of the table's accessors.
func (t *Table) begin(ctx context.Context, src Source, accessor string) (call, error) {
	c, err := t.rt.begin(ctx, src, accessor)
	if err == nil && t.undecided.is.Load() && !c.database && !t.decided(ctx) {
		c.bypassed(ctx, accessor)
	}
	return c, err
}

// decided asks the database once more how the table's columns compare, unless somebody just has or is asking:
// nobody waits for another's question, and who asks has his own deadline.
func (t *Table) decided(ctx context.Context) bool {
	u := &t.undecided
	if !u.mu.TryLock() {
		return !u.is.Load()
	}
	defer u.mu.Unlock()
	if !u.is.Load() {
		return true
	}
	if time.Since(u.asked) < askAgain {
		return false
	}
	u.asked = time.Now()
	if err := t.compare(ctx); err != nil {
		return false
	}
	u.is.Store(false)
	return true
}

// askBehind has the database asked, by then, behind one who cannot wait for it: a write, whose own transaction may hold the only
// connection, or a query, which reads other tables, too.
func (t *Table) askBehind() {
	u := &t.undecided
	if !u.mu.TryLock() {
		return // somebody asks
	}
	soon := time.Since(u.asked) < askAgain
	u.mu.Unlock() // decided takes it
	if soon {
		return
	}
	t.rt.chores.begin(func(ctx context.Context) {
		ctx, cancel := t.rt.within(ctx)
		defer cancel()
		t.decided(ctx)
	})
}

// decide asks the database how the table's columns compare, for the first time.
func (t *Table) decide() {
	t.undecided.asked = time.Now()
	if err := t.compare(context.Background()); err != nil {
		t.undecided.is.Store(true)
		t.rt.report(fmt.Errorf("cachegen: %s: how the columns of table %s compare cannot be read: %w: until it can, its reads go to the database "+
			"and its writes flush the whole table: migrate before NewModels", t.spec.Model, t.schema.Table, err))
	}
}

// compare asks the database how the columns compare whose values name lists, and sets the keys' columns.
func (t *Table) compare(ctx context.Context) error {
	ctx, cancel := t.rt.within(ctx)
	defer cancel()
	var columns []*schema.Field
	need := func(f *schema.Field) {
		if !slices.Contains(columns, f) {
			columns = append(columns, f)
		}
	}
	for _, f := range t.primary {
		need(f)
	}
	indexes := t.judging.Load().indexes
	for _, ix := range indexes {
		for _, f := range ix.by {
			need(f)
		}
		for _, f := range ix.terms() {
			need(f)
		}
	}
	compared, err := t.rt.compare(ctx, t.schema.Table, columns)
	if err != nil {
		return err
	}
	t.keys.columns = comparisons(compared, t.primary)
	for _, ix := range indexes {
		ix.compared(compared)
	}
	return nil
}

// comparisons are those of columns; nil where all are the usual one.
func comparisons(compared map[*schema.Field]comparison, fs []*schema.Field) (cs []comparison) {
	usual := true
	for _, f := range fs {
		c := compared[f]
		cs, usual = append(cs, c), usual && c == comparison{}
	}
	if usual {
		return nil
	}
	return cs
}

// compareIndex is compare for an accessor that comes later and has no terms.
func (t *Table) compareIndex(ix *index) error {
	ctx, cancel := t.rt.detach(context.Background())
	defer cancel()
	compared, err := t.rt.compare(ctx, t.schema.Table, ix.by)
	if err == nil {
		ix.compared(compared)
	}
	return err
}

// compared notes how the accessor's columns compare.
func (ix *index) compared(as map[*schema.Field]comparison) {
	ix.keys.columns = comparisons(as, ix.by)
	ix.doubtful = slices.ContainsFunc(ix.terms(), func(f *schema.Field) bool { return as[f].as != asFolded || as[f].only != 0 })
}

// terms are the columns that a where term, or a relation, compares with a literal. Whether one is NULL needs no comparison.
func (ix *index) terms() (fs []*schema.Field) {
	fs = append(fs, ix.by[:ix.fixed]...)
	for _, term := range ix.spec.Where {
		if !strings.HasPrefix(term.Op, "IS ") {
			fs = append(fs, ix.t.fields[term.Field])
		}
	}
	return fs
}

// sameTerms reports whether two states of a row are alike in every column of a where term.
func (ix *index) sameTerms(old, new any) bool {
	a, b := reflect.ValueOf(old).Elem(), reflect.ValueOf(new).Elem()
	for _, term := range ix.spec.Where {
		f := ix.t.fields[term.Field]
		x, _ := f.ValueOf(context.Background(), a)
		y, _ := f.ValueOf(context.Background(), b)
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}
