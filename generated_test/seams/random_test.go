package seams_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/seams"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

var (
	randomWrites = flag.Int("writes", 36, "random writes a database")
	randomSeed   = flag.Uint64("seed", 0, "of the random writes; 0: another each time")
)

// behaviours 16, 33 to 40, 50, 54: random writes of every kind by two programs, after each of which both read everything in every way,
// from the cache and from the database.
func TestRandomWrites(t *testing.T) {
	seed := *randomSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		d = enforcing(d)
		servers := []string{testserver.Memcached(t).Addr()}
		ps := []*program{
			start(t, d, servers, gorm.Config{}, cacheruntime.Options{}),
			start(t, d, servers, gorm.Config{PrepareStmt: true, SkipDefaultTransaction: true}, cacheruntime.Options{BulkRows: 2, ListWindow: 2, Mode: cacheruntime.Strict, Sample: 3}),
		}
		r := &random{Rand: rand.New(rand.NewPCG(seed, 0)), name: d.Name}
		var said []string
		done := 0
		for i := range *randomWrites {
			if i%6 == 0 {
				ps[0].fill()
				said = nil
			}
			by := r.IntN(2)
			text, err := r.write(ps[by].db)
			if err == nil {
				done++
			}
			said = append(said, fmt.Sprintf("program %d: %s: %v", by, text, err))
			want := map[string]string{}
			for _, l := range ps[0].looks(false) {
				want[l.name] = l.seen(t, t.Context())
			}
			for k, p := range ps {
				ctx := t.Context()
				if k != by || i%6 == 0 { // its first tier may lag behind what the other has written
					ctx = cacheruntime.WithFresh(ctx)
				}
				for _, l := range p.looks(true) {
					if got := l.seen(t, ctx); got != want[l.name] {
						t.Errorf("-seed %d, write %d: program %d: %s:\n\tcached   %s\n\tdatabase %s", seed, i, k, l.name, got, want[l.name])
					}
				}
			}
			if t.Failed() {
				t.Fatal("after\n\t" + strings.Join(said, "\n\t"))
			}
		}
		t.Logf("-seed %d: %d of %d writes were made; %s", seed, done, *randomWrites, ps[0].rt.Stats())
	})
}

// random makes writes.
type random struct {
	*rand.Rand
	name string
}

func (r *random) of(values ...any) any { return values[r.IntN(len(values))] }
func (r *random) code() string         { return string(rune('a' + r.IntN(4))) }
func (r *random) tag() string          { return string(rune('g' + r.IntN(3))) }
func (r *random) title() string        { return string(rune('p' + r.IntN(2))) }
func (r *random) id() uint64           { return uint64(1 + r.IntN(4)) }

var errUndone = errors.New("undone")

// write makes a write, alone or among others.
func (r *random) write(db *gorm.DB) (said string, err error) {
	if r.IntN(6) == 0 {
		db, said = db.Session(&gorm.Session{SkipHooks: true}), "skip hooks: "
	}
	if r.IntN(3) > 0 {
		text, err := r.one(db)
		return said + text, err
	}
	err = db.Transaction(func(tx *gorm.DB) error {
		for range 1 + r.IntN(3) {
			if r.IntN(3) > 0 {
				text, err := r.one(tx)
				if said += "; " + text; err != nil {
					return err
				}
				continue
			}
			err := tx.Transaction(func(tx *gorm.DB) error {
				text, err := r.one(tx)
				if said += "; {" + text + "}"; err == nil && r.IntN(2) == 0 {
					err = errUndone
				}
				return err
			})
			if err != nil {
				said += " undone"
			}
		}
		if r.IntN(6) == 0 {
			return errUndone
		}
		return nil
	})
	return said, err
}

