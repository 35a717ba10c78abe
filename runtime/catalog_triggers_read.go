package cacheruntime

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/internal/sqltext"
)

// Triggers are asked for together with the foreign keys, with whatever they call.

// A trigger of a partition's is one of the tables' that it is a part of, for those rows; one of those is copied to it, and is not
// counted again (its parent is told from version 13 on; before that, and up to 14, copies count as internal). Functions that triggers may
// call are those that may write, and whose names are words in the text of one. Nobody needs a privilege for any of that.
const postgresTriggers = `, tg AS (
	SELECT g.oid, g.tgrelid, g.tgfoid, g.tgtype, g.tgdeferrable, g.tgattr, g.tgargs, c.relkind = 'p' OR c.relispartition AS splits
	FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND c.relkind <> 'v' AND COALESCE(to_jsonb(g)->>'tgparentid', '0') = '0'
		AND (n.nspname = ANY (current_schemas(true)) OR n.nspname = ANY (string_to_array($1, ',')) OR c.relispartition OR c.oid IN (SELECT oid FROM hung))
), ta(oid, rel) AS (
	SELECT tg.oid, tg.tgrelid FROM tg
	UNION SELECT ta.oid, i.inhparent FROM ta JOIN pg_catalog.pg_class c ON c.oid = ta.rel AND c.relispartition JOIN pg_catalog.pg_inherits i ON i.inhrelid = ta.rel
), fn(oid, name, lang, src) AS (
	SELECT p.oid, p.proname, l.lanname, p.prosrc FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
	WHERE p.oid IN (SELECT tg.tgfoid FROM tg)
	UNION SELECT p.oid, p.proname, l.lanname, p.prosrc FROM fn
	CROSS JOIN LATERAL (
		SELECT DISTINCT unnest(string_to_array(translate(lower(fn.src), E'!"#%&''()*+,-./:;<=>?@[\\]^{|}~\n\r\t' || chr(96), repeat(' ', 40)), ' '))
	) AS called(name)
	JOIN pg_catalog.pg_proc p ON p.provolatile = 'v' AND lower(p.proname) = called.name
	JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('c', 'internal')
	JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema')
	WHERE fn.lang IN ('plpgsql', 'sql')
)`

const postgresTriggerRows = `UNION ALL SELECT '', -3, t.schema, t.name, pg_catalog.pg_table_is_visible(t.oid), tg.tgfoid::text, pg_catalog.pg_get_triggerdef(tg.oid), tg.splits, tg.tgdeferrable,
	COALESCE((SELECT string_agg(a.attname, E'\n') FROM pg_catalog.pg_attribute a WHERE a.attrelid = tg.tgrelid AND a.attnum = ANY (tg.tgattr)), ''),
	COALESCE((SELECT string_agg(a.attname, E'\n') FROM pg_catalog.pg_index x JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
		WHERE x.indrelid = t.oid AND x.indisprimary), ''),
	tg.tgtype::text, encode(tg.tgargs, 'escape'), false, false
FROM ta JOIN tg ON tg.oid = ta.oid JOIN t ON t.oid = ta.rel
UNION ALL SELECT '', -4, fn.oid::text, fn.name, false, '', '', false, false, fn.lang, fn.src, '', '', false, false FROM fn`

// The bits of pg_trigger.tgtype.
const (
	tgRow = 1 << iota
	tgBefore
	tgInsert
	tgDelete
	tgUpdate
	tgTruncate
	tgInstead
)

// postgresTrigger notes a trigger. Its function follows, by its number; see link.
func (k *refMaker) postgresTrigger(t, c *refTable, of, key, kind, args string) {
	bits, _ := strconv.Atoi(kind)
	t.key, t.splits = linesOf(key), t.splits || c.here
	g := &trigger{
		insert: bits&tgInsert != 0, update: bits&tgUpdate != 0, delete: bits&tgDelete != 0, truncate: bits&tgTruncate != 0,
		of: linesOf(of), before: bits&(tgBefore|tgInstead) != 0, row: bits&tgRow != 0, deferred: c.blind, text: c.Name,
	}
	k.found = append(k.found, foundTrigger{trigger: g, on: t, function: c.Schema, args: strings.Split(strings.TrimSuffix(args, `\000`), `\000`)})
}

