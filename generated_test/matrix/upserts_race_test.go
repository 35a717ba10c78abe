package matrix

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

var (
	upsertRounds = flag.Int("upserts", 24, "rounds of upserts at once, for each database")
	upsertSeed   = flag.Uint64("seed", 0, "of the upserts at once; 0: another each time")
)

// behaviour 45: upserts of the same rows at the same time, by keys that GORM knows of and by one that it does not. Whatever
// each of them finds, makes and changes, nothing that was cached before them is stale after them.
func TestUpsertsAtOnce(t *testing.T) {
	seed := *upsertSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			w := newWorld(t, d.name, d.new(t), gorm.Config{}).cached(t, cacheruntime.Options{})
			must(t, w.plain.Exec("CREATE UNIQUE INDEX unknown_to_gorm ON licences (number)").Error)
			var reads []read
			for _, r := range w.reads() {
				for _, model := range []string{"Shop.", "Licence.", "Tag.", "shops", "licences", "tags"} {
					if strings.HasPrefix(r.what, model) {
						reads = append(reads, r)
					}
				}
			}
			r := rand.New(rand.NewPCG(seed, 1))
			made := 0
			for round := range *upsertRounds {
				if round%6 == 0 {
					w.reset(t, []string{"shops", "licences", "tags"})
				}
				for _, r := range reads {
					if _, err := r.cache(t.Context()); err != nil {
						t.Fatalf("%s: %v", r.what, err)
					}
				}
				var said [3]string
				var running sync.WaitGroup
				for i := range said {
					do, text := anyUpsert(r)
					running.Go(func() {
						tx := do(w.db)
						said[i] = fmt.Sprintf("%s: %d rows, %v", text, tx.RowsAffected, tx.Error)
					})
				}
				running.Wait()
				for _, s := range said {
					if strings.HasSuffix(s, "<nil>") {
						made++
					}
				}
				for _, r := range reads {
					got, err := r.cache(t.Context())
					stored, err2 := r.objects(t.Context())
					if err != nil || err2 != nil || !reflect.DeepEqual(got, stored) {
						t.Errorf("-seed %d, round %d: %s is %s in the cache (%v), %s in the database (%v), after\n\t%s",
							seed, round, r.what, show(got), err, show(stored), err2, strings.Join(said[:], "\n\t"))
					}
				}
				if t.Failed() {
					return
				}
			}
			w.idle(t)
			t.Logf("-seed %d: %d of %d upserts were made; for %d of them a whole table fell", seed, made, *upsertRounds*3, w.spy.whole())
		})
	}
}

// anyUpsert is an upsert of one to three rows.
func anyUpsert(r *rand.Rand) (do func(*gorm.DB) *gorm.DB, text string) {
	n := 1 + r.IntN(3)
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	key := func() uint64 {
		if r.IntN(2) == 0 {
			return 0
		}
		return uint64(1 + r.IntN(6))
	}
	owner := func() *uint64 {
		if n := r.IntN(4); n > 0 {
			return id(uint64(n))
		}
		return nil
	}
	var rows any
	var at, set []string
	switch r.IntN(3) {
	case 0:
		var s []Shop
		for range n {
			s = append(s, Shop{ID: key(), Name: one("anna", "bert", "dora", "edna"), City: one("bend", "salem", "reno"), RegionID: owner()})
		}
		rows, at, set = &s, []string{"name"}, []string{"city", "region_id", "phone"}
	case 1:
		var l []Licence
		for range n {
			l = append(l, Licence{ID: key(), ShopID: owner(), Number: one("one", "two", "three", "four")})
		}
		rows, at, set = &l, []string{"number"}, []string{"shop_id"}
	default:
		var x []Tag
		for range n {
			x = append(x, Tag{ID: key(), Name: one("new", "rare", "cheap", "odd")})
		}
		rows, at, set = &x, []string{"name"}, []string{"name"}
	}
	if r.IntN(2) == 0 {
		at = []string{"id"}
	}
	how := clause.OnConflict{Columns: columns(at...)}
	switch r.IntN(4) {
	case 0:
		how.DoNothing = true
	case 1:
		how.UpdateAll = true
	default:
		how.DoUpdates = clause.AssignmentColumns(set[:1+r.IntN(len(set))])
	}
	if r.IntN(4) == 0 {
		how.Columns = nil
		how.UpdateAll, how.DoUpdates = !how.DoNothing, nil
	}
	text = fmt.Sprintf("%s with %+v", show(rows), how)
	return func(db *gorm.DB) *gorm.DB { return db.Clauses(how).Create(rows) }, text
}

// whole returns how many upserts made a whole table fall.
func (s *spy) whole() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, reason := range s.reasons {
		if reason == "upsert" {
			n++
		}
	}
	return n
}
