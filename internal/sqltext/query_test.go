package sqltext

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// behaviour 16: which tables a query reads is found in whatever its text is made of.
func TestSelectedTables(t *testing.T) {
	for _, c := range []struct {
		query, tables string
		only          string // the dialects; "" is each
	}{
		{"SELECT * FROM a", "a", ""},
		{"select * from a, b x, c AS y, d", "a b c d", ""},
		{"SELECT * FROM a LEFT OUTER JOIN b ON a.id = b.id INNER JOIN c USING (id) CROSS JOIN d NATURAL JOIN e", "a b c d e", ""},
		{"SELECT * FROM (a JOIN b ON TRUE) JOIN (c CROSS JOIN (d JOIN e ON 1 = 1)) ON TRUE, f", "a b c d e f", ""},
		{"SELECT * FROM a WHERE id IN (SELECT a_id FROM b WHERE EXISTS (SELECT 1 FROM c WHERE c.id = (SELECT MAX(id) FROM d)))", "a b c d", ""},
		{"SELECT (SELECT COUNT(*) FROM b), COALESCE((SELECT x FROM c), 1) FROM a", "a b c", ""},
		{"SELECT CASE WHEN EXISTS (SELECT 1 FROM b) THEN (SELECT x FROM c) ELSE 0 END FROM a GROUP BY (SELECT y FROM d) ORDER BY (SELECT z FROM e), f", "a b c d e", ""},
		{"SELECT * FROM (SELECT * FROM a) AS x, LATERAL (SELECT * FROM b) y (c, d), e", "a b e", "postgres"},
		{"(SELECT * FROM a) UNION ALL (SELECT * FROM b) EXCEPT SELECT * FROM c ORDER BY 1", "a b c", "postgres mysql"},
		{"SELECT * FROM ((SELECT * FROM a) UNION (SELECT * FROM b)) x, c", "a b c", "postgres mysql"},
		{"SELECT * FROM a UNION SELECT * FROM b INTERSECT SELECT * FROM c", "a b c", ""},
		{"WITH x AS (SELECT * FROM a), y (p, q) AS (SELECT * FROM x, b) SELECT * FROM y JOIN c ON TRUE", "a b c", ""},
		{"WITH a AS (SELECT * FROM a) SELECT * FROM a", "a", ""},                                                 // its own query reads the table
		{"SELECT * FROM (WITH x AS (SELECT * FROM a) SELECT * FROM x) s, x", "a x", ""},                          // x is gone
		{"WITH x AS (SELECT 1), z AS (WITH x AS (SELECT * FROM a) SELECT * FROM x) SELECT * FROM z, x", "a", ""}, // hidden
		{"WITH RECURSIVE t AS (SELECT * FROM a UNION ALL SELECT a.* FROM a JOIN t ON t.id = a.parent) SELECT * FROM t", "a", ""},
		{"WITH t AS (SELECT * FROM a JOIN t ON TRUE) SELECT * FROM t", "a t", ""}, // not recursive: another t
		{"WITH x AS MATERIALIZED (SELECT * FROM a) SELECT * FROM x", "a", "postgres sqlite"},
		{"SELECT EXTRACT(YEAR FROM at), TRIM(BOTH ' ' FROM name), SUBSTRING(name FROM 2 FOR 3) FROM a WHERE x IS NOT DISTINCT FROM y", "a", "postgres"},
		{`SELECT "from"."x" FROM "from" WHERE "from"."join" = 'FROM b'`, "from", ""},
		{"SELECT * FROM a -- , b\n/* , c */, d", "a d", ""},
		{"SELECT * FROM s.a JOIN s.b ON s.a.id = s.b.id", "s.a s.b", ""},
		{"SELECT * FROM `a` USE INDEX (i) JOIN `b` FORCE INDEX FOR JOIN (j) ON TRUE", "a b", "mysql"},
		{"SELECT 1 FROM DUAL", "", "mysql"},
		{"SELECT * FROM a STRAIGHT_JOIN b PARTITION (p0, p1) AS x, c", "a b c", "mysql"},
		{"SELECT * FROM ONLY a, ONLY (b), c *", "a b c", "postgres"},
		{"SELECT * FROM a CROSS JOIN LATERAL UNNEST(a.list) WITH ORDINALITY AS u (x, n), b", "a b", "postgres"},
		{"SELECT * FROM a, JSON_EACH(a.data) j, b", "a b", "sqlite"},
		{"SELECT SUM(x) FILTER (WHERE y) OVER (PARTITION BY z ORDER BY w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), ROW_NUMBER() OVER v FROM a WINDOW v AS (ORDER BY x), u AS (ORDER BY y)", "a", "postgres sqlite"},
		{"SELECT * FROM a WHERE (x, y) IN ((1, 2), (3, 4)) AND z = ANY (ARRAY[1, 2]) AND w::varchar(10) = 'x' LIMIT 3 OFFSET 4", "a", "postgres"},
		{"SELECT * FROM A, \"A\"", "a A", "postgres"},
		{"SELECT * FROM a OFFSET, b", "", "none"},
		{"VALUES (1), (2)", "", "postgres"},
	} {
		for _, d := range []struct {
			name string
			is   Dialect
		}{{"sqlite", SQLite}, {"postgres", Postgres}, {"mysql", MySQL}} {
			if c.only != "" && !strings.Contains(c.only, d.name) {
				continue
			}
			s := ReadQuery(c.query, d.is)
			var names []string
			for _, table := range s.Tables {
				names = append(names, table.String())
			}
			slices.Sort(names)
			want := strings.Fields(c.tables)
			slices.Sort(want)
			if !slices.Equal(names, want) || s.Refused != "" || s.Unclear != "" {
				t.Errorf("%s: %s: %q, refused %q, unclear %q", d.name, c.query, names, s.Refused, s.Unclear)
			}
		}
	}
}

