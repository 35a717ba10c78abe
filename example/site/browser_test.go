package site

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/example/shop"
)

// What a visitor sees: a page that misses and then hits, a button that changes a croupon, what that
// flushed, and which reads miss for it. CROUPON_SCREENSHOTS names a folder that keeps the screenshots.
func TestBrowser(t *testing.T) {
	w := newWorld(t)
	b := openBrowser(t)
	c := w.top(t, "Portland")

	b.open(w.url + "/")
	if got := b.text("h1"); got != "Croupons, city by city" {
		t.Errorf("the front page is headed %q", got)
	}
	b.follow(`#cities a[href="/city/Portland"]`)
	if got := b.at(); got != w.url+"/city/Portland" {
		t.Fatalf("the click led to %s", got)
	}
	rows := b.texts("#croupons tbody tr")
	if len(rows) != pageSize || !strings.HasPrefix(rows[0], "1 "+c.Title+" Merchant ") {
		t.Errorf("%d rows: %q", len(rows), rows)
	}
	// The city's own row was read by the front page; the newest croupon's is among the popular ones'.
	if got, want := tiers(b), "first 2, second 0, database 8"; got != want {
		t.Errorf("the first visit: %s, want %s", got, want)
	}
	if got := total(b, "Statements"); got == "0" {
		t.Error("the first visit took no SQL")
	}
	b.reload()
	if got, want := tiers(b), "first 10, second 0, database 0"; got != want {
		t.Errorf("the reload: %s, want %s", got, want)
	}
	if got := total(b, "Statements"); got != "0" {
		t.Errorf("the reload took %s SQL statements", got)
	}
	if got := b.texts("#croupons tbody tr"); !slices.Equal(got, rows) {
		t.Errorf("the reload shows %q", got)
	}
	shots(t, b, "city")

	b.follow("#croupons tbody tr:first-child a")
	if got := b.text("#popularity"); got != number(c.Popularity) {
		t.Errorf("popularity %s, want %s", got, number(c.Popularity))
	}
	b.follow("#raise")
	if got := b.text("#popularity"); got != number(c.Popularity+1000) {
		t.Errorf("after the write popularity %s, want %s", got, number(c.Popularity+1000))
	}
	row := fmt.Sprintf("croupons:%d", c.ID)
	if got := b.texts("#write .flushed li"); !slices.Equal(got, []string{"croupons.ListPopularInCity(portland)", row}) {
		t.Errorf("the write flushed %q", got)
	}
	missed := fmt.Sprintf("Croupon.Get %d database list flushed 1 ", c.ID)
	if got := b.texts("#reads tbody tr.database"); len(got) != 1 || !strings.HasPrefix(flat(got[0]), missed) {
		t.Errorf("the page after the write missed %q, want %q", got, missed)
	}
	shots(t, b, "croupon")

	// Keys and statements are there for who opens them.
	b.click("#reads tbody tr.database summary")
	if got := b.texts("#reads tbody tr.database .key"); len(got) != 1 || !strings.HasSuffix(got[0], fmt.Sprintf(":Get:u%d", c.ID)) {
		t.Errorf("its key is %q", got)
	}

	b.write("#new-title", "Two <b>for</b> one & a half")
	b.follow("#rename")
	if got := b.text("#title"); got != "Two <b>for</b> one & a half" {
		t.Errorf("renamed to %q", got)
	}
	if got := b.texts("#write .flushed li"); !slices.Equal(got, []string{row}) {
		t.Errorf("the second write flushed %q", got)
	}
	var now shop.Croupon
	if err := w.db.First(&now, c.ID).Error; err != nil || now.Title != "Two <b>for</b> one & a half" || now.Popularity != c.Popularity+1000 {
		t.Errorf("the database has %+v, %v", now, err)
	}

	b.open(w.url + "/")
	shots(t, b, "front")
	if got := b.console(); len(got) > 0 {
		t.Errorf("the browser complains of %q", got)
	}
	b.open(w.url + "/nowhere")
	if got := b.text("#problem"); got != "There is no such page here." {
		t.Errorf("a page that is not there says %q", got)
	}
}

// tiers counts the foot's lines by tier.
func tiers(b *browser) string {
	var counts []string
	for _, tier := range []string{"first", "second", "database"} {
		counts = append(counts, fmt.Sprintf("%s %d", tier, len(b.find("#reads tbody tr."+tier))))
	}
	return strings.Join(counts, ", ")
}

// total is one of the foot's totals.
func total(b *browser, name string) string {
	for _, text := range b.texts("#totals div") {
		if rest, ok := strings.CutPrefix(flat(text), name+" "); ok {
			return rest
		}
	}
	return "none"
}

// flat is a text with single blanks.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// shots takes screenshots of the page, wide and on a phone, by day and by night, and sees that
// nothing sticks out of it.
func shots(t *testing.T, b *browser, name string) {
	t.Helper()
	dir := os.Getenv("CROUPON_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, shape := range []struct {
		name  string
		width int
		dark  bool
	}{{"wide", 1200, false}, {"wide-dark", 1200, true}, {"phone", 390, false}, {"phone-dark", 390, true}} {
		b.shape(shape.width, 844, shape.width < 500, shape.dark)
		var widths []int
		b.eval("return [document.documentElement.clientWidth, document.documentElement.scrollWidth]", &widths)
		if len(widths) != 2 || widths[1] > widths[0] {
			t.Errorf("%s, %s: the window and the page are %d wide", name, shape.name, widths)
		}
		shot := b.screenshot()
		if image, err := png.DecodeConfig(bytes.NewReader(shot)); err != nil || image.Width < shape.width-20 || image.Height < 300 {
			t.Errorf("%s, %s: a screenshot of %d × %d, %v", name, shape.name, image.Width, image.Height, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+"-"+shape.name+".png"), shot, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b.shape(1200, 900, false, false)
}
