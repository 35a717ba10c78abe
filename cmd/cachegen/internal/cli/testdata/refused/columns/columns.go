package columns

import "time"

// Post names columns that it has not.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;by:Auhtor"`
	_ struct{} `cache:"list:B;by:Author,Author"`
	_ struct{} `cache:"list:C;by:Author Topic"`
	_ struct{} `cache:"list:D;by:Author,"`
	_ struct{} `cache:"list:E;by:Writer"`
	_ struct{} `cache:"list:F;by:Address.Zap"`
	_ struct{} `cache:"list:G;order:Titel"`
	_ struct{} `cache:"list:H;order:Title sideways"`
	_ struct{} `cache:"list:I;order:Title,Title desc"`
	_ struct{} `cache:"list:J;by:Nothing.Like.It"`
	_ struct{} `cache:"list:K;by:Secret"`

	ID      uint64
	Author  uint64
	Topic   string
	Title   string
	Writer  *Writer `cache:"list"`
	At      time.Time
	Address Address `gorm:"embedded"`
	Secret  string  `gorm:"-"`
}

// Address is embedded.
type Address struct{ Zip string }

// Writer is a relation.
type Writer struct{ ID uint64 }

// User is named as the database names it.
type User struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;by:user_name"`
	_ struct{} `cache:"list:B;order:home_zip desc"`
	_ struct{} `cache:"list:C;where:LOGIN = 'x'"`
	_ struct{} `cache:"list:D;by:nickname"`
	_ struct{} `cache:"list:E;by:home_zap"`

	ID       uint64
	UserName string
	Account  string  `gorm:"column:login"`
	Home     Address `gorm:"embedded;embeddedPrefix:home_"`
}
