package cacheruntime

import (
	"context"

	"gorm.io/gorm"
)

// dbresolver's names, without the import: its plugin and callbacks, and the setting of dbresolver.Write.
const (
	resolverName  = "gorm:db_resolver"
	resolverWrite = "gorm:db_resolver:write"
)

// onPrimary has a statement sent to a primary database. A replica that lags would bring an old row under new
// stamps.
func onPrimary(q *gorm.DB) *gorm.DB { return q.Set(resolverWrite, struct{}{}) }

// primaryOf returns a session whose connection pool is that of a table's primary database, of which dbresolver may know
// several. It is for statements that run no callbacks.
func (rt *Runtime) primaryOf(ctx context.Context, table string) *gorm.DB {
	q := onPrimary(rt.db.Session(&gorm.Session{NewDB: true, Context: ctx}))
	if resolve := rt.db.Callback().Query().Get(resolverName); resolve != nil {
		q.Statement.Table = table
		resolve(q)
	}
	return q
}
