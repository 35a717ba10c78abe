package shapes

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

// posts reads every accessor of Post and describes what it returned.
func posts(t *testing.T, r PostReader) map[string]string {
	t.Helper()
	out := map[string]string{}
	list := func(name string) func([]*Post, error) {
		return func(rows []*Post, err error) {
			for _, p := range rows {
				out[name] += fmt.Sprint(p.ID, " ")
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	one := func(name string) func(*Post, error) {
		return func(p *Post, err error) {
			if err == nil {
				out[name] = fmt.Sprint(p.ID)
			} else if !errors.Is(err, gorm.ErrRecordNotFound) {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	count := func(name string) func(int64, error) {
		return func(n int64, err error) {
			if out[name] = fmt.Sprint(n); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	list("Newest")(r.ListNewest(ctx))
	list("NewestPage")(r.ListNewestPage(ctx, 1, 1))
	list("Reviewed")(r.ListReviewed(ctx))
	list("Edited")(r.ListEdited(ctx))
	one("First")(r.OneFirst(ctx))
	list("Early")(r.ListEarly(ctx))
	count("Late")(r.CountLate(ctx))
	for _, at := range []time.Time{noon, noon.In(east)} {
		count("At " + at.String())(r.CountByPublishedAt(ctx, at))
	}
	list("Digests")(r.ListDigests(ctx))
	list("Sealed")(r.ListSealed(ctx))
	list("Unsealed")(r.ListUnsealed(ctx))
	count("Stamped")(r.CountStamped(ctx))
	for _, b := range [][]byte{nil, {}, {0}, []byte("a")} {
		name := fmt.Sprintf("%#v", b)
		list("Digest " + name)(r.ListByDigest(ctx, b))
		count("Digest count " + name)(r.CountByDigest(ctx, b))
		for _, seal := range []*[]byte{nil, &b} {
			one(fmt.Sprint("Signed ", seal == nil, name))(r.OneSigned(ctx, seal, &b))
			one(fmt.Sprint("Signed without stamp ", seal == nil, name))(r.OneSigned(ctx, seal, nil))
		}
	}
	return out
}

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	east = time.FixedZone("", 3*3600)
	west = time.FixedZone("", -5*3600)
)

// SQLite holds times as text with their offset: a time that is saved as the same instant in another
// zone moves its row in an order, and in and out of a condition. Nothing moves on the others. behaviours 24 to 27
func TestSameInstantInAnotherZone(t *testing.T) {
	everywhere(t, func(t *testing.T, db *gorm.DB, m *Models) {
		for i := range 3 {
			at := noon.Add(time.Duration(i-1) * time.Hour)
			p := &Post{PublishedAt: at, ReviewedAt: &at, EditedAt: sql.NullTime{Time: at, Valid: true}}
			if err := db.Create(p).Error; err != nil {
				t.Fatal(err)
			}
		}
		moved := map[string]bool{}
		before := posts(t, m.Post.Cache)
		for _, zone := range []*time.Location{east, west, time.UTC} {
			for id := range 3 {
				for _, column := range []string{"published_at", "reviewed_at", "edited_at"} {
					at := noon.Add(time.Duration(id-1) * time.Hour).In(zone)
					if err := db.Model(&Post{ID: uint64(id + 1)}).Update(column, at).Error; err != nil {
						t.Fatal(err)
					}
					cached, direct := posts(t, m.Post.Cache), posts(t, m.Post.Objects)
					if !reflect.DeepEqual(cached, direct) {
						t.Fatalf("%s of %d in %v: the cache says %v,\nthe database %v", column, id+1, zone, cached, direct)
					}
					for name := range direct {
						moved[name] = moved[name] || direct[name] != before[name]
					}
					before = direct
				}
			}
		}
		for _, name := range []string{"Newest", "NewestPage", "Reviewed", "Edited", "First", "Early", "Late"} {
			if moved[name] != (db.Name() == "sqlite") {
				t.Errorf("a zone made a difference to %s: %v", name, moved[name])
			}
		}
	})
}

// A change between NULL and no bytes is seen on either side of every kind of accessor, also where SQLite's driver reads
// an empty BLOB as NULL, as a driver may. behaviours 24 to 27
func TestEmptyBytes(t *testing.T) {
	everywhere(t, emptyBytes)
	t.Run(hiding, func(t *testing.T) {
		db, m := open(t, fixture.SQLite(t).As(func(d gorm.Dialector) gorm.Dialector {
			return &sqlite.Dialector{DriverName: hiding, DSN: d.(*sqlite.Dialector).DSN}
		}))
		emptyBytes(t, db, m)
	})
}

func emptyBytes(t *testing.T, db *gorm.DB, m *Models) {
	r := rand.New(rand.NewPCG(3, 4))
	none := "x''"
	if db.Name() == "postgres" {
		none = "''::bytea"
	}
	values := []any{nil, gorm.Expr(none), []byte{0}, []byte("a")}
	columns := []string{"digest", "seal", "stamp"}
	for i := range 3 {
		if err := db.Create(&Post{ID: uint64(i + 1), PublishedAt: noon}).Error; err != nil {
			t.Fatal(err)
		}
	}
	for step := range 120 {
		id, column, value := 1+r.IntN(3), columns[r.IntN(len(columns))], values[r.IntN(len(values))]
		if err := db.Model(&Post{}).Where("id = ?", id).UpdateColumn(column, value).Error; err != nil {
			t.Fatal(err)
		}
		cached, direct := posts(t, m.Post.Cache), posts(t, m.Post.Objects)
		if !reflect.DeepEqual(cached, direct) {
			for name := range direct {
				if cached[name] != direct[name] {
					t.Errorf("step %d, %s of %d is now %v: %s: the cache says %q, the database %q", step, column, id, value, name, cached[name], direct[name])
				}
			}
			t.FailNow()
		}
	}
}
