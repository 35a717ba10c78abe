package cacheruntime

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// referencesKey is what the references of a database hang on.
type referencesKey struct {
	on      *sql.DB   // it was asked
	part    partition // whose search path it was
	schemas string    // that are looked at besides those of that
	models  int       // whose tags are read, where there is no catalog
}

func (rt *Runtime) referencesKey(db *gorm.DB, part partition, schemas []string) referencesKey {
	key := referencesKey{on: databaseOf(db.Statement.ConnPool), part: part, schemas: strings.Join(schemas, "\x00")}
	if dialectOf(rt.db.Name()) == sqltext.Unknown {
		key.models = len(rt.registry.every())
	}
	return key
}

// referencesOf returns the foreign keys that do something by themselves, as the catalog tells of them: those that may begin at
// a table of a schema; "" is where the database looks for names. keeps says whether its answer may be remembered.
func (rt *Runtime) referencesOf(db *gorm.DB, part partition, schema string, keeps bool) (*references, error) {
	schemas := rt.schemas(schema)
	key := rt.referencesKey(db, part, schemas)
	keeps = keeps && key.on != nil
	known, now, ok := rt.catalog.references.get(key)
	if ok && keeps {
		rt.renewReferences(key, schemas)
		return known, nil
	}
	refs, err := rt.askReferences(db, schemas)
	if err == nil && keeps {
		rt.catalog.references.put(key, refs, asSeenIn(db.Statement.ConnPool, now))
	}
	return refs, err
}

// knowsReferences reports whether referencesOf need not ask.
func (rt *Runtime) knowsReferences(db *gorm.DB, part partition, schema string) bool {
	key := rt.referencesKey(db, part, rt.schemas(schema))
	_, _, ok := rt.catalog.references.get(key)
	return ok && key.on != nil
}

