package templates

import (
	"fmt"
	"slices"
	"time"

	"github.com/dave/jennifer/jen"
)

// tableTypes are the runtime's types behind the accessors.
var tableTypes = [...]string{Unique: "Unique", List: "List", One: "One", Count: "Count"}

// writeTable adds what Cache and Objects share.
func (m Model) writeTable(f *jen.File) {
	fields := []jen.Code{jen.Id("rows").Op("*").Add(rt("Table"))}
	for _, a := range m.Accessors {
		fields = append(fields, jen.Id(a.field()).Op("*").Add(rt(tableTypes[a.Kind])))
	}
	f.Add(comment(fmt.Sprintf("%s holds what %s and %s share: how each accessor finds its rows.", m.table(), m.cache(), m.objects())))
	f.Type().Id(m.table()).Struct(fields...)
	f.Line()

	// A variable of the package's, and not in the function: the compiler lays it out, and has no code to make for it.
	specs := []jen.Code{jen.Id("rows").Add(rt("TableSpec"))}
	values := []jen.Code{entry("rows", m.tableSpec())}
	members := []jen.Code{entry("rows", jen.Id("rows"))}
	for _, a := range m.Accessors {
		specs = append(specs, jen.Id(a.field()).Add(rt("IndexSpec")))
		values = append(values, entry(a.field(), m.indexSpec(a)))
		members = append(members, entry(a.field(), jen.Id("rows").Dot(tableTypes[a.Kind]).Call(jen.Id(m.specs()).Dot(a.field()))))
	}
	f.Add(comment(fmt.Sprintf("%s describes %s and their accessors to the runtime.", m.specs(), m.many())))
	f.Var().Id(m.specs()).Op("=").Struct(specs...).Add(lines(values...))
	f.Line()
	f.Add(comment(fmt.Sprintf("new%sTable registers %s with the runtime.", m.Name, m.many())))
	f.Func().Id("new"+m.Name+"Table").Params(jen.Id("rt").Op("*").Add(rt("Runtime"))).Params(jen.Op("*").Id(m.table()), jen.Error()).Block(
		jen.Id("rows").Op(":=").Add(rt("NewTable")).Call(jen.Id("rt"), jen.Id(m.specs()).Dot("rows")),
		jen.Id("t").Op(":=").Op("&").Id(m.table()).Add(lines(members...)),
		jen.Return(jen.Id("t"), jen.Id("rows").Dot("Register").Call()),
	)
	f.Line()

	f.Add(comment("model returns the entry point whose reads go to the transaction tx; nil is none."))
	face := func(typ, source string) *jen.Statement {
		return jen.Op("&").Id(typ).Values(jen.Id(m.shared()).Values(entry("table", jen.Id("t")), entry("source", rt(source).Call().Dot("WithTx").Call(jen.Id("tx")))))
	}
	f.Func().Params(jen.Id("t").Op("*").Id(m.table())).Id("model").Params(jen.Id("tx").Op("*").Qual(gormPath, "DB")).Op("*").Id(m.entry()).Block(
		jen.Return(jen.Op("&").Id(m.entry()).Add(lines(
			entry("Cache", face(m.cache(), "Cached")),
			entry("Objects", face(m.objects(), "Direct")),
		))),
	)
	f.Line()
}

func (m Model) tableSpec() *jen.Statement {
	var columns []jen.Code
	for _, c := range m.Columns {
		values := []jen.Code{entry("Path", jen.Lit(c.Path)), entry("Type", jen.Lit(c.Type.Shown))}
		if class := c.class(); class != "" {
			values = append(values, entry("Class", rt(class)))
		}
		if c.PrimaryKey {
			values = append(values, entry("PrimaryKey", jen.True()))
		}
		if c.SoftDelete {
			values = append(values, entry("SoftDelete", jen.True()))
		}
		columns = append(columns, jen.Values(values...))
	}
	spec := []jen.Code{
		entry("Model", jen.Lit(m.Name)),
		entry("Fields", jen.Index().Add(rt("Field")).Add(lines(columns...))),
	}
	if m.TTL != 0 {
		spec = append(spec, entry("TTL", duration(m.TTL)))
	}
	if m.Lease {
		spec = append(spec, entry("Lease", jen.True()))
	}
	if m.Query {
		spec = append(spec, entry("Query", jen.True()))
	}
	spec = append(spec,
		entry("New", jen.Func().Params().Any().Block(jen.Return(jen.New(jen.Id(m.Name))))),
		entry("KeyArgs", m.rowArgs(m.keys())),
	)
	spec = append(spec, entry("Encode", jen.Id("encode"+m.Name)), entry("Decode", jen.Id("decode"+m.Name)))
	if c, ok := m.softDelete(); ok && c.Judged {
		deleted := c.selector("v").Dot("Valid")
		if len(c.Pointers) > 0 {
			deleted = c.present("v").Op("&&").Add(deleted)
		}
		spec = append(spec, entry("Deleted", m.test(deleted, "v")))
	}
	if m.AfterFind {
		spec = append(spec, entry("AfterFind", jen.Func().Params(jen.Id(m.untyped("v")).Any(), jen.Id("tx").Op("*").Qual(gormPath, "DB")).Error().Block(
			jen.Return(jen.Id(m.untyped("v")).Assert(jen.Op("*").Id(m.Name)).Dot("AfterFind").Call(jen.Id("tx"))),
		)))
	}
	if len(m.Follows) > 0 {
		spec = append(spec, entry("Follows", m.followSpecs()))
	}
	return rt("TableSpec").Add(lines(spec...))
}

// class names the column's class in the runtime; "" is Plain.
func (c Column) class() string {
	switch kind := c.Type.Kind; {
	case c.Unread:
		return "Unread"
	case kind == Valued:
		return "Valuer"
	case kind == Serialized:
		return "Serialized"
	default:
		return ""
	}
}

