package site

import (
	"bytes"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// foot is the trace of a request, as its page shows it.
type foot struct {
	Lookups, First, Second, Missed, Beside int // entries
	Statements                             int // of accessors
	Took                                   time.Duration
	Lines                                  []line
	SQL                                    []statement
	Reasons                                []reason // of Lines, each once
	Write                                  *write   // the change that led to this page, or nil
	Readings                               []reading
	Since                                  cacheruntime.Stats // since the site began
}

// line is the lookups that were made together, with one outcome.
type line struct {
	Accessor string
	Args     string // of the only entry
	Tier     string
	Outcome  string
	Shared   bool
	Entries  int
	Took     time.Duration
	Keys     []string
}

// reason explains an outcome.
type reason struct{ Outcome, Words string }

var reasons = [flushlist.Outcomes]string{
	flushlist.HitFirst:    "It was in this process, and none of its flush lists has a new stamp.",
	flushlist.HitSecond:   "It was in memcached, and none of its flush lists has a new stamp.",
	flushlist.NoEntry:     "Nobody has read it since it was last forgotten, or it was evicted.",
	flushlist.Expired:     "Its ttl is past.",
	flushlist.ListFlushed: "A write flushed the list that it hangs on: it was loaded anew.",
	flushlist.AllFlushed:  "A write flushed everything of its table: it was loaded anew.",
	flushlist.NoCell:      "Its flush list had no stamp yet, so nothing can have been stored under one.",
	flushlist.UnderWrite:  "A write of it is being committed: until then it comes from the database.",
	flushlist.BadEntry:    "What was stored is no entry of this key.",
	flushlist.BadCell:     "What was stored is no stamp.",
	flushlist.Unreachable: "Its memcached server did not answer in time, or has not of late.",
	flushlist.Undelivered: "A flush of it has not reached its memcached server yet.",
	flushlist.Bypassed:    "The page was asked to go past the cache.",
	flushlist.Moved:       "It was stored before its memcached server came, or went and came back.",
	flushlist.Outside:     "This process names other memcached servers than the others, so it uses none.",
	flushlist.Uncacheable: "It is a query whose result is another one each time, or reads what has no query in its tag.",
	flushlist.LoadedAgain: "Its rows changed while it was read, so it was read again.",
}

// reading is a way to read the page again.
type reading struct {
	URL, Words string
	Chosen     bool
}

// foot makes the foot of a visit's page, up to now.
func (s *site) foot(v *visit) foot {
	f := foot{Statements: v.trace.Statements(), Took: time.Since(v.began), SQL: v.ledger.all(), Since: s.rt.Stats()}
	reads := v.trace.Reads()
	seen := [flushlist.Outcomes]bool{}
	for i, r := range reads {
		f.count(r.Outcome)
		if o := r.Outcome; !seen[o] && reasons[o] != "" {
			seen[o] = true
			f.Reasons = append(f.Reasons, reason{o.String(), reasons[o]})
		}
		if i == 0 || !together(reads[i-1], r) {
			f.Lines = append(f.Lines, line{Accessor: r.Accessor, Args: argsOf(r), Tier: tierOf(r.Outcome), Outcome: wordOf(r.Outcome), Shared: r.Shared})
		}
		l := &f.Lines[len(f.Lines)-1]
		l.Entries++
		l.Took = max(l.Took, r.Took)
		if r.Key != "" {
			l.Keys = append(l.Keys, r.Key)
		}
		if l.Entries > 1 {
			l.Args = ""
		}
	}
	if v.r.Method != http.MethodPost {
		f.Write = s.writes.of(v.r.PathValue("slug"), v.r.URL.Query().Get("after"))
		f.Readings = readingsOf(v.r.URL)
	}
	return f
}

// count counts a lookup.
func (f *foot) count(o flushlist.Outcome) {
	f.Lookups++
	switch o {
	case flushlist.HitFirst:
		f.First++
	case flushlist.HitSecond:
		f.Second++
	case flushlist.Bypassed:
		f.Beside++
	default:
		f.Missed++
	}
}

// together reports whether two lookups are of one batch, and came to the same.
func together(a, b cacheruntime.ReadEvent) bool {
	return a.Accessor == b.Accessor && a.Outcome == b.Outcome && a.Shared == b.Shared && a.Began == b.Began
}

func tierOf(o flushlist.Outcome) string {
	switch o {
	case flushlist.HitFirst:
		return "first"
	case flushlist.HitSecond:
		return "second"
	}
	return "database"
}

// wordOf says how a lookup came to its tier.
func wordOf(o flushlist.Outcome) string {
	if o.Hit() {
		return "hit"
	}
	return o.String()
}

// argsOf returns the accessor's arguments: what follows its name in the key, without the types and lengths
// that keep keys apart, where all of them can be read.
func argsOf(r cacheruntime.ReadEvent) string {
	_, method, _ := strings.Cut(r.Accessor, ".")
	_, raw, _ := strings.Cut(r.Key, ":"+method+":")
	var args []string
	for rest := raw; rest != ""; {
		var arg string
		switch kind := rest[0]; kind {
		case 'u', 'i':
			arg, rest, _ = strings.Cut(rest[1:], ",")
		case 's':
			length, text, _ := strings.Cut(rest[1:], "=")
			n, err := strconv.Atoi(length)
			if err != nil || n < 0 || n > len(text) {
				return raw
			}
			arg, rest = text[:n], strings.TrimPrefix(text[n:], ",")
		default:
			return raw
		}
		args = append(args, arg)
	}
	return strings.Join(args, ", ")
}

// readingsOf are links to the same page, read in other ways.
func readingsOf(u *url.URL) []reading {
	var links []reading
	query := u.Query()
	chosen := query.Get("read")
	query.Del("after") // the write was before the last page, not before the next
	for _, r := range readings {
		query.Del("read")
		if r.value != "" {
			query.Set("read", r.value)
		}
		links = append(links, reading{"?" + query.Encode(), r.words, r.value == chosen})
	}
	return links
}

// templates are the pages by name, each with the layout around it.
var templates = func() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"cityURL": cityURL, "crouponURL": crouponURL, "number": number, "of": of, "short": short, "stars": stars, "unspaced": unspaced,
	}).ParseFS(pages, "pages/layout.html", "pages/foot.html"))
	all := map[string]*template.Template{}
	for _, name := range []string{"front", "city", "croupon", "problem"} {
		all[name] = template.Must(template.Must(layout.Clone()).ParseFS(pages, "pages/"+name+".html"))
	}
	return all
}()

