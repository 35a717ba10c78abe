package cacheruntime

import "github.com/cachegen/cachegen/internal/sqltext"

// dialectOf returns the dialect that GORM's dialector of a name speaks.
func dialectOf(name string) sqltext.Dialect {
	switch name {
	case "sqlite":
		return sqltext.SQLite
	case "postgres":
		return sqltext.Postgres
	case "mysql":
		return sqltext.MySQL
	}
	return sqltext.Unknown
}
