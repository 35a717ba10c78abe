package seams_test

import (
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// behaviour 99: a callback adds a condition for tenants, to the rows that come with others, to join tables and to queries too. Once it was
// seen in any accessor, none brings a tenant what nobody's context has stored, nor the other way round.
func TestAdditionsToRelations(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, enforcing(d), nil, gorm.Config{}, cacheruntime.Options{})
		p.fill()
		p.must(p.db.Callback().Query().Before("gorm:query").Register("app:tenant", func(db *gorm.DB) {
			st := db.Statement
			if tenantOf(st.Context) == "" || st.Schema == nil {
				return
			}
			for table, column := range map[string]string{"croupons": "id", "merchants": "id", "labels": "id", "croupon_tags": "croupon_id", "croupon_places": "croupon_id", "twins": "merchant_id"} {
				if st.Table == table {
					st.AddClause(clause.Where{Exprs: []clause.Expression{clause.Neq{Column: clause.Column{Table: clause.CurrentTable, Name: column}, Value: 1}}})
				}
			}
		}))
		if _, err := p.m.Croupon.Cache.Get(of("a"), 2); err != nil {
			t.Fatal(err)
		}
		cached := p.looks(true)
		for i, l := range p.looks(false) {
			for _, tenant := range []string{"", "a", ""} {
				if got, want := cached[i].seen(t, of(tenant)), l.seen(t, of(tenant)); got != want {
					t.Errorf("tenant %q: %s:\n\tcached   %s\n\tdatabase %s", tenant, l.name, got, want)
				}
			}
		}
		if p.rt.Stats().AlteredLoads == 0 {
			t.Error("no addition was seen")
		}
	})
}
