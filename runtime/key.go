package cacheruntime

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cespare/xxhash/v2"
)

// What memcached and the store allow. See flushlist.List for the second.
const (
	maxKey      = 250
	maxListName = 200
	routeDigits = 16
)

// keys makes the entry keys and list names of one accessor. It is made once and never changed.
//
//	entry  <route>:<prefix>:<namespace>:<version>:<table>.<fingerprint>:<accessor>:[<term>:]<arguments>
//	list   <namespace>:<table>:<arguments> for rows
//	       <namespace>:<table>.<accessor>(<arguments>) for the others
//
// With a partition, <namespace>@<partition> takes the namespace's place in lists, and @<partition>: stands before the
// arguments of an entry, and before that the term where there is one, which are hashed together where they are too long. The route is the xxhash of the list's name: an entry lies on the server of its list.
type keys struct {
	entryHead []byte // from the colon after the route to the one before the arguments
	listHead  []byte
	listTail  string
	allHead   []byte // the name of all
	all       flushlist.List
	namespace int          // its length
	columns   []comparison // how the columns of the arguments compare; nil where all do as the zero comparison
}

// tableNames holds what all accessors of one table share in their keys.
type tableNames struct {
	namespace, table string
	entryPrefix      string // ":<prefix>:<namespace>:<version>:"
	all              flushlist.List
}

func newTableNames(o Options, table string) tableNames {
	table = keySafe(table)
	name := o.Namespace + ":" + table
	return tableNames{
		namespace:   o.Namespace,
		table:       table,
		entryPrefix: fmt.Sprintf(":%s:%s:%s:", o.Prefix, o.Namespace, o.Version),
		all:         flushlist.List{Name: name, ID: xxhash.Sum64String(name), All: true},
	}
}

// rows makes the keys of the table's rows.
func (n tableNames) rows(fingerprint string) keys {
	return keys{
		entryHead: []byte(n.entryPrefix + n.table + "." + fingerprint + ":Get:"),
		listHead:  []byte(n.all.Name + ":"),
		allHead:   []byte(n.all.Name),
		all:       n.all,
		namespace: len(n.namespace),
	}
}

// accessor makes the keys of one accessor.
func (n tableNames) accessor(name, fingerprint string) keys {
	name = keySafe(name)
	return keys{
		entryHead: []byte(n.entryPrefix + n.table + "." + fingerprint + ":" + name + ":"),
		listHead:  []byte(n.all.Name + "." + name + "("),
		listTail:  ")",
		allHead:   []byte(n.all.Name),
		all:       n.all,
		namespace: len(n.namespace),
	}
}

// scratch is where a call makes its key, so that a hit allocates nothing but the key itself.
type scratch struct {
	args    []Arg
	key     []byte
	list    []byte
	decoder Decoder
}

var scratches = sync.Pool{New: func() any {
	return &scratch{args: make([]Arg, 0, 4), key: make([]byte, 0, maxKey), list: make([]byte, 0, maxListName)}
}}

// entry makes an entry's key and its list's name in s, and returns the key and the list's ID.
func (k *keys) entry(s *scratch, p partition, args []Arg) (key string, list uint64) {
	return k.entryUnder(s, p, 0, args)
}

// entryUnder is entry under a term; 0 is none.
func (k *keys) entryUnder(s *scratch, p partition, term uint64, args []Arg) (key string, list uint64) {
	s.list = k.appendList(s.list[:0], p, args)
	list = xxhash.Sum64(s.list)

	b := appendRoute(s.key[:0], list)
	b = append(b, k.entryHead...)
	start := len(b)
	if term != 0 {
		b = append(appendRoute(b, term), ':')
	}
	if p != "" {
		b = append(p.append(b), ':')
	}
	b = appendExactArgs(b, args)
	if len(b) > maxKey || !legal(b[start:]) {
		b = appendDigest(b[:start], b[start:])
	}
	s.key = b
	return string(b), list
}

// ref makes the whole address of an entry under a term.
func (k *keys) ref(s *scratch, p partition, term uint64, args []Arg) flushlist.Ref {
	key, id := k.entryUnder(s, p, term, args)
	return flushlist.Ref{Key: key, List: flushlist.List{Name: string(s.list), ID: id}, All: k.allIn(p)}
}

// listOf names the flush list of these arguments: the table's `all` list where one has no value, so that it cannot
// be told which.
func (k *keys) listOf(s *scratch, p partition, args []Arg) flushlist.List {
	for i := range args {
		if args[i].kind == argBad {
			return k.allIn(p)
		}
	}
	s.list = k.appendList(s.list[:0], p, args)
	return flushlist.List{Name: string(s.list), ID: xxhash.Sum64(s.list)}
}

func (k *keys) appendList(b []byte, p partition, args []Arg) []byte {
	b = k.appendHead(b, p, k.listHead)
	start := len(b)
	b = k.appendNames(b, args)
	if len(b)+len(k.listTail) > maxListName || !legal(b[start:]) {
		b = appendDigest(b[:start], b[start:])
	}
	return append(b, k.listTail...)
}

func appendExactArgs(b []byte, args []Arg) []byte {
	for i, a := range args {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.appendExact(b)
	}
	return b
}

// exactArgs is arguments as they stand in an entry's key.
func exactArgs(args []Arg) string { return string(appendExactArgs(nil, args)) }

// appendRoute appends a list's ID as 16 hex digits.
func appendRoute(b []byte, id uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, digits[id>>shift&0xf])
	}
	return b
}

// appendDigest appends a digest of text that is too long for a key or not legal in one. The digest
// is a cryptographic one: no two arguments that anybody can find share it.
func appendDigest(b, text []byte) []byte {
	sum := sha256.Sum256(text)
	return hex.AppendEncode(append(b, '#'), sum[:16])
}

// legal reports whether memcached takes b as part of a key.
func legal(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// keySafe makes a table's or an index's name legal and short enough for a key.
func keySafe(name string) string {
	if len(name) > maxName || !legal([]byte(name)) {
		return string(appendDigest(nil, []byte(name)))
	}
	return name
}
