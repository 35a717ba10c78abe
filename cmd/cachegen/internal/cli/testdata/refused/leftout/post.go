package leftout

import "gorm.io/gorm"

// Post names what is no column.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;by:Skipped"`
	_ struct{} `cache:"list:B;order:Skipped desc"`
	_ struct{} `cache:"list:C;where:Skipped = 'x'"`
	_ struct{} `cache:"list:D;by:hidden"`
	_ struct{} `cache:"list:E;by:Model"`
	_ struct{} `cache:"list:F;by:Home"`
	_ struct{} `cache:"list:G;by:Writer.Name"`
	_ struct{} `cache:"list:H;by:Tags"`
	_ struct{} `cache:"list:I;by:Migrated"`
	_ struct{} `cache:"list:J;order:-Title"`
	_ struct{} `cache:"list:K;where:Title IN ()"`
	_ struct{} `cache:"list:L;by:_"`

	gorm.Model `cache:"list"`
	Title      string
	Skipped    string `gorm:"-" cache:"list"`
	Migrated   string `gorm:"-:migration"`
	hidden     string
	Home       Address `gorm:"embedded;embeddedPrefix:home_" cache:"count"`
	WriterID   uint64
	Writer     Writer
	Tags       []Tag `gorm:"many2many:post_tags"`
}

// Address is embedded.
type Address struct{ Zip string }

// Writer is a relation.
type Writer struct {
	ID   uint64
	Name string
}

// Tag is one through a table.
type Tag struct{ ID uint64 }
