package explain

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/load"
	"github.com/cachegen/cachegen/templates"
)

// loaded reads them once, since they are read and not changed.
var loaded = sync.OnceValues(func() ([]load.Package, error) {
	pkgs, problems, err := load.Packages("../cli/testdata/ok", "./...")
	if len(problems) > 0 {
		err = fmt.Errorf("%v", problems)
	}
	return pkgs, err
})

// golden reads the packages that the generator's own tests generate from.
func golden(t testing.TB) []templates.Package {
	t.Helper()
	pkgs, err := loaded()
	if err != nil || len(pkgs) < 5 {
		t.Fatalf("%d packages, %v", len(pkgs), err)
	}
	var out []templates.Package
	for _, p := range pkgs {
		out = append(out, p.Describe)
	}
	return out
}

// words are names and literals, some of which a careless writer would trip over.
var words = []string{
	"ID", "City", "Popularity", "Where.Address.Zip", "AVeryLongNameThatNobodyWouldWriteAndSomebodyDoesAllTheSame", "Größe", "都市名称",
	`it's "quoted" \N \l`, "a < b && c > d", "]]>", "\x00\x1b", "🍕", strings.Repeat("x,", 80),
}

// randomPackage has models of any size, with any text where text may be.
func randomPackage(random *rand.Rand, models int) templates.Package {
	pick := func() string { return words[random.IntN(len(words))] }
	p := templates.Package{Name: "p", Path: "example.com/" + pick()}
	for i := range models {
		m := templates.Model{Name: fmt.Sprintf("M%d%s", i, pick()), Table: pick(), Source: pick(), TTL: -1}
		for j := range 1 + random.IntN(40) {
			m.Columns = append(m.Columns, templates.Column{
				Path: fmt.Sprint(pick(), j), Select: fmt.Sprint(pick(), j), DBName: pick(), PrimaryKey: j == 0 || random.IntN(20) == 0,
				Type: templates.Type{Kind: templates.Kind(random.IntN(7)), Shown: pick()},
			})
		}
		column := func() templates.Column { return m.Columns[random.IntN(len(m.Columns))] }
		for j := range random.IntN(15) {
			a := templates.Accessor{Kind: templates.AccessorKind(random.IntN(4)), Name: fmt.Sprint(pick(), j), Limit: random.IntN(2) * 50}
			for range random.IntN(5) {
				a.By = append(a.By, column())
			}
			for range random.IntN(3) {
				a.Where, a.WhereText = append(a.Where, templates.Term{Column: column(), Op: "="}), a.WhereText+pick()
			}
			for range random.IntN(3) {
				a.Order, a.OrderText = append(a.Order, templates.Order{Column: column()}), a.OrderText+pick()
			}
			m.Accessors = append(m.Accessors, a)
		}
		p.Models = append(p.Models, m)
	}
	return p
}

// eachDrawing runs a test on drawings of real and of made-up packages.
func eachDrawing(t *testing.T, test func(t *testing.T, r Report)) {
	real := golden(t)
	t.Run("golden", func(t *testing.T) { test(t, Of(real)) })
	t.Run("none", func(t *testing.T) { test(t, Of(nil)) })
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		t.Run(fmt.Sprint("random", seed), func(t *testing.T) {
			test(t, Of([]templates.Package{randomPackage(random, 1+random.IntN(5)), randomPackage(random, 1)}))
		})
	}
}

// shapes are what an SVG shows, as its reader finds it.
type shapes struct {
	width, height int
	boxes         []rect   // of columns, accessors and rows
	panels        []rect   // of models
	paths         [][4]int // of edges: from x, y, to x, y
	texts         []written
	titles        int
}

type rect struct{ x, y, w, h int }

func (a rect) within(b rect) bool {
	return a.x >= b.x && a.y >= b.y && a.x+a.w <= b.x+b.w && a.y+a.h <= b.y+b.h
}

func (a rect) meets(b rect) bool {
	return a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h
}

// inside is what is left of a rect without its rim.
func (a rect) inside(rim int) rect { return rect{a.x + rim, a.y + rim, a.w - 2*rim, a.h - 2*rim} }

// written is the room that a line of text takes.
type written struct {
	rect
	text string
}

// read parses an SVG strictly, as XML.
func read(t *testing.T, svg []byte) (s shapes) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	number := func(e xml.StartElement, name string) int {
		i := slices.IndexFunc(e.Attr, func(a xml.Attr) bool { return a.Name.Local == name })
		if i < 0 {
			return 0
		}
		n, err := strconv.Atoi(e.Attr[i].Value)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	attr := func(e xml.StartElement, name string) string {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
	defs := false
	var open *written
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch e := token.(type) {
		case xml.CharData:
			if open != nil {
				open.text += string(e)
			}
		case xml.EndElement:
			defs = defs && e.Name.Local != "defs"
			if e.Name.Local == "text" {
				cell := map[string]float64{"head": headCell, "title": nameCell, "note": noteCell}[open.text[:strings.IndexByte(open.text, '\n')]]
				_, open.text, _ = strings.Cut(open.text, "\n")
				open.w = pixels(open.text, cell)
				s.texts = append(s.texts, *open)
				open = nil
			}
		case xml.StartElement:
			r := rect{number(e, "x"), number(e, "y"), number(e, "width"), number(e, "height")}
			switch e.Name.Local {
			case "svg":
				s.width, s.height = r.w, r.h
			case "defs":
				defs = true
			case "title":
				s.titles++
			case "rect":
				switch attr(e, "class") {
				case "panel":
					s.panels = append(s.panels, r)
				case "":
					s.boxes = append(s.boxes, r)
				}
			case "text":
				open = &written{rect: rect{r.x, r.y - 10, 0, 12}, text: attr(e, "class") + "\n"}
			case "path":
				if !defs {
					s.paths = append(s.paths, ends(t, attr(e, "d")))
				}
			}
		}
	}
}

