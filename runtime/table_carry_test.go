package cacheruntime

import (
	"context"
	"reflect"
	"sync"
	"testing"

	"gorm.io/gorm/schema"
)

// album has a column of each of GORM's serializers, one of them inside an embedded pointer.
type album struct {
	ID     uint64
	Tags   map[string][]int `gorm:"serializer:json"`
	Links  []string         `gorm:"serializer:gob"`
	Seen   *int64           `gorm:"serializer:unixtime"`
	*Cover `gorm:"embedded"`
}

// Cover is embedded.
type Cover struct {
	Colors []string `gorm:"serializer:json"`
}

// albums is a table of them, as far as its codec goes.
func albums(t testing.TB) *Table {
	t.Helper()
	parsed, err := schema.Parse(&album{}, &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		t.Fatal(err)
	}
	table := &Table{rt: &Runtime{}, spec: TableSpec{
		Model: "Album",
		Fields: []Field{
			{Path: "ID"}, {Path: "Tags", Class: Serialized}, {Path: "Links", Class: Serialized}, {Path: "Seen", Class: Serialized}, {Path: "Cover.Colors", Class: Serialized},
		},
		New: func() any { return new(album) },
		Encode: func(b []byte, row any) []byte {
			v := row.(*album)
			return AppendBool(AppendUint(b, v.ID), v.Cover != nil)
		},
		Decode: func(d *Decoder, row any) {
			v := row.(*album)
			v.ID, v.Cover = DecodeUint[uint64](d), nil
			if DecodeBool[bool](d) {
				v.Cover = new(Cover)
			}
		},
	}, fields: map[string]*schema.Field{}}
	for _, f := range parsed.Fields {
		table.fields[f.BindName()] = f
	}
	table.carry()
	return table
}

func TestSerializedCodec(t *testing.T) {
	table := albums(t)
	seen := int64(1700000000)
	for _, row := range []*album{
		{},
		{ID: 1, Tags: map[string][]int{"a": {1, 2}, "b": nil}, Links: []string{"x"}, Seen: &seen, Cover: &Cover{Colors: []string{"red"}}},
		{ID: 2, Cover: &Cover{}},
		{ID: 3, Links: []string{}, Tags: map[string][]int{}},
	} {
		b, err := table.encode(context.Background(), nil, row)
		if row.ID == 3 { // gob reads an empty slice as nil, so that the row does not come back
			if err == nil {
				t.Errorf("%+v was encoded", row)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		// Over another row, as a copy is made.
		back := album{Tags: map[string][]int{"old": nil}, Links: []string{"old"}, Seen: new(int64), Cover: &Cover{Colors: []string{"old"}}}
		d := newDecoder(b)
		if table.decodeRow(context.Background(), &d, &back); d.end() != nil || !reflect.DeepEqual(*row, back) {
			t.Errorf("%+v came back as %+v", row, back)
		}
	}
}

// Bytes that somebody else has put into the cache make errors of the decoder, whatever the serializer thinks of
// them.
func FuzzDecodeSerialized(f *testing.F) {
	table := albums(f)
	seen := int64(5)
	b, err := table.encode(context.Background(), nil, &album{ID: 1, Tags: map[string][]int{"a": {1}}, Links: []string{"x"}, Seen: &seen, Cover: &Cover{Colors: []string{"c"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDecoder(b)
		var row album
		table.decodeRow(context.Background(), &d, &row)
		_ = d.end()
	})
}
