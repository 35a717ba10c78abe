package writes_test

import (
	"database/sql"
	"errors"
	"testing"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Word has a list by a column that the database makes of another.
type Word struct {
	ID     uint64
	Text   string
	Folded string `gorm:"->;type:text GENERATED ALWAYS AS (lower(text)) STORED"`
}

// behaviour 97: an update of what a generated column is made of.
func TestGeneratedColumn(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		if err := w.db.AutoMigrate(&Word{}); err != nil {
			t.Fatal(err)
		}
		words := cacheruntime.NewTable(w.rt, cacheruntime.TableSpec{
			Model:  "Word",
			Fields: []cacheruntime.Field{{Path: "ID", Type: "uint64", PrimaryKey: true}, {Path: "Text", Type: "string"}, {Path: "Folded", Type: "string"}},
			New:    func() any { return new(Word) },
			KeyArgs: func(to []cacheruntime.Arg, row any) []cacheruntime.Arg {
				return append(to, cacheruntime.Uint(row.(*Word).ID))
			},
			Encode: func(b []byte, _ any) []byte { return b }, Decode: func(*cacheruntime.Decoder, any) {},
		})
		words.List(cacheruntime.IndexSpec{Name: "ListByFolded", By: []string{"Folded"},
			Args: func(to []cacheruntime.Arg, row any) []cacheruntime.Arg {
				v := row.(*Word)
				return append(to, cacheruntime.Text(v.Folded))
			}})
		if err := words.Register(); err != nil {
			t.Fatal(err)
		}
		w.spy.take()
		w.flushes("Create", func() error { return w.db.Create(&Word{ID: 1, Text: "A"}).Error }, "words:1", "words.ListByFolded(a)")
		w.flushes("Update by key", func() error { return w.db.Model(&Word{ID: 1}).Update("text", "B").Error },
			"words:1", "words.ListByFolded(a)", "words.ListByFolded(b)")
		w.flushes("Save", func() error { return w.db.Save(&Word{ID: 1, Text: "C"}).Error },
			"words:1", "words.ListByFolded(b)", "words.ListByFolded(c)")
	})
}

// behaviour 44: a trigger that does something else in the write's place, and counts no row.
func TestTriggerInstead(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		if w.d.Name == "mysql" {
			return // whose triggers cannot write their own table
		}
		for _, q := range on(w, []string{
			"CREATE TRIGGER del BEFORE DELETE ON croupons BEGIN UPDATE croupons SET city = 'x' WHERE id = OLD.id; SELECT RAISE(IGNORE); END",
			"CREATE TRIGGER ins BEFORE INSERT ON croupons BEGIN UPDATE croupons SET city = 'y' WHERE id = 2; SELECT RAISE(IGNORE); END",
		}, []string{
			"CREATE FUNCTION del() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE croupons SET city = 'x' WHERE id = OLD.id; RETURN NULL; END $$",
			"CREATE TRIGGER del BEFORE DELETE ON croupons FOR EACH ROW EXECUTE FUNCTION del()",
			"CREATE FUNCTION ins() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE croupons SET city = 'y' WHERE id = 2; RETURN NULL; END $$",
			"CREATE TRIGGER ins BEFORE INSERT ON croupons FOR EACH ROW EXECUTE FUNCTION ins()",
		}, nil) {
			w.past(q)
		}
		w.flushes("Delete", func() error { return w.db.Delete(&Croupon{ID: 1}).Error }, cities(1, "portland", "x")...)
		w.flushes("Delete of no row", func() error { return w.db.Delete(&Croupon{ID: 9}).Error })
		w.flushes("Create", func() error { return w.db.Create(&Croupon{ID: 8, Slug: "z"}).Error }, "croupons")
	})
}

// behaviour 45: of a batch, GORM gives the key of one row to the struct of another.
func TestDoNothingWithAndWithoutKeys(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.flushes("DO NOTHING", func() error {
			return w.db.Clauses(clause.OnConflict{DoNothing: true}).Create([]*Note{{ID: 5, Topic: "a"}, {Topic: "b"}}).Error
		}, "notes")
		w.flushes("DO NOTHING with keys", func() error {
			return w.db.Clauses(clause.OnConflict{DoNothing: true}).Create([]*Note{{ID: 7, Topic: "a"}, {ID: 8, Topic: "b"}}).Error
		}, "notes:7", "notes:8", "notes.ListByTopic(a)", "notes.ListByTopic(b)")
	})
}

// behaviour 42: a create with a key in the struct that is not sent.
func TestKeyLeftOut(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		returning := func(column string) *gorm.DB {
			return w.db.Clauses(clause.Returning{Columns: []clause.Column{{Name: column}}})
		}
		omitted := whole(4, "d", "bend")
		if !w.returnsKeys() {
			omitted = []string{"croupons"}
		}
		w.flushes("Omit", func() error {
			return w.db.Omit("ID").Create(&Croupon{ID: 1, Slug: "d", City: "bend", Active: true}).Error
		}, omitted...)
		w.flushes("Omit, and the key is not returned", func() error {
			return returning("title").Omit("ID").Create(&Croupon{ID: 1, Slug: "e", City: "bend", Active: true}).Error
		}, "croupons")
		w.flushes("Select without the key", func() error {
			return returning("title").Select("Slug", "City").Create(&Croupon{ID: 1, Slug: "f", City: "bend"}).Error
		}, "croupons")
		w.flushes("Select of a value without a key", func() error {
			return w.db.Select("Slug", "City").Create(&Croupon{Slug: "g", City: "bend"}).Error
		}, "croupons:7", "croupons.GetBySlug(g)", "croupons.ListByCity(bend)", "croupons.ListByTier(basic)")
	})
}