// test is a function literal that returns a condition on rows, which it calls by these names.
func (m Model) test(condition jen.Code, names ...string) *jen.Statement {
	params := make([]jen.Code, len(names))
	for i, name := range names {
		params[i] = jen.Id(m.untyped(name))
	}
	return jen.Func().Params(jen.List(params...).Any()).Bool().Block(m.typed(names...), jen.Return(condition))
}

// typed declares rows of the model's type by these names: what the runtime hands over is an any.
func (m Model) typed(names ...string) jen.Code {
	var vars, rows []jen.Code
	for _, name := range names {
		vars = append(vars, jen.Id(name))
		rows = append(rows, jen.Id(m.untyped(name)).Assert(jen.Op("*").Id(m.Name)))
	}
	return jen.List(vars...).Op(":=").List(rows...)
}

// untyped is the name of a row before it has its type.
func (m Model) untyped(name string) string {
	name = map[string]string{"v": "row", "a": "was", "b": "is"}[name]
	for slices.Contains(m.Taken, name) {
		name += "Value"
	}
	return name
}

// indexSpec describes one accessor to the runtime.
func (m Model) indexSpec(a Accessor) *jen.Statement {
	spec := []jen.Code{entry("Name", jen.Lit(a.Method()))}
	if len(a.By) > 0 {
		var by []jen.Code
		for _, c := range a.By {
			by = append(by, jen.Lit(c.Path))
		}
		spec = append(spec, entry("By", jen.Index().String().Values(by...)))
	}
	if len(a.Where) > 0 {
		var terms []jen.Code
		for _, t := range a.Where {
			terms = append(terms, t.spec())
		}
		spec = append(spec, entry("Where", jen.Index().Add(rt("Term")).Add(aLineEach(terms))))
	}
	if len(a.Order) > 0 {
		spec = append(spec, entry("Order", orderSpec(a.Order)))
	}
	if a.Limit > 0 {
		spec = append(spec, entry("Limit", jen.Lit(a.Limit)))
	}
	if ttl := m.ttlOf(a); ttl != 0 {
		spec = append(spec, entry("TTL", duration(ttl)))
	}
	if a.Unchecked {
		spec = append(spec, entry("Unchecked", jen.True()))
	}
	spec = append(spec, entry("Args", m.rowArgs(a.By)))
	if test := holds(a.Where); test != nil {
		spec = append(spec, explained("Holds judges the where terms that Go can judge.", "Holds", m.test(test, "v")))
	}
	if test := m.same(a); test != nil {
		spec = append(spec, explained("Same compares what is left to the database: the columns that it orders by or judges itself.", "Same", m.test(test, "a", "b")))
	}
	return rt("IndexSpec").Add(lines(spec...))
}

// orderSpec describes an order to the runtime.
func orderSpec(columns []Order) *jen.Statement {
	var order []jen.Code
	for _, o := range columns {
		values := []jen.Code{entry("Field", jen.Lit(o.Column.Path))}
		if o.Desc {
			values = append(values, entry("Desc", jen.True()))
		}
		order = append(order, jen.Values(values...))
	}
	return jen.Index().Add(rt("Order")).Add(aLineEach(order))
}

// ttlOf is the ttl of an accessor: its own, or the model's.
func (m Model) ttlOf(a Accessor) time.Duration {
	if a.TTL != 0 {
		return a.TTL
	}
	return m.TTL
}

// rowArgs is the function that appends a row's own values of columns.
func (m Model) rowArgs(columns []Column) *jen.Statement {
	f := func(row string) *jen.Statement {
		return jen.Func().Params(jen.Id("to").Index().Add(rt("Arg")), jen.Id(row).Any()).Index().Add(rt("Arg"))
	}
	if len(columns) == 0 {
		return f("_").Block(jen.Return(jen.Id("to")))
	}
	args := []jen.Code{jen.Id("to")}
	for _, c := range columns {
		args = append(args, c.rowArg("v"))
	}
	result := jen.Append(args...)
	if len(columns) > 3 {
		result = jen.Id("append").Custom(jen.Options{Open: "(", Close: ")", Separator: ",", Multi: true}, args...)
	}
	return f(m.untyped("v")).Block(m.typed("v"), jen.Return(result))
}

// aLineEach keeps one element on its line and gives several a line each.
func aLineEach(items []jen.Code) *jen.Statement {
	if len(items) == 1 {
		return jen.Values(items...)
	}
	return lines(items...)
}

// spec describes a term to the runtime.
func (t Term) spec() jen.Code {
	values := []jen.Code{entry("Field", jen.Lit(t.Column.Path)), entry("Op", jen.Lit(t.Op))}
	if len(t.Values) > 0 {
		var literals []jen.Code
		for _, v := range t.Values {
			literals = append(literals, literal(v))
		}
		values = append(values, entry("Values", jen.Index().Any().Values(literals...)))
	}
	return jen.Values(values...)
}

// duration writes a ttl in its largest whole unit.
func duration(d time.Duration) *jen.Statement {
	if d < 0 {
		return rt("Forever")
	}
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"Hour", time.Hour}, {"Minute", time.Minute}, {"Second", time.Second}, {"Millisecond", time.Millisecond}, {"Microsecond", time.Microsecond}} {
		if d%unit.size != 0 {
			continue
		}
		if d == unit.size {
			return jen.Qual("time", unit.name)
		}
		return jen.Id(fmt.Sprint(int64(d/unit.size))).Op("*").Qual("time", unit.name)
	}
	return jen.Id(fmt.Sprint(int64(d))).Op("*").Qual("time", "Nanosecond")
}
