package fieldtypes

// Post has columns of types that database/sql does not read, and one that nobody knows.
type Post struct {
	_ struct{} `cache:"model"`

	ID       uint64
	Tags     []string
	Size     complex128
	Settings map[string]string
	Any      any
	Deep     **int
	UUID     [16]byte
	Unknown  Missing
	Many     map[string]*Missing `gorm:"serializer:json"`
}
