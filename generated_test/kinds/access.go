package kinds

import "time"

// Access has columns that are not written, or not read, or made by the database.
type Access struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:ByTwice;by:Twice"`
	_ struct{} `cache:"list:Named;by:Name;order:Once"`

	ID        uint64
	Name      string `gorm:"size:100;column:called;default:nobody"`
	Once      int    `gorm:"<-:create"`
	Later     int    `gorm:"<-:update;default:5"`
	Base      int64
	Twice     int64  `gorm:"->;type:bigint GENERATED ALWAYS AS (base * 2) STORED"`
	Password  string `gorm:"<-;->:false"`
	Nothing   string `gorm:"-"`
	All       string `gorm:"-:all"`
	Old       string `gorm:"-:migration"`
	ReadOnly  string `gorm:"->;default:made"`
	UpdatedAt time.Time
}
