package shapes

import (
	"database/sql"
	"time"
)

// Post has times, which SQLite compares as text, and bytes, which drivers for it may read as NULL where
// there are none.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Newest;order:PublishedAt desc"`
	_ struct{} `cache:"list:Reviewed;order:ReviewedAt"`
	_ struct{} `cache:"list:Edited;order:EditedAt desc;limit:2"`
	_ struct{} `cache:"one:First;order:PublishedAt"`
	_ struct{} `cache:"list:Early;where:PublishedAt < '2026-03-01T12:00:00Z'"`
	_ struct{} `cache:"count:Late;where:EditedAt >= '2026-03-01T12:00:00Z'"`
	_ struct{} `cache:"list:Digests;order:Digest,Seal,Stamp"`
	_ struct{} `cache:"list:Sealed;where:Seal IS NOT NULL"`
	_ struct{} `cache:"list:Unsealed;where:Seal IS NULL"`
	_ struct{} `cache:"count:Stamped;where:Stamp IS NOT NULL"`
	_ struct{} `cache:"one:Signed;by:Seal,Stamp"`

	ID          uint64
	Title       string
	PublishedAt time.Time `cache:"count"`
	ReviewedAt  *time.Time
	EditedAt    sql.NullTime
	Digest      []byte `cache:"list;count"`
	Seal        *[]byte
	Stamp       sql.Null[[]byte]
}