// show writes a page. It is made before the first byte is sent, so that an error in it is a 500.
func (s *site) show(v *visit, status int, a answer) {
	var b bytes.Buffer
	err := templates[a.page].ExecuteTemplate(&b, "layout.html", struct {
		Title string
		Data  any
		Foot  foot
	}{a.title, a.data, s.foot(v)})
	if err != nil {
		log.Printf("croupon: the page %s: %v", a.page, err)
		http.Error(v.w, "The page could not be made. The log says why.", http.StatusInternalServerError)
		return
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store") // it tells of one request
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes()) // who does not take it has gone
}

// number writes a whole number with its thousands apart.
func number(n any) string {
	digits, sign := fmt.Sprint(n), ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		digits, sign = rest, "−"
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// of writes a number of things, of which one ends with no s.
func of(n any, thing string) string {
	if digits := number(n); digits != "1" {
		return digits + " " + thing + "s"
	}
	return "1 " + thing
}

// short writes a duration with two or three digits.
func short(d time.Duration) string {
	switch us := float64(d.Nanoseconds()) / 1e3; {
	case us < 10:
		return fmt.Sprintf("%.1f µs", us)
	case us < 1000:
		return fmt.Sprintf("%.0f µs", us)
	case us < 100_000:
		return fmt.Sprintf("%.1f ms", us/1e3)
	default:
		return fmt.Sprintf("%.0f ms", us/1e3)
	}
}

// stars draws a review's stars.
func stars(n uint8) string {
	n = min(n, 5)
	return strings.Repeat("★", int(n)) + strings.Repeat("☆", 5-int(n))
}

// unspaced is a list's name without the namespace that all of them begin with.
func unspaced(list string) string {
	_, name, _ := strings.Cut(list, ":")
	return name
}