// behaviour 43: a table that is an expression with arguments.
func TestTableWithArguments(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		for what, db := range map[string]*gorm.DB{
			"a name": w.db.Table("? AS c", clause.Table{Name: "croupons"}), "an expression": w.db.Table("?", gorm.Expr("croupons")),
		} {
			w.flushes(what, func() error { return db.Where("id = 1").Updates(map[string]any{"city": what}).Error }, everything...)
		}
	})
}

// behaviour 55: a savepoint with more behind it.
func TestSavepointAndMore(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.flushes("SAVEPOINT and UPDATE", func() error {
			return w.db.Transaction(func(tx *gorm.DB) error {
				return tx.Exec("SAVEPOINT a; UPDATE croupons SET city = 'x' WHERE id = 1").Error
			})
		}, "croupons")
		w.flushes("RELEASE and DELETE", func() error {
			return w.db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("SAVEPOINT a").Error, tx.Exec("RELEASE SAVEPOINT a; DELETE FROM croupons WHERE id = 2").Error)
			})
		}, "croupons")
		// The second a is not seen; going back to it keeps what came before.
		w.flushes("two savepoints of one name", func() error {
			return w.db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("SAVEPOINT a").Error, tx.Model(&Merchant{}).Create(&Merchant{ID: 1}).Error,
					tx.Exec("SELECT 1; SAVEPOINT a").Error, tx.Exec("ROLLBACK TO a").Error)
			})
		}, "merchants:1")
	}, several)
}

// behaviour 53: a transaction that text has ended.
func TestTransactionEndedByText(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.title(cached, 1)
		tx := w.db.Begin()
		if err := errors.Join(tx.Model(&Croupon{ID: 1}).Update("title", "kept").Error, tx.Exec("COMMIT").Error); err != nil {
			t.Fatal(err)
		}
		if got := w.title(cached, 1); got != "kept" {
			t.Errorf("after COMMIT as text: %q", got)
		}
		tx.Rollback()
		if got := w.title(cached, 1); got != "kept" {
			t.Errorf("after Rollback: %q", got)
		}
	})
}

// A write that comes to its end when its transaction has been committed by another goroutine: which of
// them was first is not known, so that readers go to the database for a while.
func TestWriteOutlivesItsTransaction(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.title(cached, 1)
		tx := w.db.Begin()
		if err := w.db.Callback().Update().After("gorm:update").Before("cachegen:after").Register("commit", func(*gorm.DB) { tx.Commit() }); err != nil {
			t.Fatal(err)
		}
		w.flushes("the write", func() error { return tx.Model(&Croupon{ID: 1}).Update("title", "late").Error }, "croupons:1")
		if n := len(w.spy.faults()); n != 1 {
			t.Errorf("reported %d times", n)
		}
		for range 2 {
			if got := w.title(cached, 1); got != "late" {
				t.Errorf("the title is %q", got)
			}
		}
		w.flushes("a statement in a transaction that has ended", func() error {
			if err := tx.Exec("UPDATE croupons SET title = 'never'").Error; !errors.Is(err, sql.ErrTxDone) {
				t.Errorf("no sql.ErrTxDone: %v", err)
			}
			return nil
		})
	})
}

// schemaMerchant is a merchant, by the name of its table with its schema's.
type schemaMerchant struct {
	ID   uint64
	Name string
}

// schemaName is the schema that the tables of the test under way are in.
var schemaName string

func (schemaMerchant) TableName() string { return schemaName + ".merchants" }

// behaviour 93: one table by two names, with its schema's and without.
func TestTableWithSchema(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		if schemaName = "main"; w.d.Name != "sqlite" {
			if err := w.db.Raw("SELECT " + on(w, "", "current_schema()", "database()")).Scan(&schemaName).Error; err != nil {
				t.Fatal(err)
			}
		}
		qualified := cacheruntime.NewTable(w.rt, cacheruntime.TableSpec{
			Model:  "schemaMerchant",
			Fields: []cacheruntime.Field{{Path: "ID", Type: "uint64", PrimaryKey: true}, {Path: "Name", Type: "string"}},
			New:    func() any { return new(schemaMerchant) },
			KeyArgs: func(to []cacheruntime.Arg, row any) []cacheruntime.Arg {
				return append(to, cacheruntime.Uint(row.(*schemaMerchant).ID))
			},
			Encode: func(b []byte, _ any) []byte { return b }, Decode: func(*cacheruntime.Decoder, any) {},
		})
		if err := qualified.Register(); err != nil {
			t.Fatal(err)
		}
		w.seed(&Merchant{ID: 1})
		w.flushes("by the name alone", func() error { return w.db.Model(&Merchant{ID: 1}).Update("name", "x").Error }, "merchants:1", schemaName+".merchants")
		w.flushes("with the schema", func() error { return w.db.Model(&schemaMerchant{ID: 1}).Update("name", "y").Error }, schemaName+".merchants:1", "merchants")
	})
}
