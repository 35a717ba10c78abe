package tenants

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

func TestMain(m *testing.M) { fixture.Main(m) }

var nobody = context.Background()

// of is the context of a tenant's requests.
func of(tenant string) context.Context { return WithTenant(nobody, tenant) }

func tenantOf(ctx context.Context) string { return TenantOf(ctx) }

// onlyOwn is an application's callback: a query finds the rows of its context's tenant. Without a
// tenant it adds nothing.
func onlyOwn(db *gorm.DB) {
	tenant := tenantOf(db.Statement.Context)
	if tenant == "" || db.Statement.Schema == nil || db.Statement.Schema.LookUpField("Tenant") == nil {
		return
	}
	db.Statement.AddClause(clause.Where{Exprs: []clause.Expression{
		clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "tenant"}, Value: tenant},
	}})
}

// program is one program of several on one database and one cache.
type program struct {
	db    *gorm.DB
	rt    *cacheruntime.Runtime
	m     *Models
	store *tiered.Store
	heard *faults
}

// faults keeps the faults that are reported.
type faults struct {
	mu  sync.Mutex
	all []string
}

func (f *faults) ObserveEvent(e flushlist.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, fmt.Sprint(e.Kind, " ", e.Name, " ", e.Err))
}

func (f *faults) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.all
	f.all = nil
	return all
}

// options say how a program differs from the usual.
type options struct {
	servers   []string
	namespace string
	partition func(context.Context) string
	before    func(*gorm.DB) // before NewModels
	gorm      *gorm.Config
}

func start(t testing.TB, d fixture.Database, o options) *program {
	t.Helper()
	p := &program{db: d.Open(t, o.gorm), heard: &faults{}}
	ok(t, p.db.AutoMigrate(&Note{}, &Page{}, &Memo{}))
	var err error
	p.store, err = tiered.Open(tiered.Options{Servers: o.servers, Timeout: testTimeout})
	ok(t, err)
	t.Cleanup(func() { ok(t, p.store.Close()) })
	if o.namespace == "" {
		o.namespace = "notes"
	}
	p.rt, err = cacheruntime.New(p.db, p.store, cacheruntime.Options{Namespace: o.namespace, Partition: o.partition, Observer: p.heard})
	ok(t, err)
	t.Cleanup(func() { ok(t, p.rt.Close()) })
	if o.before != nil {
		o.before(p.db)
	}
	p.m, err = NewModels(p.rt)
	ok(t, err)
	return p
}

// query registers a callback on queries.
func query(t testing.TB, fn func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) {
		t.Helper()
		ok(t, db.Callback().Query().Before("gorm:query").Register("app:tenant", fn))
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// seed makes six notes, of tenants a and b in turn, with alike topics; each slug is there once a tenant.
func seed(t testing.TB, p *program) {
	t.Helper()
	for i := range 6 {
		n := Note{ID: uint64(i + 1), Tenant: []string{"a", "b"}[i%2], Slug: fmt.Sprint("s", i/2), Topic: "go", Rank: i, Text: fmt.Sprint("text ", i)}
		ok(t, p.db.Create(&n).Error)
	}
}

// reads are all ways to read a note, as comparable values.
func reads(ctx context.Context, r NoteReader) map[string]any {
	out := map[string]any{}
	add := func(name string, v any, err error) {
		if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			out[name] = err.Error()
			return
		}
		out[name] = shown(v)
	}
	for id := uint64(1); id <= 3; id++ {
		n, err := r.Get(ctx, id)
		add(fmt.Sprint("Get ", id), n, err)
	}
	many, err := r.GetMany(ctx, 6, 1, 2, 9)
	add("GetMany", many, err)
	byID, err := r.GetMap(ctx, 3, 4)
	add("GetMap", byID, err)
	n, err := r.GetBySlug(ctx, "s1")
	add("GetBySlug", n, err)
	many, err = r.GetManyBySlug(ctx, "s2", "s0", "none")
	add("GetManyBySlug", many, err)
	many, err = r.ListByTopic(ctx, "go")
	add("ListByTopic", many, err)
	many, err = r.ListOpen(ctx, "go")
	add("ListOpen", many, err)
	many, err = r.ListOpenPage(ctx, "go", 1, 2)
	add("ListOpenPage", many, err)
	n, err = r.OneNewest(ctx, "go")
	add("OneNewest", n, err)
	count, err := r.CountByTopic(ctx, "go")
	add("CountByTopic", count, err)
	return out
}

func shown(v any) string {
	switch v := v.(type) {
	case *Note:
		if v == nil {
			return "none"
		}
		return fmt.Sprintf("%d of %s: %s", v.ID, v.Tenant, v.Text)
	case []*Note:
		var all []string
		for _, n := range v {
			all = append(all, shown(n))
		}
		return strings.Join(all, ", ")
	case map[uint64]*Note:
		var all []string
		for _, n := range v {
			all = append(all, shown(n))
		}
		slices.Sort(all)
		return strings.Join(all, ", ")
	}
	return fmt.Sprint(v)
}

// alike fails the test where the cache and the database answer differently.
func alike(t testing.TB, p *program, ctxs ...context.Context) {
	t.Helper()
	for _, ctx := range ctxs {
		want := reads(ctx, p.m.Note.Objects)
		if got := reads(ctx, p.m.Note.Cache); !reflect.DeepEqual(got, want) {
			for name := range want {
				if got[name] != want[name] {
					t.Errorf("tenant %q, %s: %v\nfrom the database: %v", tenantOf(ctx), name, got[name], want[name])
				}
			}
		}
	}
}

// bothStores runs a test on the embedded store and on memcached.
func bothStores(t *testing.T, test func(t *testing.T, servers []string)) {
	t.Run("embedded", func(t *testing.T) { test(t, nil) })
	t.Run("memcached", func(t *testing.T) { test(t, []string{testserver.Memcached(t).Addr()}) })
}

// hits counts a program's hits while run runs.
func hits(p *program, run func()) int64 {
	before := p.rt.Stats()
	run()
	return p.rt.Stats().Minus(before).Hits()
}