// one makes one write.
func (r *random) one(db *gorm.DB) (string, error) {
	id, code := r.id(), r.code()
	switch r.IntN(8) {
	case 0:
		v := r.of(&seams.Town{ID: id}, &seams.Merchant{ID: id}, &seams.Croupon{ID: id}, &seams.Tag{Name: r.tag()}, &seams.Place{ID: id}, &seams.Label{ID: id},
			&seams.CrouponPlace{CrouponID: id, PlaceID: r.id()}, &[]seams.Merchant{{ID: id}, {ID: 3}})
		said := fmt.Sprintf("delete %T %+v", v, v)
		switch r.IntN(4) {
		case 0:
			db = db.Unscoped()
			said += " unscoped"
		case 1:
			db = db.Select(clause.Associations)
			said += " with associations"
		}
		return said, db.Delete(v).Error
	case 1:
		v := r.of(&seams.Town{}, &seams.Merchant{}, &seams.Croupon{}, &seams.Place{}, &seams.Label{}, &[]seams.Merchant{}, &[]seams.Croupon{})
		where := r.of("id > ?", "id < ?", "id = ? OR id = 3").(string)
		if r.IntN(2) == 0 && r.name != "mysql" {
			db = db.Clauses(clause.Returning{})
		}
		if r.IntN(2) == 0 {
			db = db.Unscoped()
		}
		return fmt.Sprintf("delete %T %s %d", v, where, id), db.Where(where, id).Delete(v).Error
	case 2:
		return r.update(db, id, code)
	case 3:
		return r.upsert(db, id, code)
	case 4, 5:
		return r.associate(db, id, code)
	case 6:
		return r.nested(db, id, code)
	}
	return r.text(db, id, code)
}

func (r *random) update(db *gorm.DB, id uint64, code string) (string, error) {
	said := fmt.Sprint(" ", id, " ", code)
	switch r.IntN(9) {
	case 0:
		return "code" + said, db.Model(&seams.Merchant{ID: id}).Update("code", code).Error
	case 1:
		return "codes swapped", db.Model(&seams.Merchant{}).Where("id > ?", id).Update("code", gorm.Expr("CASE code WHEN 'a' THEN 'd' ELSE code END")).Error
	case 2:
		return "save" + said, db.Save(&seams.Merchant{ID: id, Code: code, TownID: to(uint64(2))}).Error
	case 3:
		return "croupon moves" + said, db.Model(&seams.Croupon{}).Where("id >= ?", id).Updates(map[string]any{"merchant_id": r.id(), "title": r.title()}).Error
	case 4:
		return "tag's key", db.Model(&seams.Tag{}).Where("name = ?", r.tag()).Update("name", r.tag()).Error
	case 5:
		return "tag's weight", db.Model(&seams.Tag{Name: r.tag()}).UpdateColumn("weight", gorm.Expr("? - weight", 3)).Error
	case 6:
		return "croupon comes back" + said, db.Unscoped().Model(&seams.Croupon{ID: id}).Update("deleted_at", nil).Error
	case 7:
		return "join comes back" + said, db.Unscoped().Model(&seams.CrouponPlace{}).Where("croupon_id = ?", id).Update("deleted_at", nil).Error
	}
	return "label" + said, db.Model(&seams.Label{ID: id}).Select("text", "merchant_code").Updates(seams.Label{Text: code, MerchantCode: to(code)}).Error
}

func (r *random) upsert(db *gorm.DB, id uint64, code string) (string, error) {
	on := r.of(clause.OnConflict{UpdateAll: true}, clause.OnConflict{DoNothing: true},
		clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"code"})},
		clause.OnConflict{Columns: []clause.Column{{Name: "code"}}, DoUpdates: clause.AssignmentColumns([]string{"town_id"})},
		clause.OnConflict{Columns: []clause.Column{{Name: "code"}}, DoUpdates: clause.Assignments(map[string]any{"code": r.code(), "name": "z"})},
	).(clause.OnConflict)
	said := fmt.Sprintf("upsert %d %s %+v", id, code, on)
	db = db.Clauses(on)
	if r.IntN(4) == 0 {
		said, db = fmt.Sprintf("insert %d %s", id, code), db.Session(&gorm.Session{NewDB: true})
		if r.name == "sqlite" {
			said, db = "or replace "+said, db.Clauses(clause.Insert{Modifier: "OR REPLACE"})
		}
	}
	if r.IntN(3) == 0 {
		return said + " without a key", db.Create(&seams.Merchant{Code: code, TownID: to(uint64(2))}).Error
	}
	return said, db.Create(&[]seams.Merchant{{ID: id, Code: code, TownID: to(uint64(2))}, {ID: 5, Code: "d"}}[r.IntN(2)]).Error
}

