package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// sqlKin is what the database's catalog says of a table that SQL text writes.
type sqlKin struct {
	tables []sqltext.Table // with which it shares rows: PostgreSQL's parents and children, what a view shows
	hidden bool            // what a write of it writes is hidden in a view
	counts bool            // no trigger, rule or conflict clause does anything that a statement does not report
}

// kinKey is what a table's kin hang on.
type kinKey struct {
	on    *sql.DB   // it was asked
	part  partition // whose search path it was
	table sqltext.Table
}

var errNoCatalog = errors.New("no catalog is known of this database")

// kinOf asks the catalog about a table; a table that is not there has no kin.
func (rt *Runtime) kinOf(db *gorm.DB, part partition, t sqltext.Table, keeps bool) (sqlKin, error) {
	ctx, q := db.Statement.Context, asker{db}
	t.Defined = false
	key := kinKey{databaseOf(db.Statement.ConnPool), part, t}
	keeps = keeps && key.on != nil
	kin, now, ok := rt.catalog.kins.get(key)
	if ok && keeps {
		return kin, nil
	}
	var err error
	found := false
	switch dialectOf(q.db.Name()) {
	case sqltext.Postgres:
		err = q.apart(ctx, func() (err error) {
			kin, found, err = q.postgresKin(ctx, t)
			return err
		})
	case sqltext.MySQL:
		kin, found, err = q.mysqlKin(ctx, t)
	case sqltext.SQLite:
		kin, found, err = q.sqliteKin(ctx, t)
	default:
		err = errNoCatalog
	}
	rt.stats.pluginStatement()
	if err == nil && found && keeps {
		rt.catalog.kins.put(key, kin, asSeenIn(db.Statement.ConnPool, now))
	}
	return kin, err
}

// apart asks in a savepoint, if in a transaction: an error would end that on PostgreSQL, and with it the
// write on whose account the plugin asks.
func (q asker) apart(ctx context.Context, ask func() error) error {
	const name = "cachegen_catalog"
	pool := q.db.Statement.ConnPool
	if _, ok := pool.(gorm.TxCommitter); !ok {
		return ask()
	}
	if _, err := pool.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return err
	}
	err := ask()
	if err != nil {
		_, failed := pool.ExecContext(ctx, "ROLLBACK TO SAVEPOINT "+name)
		err = errors.Join(err, failed)
	}
	_, failed := pool.ExecContext(ctx, "RELEASE SAVEPOINT "+name)
	return errors.Join(err, failed)
}

// A view's rule depends on the view, and on what it shows; other rules on what they write.
const postgresKin = `WITH RECURSIVE kin(oid) AS (
	SELECT pg_catalog.to_regclass($1)::oid
	UNION SELECT next.oid FROM kin CROSS JOIN LATERAL (
		SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = kin.oid
		UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = kin.oid
		UNION ALL SELECT d.refobjid FROM pg_catalog.pg_rewrite r
			JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
			WHERE r.ev_class = kin.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
	) next(oid)
)
SELECT n.nspname, c.relname, c.relkind = 'v',
	EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
	EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type <> '1')
FROM kin JOIN pg_catalog.pg_class c ON c.oid = kin.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`

func (q asker) postgresKin(ctx context.Context, t sqltext.Table) (kin sqlKin, found bool, err error) {
	quote := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
	name := quote(t.Name)
	if t.Schema != "" {
		name = quote(t.Schema) + "." + name
	}
	kin.counts = true
	err = q.ask(ctx, postgresKin, []any{name}, func(scan func(...any) error) error {
		var other sqltext.Table
		var view, triggers, rules bool
		if err := scan(&other.Schema, &other.Name, &view, &triggers, &rules); err != nil {
			return err
		}
		found = true
		kin.tables = append(kin.tables, other)
		kin.hidden = kin.hidden || view && triggers
		kin.counts = kin.counts && !view && !triggers && !rules
		return nil
	})
	return kin, found, err
}

func (q asker) mysqlKin(ctx context.Context, t sqltext.Table) (kin sqlKin, found bool, err error) {
	kin.counts = true
	var schema any
	if t.Schema != "" {
		schema = t.Schema
	}
	err = q.ask(ctx, `SELECT table_type, COALESCE(engine, '') FROM information_schema.tables
WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?`, []any{schema, t.Name}, func(scan func(...any) error) error {
		var kind, engine string
		if err := scan(&kind, &engine); err != nil {
			return err
		}
		found = true
		kin.hidden = kin.hidden || strings.Contains(strings.ToUpper(kind), "VIEW") || strings.EqualFold(engine, "MRG_MyISAM")
		kin.counts = kin.counts && strings.EqualFold(engine, "InnoDB")
		return nil
	})
	return kin, found, err
}

func (q asker) sqliteKin(ctx context.Context, t sqltext.Table) (kin sqlKin, found bool, err error) {
	schemas := []string{"temp", "main"}
	if t.Schema != "" && !strings.EqualFold(t.Schema, "temp") {
		schemas[1] = t.Schema
	}
	look := func(schema string) error {
		return q.ask(ctx, "SELECT type, COALESCE(sql, '') FROM "+sqliteMaster(schema)+
			" WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE OR type = 'trigger' AND tbl_name = ? COLLATE NOCASE",
			[]any{t.Name, t.Name}, func(scan func(...any) error) error {
				var kind, text string
				if err := scan(&kind, &text); err != nil {
					return err
				}
				kin.hidden = kin.hidden || kind == "view"
				kin.counts = kin.counts && kind == "table"
				found = found || kind != "trigger"
				kin.counts = kin.counts && !sqltext.HasWord(text, sqltext.SQLite, "FAIL", "VIRTUAL")
				return nil
			})
	}
	kin.counts = true
	for _, schema := range schemas {
		if err := look(schema); err != nil {
			return kin, false, err
		}
	}
	if found || t.Schema != "" {
		return kin, found, nil
	}
	var attached []string
	err = q.ask(ctx, "SELECT name FROM pragma_database_list WHERE name NOT IN ('temp', 'main')", nil, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		attached = append(attached, name)
		return err
	})
	for _, schema := range attached {
		if err == nil {
			err = look(schema)
		}
	}
	return kin, found, err
}
