package histories_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/histories"
	"gorm.io/gorm"
)

// truthSQL makes the database write down every state of every row. A row's lock is held when its state is written down
// and until the transaction ends, so that the numbers of one row's states are in the order of their COMMITs; what is
// rolled back is gone from there too.
//
// A COMMIT of a process takes effect only while nobody holds the advisory lock of its name: the gate, by which the test
// holds a write between its tokens and its COMMIT's effect.
const truthSQL = `
CREATE TABLE truth (
	number bigserial PRIMARY KEY, id bigint NOT NULL, write bigint NOT NULL,
	code text NOT NULL, shelf bigint NOT NULL, present boolean NOT NULL, tx bigint NOT NULL DEFAULT txid_current()
);
CREATE FUNCTION write_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		INSERT INTO truth (id, write, code, shelf, present)
		VALUES (OLD.id, current_setting('histories.write')::bigint, OLD.code, OLD.shelf, false);
	ELSE
		INSERT INTO truth (id, write, code, shelf, present) VALUES (NEW.id, NEW.value, NEW.code, NEW.shelf, true);
	END IF;
	RETURN NULL;
END $$;
CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(hashtext(current_setting('application_name')));
	RETURN NULL;
END $$;
CREATE TRIGGER write_down AFTER INSERT OR UPDATE OR DELETE ON registers FOR EACH ROW EXECUTE FUNCTION write_down();
CREATE CONSTRAINT TRIGGER gate AFTER INSERT OR UPDATE OR DELETE ON registers
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gate();
`

// state is one committed state of a row.
type state struct {
	Number  int64
	ID      uint64
	Write   int64 // that made it; 0 for a row that was never there
	Code    string
	Shelf   int64
	Present bool
	Tx      int64

	// Which the test adds from what the writer logged.
	start, end int64 // of the write; end is never where its outcome was not known to it
	writer     int
	// delivered is when everybody has been told of it at the latest: end, but for writes that could not tell all.
	delivered int64
}

const never = math.MaxInt64

// openTruth makes the database that workers share, and returns it as the test sees it.
func openTruth(t *testing.T) (fixture.Database, *gorm.DB) {
	t.Helper()
	d := fixture.Postgres(t)
	db := d.Open(t, nil)
	must(t, db.AutoMigrate(&histories.Register{}))
	must(t, db.Exec(truthSQL).Error)
	return d, db
}

// readTruth returns the states of each row, oldest first, the first one being that it is not there. All writers have
// ended.
func readTruth(t *testing.T, db *gorm.DB) map[uint64][]state {
	t.Helper()
	awaitNoSessions(t, db, "worker%")
	var all []state
	must(t, db.Raw("SELECT * FROM truth ORDER BY number").Scan(&all).Error)
	rows := map[uint64][]state{}
	for _, s := range all {
		row, ok := rows[s.ID]
		if !ok {
			row = []state{{ID: s.ID, start: math.MinInt64, end: math.MinInt64, delivered: math.MinInt64}}
		}
		if last := len(row) - 1; row[last].Tx == s.Tx && last > 0 {
			row[last] = s // nobody saw what a transaction made in between
		} else {
			row = append(row, s)
		}
		rows[s.ID] = row
	}
	return rows
}

// awaitNoSessions waits until no process of a name has a session any more.
func awaitNoSessions(t *testing.T, db *gorm.DB, name string) {
	t.Helper()
	eventually(t, time.Minute, "the database has a session of a process that has ended", func() bool {
		var n int64
		must(t, db.Raw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE ?", name).Scan(&n).Error)
		return n == 0
	})
}

// gate holds back the COMMITs of processes of one name.
type gate struct {
	db   *gorm.DB // of one connection
	name string
}

// newGate returns the gate of a name. It is open.
func newGate(t *testing.T, d fixture.Database, name string) *gate {
	db := d.Open(t, nil)
	pool, err := db.DB()
	must(t, err)
	pool.SetMaxOpenConns(1)
	return &gate{db, name}
}

func (g *gate) shut(t *testing.T) {
	t.Helper()
	must(t, g.db.Exec("SELECT pg_advisory_lock(hashtext(?))", g.name).Error)
}

func (g *gate) open(t *testing.T) {
	t.Helper()
	must(t, g.db.Exec("SELECT pg_advisory_unlock(hashtext(?))", g.name).Error)
}

// waiting returns how many COMMITs the gate holds back.
func (g *gate) waiting(t *testing.T) (n int64) {
	t.Helper()
	must(t, g.db.Raw(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
		AND application_name = ? AND wait_event_type = 'Lock' AND wait_event = 'advisory'`, g.name).Scan(&n).Error)
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls until ok, or fails with what.
func eventually(t testing.TB, patience time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal(what)
		}
	}
}

// String says what a row's state is.
func (s state) String() string {
	if !s.Present {
		return fmt.Sprintf("absent (write %s)", writeName(s.Write))
	}
	return fmt.Sprintf("%s on shelf %d with code %s", writeName(s.Write), s.Shelf, s.Code)
}

// writeName names a write by its process and its number there.
func writeName(w int64) string {
	if w == 0 {
		return "none"
	}
	return fmt.Sprintf("%d.%d", w>>32, w&(1<<32-1))
}
