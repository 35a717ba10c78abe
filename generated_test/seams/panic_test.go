package seams_test

import (
	"database/sql/driver"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/seams"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// bad is a key whose methods panic where they are told to.
type bad uint64

var scanPanics, valuePanics bool

func (b *bad) Scan(v any) error {
	if scanPanics {
		panic("Scan")
	}
	*b = bad(v.(int64))
	return nil
}

func (b bad) Value() (driver.Value, error) {
	if valuePanics {
		panic("Value")
	}
	return int64(b), nil
}

// cellar is a town to a program that has no model of it.
type cellar struct {
	ID   bad
	Name string
}

func (cellar) TableName() string { return "cellars" }

// behaviours 40, 108: a Scan or Value of a model that is not cached, and on which cached ones hang, panics in the plugin's read: the write
// goes on, and what hangs on it falls.
func TestKeyThatPanics(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, enforcing(d), nil, gorm.Config{}, cacheruntime.Options{})
		defer func() { scanPanics, valuePanics = false, false }()
		for _, panics := range []*bool{&scanPanics, &valuePanics} {
			p.must(p.db.Exec("DELETE FROM bottles").Error)
			p.must(p.db.Exec("DELETE FROM cellars").Error)
			p.must(p.db.Exec("INSERT INTO cellars (id, name) VALUES (1, 'a'), (2, 'b')").Error)
			p.must(p.db.Create(&[]seams.Bottle{{ID: 1, CellarID: 1}, {ID: 2, CellarID: 2}}).Error)
			for id := uint64(1); id < 3; id++ {
				_, err := p.m.Bottle.Cache.Get(t.Context(), id)
				p.must(err)
			}
			*panics = true
			err := p.db.Where("name = ?", "a").Delete(&cellar{}).Error
			*panics = false
			p.must(err)
			if b, err := p.m.Bottle.Cache.Get(t.Context(), 1); err == nil {
				t.Errorf("%+v is there still", b)
			}
		}
	})
}
