package explain

import (
	"cmp"
	"slices"
)

// The measures of a drawing, in pixels. Text is set in fixed-width fonts, the widest of which take a
// little less than a cell a letter.
const (
	margin    = 12 // around all
	panelPad  = 16 // inside a panel
	panelGap  = 16
	panelHead = 48 // a panel's name and what it is about
	boxPadX   = 10
	boxPadY   = 7
	boxGap    = 10
	fanGap    = 120 // between columns and accessors, where edges cross
	rowGap    = 56  // between accessors and rows
	laneGap   = 14  // above what stands below the layers
	portGap   = 6   // between lines that end at one box
	nameLine  = 16  // height of a line of a box's title
	noteLine  = 14  // and of what is below it
	nameCell  = 7.5 // width of a cell of a title
	noteCell  = 6.6
	headCell  = 9.4

	columnCells   = 30 // where lines of a column are broken
	accessorCells = 46
	rowCells      = 26
)

// The classes of lines that are no effect of a column's change on an accessor, and what is said above
// those of a lane.
const (
	namesClass = "names" // from an accessor to the rows whose keys it holds
	laneClass  = "lane"

	plainLabel = "the row alone"
	keyLabel   = "every entry of the table"
)

// drawing is where everything stands.
type drawing struct {
	width, height int
	legend        []sample
	headings      []heading
	panels        []panel
}

type point struct{ x, y int }

// heading is a package's name above its panels.
type heading struct {
	at   point
	text string
}

// panel is one model.
type panel struct {
	x, y, w, h int
	name       string
	about      string
	boxes      []box
	lines      []line
}

// box is a box with its lines of text, the first of which are titles.
type box struct {
	x, y, w, h int
	class      string
	titles     []string
	notes      []string
	tip        string
}

// line goes from the right side of one box to the left side of another.
type line struct {
	from, to point
	class    string
	tip      string
	label    string // above a straight line
}

func boxOf(n node, class string, most int) box {
	b := box{class: class, titles: wrap(n.title, most), tip: n.tip}
	for _, l := range n.lines {
		b.notes = append(b.notes, wrap(l, most)...)
	}
	for _, t := range b.titles {
		b.w = max(b.w, pixels(t, nameCell))
	}
	for _, t := range b.notes {
		b.w = max(b.w, pixels(t, noteCell))
	}
	b.w += 2 * boxPadX
	b.h = 2*boxPadY + nameLine*len(b.titles) + noteLine*len(b.notes)
	return b
}

// pixels is how wide text is.
func pixels(text string, cell float64) int { return int(float64(cells(text))*cell + 1) }

// widths are those of the layers, the same for all panels.
type widths struct{ column, accessor, row int }

func (w widths) accessorX() int { return w.column + fanGap }
func (w widths) rowX() int      { return w.accessorX() + w.accessor + rowGap }

// laid is a model's graph in boxes that have no place yet.
type laid struct {
	graph
	columns, accessors, lanes []box
	labels                    []string // of the lanes
	rows                      box
	namesRows                 map[string]bool // by the accessor
}

// draw lays out the report: panels below each other, in each the layers from left to right.
func (r Report) draw() drawing {
	w := widths{column: 120, accessor: 240}
	drawn := map[string]bool{}
	var models []laid
	for _, p := range r.Packages {
		for _, m := range p.Models {
			l := lay(m)
			models = append(models, l)
			w.fit(l)
			for _, e := range l.edges {
				drawn[string(e.effect)] = true
			}
			drawn[namesClass] = drawn[namesClass] || slices.ContainsFunc(m.Accessors, Accessor.namesRows)
		}
	}
	inner := r.innerWidth(w)
	d := drawing{width: inner + 2*panelPad + 2*margin}
	y := d.placeLegend(drawn, margin)
	for _, p := range r.Packages {
		d.headings = append(d.headings, heading{point{margin, y + nameLine - 4}, p.Path})
		y += nameLine + panelGap/2
		for _, m := range p.Models {
			panel := models[0].place(m, w, point{margin, y})
			panel.w = inner + 2*panelPad
			models = models[1:]
			d.panels = append(d.panels, panel)
			y += panel.h + panelGap
		}
	}
	d.height = y - panelGap + margin
	return d
}

// fit widens the layers to a model's boxes.
func (w *widths) fit(l laid) {
	for _, b := range l.columns {
		w.column = max(w.column, b.w)
	}
	for _, b := range l.accessors {
		w.accessor = max(w.accessor, b.w)
	}
	w.row = max(w.row, l.rows.w)
}

// innerWidth is the width within every panel: that of the layers, or of a longer headline.
func (r Report) innerWidth(w widths) int {
	inner := w.rowX() + w.row
	for _, p := range r.Packages {
		inner = max(inner, pixels(p.Path, noteCell)-2*panelPad)
		for _, m := range p.Models {
			inner = max(inner, pixels(m.Name, headCell), pixels(m.aboutLine(), noteCell))
		}
	}
	return inner
}

