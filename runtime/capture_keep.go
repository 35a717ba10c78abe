package cacheruntime

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"strings"

	"gorm.io/gorm/schema"
)

// A Scan method that panics leaves database/sql's rows locked for ever, and with them the transaction, whose Commit
// waits for them. In a read of the program's own that is the program's affair; in one of the plugin's it
// must not take the program's write with it. So where there are such methods, a read's rows are taken
// from the connection as the driver has them, and scanned when that is free again.

// scansOwn reports whether reading a column runs a Scan method that is not database/sql's or GORM's. A serializer's
// only keeps what it is given.
func scansOwn(sch *schema.Schema, column string) bool {
	f := sch.FieldsByDBName[column]
	if f == nil || f.Serializer != nil || !reflect.PointerTo(f.IndirectFieldType).Implements(scanner) {
		return false
	}
	from := f.IndirectFieldType.PkgPath()
	return from != "database/sql" && !strings.HasPrefix(from, "gorm.io/gorm")
}

var scanner = reflect.TypeFor[sql.Scanner]()

// keep reads rows to their end and returns them once more, away from their connection. The caller runs end
// when it is done.
func keep(rows *sql.Rows) (again *sql.Rows, end func(), err error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, nil, err
	}
	kept := &result{}
	for _, name := range columns {
		kept.columns = append(kept.columns, resultColumn{name: name, scan: 1})
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		for _, v := range row {
			kept.values = append(kept.values, v)
		}
		kept.rows++
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	db := newReplayer() // of its own: rows that a Scan has panicked in are never given back
	again, err = replay(db, kept)
	return again, func() { _ = db.Close() }, err
}

// plainValues has the values of a statement's arguments made before the statement goes to a connection: a Value method
// that panics there would leave it locked.
func plainValues(vars []any) error {
	for i, v := range vars {
		valuer, ok := v.(driver.Valuer)
		if !ok {
			continue
		}
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() { // as database/sql has it
			vars[i] = nil
			continue
		}
		value, err := valuer.Value()
		if err != nil {
			return err
		}
		vars[i] = value
	}
	return nil
}