// behaviour 16: what is another result each time, or locks, or writes, is told by its text.
func TestRefusedSelects(t *testing.T) {
	for query, only := range map[string]string{
		"SELECT * FROM a WHERE at < NOW()":                             "",
		"SELECT * FROM a WHERE at < CURRENT_TIMESTAMP":                 "",
		"SELECT * FROM a WHERE day = current_date":                     "",
		"SELECT * FROM a ORDER BY RANDOM()":                            "",
		"SELECT * FROM a ORDER BY RAND()":                              "",
		"SELECT *, (SELECT x FROM b ORDER BY random() LIMIT 1) FROM a": "",
		"SELECT * FROM a FOR UPDATE":                                   "",
		"SELECT * FROM a JOIN b ON TRUE FOR SHARE OF a SKIP LOCKED":    "postgres mysql",
		"SELECT * FROM a WHERE x = 1 LOCK IN SHARE MODE":               "mysql",
		"SELECT * FROM a TABLESAMPLE SYSTEM (10)":                      "postgres",
		"SELECT * FROM a WHERE at > DATE('now', '-1 day')":             "sqlite",
		"SELECT * FROM a WHERE at > DATE('NOW')":                       "sqlite postgres",
		"SELECT * FROM a WHERE at > DATETIME(\"now\")":                 "sqlite",
		"SELECT DATE(), x FROM a":                                      "sqlite",
		"SELECT STRFTIME('%Y') FROM a":                                 "sqlite",
		"SELECT * FROM a WHERE at > 'today'":                           "postgres",
		"SELECT * FROM a WHERE at > 'now()'::timestamp":                "postgres",
		"SELECT AGE(at) FROM a":                                        "postgres",
		"SELECT NEXTVAL('s') FROM a":                                   "postgres",
		"SELECT * FROM a WHERE who = USER":                             "postgres",
		"SELECT @n := @n + 1 FROM a":                                   "mysql",
		"SELECT LAST_INSERT_ID() FROM a":                               "mysql",
		"SELECT UNIX_TIMESTAMP() FROM a":                               "mysql",
		"SELECT GET_LOCK('x', 1) FROM a":                               "mysql",
		"SELECT * INTO b FROM a":                                       "postgres",
		"SELECT * FROM a INTO OUTFILE 'x'":                             "mysql",
		"WITH d AS (DELETE FROM a RETURNING *) SELECT * FROM d":        "postgres",
		"SELECT 1; SELECT 2":                                           "",
		"DELETE FROM a":                                                "",
		"EXPLAIN SELECT * FROM a":                                      "",
		"PRAGMA table_info(a)":                                         "sqlite",
		"CALL f()":                                                     "",
		"":                                                             "",
	} {
		for name, d := range map[string]Dialect{"sqlite": SQLite, "postgres": Postgres, "mysql": MySQL} {
			if strings.Contains(only, name) || only == "" {
				if s := ReadQuery(query, d); s.Refused == "" {
					t.Errorf("%s: %q is not refused: %+v", name, query, s)
				}
			}
		}
	}
}

// behaviour 16: what may read more than its text names is not taken for what it names.
func TestUnclearSelects(t *testing.T) {
	for query, only := range map[string]string{
		"SELECT * FROM a WHERE mine(x)":                                  "",
		"SELECT * FROM a, everything()":                                  "",
		"SELECT * FROM a, everything(1, 2) e, b":                         "",
		"SELECT pg_catalog.lower(x) FROM a":                              "",
		"SELECT * FROM s.everything()":                                   "",
		`SELECT "now"() FROM a`:                                          "postgres",
		"TABLE a":                                                        "postgres mysql",
		"SELECT * FROM a UNION TABLE b":                                  "postgres mysql",
		"SELECT * FROM JSON_TABLE('[]', '$' COLUMNS (x INT PATH '$')) j": "mysql",
		"SELECT * FROM a WHERE x = 'it\\'s' OR y IN (SELECT z FROM b)":   "mysql postgres",
		"SELECT * FROM a /*!50000 JOIN b ON TRUE */":                     "mysql",
		"SELECT * FROM a WHERE, b":                                       "",
		"SELECT * FROM (a":                                               "",
		"SELECT * FROM a)":                                               "",
		"SELECT * FROM WHERE x":                                          "",
	} {
		for name, d := range map[string]Dialect{"sqlite": SQLite, "postgres": Postgres, "mysql": MySQL} {
			if strings.Contains(only, name) || only == "" {
				if s := ReadQuery(query, d); s.Refused == "" && s.Unclear == "" {
					t.Errorf("%s: %q is clear: %+v", name, query, s)
				}
			}
		}
	}
	if s := ReadQuery("SELECT * FROM a", Unknown); s.Unclear == "" {
		t.Error("an unknown dialect is clear")
	}
}

// Reading the text of a query ends, and says of it what it says the next time.
func FuzzQuery(f *testing.F) {
	f.Add("WITH x (a) AS (SELECT * FROM a), y AS (VALUES (1)) SELECT f(x) FROM (x JOIN y ON 'now'), LATERAL g(1) AS z (b) FOR UPDATE", byte(2))
	f.Add("SELECT strftime('%Y' FROM (((", byte(1))
	f.Add(") , ( FROM ONLY WITH AS RECURSIVE", byte(3))
	f.Fuzz(func(t *testing.T, text string, d byte) {
		dialect := Dialect(d % 4)
		s := ReadQuery(text, dialect)
		if again := ReadQuery(text, dialect); !reflect.DeepEqual(s, again) {
			t.Fatalf("%+v, %+v", s, again)
		}
	})
}
