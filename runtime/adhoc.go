package cacheruntime

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Ad-hoc queries. A chain of GORM's is run by GORM itself, callbacks, preloads and hooks and all; where it would ask the
// database, a pool of ours answers from the cache, by the final text of the statement and the values bound to it. So what
// a callback adds is a part of the key, and what comes back is what GORM makes of the driver's values.

// adhocKey is where the statements of a query have it.
const adhocKey = "cachegen:query"

// ErrPartialRow matches the error of a model's Query whose statement does not select all of the model's
// columns: a Save of half a row would overwrite the rest. For projections there is [Query].
var ErrPartialRow = errors.New("cachegen: half a row")

var errOtherChain = errors.New("cachegen: Query: return the *gorm.DB that was given, or what its methods have made of it")

// adhoc is one query on its way through GORM. It is used by one goroutine.
type adhoc struct {
	call
	accessor string   // "Croupon.Query"
	whole    []string // columns that its own statement must bring; nil: any
	dest     any      // what that is read into
	met      bool     // a statement of it has come by
}

// Query returns the rows that a chain of GORM's finds, each with all of its columns. It is for generated code.
func (t *Table) Query(ctx context.Context, src Source, build func(*gorm.DB) *gorm.DB) ([]any, error) {
	into := reflect.New(t.slice)
	c, err := t.adhoc(ctx, src, into.Interface(), build, func(q *gorm.DB, dest any) *gorm.DB { return q.Find(dest) })
	if err != nil {
		return nil, err
	}
	rows := make([]any, into.Elem().Len())
	for i := range rows {
		rows[i] = into.Elem().Index(i).Interface()
	}
	return rows, t.follow(ctx, c, rows)
}

// QueryOne returns the first row that a chain finds, where the primary key ends the order, or an error matching
// gorm.ErrRecordNotFound. It is for generated code.
func (t *Table) QueryOne(ctx context.Context, src Source, build func(*gorm.DB) *gorm.DB) (any, error) {
	row := t.spec.New()
	c, err := t.adhoc(ctx, src, row, build, func(q *gorm.DB, dest any) *gorm.DB { return q.First(dest) })
	if err != nil {
		return nil, err
	}
	return row, t.follow(ctx, c, []any{row})
}

// QueryCount counts the rows that a chain finds. It is for generated code.
func (t *Table) QueryCount(ctx context.Context, src Source, build func(*gorm.DB) *gorm.DB) (count int64, err error) {
	_, err = t.adhoc(ctx, src, nil, build, func(q *gorm.DB, _ any) *gorm.DB { return q.Count(&count) })
	return count, err
}

// adhoc runs a query, and returns the call that what comes with its rows is read within.
func (t *Table) adhoc(ctx context.Context, src Source, dest any, build func(*gorm.DB) *gorm.DB, run func(q *gorm.DB, dest any) *gorm.DB) (call, error) {
	a := &adhoc{accessor: t.spec.Model + ".Query"}
	if dest != nil {
		a.dest, a.whole = dest, t.read
	}
	err := t.rt.adhoc(ctx, src, a, t.spec.New(), build, func(q *gorm.DB) error { return run(q, dest).Error })
	return a.call, err
}

