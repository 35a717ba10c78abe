package cacheruntime

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// The rows that hang on those of a write are read just before it, level by level, each under a lock:
//
//  1. The write's own rows are locked, so that nobody can add a row that refers to them, nor turn one to them.
//  2. Rows that refer to those are read, and locked for the same reason.
//  3. So are those that refer to these, until there are none. A row that was found before, to the same effect, is
//     not followed again: cycles end.
//
// Tables that no model is cached of are walked through where cached ones hang on them.

// hanging are rows of one model that the database deletes or changes by itself.
type hanging struct {
	m     model
	table *refTable
	rows  []*hangingRow
	byID  map[string]*hangingRow
}

type hangingRow struct {
	old     any
	becomes effect
}

// follow reads the rows that hang on those that the write was pinned to.
func (p *plugin) follow(db *gorm.DB, w *write, t *target) {
	if !w.follows() || db.Error != nil {
		return
	}
	c := w.cascade
	if !c.sure {
		return
	}
	if len(t.old) > 0 {
		p.followFrom(db, w, c.tables[0], hereIn(db.Statement, t.m, t.old), c.planned, nil)
	}
	c.followed = db.Error == nil
}

// followFrom follows what refers to the rows of a table that meet a condition, and of which e becomes. path are the
// tables of no model that led here.
func (p *plugin) followFrom(db *gorm.DB, w *write, t *refTable, where clause.Expression, e effect, path []*refTable) {
	e = e.onto(t)
	for _, kin := range t.kin {
		w.cascade.lose(p.rt.hit(kin, e), otherTable)
	}
	for _, r := range t.refs {
		o := e.on(r).onto(r.child)
		models := p.rt.hit(r.child, o)
		if !slices.ContainsFunc(models, func(m model) bool { return !slices.Contains(w.cascade.whole, m) }) {
			continue // none, or they fall as a whole
		}
		if reason := p.step(db, w, r, where, o, path); reason != "" {
			w.cascade.lose(models, reason)
		}
		w.cascade.lose(p.rt.over(r.child.of, []*refTable{r.child}, []string{r.child.Name}), otherTable)
		if db.Error != nil {
			return
		}
	}
}

// lose notes models of which rows are not followed.
func (c *cascade) lose(models []model, reason string) {
	for _, m := range models {
		if !slices.Contains(c.whole, m) {
			c.whole = append(c.whole, m)
			c.reason = also(c.reason, reason)
		}
	}
}

// step reads the rows that refer by r to those that meet a condition, and goes on from there. It returns why they
// cannot be followed; "" where they were, or where db has an error.
func (p *plugin) step(db *gorm.DB, w *write, r *reference, where clause.Expression, e effect, path []*refTable) string {
	var models []model
	for _, m := range p.rt.registry.every() {
		may, sure := r.child.isOf(m, dialectOf(db.Name()), p.rt.opts.Partition != nil)
		if may && !sure {
			return otherTable
		}
		if may {
			models = append(models, m)
		}
	}
	if !r.alike || r.child.blind || slices.Contains(path, r.child) {
		return byReference
	}
	by := referring{r: r, where: where, locks: db.Name() == "mysql"}
	l := lockUpdate
	if e.erased || len(r.child.refs) > 0 {
		l = lockDelete
	}
	if len(models) == 0 {
		n, err := p.lockRows(db, r.child, by, l)
		switch {
		case err != nil && !denied(err) && readError(db, err):
		case err != nil:
			return notRead
		case n > p.rt.opts.BulkRows:
			return overRows
		case n > 0:
			p.followFrom(db, w, r.child, by, e, append(slices.Clone(path), r.child))
		}
		return ""
	}
	var fresh []any
	for i, m := range models {
		if slices.ContainsFunc(m.gormSchema().PrimaryFieldDBNames, func(key string) bool { return hasColumn(e.sets, key) }) {
			return keyChanged
		}
		how := rowsHow{limit: p.rt.opts.BulkRows + 1, lock: l, own: true, more: r.child.own}
		rows, err := p.readMore(db, m, how, by)
		if err != nil {
			if !denied(err) && readError(db, err) {
				return ""
			}
			return notRead
		}
		h := w.cascade.hangingOf(m, r.child)
		rows = h.add(rows, e)
		if len(h.rows) > p.rt.opts.BulkRows {
			return overRows
		}
		if i == 0 {
			fresh = rows
		}
	}
	if len(fresh) > 0 && len(r.child.refs) > 0 {
		p.followFrom(db, w, r.child, hereIn(db.Statement, models[0], fresh), e, nil)
	}
	return ""
}

// denied reports whether MySQL or MariaDB has refused a read for want of a privilege, which leaves the transaction as it is.
// PostgreSQL is not asked for what it would refuse.
func denied(err error) bool {
	var sent *sentError
	if !errors.As(err, &sent) {
		return false
	}
	for e := sent.err; e != nil; e = errors.Unwrap(e) {
		if n, ok := mysqlNumber(e); ok {
			return n == 1142 || n == 1143 || n == 1044 // on a table, a column, a database
		}
	}
	return false
}

