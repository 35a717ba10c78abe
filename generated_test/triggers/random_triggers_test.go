package triggers_test

import (
	"fmt"
	"slices"
	"strings"
)

// shownAuthors is a view that may be written.
func shownAuthors(name string) []string {
	view := []string{"CREATE VIEW shown AS SELECT id, name, posts FROM authors"}
	if name == "sqlite" {
		view = append(view, "CREATE TRIGGER shown_u INSTEAD OF UPDATE ON shown BEGIN UPDATE authors SET name = NEW.name, posts = NEW.posts WHERE id = OLD.id; END")
	}
	return view
}

// routines are called by triggers.
var routines = map[string][]string{
	"postgres": {
		"CREATE FUNCTION count_at(a bigint) RETURNS int LANGUAGE plpgsql AS $$ BEGIN UPDATE authors SET posts = posts + 1 WHERE id = a; RETURN 1; END $$",
		"CREATE PROCEDURE count_all() LANGUAGE sql AS $$ SELECT count_at(1); SELECT count_at(2) $$",
		"CREATE PROCEDURE give(INOUT s text) LANGUAGE plpgsql AS $$ BEGIN s := 'n'; END $$",
	},
	"mysql": {
		"CREATE FUNCTION count_at(a bigint) RETURNS int BEGIN UPDATE authors SET posts = posts + 1 WHERE id = a; RETURN 1; END",
		"CREATE PROCEDURE count_all() BEGIN DO count_at(1); SET @a = count_at(2); END",
		"CREATE PROCEDURE give(INOUT s varchar(40)) SET s = 'n'",
	},
}

// definition is what makes a trigger.
type definition struct{ table, text string }

// trigger makes a trigger of posts, or of a table that those write.
func (r *random) trigger(name string) definition {
	pg, my, lite := r.name == "postgres", r.name == "mysql", r.name == "sqlite"
	table := r.of("posts", "posts", "posts", "posts", "authors", "remarks", "drafts")
	events := []string{r.of("INSERT", "UPDATE", "UPDATE", "DELETE")}
	if pg {
		for _, e := range []string{"INSERT", "UPDATE", "DELETE"} {
			if r.IntN(3) == 0 && !slices.Contains(events, e) {
				events = append(events, e)
			}
		}
	}
	when := r.of("BEFORE", "AFTER", "AFTER")
	statement := pg && r.IntN(4) == 0
	only := slices.Equal(events, []string{"UPDATE"})
	listed := strings.Join(events, " OR ")
	transition := statement && when == "AFTER" && len(events) == 1
	if only && !my && !transition && r.IntN(3) == 0 {
		of := map[string]string{"posts": r.of("title", "slug", "note, title", "author_id"), "authors": "posts", "remarks": "post_id", "drafts": "author_id"}[table]
		listed = "UPDATE OF " + of
	}
	row := "NEW"
	if slices.Contains(events, "DELETE") {
		row = "OLD"
	}
	if pg && slices.Contains(events, "DELETE") && len(events) > 1 {
		row = "r"
	}
	var codes []string
	for range 1 + r.IntN(2) {
		switch {
		case statement:
			codes = append(codes, r.elsewhere(table, "NULL", transition))
		case when == "BEFORE" && !lite && row == "NEW" && r.IntN(3) > 0:
			codes = append(codes, r.sets(table))
		case !my && table == "posts" && r.IntN(3) == 0:
			codes = append(codes, r.own(row))
		default:
			codes = append(codes, r.elsewhere(table, row, false))
		}
		codes[len(codes)-1] = r.nest(codes[len(codes)-1], row)
	}
	code := strings.Join(codes, "; ")
	switch {
	case lite:
		cond := ""
		if r.IntN(4) == 0 {
			cond = " WHEN " + row + ".id > 0"
		}
		if when == "BEFORE" && r.IntN(3) == 0 {
			code += "; SELECT RAISE(IGNORE)"
		}
		return definition{table, fmt.Sprintf("CREATE TRIGGER %s %s %s ON %s FOR EACH ROW%s BEGIN %s; END", name, when, listed, table, cond, code)}
	case my:
		return definition{table, fmt.Sprintf("CREATE TRIGGER %s %s %s ON %s FOR EACH ROW BEGIN DECLARE v varchar(40); %s; END", name, when, listed, table, code)}
	}
	level, returns := "ROW", r.of("COALESCE(NEW, OLD)", "CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END")
	if when == "BEFORE" && r.IntN(4) == 0 {
		returns = r.of("NULL", "OLD")
	}
	if statement {
		level, returns = "STATEMENT", "NULL"
		if transition {
			old, fresh := " OLD TABLE AS gone", " NEW TABLE AS fresh"
			level = "STATEMENT"
			refer := " REFERENCING" + fresh
			if events[0] == "DELETE" {
				refer = " REFERENCING" + old
			}
			listed = listed + " ON " + table + refer
			code = strings.ReplaceAll(code, "CHANGED", map[bool]string{true: "gone", false: "fresh"}[events[0] == "DELETE"])
		}
	}
	if !transition {
		listed += " ON " + table
	}
	declare, begin := "v text; k bigint; r "+table, ""
	if row == "r" {
		begin = "IF TG_OP = 'DELETE' THEN r := OLD; ELSE r := NEW; END IF; "
	}
	return definition{table, fmt.Sprintf("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE %s; BEGIN %sIF pg_trigger_depth() < 4 THEN %s; END IF; RETURN %s; END $$\n;\n"+
		"CREATE TRIGGER %s %s %s FOR EACH %s EXECUTE FUNCTION %s()", name, declare, begin, code, returns, name, when, listed, level, name)}
}

