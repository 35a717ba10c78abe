package writes_test

import (
	"testing"
	"time"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// Croupon has lists, counts, an order and a unique column.
type Croupon struct {
	ID         uint64 `gorm:"primaryKey"`
	Slug       string `gorm:"uniqueIndex"` // without a size: MariaDB keeps hashes of it
	Title      string
	City       string
	Popularity int64
	Active     bool
	Tier       string `gorm:"default:basic"`
	UpdatedAt  time.Time
}

// Merchant has no list: only its rows are cached.
type Merchant struct {
	ID   uint64
	Name string
}

// Document has a composite key.
type Document struct {
	Org   string `gorm:"primaryKey"`
	No    int64  `gorm:"primaryKey;autoIncrement:false"`
	Title string
	Shelf string
}

// Note is deleted softly.
type Note struct {
	ID        uint64
	Topic     string
	Text      string
	DeletedAt gorm.DeletedAt
}

// slimCroupon is another struct on croupons, which nothing is cached of.
type slimCroupon struct {
	ID     uint64
	Title  string
	City   string
	Remark string
}

func (slimCroupon) TableName() string { return "croupons" }

// tables are the accessors of the models.
type tables struct {
	croupons  *cacheruntime.Table
	bySlug    *cacheruntime.Unique
	byCity    *cacheruntime.List
	popular   *cacheruntime.List
	inCity    *cacheruntime.Count
	byTier    *cacheruntime.List
	merchants *cacheruntime.Table
	documents *cacheruntime.Table
	byShelf   *cacheruntime.List
	notes     *cacheruntime.Table
	byTopic   *cacheruntime.List
}

var cached = cacheruntime.Cached()

func newTables(t *testing.T, rt *cacheruntime.Runtime) (ts tables) {
	t.Helper()
	type arg = cacheruntime.Arg
	ts.croupons = cacheruntime.NewTable(rt, cacheruntime.TableSpec{
		Model: "Croupon",
		Fields: []cacheruntime.Field{
			{Path: "ID", Type: "uint64", PrimaryKey: true}, {Path: "Slug", Type: "string"}, {Path: "Title", Type: "string"},
			{Path: "City", Type: "string"}, {Path: "Popularity", Type: "int64"}, {Path: "Active", Type: "bool"},
			{Path: "Tier", Type: "string"}, {Path: "UpdatedAt", Type: "time.Time"},
		},
		New:     func() any { return new(Croupon) },
		KeyArgs: func(to []arg, row any) []arg { return append(to, cacheruntime.Uint(row.(*Croupon).ID)) },
		Encode: func(b []byte, row any) []byte {
			v := row.(*Croupon)
			b = cacheruntime.AppendUint(b, v.ID)
			for _, s := range []string{v.Slug, v.Title, v.City, v.Tier} {
				b = cacheruntime.AppendText(b, s)
			}
			return cacheruntime.AppendTime(cacheruntime.AppendBool(cacheruntime.AppendInt(b, v.Popularity), v.Active), v.UpdatedAt)
		},
		Decode: func(d *cacheruntime.Decoder, row any) {
			v := row.(*Croupon)
			v.ID = cacheruntime.DecodeUint[uint64](d)
			for _, s := range []*string{&v.Slug, &v.Title, &v.City, &v.Tier} {
				*s = cacheruntime.DecodeText[string](d)
			}
			v.Popularity, v.Active = cacheruntime.DecodeInt[int64](d), cacheruntime.DecodeBool[bool](d)
			v.UpdatedAt = cacheruntime.DecodeTime(d)
		},
	})
	city := func(to []arg, row any) []arg { return append(to, cacheruntime.Text(row.(*Croupon).City)) }
	active := func(row any) bool { return row.(*Croupon).Active }
	whereActive := []cacheruntime.Term{{Field: "Active", Op: "=", Values: []any{true}}}
	ts.bySlug = ts.croupons.Unique(cacheruntime.IndexSpec{Name: "GetBySlug", By: []string{"Slug"},
		Args: func(to []arg, row any) []arg {
			v := row.(*Croupon)
			if v.Slug == "panic" {
				panic("in code that names lists")
			}
			return append(to, cacheruntime.Text(v.Slug))
		}})
	ts.byCity = ts.croupons.List(cacheruntime.IndexSpec{Name: "ListByCity", By: []string{"City"}, Args: city})
	ts.popular = ts.croupons.List(cacheruntime.IndexSpec{Name: "ListPopular", By: []string{"City"}, Where: whereActive,
		Order: []cacheruntime.Order{{Field: "Popularity", Desc: true}}, Limit: 50, Args: city, Holds: active,
		Same: func(a, b any) bool { return a.(*Croupon).Popularity == b.(*Croupon).Popularity }})
	ts.inCity = ts.croupons.Count(cacheruntime.IndexSpec{Name: "CountActive", By: []string{"City"}, Where: whereActive,
		Args: city, Holds: active})
	ts.byTier = ts.croupons.List(cacheruntime.IndexSpec{Name: "ListByTier", By: []string{"Tier"},
		Args: func(to []arg, row any) []arg { return append(to, cacheruntime.Text(row.(*Croupon).Tier)) }})

	ts.merchants = cacheruntime.NewTable(rt, cacheruntime.TableSpec{
		Model:   "Merchant",
		Fields:  []cacheruntime.Field{{Path: "ID", Type: "uint64", PrimaryKey: true}, {Path: "Name", Type: "string"}},
		New:     func() any { return new(Merchant) },
		KeyArgs: func(to []arg, row any) []arg { return append(to, cacheruntime.Uint(row.(*Merchant).ID)) },
		Encode: func(b []byte, row any) []byte {
			v := row.(*Merchant)
			return cacheruntime.AppendText(cacheruntime.AppendUint(b, v.ID), v.Name)
		},
		Decode: func(d *cacheruntime.Decoder, row any) {
			v := row.(*Merchant)
			v.ID, v.Name = cacheruntime.DecodeUint[uint64](d), cacheruntime.DecodeText[string](d)
		},
	})

	ts.documents = cacheruntime.NewTable(rt, cacheruntime.TableSpec{
		Model: "Document",
		Fields: []cacheruntime.Field{
			{Path: "Org", Type: "string", PrimaryKey: true}, {Path: "No", Type: "int64", PrimaryKey: true},
			{Path: "Title", Type: "string"}, {Path: "Shelf", Type: "string"},
		},
		New: func() any { return new(Document) },
		KeyArgs: func(to []arg, row any) []arg {
			v := row.(*Document)
			return append(to, cacheruntime.Text(v.Org), cacheruntime.Int(v.No))
		},
		Encode: func(b []byte, row any) []byte {
			v := row.(*Document)
			b = cacheruntime.AppendInt(cacheruntime.AppendText(b, v.Org), v.No)
			return cacheruntime.AppendText(cacheruntime.AppendText(b, v.Title), v.Shelf)
		},
		Decode: func(d *cacheruntime.Decoder, row any) {
			v := row.(*Document)
			v.Org, v.No = cacheruntime.DecodeText[string](d), cacheruntime.DecodeInt[int64](d)
			v.Title, v.Shelf = cacheruntime.DecodeText[string](d), cacheruntime.DecodeText[string](d)
		},
	})
	ts.byShelf = ts.documents.List(cacheruntime.IndexSpec{Name: "ListByShelf", By: []string{"Shelf"},
		Args: func(to []arg, row any) []arg { return append(to, cacheruntime.Text(row.(*Document).Shelf)) }})

	ts.notes = cacheruntime.NewTable(rt, cacheruntime.TableSpec{
		Model: "Note",
		Fields: []cacheruntime.Field{
			{Path: "ID", Type: "uint64", PrimaryKey: true}, {Path: "Topic", Type: "string"}, {Path: "Text", Type: "string"},
			{Path: "DeletedAt", Type: "gorm.DeletedAt", SoftDelete: true},
		},
		New:     func() any { return new(Note) },
		KeyArgs: func(to []arg, row any) []arg { return append(to, cacheruntime.Uint(row.(*Note).ID)) },
		Encode: func(b []byte, row any) []byte {
			v := row.(*Note)
			b = cacheruntime.AppendText(cacheruntime.AppendText(cacheruntime.AppendUint(b, v.ID), v.Topic), v.Text)
			return cacheruntime.AppendTime(cacheruntime.AppendBool(b, v.DeletedAt.Valid), v.DeletedAt.Time)
		},
		Decode: func(d *cacheruntime.Decoder, row any) {
			v := row.(*Note)
			v.ID, v.Topic, v.Text = cacheruntime.DecodeUint[uint64](d), cacheruntime.DecodeText[string](d), cacheruntime.DecodeText[string](d)
			v.DeletedAt.Valid, v.DeletedAt.Time = cacheruntime.DecodeBool[bool](d), cacheruntime.DecodeTime(d)
		},
		Deleted: func(row any) bool { return row.(*Note).DeletedAt.Valid },
	})
	ts.byTopic = ts.notes.List(cacheruntime.IndexSpec{Name: "ListByTopic", By: []string{"Topic"},
		Args: func(to []arg, row any) []arg { return append(to, cacheruntime.Text(row.(*Note).Topic)) }})

	for _, register := range []func() error{ts.croupons.Register, ts.merchants.Register, ts.documents.Register, ts.notes.Register} {
		if err := register(); err != nil {
			t.Fatal(err)
		}
	}
	return ts
}
