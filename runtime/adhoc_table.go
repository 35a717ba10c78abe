package cacheruntime

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/sqltext"
	"github.com/cespare/xxhash/v2"
)

// A table one of whose models is tagged query has one more flush list, its `table` list, which falls with every
// write of the table. The result of a query hangs on those of all the tables that it reads.
//
// An entry has one list of its own. The others it has by its key, in which the stamps of their lists stand: the entry
// that is looked up is that of the lists' present state, and once one of them has fallen nobody finds it any more. What the
// stamps are is read before the entry is looked up, and so before anything is loaded that is stored under them:
//
//  1. R reads the stamps of b: s. It looks up the query's entry under s, on the list of a: absent.
//  2. W writes b: intents, COMMIT, a new stamp t.
//  3. R loads, sees W's write or not, and stores the entry under s.
//  4. Whoever reads the stamps of b now finds t, and looks up another entry.

// queriedTable is a table with a `table` list. It is made by Register and not changed after it.
type queriedTable struct {
	release *release
	names   tableNames
	all     keys          // for the `all` list alone
	layouts string        // what its models look like, since rows of an older one would lack columns; and the driver that reads them
	print   string        // the same, in short
	ttl     time.Duration // of its models' tags, the shortest
}

// tableIdentity is that of every `table` list among the identities of a table's accessors.
var tableIdentity = xxhash.Sum64String("table list 1")

// tableListOf is the `table` list beside an `all` list.
func tableListOf(all flushlist.List) flushlist.List {
	name := all.Name + ".table()"
	return flushlist.List{Name: name, ID: xxhash.Sum64String(name)}
}

// queried knows the tables with a `table` list. It is safe for concurrent use.
type queried struct {
	mu     sync.RWMutex
	tables map[string]*queriedTable // by the database's name
}

// add gives the model's table a `table` list.
func (q *queried) add(t *Table, layout string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.tables == nil {
		q.tables = map[string]*queriedTable{}
	}
	if db, err := t.rt.db.DB(); err == nil {
		layout += fmt.Sprintf("\n%T", db.Driver())
	}
	of := &queriedTable{release: t.release, names: t.names, all: t.keys, layouts: layout, ttl: t.spec.TTL}
	if old := q.tables[t.schema.Table]; old != nil {
		if of.layouts = old.layouts; !strings.Contains(of.layouts, layout) {
			of.layouts += "\n" + layout
		}
		of.ttl = shorter(old.ttl, of.ttl, t.rt.opts.TTL)
	}
	of.print = fingerprint(of.layouts)
	q.tables[t.schema.Table] = of
}

// shorter returns the shorter of two ttls as tags say them, where 0 is the default and Forever has no end.
func shorter(a, b, usual time.Duration) time.Duration {
	if a, b = cmp.Or(a, usual), cmp.Or(b, usual); a < 0 || b > 0 && b < a {
		return b
	}
	return a
}

func (q *queried) of(table string) *queriedTable {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return q.tables[table]
}

// with returns what falls with a write: beside lists of tables with a `table` list, that one.
func (q *queried) with(falls []fall) []fall {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if len(q.tables) == 0 {
		return falls
	}
	var seen []uint64
	for _, f := range falls {
		if f.release == nil || f.list.All || q.tables[f.release.table] == nil || slices.Contains(seen, f.all.ID) {
			continue
		}
		seen = append(seen, f.all.ID)
		falls = append(falls[:len(falls):len(falls)], fall{list: tableListOf(f.all), all: f.all, columns: f.columns, release: f.release})
	}
	return falls
}

// under is what the tables of a query are at: the address of its entry hangs on it.
type under struct {
	ref   flushlist.Ref
	term  uint64
	state []byte // the terms and stamps of the others
}

