package load

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
	"github.com/cachegen/cachegen/templates"
	"gorm.io/gorm/schema"
)

// follow reads the setting follow on a field, with those that belong to it.
func (r *reader) follow(at tag.Text, syntax *ast.Field, isColumn bool, settings []tag.Setting) {
	name := fieldName(syntax)
	v, gorm := r.member(name)
	if v == nil {
		return // the field itself is in error
	}
	to, isRelation := related(v.Type())
	ok := false
	ignored, left := gorm["-"]
	many := manyOf(v.Type())
	full := r.model.name + "." + name
	switch {
	case r.embeds(name):
		r.fail(at, "%s is embedded, and only relations are followed; remove follow", full)
		return
	case !v.Exported():
		r.fail(at, "%s is not exported, so that GORM leaves it out; export it, or remove follow", full)
		return
	case left && ignored != "migration":
		r.fail(at, `%s is tagged gorm:"-", so that it is no relation; remove one of the tags`, full)
		return
	case isColumn || !isRelation:
		r.fail(at, "%s is no relation, and only relations are followed; remove follow", full)
		return
	case !cached(to):
		r.fail(at, "%s leads to %s, which is not cached: it has no `cache:\"model\"`; add that and generate its package too, or remove follow", full, r.shown(to))
		return
	}
	f := templates.Follow{
		Name: name, To: r.expr(to), Model: to.Obj().Name(), Path: to.Obj().Pkg().Path(), Many: many,
	}
	before := len(r.problems)
	given := map[string]bool{}
	for _, s := range settings {
		word := s.Key.S
		switch {
		case word == "follow" && s.HasValue:
			r.fail(s.Value, "follow takes no value; write it alone, as in follow;order:ID desc")
		case given[word]:
			r.fail(s.Key, "%s is given twice; %s", word, cmp.Or(joined[word], "remove one"))
		case word == "order" && s.Value.S == "", word == "limit" && s.Value.S == "":
			r.fail(s.Key, "%s needs a value, as in %s", word, map[string]string{"order": "order:ID desc", "limit": "limit:100"}[word])
		case (word == "order" || word == "limit") && !many:
			r.fail(s.Key, "%s is one %s and no list, so it takes no %s; remove it", full, r.shown(to), word)
		case word == "order":
			f.Order, f.OrderText = r.relatedOrder(s.Value, to, gorm["MANY2MANY"]), s.Value.S
		case word == "limit":
			n, err := strconv.Atoi(s.Value.S)
			if err != nil || n < 1 {
				r.fail(s.Value, "limit must be a whole number of at least 1, not %q", s.Value.S)
			}
			f.Limit = n
		case word != "follow":
			r.fail(s.Key, "%s is a relation to %s and no column, so it takes no %s; beside follow stand order, limit", full, r.shown(to), word)
		}
		given[word] = true
	}
	if len(r.problems) > before {
		return
	}
	if f.Link, ok = r.linked(name, to, many, gorm); !ok {
		r.fail(at, "%s", r.leadsNowhere(name, to, many, gorm))
		return
	}
	switch other, ok := r.made[f.Method()]; {
	case ok:
		r.fail(at, "follow on %s makes the method %s, as does %s; rename one", name, f.Method(), other.who)
		return
	}
	r.made[f.Method()] = maker{"follow on " + name, inTag(r.lit, at.Offset(0)).pos}
	r.out.Follows = append(r.out.Follows, f)
}

// linked finds the columns by which a relation goes. Where GORM's tag names them and they are not found, the program's own naming
// may know better.
func (r *reader) linked(name string, to *types.Named, many bool, gorm map[string]string) (templates.Link, bool) {
	own := side{name: r.model.name}
	for _, f := range r.fields {
		own.columns = append(own.columns, f.Column)
	}
	known := r.relatedTo(to)
	l, ok := reference{
		name: name, own: own, to: side{to.Obj().Name(), known}, many: many, same: types.Identical(to, r.model.named), settings: gorm,
	}.link()
	if l.Via == templates.ByList || len(l.Keys) > 0 {
		for _, c := range known {
			if c.SoftDelete {
				l.SoftDelete = &c
			}
		}
	}
	return l, ok || gorm["FOREIGNKEY"] != "" || gorm["REFERENCES"] != ""
}

// leadsNowhere says that GORM finds no columns for a relation.
func (r *reader) leadsNowhere(name string, to *types.Named, many bool, gorm map[string]string) string {
	full, shown := r.model.name+"."+name, r.shown(to)
	stem := gorm["POLYMORPHIC"]
	switch {
	case stem != "" || gorm["POLYMORPHICID"] != "":
		return fmt.Sprintf("%s is polymorphic, and %s has no fields %s and %s for it; add them, or name them in the gorm tag",
			full, shown, cmp.Or(gorm["POLYMORPHICTYPE"], stem+"Type"), cmp.Or(gorm["POLYMORPHICID"], stem+"ID"))
	case many:
		return fmt.Sprintf("%s leads nowhere: %s has no field %sID; add it, or name the one in gorm:\"foreignKey:…\"", full, shown, r.model.name)
	default:
		return fmt.Sprintf("%s leads nowhere: %s has no field %sID, nor has %s a field %sID; add one, or name it in gorm:\"foreignKey:…\"",
			full, r.model.name, name, shown, r.model.name)
	}
}