// lay makes a model's boxes.
func lay(m Model) laid {
	l := laid{graph: m.graph(), namesRows: map[string]bool{}}
	for _, a := range m.Accessors {
		l.namesRows[a.Name] = a.namesRows()
	}
	l.arrange()
	for _, n := range l.graph.columns {
		l.columns = append(l.columns, boxOf(n, "column", columnCells))
	}
	for _, n := range l.graph.accessors {
		l.accessors = append(l.accessors, boxOf(n, "accessor", accessorCells))
	}
	joined := map[*box]int{}
	for _, e := range l.edges {
		for _, b := range []*box{&l.columns[e.from], &l.accessors[e.to]} {
			joined[b]++
			b.h = max(b.h, portGap*(joined[b]+1))
		}
	}
	for _, lane := range []struct {
		node
		label string
	}{{l.plain, plainLabel}, {l.key, keyLabel}} {
		if lane.title != "" {
			l.lanes = append(l.lanes, boxOf(lane.node, "column", accessorCells-4))
			l.labels = append(l.labels, lane.label)
		}
	}
	l.rows = boxOf(l.row, "row", rowCells)
	return l
}

// place gives the boxes of a model their places in a panel whose upper left corner is at.
func (l laid) place(m Model, w widths, at point) panel {
	p := panel{x: at.x, y: at.y, name: m.Name, about: m.aboutLine()}
	x, top := at.x+panelPad, at.y+panelHead
	tallest := max(heightOf(l.columns), heightOf(l.accessors))

	stack(l.accessors, top+(tallest-heightOf(l.accessors))/2)
	for i := range l.accessors {
		l.accessors[i].x, l.accessors[i].w = x+w.accessorX(), w.accessor
	}
	l.alignColumns(top, top+tallest)
	for i := range l.columns {
		l.columns[i].x, l.columns[i].w = x, w.column
	}
	y := top + tallest
	for i := range l.lanes {
		if y > top {
			y += laneGap
		}
		l.lanes[i].x, l.lanes[i].y = x, y
		y += l.lanes[i].h
	}
	l.rows.x, l.rows.y, l.rows.w = x+w.rowX(), top, w.row
	l.rows.h = max(l.rows.h, y-top)
	p.h = panelHead + l.rows.h + panelPad

	p.boxes = slices.Concat(l.columns, l.accessors, l.lanes, []box{l.rows})
	p.lines = l.connect()
	return p
}

// heightOf is the height of a stack of boxes.
func heightOf(boxes []box) int {
	h := -boxGap
	for _, b := range boxes {
		h += b.h + boxGap
	}
	return max(h, 0)
}

// stack puts boxes below each other.
func stack(boxes []box, y int) {
	for i := range boxes {
		boxes[i].y = y
		y += boxes[i].h + boxGap
	}
}

// alignColumns puts each column as near as may be to the middle of its accessors, in order and
// between top and bottom.
func (l laid) alignColumns(top, bottom int) {
	wish, of := make([]int, len(l.columns)), make([]int, len(l.columns))
	for _, e := range l.edges {
		wish[e.from] += l.accessors[e.to].y + l.accessors[e.to].h/2
		of[e.from]++
	}
	y := top
	for i := range l.columns {
		b := &l.columns[i]
		b.y = max(y, wish[i]/max(of[i], 1)-b.h/2)
		y = b.y + b.h + boxGap
	}
	y = bottom
	for i := len(l.columns) - 1; i >= 0; i-- {
		b := &l.columns[i]
		b.y = min(b.y, y-b.h)
		y = b.y - boxGap
	}
}

// connect makes the lines. Those of one side of a box are spread over it, in the order of their other
// ends, so that they do not cross on the way.
func (l laid) connect() []line {
	var out []line
	from, to := make([][]int, len(l.columns)), make([][]int, len(l.accessors))
	for i, e := range l.edges {
		out = append(out, line{class: string(e.effect), tip: e.tip})
		from[e.from], to[e.to] = append(from[e.from], i), append(to[e.to], i)
	}
	for c, edges := range from {
		slices.SortStableFunc(edges, func(a, b int) int { return cmp.Compare(l.edges[a].to, l.edges[b].to) })
		for k, i := range edges {
			out[i].from = l.columns[c].port(k, len(edges), true)
		}
	}
	for a, edges := range to {
		slices.SortStableFunc(edges, func(a, b int) int { return cmp.Compare(l.edges[a].from, l.edges[b].from) })
		for k, i := range edges {
			out[i].to = l.accessors[a].port(k, len(edges), false)
		}
	}
	for i, b := range l.accessors {
		if l.namesRows[l.graph.accessors[i].name] {
			p := b.port(0, 1, true)
			out = append(out, line{from: p, to: point{l.rows.x, p.y}, class: namesClass, tip: l.graph.accessors[i].name + " holds primary keys"})
		}
	}
	for i, b := range l.lanes {
		p := b.port(0, 1, true)
		out = append(out, line{from: p, to: point{l.rows.x, p.y}, class: laneClass, tip: b.tip, label: l.labels[i]})
	}
	return out
}

// port is the kth of n places for lines on one side of a box.
func (b box) port(k, n int, right bool) point {
	p := point{b.x, b.y + b.h*(k+1)/(n+1)}
	if right {
		p.x += b.w
	}
	return p
}
