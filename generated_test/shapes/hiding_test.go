package shapes

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/glebarez/sqlite"
)

// hiding is SQLite's driver, except that it reads an empty BLOB as NULL, as a driver may. The driver itself
// reads a nil []byte, which looks like NULL once it is in a field.
const hiding = "sqlite-hiding-empty-blobs"

func init() {
	db, err := sql.Open(sqlite.DriverName, ":memory:")
	if err != nil {
		panic(err)
	}
	sql.Register(hiding, hidingDriver{db.Driver()})
	_ = db.Close()
}

type hidingDriver struct{ driver.Driver }

func (d hidingDriver) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	return hidingConn{c}, err
}

type hidingConn struct{ driver.Conn }

func (c hidingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c hidingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c hidingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	return hidingRows{rows}, err
}

type hidingRows struct{ driver.Rows }

func (r hidingRows) Next(into []driver.Value) error {
	err := r.Rows.Next(into)
	for i, v := range into {
		if b, ok := v.([]byte); ok && len(b) == 0 {
			into[i] = nil
		}
	}
	return err
}