func (r *random) associate(db *gorm.DB, id uint64, code string) (string, error) {
	owner, field := any(&seams.Merchant{ID: id, Code: code}), r.of("Croupons", "Labels", "Twins", "Town").(string)
	var value any
	switch field {
	case "Croupons":
		value = r.of(&seams.Croupon{ID: r.id(), Title: r.title()}, &seams.Croupon{Title: "new"})
	case "Labels":
		value = r.of(&seams.Label{ID: r.id()}, &seams.Label{Text: "new"})
	case "Twins":
		value = &seams.Merchant{ID: r.id(), Code: r.code()}
	case "Town":
		value = r.of(&seams.Town{ID: r.id(), Name: "t"}, &seams.Town{Name: "new"})
	}
	switch r.IntN(3) {
	case 0:
		owner, field = &seams.Croupon{ID: id, MerchantID: 1}, "Tags"
		value = &seams.Tag{Name: r.tag()}
	case 1:
		owner, field = &seams.Croupon{ID: id, MerchantID: 1}, "Places"
		value = r.of(&seams.Place{ID: r.id()}, &seams.Place{Name: "new"})
	}
	a := db.Model(owner).Association(field)
	if r.IntN(4) == 0 {
		a = a.Unscoped()
	}
	if a.Error != nil {
		return "association", a.Error
	}
	said := fmt.Sprintf(" %T %d.%s %+v", owner, id, field, value)
	switch r.IntN(4) {
	case 0:
		return "append" + said, a.Append(value)
	case 1:
		return "replace" + said, a.Replace(value)
	case 2:
		return "association delete" + said, a.Delete(value)
	}
	return "clear" + said, a.Clear()
}

func (r *random) nested(db *gorm.DB, id uint64, code string) (string, error) {
	m := &seams.Merchant{ID: id, Code: code, Town: &seams.Town{ID: r.id(), Name: "n"},
		Croupons: []seams.Croupon{{ID: r.id(), Title: r.title(), Tags: []seams.Tag{{Name: r.tag()}}, Places: []seams.Place{{Name: "n"}}}, {Title: "n"}},
		Labels:   []*seams.Label{{ID: r.id(), Text: "n"}}}
	said := fmt.Sprintf(" nested %d %s", id, code)
	switch r.IntN(4) {
	case 0:
		return "create" + said, db.Create(m).Error
	case 1:
		return "save" + said, db.Save(m).Error
	case 2:
		return "full save" + said, db.Session(&gorm.Session{FullSaveAssociations: true}).Save(m).Error
	}
	return "full update" + said, db.Session(&gorm.Session{FullSaveAssociations: true}).Updates(m).Error
}

var tablesInText = regexp.MustCompile(`\b(merchants|towns|tags|croupons|croupon_tags|croupon_places|labels|twins)\b`)

func (r *random) text(db *gorm.DB, id uint64, code string) (string, error) {
	texts := []string{
		"DELETE FROM merchants WHERE id = %[1]d",
		"DELETE FROM towns WHERE id = %[1]d",
		"DELETE FROM tags WHERE name = '%[3]s'",
		"DELETE FROM croupons WHERE id = %[1]d",
		"DELETE FROM croupon_tags WHERE croupon_id = %[1]d",
		"UPDATE tags SET name = 'i' WHERE name = '%[3]s'",
		"UPDATE merchants SET code = '%[2]s' WHERE id = %[1]d",
		"UPDATE labels SET merchant_code = '%[2]s' WHERE id = %[1]d",
		"INSERT INTO twins (merchant_id, twin_id) VALUES (%[1]d, 2)",
		"INSERT INTO croupon_tags (croupon_id, tag_name) VALUES (%[1]d, '%[3]s')",
		"UPDATE croupon_places SET deleted_at = NULL WHERE place_id = %[1]d",
	}
	switch r.name {
	case "sqlite":
		texts = append(texts, "REPLACE INTO merchants (id, name, code) VALUES (%[1]d, 'z', '%[2]s')", "UPDATE OR REPLACE merchants SET code = '%[2]s' WHERE id = %[1]d",
			"UPDATE OR REPLACE tags SET name = '%[3]s'")
	case "postgres":
		texts = append(texts, "WITH gone AS (DELETE FROM towns WHERE id = %[1]d RETURNING id) DELETE FROM merchants m USING gone WHERE m.town_id = gone.id",
			"TRUNCATE twins", "MERGE INTO merchants m USING towns t ON m.id = t.id WHEN MATCHED THEN UPDATE SET code = '%[2]s'")
	case "mysql":
		texts = append(texts, "REPLACE INTO merchants (id, name, code) VALUES (%[1]d, 'z', '%[2]s')",
			"DELETE m, c FROM merchants m JOIN croupons c ON c.merchant_id = m.id WHERE m.id = %[1]d")
	}
	text := fmt.Sprintf(texts[r.IntN(len(texts))]+"%[4]s", id, code, r.tag(), "")
	if named(db, "t") != "t" {
		text = tablesInText.ReplaceAllString(text, named(db, "$1"))
	}
	return text, db.Exec(text).Error
}
