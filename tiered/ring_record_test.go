package tiered

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// stepOf returns a step of rings that are written "a,b" or "a*2,b".
func stepOf(number int, first, also string) *step {
	ring := func(text string) shares {
		var servers []string
		var weights []int
		for s := range strings.SplitSeq(text, ",") {
			if s == "" {
				return nil
			}
			w := 1
			if name, weight, ok := strings.Cut(s, "*"); ok {
				s = name
				fmt.Sscan(weight, &w)
			}
			servers, weights = append(servers, s+":11211"), append(weights, w)
		}
		return sharesOf(servers, weights)
	}
	return &step{number: number, first: ring(first), also: ring(also)}
}

func TestRingRecordIsText(t *testing.T) {
	h := history{stepOf(0, "b,a", ""), stepOf(3, "a*2", "a,b"), {number: 4, disputed: true}}
	const body = "0 a:11211*1,b:11211*1\n3 a:11211*2 a:11211*1,b:11211*1\n4 ?\n"
	want := fmt.Sprintf("cachegen-ring 1 %08x\n%s", crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli)), body)
	if got := string(h.bytes()); got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	back, ok := parseHistory([]byte(want))
	if !ok || len(back) != 3 || !back[0].same(h[0]) || !back[1].same(h[1]) || !back[2].disputed {
		t.Fatalf("%v, %v", back, ok)
	}
}

// The newest hundred steps are kept, fewer where they are long.
func TestRingRecordIsBounded(t *testing.T) {
	var h history
	for n := range 150 {
		h = h.merge(history{stepOf(n, "a", "")})
	}
	back, ok := parseHistory(h.bytes())
	if !ok || len(back) != ringSteps || back[0].number != 50 {
		t.Fatal(len(back), ok)
	}
	var many []string
	for n := range 1000 {
		many = append(many, fmt.Sprintf("server-%04d", n))
	}
	h = nil
	for n := range 20 {
		h = h.merge(history{stepOf(n, strings.Join(many, ","), "")})
	}
	b := h.bytes()
	if back, ok = parseHistory(b); !ok || len(b) > ringBytes || len(back) < 3 || back[len(back)-1].number != 19 {
		t.Fatal(len(b), len(back), ok)
	}
}

// Whatever the order in which processes read each other's records, they end up with the same one.
func TestRingRecordsMergeInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var parts []history
		for range 4 {
			var h history
			for n := range 6 {
				switch random.IntN(4) {
				case 0:
					h = append(h, stepOf(n, string('a'+rune(random.IntN(2))), ""))
				case 1:
					if random.IntN(4) == 0 {
						h = append(h, &step{number: n, disputed: true})
					}
				}
			}
			parts = append(parts, h)
		}
		var want []byte
		for range 6 {
			random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			var all history
			for _, h := range parts {
				all = all.merge(h).merge(h)
			}
			if got := all.bytes(); want == nil {
				want = got
			} else if !bytes.Equal(got, want) {
				t.Fatalf("%s and %s", got, want)
			}
		}
	}
}