// nest puts a statement where it may or may not be run.
func (r *random) nest(code, row string) string {
	switch r.name {
	case "mysql":
		return r.of(code, code, "IF "+row+".id > 0 THEN "+code+"; END IF", "CASE WHEN 1 = 2 THEN SET @q = 1; ELSE "+code+"; END CASE",
			"l: LOOP "+code+"; LEAVE l; END LOOP l", "/* it's */ BEGIN "+code+"; END -- don't\n", "BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; "+code+"; END")
	case "postgres":
		return r.of(code, code, "IF 1 = 1 THEN "+code+"; END IF", "CASE WHEN 1 = 2 THEN NULL; ELSE "+code+"; END CASE", "<<l>> LOOP "+code+"; EXIT l; END LOOP l",
			"/* it's /* nested */ */ BEGIN "+code+"; EXCEPTION WHEN unique_violation THEN NULL; END", "FOREACH v IN ARRAY ARRAY['a'] LOOP "+code+"; END LOOP", "-- don't\n"+code)
	}
	return r.of(code, code, "SELECT 'UPDATE'; "+code, "/* it's */ "+code+" -- don't\n")
}

// own is an update of the row itself, or of others of its table.
func (r *random) own(row string) string {
	set := r.of("slug = 'n'", "touched = 'x'", "slug = "+row+".title", "(note, slug) = ('k', 'x')", "author_id = 2", "title = note, note = 'w'")
	return "UPDATE posts SET " + set + " WHERE " + r.of("id = "+row+".id", "posts.id = "+row+".id AND note <> 'k'", row+".id = id", "author_id = "+row+".author_id", "id <> "+row+".id",
		"id = "+row+".id OR slug = 's'", "id IN (SELECT post_id FROM remarks)", "id = "+row+".id + 1")
}

// sets sets columns of the row, before it is written.
func (r *random) sets(table string) string {
	column, value := "author_id", r.of("1", "2")
	switch table {
	case "posts":
		if r.IntN(8) == 0 {
			column, value = "id", r.of("3", "NEW.id + 1")
		} else if r.IntN(4) > 0 {
			column, value = r.of("slug", "slug", "touched", "title", "note"), r.of("'n'", "'x'", "NEW.title", "NEW.note")
		}
	case "authors":
		column, value = "name", r.of("'n'", "'b'")
	case "remarks":
		column, value = "post_id", r.of("1", "2")
	}
	if r.name == "mysql" {
		all := []string{"SET NEW.%s = %s", "SET @q = 1, NEW.%s := %s", "SET `NEW`.`%s` = %s", "SET @q := 1, @z = '', NEW.%s = %s"}
		if strings.Contains(column, "slug") {
			all = append(all, "CALL give(NEW.slug)")
		}
		code := r.of(all...)
		if strings.Contains(code, "%") {
			code = fmt.Sprintf(code, column, value)
		}
		return code
	}
	all := []string{"NEW.%s := %s", "NEW.%s = %s", "new.\"%s\" := %s", "\"new\".%s := %s", "SELECT %[2]s INTO NEW.%[1]s", "SELECT 1, %[2]s INTO k, NEW.%[1]s", "SELECT %[2]s INTO STRICT NEW.%[1]s",
		"EXECUTE 'SELECT $1' INTO NEW.%[1]s USING %[2]s", "NEW := jsonb_populate_record(NEW, jsonb_build_object('%s', %s))", "INSERT INTO drafts (author_id) VALUES (1) RETURNING %[2]s INTO NEW.%[1]s",
		"FOR k, NEW.%[1]s IN SELECT 1, %[2]s LOOP NULL; END LOOP", "FOR NEW.%[1]s IN SELECT %[2]s LOOP NULL; END LOOP"}
	if column == "slug" {
		all = append(all, "CALL give(NEW.slug)")
	}
	code := r.of(all...)
	if strings.Contains(code, "%") {
		code = fmt.Sprintf(code, column, value)
	}
	return code
}

