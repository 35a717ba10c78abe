package writes_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"gorm.io/gorm"
)

// whole are the lists that an active croupon is on.
func whole(id uint64, slug, city string) []string {
	return []string{
		fmt.Sprintf("croupons:%d", id), "croupons.GetBySlug(" + slug + ")", "croupons.ListByTier(basic)",
		"croupons.ListByCity(" + city + ")", "croupons.ListPopular(" + city + ")", "croupons.CountActive(" + city + ")",
	}
}

// cities are the lists by city of an active croupon, and its own.
func cities(id uint64, names ...string) []string {
	lists := []string{fmt.Sprintf("croupons:%d", id)}
	for _, n := range names {
		lists = append(lists, "croupons.ListByCity("+n+")", "croupons.ListPopular("+n+")", "croupons.CountActive("+n+")")
	}
	return lists
}

// union joins lists, each once.
func union(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

func three() []any {
	return []any{
		&Croupon{ID: 1, Slug: "a", City: "portland", Active: true, Popularity: 1},
		&Croupon{ID: 2, Slug: "b", City: "portland", Active: true, Popularity: 2},
		&Croupon{ID: 3, Slug: "c", City: "eugene", Active: false, Popularity: 3},
	}
}

// behaviour 42
func TestCreate(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.flushes("Create", func() error { return w.db.Create(&Croupon{Slug: "a", City: "portland", Active: true}).Error },
			whole(1, "a", "portland")...)
		w.flushes("Create of a slice", func() error {
			return w.db.Create([]*Croupon{{Slug: "b", City: "portland", Active: true}, {Slug: "c", City: "eugene", Active: true}}).Error
		}, union(whole(2, "b", "portland"), whole(3, "c", "eugene"))...)
		w.flushes("CreateInBatches", func() error {
			return w.db.CreateInBatches([]Croupon{{Slug: "d", City: "x"}, {Slug: "e", City: "z"}}, 2).Error
		}, "croupons:4", "croupons:5", "croupons.GetBySlug(d)", "croupons.GetBySlug(e)", "croupons.ListByCity(x)", "croupons.ListByCity(z)",
			"croupons.ListByTier(basic)")
		w.flushes("Save without a key", func() error { return w.db.Save(&Croupon{Slug: "f", City: "salem", Active: true}).Error },
			whole(6, "f", "salem")...)
		w.flushes("Save of a key that is not there", func() error {
			return w.db.Save(&Croupon{ID: 70, Slug: "g", City: "salem", Active: true}).Error
		}, whole(70, "g", "salem")...)
		w.flushes("Create with a map", func() error {
			return w.db.Model(&Croupon{}).Create(map[string]any{"slug": "h", "city": "bend"}).Error
		}, "croupons")
		w.flushes("Create of what has no lists", func() error { return w.db.Create(&Merchant{Name: "m"}).Error }, "merchants:1")
	})
}

