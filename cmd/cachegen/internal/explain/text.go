package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// width is how wide text may be: what does not fit is continued on the next line.
const width = 100

// says are the effects as a line of text ends.
var says = map[Effect]string{
	RowWritten: "any write of the row",
	KeyChanged: "every entry of the table",
	RowMoves:   "of the old and of the new value",
	RowMatches: "if the row enters or leaves it",
	MayMatch:   "from or to what may match",
	AnyChange:  "any change: the database judges it",
	RowOrdered: "ordered by it",
	RowLeads:   "leads elsewhere",
}

// Text writes the report for people.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	for _, p := range r.Packages {
		fmt.Fprintf(&b, "package %s\n", p.Path)
		for _, m := range p.Models {
			m.text(&b)
		}
		b.WriteString("\n")
	}
	if len(r.Packages) > 0 {
		b.WriteString(footnote)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const footnote = `A list falls only for a row that is on it before or after the write. In a trace its name is
<namespace>:<list>, with folded values in place of the columns, and its entries have the keys
<route>:<prefix>:<namespace>:<version>:<table>.<fingerprint>:<accessor>:<values>.
`

// about is what a line says of the model as a whole.
func (m Model) about() []string {
	out := []string{"table " + m.Table, "key " + strings.Join(m.Key, ", ")}
	if m.SoftDelete != "" {
		out = append(out, "soft delete "+m.SoftDelete)
	}
	if m.TTL != "" {
		out = append(out, "ttl "+m.TTL)
	}
	if m.Lease {
		out = append(out, "lease")
	}
	if m.JoinTable {
		out = append(out, "join table")
	}
	return append(out, m.Source)
}

func (m Model) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s\n", m.Name)
	paragraph(b, "  ", m.aboutLine())

	rows := [][]string{{"a change of", "column", "flushes", ""}}
	for _, c := range m.Columns {
		name, column := c.Name, c.Column
		own := c.beside()
		switch {
		case slices.Contains(m.Key, c.Name):
			own = []Flush{{m.All, Cause{Effect: KeyChanged}}}
		case len(own) == 0:
			own = []Flush{{"-", Cause{}}}
		}
		for _, f := range own {
			rows = append(rows, []string{name, column, f.Accessor, says[f.Effect]})
			name, column = "", ""
		}
	}
	if !m.JoinTable { // of which nothing reads rows
		rows = append(rows, []string{"any of them", "", "Get", "of the row"})
	}
	rows = append(rows, []string{"the whole row", "", "every list", "that it is on: created, deleted"})
	table(b, rows)

	rows = [][]string{{"the list", "falls with a change of"}}
	for _, a := range m.Accessors {
		rows = append(rows, []string{a.List, a.fallsOn()})
		if s := a.settings(m.TTL); s != "" {
			rows = append(rows, []string{"  " + s})
		}
	}
	table(b, rows)
}

// beside are the flushes of a column's change beside that of the row itself.
func (c Column) beside() []Flush {
	return slices.DeleteFunc(slices.Clone(c.Flushes), func(f Flush) bool { return f.Effect == RowWritten })
}

func (a Accessor) fallsOn() string {
	var names []string
	for _, f := range a.Falls {
		if f.Column == AnyColumn {
			return "any column"
		}
		if f.Effect != KeyChanged { // with the key every list falls, as the first table says
			names = append(names, f.Column)
		}
	}
	switch {
	case len(names) > 0:
		return strings.Join(names, ", ")
	case len(a.Falls) > 0:
		return "the key alone, with which all fall"
	default:
		return "none: only as rows come and go"
	}
}

// settings are what the accessor's tag says beside its columns; a ttl only where it is not the
// model's.
func (a Accessor) settings(modelTTL string) string {
	var out []string
	if a.Where != "" {
		out = append(out, "where "+a.Where)
	}
	if a.Order != "" {
		out = append(out, "order "+a.Order)
	}
	if a.Limit > 0 {
		out = append(out, fmt.Sprintf("limit %d", a.Limit))
	}
	if a.TTL != modelTTL {
		out = append(out, "ttl "+a.TTL)
	}
	if a.Unchecked {
		out = append(out, "unchecked")
	}
	return strings.Join(out, " · ")
}

// table writes rows of cells below each other, indented by two. A row of one cell spans them all. A
// last cell that would pass the width is broken, or begins a line of its own.
func table(b *strings.Builder, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], min(cells(cell), width/2))
		}
	}
	b.WriteString("\n")
	for _, row := range rows {
		if len(row) == 1 {
			paragraph(b, "    ", strings.TrimSpace(row[0]))
			continue
		}
		line := "  "
		for i, cell := range row[:len(row)-1] {
			line += cell + strings.Repeat(" ", max(0, widths[i]-cells(cell))+2)
		}
		last := row[len(row)-1]
		if cells(line)+cells(last) <= width {
			b.WriteString(strings.TrimRight(line+last, " ") + "\n")
			continue
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		paragraph(b, "      ", last)
	}
}

// paragraph writes text broken into lines below an indent, the later ones two deeper.
func paragraph(b *strings.Builder, indent, text string) {
	for i, line := range wrap(text, width-len(indent)-2) {
		if i > 0 {
			indent += strings.Repeat(" ", 2-min(2, 2*(i-1)))
		}
		b.WriteString(indent + line + "\n")
	}
}
