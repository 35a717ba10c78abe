package sqltext

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// said is what a body does, in a few words: its writes, "new: …" for columns of the row, "calls …", and what is not known.
func said(b *Body) string {
	var parts []string
	for _, w := range b.Writes {
		does := w.Table.String() + ":"
		for _, d := range []struct {
			is   bool
			name string
		}{{w.Inserted, "+"}, {w.Erased, "-"}, {w.Truncated, "0"}, {w.Every, "*"}} {
			if d.is {
				does += d.name
			}
		}
		does += strings.Join(w.Sets, ",")
		for _, key := range w.Keys {
			does += fmt.Sprintf("[%s=%s]", key[0], key[1])
		}
		parts = append(parts, does)
	}
	for _, c := range b.Sets {
		parts = append(parts, "new."+c)
	}
	if b.Whole {
		parts = append(parts, "new")
	}
	if len(b.Calls) > 0 {
		calls := slices.Clone(b.Calls)
		slices.Sort(calls)
		parts = append(parts, "calls "+strings.Join(calls, ","))
	}
	if len(b.Stored) > 0 {
		parts = append(parts, "stored "+strings.Join(b.Stored, ","))
	}
	if b.Partial {
		parts = append(parts, "partial")
	}
	if !b.Known {
		parts = append(parts, "unknown")
	}
	return strings.Join(parts, " ")
}

