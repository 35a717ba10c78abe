package sqltext

import "testing"

// A comment is left out only where every database takes it for nothing but that.
func TestWithoutComments(t *testing.T) {
	const expected = `SELECT * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1`
	for _, s := range []string{
		expected,
		`/* a */ SELECT * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1`,
		`SELECT /*traceparent='00-1-01'*/ * FROM "notes" WHERE/* b */"notes"."id" = $1 AND "text" = '/* data */' LIMIT 1 /**/`,
		"SELECT *\n\tFROM  \"notes\" WHERE \"notes\".\"id\" = $1 AND \"text\" = '/* data */' LIMIT 1 /* a -- b # c $$ */ /* d */",
	} {
		if WithoutComments(s) != WithoutComments(expected) {
			t.Errorf("differs: %s\n%s", s, WithoutComments(s))
		}
	}
	for _, s := range []string{
		`SELECT /*! DISTINCT */ * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1`,
		`SELECT /*M!100000 DISTINCT */ * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1`,
		`SELECT /*+ hint */ * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1`,
		`SELECT /* ? */ * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1`,
		`SELECT /* a /* b */ * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1`,
		`SELECT /* a * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1`,
		`SELECT * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '' LIMIT 1`,
		`SELECT * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* other */' LIMIT 1`,
		`SELECT * FROM "notes" WHERE "notes"."id" = $1/**/1 AND "text" = '/* data */' LIMIT 1`,
		`SELECT * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1 -- /*` + "\n OFFSET 1 -- */",
		`SELECT * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1/**/0`,
		`SELECT * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '\' /* ' OR 1=1 -- */' LIMIT 1`,
		`SELECT * FROM "notes" WHERE "notes"."id" = $1 AND "text" = '/* data */' LIMIT 1 "`,
	} {
		if WithoutComments(s) == WithoutComments(expected) {
			t.Errorf("does not differ: %s", s)
		}
	}
}

func FuzzWithoutComments(f *testing.F) {
	f.Add("SELECT /* a */ 1 '/*' `b` \\")
	f.Fuzz(func(t *testing.T, s string) {
		if p := WithoutComments(s); WithoutComments(p) != p {
			t.Errorf("%q, %q, %q", s, p, WithoutComments(p))
		}
	})
}
