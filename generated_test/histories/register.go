package histories

//go:generate go tool cachegen

// Register is a row whose every state is known: Value is the number of the write that made it.
type Register struct {
	_ struct{} `cache:"model;ttl:1h"`

	ID    uint64 `gorm:"primaryKey;autoIncrement:false"`
	Code  string `gorm:"uniqueIndex" cache:"unique"`
	Shelf int64  `gorm:"index" cache:"list;count"`
	Value int64
}