// ends are the first and the last point of a path.
func ends(t *testing.T, d string) (p [4]int) {
	t.Helper()
	if _, err := fmt.Sscanf(d, "M%d %dH%d", &p[0], &p[1], &p[2]); err == nil {
		p[3] = p[1]
		return p
	}
	var skip int
	if _, err := fmt.Sscanf(d, "M%d %dC%d %d %d %d %d %d", &p[0], &p[1], &skip, &skip, &skip, &skip, &p[2], &p[3]); err != nil {
		t.Fatalf("path %q: %v", d, err)
	}
	return p
}

// A drawing is well-formed; its boxes lie apart, each within a panel; every edge leaves the right side
// of a box and ends at the left side of another; and text stays within its box.
func TestSVG(t *testing.T) {
	eachDrawing(t, func(t *testing.T, r Report) {
		var b bytes.Buffer
		if err := r.SVG(&b); err != nil {
			t.Fatal(err)
		}
		s := read(t, b.Bytes())
		whole := rect{0, 0, s.width, s.height}
		models := 0
		for _, p := range r.Packages {
			models += len(p.Models)
		}
		if len(s.panels) != models {
			t.Errorf("%d panels for %d models", len(s.panels), models)
		}
		for i, p := range s.panels {
			if !p.within(whole) {
				t.Errorf("panel %v sticks out of %v", p, whole)
			}
			if j := slices.IndexFunc(s.panels[:i], p.meets); j >= 0 {
				t.Errorf("panels %v and %v overlap", p, s.panels[j])
			}
		}
		for i, x := range s.boxes {
			if !slices.ContainsFunc(s.panels, x.within) {
				t.Errorf("box %v is in no panel", x)
			}
			if j := slices.IndexFunc(s.boxes[:i], x.meets); j >= 0 {
				t.Errorf("boxes %v and %v overlap", x, s.boxes[j])
			}
		}
		for _, w := range s.texts {
			in := slices.IndexFunc(s.boxes, w.meets)
			switch {
			case in >= 0 && !w.within(s.boxes[in].inside(4)):
				t.Errorf("%q at %v does not fit its box %v", w.text, w.rect, s.boxes[in])
			case !w.within(whole):
				t.Errorf("%q at %v does not fit the drawing %v", w.text, w.rect, whole)
			}
		}
		edges := 0
		for _, p := range s.paths {
			if p[1] < s.panels[0].y {
				continue // of the legend
			}
			edges++
			from := slices.ContainsFunc(s.boxes, func(x rect) bool { return p[0] == x.x+x.w && x.y < p[1] && p[1] < x.y+x.h })
			to := slices.ContainsFunc(s.boxes, func(x rect) bool { return p[2] == x.x && x.y < p[3] && p[3] < x.y+x.h })
			if !from || !to {
				t.Errorf("the edge %v does not go from box to box", p)
			}
		}
		if want := edgesOf(r); edges != want {
			t.Errorf("%d edges, want %d", edges, want)
		}
		if s.titles < 1+len(s.boxes)+edges {
			t.Errorf("%d titles for %d boxes and %d edges", s.titles, len(s.boxes), edges)
		}
	})
}

// edgesOf counts what a drawing must show: each flush of an accessor's list by a column, the accessors
// that hold keys, and the two lanes.
func edgesOf(r Report) (n int) {
	for _, p := range r.Packages {
		for _, m := range p.Models {
			lanes := map[bool]int{}
			for _, c := range m.Columns {
				key := slices.Contains(m.Key, c.Name)
				switch {
				case key:
					lanes[true] = 1
				case len(c.beside()) == 0:
					lanes[false] = 1
				default:
					n += len(c.beside())
				}
			}
			n += lanes[true] + lanes[false]
			for _, a := range m.Accessors {
				if a.namesRows() {
					n++
				}
			}
		}
	}
	return n
}

// Arranging never makes more crossings than the order of the source has, and loses nothing.
func TestArrange(t *testing.T) {
	eachDrawing(t, func(t *testing.T, r Report) {
		for _, p := range r.Packages {
			for _, m := range p.Models {
				g := m.graph()
				joins := func() (out []string) {
					for _, e := range g.edges {
						out = append(out, g.columns[e.from].name+" "+g.accessors[e.to].name)
					}
					slices.Sort(out)
					return out
				}
				before, was := crossings(g.edges, count(len(g.columns)), count(len(g.accessors))), joins()
				g.arrange()
				if after := crossings(g.edges, count(len(g.columns)), count(len(g.accessors))); after > before {
					t.Errorf("%s: %d crossings became %d", m.Name, before, after)
				}
				if is := joins(); !slices.Equal(was, is) {
					t.Errorf("%s: %v became %v", m.Name, was, is)
				}
			}
		}
	})
}

// Edges that need not cross do not.
func TestArrangeUntangles(t *testing.T) {
	g := graph{columns: make([]node, 4), accessors: make([]node, 4)}
	for i := range 4 {
		g.edges = append(g.edges, edge{from: i, to: 3 - i}, edge{from: i, to: max(0, 2-i)})
	}
	g.arrange()
	if n := crossings(g.edges, count(4), count(4)); n != 0 {
		t.Errorf("%d crossings: %v", n, g.edges)
	}
}

// BenchmarkSVG draws 200 models.
func BenchmarkSVG(b *testing.B) {
	p := randomPackage(rand.New(rand.NewPCG(1, 1)), 200)
	for b.Loop() {
		if err := Of([]templates.Package{p}).SVG(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
