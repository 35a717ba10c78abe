package cascade_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/cascade"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
)

// as is another program on the world's database, of a user who has these privileges on each table and none on the database.
func (w *world) as(d fixture.Database, user string, privileges func(table string) string) *world {
	w.t.Helper()
	at := strings.Index(d.DSN(), "/")
	name := d.DSN()[at+1 : at+strings.Index(d.DSN()[at:], "?")]
	w.past(fmt.Sprintf("CREATE USER %s@'%%'", user))
	w.t.Cleanup(func() { w.past("DROP USER " + user + "@'%'") })
	for _, table := range tables {
		w.past(fmt.Sprintf("GRANT %s ON %s.%s TO %s@'%%'", privileges(table), name, table, user))
	}
	o := &world{t: w.t, name: d.Name, sql: &fixture.Statements{}, heard: w.heard}
	o.db = d.As(func(gorm.Dialector) gorm.Dialector { return mysql.Open(user + strings.TrimPrefix(d.DSN(), "root")) }).Open(w.t, &gorm.Config{Logger: o.sql})
	store, err := tiered.Open(tiered.Options{})
	w.must(err)
	w.t.Cleanup(func() { store.Close() })
	o.rt, err = cacheruntime.New(o.db, store, cacheruntime.Options{Namespace: "t", Observer: w.heard})
	w.must(err)
	w.t.Cleanup(func() { o.rt.Close() })
	o.m, err = cascade.NewModels(o.rt)
	w.must(err)
	return o
}

// behaviour 40: MariaDB hides what a foreign key does from who has privileges on tables alone, and refuses to read others for him. What
// hangs on a write falls all the same: piece by piece where that can be told, and the table else.
func TestPrivileges(t *testing.T) {
	d := fixture.MariaDB(t)
	w := newWorld(t, d)
	tables := w.as(d, "clerk", func(string) string { return "SELECT, INSERT, UPDATE, DELETE" })
	one := func(p *world) func() error {
		return func() error { return p.db.Delete(&cascade.Merchant{ID: 1}).Error }
	}
	own := " merchants.GetByCode(a) merchants.ListByTownID(1) merchants:1"
	w.falls("hidden", "croupon_tags croupons.CountByMerchantID(1) croupons.ListByMerchantID(1) croupons:11 croupons:12 items.ListByStallID(1) items:1 items:2 "+
		"label_marks labels.ListByMerchantCode(a) labels.ListByMerchantCode(~) labels:1"+own+reviews1, one(tables))
	w.fill()
	w.falls("hidden, and no row that goes", "merchants.GetByCode(c) merchants.ListByTownID(~) merchants:3", func() error {
		return tables.db.Delete(&cascade.Merchant{ID: 3}).Error
	})
	w.fill()
	refused := w.as(d, "guest", func(table string) string {
		if table == "items" {
			return "INSERT"
		}
		return "SELECT, DELETE"
	})
	reasons := w.falls("refused", "croupon_tags croupons.CountByMerchantID(1) croupons.ListByMerchantID(1) croupons:11 croupons:12 items "+
		"label_marks labels.ListByMerchantCode(a) labels.ListByMerchantCode(~) labels:1"+own+reviews1, one(refused))
	if !strings.Contains(reasons, "rows not readable") {
		t.Errorf("the reason is %q", reasons)
	}
}
