package sqltext_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// grammar makes SQL text of a dialect.
type grammar struct {
	r       *rand.Rand
	dialect string
	damaged bool // the last text
}

func (g *grammar) one(of ...string) string { return of[g.r.IntN(len(of))] }

// some returns s n times in ten, else "".
func (g *grammar) some(n int, s string) string {
	if g.r.IntN(10) < n {
		return s
	}
	return ""
}

// text is one statement or a few, a third of them damaged.
func (g *grammar) text() string {
	parts := []string{g.statement()}
	for g.r.IntN(5) == 0 {
		parts = append(parts, g.statement())
	}
	text := g.spread(strings.Join(parts, " ; "))
	if g.damaged = g.r.IntN(3) == 0; g.damaged {
		text = g.damage(text)
	}
	return text
}

// pieces are what a damaged text may have too much.
var pieces = []string{
	"'", "''", `"`, "`", "--", "-- ", "/*", "*/", "/*!", "/*M!", "/*!50000 ", "#", "$$", "$x$", `\`, `\'`, `\"`, ";", "(", ")", "[", "]", "\n", "E'", ",", "x", "UPDATE ", "DELETE FROM croupons ",
	";DELETE FROM merchants;", " AS ", ".", "*",
}

// damage puts pieces into a text, or takes some out.
func (g *grammar) damage(text string) string {
	for range 1 + g.r.IntN(4) {
		at := g.r.IntN(len(text) + 1)
		if g.r.IntN(4) == 0 && at < len(text) {
			text = text[:at] + text[min(len(text), at+1+g.r.IntN(3)):]
			continue
		}
		text = text[:at] + g.one(pieces...) + text[at:]
	}
	return text
}

// spread replaces blanks by what may stand in their place, and changes the case of words.
func (g *grammar) spread(text string) string {
	var b strings.Builder
	for i, word := range strings.Split(text, " ") {
		if i > 0 {
			b.WriteString(g.blank())
		}
		if word == strings.ToUpper(word) && g.r.IntN(4) == 0 && !strings.ContainsAny(word, "'\"`$") {
			word = strings.ToLower(word)
		}
		b.WriteString(word)
	}
	return b.String()
}

func (g *grammar) blank() string {
	if g.r.IntN(6) > 0 {
		return " "
	}
	blanks := []string{"\n", "\t", "  ", " /* x */ ", " /*'*/ ", " -- ' ;\n", "/**/", " /* ; DELETE FROM others; */ ", "\r\n"}
	switch g.dialect {
	case "postgres":
		blanks = append(blanks, " /* /* ' */ ; */ ", "--'\n", "--\r", " /*/**/*/ ")
	case "mysql":
		blanks = append(blanks, " # ' ;\n", " /*!*/ ", "\n#\n", " --\t'\n")
	case "sqlite":
		blanks = append(blanks, "--'\n", " /* /* */ ")
	}
	return g.one(blanks...)
}

func (g *grammar) statement() string {
	switch g.r.IntN(12) {
	case 0:
		return "SELECT * FROM " + g.table("croupons") + " WHERE " + g.condition()
	case 1:
		return "SELECT " + g.literal() + " , " + g.literal()
	case 2, 3, 4:
		return g.with() + g.update()
	case 5, 6:
		return g.with() + g.remove()
	case 7, 8, 9:
		return g.insert()
	case 10:
		return g.one("EXPLAIN ", g.odd("EXPLAIN ANALYZE ", "ANALYZE ", "EXPLAIN QUERY PLAN ")) + g.one(g.update(), g.remove())
	}
	return g.odd(g.writingCTE(), g.joined(), "UPDATE OR IGNORE "+g.tableColumn("")+" = "+g.literal())
}

// odd returns what is the dialect's own.
func (g *grammar) odd(postgres, mysql, sqlite string) string {
	return map[string]string{"postgres": postgres, "mysql": mysql, "sqlite": sqlite}[g.dialect]
}

// column is the one of a table that is written.
var column = map[string]string{"croupons": "title", "merchants": "name", "others": "n"}

func (g *grammar) anyTable() string { return g.one("croupons", "croupons", "merchants", "others") }

// table is one of the names of a table.
func (g *grammar) table(name string) string {
	names := []string{name, name, name}
	switch g.dialect {
	case "sqlite":
		names = append(names, `"`+name+`"`, "`"+name+"`", "["+name+"]", "'"+name+"'", "main."+name, "main . "+name, strings.ToUpper(name), `"main"."`+name+`"`)
	case "postgres":
		names = append(names, `"`+name+`"`, "public."+name, `public . "`+name+`"`, strings.ToUpper(name), "ONLY "+name)
	case "mysql":
		names = append(names, "`"+name+"`", "`"+name+"`", `"`+name+`"`)
	}
	return g.one(names...)
}

// tableColumn is a table, perhaps with an alias, and SET with its column.
func (g *grammar) tableColumn(alias string) string {
	name := g.anyTable()
	return g.table(name) + alias + " SET " + column[name]
}

