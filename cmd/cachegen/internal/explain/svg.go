package explain

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// style draws on panels of its own, so that it is read on any background, and follows the reader's
// choice of light or dark. Effects differ in their dashes, not in colour alone.
const style = `
text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; font-size: 12px; fill: #1f2328; }
.ground { fill: #f6f8fa; }
.panel { fill: #ffffff; stroke: #d1d9e0; }
.head { font-size: 15px; font-weight: bold; }
.title { font-weight: bold; }
.note { font-size: 10.5px; fill: #59636e; }
.column rect { fill: #f6f8fa; stroke: #818b98; }
.accessor rect { fill: #ddf4ff; stroke: #54aeff; }
.row rect { fill: #fff8c5; stroke: #d4a72c; }
.edge { fill: none; stroke-width: 1.4; }
.moves { stroke: #0969da; }
.matches, .may, .any { stroke: #9a6700; stroke-dasharray: 6 3; }
.may { stroke-dasharray: 6 3 2 3; }
.any { stroke-dasharray: 12 3; }
.order { stroke: #1a7f37; stroke-dasharray: 2 3; }
.names { stroke: #818b98; stroke-width: 1; }
.lane { stroke: #59636e; }
marker .moves { fill: #0969da; stroke: none; }
marker .matches { fill: #9a6700; stroke: none; }
marker .order { fill: #1a7f37; stroke: none; }
marker .lane { fill: #59636e; stroke: none; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.ground { fill: #010409; }
.panel { fill: #0d1117; stroke: #3d444d; }
.note { fill: #9198a1; }
.column rect { fill: #151b23; stroke: #656c76; }
.accessor rect { fill: #0c2d6b; stroke: #388bfd; }
.row rect { fill: #341a00; stroke: #bb8009; }
.moves { stroke: #58a6ff; }
.matches, .may, .any { stroke: #d29922; }
.order { stroke: #3fb950; }
.names { stroke: #656c76; }
.lane { stroke: #9198a1; }
marker .moves { fill: #58a6ff; }
marker .matches { fill: #d29922; }
marker .order { fill: #3fb950; }
marker .lane { fill: #9198a1; }
}
`

// arrows are the ends of lines, by class; what has none is no flush.
var arrows = map[string]string{
	string(RowMoves): "moves", string(RowMatches): "matches", string(MayMatch): "matches", string(AnyChange): "matches",
	string(RowOrdered): "order", string(RowLeads): "order", laneClass: "lane",
}

// SVG writes the report as a drawing: a panel a model, in it the columns, the accessors whose lists
// their change flushes, and the rows.
func (r Report) SVG(w io.Writer) error {
	d := r.draw()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="cachegen-title cachegen-desc">`+"\n",
		d.width, d.height, d.width, d.height)
	fmt.Fprintf(&b, "<title id=\"cachegen-title\">What a change of each column flushes</title>\n<desc id=\"cachegen-desc\">%s</desc>\n<style>%s</style>\n<defs>\n", escaped(r.inWords()), style)
	for _, class := range []string{"moves", "matches", "order", "lane"} {
		fmt.Fprintf(&b, `<marker id="cachegen-%s" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="%s" d="M0 0.5L8 4L0 7.5z"/></marker>`+"\n", class, class)
	}
	b.WriteString("</defs>\n")
	fmt.Fprintf(&b, `<rect class="ground" width="%d" height="%d" rx="8"/>`+"\n", d.width, d.height)
	for _, s := range d.legend {
		s.line.svg(&b)
		text(&b, s.at, "note", s.text)
	}
	for _, h := range d.headings {
		text(&b, h.at, "note", h.text)
	}
	for _, p := range d.panels {
		p.svg(&b)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (p panel) svg(b *strings.Builder) {
	b.WriteString("<g>\n")
	fmt.Fprintf(b, `<rect class="panel" x="%d" y="%d" width="%d" height="%d" rx="8"/>`+"\n", p.x, p.y, p.w, p.h)
	text(b, point{p.x + panelPad, p.y + 22}, "head", p.name)
	text(b, point{p.x + panelPad, p.y + 37}, "note", p.about)
	for _, l := range p.lines {
		l.svg(b)
	}
	for _, x := range p.boxes {
		x.svg(b)
	}
	b.WriteString("</g>\n")
}

func (l line) svg(b *strings.Builder) {
	end := ""
	if arrow := arrows[l.class]; arrow != "" {
		end = ` marker-end="url(#cachegen-` + arrow + `)"`
	}
	way := fmt.Sprintf("M%d %dH%d", l.from.x, l.from.y, l.to.x)
	if l.from.y != l.to.y {
		bend := (l.to.x - l.from.x) / 2
		way = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", l.from.x, l.from.y, l.from.x+bend, l.from.y, l.to.x-bend, l.to.y, l.to.x, l.to.y)
	}
	fmt.Fprintf(b, `<path class="edge %s" d="%s"%s>`, l.class, way, end)
	if l.tip != "" {
		fmt.Fprintf(b, "<title>%s</title>", escaped(l.tip))
	}
	b.WriteString("</path>\n")
	if l.label != "" {
		text(b, point{l.to.x - rowGap/2 - pixels(l.label, noteCell), l.to.y - 5}, "note", l.label)
	}
}

func (x box) svg(b *strings.Builder) {
	fmt.Fprintf(b, `<g class="%s"><title>%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="5"/>`+"\n", x.class, escaped(x.tip), x.x, x.y, x.w, x.h)
	// Boxes may be taller than their text, which then stands in the middle.
	at := point{x.x + boxPadX, x.y + (x.h-nameLine*len(x.titles)-noteLine*len(x.notes))/2}
	for _, t := range x.titles {
		text(b, point{at.x, at.y + 12}, "title", t)
		at.y += nameLine
	}
	for _, t := range x.notes {
		text(b, point{at.x, at.y + 11}, "note", t)
		at.y += noteLine
	}
	b.WriteString("</g>\n")
}

func text(b *strings.Builder, at point, class, s string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, at.x, at.y, escaped(s))
}

// escaped writes text as XML has it. What no XML may hold becomes U+FFFD.
func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// inWords is the drawing for those who do not see it.
func (r Report) inWords() string {
	var b strings.Builder
	for _, p := range r.Packages {
		for _, m := range p.Models {
			fmt.Fprintf(&b, "%s: any write of a row flushes %s. ", m.Name, m.Accessors[0].List)
			for _, c := range m.Columns {
				var names []string
				for _, f := range c.beside() {
					if f.Effect != KeyChanged {
						names = append(names, f.Accessor)
					}
				}
				if len(names) > 0 {
					fmt.Fprintf(&b, "%s flushes %s. ", c.Name, strings.Join(names, ", "))
				}
			}
		}
	}
	return strings.TrimSpace(b.String())
}
