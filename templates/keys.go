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

// keyOf makes a primary key from the parameters of Get.
func (m Model) keyOf(names []string) *jen.Statement {
	if len(names) == 1 {
		return jen.Id(names[0])
	}
	var values []jen.Code
	for i, c := range m.keys() {
		values = append(values, entry(c.name(), jen.Id(names[i])))
	}
	return jen.Id(m.Name + "Key").Values(values...)
}

// writeKey adds the struct of a composite key and its codec.
func (m Model) writeKey(f *jen.File) {
	keys := m.keys()
	if len(keys) == 1 {
		return
	}
	name := m.Name + "Key"
	var fields, encode, decode []jen.Code
	for _, c := range keys {
		part := c
		part.Select = c.name()
		fields = append(fields, jen.Id(part.Select).Add(c.Type.Value.code()))
		encode = append(encode, part.encode("k")...)
		decode = append(decode, part.decode("k")...)
	}
	f.Add(comment(fmt.Sprintf("%s is the primary key of %s %s.", name, article(m.Name), m.Name)))
	f.Type().Id(name).Struct(fields...)
	f.Line()

	f.Add(comment(fmt.Sprintf("encode%s appends the columns of k.", name)))
	f.Func().Id("encode"+name).Params(jen.Id("b").Index().Byte(), jen.Id("k").Id(name)).Index().Byte().Block(
		append(encode, jen.Return(jen.Id("b")))...,
	)
	f.Line()

	f.Add(comment(fmt.Sprintf("decode%s reads what encode%s wrote. Bad bytes leave an error in d.", name, name)))
	f.Func().Id("decode" + name).Params(jen.Id("d").Op("*").Add(rt("Decoder"))).Id(name).BlockFunc(func(g *jen.Group) {
		g.Var().Id("k").Id(name)
		for _, line := range decode {
			g.Add(line)
		}
		g.Return(jen.Id("k"))
	})
	f.Line()
}

// keySpec returns the entries of the TableSpec that say what the primary key is.
func (m Model) keySpec() []jen.Code {
	keys := m.keys()
	args := []jen.Code{jen.Id("to")}
	var encode, decode, key *jen.Statement
	param := m.params(keys[:1])[0]
	if len(keys) == 1 {
		key = keys[0].selector("v")
		args = append(args, keys[0].toArg(jen.Id(param)))
		encode, decode = keys[0].Type.instance("Append"), keys[0].decodeKey()
	} else {
		param = "k"
		var values []jen.Code
		for _, c := range keys {
			values = append(values, entry(c.name(), c.selector("v")))
			args = append(args, c.toArg(jen.Id(param).Dot(c.name())))
		}
		key = jen.Id(m.Name + "Key").Values(values...)
		encode, decode = jen.Id("encode"+m.Name+"Key"), jen.Id("decode"+m.Name+"Key")
	}
	return []jen.Code{
		entry("Key", m.keyFunc(key)),
		entry("KeyArgs", jen.Func().Params(jen.Id("to").Index().Add(rt("Arg")), jen.Id(param).Add(m.keyType())).
			Index().Add(rt("Arg")).Block(jen.Return(jen.Append(args...)))),
		entry("EncodeKey", encode),
		entry("DecodeKey", decode),
	}
}

// keyFunc is the function that returns a row's key, which is the expression key. What lies inside an embedded
// pointer that is nil is zero; GORM reads no such row.
func (m Model) keyFunc(key *jen.Statement) *jen.Statement {
	f := jen.Func().Params(jen.Id("v").Op("*").Id(m.Name))
	var present []jen.Code
	for _, c := range m.keys() {
		if len(c.Pointers) > 0 {
			present = append(present, c.present("v"))
		}
	}
	if len(present) == 0 {
		return f.Add(m.keyType()).Block(jen.Return(key))
	}
	return f.Params(jen.Id("k").Add(m.keyType())).Block(
		jen.If(chain(present, "&&")).Block(jen.Id("k").Op("=").Add(key)),
		jen.Return(jen.Id("k")),
	)
}

// decodeKey is the function that reads a primary key of one column.
func (c Column) decodeKey() *jen.Statement {
	if c.Type.Kind != Valued {
		return c.Type.instance("Decode")
	}
	typ := c.Type.Value.code()
	return jen.Func().Params(jen.Id("d").Op("*").Add(rt("Decoder"))).Params(jen.Id("k").Add(typ)).Block(
		rt("DecodeValue").Call(jen.Id("d"), jen.Op("&").Id("k")),
		jen.Return(jen.Id("k")),
	)
}
