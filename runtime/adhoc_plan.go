package cacheruntime

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/cachegen/cachegen/internal/sqltext"
)

// Bounds of what is kept.
const (
	maxStatement = 64 << 10   // bytes of text and values
	maxResult    = 1000 << 10 // bytes; memcached's items end at 1 MiB, if nobody has told it otherwise
)

// adhocPlan is how a statement's result is kept.
type adhocPlan struct {
	statement []byte // its text and its values, each with its type
	args      []any  // to be sent by a load, which may go on when the caller has changed what they point to
	tables    []*queriedTable
	ttl       time.Duration
}

// plan returns how the result of a statement is kept, or why it is not, and whether that can be mended.
func (p *adhocPool) plan(text string, args []any) (q adhocPlan, problem string, mendable bool) {
	a, d := p.a, dialectOf(p.st.Name())
	if _, primary := p.st.Settings.Load(resolverWrite); !primary { // no Partition makes a replica current
		return q, "a callback or a clause sends it to a replica", true
	}
	using, resolved := p.st.Clauses["gorm:db_resolver:using"]
	if (resolved || !p.ours) && !a.rt.guards.trusted {
		return q, "a callback or a clause sends it to another database", true
	}
	s := a.rt.plans.of(text, d)
	if s.Refused != "" {
		return q, s.Refused, false
	}
	if q.statement, q.args, problem = bound(text, args, d); problem != "" {
		return q, problem, false
	}
	if resolved { // by a clause, perhaps, of which the partition knows nothing
		q.statement = AppendText(q.statement, fmt.Sprint(using.Expression))
	}
	var more []string
	v, _ := p.st.Settings.Load(dependsKey)
	on, _ := v.(*depends)
	vouched := on != nil && on.stmt == p.st // a preload's statement has a copy
	if vouched {
		more = on.tables
	}
	if q.tables, problem = a.rt.queried.resolve(a.rt, s, more, vouched, d); problem != "" {
		return q, problem, true
	}
	q.ttl = Forever
	for _, t := range q.tables {
		q.ttl = shorter(q.ttl, t.ttl, a.rt.opts.TTL)
	}
	return q, "", false
}

// told is all that tells the statement's entry from others: the statement, the tables, what their models look like, and
// what they are at.
func (q *adhocPlan) told(state []byte) []byte {
	b := bytes.Clone(q.statement)
	for _, t := range q.tables {
		b = AppendText(AppendText(b, t.names.table), t.print)
	}
	return append(binary.AppendUvarint(b, resultLayout), state...)
}

// resultLayout changes when the bytes of results do.
const resultLayout = 1

// bound writes down a statement and what is bound to it: two statements are one where their texts and the types and values
// of all arguments are. It returns why the result depends on more than that.
func bound(text string, args []any, d sqltext.Dialect) (b []byte, own []any, problem string) {
	b = AppendText(make([]byte, 0, len(text)+16*len(args)+16), text)
	own = args
	for i, arg := range args {
		b = AppendText(b, fmt.Sprintf("%T", arg))
		dv, err := driverValue(arg)
		if err != nil {
			return nil, nil, fmt.Sprintf("argument %d is of a type that only the driver knows: %v", i+1, err)
		}
		b = appendDriverValue(b, dv)
		switch v := dv.(type) {
		case string:
			if sqltext.StandsForPresent(v, d) {
				return nil, nil, fmt.Sprintf("the text %q may stand for the present", v)
			}
		case []byte:
			if sqltext.StandsForPresent(string(v), d) {
				return nil, nil, fmt.Sprintf("the text %q may stand for the present", v)
			}
		}
		if len(b) > maxStatement {
			return nil, nil, "its text and values are too long"
		}
		if copied, changes := ownArg(arg, dv); changes {
			if &own[0] == &args[0] {
				own = slices.Clone(args)
			}
			own[i] = copied
		}
	}
	return b, own, ""
}