// Query returns the result of a query, in values of the caller's type: a struct whose fields are the columns
// that the query selects, as in GORM's Scan; a number, a text, a time, or map[string]any. Without an error the
// slice is never nil.
//
//	type cityCount struct { City string; N int64 }
//	counts, err := cacheruntime.Query[cityCount](ctx, rt, func(db *gorm.DB) *gorm.DB {
//		return db.Model(&Croupon{}).Select("city, count(*) AS n").Group("city")
//	})
//
// build gets a *gorm.DB of the database that rt was made for, and returns what it has made of it; Query runs
// it. build is called on the caller's goroutine.
//
// If the models of all tables that the query reads are tagged query, the result is cached until one of those
// tables is written; see docs/queries.md for what is not cached. In a transaction that Options.TxFromContext
// returns, and with [WithBypass], the query goes to the database.
func Query[T any](ctx context.Context, rt *Runtime, build func(db *gorm.DB) *gorm.DB) ([]T, error) {
	out := []T{}
	err := project(ctx, rt, build, func(q *gorm.DB) error { return q.Find(&out).Error })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// QueryOne is [Query] for the first row alone, which it asks for by LIMIT 1; without an Order that can be any
// row. Where there is none, the error matches gorm.ErrRecordNotFound.
func QueryOne[T any](ctx context.Context, rt *Runtime, build func(db *gorm.DB) *gorm.DB) (T, error) {
	var out []T
	err := project(ctx, rt, build, func(q *gorm.DB) error { return q.Limit(1).Find(&out).Error })
	if err == nil && len(out) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return out[0], nil
}

func project(ctx context.Context, rt *Runtime, build func(db *gorm.DB) *gorm.DB, run func(q *gorm.DB) error) error {
	if rt == nil {
		return errors.New("cachegen: Query was given no Runtime: call cacheruntime.New first, and look at its error")
	}
	return rt.adhoc(ctx, Cached(), &adhoc{accessor: "Query"}, nil, build, run)
}

// DependsOn is a scope that says which tables a query reads besides those that its text names: those behind
// its views and functions, and those that inherit from its tables. Each is the name of a table in the
// database, or a pointer to a model. Whatever the text names that is not a model's table is then taken to
// read these tables alone:
//
//	db.Table("popular_croupons").Scopes(cacheruntime.DependsOn("croupons", "reviews"))
//
// It holds for one statement; a Preload takes it as a condition of its own. Without tables it says that
// functions which are not known here read none.
func DependsOn(tables ...any) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		tx := db.Set(dependsKey, nil) // a statement of its own, if db is shared
		on := &depends{stmt: tx.Statement}
		for _, t := range tables {
			name, ok := t.(string)
			if !ok {
				of := &gorm.Statement{DB: tx}
				if err := of.Parse(t); err != nil {
					_ = tx.AddError(fmt.Errorf("cachegen: DependsOn takes names of tables and pointers to models, not a %T: %w", t, err))
					return tx
				}
				name = of.Schema.Table
			}
			on.tables = append(on.tables, name)
		}
		tx.Statement.Settings.Store(dependsKey, on)
		return tx
	}
}

const dependsKey = "cachegen:depends"

type depends struct {
	stmt   *gorm.Statement
	tables []string
}

// adhoc has GORM run a query. model is that of the chain; nil is none.
func (rt *Runtime) adhoc(ctx context.Context, src Source, a *adhoc, model any, build func(*gorm.DB) *gorm.DB, run func(*gorm.DB) error) (err error) {
	if build == nil {
		return errors.New("cachegen: Query was given no function to build the query with")
	}
	if a.call, err = rt.begin(ctx, src, a.accessor); err != nil {
		return err
	}
	db := rt.db
	if a.tx != nil {
		db = a.tx
	}
	q := db.Session(&gorm.Session{NewDB: true, Context: ctx, Logger: hushed{db.Logger}})
	q = q.Set(adhocKey, a)
	if a.cached { // as statement does
		q = onPrimary(q)
	}
	if model != nil {
		q = q.Model(model)
	}
	// A session, so that build may make several chains of it, for subqueries.
	built := build(q.Session(&gorm.Session{}))
	if built == nil || built.Statement == nil {
		return errOtherChain
	}
	if of, _ := built.Get(adhocKey); of != any(a) {
		return errOtherChain
	}
	if err := run(built); err != nil {
		return err
	}
	if !a.met { // a session with NewDB, which has nothing of what was given
		return errOtherChain
	}
	return nil
}

// registerAdhoc registers the callbacks of queries, behind all that look at SQL text.
func (p *plugin) registerAdhoc(db *gorm.DB) error {
	cb := db.Callback()
	return errors.Join(
		cb.Query().After("cachegen:before_sql").Before("gorm:query").Register("cachegen:before_query", p.beforeQuery),
		// Before the hooks and the preloads, whose statements are not this one.
		cb.Query().After("gorm:query").Before("gorm:preload").Register("cachegen:after_query", p.afterQuery),
		cb.Query().After("*").Register("cachegen:told_query", tellServed),
		cb.Create().Before("gorm:create").Register("cachegen:reads_only", readsOnly),
		cb.Update().Before("gorm:update").Register("cachegen:reads_only", readsOnly),
		cb.Delete().Before("gorm:delete").Register("cachegen:reads_only", readsOnly),
		cb.Raw().Before("gorm:raw").Register("cachegen:reads_only", readsOnly),
	)
}

