package cacheruntime

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// The result of an ad-hoc query is kept as the driver gave it, before database/sql or GORM has converted
// anything. On a hit the same values go the same way once more: into what, a model, a projection or a number,
// is for GORM to say, and every caller gets values of its own.

// result is what a statement has brought.
type result struct {
	columns []resultColumn
	values  []driver.Value // one row behind the other
	rows    int            // how many; there may be rows without columns
}

type resultColumn struct {
	name, typ string // typ is the database's
	scan      byte   // what the driver says of its Go type: the place among scanTypes
}

// scanTypes are the types that drivers say a column is to be scanned into. GORM asks for them where rows go into
// maps. A place in the list is part of entries: new ones go to the end.
var scanTypes = []reflect.Type{
	nil, reflect.TypeFor[any](), reflect.TypeFor[*any](),
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
	reflect.TypeFor[sql.RawBytes](), reflect.TypeFor[time.Time](),
	reflect.TypeFor[sql.NullByte](), reflect.TypeFor[sql.NullInt16](), reflect.TypeFor[sql.NullInt32](), reflect.TypeFor[sql.NullInt64](),
	reflect.TypeFor[sql.NullFloat64](), reflect.TypeFor[sql.NullBool](), reflect.TypeFor[sql.NullString](), reflect.TypeFor[sql.NullTime](),
}

// How values are written that appendDriverValue does not know and drivers give all the same. database/sql converts
// them by their own rules: 1.1 as a float32 is 1.1 as a float64, too.
const (
	valueFloat32 = valueBad + 1 + iota
	valueUint
	valueNoBytes // a nil []byte, which is not NULL
)

var (
	// errUnkept is of a result of which a copy would not be the same.
	errUnkept = errors.New("cachegen: a driver gives values or types that no entry holds")
	// errLong is of one that is longer than maxResult.
	errLong = errors.New("cachegen: a result is too long for an entry")
)

// appendResult reads rows to their end and appends what they bring, or returns errUnkept, errLong, or the error of
// the rows.
func appendResult(b []byte, rows *sql.Rows, most int) ([]byte, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	b = binary.AppendUvarint(b, uint64(len(types)))
	for _, t := range types {
		scan := slices.Index(scanTypes, t.ScanType())
		if scan < 0 {
			return nil, errUnkept
		}
		b = append(AppendText(AppendText(b, t.Name()), t.DatabaseTypeName()), byte(scan))
	}
	values, into := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		b = append(b, 1) // another row
		for _, v := range values {
			var ok bool
			if b, ok = appendRaw(b, v); !ok {
				return nil, errUnkept
			}
		}
		if len(b) > most {
			return nil, errLong
		}
	}
	return append(b, 0), rows.Err()
}

// appendRaw appends a value as a driver gives it.
func appendRaw(b []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case nil, int64, float64, bool, string, time.Time:
	case []byte:
		if v == nil {
			return append(b, valueNoBytes), true
		}
	case float32:
		return binary.LittleEndian.AppendUint32(append(b, valueFloat32), math.Float32bits(v)), true
	case uint64:
		return binary.LittleEndian.AppendUint64(append(b, valueUint), v), true
	default:
		return b, false
	}
	return appendDriverValue(b, v), true
}

// raw reads what appendRaw wrote.
func (d *Decoder) raw() driver.Value {
	if d.s != "" && !d.bad {
		switch d.s[0] {
		case valueFloat32:
			d.take(1)
			return math.Float32frombits(d.half())
		case valueUint:
			d.take(1)
			return d.word()
		case valueNoBytes:
			d.take(1)
			return []byte(nil)
		}
	}
	return d.driverValue()
}

// result reads what appendResult wrote. Bad bytes leave an error in d. What a number says is not believed before
// it is there.
func (d *Decoder) result() *result {
	n := d.uvarint()
	r := &result{columns: slices.Grow([]resultColumn(nil), int(min(n, 64)))}
	for ; n > 0 && !d.bad; n-- {
		c := resultColumn{name: DecodeText[string](d), typ: DecodeText[string](d)}
		if scan := d.take(1); scan != "" && int(scan[0]) < len(scanTypes) {
			c.scan = scan[0]
		} else {
			d.bad = true
		}
		r.columns = append(r.columns, c)
	}
	for left := len(d.s); DecodeBool[bool](d) && !d.bad; {
		if r.rows == 1 { // the others are mostly about as long as the first
			r.values = slices.Grow(r.values, min(len(d.s)/(left-len(d.s))+1, 64)*len(r.columns))
		}
		for range r.columns {
			r.values = append(r.values, d.raw())
		}
		r.rows++
	}
	return r
}

// lacks returns the first of these columns that the result has not got.
func lacks(columns, wanted []string) (string, bool) {
	for _, w := range wanted {
		if !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, w) }) {
			return w, true
		}
	}
	return "", false
}

// replayer is a database whose only query is a result: from it come *sql.Rows that GORM reads as it reads all
// others.
type replayer struct{}

func newReplayer() *sql.DB {
	db := sql.OpenDB(replayer{})
	db.SetMaxIdleConns(64) // they hold nothing
	return db
}

// replay returns the rows of a result. Its context is none of a caller's: nothing is waited for.
func replay(db *sql.DB, r *result) (*sql.Rows, error) {
	return db.QueryContext(context.Background(), "", r)
}

var errReplay = errors.New("cachegen: a result has no statements")

// Connect, Driver and Open make it a driver.
func (replayer) Connect(context.Context) (driver.Conn, error) { return replayer{}, nil }
func (replayer) Driver() driver.Driver                        { return replayer{} }
func (replayer) Open(string) (driver.Conn, error)             { return replayer{}, nil }

// Prepare, Begin and Close make it a connection.
func (replayer) Prepare(string) (driver.Stmt, error) { return nil, errReplay }
func (replayer) Begin() (driver.Tx, error)           { return nil, errReplay }
func (replayer) Close() error                        { return nil }

// CheckNamedValue lets the result through.
func (replayer) CheckNamedValue(*driver.NamedValue) error { return nil }

// QueryContext returns the rows of the result that is its argument.
func (replayer) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	return &replayed{r: args[0].Value.(*result)}, nil
}

// replayed are the rows of a result.
type replayed struct {
	r     *result
	at    int
	names []string
}

// Columns is called several times by database/sql.
func (p *replayed) Columns() []string {
	if p.names == nil {
		p.names = make([]string, len(p.r.columns))
		for i, c := range p.r.columns {
			p.names[i] = c.name
		}
	}
	return p.names
}

func (p *replayed) Next(dest []driver.Value) error {
	if p.at == p.r.rows {
		return io.EOF
	}
	copy(dest, p.r.values[p.at*len(p.r.columns):])
	p.at++
	return nil
}

func (p *replayed) Close() error { return nil }

// ColumnTypeDatabaseTypeName and ColumnTypeScanType say what the driver said.
func (p *replayed) ColumnTypeDatabaseTypeName(i int) string { return p.r.columns[i].typ }
func (p *replayed) ColumnTypeScanType(i int) reflect.Type   { return scanTypes[p.r.columns[i].scan] }
