package site

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cachegen/cachegen/example/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// maxTitle is the length of the longest title, in characters.
const maxTitle = 120

// change changes a croupon, with plain GORM, and sends the visitor back to its page, which shows what
// the write flushed.
func (s *site) change(v *visit) (answer, error) {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		return answer{}, problem{http.StatusBadRequest, "The form cannot be read."}
	}
	slug := v.r.PathValue("slug")
	croupon := s.db.WithContext(v.ctx).Model(&shop.Croupon{}).Where("slug = ?", slug)
	var done *gorm.DB
	var what string
	switch do := v.r.PostForm.Get("do"); do {
	case "raise":
		done, what = croupon.Update("popularity", gorm.Expr("popularity + ?", 1000)), "Made more popular"
	case "rename":
		title, err := titleOf(v.r.PostForm.Get("title"))
		if err != nil {
			return answer{}, err
		}
		done, what = croupon.Update("title", title), "Renamed"
	case "withdraw":
		done, what = croupon.Update("active", false), "Withdrawn"
	case "offer":
		done, what = croupon.Update("active", true), "Offered again"
	default:
		return answer{}, problem{http.StatusBadRequest, fmt.Sprintf("A croupon can be changed by do=raise, rename, withdraw or offer, and not by %.40q.", do)}
	}
	if done.Error != nil {
		return answer{}, done.Error
	}
	if done.RowsAffected == 0 {
		return answer{}, gorm.ErrRecordNotFound
	}
	n := s.writes.add(write{
		slug: slug, What: what, Flushes: v.trace.Flushes(), SQL: v.ledger.all(), Took: time.Since(v.began),
	})
	return answer{redirect: crouponURL(slug) + "?after=" + strconv.FormatUint(n, 10)}, nil
}

// titleOf checks a title.
func titleOf(title string) (string, error) {
	title = strings.TrimSpace(title)
	n := utf8.RuneCountInString(title)
	if n < 1 || n > maxTitle || !utf8.ValidString(title) || strings.ContainsFunc(title, unicode.IsControl) {
		return "", problem{http.StatusBadRequest, fmt.Sprintf("A title has 1 to %d characters, on one line.", maxTitle)}
	}
	return title, nil
}

// write is what one change did.
type write struct {
	slug    string
	What    string
	Flushes []cacheruntime.FlushEvent
	SQL     []statement
	Took    time.Duration
}

// writes holds the last changes by number, for the pages that the visitors are sent back to. It is safe
// for concurrent use.
type writes struct {
	mu   sync.Mutex
	n    uint64 // so far
	last [64]write
}

// add returns the write's number; the first is 1.
func (w *writes) add(one write) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	w.last[w.n%uint64(len(w.last))] = one
	return w.n
}

// of returns the write that the page of a croupon was asked to show, or nil: the number may be nobody's,
// another croupon's, or too long ago.
func (w *writes) of(slug, number string) *write {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n == 0 || n > w.n || w.n-n >= uint64(len(w.last)) {
		return nil
	}
	one := w.last[n%uint64(len(w.last))]
	if one.slug != slug {
		return nil
	}
	return &one
}