// postgresRoutine notes a function. Those in C, and PostgreSQL's own, are taken to set columns, and write tables, that they are given the names of.
func (k *refMaker) postgresRoutine(oid, name, language, text string) {
	r := &routine{}
	switch language {
	case "plpgsql", "sql":
		if text != "" || language != "sql" { // else it is kept as a tree
			r.body = sqltext.ReadBody(text, sqltext.Postgres)
		}
	case "c", "internal":
		r.foreign, r.own = true, language == "internal"
	}
	k.routine(name, r.body)
	if k.functions == nil {
		k.functions = map[string]*routine{}
	}
	k.functions[oid] = r
}

// Who has no privilege TRIGGER on a table sees no text of its triggers on MariaDB, and no trigger on MySQL; who may not see a routine's
// text sees that it is NULL.
const mysqlTriggers = `UNION ALL SELECT CAST(g.event_object_schema AS CHAR), '', CAST(g.event_object_table AS CHAR), '', CAST(g.trigger_name AS CHAR),
	CAST(COALESCE(g.action_statement, '') AS CHAR), '', CAST(g.event_manipulation AS CHAR), CAST(g.action_timing AS CHAR), DATABASE(), -2
FROM information_schema.triggers g WHERE g.event_object_schema IN (?)
UNION ALL SELECT CAST(p.routine_schema AS CHAR), '', '', '', CAST(p.routine_name AS CHAR), CAST(COALESCE(p.routine_definition, '') AS CHAR), '', '', '', DATABASE(), -3
FROM information_schema.routines p
WHERE p.routine_schema IN (?) AND EXISTS (SELECT 1 FROM information_schema.triggers g WHERE g.event_object_schema IN (?))`

func (k *refMaker) mysqlTrigger(t *refTable, name, event, timing, text string) {
	has := func(s string) bool { return strings.Contains(strings.ToUpper(event), s) }
	g := &trigger{
		insert: has("INSERT"), update: has("UPDATE"), delete: has("DELETE"), before: strings.EqualFold(timing, "BEFORE"), row: true,
		text: "CREATE TRIGGER " + name + " " + timing + " " + event + " ON " + t.Name + " FOR EACH ROW " + text,
	}
	f := foundTrigger{trigger: g, on: t}
	if text != "" {
		f.body = sqltext.ReadBody(text, sqltext.MySQL)
	}
	k.found = append(k.found, f)
}

func (k *refMaker) mysqlRoutine(schema, name, text string) {
	var body *sqltext.Body
	if text != "" {
		body = sqltext.ReadBody(text, sqltext.MySQL)
	}
	k.routine(name, body)
	k.routine(schema+"."+name, body)
}

// A column of the type INTEGER that is the primary key is the rowid. Others may have taken that one's names.
const sqliteTriggers = `UNION ALL SELECT g.tbl_name, -4, '', '', (SELECT COALESCE(group_concat(x.name || char(9) || upper(x.type) || char(9) || x.pk, char(10)), '')
		FROM pragma_table_info(g.tbl_name, SCHEMA) x WHERE x.pk > 0 OR lower(x.name) IN ('rowid', '_rowid_', 'oid')),
	'', '', g.sql, 0
FROM MASTER g WHERE g.type = 'trigger'`

func (k *refMaker) sqliteTrigger(t *refTable, text, key string) {
	t.key, t.rowid = nil, []string{"rowid", "_rowid_", "oid"}
	integer := ""
	for _, column := range linesOf(key) {
		parts := append(strings.Split(column, "\t"), "", "")
		name := strings.ToLower(parts[0])
		t.rowid = slices.DeleteFunc(t.rowid, func(is string) bool { return is == name })
		if parts[2] != "0" {
			t.key = append(t.key, parts[0])
		}
		if parts[2] == "1" && parts[1] == "INTEGER" {
			integer = name
		}
	}
	if integer != "" && len(t.key) == 1 {
		t.rowid = append(t.rowid, integer)
	}
	is, ok := sqltext.ReadSQLiteTrigger(text)
	g := &trigger{insert: is.Insert, update: is.Update, delete: is.Delete, of: is.Of, before: is.Before, row: true, text: text}
	if !ok {
		g.insert, g.update, g.delete, g.of, g.before, g.whole = true, true, true, nil, true, true
	}
	k.found = append(k.found, foundTrigger{trigger: g, on: t, body: is.Body})
}

// linesOf cuts what a catalog has put together; none, where that is empty.
func linesOf(s string) []string {
	return slices.DeleteFunc(strings.Split(s, "\n"), func(line string) bool { return line == "" })
}
