package equality

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
)

// class is a kind of text column.
type class struct {
	name   string
	on     func(testing.TB) fixture.Database
	before string // a statement
	typ    string // as in CREATE TABLE
	after  string
}

// classes are all kinds of collations, known and unknown, of the three databases.
var classes = []class{
	{name: "sqlite binary", on: fixture.SQLite, typ: "text"},
	{name: "sqlite nocase", on: fixture.SQLite, typ: "varchar(50) NOT NULL DEFAULT ('x' COLLATE BINARY) /* not NULL */ COLLATE NOCASE"},
	{name: "sqlite rtrim", on: fixture.SQLite, typ: "TEXT COLLATE\n\"rtrim\" CHECK (text <> 'never')"},
	{name: "sqlite numeric", on: fixture.SQLite, typ: "string"}, // which SQLite takes for a number's
	{name: "sqlite added", on: fixture.SQLite, typ: "int", after: "ALTER TABLE words ADD COLUMN `text` text COLLATE NOCASE"},
	{name: "postgres text", on: fixture.Postgres, typ: "text"},
	{name: "postgres varchar", on: fixture.Postgres, typ: `varchar(60) COLLATE "C"`},
	{name: "postgres char", on: fixture.Postgres, typ: "char(20)"},
	{name: "postgres citext", on: fixture.Postgres, before: "CREATE EXTENSION citext", typ: "citext"},
	{name: "postgres domain", on: fixture.Postgres, before: "CREATE EXTENSION citext; CREATE DOMAIN word AS citext", typ: "word"},
	{name: "postgres icu", on: fixture.Postgres, before: "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)", typ: "text COLLATE loose"},
	{name: "mariadb general_ci", on: fixture.MariaDB, typ: mariadbText("utf8mb4_general_ci")},
	{name: "mariadb general_nopad_ci", on: fixture.MariaDB, typ: mariadbText("utf8mb4_general_nopad_ci")},
	{name: "mariadb unicode_ci", on: fixture.MariaDB, typ: mariadbText("utf8mb4_unicode_ci")},
	{name: "mariadb unicode_520_ci", on: fixture.MariaDB, typ: mariadbText("utf8mb4_unicode_520_ci")},
	{name: "mariadb uca1400_ai_ci", on: fixture.MariaDB, typ: mariadbText("utf8mb4_uca1400_ai_ci")},
	{name: "mariadb bin", on: fixture.MariaDB, typ: mariadbText("utf8mb4_bin")},
	{name: "mariadb danish", on: fixture.MariaDB, typ: mariadbText("utf8mb4_danish_ci")},
	{name: "mariadb turkish", on: fixture.MariaDB, typ: mariadbText("utf8mb4_turkish_ci")},
	{name: "mariadb swedish", on: fixture.MariaDB, typ: "varchar(60) CHARACTER SET latin1 COLLATE latin1_swedish_ci"},
	{name: "mariadb char", on: fixture.MariaDB, typ: "char(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"},
	{name: "mariadb binary", on: fixture.MariaDB, typ: "varbinary(60)"},
}

func mariadbText(collation string) string {
	return "varchar(60) CHARACTER SET utf8mb4 COLLATE " + collation
}

// open starts a program on the words of a class.
func (c class) open(t testing.TB) *program {
	d := c.on(t)
	id := map[string]string{"sqlite": "integer PRIMARY KEY", "postgres": "bigserial PRIMARY KEY", "mysql": "bigint AUTO_INCREMENT PRIMARY KEY"}[d.Name]
	column := "text"
	if c.after != "" {
		column = "before_that"
	}
	ddl := []string{fmt.Sprintf("CREATE TABLE words (id %s, %s %s, live bool, n bigint)", id, column, c.typ)}
	if c.before != "" {
		ddl = append([]string{c.before}, ddl...)
	}
	if c.after != "" {
		ddl = append(ddl, c.after)
	}
	ddl = append(ddl, "CREATE INDEX words_text ON words (text)")
	return open(t, d, ddl...)
}

func eachClass(t *testing.T, test func(t *testing.T, p *program)) {
	for _, c := range classes {
		t.Run(c.name, func(t *testing.T) {
			p := c.open(t)
			test(t, p)
			for _, err := range p.faults.of("Word") {
				t.Error(err)
			}
		})
	}
}