func adhocOf(db *gorm.DB) *adhoc {
	v, _ := db.Statement.Settings.Load(adhocKey)
	a, _ := v.(*adhoc)
	return a
}

func readsOnly(db *gorm.DB) {
	if adhocOf(db) != nil {
		_ = db.AddError(errors.New("cachegen: Query reads; write through the database itself"))
	}
}

// beforeQuery puts the pool that answers from the cache in front of the statement's.
func (p *plugin) beforeQuery(db *gorm.DB) {
	a := adhocOf(db)
	if a != nil {
		a.met = true
	}
	if a == nil || db.DryRun { // a subquery's text is made by a dry run
		return
	}
	st := db.Statement
	if st.Settings.Delete(servedKey); st.Context.Value(servedInContext{}) != nil { // it is run again
		st.Context = context.WithValue(st.Context, servedInContext{}, nil)
	}
	st.ConnPool = &adhocPool{ConnPool: st.ConnPool, a: a, st: st, ours: p.poolOf(st.ConnPool) != nil}
}

// afterQuery takes it away again.
func (p *plugin) afterQuery(db *gorm.DB) {
	if pool, ok := db.Statement.ConnPool.(*adhocPool); ok {
		db.Statement.ConnPool = pool.ConnPool
	}
}

// servedKey is where a statement that was served from the cache says so, to itself, and in its context to the logger.
const servedKey = "cachegen:served"

type servedInContext struct{}

// tellServed runs last, so that no hook and no preload has the context.
func tellServed(db *gorm.DB) {
	if st, ok := db.Statement.Settings.Load(servedKey); ok && st == any(db.Statement) {
		db.Statement.Context = context.WithValue(db.Statement.Context, servedInContext{}, true)
	}
}

// hushed is the logger of a query: it is not told of statements that were not sent.
type hushed struct{ logger.Interface }

// LogMode keeps it in front, for Debug in a chain.
func (h hushed) LogMode(l logger.LogLevel) logger.Interface { return hushed{h.Interface.LogMode(l)} }

// Trace is told of a statement when it has ended.
func (h hushed) Trace(ctx context.Context, begin time.Time, fc func() (string, int64), err error) {
	if errors.Is(err, ErrPartialRow) { // the caller's, and no fault of the statement's
		err = nil
	}
	if ctx.Value(servedInContext{}) == nil || err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		h.Interface.Trace(ctx, begin, fc, err)
	}
}

// ParamsFilter is GORM's way to ask a logger which values it is to be told of.
func (h hushed) ParamsFilter(ctx context.Context, sql string, params ...any) (string, []any) {
	if f, ok := h.Interface.(gorm.ParamsFilter); ok {
		return f.ParamsFilter(ctx, sql, params...)
	}
	return sql, params
}

// plans keeps what the text of queries says, since it is read for every hit. It is safe for concurrent use.
type plans struct {
	mu    sync.RWMutex
	known map[string]*sqltext.Query

	told     sync.Map // the problems that were reported
	toldMany int
}

// Bounds of what is kept of texts.
const (
	mostPlans    = 1000
	longestPlan  = 8 << 10
	mostProblems = 200
)

func (p *plans) of(text string, d sqltext.Dialect) *sqltext.Query {
	p.mu.RLock()
	s := p.known[text]
	p.mu.RUnlock()
	if s != nil {
		return s
	}
	s = sqltext.ReadQuery(text, d)
	if len(text) > longestPlan {
		return s
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= mostPlans {
		p.known = map[string]*sqltext.Query{}
	}
	p.known[text] = s
	return s
}

// uncached counts a query that cannot be cached. What can be mended is reported once.
func (a *adhoc) uncached(ctx context.Context, text, problem string, mendable bool) {
	a.observed(ctx, a.accessor, "", flushlist.Uncacheable, false)
	if !mendable {
		return
	}
	p := &a.rt.plans
	if _, told := p.told.LoadOrStore(a.accessor+problem, true); told {
		return
	}
	p.mu.Lock()
	p.toldMany++
	quiet := p.toldMany > mostProblems
	if quiet {
		p.told.Delete(a.accessor + problem)
	}
	p.mu.Unlock()
	if !quiet {
		a.rt.report(fmt.Errorf("cachegen: a %s is not cached: %s; see docs/queries.md. It was %s", a.accessor, problem, shortened(text)))
	}
}

// shortened is the beginning of a query's text, for people to find it by.
func shortened(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " …"
}