// behaviour 42, 29
func TestUpdate(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		one := func() *Croupon {
			var c Croupon
			if err := w.db.First(&c, 1).Error; err != nil {
				t.Fatal(err)
			}
			return &c
		}
		c := one()
		w.log.take()
		w.flushes("Update of a title", func() error { return w.db.Model(c).Update("Title", "t").Error }, "croupons:1")
		if sql := w.log.take(); len(sql) != 1 {
			t.Errorf("an update of a title, by key, made %d statements: %q", len(sql), sql)
		}
		w.flushes("UpdateColumn of a title", func() error { return w.db.Model(c).UpdateColumn("title", "u").Error }, "croupons:1")
		w.flushes("Updates(map) of a city", func() error {
			return w.db.Model(&Croupon{ID: 1}).Updates(map[string]any{"city": "eugene"}).Error
		}, cities(1, "portland", "eugene")...)
		w.flushes("Updates(struct) of an order column", func() error {
			return w.db.Model(&Croupon{ID: 1}).Updates(Croupon{Popularity: 9}).Error
		}, "croupons:1", "croupons.ListPopular(eugene)")
		w.flushes("Updates(struct) with the same key", func() error {
			return w.db.Model(&Croupon{ID: 1}).Updates(Croupon{ID: 1, Title: "v"}).Error
		}, "croupons:1")
		w.flushes("Updates(struct) that changes the key", func() error {
			return w.db.Model(&Croupon{ID: 3}).Updates(Croupon{ID: 33}).Error
		}, "croupons")
		c = one()
		c.Title = "w"
		w.flushes("Save of a title", func() error { return w.db.Save(c).Error }, "croupons:1")
		c.Slug, c.Active = "a2", false
		w.flushes("Save of slug and active", func() error { return w.db.Save(c).Error },
			"croupons:1", "croupons.GetBySlug(a)", "croupons.GetBySlug(a2)", "croupons.ListPopular(eugene)", "croupons.CountActive(eugene)")
		w.flushes("Select and Updates", func() error {
			return w.db.Model(&Croupon{ID: 1}).Select("Active").Updates(Croupon{Active: true, City: "bend"}).Error
		}, "croupons:1", "croupons.ListPopular(eugene)", "croupons.CountActive(eugene)")
		w.flushes("Update of no row", func() error { return w.db.Model(&Croupon{ID: 99}).Update("city", "x").Error })
		w.flushes("Save of a slice", func() error {
			return w.db.Save([]Croupon{{ID: 1, Slug: "a2", City: "eugene", Popularity: 9, Active: true, Tier: "basic", Title: "x"},
				{ID: 4, Slug: "d", City: "salem", Tier: "basic"}}).Error
		}, "croupons:1", "croupons:4", "croupons.GetBySlug(d)", "croupons.ListByCity(salem)", "croupons.ListByTier(basic)")
		w.flushes("Update of what has no lists", func() error { return w.db.Save(&Merchant{Name: "m"}).Error }, "merchants:1")
		if f := w.spy.faults(); len(f) > 0 {
			t.Error(f)
		}
	})
}

// behaviour 43
func TestUpdateWhere(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.flushes("Update of the column that it asks for", func() error {
			tx := w.db.Model(&Croupon{}).Where("city = ?", "portland").Update("city", "salem")
			if tx.RowsAffected != 2 {
				t.Errorf("%d rows, not 2", tx.RowsAffected)
			}
			return tx.Error
		}, union(cities(1, "portland", "salem"), cities(2, "portland", "salem"))...)
		w.flushes("Update with an expression", func() error {
			return w.db.Model(&Croupon{}).Where("popularity > ?", 1).Update("popularity", gorm.Expr("popularity + ?", 1)).Error
		}, "croupons:2", "croupons:3", "croupons.ListPopular(salem)")
		w.flushes("Update with OR", func() error {
			return w.db.Model(&Croupon{}).Where("id = ?", 1).Or("id = ?", 3).Updates(map[string]any{"title": "or"}).Error
		}, "croupons:1", "croupons:3")
		w.flushes("Update by key, with OR", func() error { // GORM writes a OR b AND key
			return w.db.Model(&Croupon{ID: 1}).Where("id = ?", 2).Or("id = ?", 1).Update("title", "or").Error
		}, "croupons")
		w.flushes("Update through a table's name", func() error {
			return w.db.Table("croupons").Where("id IN ?", []int{1, 2}).Updates(map[string]any{"city": "bend"}).Error
		}, union(cities(1, "salem", "bend"), cities(2, "salem", "bend"))...)
		w.flushes("Update through an alias", func() error {
			return w.db.Table("croupons AS c").Where("id = 1").Updates(map[string]any{"title": "alias"}).Error
		}, "croupons")
		w.flushes("Update by a subquery", func() error {
			return w.db.Model(&Croupon{}).Where("id IN (?)", w.db.Model(&Croupon{}).Select("id").Where("city = ?", "eugene")).
				Update("slug", "c2").Error
		}, "croupons:3", "croupons.GetBySlug(c)", "croupons.GetBySlug(c2)")
		w.flushes("Update of no row", func() error { return w.db.Model(&Croupon{}).Where("city = ?", "none").Update("city", "x").Error })
		w.flushes("global Update", func() error {
			return w.db.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(&Croupon{}).Update("title", "all").Error
		}, "croupons:1", "croupons:2", "croupons:3")
		w.flushes("Update of a slice", func() error {
			return w.db.Model([]Croupon{{ID: 1}, {ID: 2}}).Update("title", "slice").Error
		}, "croupons:1", "croupons:2")
	})
}

