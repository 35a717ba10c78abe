package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"
)

// keyType is the Go type of a primary key.
func (m Model) keyType() *jen.Statement {
	if keys := m.keys(); len(keys) == 1 {
		return keys[0].Type.Value.code()
	}
	return jen.Id(m.Name + "Key")
}

// keyArgs are the parameters of Get as the runtime takes a primary key.
func (m Model) keyArgs(names []string) []jen.Code {
	var args []jen.Code
	for i, c := range m.keys() {
		args = append(args, c.toArg(jen.Id(names[i])))
	}
	return args
}

// manyKeyArgs are several primary keys, in the parameter of this name, as the runtime takes them.
func (m Model) manyKeyArgs(name string) *jen.Statement {
	if keys := m.keys(); len(keys) == 1 {
		return rt("Each").Call(jen.Id(name), keys[0].eachArg())
	}
	return rt("EachKey").Call(jen.Id(name), jen.Id("append"+m.Name+"Key"))
}

// writeKey adds the struct of a composite key.
func (m Model) writeKey(f *jen.File) {
	keys := m.keys()
	if len(keys) == 1 {
		return
	}
	name := m.Name + "Key"
	var fields []jen.Code
	args := []jen.Code{jen.Id("to")}
	for _, c := range keys {
		fields = append(fields, jen.Id(c.name()).Add(c.Type.Value.code()))
		args = append(args, c.toArg(jen.Id("k").Dot(c.name())))
	}
	f.Add(comment(fmt.Sprintf("%s is the primary key of %s %s.", name, article(m.Name), m.Name)))
	f.Type().Id(name).Struct(fields...)
	f.Line()

	f.Add(comment(fmt.Sprintf("append%s appends the columns of k.", name)))
	f.Func().Id("append"+name).Params(jen.Id("to").Index().Add(rt("Arg")), jen.Id("k").Id(name)).Index().Add(rt("Arg")).Block(
		jen.Return(jen.Append(args...)),
	)
	f.Line()
}
