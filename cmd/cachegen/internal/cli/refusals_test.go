package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What is refused, by name: each is said in the case's golden file, at a place and with what to do.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, folder, says string }{
		{"an unknown setting", "settings", `unknown setting "tll"; did you mean "ttl"?`},
		{"an unknown setting close to none", "settings", `unknown setting "sort"; list takes by, where, order, limit, ttl`},
		{"an unknown kind", "settings", `unknown kind "lisst"; did you mean "list"?`},
		{"a setting given twice", "settings", `by is given twice; join the fields by a comma`},
		{"a setting that the kind does not take", "settings", `count does not take limit; it takes by, where, ttl`},
		{"a setting without its value", "settings", `by needs a value, as in by:City`},
		{"settings parted by a comma", "settings", `settings are separated by ";"; did you mean "model;ttl:1h"?`},
		{"an option on a column's tag", "settings", `a column's tag takes no options; for order, declare the accessor on a blank field`},
		{"a where given twice", "foreignwords", `where is given twice; join the terms by a comma`},
		{"a misspelt key", "tagkeys", `unknown tag key "chache"; did you mean "cache"?`},
		{"a misspelt key in a package without another", "tagkeysonly", `unknown tag key "caceh"; did you mean "cache"?`},
		{"model on a column", "misplaced", "model is declared on a blank field, as in _ struct{} `cache:\"model\"`"},
		{"a key in capitals", "settings", `the tag's key is cache, not Cache; keys are written in small letters`},
		{"a tag without quotes", "settings", `the tag is not of the form cache:"…", so that Go does not read it; write it so`},
		{"a tag that is not closed", "quotes", `the tag is not closed; a double quote is missing at its end`},
		{"two cache tags on a field", "quotes", `the tag has cache: twice, of which Go reads the first; join them with a ;`},
		{"text that is not closed", "quotes", `the text literal is not closed; a ; inside one is written \\;`},
		{"a quote inside text", "quotes", `the text ends at this quote; one inside it is written twice, as in 'it''s'`},
		{"text in other quotes", "quotes", `text stands in single quotes, as in 'text'`},
		{"text that is not UTF-8", "quotes", `the literal is not UTF-8 without zero bytes, which is all the text that every database holds; write another`},
		{"an unknown field in by", "columns", `Post has no column Auhtor; did you mean "Author"?`},
		{"an unknown field in order", "columns", `Post has no column Titel; did you mean "Title"?`},
		{"an unknown field in where", "where", `Post has no column Scroe; did you mean "Score"?`},
		{"a field close to none", "columns", `Post has no column Nothing.Like.It; it has ID, Author, Topic, Title, At, Address.Zip`},
		{"the database's name of a column", "columns", `user_name is the name of a column; tags name Go fields, so write UserName`},
		{`a column with gorm:"-"`, "leftout", `Skipped is tagged gorm:"-", so that it is no column; take another, or drop that tag`},
		{"a field that is not exported", "leftout", `hidden is not exported, so that it is no column; export it, or take another`},
		{"an embedded struct", "leftout", `Home is embedded, and no column itself; name one of its fields, as in Home.Zip`},
		{"a literal of the wrong type", "where", `Score has type int64, so the literal must be a whole number that fits it, not 'five'`},
		{"a literal out of range", "where", `Level has type uint8, so the literal must be a whole number that fits it, not 300`},
		{"a time that is none", "where", `At has type time.Time, so the literal must be an RFC 3339 time in quotes, as in '2024-01-31T00:00:00Z', not '2024-02-30'`},
		{"where on a type that cannot be judged", "where", `Raw has type []byte, which where can only test for NULL, and that as a pointer; compare a column of another type`},
		{"an operator that the type has not", "where", `Title has type string, which takes = != IN and not >`},
		{"NULL in a column that has none", "where", `Title has type string, which cannot be NULL; make it a pointer`},
		{"AND and OR", "where", `terms are joined by a comma and all must hold; there is no AND or OR: write a comma, or an accessor for each`},
		{"a term given twice", "together", `N = 5 is given twice; remove one`},
		{"two values of a column", "together", `N = 3 stands beside N = 5, and both must hold; keep one, or write N IN (5, 3)`},
		{"an empty range", "together", `N > 5 and N < 3 never hold together; change or remove one`},
		{"terms of which only all together never hold", "together", `N != 5 never holds together with the terms on N before it; change or remove one`},
		{"a column alone", "where", `Active is compared with nothing; where it is a bool, write Active = true`},
		{"NOT", "foreignwords", `there is no NOT; write Active = false`},
		{"LIKE", "where", `there is no LIKE; keep what it looks for in a column of its own, and compare that`},
		{"BETWEEN", "foreignwords", `there is no BETWEEN; write two terms, as in N >= 1, N <= 5`},
		{"NOT IN", "foreignwords", `there is no NOT IN; write a term for each, as in City != 'a', City != 'b'`},
		{"parentheses", "foreignwords", `there are no parentheses around terms, since all must hold; leave them out`},
		{"an argument in where", "foreignwords", `expected true, false, a number or 'text', found ?; an argument has no place in where: name its column in by, as in by:City`},
		{"a constant of Go's", "foreignwords", `expected true, false, a number or 'text', found StatusOpen; Go's constants and other columns are not looked up: write the value, text in single quotes`},
		{"a number as in Go", "foreignwords", `N has type int, so the literal must be a whole number that fits it, not 1_000; write 1000`},
		{"a direction in by", "foreignwords", `a direction belongs in order, as in order:ID desc`},
		{"a function", "where", `there are no functions and no now, only literals such as 5, 'text' or '2024-01-31T00:00:00Z'`},
		{"IN of nothing", "leftout", `IN needs a literal at least, as in IN (1, 2)`},
		{"an order with a minus", "leftout", `an order from high to low is written Title desc`},
		{"unique without an index", "unique", `no unique index over just Slug; add gorm:"uniqueIndex", or say unchecked`},
		{"unique over half of an index", "composites", `no unique index over just Org, Title; add gorm:"uniqueIndex:name" on each, or say unchecked`},
		{"unique over the primary key", "composites", `No, Org are the primary key, by which Get finds rows already; remove this lookup`},
		{"a name that repeats its method's beginning", "repeatednames", `the method is ListListAll; did you mean list:All?`},
		{"by on a column with QueryClauses", "clauses", `Tenant has type clauses.TenantID, whose QueryClauses method adds a condition to every query; keep what rows are found or ordered by in a column of another type`},
		{"two soft-delete columns", "clauses", `Twice has two soft-delete columns, Model.DeletedAt and Archived; keep one, and make the other a *time.Time`},
		{"a primary key that may be NULL", "keys", `NullKey.ID: a primary key that can be NULL is not supported; make it uint64`},
		{"an accessor declared twice", "accessornames", `list:Feed is declared twice (first at 12:21); remove or rename one`},
		{"accessors with one method", "accessornames", `list:FeedPage makes the method ListFeedPage, as does list:Feed; rename one`},
		{"a method of the user's on a generated type", "methods", `the generated type PostCache has a GetBySlug of its own; rename this method`},
		{"a method called as a generated field", "methods", `the generated type PostModel has a Cache of its own; rename this method`},
		{"a package that declares Models", "names", `the generated code of the package declares Models, which post.go:15 declares already; rename one`},
		{"a package that hides Go's own names", "names", `string hides Go's own, which generated code needs; rename this`},
		{"models with one file", "collisions", `the generated code of HTTPLog and of HttpLog would both be http_log_cache.gen.go; rename one model`},
		{"a file of the user's in the place of generated code", "foreign", `this file was not generated by cachegen, and stands where generated code belongs; rename or remove it`},
		{"a model that is not exported", "declarations", `hidden is not exported, so that nobody outside could name what its accessors return; export it`},
		{"a model declared twice", "stray", `Post is declared twice (first at post.go:4); rename or remove one`},
		{"tags where no model is", "stray", `cache tags mean something only in a struct type with a name, outside functions; declare one, or remove the tag`},
		{"a model in some builds only", "constraint", `Post has cache tags in a file that is not part of every build (//go:build !never), which its generated code would be; move it to a file without a build constraint`},
		{"no primary key", "keys", `NoKey has no primary key; name a field ID or tag one with gorm:"primaryKey"`},
		{"follow on an uncached model", "follow", "Post.Writer leads to Writer, which is not cached: it has no `cache:\"model\"`; add that and generate its package too, or remove follow"},
		{"an order that Go does not know", "follows", `rows through the join table likes are put in order by Go, which does not know how the database compares Title; take integers, bools or times that are not NULL`},
		{"follow on what GORM leaves out", "follow", `Post.Note is tagged gorm:"-", so that it is no relation; remove one of the tags`},
		{"follow on an embedded struct", "follow", `Post.Place is embedded, and only relations are followed; remove follow`},
		{"an order of one related row", "follows", `Post.Writer is one Writer and no list, so it takes no order; remove it`},
		{"an order by no column of the related model", "follows", `Note has no column Tilte; did you mean "Title"?`},
		{"an order by a column twice", "follows", `Title is given twice; remove one`},
		{"a limit of related rows below 1", "follows", `limit must be a whole number of at least 1, not "0"`},
		{"follow written wrongly", "follows", `unknown setting "folow"; did you mean "follow"?`},
		{"follow with a value", "follows", `follow takes no value; write it alone, as in follow;order:ID desc`},
		{"another option of follow", "follows", `Post.Third is a relation to Note and no column, so it takes no where; beside follow stand order, limit`},
		{"a relation without a foreign key", "follows", `Post.Ninth leads nowhere: Writer has no field PostID; add it, or name the one in gorm:"foreignKey:…"`},
		{"a single one without a foreign key", "follows", `Post.Tenth leads nowhere: Post has no field TenthID, nor has Other a field PostID; add one, or name it in gorm:"foreignKey:…"`},
		{"a polymorphic one without its columns", "follows", `Post.Cover is polymorphic, and Writer has no fields OwnerType and OwnerID for it; add them, or name them in the gorm tag`},
		{"follow inside an embedded struct", "follows", `Post.Base.Editor: cache tags inside an embedded struct are not supported yet; move the relation to Post itself`},
		{"follow on a blank field", "follows", "follow stands on the field of a relation, as in Writer *Writer `cache:\"follow\"`"},
		{"follow on a column", "follow", `Post.Title is no relation, and only relations are followed; remove follow`},
		{"by through many2many", "later", `Tags is a relation to Tag through the join table post_tags, and accessors through relations are not supported yet; take rows by columns of Post`},
		{"a time bucket", "later", `time buckets (/1h) are reserved for a later release and not supported yet; take rows by another column`},
		{"hot", "later", `hot is reserved for a later release and not supported yet; remove it`},
		{"stale", "later", `stale is reserved for a later release and not supported yet; remove it`},
		{"failsafe", "later", `failsafe is reserved for a later release and not supported yet; remove it`},
		{"a value of query", "query", `query takes no value; write it alone`},
		{"query on a list", "query", `list does not take query; it takes by, where, order, limit, ttl`},
		{"query on a column", "query", "query belongs to model, as in _ struct{} `cache:\"model;query\"`"},
		{"query alone", "query", `a declaration begins with its kind, as in model;query`},
		{"a method called as a query", "query", `the generated type NoteCache has a Query of its own; rename this method`},
		{"a limit below 1", "numbers", `limit must be a whole number of at least 1, not "0"`},
		{"a ttl without a unit", "numbers", `ttl must be a duration above 0 such as 90s, 5m or 24h, or forever, not "1d"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, err := os.ReadFile(filepath.Join("testdata/refused", c.folder, "stderr.txt"))
			if err != nil {
				t.Fatal(err)
			}
			line := regexp.MustCompile(`(?m)^[\w.]+\.go(:\d+:\d+)?: ` + regexp.QuoteMeta(c.says) + `$`)
			if !line.Match(said) {
				t.Errorf("want %q in\n%s", c.says, said)
			}
		})
	}
}

// Every message begins with its place, and no two of a run are the same.
func TestRefusedPlaces(t *testing.T) {
	place := regexp.MustCompile(`^[\w.]+\.go(:\d+:\d+)?: \S`)
	for _, dir := range cases(t, "refused") {
		seen := map[string]bool{}
		for line := range strings.Lines(read(t, filepath.Join(dir, "stderr.txt"))) {
			if !place.MatchString(line) || seen[line] {
				t.Errorf("%s: %q", dir, line)
			}
			seen[line] = true
		}
	}
}
