package site

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/example/shop"
	"github.com/cachegen/cachegen/internal/testserver"
)

// check compares what a page's foot says with what it should.
func check(t *testing.T, what string, d *document, sql string, reads ...string) {
	t.Helper()
	if got := d.reads(); !slices.Equal(got, reads) {
		t.Errorf("%s: the page read\n    %s\nwant\n    %s", what, strings.Join(got, "\n    "), strings.Join(reads, "\n    "))
	}
	if got := d.total("Statements"); got != sql {
		t.Errorf("%s: %s SQL statements, want %s", what, got, sql)
	}
	if got := len(d.id("trace").all("ol")); sql == "0" && got != 0 {
		t.Errorf("%s: the page lists SQL statements", what)
	}
}

// behaviours 2, 9, 5: a city's page misses, and then is read from the first tier.
func TestCityPage(t *testing.T) {
	w := newWorld(t)
	lines := func(how string) []string {
		return []string{
			"City.Get Portland | " + how + " | 1",
			"Croupon.CountInCategory Portland, food | " + how + " | 1",
			"Croupon.CountInCategory Portland, books | " + how + " | 1",
			"Croupon.CountInCategory Portland, travel | " + how + " | 1",
			"Croupon.CountInCategory Portland, tools | " + how + " | 1",
			"Croupon.ListPopularInCity Portland | " + how + " | 1",
			"Croupon.Get | " + how + " | 11",
			"Merchant.Get | " + how + " | 11",
			"Croupon.OneNewestInCity Portland | " + how + " | 1",
			// The newest is one of the eleven: its row is there by then.
			"Croupon.Get 382 | first | hit | 1",
		}
	}
	cold := w.get(t, "/city/Portland", http.StatusOK)
	check(t, "cold", cold, "9", lines("database | no cell")...)
	warm := w.get(t, "/city/Portland", http.StatusOK)
	check(t, "warm", warm, "0", lines("first | hit")...)
	if got := warm.total("First tier") + " " + warm.total("Missed"); got != "30 0" {
		t.Errorf("first tier and missed: %s", got)
	}

	rows := warm.id("croupons").all("tr")
	if len(rows) != 1+pageSize {
		t.Fatalf("%d rows, want a head and %d", len(rows), pageSize)
	}
	top := w.top(t, "Portland")
	var merchant shop.Merchant
	if err := w.db.First(&merchant, top.MerchantID).Error; err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("1 %s %s %d %% %s", top.Title, merchant.Name, top.Percent, number(top.Popularity))
	if got := rows[1].words(); got != want {
		t.Errorf("the first row is %q, want %q", got, want)
	}
	if cold.id("croupons").words() != warm.id("croupons").words() {
		t.Error("the second page differs from the first")
	}
}

// Pages follow each other and have an end.
func TestPaging(t *testing.T) {
	w := newWorld(t)
	var seen []string
	pages := 0
	for path := "/city/Portland"; path != ""; {
		d := w.get(t, path, http.StatusOK)
		pages++
		for _, tr := range d.id("croupons").all("tr")[1:] {
			seen = append(seen, tr.all("th")[0].words())
		}
		path = ""
		for _, a := range d.top.all("a") {
			if a.attr["rel"] == "next" {
				path = "/city/Portland" + a.attr["href"]
			}
		}
	}
	var want []string
	all, err := w.m.Croupon.Objects.ListPopularInCity(t.Context(), "Portland")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		want = append(want, c.Title)
	}
	if !slices.Equal(seen, want) {
		t.Errorf("%d pages show %d croupons in another order, or not all of %d", pages, len(seen), len(want))
	}
	w.get(t, fmt.Sprintf("/city/Portland?page=%d", pages+1), http.StatusNotFound)
	for _, page := range []string{"0", "-1", "x", "1e9", "99999999999999999999", "1001"} {
		w.get(t, "/city/Portland?page="+page, http.StatusBadRequest)
	}
}

// behaviours 9 and 2: the front page.
func TestFrontPage(t *testing.T) {
	w := newWorld(t)
	cold, warm := w.get(t, "/", http.StatusOK), w.get(t, "/", http.StatusOK)
	if got := cold.reads(); len(got) != 10 || got[0] != "City.ListByCountry US | database | no cell | 1" || got[1] != "City.Get | database | no cell | 8" {
		t.Errorf("cold: %q", got)
	}
	if warm.total("Statements") != "0" || warm.total("First tier") != "17" {
		t.Errorf("warm: %q", warm.reads())
	}
	for _, d := range []*document{cold, warm} {
		cities := d.id("cities").all("a")
		if len(cities) != 8 || cities[0].attr["href"] != "/city/"+cities[0].words() {
			t.Errorf("%d cities, the first at %s", len(cities), cities[0].attr["href"])
		}
	}
}