// elsewhere writes other tables.
func (r *random) elsewhere(table, row string, transition bool) string {
	pg, my := r.name == "postgres", r.name == "mysql"
	author, post := "1", "1"
	if row != "NULL" {
		switch table {
		case "posts":
			author, post = row+".author_id", row+".id"
		case "authors":
			author = row + ".id"
		case "drafts":
			author = row + ".author_id"
		case "remarks":
			post = row + ".post_id"
		}
	}
	all := []string{
		"INSERT INTO drafts (author_id) VALUES (" + author + ")", "DELETE FROM drafts WHERE author_id = " + author,
		"UPDATE stats SET n = n + 1 WHERE id = 'x'", "DELETE FROM badges WHERE id = 'y'", "UPDATE badges SET code = 'cz' WHERE id = 'x'",
	}
	if !my {
		all = append(all, "INSERT INTO stats (id, n) VALUES ('x', 1) ON CONFLICT (id) DO UPDATE SET n = stats.n + 1")
	}
	if my && table != "authors" {
		all = append(all, "UPDATE (stats JOIN authors ON authors.id = "+author+") SET stats.n = 9, authors.posts = 9", "UPDATE stats AS s, authors a SET s.n = 5, a.posts = 5 WHERE a.id = "+author,
			"DO count_at("+author+")", "CALL count_all()", "SET STATEMENT max_statement_time = 9 FOR UPDATE stats SET n = n + 1")
	}
	if my {
		all = append(all, "INSERT stats SET id = 'z', n = 3 ON DUPLICATE KEY UPDATE n = 4", "REPLACE stats VALUES ('x', 3)", "INSERT INTO stats SELECT 'z', 3 ON DUPLICATE KEY UPDATE n = VALUES(n) + 1")
	}
	if pg {
		all = append(all, "WITH q AS (SELECT 1) UPDATE stats SET n = 7 WHERE id = 'x'", "MERGE INTO stats USING (SELECT 'x' AS i) q ON stats.id = q.i WHEN MATCHED THEN UPDATE SET n = 8", "EXECUTE 'UPDATE stats SET n = $1' USING 5", "EXECUTE format('DELETE FROM %I', 'plates')",
			"WITH q AS (DELETE FROM plates WHERE id = 'x' RETURNING note) INSERT INTO plates SELECT 'z', note FROM q")
		if table != "authors" {
			all = append(all, "PERFORM count_at("+author+")", "k := count_at("+author+")", "CALL count_all()", "EXECUTE 'SELECT count_at(1)' INTO k", "EXECUTE 'SELECT count_at($1)' USING "+author)
		}
	} else if !my {
		all = append(all, "REPLACE INTO stats VALUES ('x', 3)", "INSERT OR REPLACE INTO badges VALUES ('z', 'cx', '')")
	}
	if table != "authors" {
		all = append(all, "UPDATE authors SET posts = posts + 1 WHERE id = "+author, "UPDATE authors SET name = 'n' WHERE id = "+author, "UPDATE shown SET posts = posts + 2 WHERE id = "+author)
	}
	if table != "remarks" && table != "posts" {
		all = append(all, "DELETE FROM posts WHERE id = "+post, "UPDATE posts SET note = 'by', slug = 'n' WHERE author_id = "+author)
	}
	if table == "posts" && r.name != "mysql" {
		all = append(all, "DELETE FROM remarks WHERE post_id = "+post, "INSERT INTO remarks (post_id) VALUES ("+post+")")
	}
	if transition && table == "posts" {
		all = append(all, "UPDATE authors SET posts = c FROM (SELECT author_id, count(*) AS c FROM CHANGED GROUP BY 1) q WHERE q.author_id = authors.id",
			"UPDATE posts SET note = 'tr' FROM CHANGED WHERE CHANGED.id = posts.id AND posts.note <> 'tr'")
	}
	return all[r.IntN(len(all))]
}