// schemas are those that models name, and one more, sorted.
func (rt *Runtime) schemas(more string) (names []string) {
	if more != "" {
		names = append(names, more)
	}
	for _, m := range rt.registry.every() {
		table := m.gormSchema().Table
		if !strings.Contains(table, ".") {
			continue
		}
		if s := sqltext.TableNamed(table).Schema; s != "" && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	slices.Sort(names)
	return names
}

// lookUpReferences asks for the references where a table lies in advance, so that the first write need not. Where the
// database does not answer, the write asks.
func (rt *Runtime) lookUpReferences(table string) {
	ctx := context.Background()
	db := rt.primaryOf(ctx, table)
	part, err := rt.partition(ctx)
	if err != nil || rt.knowsReferences(db, part, "") {
		return
	}
	ctx, cancel := rt.within(ctx)
	defer cancel()
	db.Statement.Context = ctx
	_, _ = rt.referencesOf(db, part, "", true)
}

func (rt *Runtime) askReferences(db *gorm.DB, schemas []string) (refs *references, err error) {
	q, ctx := asker{db}, db.Statement.Context
	switch dialectOf(db.Name()) {
	case sqltext.Postgres:
		err = q.apart(ctx, func() (err error) {
			refs, err = q.postgresReferences(ctx, schemas)
			return err
		})
	case sqltext.MySQL:
		refs, err = q.mysqlReferences(ctx, schemas)
	case sqltext.SQLite:
		refs, err = q.sqliteReferences(ctx, schemas)
	default:
		refs = rt.taggedReferences()
	}
	if err != nil {
		return nil, fmt.Errorf("cachegen: the foreign keys cannot be read from the database's catalog: %w", err)
	}
	return refs, nil
}

// In a partition there is a copy of each foreign key of its table, and of each to it: those to a partition count, since
// rows of it may be deleted by its name; those in one do not, since its rows are the table's. Rows of a table's children
// are deleted with its own, and rows of a child are its parents', too. Before version 15, ON DELETE SET sets every column.
// Before version 12 there are no generated columns, and no column that tells. One of a child's may be a plain one of its parent's.
// Names are cast to text in the first SELECT, since a name ends at 63 bytes, and code of triggers comes in the same columns.
const postgresReferences = `WITH RECURSIVE k AS (
	SELECT k.oid, k.conrelid, k.confrelid, k.conkey, k.confkey, k.confdeltype, k.confupdtype, to_jsonb(k)->'confdelsetcols' AS sets
	FROM pg_catalog.pg_constraint k
	WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
		AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint o WHERE o.oid = k.conparentid AND o.confrelid = k.confrelid)
), i AS (
	SELECT inhrelid AS one, inhparent AS other FROM pg_catalog.pg_inherits
	UNION ALL SELECT i.inhparent, i.inhrelid FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE NOT c.relispartition
), edge(one, other) AS (
	SELECT confrelid, conrelid FROM k UNION SELECT one, other FROM i
), hung(oid) AS (
	SELECT DISTINCT c.oid FROM edge JOIN pg_catalog.pg_class c ON c.oid = edge.one JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = ANY (current_schemas(true)) OR n.nspname = ANY (string_to_array($1, ','))
	UNION SELECT edge.other FROM hung JOIN edge ON edge.one = hung.oid
), g(oid, name) AS (
	SELECT a.attrelid, a.attname FROM pg_catalog.pg_attribute a
	WHERE a.attnum > 0 AND a.atthasdef AND NOT a.attisdropped AND COALESCE(to_jsonb(a)->>'attgenerated', '') <> ''
	UNION SELECT i.inhparent, g.name FROM g JOIN pg_catalog.pg_inherits i ON i.inhrelid = g.oid
), v AS (
	SELECT DISTINCT r.ev_class AS one, d.refobjid AS other, c.relkind <> 'v' AS rules,
		c.relkind = 'v' AND EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid) AS hides
	FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
		AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
	WHERE c.relkind <> 'm' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
), t AS (
	SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relrowsecurity AS hides
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
)` + postgresTriggers + `
SELECT k.oid::text, u.n, p.schema, p.name, pg_catalog.pg_table_is_visible(p.oid), c.schema, c.name::text, pg_catalog.pg_table_is_visible(c.oid),
	c.hides OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') OR NOT pg_catalog.has_table_privilege(c.oid, 'UPDATE'),
	a.attname::text, b.attname::text, k.confdeltype::text, k.confupdtype::text,
	CASE jsonb_typeof(k.sets) WHEN 'array' THEN k.sets @> to_jsonb(u.col) ELSE true END,
	a.atttypid = b.atttypid AND a.attcollation = b.attcollation OR a.atttypid IN (20, 21, 23) AND b.atttypid IN (20, 21, 23)
FROM hung JOIN k ON k.confrelid = hung.oid JOIN t p ON p.oid = k.confrelid JOIN t c ON c.oid = k.conrelid
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(col, key, n)
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.col
JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.key
UNION ALL SELECT '', 0, p.schema, p.name, pg_catalog.pg_table_is_visible(p.oid), c.schema, c.name, pg_catalog.pg_table_is_visible(c.oid),
	c.hides OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') OR NOT pg_catalog.has_table_privilege(c.oid, 'UPDATE'),
	'', '', '', '', false, false
FROM hung JOIN i ON i.one = hung.oid JOIN t p ON p.oid = i.one JOIN t c ON c.oid = i.other
UNION ALL SELECT '', -1, t.schema, t.name, pg_catalog.pg_table_is_visible(t.oid), '', '', false, false, g.name, '', '', '', false, false
FROM g JOIN t ON t.oid = g.oid
WHERE t.schema = ANY (current_schemas(true)) OR t.schema = ANY (string_to_array($1, ',')) OR t.oid IN (SELECT oid FROM hung)
UNION ALL SELECT '', -2, p.schema, p.name, pg_catalog.pg_table_is_visible(p.oid), COALESCE(c.schema, ''), COALESCE(c.name, ''),
	COALESCE(pg_catalog.pg_table_is_visible(c.oid), false), v.hides, '', '', '', '', v.rules, false
FROM v JOIN t p ON p.oid = v.one LEFT JOIN t c ON c.oid = v.other
` + postgresTriggerRows + `
ORDER BY 1, 2`

func (q asker) postgresReferences(ctx context.Context, schemas []string) (*references, error) {
	k := &refMaker{dialect: sqltext.Postgres}
	err := q.ask(ctx, postgresReferences, []any{strings.Join(schemas, ",")}, func(scan func(...any) error) error {
		var id, column, key, onDelete, onUpdate string
		var n int
		var parent, child refTable
		var sets, alike bool
		if err := scan(&id, &n, &parent.Schema, &parent.Name, &parent.here, &child.Schema, &child.Name, &child.here, &child.blind,
			&column, &key, &onDelete, &onUpdate, &sets, &alike); err != nil {
			return err
		}
		switch n {
		case -3:
			k.postgresTrigger(k.table(parent.Schema, parent.Name, parent.here), &child, column, key, onDelete, onUpdate)
			return nil
		case -4:
			k.postgresRoutine(parent.Schema, parent.Name, column, key)
			return nil
		}
		p := k.table(parent.Schema, parent.Name, parent.here)
		switch {
		case n == -1:
			p.made = union(p.made, []string{column})
			return nil
		case n == -2:
			if p.ruled, p.view = sets, p.view || child.blind; child.Name != "" {
				p.shows = append(p.shows, k.table(child.Schema, child.Name, child.here))
			}
			return nil
		}
		c := k.table(child.Schema, child.Name, child.here)
		c.blind = c.blind || child.blind
		if id == "" {
			k.share(p, c)
			return nil
		}
		k.column(id, reference{parent: p, child: c, onDelete: refActionOf(onDelete), onUpdate: refActionOf(onUpdate), alike: alike}, column, key, sets)
		return nil
	})
	k.link(&k.made, sqltext.Postgres)
	return &k.made, err
}

// The server requires columns of like types and collations. A table's schema is that of its foreign keys. MariaDB hides what a foreign
// key does from those who have privileges on the tables, and none on the database. CAST gives columns of both SELECTs one
// collation. DEFAULT_GENERATED is a default's; older servers of MariaDB say VIRTUAL and PERSISTENT alone.
const mysqlReferences = `SELECT CAST(k.constraint_schema AS CHAR), CAST(k.constraint_name AS CHAR) AS name, CAST(k.table_name AS CHAR) AS tab,
	CAST(k.referenced_table_schema AS CHAR), CAST(k.referenced_table_name AS CHAR), CAST(k.column_name AS CHAR), CAST(k.referenced_column_name AS CHAR),
	CAST(COALESCE(r.delete_rule, 'UNKNOWN') AS CHAR), CAST(COALESCE(r.update_rule, 'UNKNOWN') AS CHAR), DATABASE(), k.ordinal_position AS n
FROM information_schema.key_column_usage k
LEFT JOIN information_schema.referential_constraints r
	ON r.constraint_schema IN (?) AND r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
WHERE k.constraint_schema IN (?) AND k.referenced_table_name IS NOT NULL
	AND (r.constraint_name IS NULL OR r.delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR r.update_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))
UNION ALL SELECT CAST(c.table_schema AS CHAR), '', CAST(c.table_name AS CHAR), '', '', CAST(c.column_name AS CHAR), '', '', '', DATABASE(), 0
FROM information_schema.columns c
WHERE c.table_schema IN (?) AND (UPPER(c.extra) LIKE '%STORED GENERATED%' OR UPPER(c.extra) LIKE '%VIRTUAL%' OR UPPER(c.extra) LIKE '%PERSISTENT%' OR UPPER(c.extra) LIKE '%ON UPDATE%')
UNION ALL SELECT CAST(t.table_schema AS CHAR), '', CAST(t.table_name AS CHAR), '', '', CAST(COALESCE(v.view_definition, '') AS CHAR), '', '', '', DATABASE(), -1
FROM information_schema.tables t
LEFT JOIN information_schema.views v ON v.table_schema IN (?) AND v.table_schema = t.table_schema AND v.table_name = t.table_name
WHERE t.table_schema IN (?) AND (UPPER(t.table_type) LIKE '%VIEW%' OR UPPER(t.engine) = 'MRG_MYISAM')
` + mysqlTriggers + `
ORDER BY 1, tab, name, n`

func (q asker) mysqlReferences(ctx context.Context, schemas []string) (*references, error) {
	marks, args := "DATABASE()", []any{}
	for range strings.Count(mysqlReferences, "?") {
		for _, s := range schemas {
			args = append(args, s)
		}
	}
	marks += strings.Repeat(", ?", len(schemas))
	k := &refMaker{dialect: sqltext.MySQL}
	err := q.ask(ctx, strings.ReplaceAll(mysqlReferences, "?", marks), args, func(scan func(...any) error) error {
		var schema, name, table, parentSchema, parent, column, key, onDelete, onUpdate string
		var here sql.NullString
		var n int
		if err := scan(&schema, &name, &table, &parentSchema, &parent, &column, &key, &onDelete, &onUpdate, &here, &n); err != nil {
			return err
		}
		if n == -3 {
			k.mysqlRoutine(schema, parent, column)
			return nil
		}
		switch t := k.table(schema, table, strings.EqualFold(schema, here.String)); n {
		case -2:
			k.mysqlTrigger(t, parent, onDelete, onUpdate, column)
			return nil
		case 0:
			t.made = union(t.made, []string{column})
			return nil
		case -1:
			t.view, t.text, t.query = true, column, column
			return nil
		}
		k.column(schema+"\x00"+table+"\x00"+name, reference{
			parent:   k.table(parentSchema, parent, strings.EqualFold(parentSchema, here.String)),
			child:    k.table(schema, table, strings.EqualFold(schema, here.String)),
			onDelete: refActionOf(onDelete), onUpdate: refActionOf(onUpdate), alike: true,
		}, column, key, true)
		return nil
	})
	k.read()
	k.link(&k.made, sqltext.MySQL)
	return &k.made, err
}

// A foreign key without columns of the parent refers to its primary key. It compares by the parent's collation. A virtual table has
// no root page, and is not looked into: its module may not be there.
const sqliteReferences = `SELECT m.name, f.id, f."table", f."from", COALESCE(f."to", i.name, ''), f.on_delete, f.on_update,
	COALESCE(m.sql, '') || ' ' || COALESCE(p.sql, ''), f.seq
FROM MASTER m JOIN pragma_foreign_key_list(m.name, SCHEMA) f
LEFT JOIN MASTER p ON p.type = 'table' AND p.name = f."table" COLLATE NOCASE
LEFT JOIN pragma_table_info(f."table", SCHEMA) i ON f."to" IS NULL AND i.pk = f.seq + 1
WHERE m.type = 'table' AND (f.on_delete NOT IN ('NO ACTION', 'RESTRICT') OR f.on_update NOT IN ('NO ACTION', 'RESTRICT'))
UNION ALL SELECT m.name, -1, '', x.name, '', '', '', '', 0
FROM MASTER m JOIN pragma_table_xinfo(m.name, SCHEMA) x
WHERE m.type = 'table' AND m.rootpage > 0 AND instr(upper(m.sql), 'AS') > 0 AND x.hidden IN (2, 3)
UNION ALL SELECT m.name, -2, '', '', '', '', '', m.sql, 0
FROM MASTER m WHERE m.type = 'table' AND m.rootpage > 0 AND instr(upper(m.sql), 'CONFLICT') > 0
UNION ALL SELECT m.name, -3, '', '', m.sql, '', '', (SELECT COALESCE(group_concat(g.sql, ' '), '') FROM MASTER g WHERE g.type = 'trigger' AND g.tbl_name = m.name COLLATE NOCASE), 0
FROM MASTER m WHERE m.type = 'view'
` + sqliteTriggers + `
ORDER BY 1, 2, 9`

// sqliteReferences reads main and, of the schemas that are named, those that there are; none refers to another's tables.
func (q asker) sqliteReferences(ctx context.Context, schemas []string) (*references, error) {
	k := &refMaker{dialect: sqltext.SQLite}
	isMain := func(schema string) bool { return strings.EqualFold(schema, "main") }
	read := []string{"main"}
	if others := slices.DeleteFunc(schemas, isMain); len(others) > 0 {
		err := q.ask(ctx, "SELECT name FROM pragma_database_list", nil, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			if !isMain(name) && slices.ContainsFunc(others, func(o string) bool { return strings.EqualFold(o, name) }) {
				read = append(read, name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, schema := range read {
		query := strings.ReplaceAll(sqliteReferences, "MASTER", sqliteMaster(schema))
		query = strings.ReplaceAll(query, "SCHEMA", "'"+strings.ReplaceAll(schema, "'", "''")+"'")
		err := q.ask(ctx, query, nil, func(scan func(...any) error) error {
			var table, parent, column, key, onDelete, onUpdate, texts string
			var id, seq int
			if err := scan(&table, &id, &parent, &column, &key, &onDelete, &onUpdate, &texts, &seq); err != nil {
				return err
			}
			switch id {
			case -1:
				t := k.table(schema, table, isMain(schema))
				t.made = union(t.made, []string{column})
				return nil
			case -2:
				k.table(schema, table, isMain(schema)).conflicts = sqltext.SQLiteConflicts(texts)
				return nil
			case -3:
				v := k.table(schema, table, isMain(schema))
				v.view, v.text, v.query = true, texts, key
				return nil
			case -4:
				k.sqliteTrigger(k.table(schema, table, isMain(schema)), texts, key)
				return nil
			}
			k.column(fmt.Sprintf("%s\x00%s\x00%d", schema, table, id), reference{
				parent: k.table(schema, parent, isMain(schema)), child: k.table(schema, table, isMain(schema)),
				onDelete: refActionOf(onDelete), onUpdate: refActionOf(onUpdate), alike: key != "" && !sqltext.Mentions(texts, "COLLATE"),
			}, column, key, true)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	k.read()
	k.link(&k.made, sqltext.SQLite)
	return &k.made, nil
}

// enforced reports whether the connection of a statement enforces foreign keys: SQLite does where it is told to.
func (p *plugin) enforced(db *gorm.DB) bool {
	if db.Name() != "sqlite" {
		return true
	}
	on := true
	p.rt.stats.pluginStatement()
	_ = asker{db}.ask(db.Statement.Context, "PRAGMA foreign_keys", nil, func(scan func(...any) error) error { return scan(&on) })
	return on
}