func (g *grammar) update() string {
	name := g.anyTable()
	low := ""
	if g.dialect == "mysql" {
		low = g.some(2, "LOW_PRIORITY ") + g.some(2, "IGNORE ")
	}
	return "UPDATE " + low + g.table(name) + g.some(2, " AS x") + " SET " + column[name] + " = " + g.value(name) + g.some(6, " WHERE "+g.condition())
}

func (g *grammar) remove() string {
	return "DELETE FROM " + g.table(g.anyTable()) + g.some(7, " WHERE "+g.condition())
}

func (g *grammar) insert() string {
	name := g.anyTable()
	verb := "INSERT INTO "
	switch g.dialect {
	case "sqlite":
		verb = g.one(verb, "INSERT OR REPLACE INTO ", "INSERT OR IGNORE INTO ", "REPLACE INTO ", "INSERT OR FAIL INTO ")
	case "mysql":
		verb = g.one(verb, "INSERT ", "INSERT IGNORE INTO ", "REPLACE INTO ", "REPLACE ")
	}
	id := strconv.Itoa(1 + g.r.IntN(9))
	text := verb + g.table(name) + " (id, " + column[name] + ") "
	if strings.Contains(text, "ONLY") {
		text = strings.ReplaceAll(text, "ONLY ", "")
	}
	if g.r.IntN(3) == 0 {
		return text + "SELECT id + " + id + ", " + g.value(name) + " FROM " + g.one("croupons", "merchants", "others") + " WHERE " + g.condition()
	}
	return text + "VALUES (" + id + ", " + g.value(name) + ")" + g.odd(g.some(5, " ON CONFLICT DO NOTHING")+g.some(1, " RETURNING id"), g.some(5, " ON DUPLICATE KEY UPDATE id = id + 10"), g.some(1, " RETURNING id"))
}

func (g *grammar) with() string {
	if g.dialect == "mysql" || g.r.IntN(4) > 0 { // MariaDB 10.11 has none in front of a write
		return ""
	}
	return g.one("WITH q AS (SELECT 1) ", "WITH RECURSIVE q(n) AS (SELECT 1), "+g.odd("update", "u", "u")+" AS (SELECT 2) ")
}

func (g *grammar) writingCTE() string {
	inner := g.one(g.update(), g.remove()) + " RETURNING *"
	return "WITH w AS " + g.some(2, "MATERIALIZED ") + "(" + inner + ") " + g.one("SELECT * FROM w", g.update(), g.remove(), "TABLE w")
}

func (g *grammar) joined() string {
	a, b := g.anyTable(), g.anyTable()
	refs := a + " AS x " + g.one("JOIN ", ", ", "LEFT JOIN ", "STRAIGHT_JOIN ") + b + " AS y "
	if !strings.Contains(refs, ",") {
		refs += "ON x.id = y.id "
	}
	switch g.r.IntN(4) {
	case 0:
		return "DELETE " + g.one("x", "y", "x, y", "x.*") + " FROM " + refs + "WHERE x.id = 1"
	case 1:
		return "DELETE FROM " + g.one("x", "y", "x, y") + " USING " + refs + "WHERE y.id = 2"
	case 2:
		return "UPDATE " + refs + "SET x." + column[a] + " = " + g.value(a) + g.some(5, " , y."+column[b]+" = "+g.value(b))
	}
	return "UPDATE " + a + " , (SELECT 1 AS one) AS z SET " + column[a] + " = " + g.value(a)
}

func (g *grammar) condition() string {
	return g.one("id = 1", "id < 3", "id > 1", "id IN (SELECT id FROM others)", "id = 99", "1 = 1", "id <> "+strconv.Itoa(g.r.IntN(5)), g.literal()+" <> "+g.literal())
}

// value is something new for a table's column.
func (g *grammar) value(table string) string {
	if table == "others" {
		return strconv.Itoa(10 + g.r.IntN(1000))
	}
	return g.literal()
}

// literal is a text, full of traps.
func (g *grammar) literal() string {
	inside := g.one("x", "it''s", ";", "; DELETE FROM others; --", "/*", "*/", "--", "DELETE FROM croupons", "", `"`, "`", "$$", "# x", "/*! x", "(DELETE FROM merchants)") + strconv.Itoa(g.r.IntN(100))
	literals := []string{"'" + inside + "'"}
	switch g.dialect {
	case "postgres":
		literals = append(literals, "$$"+strings.ReplaceAll(inside, "$", "")+"$$", "$q$"+inside+"$q$", "E'"+inside+`\''`, `E'\\`+inside+"'", "'"+inside+`\'`, "'"+inside+`\\'`)
	case "mysql":
		literals = append(literals, "'"+inside+`\''`, `'\\`+inside+"'", `"`+strings.ReplaceAll(inside, `"`, "")+`"`, `"`+strings.ReplaceAll(inside, `"`, `\"`)+`"`, "'"+inside+`\'`, "N'"+inside+"'")
	case "sqlite":
		literals = append(literals, "'"+inside+`\'`, "x'00ff'")
	}
	return g.one(literals...)
}
