package matrix

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

var update = flag.Bool("update", false, "write testdata and docs/matrix.md")

// write is one row of the matrix.
type write struct {
	name string // as docs/matrix.md shows it
	do   func(c *call)
	// falls are the lists that must fall, and no others: "articles:1 .ListByKind(food)" is the row and the accessor's
	// list of that table, "articles:1*" the row and every list that it was or is on, "articles" the table's `all`.
	falls string
	// fails is in the write's error, where it has one.
	fails string
	// loose says that falls has lists of rows that are left as they were, and why they fall.
	loose string
	// off says on which databases something else falls, and why. What MariaDB has holds for MySQL.
	off map[string]off
}

// on returns what is expected on a database.
func (w *write) on(kind string) off {
	o, ok := w.off[kind]
	if !ok && kind == "mysql" {
		o, ok = w.off["mariadb"]
	}
	if !ok {
		o = off{falls: w.falls, fails: w.fails, loose: w.loose}
	}
	return o
}

// anyError is some error, in the database's own words.
const anyError = "*"

// off is where a database differs.
type off struct {
	falls, fails, loose, why string
}

// call is one run of a write.
type call struct {
	t     *testing.T
	db    *gorm.DB
	kind  string
	hooks Hooks
	said  []string // what GORM answered
	errs  []error
	saw   []any // the caller's values
}

// did notes what GORM answered.
func (c *call) did(tx *gorm.DB) {
	c.said = append(c.said, fmt.Sprintf("%d rows, %v", tx.RowsAffected, tx.Error))
	c.errs = append(c.errs, tx.Error)
}

// n is did for what answers with a number.
func (c *call) n(n int, err error) {
	c.said = append(c.said, fmt.Sprintf("%d rows, %v", n, err))
	c.errs = append(c.errs, err)
}

// err is did for what answers with an error alone.
func (c *call) err(err error) {
	c.said = append(c.said, fmt.Sprint(err))
	c.errs = append(c.errs, err)
}

// see notes a value of the caller's, which is looked at after the write.
func (c *call) see(values ...any) { c.saw = append(c.saw, values...) }

// run makes the write in a world, and returns it, the statements that it took, and how many of them were the plugin's. What
// the plugin asks the catalog behind the write may be among the first, and is not among the second.
func (w *write) run(t *testing.T, in *world) (c *call, sql []string, own int) {
	t.Helper()
	c = &call{t: t, kind: in.kind}
	ctx, trace := cacheruntime.WithTrace(WithHooks(context.Background(), &c.hooks))
	c.db = in.db.WithContext(ctx)
	sql = in.sql.Of(func() { w.do(c) })
	fails := w.on(in.kind).fails
	failed := false
	for _, err := range c.errs {
		failed = failed || err != nil
		if err != nil && fails != anyError && (fails == "" || !strings.Contains(err.Error(), fails)) {
			t.Errorf("%s: %v", w.name, err)
		}
	}
	if fails != "" && !failed {
		t.Errorf("%s: no error; it is to have %q", w.name, fails)
	}
	return c, sql, trace.PluginStatements()
}

// behaviours 42 to 48, 96 and 108: each write, on each database, flushes the lists that it makes wrong and no others; and
// it is to its caller, and to the database, what it is without the cache.
func TestMatrix(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			with := newWorld(t, d.name, d.new(t), gorm.Config{}).cached(t, cacheruntime.Options{})
			without := newWorld(t, d.name, d.new(t), gorm.Config{})
			reads := with.reads()
			golden := map[string][]string{}
			for _, w := range matrix() {
				t.Run(w.name, func(t *testing.T) { golden[w.name] = w.compare(t, with, without, reads) })
			}
			compareGolden(t, d.name, golden)
		})
	}
}

// compare makes a write in both worlds, compares what they are after it, and returns the plugin's own statements.
func (w *write) compare(t *testing.T, with, without *world, reads []read) []string {
	for _, r := range reads {
		if _, err := r.cache(t.Context()); err != nil {
			t.Fatalf("%s: %v", r.what, err)
		}
	}
	with.spy.take()
	a, sqlWith, own := w.run(t, with)
	lists, reason, faults := with.spy.take()
	b, sqlWithout, _ := w.run(t, without)
	if len(faults) > 0 {
		t.Errorf("reported: %v", faults)
	}

	// To its caller, it is the same write.
	if !slices.Equal(a.said, b.said) {
		t.Errorf("GORM answers %q, without the cache %q", a.said, b.said)
	}
	if !slices.Equal(a.hooks.Ran, b.hooks.Ran) {
		t.Errorf("the hooks that run are %q, without the cache %q", a.hooks.Ran, b.hooks.Ran)
	}
	if !reflect.DeepEqual(a.saw, b.saw) {
		t.Errorf("the caller's values are %s, without the cache %s", show(a.saw), show(b.saw))
	}
	// To the database, too.
	rows, plain := with.dump(t), without.dump(t)
	if !reflect.DeepEqual(rows, plain) {
		t.Errorf("the tables hold\n%s\nand without the cache\n%s", show(rows), show(plain))
	}
	extra := beyond(sqlWith, sqlWithout)
	if !slices.Contains(extra, catalog) && w.on(with.kind).fails == "" && (len(sqlWith)-len(sqlWithout) != own || len(extra) != own) {
		t.Errorf("%d statements of the plugin's own; beyond those without the cache there are %q of\n  %s", own, extra, strings.Join(sqlWith, "\n  "))
	}

	// What falls is what must, and no more.
	on := w.on(with.kind)
	want := expand(on.falls, with.tables, rows)
	if missing, unneeded := less(want, lists), less(lists, want); len(missing)+len(unneeded) > 0 {
		t.Errorf("%s does not fall, and %s does without need (%s) %s\n  %s", missing, unneeded, reason, on.why, strings.Join(sqlWith, "\n  "))
	}
	judge(t, want, on.loose, with.tables, rows)
	for _, r := range reads {
		got, err := r.cache(t.Context())
		stored, err2 := r.objects(t.Context())
		if err != nil || err2 != nil || !reflect.DeepEqual(got, stored) {
			t.Errorf("%s is %s in the cache (%v), %s in the database (%v)", r.what, show(got), err, show(stored), err2)
		}
	}
	for _, in := range []*world{with, without} {
		in.reset(t, touched(in, rows, slices.Concat(sqlWith, sqlWithout)))
	}
	return slices.DeleteFunc(extra, func(s string) bool { return s == catalog })
}

