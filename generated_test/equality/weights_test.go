package equality

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/fold"
	"gorm.io/gorm"
)

// What the runtime takes for granted of MariaDB's collations.
var proved = []string{
	"utf8mb4_general_ci", "utf8mb4_general_nopad_ci", "utf8mb3_general_ci", "utf8mb3_general_mysql500_ci",
	"utf8mb4_unicode_ci", "utf8mb4_unicode_nopad_ci", "utf8mb3_unicode_ci",
	"utf8mb4_unicode_520_ci", "utf8mb4_unicode_520_nopad_ci", "utf8mb3_unicode_520_ci",
	"utf8mb4_uca1400_ai_ci", "utf8mb4_uca1400_ai_cs", "utf8mb4_uca1400_as_ci", "utf8mb4_uca1400_as_cs", "utf8mb4_uca1400_nopad_ai_ci",
	"latin1_swedish_ci", "latin1_swedish_nopad_ci", "latin1_general_ci", "latin1_general_cs",
	"ascii_general_ci", "ascii_general_nopad_ci", "utf8mb4_bin",
}

// weighed is a character and its weights under a collation, of four hexadecimal digits each.
type weighed struct {
	r       rune
	weights string
}

// weigh asks for the weights of every character that is assigned: the planes between have ideographs alone, each of
// a weight of its own.
func weigh(t *testing.T, pool *sql.DB, collation string) (all []weighed) {
	charset, _, _ := strings.Cut(collation, "_")
	char := fmt.Sprintf("CONVERT(CHAR(seq USING utf32) USING %s)", charset)
	where := "seq NOT BETWEEN 0xD800 AND 0xDFFF AND (seq < 0x20000 OR seq BETWEEN 0x2F800 AND 0x2FA1F OR seq >= 0xE0000)"
	last := 0xE01EF
	switch {
	case strings.Contains(collation, "nopad"), strings.Contains(collation, "_as_"), strings.HasSuffix(collation, "_cs"): // as the one without, but for blanks or more
		last = 0x2FFF
	}
	switch charset {
	case "utf8mb3":
		last = min(last, 0xFFFF)
	case "latin1", "ascii":
		last = 0xFF // those that the character set has not become question marks
		where = "HEX(CONVERT(CONVERT(CHAR(seq USING utf32) USING " + charset + ") USING utf32)) = LPAD(HEX(seq), 8, '0')"
	}
	rows, err := pool.Query(fmt.Sprintf("SELECT seq, HEX(WEIGHT_STRING(%s COLLATE %s)) FROM seq_1_to_%d WHERE %s", char, collation, last, where))
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var w weighed
		must(t, rows.Scan(&w.r, &w.weights))
		all = append(all, w)
	}
	must(t, rows.Err())
	return all
}

// Characters of one weight have one folding, and one of several weights the foldings of characters that have them.
func TestFoldingMergesWhatMariaDBDoes(t *testing.T) {
	pool := mariadb(t)
	for _, collation := range proved {
		t.Run(collation, func(t *testing.T) {
			f, known := fold.MySQL(collation)
			if !known {
				t.Fatal("it is not known")
			}
			all := weigh(t, pool, collation)
			if len(all) < 100 {
				t.Fatalf("%d characters", len(all))
			}
			name := func(r rune) string { return strings.TrimSuffix(string(f.Append(nil, string(r)+"|")), "|") }
			names := map[string]string{"": ""} // by weights
			first := map[string]rune{}
			wrong := 0
			for _, w := range all {
				n, seen := names[w.weights]
				if !seen {
					names[w.weights], first[w.weights] = name(w.r), w.r
				} else if n != name(w.r) {
					if wrong++; wrong < 20 {
						t.Errorf("%U %q is folded to %q, and is equal to %U %q, which is folded to %q", w.r, w.r, name(w.r), first[w.weights], first[w.weights], n)
					}
				}
			}
			if !strings.Contains(collation, "_ci") {
				return
			}
			for _, w := range all {
				weights := split(w.weights)
				var parts strings.Builder
				known := len(weights) > 1
				for _, e := range weights {
					n, is := names[e]
					known = known && is
					parts.WriteString(n)
				}
				if known && parts.String() != name(w.r) {
					if wrong++; wrong < 40 {
						t.Errorf("%U %q is folded to %q, and its parts to %q", w.r, w.r, name(w.r), parts.String())
					}
				}
			}
			t.Logf("%d characters, %d weights", len(all), len(names))
		})
	}
}

