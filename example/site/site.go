// Package site serves the shop's pages from the cache, each with the trace of its own request at the foot:
// what was read, which tier it came from, and what it took.
package site

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/cachegen/cachegen/example/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

//go:embed pages
var pages embed.FS

// maxForm is the size of the largest form that is read, in bytes.
const maxForm = 16 << 10

// site answers requests. Nothing of it but writes, which has a lock, changes after New.
type site struct {
	db         *gorm.DB
	rt         *cacheruntime.Runtime
	m          *shop.Models
	categories []string
	writes     writes
}

// New returns the site of a shop whose croupons have these categories. db is the database that rt was
// made for; where its logger is one of [LogSQL] the pages show their statements.
func New(db *gorm.DB, rt *cacheruntime.Runtime, m *shop.Models, categories []string) http.Handler {
	s := &site{db: db, rt: rt, m: m, categories: categories}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.page(s.front))
	mux.Handle("GET /city/{name}", s.page(s.city))
	mux.Handle("GET /croupon/{slug}", s.page(s.croupon))
	mux.Handle("POST /croupon/{slug}", s.page(s.change))
	for _, file := range []string{"style.css", "icon.svg"} {
		mux.HandleFunc("GET /"+file, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, pages, "pages/"+file) })
	}
	posts := http.NewCrossOriginProtection()
	posts.SetDenyHandler(s.page(func(*visit) (answer, error) {
		return answer{}, problem{http.StatusForbidden, "This form was sent from another site. Send it from the croupon's own page."}
	}))
	return secure(posts.Handler(s.known(mux)))
}

// secure sets the headers that every answer has: nothing is loaded from elsewhere, and nobody else frames
// the pages.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// known passes requests to the mux, and has pages of its own for what the mux does not know.
func (s *site) known(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		refusal := recorder{header: http.Header{}, status: http.StatusOK}
		h.ServeHTTP(&refusal, r)
		p := problem{http.StatusNotFound, "There is no such page here."}
		if refusal.status == http.StatusMethodNotAllowed {
			allowed := refusal.header.Get("Allow")
			w.Header().Set("Allow", allowed)
			p = problem{refusal.status, fmt.Sprintf("This page does not take %.20q; it takes %s.", r.Method, allowed)}
		}
		s.page(func(*visit) (answer, error) { return answer{}, p }).ServeHTTP(w, r)
	})
}

// recorder keeps the status and the header that the mux's own refusals are sent with.
type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }

// visit is one request on its way. Only the request's own goroutine uses it.
type visit struct {
	w      http.ResponseWriter
	r      *http.Request
	ctx    context.Context // the request's, with the trace and the ledger
	trace  *cacheruntime.Trace
	ledger *ledger
	began  time.Time
}

// answer is what a handler found.
type answer struct {
	page     string // the template
	title    string
	data     any
	redirect string // where to go instead of a page
}

// problem is an error that is shown to the visitor.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

// page makes an http.Handler of a handler: it traces the request, and shows what the handler found, or
// what went wrong, with the trace.
func (s *site) page(handle func(*visit) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{w: w, r: r, ledger: &ledger{}, began: time.Now()}
		v.ctx, v.trace = cacheruntime.WithTrace(context.WithValue(r.Context(), ledgerKey{}, v.ledger))
		var a answer
		err := v.readAs(r.URL.Query().Get("read"))
		if err == nil {
			a, err = handle(v)
		}
		switch {
		case r.Context().Err() != nil: // the visitor has gone
			return
		case err != nil:
			status, a := problemOf(r, err)
			s.show(v, status, a)
		case a.redirect != "":
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, a.redirect, http.StatusSeeOther)
		default:
			s.show(v, http.StatusOK, a)
		}
	})
}

// readings are the ways to read a page, by the value of ?read=.
var readings = []struct {
	value, words string
	with         func(context.Context) context.Context
}{
	{"", "as usual", nil},
	{"fresh", "without the first tier", cacheruntime.WithFresh},
	{"bypass", "from the database", cacheruntime.WithBypass},
	{"refresh", "from the database, and keep it", cacheruntime.WithRefresh},
}

// readAs makes the visit read in another way.
func (v *visit) readAs(value string) error {
	for _, reading := range readings {
		if reading.value == value {
			if reading.with != nil {
				v.ctx = reading.with(v.ctx)
			}
			return nil
		}
	}
	return problem{http.StatusBadRequest, fmt.Sprintf("A page cannot be read as %.40q: it is read=fresh, read=bypass or read=refresh.", value)}
}

// problemOf makes a page of an error. What is not the visitor's to know goes to the log.
func problemOf(r *http.Request, err error) (status int, a answer) {
	var p problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, gorm.ErrRecordNotFound):
		p = problem{http.StatusNotFound, "Nothing of this name is here."}
	case errors.Is(err, cacheruntime.ErrClosed):
		p = problem{http.StatusServiceUnavailable, "The site is closing."}
	default:
		log.Printf("croupon: %s %s: %v", r.Method, r.URL.EscapedPath(), err)
		p = problem{http.StatusInternalServerError, "The page could not be made. The log says why."}
	}
	return p.status, answer{page: "problem", title: http.StatusText(p.status), data: p.text}
}
