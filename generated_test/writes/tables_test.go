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
	Slug       string `gorm:"uniqueIndex"`
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

// DocumentKey is Document's key.
type DocumentKey struct {
	Org string
	No  int64
}

// tables are the accessors of the models.
type tables struct {
	croupons  *cacheruntime.Table[Croupon, uint64]
	bySlug    *cacheruntime.Unique[Croupon, uint64]
	byCity    *cacheruntime.List[Croupon, uint64]
	popular   *cacheruntime.List[Croupon, uint64]
	inCity    *cacheruntime.Count[Croupon, uint64]
	byTier    *cacheruntime.List[Croupon, uint64]
	merchants *cacheruntime.Table[Merchant, uint64]
	documents *cacheruntime.Table[Document, DocumentKey]
	byShelf   *cacheruntime.List[Document, DocumentKey]
	notes     *cacheruntime.Table[Note, uint64]
	byTopic   *cacheruntime.List[Note, uint64]
}

var cached = cacheruntime.Cached()

func newTables(t *testing.T, rt *cacheruntime.Runtime) (ts tables) {
	t.Helper()
	type arg = cacheruntime.Arg
	ts.croupons = cacheruntime.NewTable(rt, cacheruntime.TableSpec[Croupon, uint64]{
		Model: "Croupon",
		Fields: []cacheruntime.Field{
			{Path: "ID", Type: "uint64", PrimaryKey: true}, {Path: "Slug", Type: "string"}, {Path: "Title", Type: "string"},
			{Path: "City", Type: "string"}, {Path: "Popularity", Type: "int64"}, {Path: "Active", Type: "bool"},
			{Path: "Tier", Type: "string"}, {Path: "UpdatedAt", Type: "time.Time"},
		},
		Key:       func(v *Croupon) uint64 { return v.ID },
		KeyArgs:   func(to []arg, k uint64) []arg { return append(to, cacheruntime.Uint(k)) },
		EncodeKey: cacheruntime.AppendUint[uint64],
		DecodeKey: cacheruntime.DecodeUint[uint64],
		Encode: func(b []byte, v *Croupon) []byte {
			b = cacheruntime.AppendUint(b, v.ID)
			for _, s := range []string{v.Slug, v.Title, v.City, v.Tier} {
				b = cacheruntime.AppendText(b, s)
			}
			return cacheruntime.AppendTime(cacheruntime.AppendBool(cacheruntime.AppendInt(b, v.Popularity), v.Active), v.UpdatedAt)
		},
		Decode: func(d *cacheruntime.Decoder, v *Croupon) {
			v.ID = cacheruntime.DecodeUint[uint64](d)
			for _, s := range []*string{&v.Slug, &v.Title, &v.City, &v.Tier} {
				*s = cacheruntime.DecodeText[string](d)
			}
			v.Popularity, v.Active = cacheruntime.DecodeInt[int64](d), cacheruntime.DecodeBool[bool](d)
			v.UpdatedAt = cacheruntime.DecodeTime(d)
		},
	})
	city := func(to []arg, v *Croupon) []arg { return append(to, cacheruntime.Text(v.City)) }
	active := func(v *Croupon) bool { return v.Active }
	whereActive := []cacheruntime.Term{{Field: "Active", Op: "=", Values: []any{true}}}
	ts.bySlug = ts.croupons.Unique(cacheruntime.IndexSpec[Croupon]{Name: "GetBySlug", By: []string{"Slug"},
		Args: func(to []arg, v *Croupon) []arg {
			if v.Slug == "panic" {
				panic("in code that names lists")
			}
			return append(to, cacheruntime.Text(v.Slug))
		}})
	ts.byCity = ts.croupons.List(cacheruntime.IndexSpec[Croupon]{Name: "ListByCity", By: []string{"City"}, Args: city})
	ts.popular = ts.croupons.List(cacheruntime.IndexSpec[Croupon]{Name: "ListPopular", By: []string{"City"}, Where: whereActive,
		Order: []cacheruntime.Order{{Field: "Popularity", Desc: true}}, Limit: 50, Args: city, Holds: active,
		Same: func(a, b *Croupon) bool { return a.Popularity == b.Popularity }})
	ts.inCity = ts.croupons.Count(cacheruntime.IndexSpec[Croupon]{Name: "CountActive", By: []string{"City"}, Where: whereActive,
		Args: city, Holds: active})
	ts.byTier = ts.croupons.List(cacheruntime.IndexSpec[Croupon]{Name: "ListByTier", By: []string{"Tier"},
		Args: func(to []arg, v *Croupon) []arg { return append(to, cacheruntime.Text(v.Tier)) }})

	ts.merchants = cacheruntime.NewTable(rt, cacheruntime.TableSpec[Merchant, uint64]{
		Model:     "Merchant",
		Fields:    []cacheruntime.Field{{Path: "ID", Type: "uint64", PrimaryKey: true}, {Path: "Name", Type: "string"}},
		Key:       func(v *Merchant) uint64 { return v.ID },
		KeyArgs:   func(to []arg, k uint64) []arg { return append(to, cacheruntime.Uint(k)) },
		EncodeKey: cacheruntime.AppendUint[uint64],
		DecodeKey: cacheruntime.DecodeUint[uint64],
		Encode: func(b []byte, v *Merchant) []byte {
			return cacheruntime.AppendText(cacheruntime.AppendUint(b, v.ID), v.Name)
		},
		Decode: func(d *cacheruntime.Decoder, v *Merchant) {
			v.ID, v.Name = cacheruntime.DecodeUint[uint64](d), cacheruntime.DecodeText[string](d)
		},
	})

	ts.documents = cacheruntime.NewTable(rt, cacheruntime.TableSpec[Document, DocumentKey]{
		Model: "Document",
		Fields: []cacheruntime.Field{
			{Path: "Org", Type: "string", PrimaryKey: true}, {Path: "No", Type: "int64", PrimaryKey: true},
			{Path: "Title", Type: "string"}, {Path: "Shelf", Type: "string"},
		},
		Key: func(v *Document) DocumentKey { return DocumentKey{v.Org, v.No} },
		KeyArgs: func(to []arg, k DocumentKey) []arg {
			return append(to, cacheruntime.Text(k.Org), cacheruntime.Int(k.No))
		},
		EncodeKey: func(b []byte, k DocumentKey) []byte {
			return cacheruntime.AppendInt(cacheruntime.AppendText(b, k.Org), k.No)
		},
		DecodeKey: func(d *cacheruntime.Decoder) DocumentKey {
			return DocumentKey{cacheruntime.DecodeText[string](d), cacheruntime.DecodeInt[int64](d)}
		},
		Encode: func(b []byte, v *Document) []byte {
			b = cacheruntime.AppendInt(cacheruntime.AppendText(b, v.Org), v.No)
			return cacheruntime.AppendText(cacheruntime.AppendText(b, v.Title), v.Shelf)
		},
		Decode: func(d *cacheruntime.Decoder, v *Document) {
			v.Org, v.No = cacheruntime.DecodeText[string](d), cacheruntime.DecodeInt[int64](d)
			v.Title, v.Shelf = cacheruntime.DecodeText[string](d), cacheruntime.DecodeText[string](d)
		},
	})
	ts.byShelf = ts.documents.List(cacheruntime.IndexSpec[Document]{Name: "ListByShelf", By: []string{"Shelf"},
		Args: func(to []arg, v *Document) []arg { return append(to, cacheruntime.Text(v.Shelf)) }})

	ts.notes = cacheruntime.NewTable(rt, cacheruntime.TableSpec[Note, uint64]{
		Model: "Note",
		Fields: []cacheruntime.Field{
			{Path: "ID", Type: "uint64", PrimaryKey: true}, {Path: "Topic", Type: "string"}, {Path: "Text", Type: "string"},
			{Path: "DeletedAt", Type: "gorm.DeletedAt", SoftDelete: true},
		},
		Key:       func(v *Note) uint64 { return v.ID },
		KeyArgs:   func(to []arg, k uint64) []arg { return append(to, cacheruntime.Uint(k)) },
		EncodeKey: cacheruntime.AppendUint[uint64],
		DecodeKey: cacheruntime.DecodeUint[uint64],
		Encode: func(b []byte, v *Note) []byte {
			b = cacheruntime.AppendText(cacheruntime.AppendText(cacheruntime.AppendUint(b, v.ID), v.Topic), v.Text)
			return cacheruntime.AppendTime(cacheruntime.AppendBool(b, v.DeletedAt.Valid), v.DeletedAt.Time)
		},
		Decode: func(d *cacheruntime.Decoder, v *Note) {
			v.ID, v.Topic, v.Text = cacheruntime.DecodeUint[uint64](d), cacheruntime.DecodeText[string](d), cacheruntime.DecodeText[string](d)
			v.DeletedAt.Valid, v.DeletedAt.Time = cacheruntime.DecodeBool[bool](d), cacheruntime.DecodeTime(d)
		},
		Deleted: func(v *Note) bool { return v.DeletedAt.Valid },
	})
	ts.byTopic = ts.notes.List(cacheruntime.IndexSpec[Note]{Name: "ListByTopic", By: []string{"Topic"},
		Args: func(to []arg, v *Note) []arg { return append(to, cacheruntime.Text(v.Topic)) }})

	for _, register := range []func() error{ts.croupons.Register, ts.merchants.Register, ts.documents.Register, ts.notes.Register} {
		if err := register(); err != nil {
			t.Fatal(err)
		}
	}
	return ts
}
