package load

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
	"github.com/cachegen/cachegen/templates"
)

// kinds are the accessors that a declaration can make, with the options of each.
var kinds = map[string]templates.AccessorKind{
	"unique": templates.Unique, "list": templates.List, "one": templates.One, "count": templates.Count,
}

var options = map[string][]string{
	"model":  {"ttl", "lease", "query"},
	"unique": {"by", "unchecked", "ttl"},
	"list":   {"by", "where", "order", "limit", "ttl"},
	"one":    {"by", "where", "order", "ttl"},
	"count":  {"by", "where", "ttl"},
}

// joined says how a setting that is given twice is given once.
var joined = map[string]string{
	"by": "join the fields by a comma", "where": "join the terms by a comma", "order": "join the fields by a comma",
}

// later are words of the grammar that are reserved.
var later = []string{"hot", "stale", "failsafe"}

var (
	declarationWords = []string{"model", "unique", "list", "one", "count"}
	columnWords      = []string{"unique", "list", "count"}
)

// reader collects what the tags of one model say.
type reader struct {
	*loader
	model  *source
	fields []*field
	out    *templates.Model
	lit    *ast.BasicLit    // the tag being read
	made   map[string]maker // by method
	seen   bool             // a model declaration was found
	meant  bool             // one was meant, and is in error
}

// maker is what makes a method, and where it stands.
type maker struct {
	who string
	at  token.Pos
}

// declarations reads every cache tag of a model.
func (l *loader) declarations(m *source, fields []*field, out *templates.Model) {
	r := &reader{loader: l, model: m, fields: fields, out: out, made: map[string]maker{}}
	for _, name := range templates.BaseMethods {
		r.made[name] = maker{who: "every model"}
	}
	tagged := false
	for _, f := range m.syntax.Fields.List {
		if f.Tag == nil {
			continue
		}
		text, ok, err := tag.Lookup(f.Tag.Value, "cache")
		if err != nil {
			l.tagError(f.Tag, err)
			r.meant = r.meant || strings.Contains(f.Tag.Value, "model")
		}
		if !ok {
			r.meant = r.meant || strings.Contains(misspelt(f, true).Value.S, "model")
			continue
		}
		r.lit = f.Tag
		settings := tag.Settings(text)
		if len(settings) == 1 && settings[0].Key.S == "-" {
			r.fail(settings[0].Key, "a field without a cache tag is just a column; remove the tag")
			continue
		}
		tagged = true
		if slices.ContainsFunc(settings, func(s tag.Setting) bool { return !r.separated(s) }) {
			r.meant = r.meant || strings.HasPrefix(settings[0].Key.S, "model")
			continue
		}
		if len(f.Names) == 1 && f.Names[0].Name == "_" {
			r.declaration(settings)
		} else {
			r.column(f, settings)
		}
	}
	if tagged && !r.seen && !r.meant {
		l.errorf(m.at, "%s has cache tags and no model declaration; add the field _ struct{} `cache:\"model\"`", m.name)
	}
}

func (r *reader) fail(at tag.Text, format string, args ...any) {
	r.errorf(inTag(r.lit, at.Offset(0)), format, args...)
}

// failIn reports an error of the parser of a setting's value.
func (r *reader) failIn(err *tag.Error) { r.tagError(r.lit, err) }

// declaration reads the tag of a blank field.
func (r *reader) declaration(settings []tag.Setting) {
	head := settings[0]
	kind := head.Key.S
	allowed, ok := options[kind]
	if !ok {
		if kind == "lease" || kind == "query" {
			r.fail(head.Key, "a declaration begins with its kind, as in model;%s", kind)
			return
		}
		if slices.Contains(settingWords, kind) {
			r.fail(head.Key, "a declaration begins with its kind, as in list:Popular;%s…", kind)
			return
		}
		if kind == "follow" {
			r.fail(head.Key, "follow stands on the field of a relation, as in Writer *Writer `cache:\"follow\"`")
			return
		}
		r.unknown(head.Key, "kind", "a blank field", declarationWords)
		return
	}
	given := map[string]tag.Setting{}
	for _, s := range settings[1:] {
		name := s.Key.S
		_, second := options[name]
		switch {
		case second:
			r.fail(s.Key, "%s is a declaration of its own; give it its own blank field", name)
		case !slices.Contains(allowed, name):
			if known := slices.Contains(settingWords, name); known {
				r.fail(s.Key, "%s does not take %s; it takes %s", kind, name, strings.Join(allowed, ", "))
			} else {
				r.unknown(s.Key, "setting", kind, allowed)
			}
		case has(given, name):
			r.fail(s.Key, "%s is given twice; %s", name, cmp.Or(joined[name], "remove one"))
		case bare(name) && s.HasValue:
			r.fail(s.Value, "%s takes no value; write it alone", name)
		case !bare(name) && s.Value.S == "":
			r.fail(s.Key, "%s needs a value, as in %s", name, map[string]string{"by": "by:City", "where": "where:Active = true", "order": "order:CreatedAt desc", "limit": "limit:50", "ttl": "ttl:24h"}[name])
		default:
			given[name] = s
		}
	}
	if kind == "model" {
		if r.seen {
			r.fail(head.Key, "model is given twice; keep one declaration with all its settings")
		}
		if head.HasValue {
			r.fail(head.Value, "model takes no name; it is the struct's, so write model alone")
		}
		r.seen = true
		r.out.TTL, r.out.Lease, r.out.Query = r.ttl(given), has(given, "lease"), has(given, "query")
		return
	}
	if !r.name(head) {
		return
	}
	r.accessor(head, kinds[kind], given)
}

