package site

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/example/shop"
)

// What cannot be answered has a page that says why, and changes nothing.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	c := w.top(t, "Portland")
	page := crouponURL(c.Slug)
	long := strings.Repeat("x", maxTitle+1)
	for _, test := range []struct {
		method, path, body string
		header             [2]string
		status             int
		says               string
	}{
		{"GET", "/nowhere", "", [2]string{}, 404, "There is no such page here."},
		{"GET", "//evil.example/", "", [2]string{}, 404, "There is no such page here."},
		{"GET", "/city/", "", [2]string{}, 404, "There is no such page here."},
		{"POST", "/", "", [2]string{}, 405, `This page does not take "POST"; it takes GET, HEAD.`},
		{"DELETE", page, "", [2]string{}, 405, `This page does not take "DELETE"; it takes GET, HEAD, POST.`},
		{"GET", page + "?read=%22%3E%3Cscript%3E", "", [2]string{}, 400, `A page cannot be read as "\"><script>": it is read=fresh, read=bypass or read=refresh.`},
		{"POST", page, "do=raise", [2]string{"Sec-Fetch-Site", "cross-site"}, 403, "This form was sent from another site. Send it from the croupon's own page."},
		{"POST", page, "do=raise", [2]string{"Origin", "http://evil.example"}, 403, "This form was sent from another site. Send it from the croupon's own page."},
		{"POST", page, "do=eat", [2]string{}, 400, `A croupon can be changed by do=raise, rename, withdraw or offer, and not by "eat".`},
		{"POST", page, "", [2]string{}, 400, `A croupon can be changed by do=raise, rename, withdraw or offer, and not by "".`},
		{"POST", page, "do=%zz", [2]string{}, 400, "The form cannot be read."},
		{"POST", page, "do=rename&title=" + strings.Repeat("x", maxForm), [2]string{}, 400, "The form cannot be read."},
		{"POST", page, "do=rename&title=++", [2]string{}, 400, "A title has 1 to 120 characters, on one line."},
		{"POST", page, "do=rename&title=" + long, [2]string{}, 400, "A title has 1 to 120 characters, on one line."},
		{"POST", page, "do=rename&title=a%0Ab", [2]string{}, 400, "A title has 1 to 120 characters, on one line."},
		{"POST", page, "do=rename&title=a%FFb", [2]string{}, 400, "A title has 1 to 120 characters, on one line."},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, w.url+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if test.header[0] != "" {
			r.Header.Set(test.header[0], test.header[1])
		}
		d := w.do(t, r, test.status)
		if got := d.id("problem").words(); got != test.says {
			t.Errorf("%s %s: the page says\n%s, want\n%s", test.method, test.path, got, test.says)
		}
		if allow := d.header.Get("Allow"); (test.status == http.StatusMethodNotAllowed) != (allow != "") {
			t.Errorf("%s %s: Allow: %s", test.method, test.path, allow)
		}
		if !strings.Contains(d.header.Get("Content-Security-Policy"), "default-src 'none'") || d.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %v", test.method, test.path, d.header)
		}
	}
	if n := w.rt.Stats().Flushes; n != 0 {
		t.Errorf("%d flushes", n)
	}
	if now := w.top(t, "Portland"); *now != *c {
		t.Errorf("%+v has become %+v", c, now)
	}
}

// A database that fails is a page that says nothing of it, and a closed runtime one that says so.
func TestFailures(t *testing.T) {
	w := newWorld(t)
	if err := w.db.Migrator().DropTable(&shop.City{}); err != nil {
		t.Fatal(err)
	}
	if d := w.get(t, "/", http.StatusInternalServerError); strings.Contains(d.id("problem").words(), "table") {
		t.Errorf("the page says %q", d.id("problem").words())
	}
	if err := w.rt.Close(); err != nil {
		t.Fatal(err)
	}
	w.get(t, "/", http.StatusServiceUnavailable)
}

// The write that a page shows is one of its own croupon's, and not too long ago.
func TestWrites(t *testing.T) {
	var w writes
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			w.of("a", fmt.Sprint(w.add(write{slug: "a", Took: time.Duration(i)})))
		})
	}
	all.Wait()
	for number, want := range map[string]bool{"100": true, "37": true, "36": false, "0": false, "101": false, "-1": false, "x": false, "": false,
		"18446744073709551615": false, "99999999999999999999": false} {
		if got := w.of("a", number); (got != nil) != want {
			t.Errorf("write %q: %v", number, got)
		}
	}
	if w.of("b", "100") != nil {
		t.Error("a write of another croupon is shown")
	}

	site := newWorld(t)
	c := site.top(t, "Portland")
	if d := site.post(t, crouponURL(c.Slug)+"?after=1", url.Values{"do": {"raise"}}, http.StatusOK); d.at != crouponURL(c.Slug)+"?after=1" || len(d.flushed()) == 0 {
		t.Errorf("%s shows %q", d.at, d.flushed())
	}
	if d := site.get(t, "/?after=1", http.StatusOK); len(d.flushed()) != 0 {
		t.Errorf("the front page shows %q", d.flushed())
	}
}

// Styles and the icon are served, and a page answers HEAD.
func TestFiles(t *testing.T) {
	w := newWorld(t)
	for path, kind := range map[string]string{"/style.css": "text/css", "/icon.svg": "image/svg+xml", "/": "text/html"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) || resp.ContentLength < 100 {
			t.Errorf("%s: %s, %s, %d bytes", path, resp.Status, resp.Header.Get("Content-Type"), resp.ContentLength)
		}
	}
}

func TestWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567", -1234: "−1,234", -12: "−12"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0.0 µs", 1500: "1.5 µs", 15 * time.Microsecond: "15 µs", 1500 * time.Microsecond: "1.5 ms", time.Second: "1000 ms"} {
		if got := short(d); got != want {
			t.Errorf("short(%s) = %s, want %s", d, got, want)
		}
	}
	if got := stars(3) + stars(9); got != "★★★☆☆★★★★★" {
		t.Error(got)
	}
}
