package cacheruntime

import (
	"time"

	"gorm.io/gorm"
)

// The types in this file are what generated code hands to the runtime. They are exported for
// generated code only; programs have no reason to write them by hand.

// TableSpec describes one model to the runtime. Wherever a row is given as an any, that holds a pointer to the
// model's struct.
type TableSpec struct {
	// Model is the model's Go name.
	Model string
	// Fields are the model's columns as the generator saw them, in the order of the struct.
	// NewModels compares them with GORM's own reading and fails where they differ.
	Fields []Field
	// TTL is how long a row may be cached: 0 is the runtime's default, Forever has no end.
	TTL time.Duration
	// Lease says that of several processes one loads a row, or the key of a unique lookup, that is
	// asked for alone, and the others wait for it, as with lists and counts.
	Lease bool
	// Query keeps the table's `table` list, on which the results of ad-hoc queries hang.
	Query bool
	// New makes an empty row.
	New func() any
	// KeyArgs appends the columns of a row's primary key, in the order of GORM's primary fields.
	KeyArgs func(to []Arg, row any) []Arg
	// Encode and Decode are the codec of a row, its serialized columns left out.
	Encode func(b []byte, row any) []byte
	Decode func(d *Decoder, row any)
	// Deleted reports whether a row is soft-deleted; nil where the model has no soft delete, and where Go
	// cannot judge it: then the accessors' Same functions watch the soft-delete column.
	Deleted func(row any) bool
	// AfterFind calls the model's AfterFind hook; nil where it has none.
	AfterFind func(row any, tx *gorm.DB) error
	// Follows are the relations that are read with the model where a read asks for them.
	Follows []FollowSpec
}

// Field is one column of a model, as the generator saw it.
type Field struct {
	Path       string // the Go path from the model, as in "Address.Zip"
	Type       string // the Go type, as in "uint64", "*string" or "sql.NullTime"
	Class      Class
	PrimaryKey bool
	SoftDelete bool // its type leaves deleted rows out of statements
}

// Class says how a column's value gets into an entry and back.
type Class uint8

// The classes of columns. Plain ones are written by generated code, Valuer ones through the type's own Value and
// Scan methods, Serialized ones by the serializer that GORM has for them, and Unread ones not at all, since
// GORM never reads them.
const (
	Plain Class = iota
	Valuer
	Serialized
	Unread
)

// String names the class, as messages do.
func (c Class) String() string {
	return [...]string{"a plain column", "a column with Scan and Value methods", "a column with a serializer", "a column that is never read"}[c]
}

// IndexSpec describes one accessor that finds rows by columns: a list, a one, a count or a
// unique lookup. What each kind leaves out is said at its constructor.
type IndexSpec struct {
	// Name is the accessor's method name: "ListPopularInCity", "GetBySlug", "CountInCategory".
	Name string
	// By are the Go paths of the columns that the arguments are compared with.
	By []string
	// Where are the fixed conditions, all of which must hold.
	Where []Term
	// Order is the order of a list, before the primary key that ends every order.
	Order []Order
	// Limit is the most rows that a list has; 0 is the whole list.
	Limit int
	// TTL is as in TableSpec.
	TTL time.Duration
	// Args appends the row's own values of the By columns: the arguments under which the
	// accessor finds it.
	Args func(to []Arg, row any) []Arg
	// Holds reports whether the Where terms hold for a row. Terms that only the database can
	// judge (text, times, floats) count as holding. Nil: there are no terms.
	Holds func(row any) bool
	// Same reports whether two states of a row are alike in every column that the order and
	// the terms which only the database can judge depend on, and in the By columns that hold
	// bytes, of which Args may not tell NULL from none, and in a soft-delete column that Deleted does not
	// judge. Nil: there are none.
	Same func(a, b any) bool
	// Unchecked says that the tag vouches for a unique lookup's uniqueness.
	Unchecked bool
}

// Term is one condition of a where setting.
type Term struct {
	Field  string // Go path
	Op     string // "=", "!=", "<", "<=", ">", ">=", "IN", "IS NULL" or "IS NOT NULL"
	Values []any  // one value; several for IN; none for the NULL tests
}

// Order is one column of an order setting.
type Order struct {
	Field string // Go path
	Desc  bool
}

// KeyInfo is one row of a package's generated CacheKeys: an accessor, and what its entries
// hang on.
type KeyInfo struct {
	Accessor string   // as in "Croupon.ListPopularInCity"
	Args     []string // as in "city string"
	List     string   // the flush list, as in "croupons.ListPopularInCity(City)"
	Where    string   // the where setting, as written
	Order    string   // the order setting, as written
	Limit    int      // 0: none
	// FallsOn are the columns whose change flushes the list; "*" is any write of the row. Those of a relation's list are
	// columns of another model or of a join table, which is named before them.
	FallsOn []string
	TTL     time.Duration
}

// Forever is the ttl of entries that do not expire by time.
const Forever time.Duration = -1

// Source says where an accessor reads from: the cache or the database, outside a transaction
// or in one.
type Source struct {
	cached bool
	tx     *gorm.DB
	with   []*along // what is read with the rows; never changed
}

// Cached reads through the cache.
func Cached() Source { return Source{cached: true} }

// Direct reads the database, always.
func Direct() Source { return Source{} }

// WithTx returns the Source bound to tx: every read goes to the transaction, and nothing read
// there fills the cache.
//
//go:noinline
func (s Source) WithTx(tx *gorm.DB) Source {
	s.tx = tx
	return s
}
