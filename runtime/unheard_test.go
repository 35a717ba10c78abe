package cacheruntime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gorm.io/gorm/logger"

	"github.com/cachegen/cachegen/flushlist"
)

// lines is a logger that keeps its errors.
type lines struct {
	logger.Interface
	told []string
}

func (l *lines) Error(_ context.Context, format string, args ...any) {
	l.told = append(l.told, fmt.Sprintf(format, args...))
}

// What needs a person is logged where nobody listens, once a second a kind.
func TestUnheardEventsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var u unheard
		l := &lines{}
		fault := flushlist.Event{Kind: flushlist.Fault, Name: "croupons", Err: errors.New("cachegen: no such table")}
		stale := flushlist.Event{Kind: flushlist.StaleHit, Err: errors.New("old by 3 s")}
		for range 3 {
			u.log(l, fault)
		}
		u.log(l, flushlist.Event{Kind: flushlist.BreakerOpened, Server: "a:11211"})
		u.log(l, stale)
		time.Sleep(unheardPause)
		u.log(l, fault)
		u.log(nil, stale)
		want := []string{
			"fault croupons: cachegen: no such table",
			"stale hit: old by 3 s",
			"fault croupons (and 2 more): cachegen: no such table",
		}
		if !slices.Equal(l.told, want) {
			t.Errorf("logged: %q", l.told)
		}
	})
}
