package cascade_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/cascade"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// falls fails the test unless these lists fall while f runs. It returns why whole tables did.
func (w *world) falls(what, want string, f func() error) (reasons string) {
	w.t.Helper()
	w.heard.take()
	err := f()
	lists, _, reasons := w.heard.take()
	if got := strings.Join(lists, " "); got != want || err != nil {
		w.t.Errorf("%s: %v: fell\n\t%s (%s), want\n\t%s", what, err, got, reasons, want)
	}
	return reasons
}

// behaviour 40: where SQLite does not enforce foreign keys, nothing hangs on anything.
func TestNotEnforced(t *testing.T) {
	w := newWorld(t, fixture.SQLite(t))
	own := "merchants.GetByCode(a) merchants.ListByTownID(1) merchants:1"
	w.falls("a delete", own, func() error { return w.db.Delete(&cascade.Merchant{ID: 1}).Error })
	w.falls("SQL text", "", func() error { return w.db.Exec("DELETE FROM towns").Error })
	w.falls("SQL text in a transaction", "", func() error {
		return w.db.Transaction(func(tx *gorm.DB) error { return tx.Exec("DELETE FROM stalls").Error })
	})
	w.falls("a delete without a struct", "", func() error { return w.db.Table("books").Where("no = 1").Delete(nil).Error })
}

// behaviour 40: children above BulkRows fall as a table, and so does what hangs on them; the rest falls piece by piece.
func TestManyChildren(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, enforcing(d), func(_ *gorm.Config, o *cacheruntime.Options) { o.BulkRows = 4 })
		for i := range 5 {
			w.past(fmt.Sprintf("INSERT INTO croupons (id, title, merchant_id) VALUES (%d, 'm', 2)", 30+i),
				fmt.Sprintf("INSERT INTO stalls (id, merchant_id) VALUES (%d, 1)", 30+i))
		}
		reasons := w.falls("many children",
			"croupon_tags croupons items.ListByStallID(2) items:3 labels.ListByMerchantCode(b) labels.ListByMerchantCode(~) labels:2 merchants.GetByCode(b) merchants.ListByTownID(1) merchants:2 reviews",
			func() error { return w.db.Delete(&cascade.Merchant{ID: 2}).Error })
		if reasons != "over BulkRows" {
			t.Errorf("the reason is %q", reasons)
		}
		w.falls("many rows of no model on the way",
			tags11+"croupons.CountByMerchantID(1) croupons.ListByMerchantID(1) croupons:11 croupons:12 items "+
				"labels.ListByMerchantCode(a) labels.ListByMerchantCode(~) labels:1 merchants.GetByCode(a) merchants.ListByTownID(1) merchants:1"+reviews1,
			func() error { return w.db.Delete(&cascade.Merchant{ID: 1}).Error })
		w.fill()
		for i := range 5 {
			w.past(fmt.Sprintf("INSERT INTO merchants (id, name, code, town_id) VALUES (%d, 'm', 'm%d', 2)", 30+i, i))
		}
		w.falls("many parents", "croupon_tags croupons items labels merchants reviews", func() error { return w.db.Where("id > 0").Delete(&cascade.Merchant{}).Error })
	})
}

// behaviour 40: a foreign key that this program adds, or drops, counts from then on; inside of the transaction that does so, too.
func TestNewForeignKey(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		if d.Name == "sqlite" {
			return // it adds none to a table
		}
		w := newWorld(t, enforcing(d))
		kind := map[string]string{"postgres": "bigint", "mysql": "bigint unsigned"}[d.Name]
		w.past("CREATE TABLE roots (id "+kind+" PRIMARY KEY)", "INSERT INTO roots VALUES (1)")
		add := "ALTER TABLE entries ADD CONSTRAINT more FOREIGN KEY (account_id) REFERENCES roots (id) ON DELETE CASCADE"
		drop := "ALTER TABLE entries DROP CONSTRAINT more"
		w.falls("before", "", func() error { return w.db.Delete(&root{ID: 99}).Error })
		w.must(w.db.Exec(add).Error)
		w.falls("after", "entries.ListByAccountID(1) entries:1", func() error { return w.db.Delete(&root{ID: 1}).Error })
		w.must(w.db.Exec(drop).Error)
		w.fill()
		w.past("INSERT INTO roots VALUES (1)")
		w.falls("dropped", "", func() error { return w.db.Delete(&root{ID: 1}).Error })
		if d.Name == "postgres" {
			w.fill()
			w.past("INSERT INTO roots VALUES (1)")
			w.falls("in a transaction", "entries", func() error {
				return w.db.Transaction(func(tx *gorm.DB) error {
					if err := tx.Exec(add).Error; err != nil {
						return err
					}
					return tx.Delete(&root{ID: 1}).Error
				})
			})
		}
	})
}

