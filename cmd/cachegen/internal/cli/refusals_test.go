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
		{"a setting given twice", "settings", `by is given twice; remove one`},
		{"a setting that the kind does not take", "settings", `count does not take limit; it takes by, where, ttl`},
		{"a setting without its value", "settings", `by needs a value, as in by:City`},
		{"settings parted by a comma", "settings", `settings are separated by ";"; did you mean "model;ttl:1h"?`},
		{"an option on a column's tag", "settings", `a column's tag takes no options; for order, declare the accessor on a blank field`},
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
		{"a function", "where", `there are no functions and no now, only literals such as 5, 'text' or '2024-01-31T00:00:00Z'`},
		{"IN of nothing", "leftout", `IN needs a literal at least, as in IN (1, 2)`},
		{"an order with a minus", "leftout", `an order from high to low is written Title desc`},
		{"unique without an index", "unique", `no unique index over just Slug; add gorm:"uniqueIndex", or say unchecked`},
		{"unique over half of an index", "composites", `no unique index over just Org, Title; add gorm:"uniqueIndex:name" on each, or say unchecked`},
		{"unique over the primary key", "composites", `No, Org are the primary key, by which Get finds rows already; remove this lookup`},
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
		{"follow on an uncached model", "follow", "Post.Writer leads to Writer, which is not cached: it has no `cache:\"model\"`; follow is not supported yet either, so remove it"},
		{"follow on a cached model", "follow", `Post.Similar leads to Post: follow is reserved for a later release and not supported yet; remove it, and read Post by its own accessors`},
		{"follow on a column", "follow", `Post.Title is no relation, and only relations are followed; remove follow`},
		{"by through many2many", "later", `Tags is a relation to Tag through the join table post_tags, and accessors through relations are not supported yet; take rows by columns of Post`},
		{"a time bucket", "later", `time buckets (/1h) are reserved for a later release and not supported yet; take rows by another column`},
		{"hot", "later", `hot is reserved for a later release and not supported yet; remove it`},
		{"stale", "later", `stale is reserved for a later release and not supported yet; remove it`},
		{"failsafe", "later", `failsafe is reserved for a later release and not supported yet; remove it`},
		{"query", "later", `query is reserved for a later release and not supported yet; remove it`},
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
