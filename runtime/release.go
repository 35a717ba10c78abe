package cacheruntime

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cespare/xxhash/v2"
	"gorm.io/gorm/schema"
)

// Programs with different tags on one table flush different lists. A list is cached only while every live
// program flushes it, and a program that others may not know of yet flushes the table's `all` list with every
// write; which of the two holds is the store's to say. See docs/releases.md.

// release is this program's part in the registry of one table. It is registered when a list is first read
// or the table first written, so that by then every NewModels has told of its models.
type release struct {
	rt    *Runtime
	table string // in the database

	mu sync.Mutex // one registers at a time
	// registered is written under mu, by registration and when models are added to the table, and read by every read
	// of a list and every write.
	registered atomic.Pointer[flushlist.Registration]
}

// release returns the part of a table.
func (r *registry) release(rt *Runtime, table string) *release {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.releases == nil {
		r.releases = map[string]*release{}
	}
	if r.releases[table] == nil {
		r.releases[table] = &release{rt: rt, table: table}
	}
	return r.releases[table]
}

// anew has the table registered again, since its models have changed.
func (r *release) anew() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.registered.Store(nil)
}

// registration returns what the store says; nil while it is not known which lists the program flushes.
func (r *release) registration() flushlist.Registration {
	if reg := r.registered.Load(); reg != nil {
		return *reg
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if reg := r.registered.Load(); reg != nil {
		return *reg
	}
	var ids []uint64
	models := r.rt.registry.of(r.table)
	for _, m := range models {
		of, ok := m.identities()
		if !ok {
			return nil // undecided: reads go to the database, and writes flush `all`
		}
		ids = append(ids, of...)
	}
	if len(models) == 0 {
		return nil
	}
	// No caller's context: the others who wait have their own, and the store waits for no server longer than its time-out.
	reg := r.rt.store.Register(context.Background(), models[0].all(""), ids)
	r.registered.Store(&reg)
	return reg
}

// registered reports whether every live program flushes the accessor's lists, and says under which term its
// entries lie. Else the read goes to the database.
func (ix *index) registered(ctx context.Context, c *call) bool {
	if reg := ix.t.release.registration(); reg != nil {
		if term, ok := reg.Flushed(ix.identity); ok {
			c.term = term
			return true
		}
	}
	c.observed(ctx, ix.accessor, "", flushlist.Unregistered, false)
	return false
}

// standing is what a write goes by: that everybody knows of the lists of a table, whose `all` list is here.
type standing struct {
	reg  flushlist.Registration
	then uint64
	all  flushlist.List
}

// stands returns what falls with a write: with lists of a table of which some program may not know, its `all` list. The
// standings are those of the others.
func stands(falls []fall) (_ []fall, by []standing) {
	seen := map[uint64]bool{} // by `all` list: confirmed
	for _, f := range falls {
		if f.release == nil || f.list.All {
			continue
		}
		if _, known := seen[f.all.ID]; known {
			continue
		}
		var then uint64
		reg := f.release.registration()
		if reg != nil {
			then = reg.Confirmed()
		}
		if seen[f.all.ID] = then != 0; then != 0 {
			by = append(by, standing{reg, then, f.all})
		}
	}
	for _, f := range falls {
		if confirmed, known := seen[f.all.ID]; known && !confirmed {
			seen[f.all.ID] = true
			falls = append(falls[:len(falls):len(falls)], fall{list: f.all, all: f.all, columns: f.columns, reason: unconfirmed})
		}
	}
	return falls, by
}

// finish ends a write that was committed. Where meanwhile the registration has lapsed, as that of a process that was
// paused, others may have begun to go by lists that the write did not flush:
//
//  1. this process: is confirmed, leaves tokens on its own lists, is paused before its COMMIT
//  2. another one: takes it for ended; loads a list that only itself knows, and stores it
//  3. this process: goes on, commits
//  4. without a flush of `all`, that list stays as it was
func (rt *Runtime) finish(ctx context.Context, intent flushlist.Intent, f flush) {
	intent.Finish(ctx)
	if again, late := rt.lapsed(ctx, f); again != nil {
		again.Finish(ctx)
		rt.flushed(ctx, late)
	}
}

// leave ends a write of which it is not known whether it was committed, with the same second look.
func (rt *Runtime) leave(ctx context.Context, intent flushlist.Intent, f flush) {
	intent.Leave()
	if again, late := rt.lapsed(ctx, f); again != nil {
		again.Leave()
		rt.flushed(ctx, late)
	}
}

// lapsed begins the flush of the tables whose registration has lapsed since a write went by it; nil where none has.
func (rt *Runtime) lapsed(ctx context.Context, f flush) (flushlist.Intent, flush) {
	late := flush{columns: f.columns, reason: unconfirmed}
	for _, s := range f.by {
		if s.reg.Confirmed() != s.then {
			late.lists = append(late.lists, s.all)
		}
	}
	if len(late.lists) == 0 {
		return nil, late
	}
	again, err := rt.store.Prepare(ctx, late.lists, Available) // the write was sent: nothing is refused any more
	if err != nil {
		rt.report(fmt.Errorf("cachegen: a write that took longer than its registration is good for could not flush the tables %v: %w", namesOf(late.lists), err))
		return nil, late
	}
	return again, late
}

// identities are those of the model's accessors; ok is false while it is not known how their lists are named.
func (t *Table) identities() (ids []uint64, ok bool) {
	if t.undecided.is.Load() {
		t.askBehind()
		return nil, false
	}
	for _, ix := range t.judging.Load().indexes {
		if ix.identity == 0 { // once: readers look at it
			ix.identity = ix.identify()
		}
		ids = append(ids, ix.identity)
	}
	if t.spec.Query {
		ids = append(ids, tableIdentity)
	}
	return ids, true
}

// part is the release of the model's table.
func (t *Table) part() *release { return t.release }

// identityLayout changes when the same definition comes to name other lists, or to flush them at other times.
const identityLayout = 1

// identify hashes everything that decides which of the accessor's lists fall with a write, and by which names. Two programs
// with one identity flush each other's; what an entry holds is not in it, since the entry's key has that.
func (ix *index) identify() uint64 {
	t := ix.t
	var b strings.Builder
	fmt.Fprintf(&b, "%d %q", identityLayout, ix.spec.Name)
	column := func(what string, f *schema.Field) {
		fmt.Fprintf(&b, "\n%s %q %d", what, f.DBName, kindOf(f))
	}
	for i, f := range ix.by {
		column("by", f)
		if ix.keys.columns != nil {
			b.WriteString(ix.keys.columns[i].text())
		} else {
			b.WriteString(comparison{}.text())
		}
	}
	for _, term := range ix.spec.Where {
		column("where", t.fields[term.Field])
		fmt.Fprintf(&b, " %s %#v %v", term.Op, term.Values, ix.doubtful)
	}
	for _, o := range ix.spec.Order {
		column("order", t.fields[o.Field])
	}
	for _, f := range t.schema.Fields {
		if f.DBName != "" && isSoftDelete(f) {
			column("deleted", f)
			fmt.Fprintf(&b, " %s %v", f.FieldType, t.spec.Deleted != nil)
		}
	}
	return xxhash.Sum64String(b.String())
}

// text is the comparison as it stands in an identity.
func (c comparison) text() string {
	zone := ""
	if c.zone != nil {
		zone = c.zone.String()
	}
	return fmt.Sprintf(" %d %v %q %v %v %d", c.as, c.folding, zone, c.micros, c.words, c.only)
}

// ofRelease says of falls which release's they are.
func ofRelease(r *release, falls []fall) []fall {
	for i := range falls {
		falls[i].release = r
	}
	return falls
}
