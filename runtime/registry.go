package cacheruntime

import (
	"context"
	"database/sql"
	"reflect"
	"slices"
	"sync"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// model is what the GORM plugin asks of one registered [Table]. Rows travel
// as any and hold a *judgedRow of the table that they came from.
type model interface {
	// gormSchema is GORM's reading of the model, with the database's naming strategy.
	gormSchema() *schema.Schema
	// indexed reports whether there is any list besides the rows' own and `all`.
	indexed() bool
	// columns are the database columns that naming a row's lists needs: the primary key, every
	// column of an accessor's by, where and order, and the soft-delete column.
	columns() []string
	// touches reports whether a change of this database column may change which lists a row is
	// on, or its place in one.
	touches(column string) bool
	// derived reports whether the database may make one of columns() from any other column, so
	// that an update of those may change which lists a row is on.
	derived() bool
	// uniques are the columns of the unique keys that GORM knows of, besides the primary one. No promise hangs on them.
	uniques() [][]string
	// scan returns the rows of a query of columns(), and so many more. tx is for GORM to scan with.
	scan(tx *gorm.DB, rows *sql.Rows, more int) ([]any, error)
	// keyRow makes a row of which only the primary key is known, from the values that another
	// struct on the table has for the key's columns. ok is false where one is missing.
	keyRow(ctx context.Context, value func(column string) (v any, ok bool)) (row any, ok bool, err error)
	// structOf is the row as a *T, for GORM's fields to read.
	structOf(row any) reflect.Value
	// identity is equal for two rows with one primary key.
	identity(row any) string
	// rowList is the flush list of a row itself, in a partition as all lists are.
	rowList(p partition, row any) flushlist.List
	// lists adds the flush lists, the row's own left out, that fall when a row goes from old to
	// new. old is nil for a row that was created, new for one that was deleted.
	lists(p partition, add func(flushlist.List), old, new any)
	// guards are those of the accessors.
	guards() []*guard
	// identities are those of the accessors, for other programs to know which lists fall here; ok is false
	// while it is not known how those are named.
	identities() (ids []uint64, ok bool)
	// part is this program's part in the registry of the table.
	part() *release
	// all is the `all` list of the table.
	all(p partition) flushlist.List
}

// registry finds models by the database's table names.
type registry struct {
	mu      sync.RWMutex
	byTable map[string][]model // written by register; read by every write callback
	ordered []model            // in the order of registration

	releases map[string]*release // by table
}

// register adds m under its table. A second NewModels puts its models in the place of the first's,
// which would judge each write once more, for the same lists.
func (r *registry) register(m model) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byTable == nil {
		r.byTable = map[string][]model{}
	}
	t := m.gormSchema().Table
	same := func(other model) bool {
		return other.gormSchema().ModelType == m.gormSchema().ModelType && other.gormSchema().Table == t
	}
	// New slices, since readers hold the old ones.
	r.byTable[t] = append(slices.DeleteFunc(slices.Clone(r.byTable[t]), same), m)
	r.ordered = append(slices.DeleteFunc(slices.Clone(r.ordered), same), m)
}

// of returns the models on a table; none where the table is not cached.
func (r *registry) of(table string) []model {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byTable[table]
}

// every returns all models.
func (r *registry) every() []model {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.ordered
}
