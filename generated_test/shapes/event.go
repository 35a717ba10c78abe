package shapes

import (
	"database/sql"
	"time"
)

// State is where an event stands.
type State string

// Event has a column of every kind that where can judge.
type Event struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Hot;where:Score >= 10, Score < 1000, Score != 500;order:Score desc"`
	_ struct{} `cache:"list:Some;where:Score IN (1, -2, 3), Active = true"`
	_ struct{} `cache:"list:Quiet;where:Active = false,Muted = true,Seen != true"`
	_ struct{} `cache:"list:Titled;where:Title = 'it''s \\; both \"ways\"'"`
	_ struct{} `cache:"list:States;where:State IN ('new','open'),Title != 'x'"`
	_ struct{} `cache:"list:Late;where:At > '2024-02-29T12:30:00.5+02:00'"`
	_ struct{} `cache:"list:Cheap;where:Price <= 9.99, Price != -1e3"`
	_ struct{} `cache:"list:Orphans;where:Parent IS NULL,Weight IS NOT NULL,Note IS NULL,Done IS NOT NULL"`
	_ struct{} `cache:"count:Heavy;by:State;where:Weight > 5, Parent IN (1,2)"`
	_ struct{} `cache:"count:Noted;where:Note = 'yes',Done = true"`
	_ struct{} `cache:"one:Next;by:State;where:Big = 9223372036854775807;order:At;ttl:1500ms"`
	_ struct{} `cache:"one:Any"`

	ID     uint32
	Title  string
	State  State
	Score  int16
	Big    uint64
	Price  float64
	Active bool
	Muted  bool
	Seen   bool
	At     time.Time
	Parent *uint32
	Weight sql.NullInt32
	Note   *string
	Done   sql.NullBool
}
