package faults_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// New refuses a *gorm.DB on which nothing could work, and says what to give it.
func TestNewRefuses(t *testing.T) {
	open := func() *gorm.DB {
		db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "new.db")), &gorm.Config{Logger: logger.Discard})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if pool, err := db.DB(); err == nil {
				pool.Close()
			}
		})
		return db
	}
	store := must(tiered.Open(tiered.Options{}))(t)
	t.Cleanup(func() { store.Close() })
	options := cacheruntime.Options{Namespace: "new"}

	failed := open().Session(&gorm.Session{})
	_ = failed.AddError(errors.New("some other error"))
	tx := open().Begin()
	defer tx.Rollback()
	for what, c := range map[string]struct {
		db   *gorm.DB
		says string
	}{
		"an error":      {failed, "carries an error"},
		"a dry run":     {open().Session(&gorm.Session{DryRun: true}), "DryRun"},
		"a transaction": {tx, "is a transaction"},
	} {
		if _, err := cacheruntime.New(c.db, store, options); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "gorm.Open") {
			t.Errorf("%s: %v", what, err)
		}
	}

	db := open()
	rt := must(cacheruntime.New(db, store, options))(t)
	other := cacheruntime.Options{Namespace: "other"}
	if _, err := cacheruntime.New(db, store, other); err == nil || !strings.Contains(err.Error(), "use that one") {
		t.Errorf("a second Runtime: %v", err)
	}
	rt.Close()
	if _, err := cacheruntime.New(db, store, other); err == nil || !strings.Contains(err.Error(), "has been closed") {
		t.Errorf("after the first was closed: %v", err)
	}
}

// A table that was not there at NewModels is asked for by one reader at a time, within that reader's own
// time; the others do not wait for the answer.
func TestUndecidedReadersKeepTheirDeadlines(t *testing.T) {
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "late.db")), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	pool := must(db.DB())(t)
	defer pool.Close()
	store := must(tiered.Open(tiered.Options{}))(t)
	defer store.Close()
	rt := must(cacheruntime.New(db, store, cacheruntime.Options{Namespace: "late"}))(t)
	defer rt.Close()
	m := must(shop.NewModels(rt))(t)
	if err := db.AutoMigrate(&shop.Merchant{}, &shop.Croupon{}); err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(1)
	busy := must(pool.Conn(ctx))(t)
	const readers = 3
	// The database is asked at most once a second.
	for began := time.Now(); time.Since(began) < 1500*time.Millisecond; {
		ended := make(chan error, readers)
		for range readers {
			go func() {
				ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
				_, err := m.Croupon.Cache.Get(ctx, 1)
				ended <- err
			}()
		}
		for range readers {
			select {
			case err := <-ended:
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a reader's error is %v", err)
				}
			case <-time.After(time.Minute):
				t.Fatal("a reader outlives its deadline")
			}
		}
	}
	if err := busy.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Croupon.Cache.Get(ctx, 1); !errors.Is(err, gorm.ErrRecordNotFound) {
		t.Errorf("once the pool is free: %v", err)
	}
}