// behaviour 43: a chain that goes on after a write has the conditions that it would have without us.
func TestChainGoesOn(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		q := w.db.Model(&Croupon{}).Where("city = ?", "portland")
		if err := q.Update("city", "bend").Error; err != nil {
			t.Fatal(err)
		}
		var n int64
		if err := q.Count(&n).Error; err != nil || n != 0 {
			t.Errorf("Count with the condition city = portland: %d, %v", n, err)
		}

		// With soft deletion, GORM has left its own condition in the chain.
		w.seed(&Note{ID: 1, Topic: "a"}, &Note{ID: 2, Topic: "b"})
		q = w.db.Model(&Note{}).Where("topic = ?", "a").Or("topic = ?", "c")
		w.flushes("the first update", func() error { return q.Update("topic", "c").Error }, "notes:1", "notes.ListByTopic(a)", "notes.ListByTopic(c)")
		w.flushes("the second update", func() error { return q.Update("topic", "d").Error }, "notes:1", "notes.ListByTopic(c)", "notes.ListByTopic(d)")
	})
}

// behaviour 43: a condition that is different each time it is asked.
func TestRandomCondition(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		for i := range 20 {
			w.seed(&Croupon{Slug: fmt.Sprint("s", i), City: "portland"})
		}
		for range 10 {
			// MariaDB takes a LIMIT one level further in.
			tx := w.db.Model(&Croupon{}).Where("id IN (SELECT id FROM (SELECT id FROM croupons WHERE city = 'portland' ORDER BY "+
				on(w, "random()", "random()", "rand()")+" LIMIT 1) AS one)").Update("city", "salem")
			if tx.Error != nil || tx.RowsAffected != 1 {
				t.Fatalf("%d rows, %v", tx.RowsAffected, tx.Error)
			}
			var changed []uint64
			w.db.Model(&Croupon{}).Where("city = ?", "salem").Pluck("id", &changed)
			w.flushed("a random update", fmt.Sprintf("croupons:%d", changed[0]), "croupons.ListByCity(portland)", "croupons.ListByCity(salem)")
			w.db.Model(&Croupon{ID: changed[0]}).Update("city", "gone")
			w.spy.take()
		}
	})
}

// behaviour 44
func TestDelete(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.seed(&Croupon{ID: 4, Slug: "d", City: "bend", Active: true}, &Merchant{ID: 1}, &Merchant{ID: 2})
		w.flushes("Delete by value", func() error {
			return w.db.Delete(&Croupon{ID: 1, City: "not what the row says"}).Error
		}, whole(1, "a", "portland")...)
		w.flushes("Delete by ids", func() error { return w.db.Delete(&Croupon{}, []int{2, 99}).Error }, whole(2, "b", "portland")...)
		w.flushes("Delete where", func() error { return w.db.Where("city = ?", "eugene").Delete(&Croupon{}).Error },
			"croupons:3", "croupons.GetBySlug(c)", "croupons.ListByCity(eugene)", "croupons.ListByTier(basic)")
		w.flushes("Delete through another struct", func() error { return w.db.Delete(&slimCroupon{ID: 4}).Error }, whole(4, "d", "bend")...)
		w.flushes("Delete of no row", func() error { return w.db.Delete(&Croupon{ID: 1}).Error })
		w.log.take()
		w.flushes("Delete of what has no lists", func() error { return w.db.Delete(&Merchant{ID: 1}).Error }, "merchants:1")
		if sql := w.log.take(); len(sql) != 1 {
			t.Errorf("a delete by key, of a model without lists, made %d statements: %q", len(sql), sql)
		}
		w.flushes("Delete where, of what has no lists", func() error { return w.db.Where("id > 0").Delete(&Merchant{}).Error }, "merchants:2")
	})
}