func (c *cascade) hangingOf(m model, t *refTable) *hanging {
	for _, h := range c.rows {
		if h.m == m {
			return h
		}
	}
	h := &hanging{m: m, table: t, byID: map[string]*hangingRow{}}
	c.rows = append(c.rows, h)
	return h
}

// add adds rows of which e becomes, and returns those of which that is news.
func (h *hanging) add(rows []any, e effect) (fresh []any) {
	for _, row := range rows {
		id := h.m.identity(row)
		known := h.byID[id]
		switch {
		case known == nil:
			known = &hangingRow{old: row}
			h.byID[id] = known
			h.rows = append(h.rows, known)
		case known.becomes.covers(e):
			continue
		}
		known.becomes = known.becomes.with(e)
		fresh = append(fresh, row)
	}
	return fresh
}

// judgeHanging names the lists of rows that hung on those of the write. Those that were not deleted are read again: a column
// may have been set to what it was.
func (p *plugin) judgeHanging(db *gorm.DB, w *write, h *hanging) []fall {
	hv := &harvest{rt: p.rt, m: h.m, part: w.part}
	name := h.m.gormSchema().Table
	var left []any
	var columns []string
	for _, row := range h.rows {
		if row.becomes.erased {
			columns = union(columns, []string{name + ".*"})
		}
		for _, c := range row.becomes.sets {
			columns = union(columns, []string{name + "." + c})
		}
		if len(row.becomes.sets) > 0 {
			left = append(left, row.old)
		}
	}
	now := map[string]any{}
	if len(left) > 0 {
		rows, err := p.readMore(db, h.m, rowsHow{own: true, more: h.table.own}, keysOf(db.Statement, h.m, left))
		if err != nil {
			readError(db, err)
			hv.over = notRead
		}
		for _, row := range rows {
			now[h.m.identity(row)] = row
		}
	}
	for _, row := range h.rows {
		new := now[h.m.identity(row.old)]
		if new == nil || !reflect.DeepEqual(moreOf(row.old), moreOf(new)) {
			hv.change(row.old, new)
		}
	}
	falls := hv.falls()
	for i := range falls {
		falls[i].columns = columns
	}
	return falls
}

func moreOf(row any) []any { return row.(*judgedRow).more }

// referring finds the rows that refer to those that meet a condition.
type referring struct {
	r     *reference
	where clause.Expression // on columns of the parent, without its name
	locks bool              // where the parent's rows are not locked, they are read as they were when the transaction began
}

// Build writes the condition.
func (e referring) Build(b clause.Builder) {
	list := func(columns []string) {
		for i, c := range columns {
			if i > 0 {
				_ = b.WriteByte(',')
			}
			b.WriteQuoted(clause.Column{Name: c})
		}
	}
	if len(e.r.columns) > 1 {
		_ = b.WriteByte('(')
		list(e.r.columns)
		_ = b.WriteByte(')')
	} else {
		list(e.r.columns)
	}
	_, _ = b.WriteString(" IN (SELECT ")
	list(e.r.keys)
	_, _ = b.WriteString(" FROM ")
	b.WriteQuoted(e.r.parent.clause())
	_, _ = b.WriteString(" WHERE ")
	e.where.Build(b)
	if e.locks {
		_, _ = b.WriteString(" FOR UPDATE")
	}
	_ = b.WriteByte(')')
}

// clause is the table as a statement names it.
func (t *refTable) clause() clause.Table {
	if t.here {
		return clause.Table{Name: t.Name}
	}
	return clause.Table{Name: t.Schema + "." + t.Name}
}

// lockRows locks the rows of a table of no model that meet a condition, as many as are followed and one more, and returns
// how many there are.
func (p *plugin) lockRows(db *gorm.DB, t *refTable, where clause.Expression, l lock) (n int, err error) {
	tx := p.statement(db)
	st := tx.Statement
	clause.Expr{SQL: "SELECT 1 FROM ? WHERE ? LIMIT ?", Vars: []any{t.clause(), where, p.rt.opts.BulkRows + 1}}.Build(st)
	if s := l.on(db); s != noLock {
		st.SQL.WriteString(" FOR " + string(s))
	}
	if err := plainValues(st.Vars); err != nil {
		return 0, err
	}
	begin := time.Now()
	defer func() { told(tx, begin, int64(n), err) }()
	rows, err := st.ConnPool.QueryContext(st.Context, st.SQL.String(), st.Vars...)
	if err != nil {
		return 0, &sentError{err}
	}
	for rows.Next() {
		n++
	}
	closed := rows.Close()
	if sent := cmp.Or(rows.Err(), closed); sent != nil {
		return n, &sentError{sent}
	}
	return n, nil
}