// behaviour 40: what PostgreSQL has besides.
func TestPostgres(t *testing.T) {
	w := newWorld(t, fixture.Postgres(t))
	for _, c := range []struct {
		what, falls string
		before      []string
		do          func() error
	}{
		{"a schema of its own", "entries.ListByAccountID(1) entries:1", []string{
			"CREATE SCHEMA s", "CREATE TABLE s.roots (id int PRIMARY KEY)", "INSERT INTO s.roots VALUES (1)",
			"ALTER TABLE entries ADD CONSTRAINT more FOREIGN KEY (id) REFERENCES s.roots ON DELETE CASCADE",
		}, func() error { return w.db.Delete(&elsewhere{ID: 1}).Error }},
		{"the same by its name", "entries", []string{
			"CREATE SCHEMA s", "CREATE TABLE s.roots (id int PRIMARY KEY)", "INSERT INTO s.roots VALUES (1)",
			"ALTER TABLE entries ADD CONSTRAINT more FOREIGN KEY (id) REFERENCES s.roots ON DELETE CASCADE",
		}, func() error { return w.db.Table("s.roots").Where("id = 1").Delete(nil).Error }},
		{"columns that SET NULL leaves", "entries.ListByAccountID(0) entries.ListByAccountID(1) entries:1", []string{
			"CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b))", "INSERT INTO pairs VALUES (1, 1)", "ALTER TABLE entries ALTER account_id DROP NOT NULL",
			"ALTER TABLE entries ADD CONSTRAINT more FOREIGN KEY (id, account_id) REFERENCES pairs ON DELETE SET NULL (account_id)",
		}, func() error { return w.db.Where("a = 1").Delete(&pair{}).Error }},
		{"rows that policies hide", "entries", []string{
			"CREATE TABLE roots (id int PRIMARY KEY)", "INSERT INTO roots VALUES (1)", "ALTER TABLE entries ENABLE ROW LEVEL SECURITY",
			"ALTER TABLE entries ADD CONSTRAINT more FOREIGN KEY (id) REFERENCES roots ON DELETE CASCADE",
		}, func() error { return w.db.Delete(&root{ID: 1}).Error }},
		{"another type", "entries", []string{
			"CREATE TABLE trunks (id numeric PRIMARY KEY)", "INSERT INTO trunks VALUES (1)",
			"ALTER TABLE entries ADD CONSTRAINT more FOREIGN KEY (id) REFERENCES trunks ON DELETE CASCADE",
		}, func() error { return w.db.Table("trunks").Where("id = 1").Delete(&trunk{}).Error }},
		{"a partitioned parent", "entries.ListByAccountID(1) entries:1", []string{
			"CREATE TABLE roots (id int PRIMARY KEY) PARTITION BY RANGE (id)", "CREATE TABLE roots1 PARTITION OF roots FOR VALUES FROM (0) TO (10)",
			"INSERT INTO roots VALUES (1)", "ALTER TABLE entries ADD CONSTRAINT more FOREIGN KEY (id) REFERENCES roots ON DELETE CASCADE",
		}, func() error { return w.db.Delete(&root{ID: 1}).Error }},
		{"its partition", "entries", []string{
			"CREATE TABLE roots (id int PRIMARY KEY) PARTITION BY RANGE (id)", "CREATE TABLE roots1 PARTITION OF roots FOR VALUES FROM (0) TO (10)",
			"INSERT INTO roots VALUES (1)", "ALTER TABLE entries ADD CONSTRAINT more FOREIGN KEY (id) REFERENCES roots ON DELETE CASCADE",
		}, func() error { return w.db.Table("roots1").Where("id = 1").Delete(nil).Error }},
		{"a child that inherits", "entries", []string{
			"CREATE TABLE roots (id int PRIMARY KEY)", "INSERT INTO roots VALUES (1)", "CREATE TABLE special (root_id int REFERENCES roots ON DELETE CASCADE) INHERITS (entries)",
			"INSERT INTO special (id, account_id, root_id) VALUES (7, 1, 1)",
		}, func() error { return w.db.Delete(&root{ID: 1}).Error }},
	} {
		w.past("DROP SCHEMA IF EXISTS s CASCADE", "DROP TABLE IF EXISTS roots CASCADE", "DROP TABLE IF EXISTS pairs CASCADE", "DROP TABLE IF EXISTS special")
		w.fill()
		w.past(c.before...)
		w.must(w.db.Exec("CREATE TABLE IF NOT EXISTS seen (id int)").Error) // so that the plugin asks again
		w.falls(c.what, c.falls, c.do)
		w.past("ALTER TABLE entries DROP CONSTRAINT IF EXISTS more", "ALTER TABLE entries DISABLE ROW LEVEL SECURITY")
	}
}