// behaviours 21, 24, 26, 27, 39: what each button flushes, what the next page misses, and what stays.
func TestChange(t *testing.T) {
	for _, test := range []struct {
		name    string
		form    url.Values
		flushed []string // of the croupon's id
		city    []string // what the city's page then misses
	}{
		{"title", url.Values{"do": {"rename"}, "title": {" Free <b>books</b> & more "}}, []string{"croupons:%d"}, nil},
		{"popularity", url.Values{"do": {"raise"}}, []string{"croupons.ListPopularInCity(portland)", "croupons:%d"},
			[]string{"Croupon.ListPopularInCity Portland | database | list flushed | 1"}},
		{"active", url.Values{"do": {"withdraw"}},
			[]string{"croupons.CountInCategory(portland,%s)", "croupons.ListPopularInCity(portland)", "croupons.OneNewestInCity(portland)", "croupons:%d"},
			[]string{"Croupon.CountInCategory Portland, %s | database | list flushed | 1", "Croupon.ListPopularInCity Portland | database | list flushed | 1",
				"Croupon.OneNewestInCity Portland | database | list flushed | 1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			c := w.top(t, "Portland")
			page := crouponURL(c.Slug)
			w.get(t, page, http.StatusOK)
			w.get(t, "/city/Portland", http.StatusOK)
			check(t, "before", w.get(t, page, http.StatusOK), "0",
				"Croupon.GetBySlug "+c.Slug+" | first | hit | 1", fmt.Sprintf("Croupon.Get %d | first | hit | 1", c.ID),
				fmt.Sprintf("Merchant.Get %d | first | hit | 1", c.MerchantID), fmt.Sprintf("Review.ListLatest %d | first | hit | 1", c.ID),
				"Review.Get | first | hit | 5", fmt.Sprintf("Review.CountByCrouponID %d | first | hit | 1", c.ID))

			after := w.post(t, page, test.form, http.StatusOK)
			if want := page + "?after=1"; after.at != want {
				t.Errorf("the write led to %s, want %s", after.at, want)
			}
			var want []string
			for _, list := range test.flushed {
				want = append(want, filled(list, c))
			}
			if got := after.flushed(); !slices.Equal(got, want) {
				t.Errorf("flushed %q, want %q", got, want)
			}
			check(t, "after", after, "1",
				"Croupon.GetBySlug "+c.Slug+" | first | hit | 1", fmt.Sprintf("Croupon.Get %d | database | list flushed | 1", c.ID),
				fmt.Sprintf("Merchant.Get %d | first | hit | 1", c.MerchantID), fmt.Sprintf("Review.ListLatest %d | first | hit | 1", c.ID),
				"Review.Get | first | hit | 5", fmt.Sprintf("Review.CountByCrouponID %d | first | hit | 1", c.ID))

			var now shop.Croupon
			if err := w.db.First(&now, c.ID).Error; err != nil {
				t.Fatal(err)
			}
			if after.id("title").words() != now.Title || after.id("popularity").words() != number(now.Popularity) ||
				now.Active != (len(after.id("withdraw").children) > 0) {
				t.Errorf("the page shows %q of %+v", after.id("title").words(), now)
			}

			var missed, wantMissed []string
			for _, line := range w.get(t, "/city/Portland", http.StatusOK).reads() {
				if strings.Contains(line, "list flushed") {
					missed = append(missed, line)
				}
			}
			for _, line := range test.city {
				wantMissed = append(wantMissed, filled(line, c))
			}
			if !slices.Equal(missed, wantMissed) {
				t.Errorf("the city's page then missed %q, want %q", missed, wantMissed)
			}
		})
	}
}

// filled is a line with a croupon's id or category in it.
func filled(line string, c *shop.Croupon) string {
	return strings.ReplaceAll(strings.ReplaceAll(line, "%d", fmt.Sprint(c.ID)), "%s", c.Category)
}

// behaviour 6: what is not there is remembered too.
func TestAbsent(t *testing.T) {
	w := newWorld(t)
	check(t, "cold", w.get(t, "/croupon/none", http.StatusNotFound), "1", "Croupon.GetBySlug none | database | no cell | 1")
	check(t, "warm", w.get(t, "/croupon/none", http.StatusNotFound), "0", "Croupon.GetBySlug none | first | hit | 1")
	w.get(t, "/city/Atlantis", http.StatusNotFound)
	w.get(t, "/city/S%C3%A3o%20Paulo%2F%22%3Cb%3E", http.StatusNotFound)
	w.post(t, "/croupon/none", url.Values{"do": {"raise"}}, http.StatusNotFound)
}

// The ways to read a page again.
func TestReadings(t *testing.T) {
	w := newWorld(t)
	w.get(t, "/city/Portland", http.StatusOK)
	fresh := w.get(t, "/city/Portland?read=fresh", http.StatusOK) // nothing but the first tier is there
	if fresh.total("Statements") != "0" || fresh.total("First tier") != "30" && fresh.total("Second tier") != "30" {
		t.Errorf("fresh: %q", fresh.reads())
	}
	for _, line := range w.get(t, "/city/Portland?read=bypass", http.StatusOK).reads() {
		if !strings.HasSuffix(line, " | database | bypassed | 1") {
			t.Errorf("bypass: %s", line)
		}
	}
	refreshed := w.get(t, "/city/Portland?read=refresh", http.StatusOK)
	if refreshed.total("Statements") == "0" || refreshed.total("First tier") != "0" {
		t.Errorf("refresh: %q", refreshed.reads())
	}
	if again := w.get(t, "/city/Portland", http.StatusOK); again.total("Statements") != "0" {
		t.Errorf("after refresh: %q", again.reads())
	}
	w.get(t, "/city/Portland?read=sideways", http.StatusBadRequest)
}

// With memcached the second program reads what the first has loaded.
func TestSecondTier(t *testing.T) {
	server := testserver.Memcached(t)
	w := newWorld(t, server.Addr())
	w.get(t, "/city/Portland", http.StatusOK)
	d := w.get(t, "/city/Portland?read=fresh", http.StatusOK)
	if d.total("Second tier") != "30" || d.total("Statements") != "0" {
		t.Errorf("second tier %s, SQL %s: %q", d.total("Second tier"), d.total("Statements"), d.reads())
	}
}