// less returns what is in a and not in b.
func less(a, b []string) (left []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			left = append(left, s)
		}
	}
	return left
}

// touched are the tables that a write may have changed, or of which it has taken keys.
func touched(in *world, now map[string][]map[string]any, sql []string) (tables []string) {
	for _, table := range slices.Sorted(maps.Keys(orders)) {
		word := regexp.MustCompile(`(?i)(INSERT|TABLE).*\b` + table + `\b`)
		if !reflect.DeepEqual(in.tables[table], now[table]) || slices.ContainsFunc(sql, word.MatchString) {
			tables = append(tables, table)
		}
	}
	return tables
}

// Shapes of statements.
const catalog = "catalog"

var shapes = []struct{ shape, pattern string }{
	{"lock", `^UPDATE .* WHERE 1 = 0$`},
	{catalog, `pg_catalog|information_schema|sqlite_(temp_)?master|pragma_|^SAVEPOINT cachegen|cachegen_`},
	{"locking SELECT", `^SELECT .* FOR (NO KEY UPDATE|UPDATE|KEY SHARE)`},
}

// shapeOf is a statement without its values.
func shapeOf(sql string) string {
	for _, s := range shapes {
		if regexp.MustCompile(`(?is)` + s.pattern).MatchString(sql) {
			return s.shape
		}
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	return strings.ToUpper(verb)
}

// beyond returns the shapes of statements that are in with and not in without, in their order.
func beyond(with, without []string) (extra []string) {
	left := map[string]int{}
	for _, s := range without {
		left[shapeOf(s)]++
	}
	for _, s := range slices.Backward(with) { // the plugin's come before those of the write, where the shapes are the same
		if shape := shapeOf(s); left[shape] > 0 {
			left[shape]--
		} else {
			extra = append(extra, shape)
		}
	}
	slices.Reverse(extra)
	return extra
}

// tally counts shapes: GORM deletes the associations of a row in any order.
func tally(extra []string) string {
	n := map[string]int{}
	for _, s := range extra {
		n[s]++
	}
	var all []string
	for _, shape := range slices.Sorted(maps.Keys(n)) {
		all = append(all, fmt.Sprint(n[shape], " ", shape))
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// compareGolden compares the extra statements of each write with testdata.
func compareGolden(t *testing.T, kind string, got map[string][]string) {
	t.Helper()
	file := filepath.Join("testdata", kind+".golden")
	var lines strings.Builder
	for _, w := range matrix() {
		if extra, ok := got[w.name]; ok {
			fmt.Fprintf(&lines, "%s: %s\n", w.name, tally(extra))
		}
	}
	if *update && newestGORM && len(got) == len(matrix()) {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(file, []byte(lines.String()), 0o644))
	}
	if !newestGORM || len(got) < len(matrix()) { // another version, or -run of some
		return
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if lines.String() != string(want) {
		t.Errorf("the extra statements are not those of %s; go test ./matrix -update writes it, and the diff says what they are now", file)
	}
}

// show prints a value with what its pointers point at.
func show(v any) string { return printer(reflect.ValueOf(v), 0) }

func printer(v reflect.Value, depth int) string {
	if !v.IsValid() {
		return "nil"
	}
	if s, ok := v.Interface().(fmt.Stringer); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
		return s.String()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() || depth > 8 {
			return "nil"
		}
		return printer(v.Elem(), depth+1)
	case reflect.Slice:
		var all []string
		for i := range v.Len() {
			all = append(all, printer(v.Index(i), depth+1))
		}
		return "[" + strings.Join(all, " ") + "]"
	case reflect.Struct:
		var all []string
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				all = append(all, f.Name+":"+printer(v.Field(i), depth+1))
			}
		}
		return "{" + strings.Join(all, " ") + "}"
	}
	return fmt.Sprintf("%#v", v.Interface())
}
