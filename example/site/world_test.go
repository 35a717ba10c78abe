package site

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/example/seed"
	"github.com/cachegen/cachegen/example/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// world is a site with a database, a store and a server of its own.
type world struct {
	db  *gorm.DB
	rt  *cacheruntime.Runtime
	m   *shop.Models
	url string // without a slash at the end
}

// newWorld starts a site with 400 croupons.
func newWorld(t *testing.T, servers ...string) *world {
	t.Helper()
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "shop.db")+"?_pragma=busy_timeout(5000)"),
		&gorm.Config{Logger: LogSQL(logger.Discard)})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	if err := seed.Fill(db, 400); err != nil {
		t.Fatal(err)
	}
	store, err := tiered.Open(tiered.Options{Servers: servers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &world{db: db}
	if w.rt, err = cacheruntime.New(db, store, cacheruntime.Options{Namespace: "shop"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.rt.Close() })
	if w.m, err = shop.NewModels(w.rt); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(New(db, w.rt, w.m, seed.Categories))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// top is the most popular croupon of a city, as the database has it.
func (w *world) top(t *testing.T, city string) *shop.Croupon {
	t.Helper()
	cs, err := w.m.Croupon.Objects.ListPopularInCityPage(t.Context(), city, 0, 1)
	if err != nil || len(cs) == 0 {
		t.Fatalf("the top of %s: %v, %v", city, cs, err)
	}
	return cs[0]
}

// get reads a page, which is to have this status.
func (w *world) get(t *testing.T, path string, status int) *document {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.do(t, r, status)
}

// post sends a form as the page itself would, and follows to where it leads.
func (w *world) post(t *testing.T, path string, form url.Values, status int) *document {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", w.url)
	return w.do(t, r, status)
}

func (w *world) do(t *testing.T, r *http.Request, status int) *document {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("%s %s: %s, want %d\n%s", r.Method, r.URL, resp.Status, status, body)
	}
	d := parse(t, string(body))
	d.header, d.at = resp.Header, resp.Request.URL.RequestURI()
	return d
}

// document is a page as it came.
type document struct {
	header http.Header
	at     string // its path and query
	top    *element
}

// element is an element of a page; a text has no name.
type element struct {
	name, text string
	attr       map[string]string
	children   []*element
}

// parse reads a page, whose elements must all be closed.
func parse(t *testing.T, page string) *document {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	top := &element{}
	open := []*element{top}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return &document{top: top}
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v\n%s", err, page)
		}
		in := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			in.children = append(in.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			in.children = append(in.children, &element{text: string(token)})
		}
	}
}

// all returns the elements of this name below e, in their order.
func (e *element) all(name string) (found []*element) {
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		}
		found = append(found, c.all(name)...)
	}
	return found
}

// id returns the element with this id, or an empty one.
func (d *document) id(id string) *element {
	var find func(*element) *element
	find = func(e *element) *element {
		if e.attr["id"] == id {
			return e
		}
		for _, c := range e.children {
			if found := find(c); found != nil {
				return found
			}
		}
		return nil
	}
	if e := find(d.top); e != nil {
		return e
	}
	return &element{}
}

// words is the text in e, with single blanks.
func (e *element) words() string {
	var b strings.Builder
	var add func(*element)
	add = func(e *element) {
		b.WriteString(e.text)
		for _, c := range e.children {
			add(c)
			b.WriteByte(' ')
		}
	}
	add(e)
	return strings.Join(strings.Fields(b.String()), " ")
}

// reads is the table of reads, a line each, without keys and times: accessor and arguments, tier,
// outcome, entries.
func (d *document) reads() []string {
	var lines []string
	for _, tr := range d.id("reads").all("tr")[1:] {
		read := tr.all("th")[0]
		if summary := read.all("summary"); len(summary) == 1 {
			read = summary[0]
		}
		cells := []string{read.words()}
		for _, td := range tr.all("td")[:3] {
			cells = append(cells, td.words())
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return lines
}

// total is one of the page's totals.
func (d *document) total(name string) string {
	for _, div := range d.id("totals").all("div") {
		if div.all("dt")[0].words() == name {
			return div.all("dd")[0].words()
		}
	}
	return "none"
}

// flushed is the lists that the write before the page flushed.
func (d *document) flushed() (lists []string) {
	for _, ul := range d.id("write").all("ul") {
		for _, li := range ul.all("li") {
			lists = append(lists, li.words())
		}
	}
	return lists
}
