package equality

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// program is one program on a database.
type program struct {
	db     *gorm.DB
	rt     *cacheruntime.Runtime
	m      *Models
	sql    *fixture.Statements
	faults *faults
}

// open starts a program after its database's tables are made.
func open(t testing.TB, d fixture.Database, ddl ...string) *program {
	t.Helper()
	p := &program{sql: &fixture.Statements{}, faults: &faults{}}
	p.db = d.Open(t, &gorm.Config{Logger: p.sql})
	p.exec(t, ddl...)
	p.start(t)
	return p
}

// start makes the runtime and the models.
func (p *program) start(t testing.TB) {
	t.Helper()
	store, err := tiered.Open(tiered.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	p.rt, err = cacheruntime.New(p.db, store, cacheruntime.Options{Namespace: "equal", Mode: cacheruntime.Strict, Observer: p.faults})
	must(t, err)
	t.Cleanup(func() { must(t, p.rt.Close()) })
	p.m, err = NewModels(p.rt)
	must(t, err)
}

// exec runs statements that the plugin need not see.
func (p *program) exec(t testing.TB, statements ...string) {
	t.Helper()
	pool, err := p.db.DB()
	must(t, err)
	for _, s := range statements {
		if _, err := pool.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// faults is an Observer that keeps what it is told of.
type faults struct {
	mu     sync.Mutex
	told   []error
	lists  []string
	reason string // of the last flush
}

// ObserveFlush keeps the lists that fall, too.
func (f *faults) ObserveFlush(_ context.Context, e cacheruntime.FlushEvent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists, f.reason = append(f.lists, e.Lists...), e.Reason
}

// fell returns the lists that fell since the last look.
func (f *faults) fell() (lists []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lists, f.lists = f.lists, nil
	return lists
}

func (f *faults) ObserveEvent(e flushlist.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Kind == flushlist.Fault {
		f.told = append(f.told, e.Err)
	}
}

// of returns what was told of a model.
func (f *faults) of(model string) (errs []error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, err := range f.told {
		if strings.Contains(err.Error(), "cachegen: "+model+":") {
			errs = append(errs, err)
		}
	}
	return errs
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read is one read that a test makes of the cache and of the database.
type read struct {
	what            string
	cache, database func(ctx context.Context) (any, error)
}

// of makes a read of a method of both readers.
func of[R any, A any, V any](what string, cache, database R, method func(R, context.Context, A) (V, error), arg A) read {
	from := func(r R) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) {
			v, err := method(r, ctx, arg)
			return v, err
		}
	}
	return read{fmt.Sprintf("%s(%+q)", what, fmt.Sprint(arg)), from(cache), from(database)}
}

// agree makes reads of the cache and of the database, and fails the test where they differ.
func agree(t testing.TB, when string, reads []read) {
	t.Helper()
	ctx := context.Background()
	for _, r := range reads {
		want, wantErr := r.database(ctx)
		got, err := r.cache(ctx)
		if errors.Is(err, gorm.ErrRecordNotFound) != errors.Is(wantErr, gorm.ErrRecordNotFound) || (err == nil) != (wantErr == nil) ||
			err == nil && !alike(got, want) {
			t.Errorf("%s: %s: the cache has %s, the database %s", when, r.what, shown(got, err), shown(want, wantErr))
		}
	}
}

// alike compares what both have: times by what they say, and not by who loaded their zone.
func alike(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func shown(v any, err error) string {
	if err != nil {
		return err.Error()
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Slice {
		return fmt.Sprintf("%+v", rv)
	}
	var rows []string
	for i := range rv.Len() {
		rows = append(rows, fmt.Sprintf("%+v", reflect.Indirect(rv.Index(i))))
	}
	return "[" + strings.Join(rows, " ") + "]"
}

// statements counts what run sends.
func (p *program) statements(run func()) int { return len(p.sql.Of(run)) }

// hits fails the test unless the second of two reads is one from the cache.
func (p *program) hits(t testing.TB, r read) {
	t.Helper()
	_, _ = r.cache(context.Background())
	if n := p.statements(func() { _, _ = r.cache(context.Background()) }); n != 0 {
		t.Errorf("%s is not cached: %d statements", r.what, n)
	}
}

// words are all reads of Word by these texts.
func (p *program) words(texts ...string) (reads []read) {
	c, o := WordReader(p.m.Word.Cache), WordReader(p.m.Word.Objects)
	for _, s := range texts {
		reads = append(reads,
			of("GetByText", c, o, WordReader.GetByText, s),
			of("ListByText", c, o, WordReader.ListByText, s),
			of("CountByText", c, o, WordReader.CountByText, s),
			of("OneLatest", c, o, func(r WordReader, ctx context.Context, s string) (*Word, error) { return r.OneLatest(ctx, s, true) }, s),
		)
	}
	none := ""
	return append(reads,
		of("ListChosen", c, o, func(r WordReader, ctx context.Context, _ string) ([]*Word, error) { return r.ListChosen(ctx) }, none),
		of("CountLive", c, o, func(r WordReader, ctx context.Context, _ string) (int64, error) { return r.CountLive(ctx) }, none),
		of("ListOthers", c, o, func(r WordReader, ctx context.Context, _ string) ([]*Word, error) { return r.ListOthers(ctx) }, none),
	)
}

// distinct is each of texts once.
func distinct(texts ...string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}