// behaviours 40, 97: what the code of triggers and routines does.
func TestReadBody(t *testing.T) {
	for _, c := range []struct {
		d          Dialect
		text, want string
	}{
		{SQLite, "UPDATE authors SET posts = posts + 1 WHERE id = NEW.author_id;", "authors:posts[id=author_id]"},
		{SQLite, "UPDATE posts SET touched = datetime('now') WHERE id = old.id; END", "posts:touched[id=id] calls datetime"},
		{SQLite, "UPDATE posts SET a = 1, `b` = c WHERE posts.rowid = NEW.id AND note == 'x'", "posts:a,b[rowid=id]"},
		{SQLite, "UPDATE posts AS p SET a = 1 WHERE NEW.id = p.id", "posts:a[id=id]"},
		{SQLite, "UPDATE posts SET a = 1 WHERE id = NEW.id OR 1", "posts:a"},
		{SQLite, "UPDATE posts SET a = 1 WHERE n BETWEEN 1 AND id = NEW.id", "posts:a"},
		{SQLite, "UPDATE posts SET a = 1 WHERE id = NEW.id + 1", "posts:a"},
		{SQLite, "UPDATE posts SET a = 1 WHERE CASE WHEN n AND id = NEW.id AND 1 THEN 0 ELSE 1 END", "posts:a"},
		{SQLite, "UPDATE posts SET a = 1 WHERE NOT id = NEW.id", "posts:a"},
		{SQLite, "UPDATE posts SET a = o.a FROM others o WHERE o.id = NEW.id", "posts:a"},
		{SQLite, "UPDATE posts SET a = o.a FROM others o WHERE posts.id = NEW.id", "posts:a[id=id]"},
		{SQLite, "UPDATE posts SET a = (SELECT id FROM b WHERE b.id = NEW.id)", "posts:a"},
		{SQLite, "UPDATE OR IGNORE posts SET (a, b) = (1, 2), c = 3", "posts:a,b,c"},
		{SQLite, "INSERT INTO log VALUES (NEW.id); DELETE FROM cells WHERE id = OLD.id; REPLACE INTO t VALUES (1)", "log:+ cells:- t:+-"},
		{SQLite, "INSERT OR REPLACE INTO t VALUES (1) ON CONFLICT DO UPDATE SET n = n + 1", "t:+-n"},
		{SQLite, "SELECT RAISE(FAIL, 'x'); SELECT f(1)", "calls f,raise partial"},
		{SQLite, "UPDATE 'posts", "new unknown"},

		{Postgres, "BEGIN NEW.updated_at := now(); RETURN NEW; END;", "new.updated_at calls now"},
		{Postgres, "BEGIN NEW.updated_at = now(); NEW.\"Slug\"[1] := 'x'; RETURN COALESCE(NEW, OLD); END", "new.updated_at new.slug calls coalesce,now"},
		{Postgres, "BEGIN IF NEW.a = OLD.a THEN NEW.b := 1; ELSIF NEW.c = 1 THEN NULL; ELSE NEW.d := 2; END IF; RETURN NEW; END", "new.b new.d"},
		{Postgres, "BEGIN SELECT x, y INTO STRICT NEW.a, NEW.b FROM t; FETCH c INTO v, new.c; RETURN NEW; END", "new.a new.b new.c"},
		{Postgres, "BEGIN GET DIAGNOSTICS NEW.n = ROW_COUNT; FOR NEW.i IN 1..3 LOOP NEW.j := 1; END LOOP; RETURN NULL; END", "new.n new.i new.j"},
		{Postgres, "BEGIN <<a>> NEW.x := 1; CALL p(NEW.y); RETURN NEW; END", "new.x new.y calls p"},
		{Postgres, "DECLARE r posts; BEGIN r := NEW; r.a := 1; RETURN r; END", "new"},
		{Postgres, "BEGIN NEW := f(NEW); RETURN NEW; END", "new calls f"},
		{Postgres, "DECLARE r ALIAS FOR NEW; BEGIN r.a := 1; RETURN NEW; END", "new"},
		{Postgres, "BEGIN RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END", ""},
		{Postgres, "BEGIN IF ROW(NEW.*) IS DISTINCT FROM ROW(OLD.*) THEN INSERT INTO audit.log SELECT NEW.*; END IF; RETURN NULL; END", "audit.log:+ calls row"},
		{Postgres, "BEGIN WITH d AS (DELETE FROM a WHERE x = 1 RETURNING *) INSERT INTO b SELECT * FROM d; RETURN NULL; END", "a:- b:+"},
		{Postgres, "BEGIN INSERT INTO s (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = s.n + 1 RETURNING n INTO v; RETURN NEW; END", "s:+n calls conflict,s"},
		{Postgres, "BEGIN MERGE INTO s USING t ON s.id = t.id WHEN MATCHED AND t.x THEN UPDATE SET a = CASE WHEN x THEN 1 END, b = 2 WHEN NOT MATCHED THEN INSERT (a) VALUES (1) WHEN NOT MATCHED BY SOURCE THEN DELETE; END", "s:+-a,b"},
		{Postgres, "BEGIN PERFORM count_it(NEW.id); SELECT 1 FROM t FOR NO KEY UPDATE; SELECT 1 FROM t FOR UPDATE OF t; END", "calls count_it"},
		{Postgres, "BEGIN UPDATE ONLY s SET a = b IS DISTINCT FROM c, d = 1 WHERE s.id = NEW.id; END", "s:a,d[id=id]"},
		{Postgres, "BEGIN EXECUTE format('INSERT INTO %I', t); END", "calls format unknown"},
		{Postgres, "BEGIN EXECUTE 'DELETE FROM a WHERE id = $1' USING OLD.id; END", "a:-"},
		{Postgres, "BEGIN EXECUTE 'DELETE FROM ' || t; END", "unknown"},
		{Postgres, "BEGIN EXECUTE 'SELECT ($1).' || c INTO v USING NEW; END", ""},
		{Postgres, "BEGIN EXECUTE 'SELECT count_it($1)' USING NEW; EXECUTE 'SELECT 1; DELETE FROM a WHERE b = ' || c; END", "a:- calls count_it"},
		{Postgres, "BEGIN EXECUTE 'INSERT INTO a SELECT count_it()'; END", "a:+ calls count_it"},
		{Postgres, "BEGIN EXECUTE format('SELECT count_it(%L', 'x') INTO NEW.a; END", "new.a calls count_it,format"},
		{Postgres, "BEGIN DO $$ BEGIN DELETE FROM a; END $$; DO LANGUAGE plpgsql 'BEGIN END'; END", "unknown"},
		{Postgres, "BEGIN INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING; FOR i IN 1..2 LOOP NULL; END LOOP; END", "a:+"},
		{Postgres, "BEGIN g.NEW.a := 1; SELECT 1 INTO v, g.new.b; FOR v, NEW.c IN SELECT 1, 2 LOOP NULL; END LOOP; SELECT ignore INTO NEW.d FROM t; RETURN NEW; END", "new.a new.b new.c new.d"},
		{Postgres, "BEGIN OLD.a := 1; RETURN OLD; END", "new"},
		{Postgres, "BEGIN IF x THEN OLD.a = 1; END IF; RETURN CASE WHEN x THEN OLD ELSE NEW END; END", "new"},
		{Postgres, "BEGIN SELECT * INTO OLD FROM t; RETURN OLD; END", "new"},
		{Postgres, "BEGIN IF OLD.a = 1 THEN RETURN OLD; END IF; RETURN NEW; END", ""},
		{Postgres, "BEGIN TRUNCATE a, b; REFRESH MATERIALIZED VIEW m; CREATE TEMP TABLE x (a int); ALTER TABLE y ADD b int; END", "a:0 b:0 m:+-* y:+-* calls x"},
		{Postgres, "BEGIN RAISE NOTICE 'UPDATE a SET b = 1'; -- DELETE FROM c\n END", ""},
		{Postgres, "BEGIN LISTEN x; CALL f.g(1); f.h(2); END", "calls g,h"},

		{MySQL, "SET NEW.slug = LOWER(NEW.name), NEW.b := 2", "new.slug new.b calls lower"},
		{MySQL, "BEGIN IF NEW.a <> OLD.a THEN SET @x = 1, NEW.c = 3; END IF; END", "new.c"},
		{MySQL, "UPDATE authors SET posts = posts + 1 WHERE id = NEW.author_id", "authors:posts"},
		{MySQL, "BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; a: LOOP INSERT log SET n = 1; LEAVE a; END LOOP; END", "log:+"},
		{MySQL, "INSERT INTO s (id) VALUES (1) ON DUPLICATE KEY UPDATE n = n + 1, m = REPLACE(m, 'a', INSERT('b', 1, 1, 'c'))", "s:+n,m calls replace,s"},
		{MySQL, "UPDATE a JOIN b ON a.id = b.id SET a.x = 1, b.y = 2", "a:x,y b:x,y"},
		{MySQL, "BEGIN UPDATE (a JOIN b ON a.id = b.id) SET a.x = 1; UPDATE (c, d) SET d.y = 2; END", "a:x d:y"},
		{MySQL, "BEGIN SET STATEMENT max_statement_time = 1 FOR UPDATE a SET n = 1; SELECT 1 INTO @x FROM b FOR UPDATE; SELECT 1 FROM b FOR UPDATE NOWAIT; END", "a:n"},
		{MySQL, "BEGIN SET STATEMENT max_statement_time = 1 FOR UPDATE (a, b) SET b.n = 1; SELECT 1 FROM b WHERE x IN (SELECT y FROM c FOR UPDATE); END", "b:n"},
		{MySQL, "DELETE a, b FROM a JOIN b ON a.id = b.id", "a:- b:-"},
		{MySQL, "BEGIN SELECT n INTO NEW.n FROM s; CALL count_it(NEW.id, 1); EXECUTE IMMEDIATE @s; END", "new.n new.id calls count_it stored count_it unknown"},
		{MySQL, "BEGIN CALL `A`.p; SET @a = B.f(1) + g(2); END", "calls f,g,p stored a.p,b.f"},
		{MySQL, "/*!50003 DELETE FROM a */", "unknown"},
		{MySQL, `SET NEW.a = "x\"; DELETE FROM a; -- "`, "a:- a:- new.a"}, // as ANSI_QUOTES reads it
		{MySQL, "REPLACE INTO t VALUES (1)", "t:+-"},
		{Unknown, "UPDATE a SET b = 1", "a:b new unknown"},
	} {
		if got := said(ReadBody(c.text, c.d)); got != c.want {
			t.Errorf("%s:\n\tread %s\n\twant %s", c.text, got, c.want)
		}
	}
}

