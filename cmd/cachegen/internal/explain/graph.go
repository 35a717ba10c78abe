package explain

import (
	"slices"
	"strings"
)

// graph is a model as it is drawn, in layers: the columns that a list hangs on, the accessors with
// their lists, and the rows. What has no list of its own stands apart, below the layers.
type graph struct {
	columns   []node
	accessors []node
	row       node
	plain     node // the columns whose change flushes the row alone; no title: there are none
	key       node // those whose change flushes every entry of the table
	edges     []edge
}

// node is a box.
type node struct {
	name  string // unique within its layer
	title string
	lines []string // below the title
	tip   string
}

// edge goes from a column to an accessor, both by their place in their layer.
type edge struct {
	from, to int
	effect   Effect
	tip      string
}

// The names of the boxes of which a model has one.
const (
	rowNode   = "row"
	plainNode = "plain"
	keyNode   = "key"
)

func (m Model) graph() graph {
	g := graph{row: node{
		name: rowNode, title: m.Name, lines: []string{m.Accessors[0].List, "any write of the row"},
		tip: m.Accessors[0].List + " falls with any write of the row. The rows of lists are entries of their own, too.",
	}}
	at := map[string]int{}
	for _, a := range m.Accessors[1:] {
		at[a.Name] = len(g.accessors)
		n := node{name: a.Name, title: a.Name + "(" + strings.Join(a.By, ", ") + ")", tip: a.List + " falls with a change of " + a.fallsOn()}
		if a.Where != "" {
			n.lines = append(n.lines, "where "+a.Where)
		}
		if a.Order != "" {
			n.lines = append(n.lines, "order "+a.Order)
		}
		a.Where, a.Order = "", ""
		if s := a.settings(m.TTL); s != "" {
			n.lines = append(n.lines, s)
		}
		g.accessors = append(g.accessors, n)
	}
	var plain []string
	for _, c := range m.Columns {
		own := c.beside()
		switch {
		case slices.Contains(m.Key, c.Name):
		case len(own) == 0:
			plain = append(plain, c.Name)
		default:
			for _, f := range own {
				g.edges = append(g.edges, edge{len(g.columns), at[f.Accessor], f.Effect, c.Name + ": flushes " + f.Accessor + " " + says[f.Effect]})
			}
			g.columns = append(g.columns, node{name: c.Name, title: c.Name, lines: []string{shortType(c.Type)}, tip: m.Table + "." + c.Column})
		}
	}
	g.plain = node{name: plainNode, title: strings.Join(plain, ", "), tip: "A change of these flushes the row and nothing else."}
	g.key = node{name: keyNode, title: strings.Join(m.Key, ", "), tip: "A changed primary key flushes " + m.All + ", every entry of the table."}
	return g
}
