package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"
)

// write adds a model's whole file.
func (m Model) write(f *jen.File) {
	m.writeKey(f)
	m.writeReader(f)
	m.writeUnimplemented(f)

	f.Add(comment(fmt.Sprintf("%s is the entry point for %s.", m.entry(), m.many())))
	f.Type().Id(m.entry()).Struct(
		jen.Id("Cache").Op("*").Id(m.cache()).Comment("reads through the cache"),
		jen.Id("Objects").Op("*").Id(m.objects()).Comment("reads the database, always"),
	)
	f.Line()

	m.writeTable(f)

	f.Add(comment(fmt.Sprintf("%s reads %s through the cache: on a miss, one caller loads them from the database and the others wait for that load. "+
		"It is safe for concurrent use.", m.cache(), m.many())))
	f.Type().Id(m.cache()).Struct(jen.Id(m.shared()))
	f.Line()
	m.writeFlushes(f)

	f.Add(comment(fmt.Sprintf("%s reads %s from the database, always, through GORM. It is safe for concurrent use.", m.objects(), m.many())))
	f.Type().Id(m.objects()).Struct(jen.Id(m.shared()))
	f.Line()

	f.Add(comment(fmt.Sprintf("%s are the methods of %s and %s alike. Where they read is their source.", m.shared(), m.cache(), m.objects())))
	f.Type().Id(m.shared()).Struct(
		jen.Id("table").Op("*").Id(m.table()),
		jen.Id("source").Add(rt("Source")),
	)
	f.Line()
	for _, method := range m.reads() {
		method.write(f, m)
	}

	m.writeFollows(f)

	m.writeCodec(f)
	m.writeGuard(f)
}

// writeReader adds the interface and its fake-maker.
func (m Model) writeReader(f *jen.File) {
	f.Add(comment(fmt.Sprintf("%s reads %s. [%s] and [%s] both satisfy it, so a function that takes %s %s leaves the choice to its caller.",
		m.reader(), m.many(), m.cache(), m.objects(), article(m.reader()), m.reader())))
	var members []jen.Code
	for _, method := range m.reads() {
		members = append(members, comment(method.doc), jen.Id(method.name).Params(method.signature()...).Add(method.results()))
	}
	f.Type().Id(m.reader()).Interface(append(members, m.followMembers()...)...)
	f.Line()
}

// writeUnimplemented adds the struct to embed in fakes.
func (m Model) writeUnimplemented(f *jen.File) {
	name := "Unimplemented" + m.reader()
	f.Add(comment(fmt.Sprintf("%s is embedded in fakes, so that they compile when the interface grows. Each method returns an error matching cacheruntime.ErrUnimplemented.", name)))
	f.Type().Id(name).Struct()
	f.Line()
	for _, method := range m.reads() {
		f.Add(comment(method.name + " returns an error matching cacheruntime.ErrUnimplemented."))
		zero := jen.Nil()
		if method.count() {
			zero = jen.Lit(0)
		}
		f.Func().Params(jen.Id(name)).Id(method.name).Params(method.signature()...).Add(method.results()).Block(
			jen.Return(zero, rt("Unimplemented").Call(jen.Lit(m.reader()+"."+method.name))),
		)
		f.Line()
	}
	m.writeUnimplementedFollows(f)
	f.Add(comment(fmt.Sprintf("%s satisfies what it stands in for, and so do the two readers.", name)))
	f.Var().Defs(
		jen.Id("_").Id(m.reader()).Op("=").Id(name).Values(),
		jen.Id("_").Id(m.reader()).Op("=").Parens(jen.Op("*").Id(m.cache())).Call(jen.Nil()),
		jen.Id("_").Id(m.reader()).Op("=").Parens(jen.Op("*").Id(m.objects())).Call(jen.Nil()),
	)
	f.Line()
}

// writeGuard adds the conversion that stops compiling when the struct changes.
func (m Model) writeGuard(f *jen.File) {
	var members []jen.Code
	for _, field := range m.Struct {
		if field.Embedded {
			members = append(members, field.Type.code())
			continue
		}
		members = append(members, jen.Id(field.Name).Add(field.Type.code()))
	}
	f.Add(comment(fmt.Sprintf("A compile error here says that %s has changed since its code was generated: run go generate. "+
		"The blank fields are those of its declarations: a conversion asks for every field, in order.", m.Name)))
	f.Var().Id("_").Op("=").Id(m.Name).Parens(jen.Struct(members...).Values())
}
