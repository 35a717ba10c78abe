package templates

import (
	"fmt"
	"slices"

	"github.com/dave/jennifer/jen"
)

// writeCodec adds the functions that write a row as bytes and read it back. Columns with a serializer are
// left to the runtime, which has GORM's reading of them.
func (m Model) writeCodec(f *jen.File) {
	var columns []Column
	serialized := ""
	for _, c := range m.Columns {
		if c.Unread {
			continue
		}
		columns = append(columns, c)
		if c.Type.Kind == Serialized {
			serialized = " The runtime adds the serialized ones."
		}
	}
	f.Add(comment(fmt.Sprintf("encode%s appends the columns of a row.%s", m.Name, serialized)))
	f.Func().Id("encode"+m.Name).Params(jen.Id("b").Index().Byte(), jen.Id(m.untyped("v")).Any()).Index().Byte().Block(
		slices.Concat([]jen.Code{m.typed("v")}, m.encode(columns, 0), []jen.Code{jen.Return(jen.Id("b"))})...,
	)
	f.Line()
	f.Add(comment(fmt.Sprintf("decode%s reads into a row what encode%s wrote. Bad bytes leave an error in d.", m.Name, m.Name)))
	f.Func().Id("decode"+m.Name).Params(jen.Id("d").Op("*").Add(rt("Decoder")), jen.Id(m.untyped("v")).Any()).Block(
		slices.Concat([]jen.Code{m.typed("v")}, m.decode(columns, 0))...,
	)
	f.Line()
}

// runs cuts columns where the embedded pointer at this depth changes; columns outside one have none.
func runs(columns []Column, depth int) [][]Column {
	at := func(c Column) string {
		if depth < len(c.Pointers) {
			return c.Pointers[depth].Select
		}
		return ""
	}
	var out [][]Column
	for i, c := range columns {
		if i == 0 || at(c) != at(columns[i-1]) {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], c)
	}
	return out
}

// encode writes the statements that append columns to b: those of an embedded pointer behind a byte that
// says whether it is nil. GORM reads it as nil where it has read nothing into it.
func (m Model) encode(columns []Column, depth int) []jen.Code {
	var out []jen.Code
	for _, run := range runs(columns, depth) {
		if depth >= len(run[0].Pointers) {
			for _, c := range run {
				out = append(out, c.encode("v")...)
			}
			continue
		}
		pointer := jen.Id("v").Op("." + run[0].Pointers[depth].Select)
		out = append(out, jen.Id("b").Op("=").Add(rt("AppendBool")).Call(jen.Id("b"), pointer.Clone().Op("!=").Nil()))
		if inside := m.encode(run, depth+1); len(inside) > 0 {
			out = append(out, jen.If(pointer.Clone().Op("!=").Nil()).Block(inside...))
		}
	}
	return out
}

// decode writes the statements that read what encode wrote.
func (m Model) decode(columns []Column, depth int) []jen.Code {
	var out []jen.Code
	for _, run := range runs(columns, depth) {
		if depth >= len(run[0].Pointers) {
			for _, c := range run {
				out = append(out, c.decode("v")...)
			}
			continue
		}
		embed := run[0].Pointers[depth]
		pointer := jen.Id("v").Op("." + embed.Select)
		out = append(out,
			pointer.Clone().Op("=").Nil(),
			jen.If(rt("DecodeBool").Index(jen.Bool()).Call(jen.Id("d"))).Block(
				append([]jen.Code{pointer.Clone().Op("=").New(embed.Type.code())}, m.decode(run, depth+1)...)...,
			),
		)
	}
	return out
}