// settingWords are the settings of declarations, of which those that are bare take no value.
var settingWords = []string{"by", "where", "order", "limit", "ttl", "unchecked", "lease", "query"}

func bare(name string) bool { return name == "unchecked" || name == "lease" || name == "query" }

func has(given map[string]tag.Setting, name string) bool {
	_, ok := given[name]
	return ok
}

// name checks an accessor's name.
func (r *reader) name(head tag.Setting) bool {
	name := head.Value.S
	switch {
	case name == "":
		r.fail(head.Key, "%s needs a name, as in %s:Popular", head.Key.S, head.Key.S)
	case !token.IsIdentifier("X"+name) || !token.IsIdentifier(name) && !token.IsKeyword(name):
		r.fail(head.Value, "%q is no name; use letters and digits", name)
	case !token.IsExported(name):
		r.fail(head.Value, "the name %s must begin with a capital letter; did you mean %q?", name, strings.ToUpper(name[:1])+name[1:])
	default:
		method := templates.Accessor{Kind: kinds[head.Key.S], Name: name}.Method()
		short, repeated := strings.CutPrefix(name, strings.TrimSuffix(method, name))
		if !repeated || !token.IsExported(short) {
			return true
		}
		r.fail(head.Value, "the method is %s; did you mean %s:%s?", method, head.Key.S, short)
	}
	return false
}

// accessor adds a declared accessor.
func (r *reader) accessor(head tag.Setting, kind templates.AccessorKind, given map[string]tag.Setting) {
	before := len(r.problems)
	a := templates.Accessor{Kind: kind, Name: head.Value.S, TTL: r.ttl(given), Unchecked: has(given, "unchecked")}
	var by []*field
	if s, ok := given["by"]; ok {
		by = r.by(s.Value)
	} else if kind == templates.Unique {
		r.fail(head.Key, "unique:%s needs by:, the columns of its index", a.Name)
	}
	for _, f := range by {
		a.By = append(a.By, f.Column)
	}
	if s, ok := given["where"]; ok {
		a.Where, a.WhereText = r.where(s.Value), s.Value.S
	}
	if s, ok := given["order"]; ok {
		a.Order, a.OrderText = r.order(s.Value), s.Value.S
	}
	if s, ok := given["limit"]; ok {
		n, err := strconv.Atoi(s.Value.S)
		if err != nil || n < 1 {
			r.fail(s.Value, "limit must be a whole number of at least 1, not %q", s.Value.S)
		}
		a.Limit = n
	}
	if len(r.problems) > before {
		return
	}
	if kind == templates.Unique {
		r.checkUnique(head.Key, by, a.Unchecked)
	}
	r.add(head.Key, a, head.Key.S+":"+a.Name)
}