func TestWhoIsOutsideTheProcedure(t *testing.T) {
	old, both, turned, new := stepOf(4, "a,b", ""), stepOf(5, "a,b", "c"), stepOf(6, "c", "a,b"), stepOf(7, "c", "")
	disputed := &step{number: 5, disputed: true}
	for name, c := range map[string]struct {
		own  *step
		on   history
		says string // "" for a process within it
	}{
		"alone":                     {stepOf(0, "a", ""), nil, ""},
		"same":                      {both, history{both}, ""},
		"same, in another order":    {stepOf(5, "b,a", "c"), history{both}, ""},
		"one ahead":                 {both, history{old}, ""},
		"one behind":                {both, history{old, both, turned}, ""},
		"on record after":           {both, history{turned}, ""},
		"through all steps":         {new, history{old, both, turned}, ""},
		"back again":                {stepOf(6, "a,b", ""), history{old, both}, ""},
		"another one also":          {stepOf(6, "a,b", "d"), history{old, both}, ""},
		"a new weight":              {stepOf(6, "a*2,b", "a,b"), history{stepOf(5, "a,b", "a*2,b")}, ""},
		"two ahead":                 {turned, history{old}, "take step 5 first"},
		"two behind":                {old, history{old, both, turned}, "step 6 is on record with Servers c:11211*1 and Also a:11211*1,b:11211*1"},
		"set back":                  {old, history{old, both, turned, new}, "or, if the servers are to be changed, step 8"},
		"from the future":           {old, history{stepOf(1000, "a,b", "")}, "step 1000"},
		"other servers":             {stepOf(5, "a,b", "d"), history{both}, "to change the servers take step 6"},
		"other servers at step 0":   {stepOf(0, "a", ""), history{stepOf(0, "a,b", "")}, "this process has Servers a:11211*1"},
		"other weights":             {stepOf(4, "a*2,b", ""), history{old}, "a:11211*2"},
		"at once":                   {stepOf(5, "c", ""), history{old}, "does not follow step 4"},
		"turned without also":       {stepOf(6, "c", ""), history{both}, "does not follow step 5"},
		"also of another":           {stepOf(6, "d", "a,b"), history{both}, "does not follow step 5"},
		"left behind by a stranger": {both, history{stepOf(6, "d", "")}, "which does not follow"},
		"disputed":                  {both, history{disputed}, "delete the record from every server, and start them with step 6"},
		"after a disputed one":      {turned, history{old, disputed}, ""},
		"before a disputed one":     {old, history{old, disputed}, "does not follow"},
	} {
		err := c.own.judge(c.on, true)
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, errOutside) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		// Before every server has answered, what is missing may be on the next.
		if err := c.own.judge(c.on, false); err != nil && (c.says == "" || name == "two ahead") {
			t.Errorf("%s, not all servers heard: %v", name, err)
		}
	}
}

// An entry is served where its list was kept on its server at every step since.
func TestServedOnlyIfKeptSince(t *testing.T) {
	places := map[string]int{"a:11211": 0, "b:11211": 1}
	w := &ringWatch{own: stepOf(8, "a", ""), places: places}
	at := func(h ...*step) func(int) bool {
		full := history(h).merge(history{w.own})
		w.view.Store(&full)
		return func(n int) bool { return w.serves(n, 7, 0) }
	}
	kept := func(n int) *step { return stepOf(n, "b", "a") }
	away := func(n int) *step { return stepOf(n, "b", "") }
	elsewhere := func(n int) *step { return stepOf(n, "z", "b") }
	for name, c := range map[string]struct {
		steps []*step
		from  int
	}{
		"alone":              {nil, 8},
		"kept":               {[]*step{kept(6), kept(7)}, 6},
		"away":               {[]*step{kept(4), away(5), kept(6), kept(7)}, 6},
		"on servers unknown": {[]*step{kept(4), elsewhere(5), kept(6), kept(7)}, 6},
		"not recorded":       {[]*step{kept(4), kept(6), kept(7)}, 6},
		"disputed":           {[]*step{kept(4), {number: 5, disputed: true}, kept(6), kept(7)}, 6},
	} {
		serves := at(c.steps...)
		for n := range 12 {
			if got := serves(n); got != (n >= c.from && n <= 8) {
				t.Errorf("%s: an entry of step %d is served: %v", name, n, got)
			}
		}
	}
	// One ahead of this process: served once its step is known.
	serves := at(kept(7), stepOf(9, "a", "b"))
	if !serves(9) || !serves(7) || serves(10) {
		t.Error("an entry of the step after this process's")
	}
}

func FuzzRingRecord(f *testing.F) {
	f.Add(history{stepOf(0, "a", "")}.bytes())
	f.Add(history{stepOf(3, "a*2,b", "c"), {number: 9, disputed: true}}.bytes())
	f.Add([]byte("cachegen-ring 1 00000000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := parseHistory(b)
		if !ok {
			// The checksum in front of it, so that what is behind it is looked at too.
			if _, body, cut := bytes.Cut(b, []byte("\n")); cut {
				b = fmt.Appendf(nil, "%s%08x\n%s", ringMagic, crc32.Checksum(body, castagnoli), body)
				h, ok = parseHistory(b)
			}
		}
		if !ok {
			return
		}
		if !bytes.Equal(h.bytes(), b) || !slices.IsSortedFunc(h, func(a, b *step) int { return a.number - b.number }) || len(h) > ringSteps {
			t.Fatalf("%q is taken for %v", b, h)
		}
		_ = stepOf(4, "a", "b").judge(h, true)
		for _, s := range h.merge(history{stepOf(4, "a", "b")}) {
			s.keeps(1<<40, 0, map[string]int{"a:11211": 0})
		}
	})
}
