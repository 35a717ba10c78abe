package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"
)

// writeCodec adds the functions that write a row as bytes and read it back.
func (m Model) writeCodec(f *jen.File) {
	var encode, decode []jen.Code
	for _, c := range m.Columns {
		encode = append(encode, c.encode("v")...)
		decode = append(decode, c.decode("v")...)
	}
	f.Add(comment(fmt.Sprintf("encode%s appends the columns of v.", m.Name)))
	f.Func().Id("encode"+m.Name).Params(jen.Id("b").Index().Byte(), jen.Id("v").Op("*").Id(m.Name)).Index().Byte().Block(
		append(encode, jen.Return(jen.Id("b")))...,
	)
	f.Line()
	f.Add(comment(fmt.Sprintf("decode%s reads into v what encode%s wrote. Bad bytes leave an error in d.", m.Name, m.Name)))
	f.Func().Id("decode"+m.Name).Params(jen.Id("d").Op("*").Add(rt("Decoder")), jen.Id("v").Op("*").Id(m.Name)).Block(decode...)
	f.Line()
}
