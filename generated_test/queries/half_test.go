package queries

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// failures is a GORM logger that keeps the errors of the statements that it is told of.
type failures struct {
	logger.Interface

	mu  sync.Mutex
	all []error
}

func (f *failures) LogMode(logger.LogLevel) logger.Interface { return f }

func (f *failures) Trace(_ context.Context, _ time.Time, _ func() (string, int64), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.all = append(f.all, err)
	}
}

type idTitle struct {
	ID    uint64
	Title string
}

func halfOf(q *gorm.DB) *gorm.DB { return q.Select("id", "title").Order("id") }

func halves(db *gorm.DB) *gorm.DB { return halfOf(db.Model(&Post{})) }

// behaviour 17: half a row is refused before it is stored, and told to no log; a projection with the same statement is another matter.
func TestHalfARowIsNotStored(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		refused := func(statements int) {
			t.Helper()
			p.sent(t, "half a row", statements, func() {
				if _, err := p.m.Post.Cache.Query(bg, halfOf); !errors.Is(err, cacheruntime.ErrPartialRow) {
					t.Error(err)
				}
			})
		}
		usual, heard := p.db.Logger, &failures{Interface: logger.Discard}
		p.db.Logger = heard
		_, err := p.m.Post.Cache.Query(bg, halfOf)
		p.db.Logger = usual
		if !errors.Is(err, cacheruntime.ErrPartialRow) || len(heard.all) != 0 {
			t.Errorf("%v; told to the log: %v", err, heard.all)
		}
		before := p.rt.Stats()
		refused(1)
		refused(1)
		if s := p.rt.Stats().Minus(before); s.LoadErrors != 0 || s.Hits() != 0 {
			t.Errorf("stats:\n%s", s)
		}
		for statements := range 2 {
			p.sent(t, "a projection", 1-statements, func() {
				if got, err := cacheruntime.Query[idTitle](bg, p.rt, halves); err != nil || len(got) != 4 {
					t.Errorf("%v, %v", got, err)
				}
			})
		}
		refused(0) // of the projection's entry
	})
}

// behaviours 17, 73: a projection that waits for the load of a query that is refused gets its rows.
//
//  1. the only connection is held
//  2. a model's Query begins a load, and a projection with the same statement waits for it
//  3. the connection is free: the Query is refused, the projection asks for itself
func TestProjectionWaitsForHalfARow(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, d, options{})
		p.seed(t)
		pool, err := p.db.DB()
		ok(t, err)
		pool.SetMaxOpenConns(1)
		held, err := pool.Conn(bg)
		ok(t, err)
		before, waited := p.rt.Stats(), pool.Stats().WaitCount
		first, second := make(chan error), make(chan []idTitle)
		go func() {
			_, err := p.m.Post.Cache.Query(bg, halfOf)
			first <- err
		}()
		for pool.Stats().WaitCount == waited {
			runtime.Gosched()
		}
		go func() {
			got, err := cacheruntime.Query[idTitle](bg, p.rt, halves)
			if err != nil {
				t.Error(err)
			}
			second <- got
		}()
		for p.rt.Stats().Minus(before).SharedLoads == 0 {
			runtime.Gosched()
		}
		ok(t, held.Close())
		if err := <-first; !errors.Is(err, cacheruntime.ErrPartialRow) {
			t.Error(err)
		}
		if got := <-second; !slices.Equal(got, []idTitle{{1, "one"}, {2, "two"}, {3, "three"}, {4, "1"}}) {
			t.Errorf("%v", got)
		}
	})
}
