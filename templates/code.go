package templates

import (
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"
)

// The import paths that generated code names.
const (
	runtimePath = "github.com/cachegen/cachegen/runtime"
	gormPath    = "gorm.io/gorm"
)

// rt is a name of the runtime.
func rt(name string) *jen.Statement { return jen.Qual(runtimePath, name) }

// ctx is the context parameter.
func ctx() *jen.Statement { return jen.Id("ctx").Qual("context", "Context") }

// code writes a type expression, importing what it names.
func (e Expr) code() *jen.Statement {
	s := jen.Null()
	// Odd parts are import paths; the part after one begins with a dot and the type's name.
	parts := strings.Split(string(e), `"`)
	for i, part := range parts {
		if i%2 == 1 {
			continue
		}
		name := ""
		if i > 0 {
			name, part = cutName(strings.TrimPrefix(part, "."))
			s.Qual(parts[i-1], name)
		}
		if part != "" {
			s.Op(part)
		}
	}
	return s
}

// cutName cuts s after the identifier that it begins with.
func cutName(s string) (name, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// comment writes a doc comment.
func comment(text string) *jen.Statement {
	s := jen.Null()
	for i, line := range wrap(text, 96) {
		if i > 0 {
			s.Line()
		}
		s.Comment(line)
	}
	return s
}

// lines is a composite literal's body with an element a line.
func lines(items ...jen.Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, items...)
}

// entry is "name: value" in a composite literal.
func entry(name string, value jen.Code) jen.Code { return jen.Id(name).Op(":").Add(value) }

// explained is an entry below a comment.
func explained(text, name string, value jen.Code) jen.Code {
	return jen.Comment(text).Line().Add(entry(name, value))
}

// param is a named parameter of a type.
type param struct {
	name string
	typ  string // what parameters in a row must share to be written together
	code *jen.Statement
}

// signature writes parameters, neighbours of one type together.
func signature(params []param) []jen.Code {
	var out []jen.Code
	for i, p := range params {
		s := jen.Id(p.name)
		if i+1 == len(params) || params[i+1].typ != p.typ {
			s.Add(p.code)
		}
		out = append(out, s)
	}
	return out
}

// argument returns the type that a parameter for the column has: a pointer where the column
// can hold NULL.
func (c Column) argument() Expr {
	if c.Type.Form == Plain || c.Type.Kind == Valued {
		return c.Type.Value
	}
	return "*" + c.Type.Value
}

// byParams returns the parameters that stand for columns.
func byParams(columns []Column, names []string) []param {
	out := make([]param, len(columns))
	for i, c := range columns {
		out[i] = param{name: names[i], typ: string(c.argument()), code: c.argument().code()}
	}
	return out
}

// selector is v.Path.
func (c Column) selector(v string) *jen.Statement { return jen.Id(v).Op("." + c.Select) }

// kindNames are the endings of the runtime's functions for a kind.
var kindNames = [...]string{"Uint", "Int", "Float", "Bool", "Text", "Bytes", "Time", "Value"}

// instance is a generic function of the runtime for values of the type, as in
// cacheruntime.AppendUint[uint64].
func (t Type) instance(prefix string) *jen.Statement {
	f := rt(prefix + kindNames[t.Kind])
	if t.Kind == Time {
		return f
	}
	return f.Index(t.Value.code())
}

// toArg turns an argument of the accessor, pointer or value, into a cacheruntime.Arg.
func (c Column) toArg(value jen.Code) *jen.Statement {
	if c.Type.Form == Plain || c.Type.Kind == Valued {
		return rt(kindNames[c.Type.Kind]).Call(value)
	}
	return rt("Ptr").Call(value, c.Type.instance(""))
}

// rowArg is the cacheruntime.Arg of a row's own value.
func (c Column) rowArg(v string) *jen.Statement {
	arg := c.toArg(c.selector(v))
	if c.Type.Form == Null {
		arg = rt("If").Call(c.selector(v).Dot("Valid"), rt(kindNames[c.Type.Kind]).Call(c.selector(v).Dot(c.Type.Field)))
	}
	if len(c.Pointers) == 0 {
		return arg
	}
	return rt("Within").Call(c.present(v), jen.Func().Params().Add(rt("Arg")).Block(jen.Return(arg)))
}

// present is the condition that no embedded pointer on the way to the column is nil.
func (c Column) present(v string) *jen.Statement { return c.pointers(v, "!=", "&&") }

// absent is the condition that one is.
func (c Column) absent(v string) *jen.Statement { return c.pointers(v, "==", "||") }

func (c Column) pointers(v, compare, op string) *jen.Statement {
	var parts []jen.Code
	for _, p := range c.Pointers {
		parts = append(parts, jen.Id(v).Op("."+p.Select).Op(compare).Nil())
	}
	return chain(parts, op)
}

// eachArg is the function that turns one of many arguments into a cacheruntime.Arg.
func (c Column) eachArg() *jen.Statement {
	if c.Type.Form == Plain || c.Type.Kind == Valued {
		return c.Type.instance("")
	}
	return jen.Func().Params(jen.Id("p").Add(c.argument().code())).Add(rt("Arg")).
		Block(jen.Return(c.toArg(jen.Id("p"))))
}

// encode writes the statements that append the column of v to b. A serialized one has none: the runtime appends it.
func (c Column) encode(v string) []jen.Code {
	if c.Type.Kind == Serialized {
		return nil
	}
	set := func(name string, args ...jen.Code) jen.Code {
		return jen.Id("b").Op("=").Add(rt("Append" + name)).Call(append([]jen.Code{jen.Id("b")}, args...)...)
	}
	name := kindNames[c.Type.Kind]
	switch form := c.Type.Form; {
	case c.Type.Kind == Valued:
		return []jen.Code{set(name, c.selector(v))}
	case form == Pointer:
		return []jen.Code{set("Ptr", c.selector(v), c.Type.instance("Append"))}
	case form == Null:
		return []jen.Code{
			set("Bool", c.selector(v).Dot("Valid")),
			set(name, c.selector(v).Dot(c.Type.Field)),
		}
	default:
		return []jen.Code{set(name, c.selector(v))}
	}
}

// decode writes the statements that read into v what encode wrote.
func (c Column) decode(v string) []jen.Code {
	d := jen.Id("d")
	switch form := c.Type.Form; {
	case c.Type.Kind == Serialized:
		return nil
	case c.Type.Kind == Valued:
		return []jen.Code{rt("DecodeValue").Call(d, jen.Op("&").Add(c.selector(v)))}
	case form == Pointer:
		return []jen.Code{c.selector(v).Op("=").Add(rt("DecodePtr")).Call(d, c.Type.instance("Decode"))}
	case form == Null:
		return []jen.Code{
			c.selector(v).Dot("Valid").Op("=").Add(rt("DecodeBool")).Index(jen.Bool()).Call(d),
			c.selector(v).Dot(c.Type.Field).Op("=").Add(c.Type.instance("Decode")).Call(d),
		}
	default:
		return []jen.Code{c.selector(v).Op("=").Add(c.Type.instance("Decode")).Call(d)}
	}
}
