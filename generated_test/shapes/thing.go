// Package shapes has a model of every shape that the generator knows; its tests read each through the cache
// and compare with the database.
package shapes

//go:generate go tool cachegen

import (
	"database/sql"
	"encoding/json"
	"time"

	"gorm.io/gorm"
)

type (
	// Level is a declared integer.
	Level int16
	// Flags is a declared unsigned integer.
	Flags uint8
	// Ratio is a declared float.
	Ratio float32
	// Color is a declared string.
	Color string
	// Blob is declared bytes.
	Blob []byte

	// Alias is another name for a type.
	Alias = Color
)

// Place is embedded below.
type Place struct {
	Zip  string
	City *string
}

// Thing has them all.
type Thing struct {
	_ struct{} `cache:"model;ttl:forever"`
	_ struct{} `cache:"list:Everything"`
	_ struct{} `cache:"list:Mixed;by:PLevel,NullColor,Where.Zip,Home.City,At,PAt,NullAt,Raw;order:PAt,NullAt desc,Raw,PRaw,NullText,Where.City;ttl:90s"`
	_ struct{} `cache:"count:Made;by:CreatedAt"`

	gorm.Model

	I   int
	I8  int8
	I16 int16
	I32 int32
	I64 int64
	U   uint
	U8  uint8
	U16 uint16
	U32 uint32
	U64 uint64
	B   byte
	R   rune
	F32 float32
	F64 float64
	On  bool
	S   string `gorm:"uniqueIndex" cache:"unique;list"`
	Raw []byte
	At  time.Time
	J   json.RawMessage

	PI   *int
	PU   *uint8
	PF   *float64
	POn  *bool
	PS   *string `gorm:"unique" cache:"unique"`
	PRaw *[]byte
	PAt  *time.Time

	Level  Level `cache:"list"`
	Flags  Flags
	Ratio  Ratio
	Color  Color `gorm:"uniqueIndex" cache:"unique;count"`
	Blob   Blob
	Alias  Alias
	PLevel *Level
	PColor *Color

	NullText  sql.NullString `gorm:"index:,unique" cache:"unique"`
	Null64    sql.NullInt64
	Null32    sql.NullInt32
	Null16    sql.NullInt16
	NullByte  sql.NullByte
	NullFloat sql.NullFloat64
	NullBool  sql.NullBool
	NullAt    sql.NullTime
	NullColor sql.Null[Color]
	NullStamp sql.Null[time.Time]
	NullRaw   sql.Null[[]byte]

	Where Place `gorm:"embedded;embeddedPrefix:where_"`
	Home  Place `gorm:"embedded;embeddedPrefix:home_"`
}
