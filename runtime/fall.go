package cacheruntime

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/flushlist"
)

// fall is one flush list that a write made wrong.
type fall struct {
	list, all flushlist.List // all is the one of its table
	columns   []string       // what was written, as "croupons.title"; "croupons.*" for a whole row
	reason    string         // why it is the whole table, where it is
	release   *release       // whose lists these are; nil where another program's are not concerned
}

// flush is what falls together.
type flush struct {
	lists   []flushlist.List
	columns []string // sorted
	reason  string   // why whole tables are among them; "" where none is
	by      []standing
}

// Why a whole table falls, in the words of FlushEvent.Reason.
const (
	asked         = "by hand"
	rawSQL        = "raw SQL"
	upsert        = "upsert"
	overRows      = "over BulkRows"
	overLists     = "over BulkLists"
	overBoth      = "over BulkRows + BulkLists in a transaction"
	keyChanged    = "primary key changed"
	keyUnknown    = "keys of created rows unknown"
	columnUnknown = "columns unknown"
	fromMaps      = "created from maps"
	noCondition   = "no condition"
	otherTable    = "table's name"
	otherSQL      = "joins or clauses"
	byCallback    = "changed by a callback"
	notFound      = "created rows not found"
	notRead       = "rows not readable"
	notCompared   = "values or columns that do not compare"
	unconfirmed   = "not known to every program yet"
	byReference   = "foreign key"
	byTrigger     = "trigger"
	notReadCode   = "trigger not readable"
	madeRoom      = "ON CONFLICT REPLACE"
	notReadKeys   = "foreign keys not readable"
	noTransaction = "no transaction"
	failed        = "the write failed"
	panicked      = "panic"
)

// also adds a reason to others.
func also(reasons, reason string) string {
	switch {
	case reasons == "":
		return reason
	case reason == "" || slices.Contains(strings.Split(reasons, ", "), reason):
		return reasons
	}
	return reasons + ", " + reason
}

// fallsOf makes falls of a table's lists.
func fallsOf(all flushlist.List, columns []string, lists ...flushlist.List) []fall {
	falls := make([]fall, len(lists))
	for i, l := range lists {
		falls[i] = fall{list: l, all: all, columns: columns}
	}
	return falls
}

// distinct returns each list once, and of a table whose `all` list falls no other.
func distinct(falls []fall) []fall {
	whole := map[uint64]bool{}
	for _, f := range falls {
		if f.list.All {
			whole[f.list.ID] = true
		}
	}
	at := make(map[uint64]int, len(falls))
	kept := make([]fall, 0, len(falls))
	for _, f := range falls {
		if whole[f.all.ID] {
			f.list = f.all
		}
		i, seen := at[f.list.ID]
		if !seen {
			at[f.list.ID] = len(kept)
			kept = append(kept, f)
			continue
		}
		kept[i].columns = union(kept[i].columns, f.columns)
		kept[i].reason = also(kept[i].reason, f.reason)
	}
	return kept
}

// flushOf returns what falls, each list once. Where more than most lists of a table do, its `all`
// list falls in their place: what a COMMIT costs is bounded, however long its transaction was.
func flushOf(falls []fall, most int) (f flush) {
	if len(falls) == 0 {
		return f
	}
	falls = distinct(falls)
	of := map[uint64]int{}
	for _, x := range falls {
		of[x.all.ID]++
	}
	for i, x := range falls {
		if of[x.all.ID] > most {
			falls[i].list, falls[i].reason = x.all, also(x.reason, overBoth)
		}
	}
	for _, x := range distinct(falls) {
		if x.list.All && x.reason == "" {
			x.reason = asked
		}
		x.list.Table = x.all.Name
		f.lists = append(f.lists, x.list)
		f.columns = union(f.columns, x.columns)
		f.reason = also(f.reason, x.reason)
	}
	slices.Sort(f.columns)
	return f
}

// union returns the columns of a and b, each once. It changes neither.
func union(a, b []string) []string {
	for _, column := range b {
		if !slices.Contains(a, column) {
			a = append(a[:len(a):len(a)], column)
		}
	}
	return a
}

// allOf returns the `all` lists of models in a partition, for a flush by hand.
func allOf(models []model, p partition, columns []string) []fall {
	return allFor(asked, models, p, columns)
}

// allFor is allOf for another reason.
func allFor(reason string, models []model, p partition, columns []string) []fall {
	falls := make([]fall, 0, len(models))
	for _, m := range models {
		falls = append(falls, fall{list: m.all(p), all: m.all(p), columns: columns, reason: reason})
	}
	return falls
}

// renewals is how often the tokens of a write are left anew before it begins.
const renewals = 4

// prepare marks the lists of a write. When it returns, readers will respect the tokens for at least half
// of IntentTTL. Where leaving them takes longer than that, again and again, a reader may take the writer
// for dead before it has committed; strict mode refuses then.
func (rt *Runtime) prepare(ctx context.Context, f flush) (flushlist.Intent, error) {
	intent, err := rt.store.Prepare(ctx, f.lists, rt.opts.Mode)
	if err != nil {
		return nil, err
	}
	for range renewals {
		if !intent.Late() {
			return intent, nil
		}
		if err := intent.Renew(ctx); err != nil {
			intent.Abort(ctx)
			return nil, err
		}
	}
	if intent.Late() && rt.opts.Mode == Strict {
		intent.Abort(ctx)
		return nil, errSlowTokens
	}
	return intent, nil
}

var errSlowTokens = fmt.Errorf("%w: leaving tokens takes longer than half of tiered.Options.IntentTTL: raise it well above Timeout", ErrFlush)
