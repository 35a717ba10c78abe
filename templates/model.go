package templates

import (
	"strings"
	"time"
)

// Package describes the models of one Go package.
type Package struct {
	Name string // the package's name
	Path string // its import path
	// Imports are the names of the packages that types of the models come from, by import path.
	Imports map[string]string
	Models  []Model // in the order of their names
}

// Model describes one cached struct.
type Model struct {
	Name      string        // the Go type's name, exported
	Source    string        // the base name of the file that declares it
	Table     string        // the table's name by GORM's default rules, for messages only
	TTL       time.Duration // 0: not given; less than 0: forever
	Lease     bool          // one process at a time loads a row
	Query     bool          // takes ad-hoc queries
	AfterFind bool          // has a hook AfterFind(*gorm.DB) error
	Columns   []Column      // in the order of the struct, embedded structs flattened
	Accessors []Accessor    // in the order of the source
	Follows   []Follow      // in the order of the struct
	Struct    []Member      // every field of the struct, for the guard against its change
	// Taken are names that parameters may not have, since they would hide what a method needs:
	// unexported types and packages of column types.
	Taken []string
}

// Member is one field of the struct itself.
type Member struct {
	Name     string // "_" for a blank one
	Type     Expr
	Embedded bool
}

// Expr is a Go type expression in which every package is its import path in quotes, as in
// map[string]*"time".Time. Types of the generated package itself stand bare.
type Expr string

// Column is one column of a model.
type Column struct {
	Path       string // the Go path with embedded structs named, as in "Model.ID"
	Select     string // the shortest selector that means the same, as in "ID"
	DBName     string // the name in the database by GORM's default rules, for messages only
	Type       Type
	PrimaryKey bool
	SoftDelete bool // its type's clauses leave rows out: they are deleted
	Judged     bool // of a soft-delete column: it is a gorm.DeletedAt that is Valid just where the row is deleted
	Unread     bool // GORM never reads it, so that it is always zero
	// Pointers are the embedded pointers on the way to it, the outermost first. Where one of them is
	// nil, the column is NULL.
	Pointers []Embed
}

// Embed is an embedded pointer to a struct.
type Embed struct {
	Select string // its selector
	Type   Expr   // the struct's type
}

// Kind is the kind of a column's value.
type Kind uint8

// The kinds of values.
const (
	Uint Kind = iota
	Int
	Float
	Bool
	Text
	Bytes
	Time
	Valued     // a Scanner and Valuer of its own; Value is the field's whole type, pointer or not
	Serialized // written and read by one of GORM's serializers; Value is the field's whole type
)

// Form says how a column's type holds NULL.
type Form uint8

// The forms of a column.
const (
	Plain   Form = iota // it does not
	Pointer             // a nil pointer
	Null                // one of the sql.Null types, or one declared from them
)

// Type is the type of a column.
type Type struct {
	Kind  Kind
	Form  Form
	Value Expr   // the type of a value that is not NULL, as in uint64
	Named bool   // Value is not the predeclared type of its kind
	Field string // the field that holds the value, for Form Null
	Shown string // the whole type as package reflect shows it, as in "*uint64"
}

// AccessorKind is the kind of an accessor.
type AccessorKind uint8

// The kinds of accessors.
const (
	Unique AccessorKind = iota
	List
	One
	Count
)

// Accessor is one generated way to find rows by columns.
type Accessor struct {
	Kind      AccessorKind
	Name      string // as in "PopularInCity", "Slug" or "ByCity"
	By        []Column
	Where     []Term
	WhereText string // the where setting, as written
	Order     []Order
	OrderText string // the order setting, as written
	Limit     int    // 0: none
	TTL       time.Duration
	Unchecked bool
}

// Term is one condition of a where setting, its literals already of the column's kind.
type Term struct {
	Column Column
	Op     string // "=", "!=", "<", "<=", ">", ">=", "IN", "IS NULL" or "IS NOT NULL"
	// Values are int64, uint64, float64, bool, string or time.Time.
	Values []any
}

// Order is one column of an order setting.
type Order struct {
	Column Column
	Desc   bool
}

// Method returns the name of the accessor's method.
func (a Accessor) Method() string {
	switch a.Kind {
	case Unique:
		return "GetBy" + a.Name
	case List:
		return "List" + a.Name
	case One:
		return "One" + a.Name
	default:
		return "Count" + a.Name
	}
}

// Methods returns every method that the accessor adds to a model's Cache, so that a reader of
// tags can tell which of them collide.
func (a Accessor) Methods() []string {
	names := []string{a.Method(), "Flush" + a.Method()}
	switch {
	case a.Kind == Unique && len(a.By) == 1:
		names = append(names, "GetManyBy"+a.Name)
	case a.Kind == List:
		names = append(names, a.Method()+"Page")
	}
	return names
}

// field returns the name of the accessor's field in the table struct.
func (a Accessor) field() string {
	if a.Kind == Unique {
		return "by" + a.Name
	}
	return lowerFirst(a.Method())
}

// BaseMethods are the methods that every model's Cache has.
var BaseMethods = []string{"Get", "GetMany", "GetMap", "Flush", "FlushAll"}

// QueryMethods are those that a model tagged query has besides.
var QueryMethods = []string{"Query", "QueryOne", "QueryCount"}

// PackageNames are the names that every generated package declares.
var PackageNames = []string{"Models", "NewModels", "CacheKeys", "modelTables"}

// ModelNames returns the names that the generated code of a model declares in its package.
func ModelNames(m Model) []string {
	names := []string{
		m.reader(), "Unimplemented" + m.reader(), m.entry(), m.cache(), m.objects(),
		m.table(), m.shared(), m.specs(), "new" + m.Name + "Table", "encode" + m.Name, "decode" + m.Name,
	}
	if len(m.keys()) > 1 {
		names = append(names, m.Name+"Key", "append"+m.Name+"Key")
	}
	for _, f := range m.Follows {
		names = append(names, m.along(f))
	}
	return names
}

// FileName returns the name of the file that a model's code goes into.
func FileName(model string) string { return snake(model) + "_cache.gen.go" }

// ModelsFile and KeysFile are the files that every generated package has.
const (
	ModelsFile = "models_cache.gen.go"
	KeysFile   = "cachekeys.gen.go"
)

func (m Model) reader() string  { return m.Name + "Reader" }
func (m Model) entry() string   { return m.Name + "Model" }
func (m Model) cache() string   { return m.Name + "Cache" }
func (m Model) objects() string { return m.Name + "Objects" }
func (m Model) table() string   { return lowerFirst(m.Name) + "Table" }
func (m Model) shared() string  { return lowerFirst(m.Name) + "Reads" }
func (m Model) specs() string   { return lowerFirst(m.Name) + "Specs" }

// keys returns the columns of the primary key.
func (m Model) keys() []Column {
	var keys []Column
	for _, c := range m.Columns {
		if c.PrimaryKey {
			keys = append(keys, c)
		}
	}
	return keys
}

// softDelete returns the soft-delete column, if there is one.
func (m Model) softDelete() (Column, bool) {
	for _, c := range m.Columns {
		if c.SoftDelete {
			return c, true
		}
	}
	return Column{}, false
}

// name is the column's name inside other names: "AddressZip" for Address.Zip.
func (c Column) name() string { return strings.ReplaceAll(c.Select, ".", "") }
