package equality

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
)

// amounts is the table of Amount on each database.
func amounts(d fixture.Database) string {
	types := map[string][]any{
		"sqlite":   {"integer PRIMARY KEY", "decimal(20,4)", "bigint", "numeric", "real", "integer"},
		"postgres": {"bigserial PRIMARY KEY", "decimal(20,4)", "bigint", "numeric(12,3)", "real", "integer"},
		"mysql":    {"bigint AUTO_INCREMENT PRIMARY KEY", "decimal(20,4)", "bigint", "decimal(12,3)", "float", "year"},
	}[d.Name]
	return fmt.Sprintf("CREATE TABLE amounts (id %s, price %s, serial %s, rate %s, weight %s, year %s)", types...)
}

// amounts are all reads of Amount.
func (p *program) amounts(prices, serials []string, rates []*float64, weights []float64, years []int) (reads []read) {
	c, o := AmountReader(p.m.Amount.Cache), AmountReader(p.m.Amount.Objects)
	for _, s := range prices {
		reads = append(reads, of("GetByPrice", c, o, AmountReader.GetByPrice, s), of("ListByPrice", c, o, AmountReader.ListByPrice, s),
			of("CountByPrice", c, o, AmountReader.CountByPrice, s))
	}
	for _, s := range serials {
		reads = append(reads, of("ListBySerial", c, o, AmountReader.ListBySerial, s))
	}
	for _, r := range rates {
		reads = append(reads, of("ListByRate", c, o, AmountReader.ListByRate, r))
	}
	for _, w := range weights {
		reads = append(reads, of("ListByWeight", c, o, AmountReader.ListByWeight, w))
	}
	for _, y := range years {
		reads = append(reads, of("CountByYear", c, o, AmountReader.CountByYear, y))
	}
	return append(reads, of("ListCheap", c, o, func(r AmountReader, ctx context.Context, _ string) ([]*Amount, error) { return r.ListCheap(ctx) }, ""))
}

// behaviour 92, of numbers: one number is found under every spelling that the database takes for it, and goes from
// under every one.
func TestNumbers(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := open(t, d, amounts(d))
		half, tenth := 1.5, 0.1
		prices := []string{"1.5", "1.50", "+1.5", "01.5", "15e-1", " 1.5", "1.5000000000000000001", "0.15E1", "2", "2.0", "1.5x", "", "0", "-0", "1e3", "1000.0",
			"123456789012.3456", "0123456789012.34560", "0x2", "1_000", "NaN", "nan", "Infinity", "9007199254740993", "9007199254740992"}
		serials := []string{"7", "007", "+7", "7.0", " 7 ", "0x7", "9007199254740993", "9007199254740992", "09007199254740993", "seven", "1e1", "10"}
		all := p.amounts(prices, serials, []*float64{&half, &tenth, nil}, []float64{0.1, 16777217, 1.5}, []int{26, 2026, 0, 2000})
		agree(t, "empty", all)
		for i, price := range prices {
			a := Amount{Price: price, Serial: serials[i%len(serials)], Rate: &tenth, Weight: 0.1, Year: 2026}
			if i%2 == 1 {
				a.Rate, a.Weight, a.Year = &half, 16777217, 2000
			}
			when := fmt.Sprintf("%+q, %+q", a.Price, a.Serial)
			if err := p.db.Create(&a).Error; err != nil {
				a.Serial = "10"
				if err := p.db.Create(&a).Error; err != nil {
					continue
				}
			}
			agree(t, when+" created", all)
			must(t, p.db.Model(&a).Updates(map[string]any{"price": "3.25", "serial": "12", "weight": 2.5, "rate": nil, "year": 2001}).Error)
			agree(t, when+" changed", all)
			must(t, p.db.Delete(&a).Error)
			agree(t, when+" deleted", all)
		}
		for _, err := range p.faults.of("Amount") {
			t.Error(err)
		}
		for _, r := range all {
			if what := r.what; strings.Contains(what, `Price("1.50")`) || strings.Contains(what, `Serial("007")`) || strings.Contains(what, "Rate") ||
				strings.Contains(what, "Weight") || strings.Contains(what, "Year") {
				p.hits(t, r)
			}
		}
	})
}

