package cacheruntime

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
)

func testKeys() keys {
	return newTableNames(Options{Namespace: "shop", Prefix: "p", Version: "v1"}, "croupons").accessor("ListBy", "0123abcd")
}

// behaviour 12
func TestArgumentsNeverShareAnEntry(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	tuples := [][]Arg{
		{}, {{}}, {{}, {}},
		{Text("ab"), Text("c")}, {Text("a"), Text("bc")}, {Text("abc")}, {Text("ab,s1=c")}, {Text("ab"), Text("c"), Text("")},
		{Uint(uint64(1))}, {Int(1)}, {Text("1")}, {Float(1.0)}, {Bool(true)}, {Bytes([]byte("1"))},
		{Text("")}, {Bytes([]byte{})}, {Text("n")}, {Text("NULL")},
		{Text("x AND b = y")}, {Text("x"), Text("y")}, {Text("X")}, {Text("x ")}, {Text("x")},
		{Time(at)}, {Time(at.Add(1))}, {Time(at.In(time.FixedZone("", 3600)))}, {Int(at.Unix())},
		{Int(-1)}, {Uint(^uint64(0))}, {Float(-0.5)},
		{Text(strings.Repeat("a", 4096))}, {Text(strings.Repeat("a", 4095) + "b")}, {Bytes([]byte(strings.Repeat("a", 4096)))},
	}
	k, s := testKeys(), &scratch{}
	seen := map[string]int{}
	for i, args := range tuples {
		key, _ := k.entry(s, "", args)
		key = key[routeDigits:] // two lists may lie on different routes: the rest must differ by itself
		if j, ok := seen[key]; ok {
			t.Errorf("%v and %v share the entry %s", tuples[j], args, key)
		}
		seen[key] = i
	}
}

// What a database may hold to be equal has one flush list.
func TestEqualArgumentsShareAList(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	k, s := testKeys(), &scratch{}
	for _, pair := range [][2]Arg{
		{Text("Portland"), Text("PORTLAND  ")},
		{Text("Zürich"), Text("zurich")},
		{Text("Straße"), Text("STRASSE")},
		{Text("ﬁne"), Text("FINE")},
		{Text("İstanbul"), Text("istanbul")},
		{Uint(uint64(42)), Int(42)}, {Int(42), Float(42.0)}, {Uint(uint64(42)), Text("42")},
		{Bool(true), Int(1)},
		{Text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), Text("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")},
		{Text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), Text("{a0eebc999c0b4ef8bb6d6bb9bd380a11}")},
		{Text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), Text("urn:uuid:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")},
		{Text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), Text("a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11 ")},
		{Text(""), Arg{}}, {Bytes([]byte{}), Arg{}}, {Text("  "), Arg{}},
		{Time(at), Time(at.In(time.FixedZone("", -8*3600)))}, {Time(at), Time(at.Add(time.Millisecond))},
	} {
		a, b := k.listOf(s, "", []Arg{pair[0]}), k.listOf(s, "", []Arg{pair[1]})
		if a != b {
			t.Errorf("%v and %v hang on %s and %s", pair[0], pair[1], a.Name, b.Name)
		}
	}
}

// behaviour 13
func TestKeysAreLegal(t *testing.T) {
	for _, text := range []string{"", " ", "a b", "a\nb\r\nset x 0 0 1", "\x00\x7f", "Köln", "北京", "\xff\xfe", strings.Repeat("ü", 2048), strings.Repeat("x", 200), strings.Repeat("x", 130)} {
		checkKey(t, []Arg{Text(text)})
		checkKey(t, []Arg{Bytes([]byte(text)), Text(text), Text(text)})
	}
}

func checkKey(t *testing.T, args []Arg) {
	t.Helper()
	k, s := testKeys(), &scratch{}
	r := k.ref(s, "", 0, args)
	if len(r.Key) > maxKey || !legal([]byte(r.Key)) {
		t.Errorf("%v: the key is not legal, at %d bytes: %q", args, len(r.Key), r.Key)
	}
	if len(r.List.Name) > maxListName || !legal([]byte(r.List.Name)) {
		t.Errorf("%v: the list's name is not legal, at %d bytes: %q", args, len(r.List.Name), r.List.Name)
	}
	if want := fmt.Sprintf("%016x:", xxhash.Sum64String(r.List.Name)); !strings.HasPrefix(r.Key, want) || r.List.ID != xxhash.Sum64String(r.List.Name) {
		t.Errorf("%v: %s does not begin with its list's route %s", args, r.Key, want)
	}
}

func FuzzKey(f *testing.F) {
	f.Add("a", "b", int64(1))
	f.Add("", strings.Repeat("long", 99), int64(-1))
	f.Add("\x00 \n", "ß\xff", int64(0))
	f.Fuzz(func(t *testing.T, a, b string, n int64) {
		args := []Arg{Text(a), Bytes([]byte(b)), Int(n)}
		checkKey(t, args)
		k, s := testKeys(), &scratch{}
		moved, _ := k.entry(s, "", []Arg{Text(a + b), Bytes([]byte{}), Int(n)})
		key, _ := k.entry(s, "", args)
		if b != "" && key[routeDigits:] == moved[routeDigits:] {
			t.Errorf("%q,%q and %q,\"\" share an entry", a, b, a+b)
		}
		if !SameText(a, a) || SameText(a, b) != SameText(b, a) {
			t.Errorf("SameText is no equality for %q, %q", a, b)
		}
	})
}

func TestLongNamesOfTablesAreShortened(t *testing.T) {
	n := newTableNames(Options{Namespace: strings.Repeat("n", maxNamespace), Prefix: strings.Repeat("p", maxPrefix), Version: strings.Repeat("v", maxVersion)},
		strings.Repeat("a very long table ", 20))
	k := n.accessor(strings.Repeat("A", 60), "0123abcd")
	r := k.ref(&scratch{}, "", 0, []Arg{Text("x")})
	if len(r.Key) > maxKey || len(r.List.Name) > maxListName || !legal([]byte(r.Key)) {
		t.Errorf("%d %d %q", len(r.Key), len(r.List.Name), r.Key)
	}
}
