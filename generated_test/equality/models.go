// Package equality has models whose columns compare in odd ways; its tests make their tables with every kind of
// collation and type, and hold the cache against the database.
package equality

//go:generate go tool cachegen

import "time"

// Word has text under a collation that the tests choose.
type Word struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Chosen;where:Text = 'Straße'"`
	_ struct{} `cache:"count:Live;where:Text IN ('abc', 'ÅR'),Live = true"`
	_ struct{} `cache:"list:Others;where:Text != 'abc'"`
	_ struct{} `cache:"one:Latest;by:Text,Live;order:N desc"`

	ID   uint64
	Text string `cache:"unique;unchecked;list;count"`
	Live bool
	N    int64
}

// Name has text for its primary key.
type Name struct {
	_ struct{} `cache:"model"`

	Name  string `gorm:"primaryKey"`
	Title string
}

// Amount has numbers in types that are not Go's.
type Amount struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Cheap;where:Price = '1.50'"`

	ID     uint64
	Price  string   `cache:"unique;unchecked;list;count"` // DECIMAL
	Serial string   `cache:"list"`                        // an integer
	Rate   *float64 `cache:"list"`                        // DECIMAL
	Weight float64  `cache:"list"`                        // of single precision
	Year   int      `cache:"count"`                       // YEAR, where there is one
}

// Moment has times in all types that there are for them.
type Moment struct {
	_ struct{} `cache:"model"`

	ID    uint64
	At    time.Time  `cache:"list;count"` // with a zone
	Clock time.Time  `cache:"list;count"` // without one
	Day   *time.Time `cache:"list;count"` // no time at all
}

// Made has columns that the database has a hand in.
type Made struct {
	_ struct{} `cache:"model"`

	ID      uint64
	Text    string
	City    string  `gorm:"default:nowhere" cache:"list;count"` // by default
	Lower   string  `gorm:"->" cache:"list"`                    // generated
	Stamped string  `cache:"list"`                              // by a trigger
	Code    string  `cache:"unique;unchecked"`                  // CHAR(8)
	Price   float64 `cache:"list"`                              // with two digits after the point
	Kind    string  `cache:"list"`                              // an enumeration
}
