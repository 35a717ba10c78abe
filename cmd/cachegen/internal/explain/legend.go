package explain

import "strings"

// sample is one line of the legend with what it means.
type sample struct {
	line line
	at   point
	text string
}

// sampleLength is how long the lines of the legend are.
const sampleLength = 34

// placeLegend says from y down what the classes of lines that are drawn mean, and returns where it ends.
func (d *drawing) placeLegend(drawn map[string]bool, y int) int {
	x := margin
	for _, s := range []struct{ class, text string }{
		{string(RowMoves), "by: " + says[RowMoves]},
		{string(RowMatches), "where: " + says[RowMatches]},
		{string(MayMatch), "where: " + says[MayMatch]},
		{string(AnyChange), "where: " + says[AnyChange]},
		{string(RowOrdered), "order: the row may move"},
		{string(RowLeads), "join table: " + says[RowLeads]},
		{namesClass, "holds keys of rows"},
	} {
		if !drawn[s.class] {
			continue
		}
		w := sampleLength + 8 + pixels(s.text, noteCell)
		if x > margin && x+w > d.width-margin {
			x, y = margin, y+noteLine+4
		}
		middle := y + noteLine/2
		d.legend = append(d.legend, sample{
			line{from: point{x, middle}, to: point{x + sampleLength, middle}, class: s.class},
			point{x + sampleLength + 8, middle + 4}, s.text,
		})
		x += w + 22
	}
	return y + noteLine + 6
}

// aboutLine is what a panel says below its model's name.
func (m Model) aboutLine() string { return strings.Join(m.about(), " · ") }
