package templates

import (
	"strings"

	"github.com/dave/jennifer/jen"
)

// writeModels adds the list of a package's models.
func (p Package) writeModels(f *jen.File) {
	var fields, build, entries []jen.Code
	for _, m := range p.Models {
		fields = append(fields, jen.Id(m.Name).Op("*").Id(m.entry()))
	}
	fields = append(fields, jen.Line().Id("tables").Id("modelTables").Comment("what WithTx makes the same models of"))

	var tables []jen.Code
	for _, m := range p.Models {
		field := m.table()
		tables = append(tables, jen.Id(field).Op("*").Id(m.table()))
		entries = append(entries, entry(m.Name, jen.Id("t").Dot(field).Dot("model").Call(jen.Id("tx"))))
		build = append(build, jen.If(
			jen.List(jen.Id("t").Dot(field), jen.Err()).Op("=").Id("new"+m.Name+"Table").Call(jen.Id("rt")),
			jen.Err().Op("!=").Nil(),
		).Block(jen.Return(jen.Nil(), jen.Err())))
	}
	entries = append(entries, entry("tables", jen.Id("t")))

	f.Add(comment("Models holds the entry point of every model of the package. NewModels makes it; it is safe for concurrent use."))
	f.Type().Id("Models").Struct(fields...)
	f.Line()

	f.Add(comment("modelTables holds the tables behind the models, which a transaction shares with its database."))
	f.Type().Id("modelTables").Struct(tables...)
	f.Line()

	f.Add(comment("NewModels registers the package's models with rt, from when on writes to their tables flush: call it also in a program that only writes. It returns an error where GORM's reading of a model differs from the generated code's, which names the column, both readings and the fix."))
	f.Func().Id("NewModels").Params(jen.Id("rt").Op("*").Add(rt("Runtime"))).Params(jen.Op("*").Id("Models"), jen.Error()).BlockFunc(func(g *jen.Group) {
		g.Var().Id("t").Id("modelTables")
		g.Var().Err().Error()
		for _, b := range build {
			g.Add(b)
		}
		g.Return(jen.Id("t").Dot("models").Call(jen.Nil()), jen.Nil())
	})
	f.Line()

	f.Add(comment("WithTx returns the models whose reads all go to the transaction tx, and fill nothing."))
	f.Func().Params(jen.Id("m").Op("*").Id("Models")).Id("WithTx").Params(jen.Id("tx").Op("*").Qual(gormPath, "DB")).Op("*").Id("Models").Block(
		jen.Return(jen.Id("m").Dot("tables").Dot("models").Call(jen.Id("tx"))),
	)
	f.Line()

	f.Add(comment("models returns the entry points whose reads go to the transaction tx; nil is none."))
	f.Func().Params(jen.Id("t").Id("modelTables")).Id("models").Params(jen.Id("tx").Op("*").Qual(gormPath, "DB")).Op("*").Id("Models").Block(
		jen.Return(jen.Op("&").Id("Models").Add(lines(entries...))),
	)
}

// writeKeys adds the list of a package's keys.
func (p Package) writeKeys(f *jen.File) {
	var rows []jen.Code
	for _, m := range p.Models {
		rows = append(rows, m.keyInfos()...)
	}
	f.Add(comment("CacheKeys lists every key of the package: the accessor that reads it, its arguments, the flush list that its entries hang on and what makes that list fall. Table names are GORM's defaults; a program's naming strategy may say otherwise."))
	f.Var().Id("CacheKeys").Op("=").Index().Add(rt("KeyInfo")).Add(lines(rows...))
}

func (m Model) keyInfos() []jen.Code {
	out := []jen.Code{m.keyInfo("Get", m.Row(), jen.Lit("*"))}
	for _, k := range m.Keys() {
		var falls []jen.Code
		for _, f := range k.Falls {
			falls = append(falls, jen.Lit(f.Column.Select))
		}
		out = append(out, m.keyInfo(k.Method(), k, falls...))
	}
	for _, k := range m.Followed() {
		table := k.Follow.Model
		if k.Follow.Link.Via == ByJoin {
			table = k.Follow.Link.Join
		}
		var falls []jen.Code
		for _, f := range k.Falls {
			falls = append(falls, jen.Lit(table+"."+f.Column.Select))
		}
		out = append(out, m.keyInfo(k.Follow.Method(), k, falls...))
	}
	if m.Query {
		out = append(out, m.keyInfo(QueryMethods[0], m.QueryKey(), jen.Lit("*")))
	}
	return out
}

func (m Model) keyInfo(method string, k Key, fallsOn ...jen.Code) jen.Code {
	values := []jen.Code{entry("Accessor", jen.Lit(m.Name+"."+method))}
	if len(k.Args) > 0 {
		var lits []jen.Code
		for _, a := range k.Args {
			lits = append(lits, jen.Lit(a))
		}
		values = append(values, entry("Args", jen.Index().String().Values(lits...)))
	}
	values = append(values, entry("List", jen.Lit(k.List)))
	if k.WhereText != "" {
		values = append(values, entry("Where", jen.Lit(k.WhereText)))
	}
	if k.OrderText != "" {
		values = append(values, entry("Order", jen.Lit(k.OrderText)))
	}
	if k.Limit > 0 {
		values = append(values, entry("Limit", jen.Lit(k.Limit)))
	}
	if len(fallsOn) > 0 {
		values = append(values, entry("FallsOn", jen.Index().String().Values(fallsOn...)))
	}
	if k.Keeps != 0 {
		values = append(values, entry("TTL", duration(k.Keeps)))
	}
	return lines(values...)
}

// shownArgument is the type of a parameter for the column, with packages by name.
func (c Column) shownArgument() string {
	parts := strings.Split(string(c.argument()), `"`)
	for i := 1; i < len(parts); i += 2 {
		parts[i] = parts[i][strings.LastIndexByte(parts[i], '/')+1:]
	}
	return strings.Join(parts, "")
}
