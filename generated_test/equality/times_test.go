package equality

import (
	"fmt"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	mysqldriver "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
)

// moments is the table of Moment on each database.
func moments(d fixture.Database) string {
	types := map[string][]any{
		"sqlite":   {"integer PRIMARY KEY", "datetime", "timestamp", "date"},
		"postgres": {"bigserial PRIMARY KEY", "timestamptz(3)", "timestamp(0)", "date"},
		"mysql":    {"bigint AUTO_INCREMENT PRIMARY KEY", "timestamp(6) NULL", "datetime(0)", "date"},
	}[d.Name]
	return fmt.Sprintf("CREATE TABLE moments (id %s, at %s, clock %s, day %s)", types...)
}

// moments are all reads of Moment.
func (p *program) moments(times ...time.Time) (reads []read) {
	c, o := MomentReader(p.m.Moment.Cache), MomentReader(p.m.Moment.Objects)
	for _, at := range times {
		reads = append(reads,
			of("ListByAt", c, o, MomentReader.ListByAt, at), of("CountByAt", c, o, MomentReader.CountByAt, at),
			of("ListByClock", c, o, MomentReader.ListByClock, at), of("CountByClock", c, o, MomentReader.CountByClock, at),
			of("ListByDay", c, o, MomentReader.ListByDay, &at), of("CountByDay", c, o, MomentReader.CountByDay, &at))
	}
	return append(reads, of("ListByDay", c, o, MomentReader.ListByDay, nil), of("CountByDay", c, o, MomentReader.CountByDay, nil))
}

// behaviour 92, of times: whatever the zone, the precision and the type of the column, a time that the database finds
// is found in the cache.
func TestTimes(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) { testTimes(t, open(t, d, moments(d))) })
}

// The driver sends times as they read in a zone of its own, in which an hour may come twice.
func TestTimesInAZoneWithSummerTime(t *testing.T) {
	berlin := location(t, "Europe/Berlin")
	testTimesWith(t, func(c *mysqldriver.Config) { c.Loc = berlin })
}

// The server rounds what is beyond microseconds, as MySQL does.
func TestTimesRounded(t *testing.T) {
	testTimesWith(t, func(c *mysqldriver.Config) { c.Params = map[string]string{"sql_mode": "'TIME_ROUND_FRACTIONAL'"} })
}

func testTimesWith(t *testing.T, change func(*mysqldriver.Config)) {
	p := &program{sql: &fixture.Statements{}, faults: &faults{}}
	base := fixture.MariaDB(t)
	first := base.Open(t, &gorm.Config{})
	config := *first.Dialector.(*mysql.Dialector).DSNConfig
	change(&config)
	var err error
	p.db, err = gorm.Open(mysql.New(mysql.Config{DSNConfig: &config}), &gorm.Config{Logger: p.sql})
	must(t, err)
	t.Cleanup(func() {
		pool, err := p.db.DB()
		must(t, err)
		must(t, pool.Close())
	})
	p.exec(t, moments(base))
	p.start(t)
	testTimes(t, p)
}

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	must(t, err)
	return l
}

func testTimes(t *testing.T, p *program) {
	berlin := location(t, "Europe/Berlin")
	east := time.FixedZone("", 5*3600+45*60)
	// Twice half past two, on the morning that summer time ends.
	summer := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC).In(berlin)
	winter := summer.Add(time.Hour)
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	last := time.Date(2026, 1, 2, 23, 59, 59, 999_999_700, time.UTC)
	times := []time.Time{
		summer, winter, summer.UTC(), day, day.In(east), noon, noon.In(east), noon.In(berlin), time.Date(2026, 1, 2, 12, 0, 0, 0, east),
		time.Date(2026, 1, 2, 0, 0, 0, 0, east), noon.Add(499 * time.Millisecond), noon.Add(500 * time.Millisecond), noon.Add(time.Second),
		noon.Add(time.Microsecond), noon.Add(time.Nanosecond), noon.Add(999_999_600 * time.Nanosecond), last, last.Add(300), time.Date(2026, 1, 2, 12, 0, 1, 0, berlin),
	}
	all := p.moments(times...)
	agree(t, "empty", all)
	for i, at := range times {
		day := times[(i+3)%len(times)]
		m := Moment{At: at, Clock: at, Day: &day}
		must(t, p.db.Create(&m).Error)
		when := at.Format(time.RFC3339Nano)
		agree(t, when+" created", all)
		must(t, p.db.Model(&m).Updates(map[string]any{"at": at.Add(time.Hour), "clock": at.Add(time.Hour), "day": nil}).Error)
		agree(t, when+" changed", all)
		must(t, p.db.Delete(&m).Error)
		agree(t, when+" deleted", all)
		if t.Failed() {
			return
		}
	}
	for _, err := range p.faults.of("Moment") {
		t.Error(err)
	}
	for _, r := range p.moments(noon, day) {
		p.hits(t, r)
	}
}