// behaviour 44: soft deletion
func TestSoftDelete(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(&Note{ID: 1, Topic: "a"}, &Note{ID: 2, Topic: "a"}, &Note{ID: 3, Topic: "b"})
		w.flushes("Delete", func() error { return w.db.Delete(&Note{ID: 1}).Error }, "notes:1", "notes.ListByTopic(a)")
		w.flushes("Delete again", func() error { return w.db.Delete(&Note{ID: 1}).Error })
		w.flushes("Update of the living", func() error { return w.db.Model(&Note{}).Where("topic = ?", "a").Update("topic", "c").Error },
			"notes:2", "notes.ListByTopic(a)", "notes.ListByTopic(c)")
		w.flushes("restoring", func() error { return w.db.Unscoped().Model(&Note{ID: 1}).Update("deleted_at", nil).Error },
			"notes:1", "notes.ListByTopic(a)")
		w.flushes("Unscoped Delete", func() error { return w.db.Unscoped().Delete(&Note{ID: 1}).Error }, "notes:1", "notes.ListByTopic(a)")
		w.flushes("Delete where", func() error { return w.db.Where("topic = ?", "b").Or("topic = ?", "c").Delete(&Note{}).Error },
			"notes:2", "notes:3", "notes.ListByTopic(b)", "notes.ListByTopic(c)")
		var n int64
		if w.db.Model(&Note{}).Count(&n); n != 0 {
			t.Errorf("%d notes are left", n)
		}
	})
}

// behaviour 42, composite keys
func TestCompositeKeys(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		var docs []Document
		for i := range 30 {
			docs = append(docs, Document{Org: "x", No: int64(i), Shelf: "s"})
		}
		w.seed(docs)
		w.flushes("Update by key", func() error { return w.db.Model(&Document{Org: "x", No: 5}).Update("title", "t").Error }, "documents:x,5")
		w.flushes("Update by a part of the key", func() error {
			return w.db.Model(&Document{Org: "x"}).Where("no < 2").Update("shelf", "u").Error
		}, "documents:x,0", "documents:x,1", "documents.ListByShelf(s)", "documents.ListByShelf(u)")
		tx := w.db.Where("no >= ?", 10).Delete(&Document{Org: "x", No: 11})
		if tx.Error != nil || tx.RowsAffected != 1 {
			t.Fatalf("%d rows, %v", tx.RowsAffected, tx.Error)
		}
		w.flushed("Delete", "documents:x,11", "documents.ListByShelf(s)")
		tx = w.db.Where("no >= ?", 10).Delete(&Document{})
		if tx.Error != nil || tx.RowsAffected != 19 {
			t.Fatalf("%d rows, %v", tx.RowsAffected, tx.Error)
		}
		if n := len(w.spy.take()); n != 20 {
			t.Errorf("%d lists, not 20", n)
		}
	})
}

// behaviour 108
func TestMissingWhere(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.seed(&Note{ID: 1, Topic: "a"}, &Merchant{ID: 1, Name: "m"})
		for name, write := range map[string]func() error{
			"Delete":            func() error { return w.db.Delete(&Croupon{}).Error },
			"Delete of a slice": func() error { return w.db.Delete(&[]Croupon{}).Error },
			"soft Delete":       func() error { return w.db.Delete(&Note{}).Error },
			"Unscoped Delete":   func() error { return w.db.Unscoped().Delete(&Note{}).Error },
			"Delete, no lists":  func() error { return w.db.Delete(&Merchant{}).Error },
			"Update":            func() error { return w.db.Model(&Croupon{}).Update("city", "x").Error },
			"Update of a title": func() error { return w.db.Model(&Croupon{}).Update("title", "x").Error },
			"Updates":           func() error { return w.db.Model(&Croupon{}).Updates(Croupon{City: "x"}).Error },
			"UpdateColumn":      func() error { return w.db.Model(&Croupon{}).UpdateColumn("city", "x").Error },
			"Update of a table": func() error { return w.db.Table("croupons").Updates(map[string]any{"city": "x"}).Error },
			"soft Update":       func() error { return w.db.Model(&Note{}).Update("topic", "x").Error },
			"slim Update":       func() error { return w.db.Model(&slimCroupon{}).Update("city", "x").Error },
			"Unscoped Update":   func() error { return w.db.Unscoped().Model(&Note{}).Update("topic", "x").Error },
			"Delete in Session": func() error { return w.db.Session(&gorm.Session{SkipHooks: true}).Delete(&Croupon{}).Error },
		} {
			if err := write(); !errors.Is(err, gorm.ErrMissingWhereClause) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.flushed("refused writes")
		var croupons, notes, changed int64
		w.db.Model(&Croupon{}).Count(&croupons)
		w.db.Model(&Note{}).Count(&notes)
		w.db.Model(&Croupon{}).Where("city = 'x' OR title = 'x'").Count(&changed)
		if croupons != 3 || notes != 1 || changed != 0 {
			t.Errorf("%d croupons and %d notes are left, %d changed", croupons, notes, changed)
		}
	})
}