type root struct{ ID int }

type trunk struct{ ID int }

type elsewhere struct{ ID int }

func (elsewhere) TableName() string { return "s.roots" }

type pair struct {
	A int `gorm:"primaryKey"`
	B int `gorm:"primaryKey"`
}

// behaviour 40: where columns compare in a way of their own, rows are not looked for.
func TestCollations(t *testing.T) {
	w := newWorld(t, enforcing(fixture.SQLite(t)))
	w.must(w.db.Exec("CREATE TABLE words (word text COLLATE NOCASE PRIMARY KEY)").Error)
	w.must(w.db.Exec("DROP TABLE labels").Error)
	w.must(w.db.Exec("CREATE TABLE labels (id integer PRIMARY KEY, merchant_code text REFERENCES words ON DELETE CASCADE)").Error)
	w.past("INSERT INTO words VALUES ('A')", "INSERT INTO labels VALUES (1, 'a')")
	w.falls("a parent whose key folds case", "label_marks labels", func() error { return w.db.Table("words").Where("word = 'a'").Delete(&word{}).Error })
}

type word struct {
	Word string `gorm:"primaryKey"`
}

// stranger is a dialect that nobody knows.
type stranger struct{ gorm.Dialector }

func (stranger) Name() string { return "stranger" }

// behaviour 40: then the tags are believed, and tables fall whole.
func TestTags(t *testing.T) {
	d := enforcing(fixture.SQLite(t)).As(func(d gorm.Dialector) gorm.Dialector { return stranger{d} })
	w := newWorld(t, d)
	w.falls("by the tags", "croupon_tags croupons items labels merchants.GetByCode(~) merchants.ListByTownID(1) merchants:1 reviews", func() error {
		return w.db.Delete(&cascade.Merchant{ID: 1}).Error
	})
	w.falls("a key", "labels merchants.GetByCode(~) merchants:2", func() error {
		return w.db.Model(&cascade.Merchant{ID: 2}).Update("code", "d").Error
	})
	w.falls("a parent that is not cached", "merchants", func() error { return w.db.Delete(&cascade.Town{ID: 1}).Error })
	w.falls("another column", "merchants:2", func() error { return w.db.Model(&cascade.Merchant{ID: 2}).Update("name", "d").Error })
}

// behaviour 40: where nobody can tell what hangs on a table, every model falls.
func TestNoAnswer(t *testing.T) {
	w := newWorld(t, enforcing(fixture.SQLite(t)).As(func(d gorm.Dialector) gorm.Dialector { return silent{d} }))
	every := "accounts categories croupon_tags croupons entries items label_marks labels marks merchants pages reviews"
	for what, do := range map[string]func() error{
		"a delete":    func() error { return w.db.Delete(&cascade.Review{ID: 101}).Error },
		"an update":   func() error { return w.db.Model(&cascade.Review{ID: 102}).Update("stars", 5).Error },
		"of no model": func() error { return w.db.Delete(&cascade.Tag{ID: 99}).Error },
		"SQL text":    func() error { return w.db.Exec("DELETE FROM labels").Error },
		"a create":    func() error { return w.db.Create(&cascade.Review{ID: 9}).Error }, // which SQLite's table may make room for
		"in transactions": func() error {
			return w.db.Transaction(func(tx *gorm.DB) error { return tx.Delete(&cascade.Tag{ID: 1}).Error })
		},
	} {
		want := every
		if what == "of no model" { // no rows
			want = ""
		}
		w.falls(what, want, do)
	}
}

// silent is a dialect over a pool on which the catalog does not tell of foreign keys.
type silent struct{ gorm.Dialector }

func (s silent) Initialize(db *gorm.DB) error {
	if err := s.Dialector.Initialize(db); err != nil {
		return err
	}
	db.ConnPool = silentPool{db.ConnPool.(*sql.DB)}
	return nil
}

type silentPool struct{ *sql.DB }

func (p silentPool) GetDBConn() (*sql.DB, error) { return p.DB, nil }

func (p silentPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if strings.Contains(query, "foreign_key_list") {
		return nil, errors.New("no answer")
	}
	return p.DB.QueryContext(ctx, query, args...)
}

func (p silentPool) BeginTx(ctx context.Context, o *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := p.DB.BeginTx(ctx, o)
	return silentTx{tx}, err
}

type silentTx struct{ *sql.Tx }

func (t silentTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if strings.Contains(query, "foreign_key_list") {
		return nil, errors.New("no answer")
	}
	return t.Tx.QueryContext(ctx, query, args...)
}
