package cacheruntime

import (
	"database/sql"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// MySQL and MariaDB send rows as they lock them, so that a deadlock is told behind those that were locked by then: also seen of results of one
// packet, and in both protocols. Find and its like read to the end before their callbacks do; Rows, Row and Scan read after them:
//
//  1. a locking SELECT returns its rows, and the callbacks end
//  2. the program reads them, and gets a deadlock's error from Err; or closes them before that, and gets it from Close alone
//  3. the transaction is gone, and the program goes on in it, as after any other deadlock
//
// What Err says can be asked for later. What Close has said cannot: behind rows that may lock, it is not known then whether the
// transaction is there. (Rows that lock since the server's default is SERIALIZABLE, and that are closed early, are not known to.)

// outliving runs a callback that comes behind GORM's for Row and Rows, and then notes the rows.
func (p *plugin) outliving(after func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) {
		after(db)
		if db.Error != nil || db.DryRun || db.Name() != "mysql" {
			return
		}
		t := p.txOf(db.Statement.ConnPool)
		if t == nil {
			return
		}
		switch dest := db.Statement.Dest.(type) {
		case *sql.Rows:
			t.outlives(dest)
		case *sql.Row:
			if err := dest.Err(); err != nil {
				t.heed(lossOf(db.Name(), err))
			}
		}
		if text := db.Statement.SQL.String(); t.isolation == sql.LevelSerializable || sqltext.Mentions(text, "FOR") || sqltext.Mentions(text, "LOCK") || sqltext.Read(text, sqltext.MySQL).Writes() {
			t.heed(lossPerhaps)
		}
	}
}

// outlives notes rows that the program reads from here on. Those before them have ended: the connection was theirs.
func (t *dbTx) outlives(rows *sql.Rows) {
	t.heedRows()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = rows
}

// heedRows heeds how such rows have ended. It is called before anything is noted that came after them.
func (t *dbTx) heedRows() {
	t.mu.Lock()
	rows := t.rows
	t.mu.Unlock()
	if rows == nil {
		return
	}
	err := rows.Err() // which may wait for a Next on another goroutine
	if err == nil {
		return
	}
	t.mu.Lock()
	if t.rows == rows {
		t.rows = nil
	}
	t.mu.Unlock()
	t.heed(lossOf(t.p.rt.db.Name(), err))
}
