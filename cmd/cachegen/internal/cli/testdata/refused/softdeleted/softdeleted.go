package softdeleted

import "gorm.io/gorm"

// Post looks for deleted rows.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;by:DeletedAt"`
	_ struct{} `cache:"list:B;where:DeletedAt IS NULL"`
	_ struct{} `cache:"list:C;order:DeletedAt"`
	_ struct{} `cache:"list:D;where:Model.DeletedAt IS NOT NULL"`

	gorm.Model
}

// Secret has a column that is written and never read.
type Secret struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"count:A;where:Hash = 'x'"`
	_ struct{} `cache:"one:B;order:Hash"`

	ID   uint64
	Hash string `gorm:"->:false;<-" cache:"list"`
}
