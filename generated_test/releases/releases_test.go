package releases

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

const (
	food  = "read ListByCategory food"
	both  = "1:one:Portland:food 2:two:Portland:food"
	other = "2:two:Portland:food"
)

// behaviour 70, two layouts, a new list tag and a dropped one
func TestTwoReleases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.start("v1")
	old.eventually("read ListByCity Portland", both+" | first tier")
	old.eventually("read ListTitled one", "1:one:Portland:food | first tier")
	next := w.start("v2")
	// What both flush is cached at once; what one of them does not is loaded.
	next.eventually("read ListByCity Portland", both+" | first tier")
	next.says(food, both+" | unregistered")
	next.says("read CountInCategory food", "2 | unregistered")
	old.eventually("read ListTitled one", "1:one:Portland:food | unregistered")
	old.eventually("read ListByCity Portland", both+" | first tier")

	// Either saves, and the other's entries fall.
	old.eventually("read Get 1", "1:one:Portland:food | first tier")
	next.eventually("read Get 1", "1:one:Portland:food | first tier")
	next.do("set 1 title uno")
	old.soon("read Get 1", "1:uno:Portland:food")
	next.soon("read Get 1", "1:uno:Portland:food")
	old.do("set 1 city Eugene")
	old.soon("read ListByCity Portland", other)
	next.soon("read ListByCity Portland", other)
	next.soon("read ListByCity Eugene", "1:uno:Eugene:food")
	old.says("read ListTitled one", "| unregistered")
	old.do("set 1 category music")
	next.says(food, other+" | unregistered")
	next.says("read CountInCategory food", "1 | unregistered")

	// The older release goes, and the new tag takes effect.
	old.end()
	w.withdraw()
	next.eventually(food, other+" | first tier")
	next.eventually("read CountInCategory food", "1 | first tier")
	next.do("set 1 category food")
	next.soon("read CountInCategory food", "2")
}

// behaviour 110
func TestProgramComesWritesAndGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	next := w.start("v2")
	next.eventually(food, both+" | first tier")
	job := w.start("v1")
	if got := job.do("set 1 category music"); got != table+" not known to every program yet" {
		t.Errorf("a program that has just begun flushes %q", got)
	}
	job.end()
	next.soon(food, other)
	w.withdraw()
	next.eventually(food, other+" | first tier")
	job = w.start("v1")
	job.do("set 1 category food")
	job.end()
	next.soon(food, both)
}

// behaviour 110, a program whose registration everybody knows of flushes its own lists alone, and what the others had
// cached before is not found again when it has ended.
func TestSettledProgramEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	next := w.start("v2")
	next.eventually(food, both+" | first tier")
	old := w.start("v1")
	old.settle()
	if got := strings.Fields(old.do("set 1 category music")); !slices.Equal(got, []string{table + ":1"}) {
		t.Errorf("a program that is known flushes %q", got)
	}
	next.says(food, other+" | unregistered")
	old.kill()
	w.withdraw()
	next.eventually(food, other+" | first tier")
}

// behaviour 110, a program that was paused until it was taken for ended
func TestPausedProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	next := w.start("v2")
	old := w.start("v1")
	old.settle()
	old.halt()
	w.withdraw()
	next.eventually(food, both+" | first tier")
	old.send("set 1 category music")
	old.goOn()
	if got := strings.Fields(old.answer()); !slices.Contains(got, table) {
		t.Errorf("a program that was paused flushes %q", got)
	}
	next.soon(food, other)
}

// behaviour 110, a program that was paused during its COMMIT, until it was taken for ended
func TestPausedAtCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	next := w.start("v2")
	old := w.start("v1")
	old.settle()
	// A constraint that is checked at COMMIT, and waits for us.
	w.must(w.db.Exec(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$`).Error)
	w.must(w.db.Exec(`CREATE CONSTRAINT TRIGGER waits AFTER UPDATE ON croupons DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION wait()`).Error)
	lock := w.db.Begin()
	w.must(lock.Exec("SELECT pg_advisory_xact_lock(1)").Error)
	old.send("set 1 category music")
	for end, waiting := time.Now().Add(time.Minute), 0; waiting == 0; pause() {
		w.must(w.db.Raw("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&waiting).Error)
		if time.Now().After(end) {
			t.Fatal("the COMMIT does not wait")
		}
	}
	old.halt()
	w.withdraw()
	next.eventually(food, both+" | first tier")
	w.must(lock.Rollback().Error)
	old.goOn()
	if got := strings.Fields(old.answer()); !slices.Contains(got, table) {
		t.Errorf("a program that was paused at its COMMIT flushes %q", got)
	}
	next.soon(food, other)
}

// behaviours 70 and 110, the directory is evicted, or holds foreign bytes
func TestDirectoryLost(t *testing.T) {
	for name, lose := range map[string]func(w *world) error{
		"evicted": func(w *world) error { return w.client.Delete(directory()) },
		"garbage": func(w *world) error {
			return w.client.Set(&memcache.Item{Key: directory(), Value: []byte("\xc6R\x01\xff\xff\xff\x00\x00")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			next := w.start("v2")
			old := w.start("v1")
			old.settle()
			w.must(lose(w))
			old.do("set 1 category music")
			next.soon(food, other)
			// A program that begins now does not take itself for the only one.
			last := w.start("v2")
			last.says(food, other+" | unregistered")
			old.do("set 1 category food")
			last.says(food, both+" | unregistered")
			// What all flush is cached again.
			last.eventually("read ListByCity Portland", both+" | first tier")
			old.eventually("read ListByCity Portland", both+" | first tier")
			next.says(food, both+" | unregistered")
		})
	}
}

// behaviour 110, a reader that was paused while a program came and was settled
func TestPausedReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	next := w.start("v2")
	next.eventually(food, both+" | first tier")
	next.halt()
	old := w.start("v1")
	old.settle()
	old.do("set 1 category music")
	next.send(food)
	next.goOn()
	if got := next.answer(); got != other+" | unregistered" {
		t.Errorf("a reader that was paused says %q", got)
	}
}