// spellings are pairs of texts that some database holds to be equal.
var spellings = [][2]string{
	{"ABC", "abc"}, {"abc  ", "abc"}, {"abc\t", "abc"}, {"Straße", "STRASSE"}, {"Strase", "Straße"}, {"Ærøskøbing", "aeroskobing"},
	{"résumé", "RESUME"}, {"re\u0301sume\u0301", "résumé"}, {"İstanbul", "ISTANBUL"}, {"ısı", "ISI"}, {"ŁÓDŹ", "lodz"}, {"Đà", "da"},
	{"カタカナ", "かたかな"}, {"ｶﾞ", "が"}, {"Ｆｕｌｌ", "full"}, {"١٢", "12"}, {"⑫", "12"}, {"a\x01b", "ab"}, {"ﬁne", "FINE"}, {"🍣", "🍺"},
	{"Όσος", "ΟΣΟΣ"}, {"ᾳ", "αι"}, {"ᾼ", "α"}, {"ёлка", "елка"}, {"Å", "AA"}, {"müller", "myller"}, {"Müller", "mueller"}, {"เก", "กเ"},
	{"", " "}, {"1.0", "1"}, {"1e1", "10"}, {"007", "7"}, {"", "\u200b"}, {"o\u0338", "ø"}, {"㏈", "dB"}, {"L·L", "ĿL"},
	{"AAR", "ÅR"}, // in Danish
}

// behaviour 92: what is absent under one spelling is found after it was created under another, where the database
// holds them to be equal, and only there.
func TestAbsentThenCreated(t *testing.T) {
	eachClass(t, func(t *testing.T, p *program) {
		found := 0
		for i, pair := range spellings {
			for _, pair := range [][2]string{pair, {pair[1], pair[0]}} {
				asked, created := pair[0], pair[1]
				when := fmt.Sprintf("%+q, then %+q", asked, created)
				agree(t, when+": before", p.words(asked))
				w := Word{Text: created, Live: true, N: int64(i)}
				if err := p.db.Create(&w).Error; err != nil {
					continue // a character that the column does not take
				}
				agree(t, when+": created", p.words(asked, created))
				n, err := p.m.Word.Objects.CountByText(context.Background(), asked)
				if err != nil || n == 0 { // to this database they are two texts, the other way round too
					must(t, p.db.Delete(&w).Error)
					break
				}
				found++
				must(t, p.db.Model(&w).Update("live", false).Error)
				agree(t, when+": not live", p.words(asked, created))
				must(t, p.db.Model(&w).Update("text", "another").Error)
				agree(t, when+": changed", p.words(asked, created))
				if err := p.db.Model(&w).Update("text", asked).Error; err == nil {
					agree(t, when+": changed to what was asked for", p.words(asked, created))
				}
				must(t, p.db.Delete(&w).Error)
				agree(t, when+": deleted", p.words(asked))
			}
		}
		t.Logf("%d of %d are equal to this database", found/2, len(spellings))
	})
}

// Text is cached under every collation: unknown ones share a list, and do without none.
func TestStillCached(t *testing.T) {
	eachClass(t, func(t *testing.T, p *program) {
		must(t, p.db.Create(&Word{Text: "abc", Live: true}).Error)
		for _, r := range p.words("abc", "absent") {
			p.hits(t, r)
		}
	})
}

// behaviours 92 and 12: random writes of odd spellings, and after each every read of every one. The seed is
// EQUALITY_SEED, or a new one.
func TestRandomSpellings(t *testing.T) {
	seed := rand.Uint64()
	if s, err := strconv.ParseUint(os.Getenv("EQUALITY_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("EQUALITY_SEED=%d", seed)
	eachClass(t, func(t *testing.T, p *program) {
		r := rand.New(rand.NewPCG(seed, 1))
		var texts []string
		for range 4 {
			pair := spellings[r.IntN(len(spellings))]
			texts = append(texts, pair[0], pair[1])
		}
		texts = distinct(texts...)
		for step := range 12 {
			text := texts[r.IntN(len(texts))]
			var id uint64
			_ = p.db.Model(&Word{}).Select("id").Order("n").Limit(1).Scan(&id)
			when := fmt.Sprintf("step %d, %+q", step, text)
			err := p.db.Transaction(func(tx *gorm.DB) error {
				switch r.IntN(6) {
				case 0, 1, 2:
					return tx.Create(&Word{Text: text, Live: r.IntN(2) == 0, N: r.Int64N(100)}).Error
				case 3:
					return tx.Model(&Word{ID: id}).Update("text", text).Error
				case 4:
					return tx.Model(&Word{}).Where("text = ?", text).Updates(map[string]any{"live": r.IntN(2) == 0, "n": r.Int64N(100)}).Error
				default:
					return tx.Where("text = ?", text).Delete(&Word{}).Error
				}
			})
			if err != nil {
				when += " (" + err.Error() + ")"
			}
			agree(t, when, p.words(texts...))
			if t.Failed() {
				return
			}
		}
	})
}