// behaviours 40, 97: what CREATE TRIGGER says on SQLite.
func TestReadSQLiteTrigger(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"CREATE TRIGGER t AFTER UPDATE OF a, \"B\" ON s FOR EACH ROW WHEN NEW.a > (SELECT 1) BEGIN DELETE FROM u; END", "after update of [a B]: u:-"},
		{"create temp trigger if not exists main.[begin] before delete on s begin select 1; end", "before delete of []: "},
		{"CREATE TRIGGER t INSTEAD OF INSERT ON v WHEN CASE NEW.begin WHEN 1 THEN 2 END BEGIN DELETE FROM u; END", "before insert of []: u:-"},
		{"CREATE TRIGGER t /* BEGIN */ INSERT ON s BEGIN DELETE FROM u; END", "after insert of []: u:-"},
		{"CREATE TRIGGER t INSERT ON s", "no"},
		{"CREATE TABLE t (a) BEGIN", "no"},
		{"", "no"},
	} {
		is, ok := ReadSQLiteTrigger(c.text)
		got := "no"
		if ok {
			when := map[bool]string{true: "before", false: "after"}[is.Before]
			for event, on := range map[string]bool{"insert": is.Insert, "update": is.Update, "delete": is.Delete} {
				if on {
					when += " " + event
				}
			}
			got = fmt.Sprintf("%s of %v: %s", when, is.Of, said(is.Body))
		}
		if got != c.want {
			t.Errorf("%s:\n\tread %s\n\twant %s", c.text, got, c.want)
		}
	}
}

// A body that is nothing but verbs, of any length, is given up before it takes long.
func TestLongBody(t *testing.T) {
	for _, unit := range []string{"UPDATE a ", "CALL a ", "RETURN a ", "INSERT INTO a SET a = 1, ", "( UPDATE a SET b = ( "} {
		for _, d := range []Dialect{SQLite, Postgres, MySQL} {
			if b := ReadBody(strings.Repeat(unit, 1<<16), d); b.Known {
				t.Errorf("%s…: known", unit)
			}
		}
	}
}

// FuzzReadBody: users' code neither panics nor loops.
func FuzzReadBody(f *testing.F) {
	for _, text := range []string{
		"BEGIN NEW.a := 1; UPDATE s SET (a, b) = (1, 2) WHERE id = NEW.id; RETURN NEW; END", "SET NEW.a = 1, NEW.b = 2", "NEW", "UPDATE", "INTO NEW.", "CALL a.b.",
		"EXECUTE format('x", "CREATE TRIGGER t AFTER UPDATE OF a ON s BEGIN UPDATE s SET a = 1 WHERE rowid = NEW.rowid; END", "CREATE TRIGGER", "MERGE INTO a USING b ON 1 WHEN MATCHED THEN DELETE",
		"UPDATE a SET", "UPDATE a SET (", "UPDATE a SET b.", "RETURN", "SELECT INTO STRICT", "FOR NEW", "INSERT INTO s VALUES (1) ON DUPLICATE KEY UPDATE",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []Dialect{Unknown, SQLite, Postgres, MySQL} {
			ReadBody(text, d)
		}
		ReadSQLiteTrigger(text)
	})
}