// manyOf reports whether a relation's field takes several rows.
func manyOf(t types.Type) bool {
	for {
		t = types.Unalias(t)
		p, ok := t.(*types.Pointer)
		if !ok {
			_, ok := t.Underlying().(*types.Slice)
			return ok
		}
		t = p.Elem()
	}
}

// relatedOrder reads the order of related rows, by columns of their model. Through a join table they are put in order by Go.
func (r *reader) relatedOrder(text tag.Text, to *types.Named, join string) []templates.Order {
	parsed, err := tag.Orders(text)
	if err != nil {
		r.failIn(err)
		return nil
	}
	known := r.relatedTo(to)
	var out []templates.Order
	for _, o := range parsed {
		i := slices.IndexFunc(known, func(c templates.Column) bool { return c.Path == o.Field.S || c.Select == o.Field.S })
		if i < 0 {
			var names []string
			for _, c := range known {
				names = append(names, c.Select)
			}
			r.fail(o.Field, "%s has no column %s%s", r.shown(to), o.Field.S, cmp.Or(Suggest(o.Field.S, names), "; it has "+some(names)))
			continue
		}
		c := known[i]
		switch {
		case slices.ContainsFunc(out, func(other templates.Order) bool { return other.Column.Path == c.Path }):
			r.fail(o.Field, "%s is given twice; remove one", o.Field.S)
		case c.Unread:
			r.fail(o.Field, "%s is never read, so that its changes are not seen; take another column", o.Field.S)
		case join != "" && !goOrders(c):
			r.fail(o.Field, "rows through the join table %s are put in order by Go, which does not know how the database compares %s; take integers, bools or times that are not NULL", join, o.Field.S)
		case c.Type.Kind == templates.Serialized:
			r.fail(o.Field, "%s is serialized, and only GORM knows what the column holds; take another column", o.Field.S)
		}
		out = append(out, templates.Order{Column: c, Desc: o.Desc})
	}
	return out
}

// goOrders reports whether Go compares a column's values as databases do.
func goOrders(c templates.Column) bool {
	switch c.Type.Kind {
	case templates.Int, templates.Uint, templates.Bool, templates.Time:
		return c.Type.Form == templates.Plain
	}
	return false
}

// relatedTo are the columns of a model that may be another package's: what of them a relation may name.
func (r *reader) relatedTo(to *types.Named) []templates.Column {
	all := r.relatedColumns(to, "", "", "", nil)
	if slices.ContainsFunc(all, func(c templates.Column) bool { return c.PrimaryKey }) {
		return all
	}
	for _, is := range []func(c templates.Column) bool{
		func(c templates.Column) bool { return c.DBName == "id" },
		func(c templates.Column) bool { return goName(c) == "ID" },
	} {
		if i := slices.IndexFunc(all, is); i >= 0 {
			all[i].PrimaryKey = true
			break
		}
	}
	return all
}

// relatedColumns are those of a struct, embedded ones flattened.
func (r *reader) relatedColumns(t types.Type, path, short, prefix string, within []types.Type) (out []templates.Column) {
	s, ok := t.Underlying().(*types.Struct)
	if !ok || slices.ContainsFunc(within, func(outer types.Type) bool { return types.Identical(outer, t) }) {
		return nil
	}
	for i := range s.NumFields() {
		v := s.Field(i)
		settings := schema.ParseTagSetting(reflect.StructTag(s.Tag(i)).Get("gorm"), ";")
		ignored, left := settings["-"]
		if !v.Exported() || left && ignored != "migration" {
			continue
		}
		_, told := settings["EMBEDDED"]
		if inner, _ := embeds(v.Type()); inner != nil && (told || v.Anonymous()) {
			of := types.Unalias(v.Type())
			if p, ok := of.(*types.Pointer); ok {
				of = p.Elem()
			}
			selected := short + v.Name() + "."
			if v.Anonymous() {
				selected = short
			}
			out = append(out, r.relatedColumns(of, path+v.Name()+".", selected, prefix+settings["EMBEDDEDPREFIX"], append(within, t))...)
			continue
		}
		c := templates.Column{
			Path: path + v.Name(), Select: short + v.Name(), DBName: prefix + cmp.Or(settings["COLUMN"], naming.ColumnName("", v.Name())),
			Unread: strings.EqualFold(settings["->"], "false"), PrimaryKey: truth(settings["PRIMARYKEY"], settings["PRIMARY_KEY"]),
		}
		if serializer(settings) {
			c.Type.Kind = templates.Serialized
		} else if verdict := r.judge(v.Type(), !c.Unread); verdict.role == column {
			c.Type, c.SoftDelete, c.Judged = verdict.typ, verdict.soft, verdict.judged && !zeroValue(reflect.StructTag(s.Tag(i)).Get("gorm"))
		} else {
			continue
		}
		out = append(out, c)
	}
	return out
}
