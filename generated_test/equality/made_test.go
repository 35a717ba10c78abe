package equality

import (
	"context"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
)

// mades is the table of Made on each database, with a trigger that sets a column.
var mades = map[string][]string{
	"sqlite": {
		`CREATE TABLE mades (id integer PRIMARY KEY, text text, city text DEFAULT 'Portland' COLLATE NOCASE, lower text GENERATED ALWAYS AS (lower(text)) STORED,
			stamped text, code text COLLATE RTRIM, price numeric, kind text)`,
		`CREATE TRIGGER inserted AFTER INSERT ON mades BEGIN UPDATE mades SET stamped = 'in ' || new.text, price = round(new.price, 2) WHERE id = new.id; END`,
		`CREATE TRIGGER updated AFTER UPDATE OF text ON mades BEGIN UPDATE mades SET stamped = 'up ' || new.text, price = round(new.price, 2) WHERE id = new.id; END`,
	},
	"postgres": {
		"CREATE TYPE kind AS ENUM ('small', 'large')",
		`CREATE TABLE mades (id bigserial PRIMARY KEY, text text, city varchar(20) DEFAULT 'Portland', lower text GENERATED ALWAYS AS (lower(text)) STORED,
			stamped text, code char(8), price numeric(10,2), kind kind)`,
		`CREATE FUNCTION stamp() RETURNS trigger AS $$ BEGIN NEW.stamped := CASE TG_OP WHEN 'INSERT' THEN 'in ' ELSE 'up ' END || NEW.text; RETURN NEW; END $$ LANGUAGE plpgsql`,
		"CREATE TRIGGER stamped BEFORE INSERT OR UPDATE ON mades FOR EACH ROW EXECUTE FUNCTION stamp()",
	},
	"mysql": {
		`CREATE TABLE mades (id bigint AUTO_INCREMENT PRIMARY KEY, text varchar(60), city varchar(20) DEFAULT 'Portland', lower varchar(60) AS (lower(text)) STORED,
			stamped varchar(60), code char(8), price decimal(10,2), kind enum('small', 'large')) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`,
		"CREATE TRIGGER inserted BEFORE INSERT ON mades FOR EACH ROW SET NEW.stamped = CONCAT('in ', NEW.text)",
		"CREATE TRIGGER updated BEFORE UPDATE ON mades FOR EACH ROW SET NEW.stamped = CONCAT('up ', NEW.text)",
	},
}

// mades are all reads of Made by these values.
func (p *program) mades(cities, lower, stamped, codes []string, prices []float64, kinds []string) (reads []read) {
	c, o := MadeReader(p.m.Made.Cache), MadeReader(p.m.Made.Objects)
	for _, s := range cities {
		reads = append(reads, of("ListByCity", c, o, MadeReader.ListByCity, s), of("CountByCity", c, o, MadeReader.CountByCity, s))
	}
	for _, s := range lower {
		reads = append(reads, of("ListByLower", c, o, MadeReader.ListByLower, s))
	}
	for _, s := range stamped {
		reads = append(reads, of("ListByStamped", c, o, MadeReader.ListByStamped, s))
	}
	for _, s := range codes {
		reads = append(reads, of("GetByCode", c, o, MadeReader.GetByCode, s))
	}
	for _, f := range prices {
		reads = append(reads, of("ListByPrice", c, o, MadeReader.ListByPrice, f))
	}
	for _, s := range kinds {
		reads = append(reads, of("ListByKind", c, o, MadeReader.ListByKind, s))
	}
	return reads
}

// behaviour 97: lists are named by the values that the database made of what it was given.
func TestValuesMadeByTheDatabase(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := open(t, d, mades[d.Name]...)
		if d.Name == "mysql" {
			pool, err := p.db.DB()
			must(t, err)
			pool.SetMaxOpenConns(1)                // of which the mode is
			p.exec(t, "SET SESSION sql_mode = ''") // what is too long is cut off
		}
		all := p.mades([]string{"Portland", "nowhere", "portland", "Eugene", ""}, []string{"abc", "ABC", "new"}, []string{"in ABC", "up ABC", "in new", "up New", "by hand"},
			[]string{"code", "code  ", "code    ", "longcode", "longcodes", "longer c"}, []float64{12.345, 12.34, 12.35, 12.3, 0}, []string{"small", "large", "", "1", "SMALL"})
		agree(t, "empty", all)

		must(t, p.db.Omit("City", "Stamped").Create(&Made{Text: "ABC", Code: "code", Price: 12.345, Kind: "small"}).Error)
		agree(t, "created without what has a default", all)
		m := Made{Text: "New", Code: "longer code than eight"[:8], Price: 12.3456, Kind: "large", Stamped: "by hand"}
		must(t, p.db.Create(&m).Error)
		agree(t, "created with what a trigger overrides", all)
		long := Made{Text: "long", Code: "longcodes", Kind: "small", City: "Eugene"}
		if err := p.db.Create(&long).Error; err == nil {
			agree(t, "created with a code that is too long", all)
		}
		must(t, p.db.Model(&m).Updates(map[string]any{"text": "ABC", "price": gorm.Expr("price + ?", 0.0444)}).Error)
		agree(t, "updated what others are made of", all)
		must(t, p.db.Model(&Made{}).Where("id > 0").Updates(map[string]any{"city": gorm.Expr("upper(city)"), "code": "code"}).Error)
		agree(t, "updated by a condition and an expression", all)
		must(t, p.db.Model(&Made{}).Where("id > 0").Update("text", "new").Error)
		agree(t, "updated what others are made of, by a condition", all)
		must(t, p.db.Where("id > 0").Delete(&Made{}).Error)
		agree(t, "deleted", all)
		for _, err := range p.faults.of("Made") {
			t.Error(err)
		}
		if _, err := p.m.Made.Objects.ListByCity(context.Background(), "x"); err != nil {
			t.Error(err)
		}
	})
}
