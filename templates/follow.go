package templates

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"
)

// Follow is a relation that is read with the model where a read asks for it.
type Follow struct {
	Name      string // the field's
	To        Expr   // the related model's type
	Model     string // its name
	Path      string // the import path of its package
	Many      bool   // there may be several related rows
	Order     []Order
	OrderText string // the order setting, as written
	Limit     int    // 0: the runtime's window
	Link      Link
}

// Link is by what a relation goes, by GORM's default rules: for messages and reports only, since the runtime asks GORM.
type Link struct {
	Via Via
	Own []Column // of the owner, what those of There are compared with; of a polymorphic relation, the type has none
	// There are columns of the related model, or of the join table.
	There      []Column
	Others     []Column // of the join table: what leads to the related model
	Keys       []Column // of the related model: what they lead to, where that is not its primary key
	Join       string   // the join table's name
	SoftDelete *Column  // the related model's, where its rows are on lists
}

// Via says where related rows are found.
type Via uint8

// The ways to related rows.
const (
	Unknown Via = iota // only GORM knows
	ByKey              // in their own entries
	ByList             // on a list of the related rows that have the values of the owner
	ByJoin             // on a list of the join table's rows that have them
)

// Followed are the Keys of the lists that the model's relations go by, as those of accessors whose method is the relation's. Their
// columns are those of the related model, or of the join table.
func (m Model) Followed() []Key {
	var out []Key
	for _, f := range m.Follows {
		switch f.Link.Via {
		case ByList:
			out = append(out, m.followed(f, f.Name))
		case ByJoin:
			out = append(out, m.followed(f, f.Name))
			if len(f.Link.Keys) > 0 {
				f.Link = Link{Via: ByList, Own: f.Link.Others, There: f.Link.Keys, SoftDelete: f.Link.SoftDelete}
				out = append(out, m.followed(f, f.Name+"Of"))
			}
		}
	}
	return out
}

func (m Model) followed(f Follow, name string) Key {
	k := Key{
		Accessor: Accessor{Kind: List, Name: name, By: f.Link.There, Order: f.Order, OrderText: f.OrderText, Limit: f.Limit},
		Args:     m.shownArgs(f.Link.Own),
		List:     m.Table + "." + name + "(" + strings.Join(selectors(f.Link.There), ",") + ")",
		Follow:   &f,
	}
	if f.Link.Via == ByList {
		k.Falls = falls(k.Accessor, f.Link.SoftDelete)
		return k
	}
	k.Order, k.OrderText = nil, "" // the related rows are put in order when they are there
	k.Falls = falls(k.Accessor, nil)
	for _, c := range f.Link.Others {
		k.Falls = append(k.Falls, Fall{Column: c, Leads: true})
	}
	return k
}

// Method is the method that asks for the relation.
func (f Follow) Method() string { return "With" + f.Name }

// along is the function that asks for it where the model itself comes with another.
func (m Model) along(f Follow) string { return m.Name + f.Method() }

// its is the type of what is asked for with the related rows.
func (f Follow) its() *jen.Statement {
	return jen.Id("with").Op("...").Add(rt("With")).Index(jen.Op("*").Add(f.To.code()))
}

// docWith is the sentence of the method.
func (m Model) docWith(f Follow) string {
	if f.Many {
		return fmt.Sprintf("%s returns a reader whose %s come with %s, %s, each from an entry of its own. Relations that are given in with come with those.",
			f.Method(), m.many(), f.Name, m.relatedOrder(f))
	}
	return fmt.Sprintf("%s returns a reader whose %s come with %s, from an entry of its own. Relations that are given in with come with that.", f.Method(), m.many(), f.Name)
}

// relatedOrder is the order of several related rows.
func (m Model) relatedOrder(f Follow) string { return "by " + m.byOrder(f.Order) }

// writeFollows adds the methods that ask for relations, and their functions.
func (m Model) writeFollows(f *jen.File) {
	for _, to := range m.Follows {
		f.Add(comment(m.docWith(to)))
		f.Func().Params(jen.Id("r").Op("*").Id(m.shared())).Id(to.Method()).Params(to.its()).Id(m.reader()).Block(
			jen.Return(jen.Op("&").Id(m.shared()).Values(
				entry("table", jen.Id("r").Dot("table")),
				entry("source", rt("Follow").Call(jen.Id("r").Dot("source"), jen.Lit(to.Name), jen.Id("with"))),
			)),
		)
		f.Line()
		f.Add(comment(fmt.Sprintf("%s asks for the %s of %s that come with other rows themselves: give it to the With method that brings these.",
			m.along(to), to.Name, m.many())))
		f.Func().Id(m.along(to)).Params(to.its()).Add(rt("With")).Index(jen.Op("*").Id(m.Name)).Block(
			jen.Return(rt("Along").Index(jen.Op("*").Id(m.Name)).Call(jen.Lit(to.Name), jen.Id("with"))),
		)
		f.Line()
	}
}

// followMembers are the methods of the Reader that ask for relations.
func (m Model) followMembers() []jen.Code {
	var members []jen.Code
	for _, to := range m.Follows {
		members = append(members, comment(m.docWith(to)), jen.Id(to.Method()).Params(to.its()).Id(m.reader()))
	}
	return members
}

// writeUnimplementedFollows adds those of the struct to embed in fakes.
func (m Model) writeUnimplementedFollows(f *jen.File) {
	name := "Unimplemented" + m.reader()
	for _, to := range m.Follows {
		f.Add(comment(to.Method() + " returns an " + name + ": a fake that is asked for relations returns itself instead."))
		f.Func().Params(jen.Id(name)).Id(to.Method()).Params(to.its()).Id(m.reader()).Block(jen.Return(jen.Id(name).Values()))
		f.Line()
	}
}

// followSpecs describes the relations to the runtime.
func (m Model) followSpecs() *jen.Statement {
	var specs []jen.Code
	for _, to := range m.Follows {
		values := []jen.Code{entry("Relation", jen.Lit(to.Name))}
		if len(to.Order) > 0 {
			values = append(values, entry("Order", orderSpec(to.Order)))
		}
		if to.Limit > 0 {
			values = append(values, entry("Limit", jen.Lit(to.Limit)))
		}
		values = append(values, entry("Package", jen.Lit(to.Path)))
		specs = append(specs, jen.Values(values...))
	}
	return jen.Index().Add(rt("FollowSpec")).Add(aLineEach(specs))
}
