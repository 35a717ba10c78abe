package templates

import (
	"slices"

	"github.com/dave/jennifer/jen"
)

// read is one method that Cache, Objects and the Reader interface share.
type read struct {
	name     string
	doc      string
	params   []param // the context left out
	variadic bool    // the last parameter is variadic
	result   *jen.Statement
	typed    string // the runtime's function that gives the rows their type; "" where the result is a number
	// body is the call on the table, as in rows.Get; the receiver's table, context and source
	// are put in front of args.
	field, method string
	args          []jen.Code
	keys          string // of GetMap, the parameter of keys
}

// signature writes the parameters.
func (r read) signature() []jen.Code {
	out := append([]jen.Code{ctx()}, signature(r.params)...)
	if r.variadic {
		last := r.params[len(r.params)-1]
		out[len(out)-1] = jen.Id(last.name).Op("...").Add(last.code)
	}
	return out
}

// results writes the result types.
func (r read) results() *jen.Statement { return jen.Params(r.result, jen.Error()) }

// write adds the method to what Cache and Objects share.
func (r read) write(f *jen.File, m Model) {
	f.Add(comment(r.doc))
	args := append([]jen.Code{jen.Id("ctx"), jen.Id("r").Dot("source")}, r.args...)
	call := jen.Id("r").Dot("table").Dot(r.field).Dot(r.method).Call(args...)
	var body []jen.Code
	switch row := jen.Op("*").Id(m.Name); {
	case r.count():
		body = []jen.Code{jen.Return(call)}
	case r.keys != "":
		body = []jen.Code{
			jen.Id(r.keys).Op("=").Add(rt("Distinct")).Call(jen.Id(r.keys)),
			jen.List(jen.Id("found"), jen.Err()).Op(":=").Add(call),
			jen.Return(rt(r.typed).Index(row).Call(jen.Id(r.keys), jen.Id("found"), jen.Err())),
		}
	default:
		body = []jen.Code{jen.Return(rt(r.typed).Index(row).Call(call))}
	}
	f.Func().Params(jen.Id("r").Op("*").Id(m.shared())).Id(r.name).Params(r.signature()...).Add(r.results()).Block(body...)
	f.Line()
}

// count reports whether the result is a number.
func (r read) count() bool { return r.typed == "" }

// reads returns the methods of a model in the order of its files.
func (m Model) reads() []read {
	out := m.keyReads()
	for _, a := range m.Accessors {
		out = append(out, m.accessorReads(a)...)
	}
	if m.Query {
		out = append(out, m.queryReads()...)
	}
	return out
}

// queryReads are the methods that take ad-hoc queries.
func (m Model) queryReads() []read {
	db := func() *jen.Statement { return jen.Op("*").Qual(gormPath, "DB") }
	build := []param{{name: "build", code: jen.Func().Params(jen.Id("q").Add(db())).Add(db())}}
	row, args := jen.Op("*").Id(m.Name), []jen.Code{jen.Id("build")}
	return []read{
		{name: "Query", doc: m.docQuery(), params: build, result: jen.Index().Add(row), typed: "Rows", field: "rows", method: "Query", args: args},
		{name: "QueryOne", doc: m.docQueryOne(), params: build, result: row, typed: "Row", field: "rows", method: "QueryOne", args: args},
		{name: "QueryCount", doc: m.docQueryCount(), params: build, result: jen.Int64(), field: "rows", method: "QueryCount", args: args},
	}
}

func (m Model) keyReads() []read {
	row, rows := jen.Op("*").Id(m.Name), jen.Index().Op("*").Id(m.Name)
	keys := m.keys()
	names := m.params(keys)
	get := read{
		name: "Get", doc: m.docGet(names), params: byParams(keys, names), result: row, typed: "Row", field: "rows", method: "Get",
		args: m.keyArgs(names),
	}
	many := m.manyKeys()
	byKey := jen.Map(m.keyType()).Op("*").Id(m.Name)
	return []read{
		get,
		{
			name: "GetMany", doc: m.docGetMany(many.name), params: []param{many}, variadic: true,
			result: rows, typed: "Rows", field: "rows", method: "GetMany", args: []jen.Code{m.manyKeyArgs(many.name)},
		},
		{
			name: "GetMap", doc: m.docGetMap(), params: []param{many}, variadic: true,
			result: byKey, typed: "ByKey", field: "rows", method: "GetMap", args: []jen.Code{m.manyKeyArgs(many.name)}, keys: many.name,
		},
	}
}

