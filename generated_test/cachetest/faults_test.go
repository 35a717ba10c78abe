package cachetest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/ext/cachetest"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// logged is the test of a user, whose log is looked at.
type logged struct {
	testing.TB
	mu   sync.Mutex
	logs []string
}

func (l *logged) Logf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logs = append(l.logs, fmt.Sprintf(format, args...))
}

// What is not cached, and why, stands in the test's log, and reads that miss for it refer to that.
func TestFaultsAreLogged(t *testing.T) {
	t.Parallel()
	db := openDB(t, gorm.Config{})
	l := &logged{TB: t}
	rt := cachetest.New(l, db)
	check(t, db.Create(&shop.Merchant{Name: "before NewModels"}).Error)
	if len(l.logs) != 1 || !strings.Contains(l.logs[0], "call NewModels") {
		t.Errorf("a write without models logs %q", l.logs)
	}
	check(t, db.Migrator().DropTable(&shop.Merchant{}))
	m, err := shop.NewModels(rt)
	check(t, err)
	if len(l.logs) != 2 || !strings.Contains(l.logs[1], "migrate before NewModels") {
		t.Errorf("a table that is not there logs %q", l.logs)
	}
	missed := recorded(t, func(tb testing.TB) {
		cachetest.NoSQL(tb, rt, func() { _, _ = m.Merchant.Cache.Get(ctx, 1) })
	})
	if len(missed.errors) != 1 || !strings.Contains(missed.errors[0], "a table that was not there at NewModels") {
		t.Errorf("a table that is not there: %q", missed.errors)
	}
	check(t, db.Callback().Query().Before("gorm:query").Register("tenant", func(db *gorm.DB) { db.Where("city = ?", "Bend") }))
	altered := recorded(t, func(tb testing.TB) {
		cachetest.NoSQL(tb, rt, func() {
			for range 2 {
				_, _ = m.Croupon.Cache.Get(ctx, 1)
			}
		})
	})
	if len(altered.errors) != 1 || !strings.Contains(altered.errors[0], "docs/tenants.md") {
		t.Errorf("with a callback that adds: %q", altered.errors)
	}
}

// An observer that would not hear is refused here too, where another stands in front of it.
func TestMistypedObserver(t *testing.T) {
	t.Parallel()
	r := recorded(t, func(tb testing.TB) {
		cachetest.New(tb, openDB(t, gorm.Config{}), func(o *cacheruntime.Options) { o.Observer = mistyped{} })
	})
	if len(r.fatal) != 1 || !strings.Contains(r.fatal[0], "whose method ObserveRead is a func") {
		t.Errorf("%q", r.fatal)
	}
}

type mistyped struct{}

func (mistyped) ObserveRead(cacheruntime.ReadEvent)                    {}
func (mistyped) ObserveFlush(context.Context, cacheruntime.FlushEvent) {}

// Nothing is logged once the test has ended, which would be a panic of the testing package's.
func TestFaultAfterTheEnd(t *testing.T) {
	t.Parallel()
	db := openDB(t, gorm.Config{})
	l := &logged{}
	t.Run("ended", func(t *testing.T) {
		l.TB = t
		cachetest.New(l, db)
	})
	check(t, db.Create(&shop.Merchant{Name: "late"}).Error)
	if len(l.logs) != 0 {
		t.Errorf("after the test: %q", l.logs)
	}
}
