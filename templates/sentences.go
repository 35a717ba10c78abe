package templates

import (
	"fmt"
	"slices"
	"strings"
)

// The sentences in this file are the doc comments of a model's methods. Cache, Objects and the
// Reader interface share them.

// many is several of the model: "Croupons", or "News rows" where the plural is doubtful.
func (m Model) many() string {
	if several, ok := plural(m.Name); ok {
		return several
	}
	return m.Name + " rows"
}

// notFound ends the sentence of a method that returns one row.
const notFound = ", or an error matching gorm.ErrRecordNotFound."

func (m Model) docGet(p []string) string {
	key := p[0]
	if len(p) > 1 {
		key = "(" + strings.Join(p, ", ") + ")"
	}
	return fmt.Sprintf("Get returns the %s whose primary key is %s%s", m.Name, key, notFound)
}

func (m Model) docGetMany(arg string) string {
	return fmt.Sprintf("GetMany returns the %s with the given primary keys, in the order of %s. What is absent is left out; "+
		"a key given twice gives two copies.", m.many(), arg)
}

func (m Model) docGetMap() string {
	return fmt.Sprintf("GetMap returns the %s with the given primary keys by key. What is absent is left out.", m.many())
}

func (m Model) docManyBy(a Accessor, arg string) string {
	return fmt.Sprintf("GetManyBy%s is %s for several values, in the order of %s. What is absent is left out.", a.Name, a.Method(), arg)
}

func (m Model) docPage(a Accessor, offset, limit string) string {
	s := fmt.Sprintf("%sPage returns at most %s %s of %s, from %s on.", a.Method(), limit, m.many(), a.Method(), offset)
	if a.Limit > 0 {
		s += fmt.Sprintf(" There are no more than %d.", a.Limit)
	}
	return s
}

func (m Model) docQuery() string {
	return fmt.Sprintf("Query returns the %s that a chain of GORM's finds, each with all of its columns. build is given a *gorm.DB for the model, and "+
		"returns what it has made of that. The result is kept until a table is written that the chain reads.", m.many())
}

func (m Model) docQueryOne() string {
	return fmt.Sprintf("QueryOne returns the first %s that a chain finds, where the primary key ends its order%s", m.Name, notFound)
}

func (m Model) docQueryCount() string {
	return fmt.Sprintf("QueryCount counts the %s that a chain finds.", m.many())
}

// doc returns the sentence of an accessor's own method.
func (m Model) doc(a Accessor) string {
	var s string
	switch a.Kind {
	case Unique:
		s = fmt.Sprintf("%s returns the %s with this %s%s", a.Method(), m.Name, m.words(a.By), notFound)
	case List:
		s = fmt.Sprintf("%s returns the %s%s%s, by %s", a.Method(), m.many(), m.ofColumns(a.By), m.conditions(a.Where, "are"), m.byOrder(a.Order))
		if a.Limit > 0 {
			s += fmt.Sprintf("; at most %d", a.Limit)
		}
		s += "."
	case One:
		s = fmt.Sprintf("%s returns the first %s%s%s, by %s%s", a.Method(), m.Name, m.ofColumns(a.By), m.conditions(a.Where, "is"), m.byOrder(a.Order), notFound)
	case Count:
		s = m.docCount(a)
	}
	switch {
	case !anyNullable(a.By):
	case a.Kind == Unique:
		s += " Nil means IS NULL; of several such rows, it is the first by primary key."
	default:
		s += " Nil means IS NULL."
	}
	return s
}

func (m Model) docCount(a Accessor) string {
	head := fmt.Sprintf("%s returns how many %s", a.Method(), m.many())
	switch {
	case allBools(a.Where):
		return head + m.ofColumns(a.By) + " are " + m.bools(a.Where) + "."
	case len(a.Where) > 0 || len(a.By) == 0:
		return head + m.ofColumns(a.By) + " there are" + m.conditions(a.Where, "are") + "."
	default:
		return head + " have this " + m.words(a.By) + "."
	}
}

// docFlush is the sentence of an accessor's flush method.
func (m Model) docFlush(a Accessor) string {
	s := fmt.Sprintf("Flush%s flushes %s", a.Method(), a.Method())
	if len(a.By) == 0 {
		return s + "."
	}
	return s + " for one " + m.words(a.By) + "."
}

func selectors(columns []Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Select
	}
	return names
}

// word is a column in a sentence: "EditedBy" for Audit.EditedBy, unless the model has another one.
func (m Model) word(c Column) string {
	last := func(c Column) string { return c.Select[strings.LastIndexByte(c.Select, '.')+1:] }
	for _, other := range m.Columns {
		if other.Path != c.Path && last(other) == last(c) {
			return c.Select
		}
	}
	return last(c)
}

// words is "City and Category".
func (m Model) words(columns []Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = m.word(c)
	}
	return join(names)
}

// ofColumns is " of a City and Category", or "" where there are no columns.
func (m Model) ofColumns(by []Column) string {
	if len(by) == 0 {
		return ""
	}
	return " of " + article(m.word(by[0])) + " " + m.words(by)
}

// anyNullable reports whether an argument may be nil.
func anyNullable(columns []Column) bool {
	return slices.ContainsFunc(columns, func(c Column) bool { return c.Type.Form != Plain || c.Type.Kind == Bytes })
}

// allBools reports whether there are terms and each says that a column is true or false.
func allBools(terms []Term) bool {
	for _, t := range terms {
		if t.Column.Type.Kind != Bool || len(t.Values) != 1 {
			return false
		}
	}
	return len(terms) > 0
}

// bools is "Active and not Hidden": what must be true comes first, so that no "not" seems to
// reach further than its own word.
func (m Model) bools(terms []Term) string {
	var is, isNot []string
	for _, t := range terms {
		if t.isFalse() {
			isNot = append(isNot, "not "+m.word(t.Column))
		} else {
			is = append(is, m.word(t.Column))
		}
	}
	return join(append(is, isNot...))
}

// isFalse reports whether a term on a bool asks for false.
func (t Term) isFalse() bool { return (t.Values[0] == false) != (t.Op == "!=") }

// conditions is " that are Active" or " where Level > 3 and Active = true"; be is the verb.
func (m Model) conditions(terms []Term, be string) string {
	if len(terms) == 0 {
		return ""
	}
	if allBools(terms) {
		return " that " + be + " " + m.bools(terms)
	}
	words := make([]string, len(terms))
	for i, t := range terms {
		words[i] = t.says(m.word(t.Column))
	}
	return " where " + strings.Join(words, " and ")
}

// byOrder is "Popularity, highest first, then CreatedAt, latest first", or "primary key".
func (m Model) byOrder(order []Order) string {
	if len(order) == 0 {
		return "primary key"
	}
	words := make([]string, len(order))
	for i, o := range order {
		words[i] = m.word(o.Column) + direction(o)
	}
	return strings.Join(words, ", then ")
}

func direction(o Order) string {
	up, down := ", lowest first", ", highest first"
	switch o.Column.Type.Kind {
	case Time:
		up, down = ", earliest first", ", latest first"
	case Text, Bytes:
		up, down = "", ", last first"
	case Bool:
		up, down = ", false first", ", true first"
	}
	if o.Desc {
		return down
	}
	return up
}