// manyKeys is the variadic parameter of primary keys.
func (m Model) manyKeys() param {
	keys := m.keys()
	if len(keys) > 1 {
		return param{name: "keys", code: m.keyType()}
	}
	return param{name: m.pluralParam(keys[0]), code: m.keyType()}
}

// pluralParam is the name of a variadic parameter of a column's values.
func (m Model) pluralParam(c Column) string {
	several, ok := plural(c.name())
	if !ok {
		several = c.name() + "Values"
	}
	c.Select = several
	return m.params([]Column{c})[0]
}

func (m Model) accessorReads(a Accessor) []read {
	row, rows := jen.Op("*").Id(m.Name), jen.Index().Op("*").Id(m.Name)
	names := m.params(a.By)
	args := make([]jen.Code, len(a.By))
	for i, c := range a.By {
		args[i] = c.toArg(jen.Id(names[i]))
	}
	get := read{
		name: a.Method(), doc: m.doc(a), params: byParams(a.By, names), result: row, typed: "Row",
		field: a.field(), method: "Get", args: args,
	}
	switch a.Kind {
	case Unique:
		if len(a.By) != 1 {
			return []read{get}
		}
		c := a.By[0]
		many := param{name: m.pluralParam(c), code: c.argument().code()}
		return []read{get, {
			name: "GetManyBy" + a.Name, doc: m.docManyBy(a, many.name), params: []param{many}, variadic: true,
			result: rows, typed: "Rows", field: a.field(), method: "GetMany",
			args: []jen.Code{rt("Each").Call(jen.Id(many.name), c.eachArg())},
		}}
	case List:
		get.result, get.typed = rows, "Rows"
		return []read{get, m.page(a)}
	case Count:
		get.result, get.typed = jen.Int64(), ""
	}
	return []read{get}
}

// page is the paged method of a list. Where an argument is called offset or limit, the page's own are
// called otherwise, so that the arguments have the names that the list's own method gives them.
func (m Model) page(a Accessor) read {
	offset, limit := "offset", "limit"
	names := m.params(a.By)
	if slices.Contains(names, offset) || slices.Contains(names, limit) {
		offset, limit = "pageOffset", "pageLimit"
		names = m.params(a.By, offset, limit)
	}
	// A type of its own keeps offset and limit apart from arguments that are ints too.
	window := []param{{name: offset, typ: "window", code: jen.Int()}, {name: limit, typ: "window", code: jen.Int()}}
	args := []jen.Code{jen.Id(offset), jen.Id(limit)}
	for i, c := range a.By {
		args = append(args, c.toArg(jen.Id(names[i])))
	}
	return read{
		name: a.Method() + "Page", doc: m.docPage(a, offset, limit), params: append(byParams(a.By, names), window...),
		result: jen.Index().Op("*").Id(m.Name), typed: "Rows", field: a.field(), method: "Page", args: args,
	}
}

// writeFlushes adds the methods that flush by hand.
func (m Model) writeFlushes(f *jen.File) {
	receiver := func(name string, params ...jen.Code) *jen.Statement {
		return f.Func().Params(jen.Id("c").Op("*").Id(m.cache())).Id(name).Params(append([]jen.Code{ctx()}, params...)...).Error()
	}
	many := m.manyKeys()
	f.Add(comment("Flush flushes the entries of the " + m.many() + " with these primary keys, as a write of them would."))
	receiver("Flush", jen.Id(many.name).Op("...").Add(many.code)).Block(
		jen.Return(jen.Id("c").Dot("table").Dot("rows").Dot("Flush").Call(jen.Id("ctx"), m.manyKeyArgs(many.name))),
	)
	f.Line()
	f.Add(comment("FlushAll flushes every entry of the table, whichever model reads it."))
	receiver("FlushAll").Block(
		jen.Return(jen.Id("c").Dot("table").Dot("rows").Dot("FlushAll").Call(jen.Id("ctx"))),
	)
	f.Line()
	for _, a := range m.Accessors {
		names := m.params(a.By)
		args := []jen.Code{jen.Id("ctx")}
		for i, c := range a.By {
			args = append(args, c.toArg(jen.Id(names[i])))
		}
		f.Add(comment(m.docFlush(a)))
		receiver("Flush"+a.Method(), signature(byParams(a.By, names))...).Block(
			jen.Return(jen.Id("c").Dot("table").Dot(a.field()).Dot("Flush").Call(args...)),
		)
		f.Line()
	}
}
