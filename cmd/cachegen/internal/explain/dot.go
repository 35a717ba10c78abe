package explain

import (
	"fmt"
	"io"
	"strings"
)

// edgeStyles tell effects apart, by more than their colour.
var edgeStyles = map[Effect]struct{ color, style string }{
	RowMoves:   {"#0969da", "solid"},
	RowMatches: {"#9a6700", "dashed"},
	MayMatch:   {"#9a6700", "dashed"},
	AnyChange:  {"#9a6700", "dashed"},
	RowOrdered: {"#1a7f37", "dotted"},
	RowLeads:   {"#1a7f37", "dotted"},
}

// DOT writes the report as a graph for graphviz: a cluster a model, with edges from columns to the
// accessors whose lists their change flushes.
func (r Report) DOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString(`digraph cachegen {
	graph [rankdir=LR, fontname="Helvetica", nodesep=0.15, ranksep=1.2];
	node [shape=box, fontname="Helvetica", fontsize=11, height=0.3];
	edge [fontname="Helvetica", fontsize=9];
`)
	for _, p := range r.Packages {
		for _, m := range p.Models {
			m.dot(&b, p.Path+"."+m.Name)
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (m Model) dot(b *strings.Builder, path string) {
	g := m.graph()
	id := func(layer string, n node) string { return quoted(path + "/" + layer + n.name) }
	box := func(id string, n node, style string) {
		var label []string
		for _, line := range append([]string{n.title}, n.lines...) {
			label = append(label, wrap(line, accessorCells)...)
		}
		fmt.Fprintf(b, "\t\t%s [label=%s, tooltip=%s%s];\n", id, quoted(strings.Join(label, "\n")), quoted(n.tip), style)
	}
	fmt.Fprintf(b, "\tsubgraph %s {\n\t\tlabel=%s;\n", quoted("cluster "+path), quoted(m.Name+"\n"+m.aboutLine()))
	for _, c := range g.columns {
		box(id("column ", c), c, "")
	}
	for _, a := range g.accessors {
		box(id("accessor ", a), a, ", style=rounded")
	}
	row := id("", g.row)
	box(row, g.row, ", style=bold")
	for _, e := range g.edges {
		s := edgeStyles[e.effect]
		fmt.Fprintf(b, "\t\t%s -> %s [color=%q, style=%s, tooltip=%s];\n",
			id("column ", g.columns[e.from]), id("accessor ", g.accessors[e.to]), s.color, s.style, quoted(e.tip))
	}
	for i, a := range g.accessors {
		if m.Accessors[i+1].namesRows() {
			fmt.Fprintf(b, "\t\t%s -> %s [color=gray, arrowhead=none];\n", id("accessor ", a), row)
		}
	}
	for _, n := range []struct {
		node
		label string
	}{{g.plain, "the row alone"}, {g.key, "every entry of the table"}} {
		if n.title != "" {
			box(id("", n.node), n.node, "")
			fmt.Fprintf(b, "\t\t%s -> %s [label=%s, color=gray];\n", id("", n.node), row, quoted(n.label))
		}
	}
	b.WriteString("\t}\n")
}

// namesRows reports whether the accessor's entries hold primary keys, whose rows are entries of their
// own.
func (a Accessor) namesRows() bool { return a.Kind != "count" && a.Kind != "row" && a.Kind != "join" }

// quoted writes a string of DOT. A backslash would begin an escape, some of which stand for names of
// the graph, so that it is doubled.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", "", "\x00", "").Replace(s) + `"`
}