// split cuts weights into those of one character each: ideographs have pairs.
func split(weights string) (each []string) {
	for len(weights) >= 4 {
		n := 4
		if strings.HasPrefix(weights, "FB") && len(weights) >= 8 {
			n = 8
		}
		each = append(each, weights[:n])
		weights = weights[n:]
	}
	return each
}

// Strings that the server finds to be equal have one folding: contractions, and whatever else looks at more than one
// character, included.
func TestFoldingOfStrings(t *testing.T) {
	pool := mariadb(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	for _, collation := range []string{"utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci", "utf8mb4_uca1400_ai_ci", "utf8mb4_uca1400_nopad_as_ci"} {
		f, _ := fold.MySQL(collation)
		groups := map[string][]rune{}
		for _, w := range weigh(t, pool, collation) {
			if w.weights != "FFFD" {
				groups[w.weights] = append(groups[w.weights], w.r)
			}
		}
		var several []string
		for w, g := range groups {
			if len(g) > 1 {
				several = append(several, w)
			}
		}
		slices.Sort(several)
		alphabet := []rune("sßeæaılเกຂເกใ·lꪵꪀ 1\u00ad\x01\t\u0301\u0345ι🍣🍺")
		for range 12 {
			g := groups[several[r.IntN(len(several))]]
			for range 3 {
				alphabet = append(alphabet, g[r.IntN(len(g))])
			}
		}
		texts := map[string]bool{}
		for len(texts) < 6000 {
			var s strings.Builder
			for range 1 + r.IntN(3) {
				s.WriteRune(alphabet[r.IntN(len(alphabet))])
			}
			texts[s.String()] = true
		}
		_, err := pool.Exec("CREATE OR REPLACE TABLE texts (id int PRIMARY KEY AUTO_INCREMENT, s varchar(10) CHARACTER SET utf8mb4 COLLATE " + collation + ", KEY (s))")
		must(t, err)
		var values []any
		for s := range texts {
			values = append(values, s)
		}
		_, err = pool.Exec("INSERT INTO texts (s) VALUES (?)"+strings.Repeat(", (?)", len(values)-1), values...)
		must(t, err)
		rows, err := pool.Query("SELECT a.s, MIN(b.s COLLATE utf8mb4_bin) FROM texts a JOIN texts b ON a.s = b.s GROUP BY a.id")
		must(t, err)
		equal := 0
		for rows.Next() {
			var a, b string
			must(t, rows.Scan(&a, &b))
			if a != b {
				equal++
			}
			if x, y := f.Append(nil, a), f.Append(nil, b); string(x) != string(y) {
				t.Errorf("%s: %+q is folded to %q, and %+q, which is equal, to %q", collation, a, x, b, y)
			}
		}
		must(t, rows.Err())
		must(t, rows.Close())
		if equal < 100 {
			t.Errorf("%s: %d pairs are no test", collation, equal)
		}
	}
}

func mariadb(t *testing.T) *sql.DB {
	t.Helper()
	pool, err := fixture.MariaDB(t).Open(t, &gorm.Config{}).DB()
	must(t, err)
	return pool
}

// citext compares by lower(), in the locale of the database: no character loses its folding by it in any.
func TestFoldingMergesWhatLowerDoes(t *testing.T) {
	pool, err := fixture.Postgres(t).Open(t, &gorm.Config{}).DB()
	must(t, err)
	for _, locale := range []string{"default", "C.utf8", "und-x-icu", "tr-x-icu", "lt-x-icu", "el-x-icu"} {
		rows, err := pool.Query(`SELECT i, lower(chr(i) COLLATE "` + locale + `"), lower(chr(i) || chr(i) COLLATE "` + locale + `")
			FROM generate_series(1, 125251) i WHERE i NOT BETWEEN 13312 AND 42559 AND i NOT BETWEEN 44032 AND 64255 AND i NOT BETWEEN 72000 AND 93000`)
		must(t, err)
		n := 0
		for rows.Next() {
			var r rune
			var one, two string
			must(t, rows.Scan(&r, &one, &two))
			var f fold.Folding
			if s := string(r); string(f.Append(nil, s)) != string(f.Append(nil, one)) || string(f.Append(nil, s+s)) != string(f.Append(nil, two)) {
				if n++; n < 20 {
					t.Errorf("%s: %U %q is folded to %q, and %q to %q", locale, r, s, f.Append(nil, s), one, f.Append(nil, one))
				}
			}
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
}