// column reads the tag of a column: bare kinds.
func (r *reader) column(syntax *ast.Field, settings []tag.Setting) {
	i := slices.IndexFunc(r.fields, func(f *field) bool { return f.tag == r.lit && syntax.Pos() <= f.at.pos && f.at.pos < syntax.End() })
	if i := slices.IndexFunc(settings, func(s tag.Setting) bool { return s.Key.S == "model" }); i >= 0 {
		r.meant = true
		r.fail(settings[i].Key, "model is declared on a blank field, as in _ struct{} `cache:\"model\"`")
		return
	}
	names := map[string]tag.Setting{}
	follows := slices.ContainsFunc(settings, func(s tag.Setting) bool { return s.Key.S == "follow" })
	for _, s := range settings {
		word := s.Key.S
		switch {
		case word == "follow":
			if !has(names, word) {
				r.follow(s.Key, syntax, i >= 0, settings)
				names[word] = s
			}
		case follows && i < 0: // it belongs to follow, or is refused there
		case word != "unchecked" && !slices.Contains(columnWords, word):
			switch {
			case word == "one":
				r.fail(s.Key, "one is declared on a blank field, as in _ struct{} `cache:\"one:Newest;by:City\"`")
			case word == "lease", word == "query":
				r.fail(s.Key, "%s belongs to model, as in _ struct{} `cache:\"model;%s\"`", word, word)
			case slices.Contains([]string{"by", "where", "order", "limit", "ttl"}, word):
				r.fail(s.Key, "a column's tag takes no options; for %s, declare the accessor on a blank field", word)
			case i < 0 && r.leads(fieldName(syntax)):
				r.unknown(s.Key, "setting", "a relation's tag", []string{"follow", "order", "limit"})
			default:
				r.unknown(s.Key, "setting", "a column's tag", append(slices.Clone(columnWords), "unchecked"))
			}
		case s.HasValue:
			r.fail(s.Value, "a column's %s takes no value; declare a named one on a blank field, as in _ struct{} `cache:\"%s:Name;by:…\"`", word, word)
		case has(names, word):
			r.fail(s.Key, "%s is given twice; remove one", word)
		default:
			names[word] = s
		}
	}
	if len(syntax.Names) > 1 {
		r.errorf(place{syntax.Tag.Pos()}, "the tag stands for several fields; give each its own line")
		return
	}
	if i < 0 {
		if len(names) > 0 && !follows {
			r.noAccessors(syntax)
		}
		return
	}
	f := r.fields[i]
	if s, ok := names["unchecked"]; ok && !has(names, "unique") {
		r.fail(s.Key, "unchecked belongs to unique, as in unique;unchecked; add unique, or remove it")
	}
	for _, word := range columnWords {
		s, ok := names[word]
		if !ok {
			continue
		}
		if reason := cmp.Or(f.unfit(), r.incomparable(f)); reason != "" {
			r.fail(s.Key, "%s", reason)
			continue
		}
		a := templates.Accessor{Kind: kinds[word], Name: f.name, By: []templates.Column{f.Column}}
		if word == "unique" {
			a.Unchecked = has(names, "unchecked")
			r.checkUnique(s.Key, []*field{f}, a.Unchecked)
		} else {
			a.Name = "By" + a.Name
		}
		r.add(s.Key, a, word+" on "+f.Path)
	}
}

// add takes an accessor whose methods are still free.
func (r *reader) add(at tag.Text, a templates.Accessor, who string) {
	for _, method := range a.Methods() {
		switch other, ok := r.made[method]; {
		case !ok:
			continue
		case other.who == who:
			first := r.position(other.at)
			r.fail(at, "%s is declared twice (first at %d:%d); remove or rename one", who, first.Line, first.Column)
		default:
			r.fail(at, "%s makes the method %s, as does %s; rename one", who, method, other.who)
		}
		return
	}
	for _, method := range a.Methods() {
		r.made[method] = maker{who, inTag(r.lit, at.Offset(0)).pos}
	}
	r.out.Accessors = append(r.out.Accessors, a)
}

// checkUnique demands an index that makes the columns unique.
func (r *reader) checkUnique(at tag.Text, by []*field, unchecked bool) {
	var names []string
	for _, f := range by {
		names = append(names, f.Path)
	}
	keys := r.keys()
	if len(by) == len(keys) && !slices.ContainsFunc(by, func(f *field) bool { return !f.PrimaryKey }) {
		is := "is"
		if len(keys) > 1 {
			is = "are"
		}
		r.fail(at, "%s %s the primary key, by which Get finds rows already; remove this lookup", strings.Join(names, ", "), is)
		return
	}
	if unchecked || isUnique(r.fields, by) {
		return
	}
	fix := `gorm:"uniqueIndex"`
	if len(by) > 1 {
		fix = `gorm:"uniqueIndex:name" on each`
	}
	r.fail(at, "no unique index over just %s; add %s, or say unchecked", strings.Join(names, ", "), fix)
}

func (r *reader) keys() []*field {
	var keys []*field
	for _, f := range r.fields {
		if f.PrimaryKey {
			keys = append(keys, f)
		}
	}
	return keys
}

// ttl reads the ttl option.
func (r *reader) ttl(given map[string]tag.Setting) time.Duration {
	s, ok := given["ttl"]
	if !ok {
		return 0
	}
	if s.Value.S == "forever" {
		return -1
	}
	d, err := time.ParseDuration(s.Value.S)
	if err != nil || d <= 0 {
		r.fail(s.Value, "ttl must be a duration above 0 such as 90s, 5m or 24h, or forever, not %q", s.Value.S)
		return 0
	}
	return d
}
