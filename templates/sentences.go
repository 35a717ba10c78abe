package templates

import (
	"fmt"
	"strings"
)

// The sentences in this file are the doc comments of a model's methods. Cache, Objects and the
// Reader interface share them.

func (m Model) many() string { return plural(m.Name) }

// notFound ends the sentence of a method that returns one row.
const notFound = ", or an error matching gorm.ErrRecordNotFound."

func (m Model) docGet(p []string) string {
	return fmt.Sprintf("Get returns the %s whose primary key is %s%s", m.Name, join(p), notFound)
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

func docPage(m Model, a Accessor) string {
	s := fmt.Sprintf("%sPage returns at most limit %s of %s, from offset on.", a.Method(), m.many(), a.Method())
	if a.Limit > 0 {
		s += fmt.Sprintf(" There are no more than %d.", a.Limit)
	}
	return s
}

// doc returns the sentence of an accessor's own method.
func (m Model) doc(a Accessor) string {
	what, condition := ofColumns(a.By), conditions(a.Where)
	var s string
	switch a.Kind {
	case Unique:
		s = fmt.Sprintf("%s returns the %s with this %s%s", a.Method(), m.Name, join(selectors(a.By)), notFound)
	case List:
		s = fmt.Sprintf("%s returns the %s%s%s, by %s", a.Method(), m.many(), what, condition, byOrder(a.Order))
		if a.Limit > 0 {
			s += fmt.Sprintf("; at most %d", a.Limit)
		}
		s += "."
	case One:
		s = fmt.Sprintf("%s returns the first %s%s%s by %s%s", a.Method(), m.Name, what, condition, byOrder(a.Order), notFound)
	case Count:
		s = m.docCount(a, what, condition)
	}
	if anyNullable(a.By) {
		s += " Nil means IS NULL."
	}
	return s
}

func (m Model) docCount(a Accessor, what, condition string) string {
	head := fmt.Sprintf("%s returns how many %s", a.Method(), m.many())
	switch {
	case allBools(a.Where):
		return head + what + " are " + bools(a.Where) + "."
	case condition == "" && len(a.By) == 1:
		column := a.By[0].Select
		return fmt.Sprintf("%s %s %s has.", head, article(column), column)
	default:
		return head + what + " there are" + condition + "."
	}
}

// docFlush is the sentence of an accessor's flush method.
func docFlush(a Accessor) string {
	s := fmt.Sprintf("Flush%s flushes %s", a.Method(), a.Method())
	if len(a.By) == 0 {
		return s + "."
	}
	return s + " for one " + join(selectors(a.By)) + "."
}

func selectors(columns []Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Select
	}
	return names
}

// ofColumns is " of a City and Category", or "" where there are no columns.
func ofColumns(by []Column) string {
	if len(by) == 0 {
		return ""
	}
	return " of " + article(by[0].Select) + " " + join(selectors(by))
}

func anyNullable(columns []Column) bool {
	for _, c := range columns {
		if c.Type.Form != Plain {
			return true
		}
	}
	return false
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
func bools(terms []Term) string {
	var is, isNot []string
	for _, t := range terms {
		if t.isFalse() {
			isNot = append(isNot, "not "+t.Column.Select)
		} else {
			is = append(is, t.Column.Select)
		}
	}
	return join(append(is, isNot...))
}

// isFalse reports whether a term on a bool asks for false.
func (t Term) isFalse() bool { return (t.Values[0] == false) != (t.Op == "!=") }

// conditions is " that are Active" or " where Level > 3 and Active = true".
func conditions(terms []Term) string {
	if len(terms) == 0 {
		return ""
	}
	if allBools(terms) {
		return " that are " + bools(terms)
	}
	words := make([]string, len(terms))
	for i, t := range terms {
		words[i] = t.String()
	}
	return " where " + strings.Join(words, " and ")
}

// byOrder is "Popularity, highest first, then CreatedAt, latest first", or "primary key".
func byOrder(order []Order) string {
	if len(order) == 0 {
		return "primary key"
	}
	words := make([]string, len(order))
	for i, o := range order {
		words[i] = o.Column.Select + direction(o)
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
