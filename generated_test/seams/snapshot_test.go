package seams_test

import (
	"database/sql"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/seams"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// behaviour 40: what a transaction finds in the catalog is as old as the transaction's snapshot, and is not remembered for others.
//
//  1. a transaction with a snapshot of its own begins, and reads
//  2. the program adds a foreign key, by which bottles go with their cellar
//  3. the transaction writes, asks for the foreign keys, and finds none
//  4. a cellar is deleted elsewhere: its bottles fall
func TestCatalogOfASnapshot(t *testing.T) {
	// Transactions of SQLite cannot write when another has written since their snapshot.
	for name, c := range map[string]struct {
		database func(testing.TB) fixture.Database
		drop     string
	}{
		"postgres": {fixture.Postgres, "ALTER TABLE bottles DROP CONSTRAINT bottles_cellar_id_fkey"},
		"mariadb":  {fixture.MariaDB, "ALTER TABLE bottles DROP FOREIGN KEY bottles_ibfk_1"},
	} {
		t.Run(name, func(t *testing.T) { catalogOfASnapshot(t, c.database(t), c.drop) })
	}
}

func catalogOfASnapshot(t *testing.T, d fixture.Database, drop string) {
	p := start(t, d, nil, gorm.Config{}, cacheruntime.Options{})
	p.must(p.db.Exec(drop).Error)
	p.must(p.db.Exec("INSERT INTO cellars (id) VALUES (1)").Error)
	p.must(p.db.Create(&seams.Bottle{ID: 1, CellarID: 1}).Error)
	tx := p.db.Begin(&sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	defer tx.Rollback()
	p.must(tx.Find(&[]seams.Label{}).Error)
	p.must(p.db.Exec("ALTER TABLE bottles ADD FOREIGN KEY (cellar_id) REFERENCES cellars (id) ON DELETE CASCADE").Error)
	p.must(tx.Delete(&seams.Label{ID: 99}).Error)
	if _, err := p.m.Bottle.Cache.Get(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	p.must(p.db.Where("id = 1").Delete(&cellar{}).Error)
	if b, err := p.m.Bottle.Cache.Get(t.Context(), 1); err == nil {
		t.Errorf("bottle %d is read, which has gone with its cellar", b.ID)
	}
	p.must(tx.Commit().Error)
}