// stand finds the terms and stamps of tables. Where it returns another outcome than NoEntry, nothing can be looked up
// or stored now.
func (c *call) stand(ctx context.Context, tables []*queriedTable) (u under, o flushlist.Outcome) {
	var refs []flushlist.Ref
	var at []int
	for i, t := range tables {
		reg := t.release.registration()
		if reg == nil {
			return u, flushlist.Unregistered
		}
		term, ok := reg.Flushed(tableIdentity)
		if !ok {
			return u, flushlist.Unregistered
		}
		all := t.all.allIn(c.part)
		list := tableListOf(all)
		if i == 0 {
			u.term, u.ref.List, u.ref.All = term, list, all
			continue
		}
		ref := flushlist.Ref{Key: t.key("table", list.ID, c.part, term, nil), List: list, All: all}
		u.state = binary.LittleEndian.AppendUint64(u.state, term)
		at = append(at, len(u.state))
		u.state = append(u.state, make([]byte, stampBytes)...)
		if v, ok := c.firstState(ref); ok {
			copy(u.state[at[len(at)-1]:], v)
			at = at[:len(at)-1]
			continue
		}
		refs = append(refs, ref)
	}
	if len(refs) == 0 {
		return u, flushlist.NoEntry
	}
	var fills []flushlist.Fill
	for i, f := range c.rt.store.Fetch(ctx, refs) {
		if f.Outcome.Hit() && len(f.Value.Payload) == stampBytes {
			copy(u.state[at[i]:], f.Value.Payload)
			continue
		}
		if !f.Ticket.Storable {
			return u, f.Outcome
		}
		stamps := binary.LittleEndian.AppendUint64(nil, uint64(f.Ticket.List))
		stamps = binary.LittleEndian.AppendUint64(stamps, uint64(f.Ticket.All))
		copy(u.state[at[i]:], stamps)
		fills = append(fills, flushlist.Fill{Ref: refs[i], Ticket: f.Ticket, Value: flushlist.Value{Payload: stamps}, TTL: c.rt.ttl(0, false)})
	}
	if len(fills) > 0 {
		c.rt.store.Fill(ctx, fills)
	}
	return u, flushlist.NoEntry
}

// stampBytes is the length of the entry that says the stamps of a `table` list and of its `all` list. It hangs on those
// two, so that it is served while they are as it says.
const stampBytes = 16

func (c *call) firstState(ref flushlist.Ref) ([]byte, bool) {
	if c.fresh || c.refresh {
		return nil, false
	}
	v, hit := c.rt.store.First(ref.Key, ref.List.ID, ref.All.ID)
	return v.Payload, hit && len(v.Payload) == stampBytes
}

// key is the key of an entry beside the table's list: what it is, and a digest of what tells it from others.
func (t *queriedTable) key(what string, list uint64, p partition, term uint64, text []byte) string {
	b := appendRoute(make([]byte, 0, maxKey), list)
	b = append(b, t.names.entryPrefix...)
	b = append(b, t.names.table...)
	b = append(b, ':')
	b = append(append(b, what...), ':')
	if term != 0 {
		b = append(appendRoute(b, term), ':')
	}
	if p != "" {
		b = append(p.append(b), ':')
	}
	if text != nil {
		b = appendDigest(b, text)
	}
	return string(b)
}

// resolve finds the tables of a query's text. It returns why its result cannot be kept, and what to do about it; "" where
// it can.
func (q *queried) resolve(rt *Runtime, s *sqltext.Query, more []string, vouched bool, d sqltext.Dialect) (tables []*queriedTable, problem string) {
	add := func(name string) bool {
		t := q.of(name)
		if t != nil && !slices.Contains(tables, t) {
			tables = append(tables, t)
		}
		return t != nil
	}
	for _, t := range s.Tables {
		name, ok := rt.registry.exactly(t, d)
		switch {
		case !ok && !vouched:
			return nil, fmt.Sprintf("it reads %s, which is the table of no model here: call NewModels of the package that has it, "+
				"or name the tables behind it with cacheruntime.DependsOn", t)
		case ok && !add(name):
			return nil, untagged(name)
		}
	}
	for _, name := range more {
		if len(rt.registry.of(name)) == 0 {
			return nil, fmt.Sprintf("DependsOn names %s, which is the table of no model here: call NewModels of the package that has it", name)
		}
		if !add(name) {
			return nil, untagged(name)
		}
	}
	if s.Unclear != "" && !vouched {
		return nil, s.Unclear + ": name what it reads with cacheruntime.DependsOn"
	}
	if len(tables) == 0 {
		return nil, "it reads no table of a model"
	}
	slices.SortFunc(tables, func(a, b *queriedTable) int { return strings.Compare(a.names.table, b.names.table) })
	return tables, ""
}

func untagged(table string) string {
	return fmt.Sprintf("it reads %s, whose model is not tagged query: write `cache:\"model;query\"` there and run go generate", table)
}

// exactly finds the table of a model that a name in SQL text is, and no other in another schema.
func (r *registry) exactly(t sqltext.Table, d sqltext.Dialect) (table string, ok bool) {
	for _, m := range r.every() {
		table := m.gormSchema().Table
		n := sqltext.TableNamed(table)
		if n.Schema == t.Schema && n.Name == t.Name {
			return table, true
		}
		if d == sqltext.SQLite && strings.EqualFold(n.Schema, t.Schema) && strings.EqualFold(n.Name, t.Name) {
			return table, true
		}
	}
	return "", false
}