// behaviour 97
func TestValuesOfTheDatabase(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		for _, q := range on(w,
			[]string{"CREATE TRIGGER made AFTER INSERT ON croupons BEGIN UPDATE croupons SET tier = 'made' WHERE id = NEW.id; END"},
			[]string{"CREATE FUNCTION make() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tier = 'made'; RETURN NEW; END $$",
				"CREATE TRIGGER made BEFORE INSERT ON croupons FOR EACH ROW EXECUTE FUNCTION make()"},
			[]string{"CREATE TRIGGER made BEFORE INSERT ON croupons FOR EACH ROW SET NEW.tier = 'made'"}) {
			w.past(q)
		}
		w.flushes("a create with a trigger on it", func() error { return w.db.Create(&Croupon{Slug: "a", City: "bend"}).Error },
			"croupons:1", "croupons.GetBySlug(a)", "croupons.ListByCity(bend)", "croupons.ListByTier(made)")
	})
}

// A panic in code of ours, or of the generated code that names lists, is not the writer's: `all` falls.
func TestPluginPanics(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.flushes("a create", func() error { return w.db.Create(&Croupon{ID: 9, Slug: "panic"}).Error }, "croupons")
		w.flushes("an update", func() error { return w.db.Model(&Croupon{ID: 1}).Update("slug", "panic2").Error },
			"croupons:1", "croupons.GetBySlug(a)", "croupons.GetBySlug(panic2)")
		w.flushes("a delete", func() error { return w.db.Where("slug = ?", "panic").Delete(&Croupon{}).Error }, "croupons")
		if n := len(w.spy.faults()); n != 2 {
			t.Errorf("%d faults were reported, not 2", n)
		}
		var left int64
		if w.db.Model(&Croupon{}).Count(&left); left != 3 {
			t.Errorf("%d rows, not 3: the writes were not GORM's", left)
		}
	})
}

// What callbacks of the program's change just before GORM's own is judged with the rest.
func TestLateCallback(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		late := func(db *gorm.DB) {
			if db.Statement.Table == "croupons" {
				db.Statement.SetColumn("City", "late")
			}
		}
		if err := w.db.Callback().Update().Before("gorm:update").Register("late", late); err != nil {
			t.Fatal(err)
		}
		w.flushes("an update of a title", func() error {
			return w.db.Model(&Croupon{ID: 1}).Updates(map[string]any{"title": "x"}).Error
		}, "croupons:1", "croupons.ListByCity(portland)", "croupons.ListByCity(late)", "croupons.ListPopular(portland)", "croupons.ListPopular(late)",
			"croupons.CountActive(portland)", "croupons.CountActive(late)")
		w.flushes("an update that was read for", func() error {
			return w.db.Model(&Croupon{ID: 2}).Updates(map[string]any{"popularity": 7}).Error
		}, "croupons:2", "croupons.ListByCity(portland)", "croupons.ListByCity(late)", "croupons.ListPopular(portland)", "croupons.ListPopular(late)",
			"croupons.CountActive(portland)", "croupons.CountActive(late)")
	})
}
