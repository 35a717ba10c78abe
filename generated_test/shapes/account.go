package shapes

import "gorm.io/gorm"

// Account keeps deleted rows.
type Account struct {
	_ struct{} `cache:"model;ttl:24h"`
	_ struct{} `cache:"unique:Login;by:Tenant,Name"`

	ID        string
	Tenant    int            `gorm:"uniqueIndex:login"`
	Name      string         `gorm:"uniqueIndex:login"`
	Email     string         `cache:"unique;unchecked"`
	Shown     string         `gorm:"-"`
	DeletedAt gorm.DeletedAt `gorm:"uniqueIndex:login"`
}

// TableName is the table that accounts have always been in.
func (Account) TableName() string { return "crm_accounts" }

// AfterFind fills what is not in the table.
func (a *Account) AfterFind(*gorm.DB) error {
	a.Shown = a.Name + " <" + a.Email + ">"
	return nil
}