// A primary key that is text to Go and a number to the database.
func TestTextKeys(t *testing.T) {
	for _, c := range []struct {
		on   func(testing.TB) fixture.Database
		typ  string
		keys []string
	}{
		{fixture.SQLite, "text COLLATE NOCASE", []string{"a", "A", "b", "ä"}},
		{fixture.SQLite, "numeric", []string{"7", "07", "7.0", "7e0", "x", "X"}},
		{fixture.Postgres, "bigint", []string{"7", "07", "+7", " 7", "8"}},
		{fixture.Postgres, "char(8)", []string{"a", "a ", "A"}},
		{fixture.Postgres, "uuid", []string{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
			"12345678-9012-3456-7890-123456789012", "12345678901234567890123456789012", "00000000-0000-0000-0000-0000000001e5", "000000000000000000000000000001E5"}},
		{fixture.MariaDB, "bigint", []string{"7", "07", "7.0", "7x", " 7", "8"}},
		{fixture.MariaDB, "uuid", []string{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC999C0B4EF8BB6D6BB9BD380A11", " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
			"12345678-9012-3456-7890-123456789012", "12345678901234567890123456789012"}},
		{fixture.MariaDB, "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_danish_ci", []string{"Å", "AA", "aa", "A", "æ", "ä"}},
	} {
		t.Run(c.typ, func(t *testing.T) {
			d := c.on(t)
			p := open(t, d, fmt.Sprintf("CREATE TABLE names (name %s PRIMARY KEY, title text)", c.typ))
			ca, o := NameReader(p.m.Name.Cache), NameReader(p.m.Name.Objects)
			var all []read
			for _, k := range c.keys {
				all = append(all, of("Get", ca, o, NameReader.Get, k),
					of("GetMany", ca, o, func(r NameReader, ctx context.Context, k string) ([]*Name, error) {
						return r.GetMany(ctx, k, c.keys[0], "7")
					}, k))
			}
			if c.typ == "uuid" {
				all = nil
				for _, k := range c.keys {
					all = append(all, of("Get", ca, o, NameReader.Get, k),
						of("GetMany", ca, o, func(r NameReader, ctx context.Context, k string) ([]*Name, error) {
							return r.GetMany(ctx, k, c.keys[0])
						}, k))
				}
			}
			agree(t, "empty", all)
			for _, k := range c.keys {
				n := Name{Name: k, Title: "first"}
				if p.db.Create(&n).Error != nil {
					continue
				}
				agree(t, k+" created", all)
				for _, k := range c.keys {
					each, err := o.GetMany(context.Background(), k, c.keys[0], c.keys[1])
					if err != nil {
						continue
					}
					n := 0
					for _, k := range distinct(k, c.keys[0], c.keys[1]) {
						if _, err := o.Get(context.Background(), k); err == nil {
							n++
						}
					}
					seen := map[*Name]bool{}
					for _, row := range each {
						seen[row] = true
					}
					if len(seen) != len(each) || len(each) < n {
						t.Errorf("GetMany(%q, %q, %q) finds %d rows, and Get %d", k, c.keys[0], c.keys[1], len(each), n)
					}
				}
				for i, spelling := range c.keys {
					must(t, p.db.Model(&Name{}).Where("name = ?", k).Update("title", fmt.Sprint("by condition ", i)).Error)
					agree(t, k+" changed by a condition", all)
					if p.db.Model(&Name{Name: spelling}).Update("title", fmt.Sprint("by key ", i)).Error == nil {
						agree(t, k+" changed as "+spelling, all)
					}
				}
				must(t, p.db.Where("name = ?", k).Delete(&Name{}).Error)
				agree(t, k+" deleted", all)
			}
			for _, err := range p.faults.of("Name") {
				t.Error(err)
			}
			p.hits(t, all[0])
		})
	}
}
