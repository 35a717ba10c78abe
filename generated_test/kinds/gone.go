package kinds

import (
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// Gone is a soft delete by number with the clauses and the tags of gorm.io/plugin/soft_delete: when the row was
// deleted in seconds, or in softDelete:milli or softDelete:nano, or softDelete:flag; DeletedAtField:X
// names a column that gets the time besides. Rows that are there have 0, or NULL where that is the
// column's default.
type Gone uint64

// QueryClauses leave deleted rows out of reads.
func (Gone) QueryClauses(f *schema.Field) []clause.Interface { return []clause.Interface{goneQuery{f}} }

// UpdateClauses leave deleted rows out of updates.
func (Gone) UpdateClauses(f *schema.Field) []clause.Interface {
	return []clause.Interface{goneUpdate{f}}
}

// DeleteClauses make an update of a delete.
func (Gone) DeleteClauses(f *schema.Field) []clause.Interface {
	return []clause.Interface{goneDelete{f}}
}

// goneQuery, goneUpdate and goneDelete are no clauses of a statement themselves; they change it.
type goneQuery struct{ *schema.Field }

func (q goneQuery) Name() string               { return "" }
func (q goneQuery) Build(clause.Builder)       {}
func (q goneQuery) MergeClause(*clause.Clause) {}

// ModifyStatement adds the condition that the row is there, once.
func (q goneQuery) ModifyStatement(st *gorm.Statement) {
	if _, done := st.Clauses["soft_delete_enabled"]; done || st.Unscoped {
		return
	}
	if c, ok := st.Clauses["WHERE"]; ok {
		if where, ok := c.Expression.(clause.Where); ok {
			for _, e := range where.Exprs {
				if or, ok := e.(clause.OrConditions); ok && len(or.Exprs) == 1 {
					where.Exprs = []clause.Expression{clause.And(where.Exprs...)}
					c.Expression = where
					st.Clauses["WHERE"] = c
					break
				}
			}
		}
	}
	var there any = 0
	if q.DefaultValue == "null" {
		there = nil
	}
	st.AddClause(clause.Where{Exprs: []clause.Expression{
		clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: q.DBName}, Value: there},
	}})
	st.Clauses["soft_delete_enabled"] = clause.Clause{}
}

type goneUpdate struct{ *schema.Field }

func (u goneUpdate) Name() string               { return "" }
func (u goneUpdate) Build(clause.Builder)       {}
func (u goneUpdate) MergeClause(*clause.Clause) {}

// ModifyStatement adds the condition.
func (u goneUpdate) ModifyStatement(st *gorm.Statement) {
	if st.SQL.Len() == 0 {
		goneQuery(u).ModifyStatement(st)
	}
}

type goneDelete struct{ *schema.Field }

func (d goneDelete) Name() string               { return "" }
func (d goneDelete) Build(clause.Builder)       {}
func (d goneDelete) MergeClause(*clause.Clause) {}

// ModifyStatement makes an update of the delete.
func (d goneDelete) ModifyStatement(st *gorm.Statement) {
	if st.SQL.Len() > 0 || st.Unscoped {
		return
	}
	settings := schema.ParseTagSetting(d.TagSettings["SOFTDELETE"], ",")
	now := st.DB.NowFunc()
	number := func() uint64 {
		switch {
		case settings["MILLI"] != "":
			return uint64(now.UnixMilli())
		case settings["NANO"] != "":
			return uint64(now.UnixNano())
		}
		return uint64(now.Unix())
	}
	var set clause.Set
	add := func(f *schema.Field, value any) {
		set = append(set, clause.Assignment{Column: clause.Column{Name: f.DBName}, Value: value})
		st.SetColumn(f.DBName, value, true)
	}
	if settings["FLAG"] != "" {
		add(d.Field, 1)
	} else {
		add(d.Field, number())
	}
	if f := d.Schema.LookUpField(settings["DELETEDATFIELD"]); f != nil {
		if f.GORMDataType == schema.Time {
			add(f, now)
		} else {
			add(f, number())
		}
	}
	st.AddClause(set)
	if st.Schema != nil {
		_, keys := schema.GetIdentityFieldValuesMap(st.Context, st.ReflectValue, st.Schema.PrimaryFields)
		if column, values := schema.ToQueryValues(st.Table, st.Schema.PrimaryFieldDBNames, keys); len(values) > 0 {
			st.AddClause(clause.Where{Exprs: []clause.Expression{clause.IN{Column: column, Values: values}}})
		}
	}
	goneQuery(d).ModifyStatement(st)
	st.AddClauseIfNotExists(clause.Update{})
	st.Build(st.DB.Callback().Update().Clauses...)
}

// InSeconds is deleted by its time in seconds.
type InSeconds struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;order:Name"`

	ID   uint64
	Name string `gorm:"size:100;uniqueIndex:in_seconds_name" cache:"unique;list;count"`
	Gone Gone   `gorm:"uniqueIndex:in_seconds_name"`
}

// InMilli is deleted by its time in milliseconds.
type InMilli struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;order:Name"`

	ID   uint64
	Name string `gorm:"size:100" cache:"list;count"`
	Gone Gone   `gorm:"softDelete:milli"`
}

// InNano is deleted by its time in nanoseconds, and NULL before.
type InNano struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;order:Name"`

	ID   uint64
	Name string `gorm:"size:100" cache:"list;count"`
	Gone Gone   `gorm:"softDelete:nano;default:null"`
}

// Flagged is deleted by a flag, with the time beside it.
type Flagged struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;order:Name"`

	ID     uint64
	Name   string `gorm:"size:100" cache:"list;count"`
	GoneAt *time.Time
	Gone   Gone `gorm:"softDelete:flag,DeletedAtField:GoneAt"`
}

// Zeroed has a time of its own where the row is there.
type Zeroed struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;order:Name"`

	ID        uint64
	Name      string         `gorm:"size:100" cache:"list;count"`
	DeletedAt gorm.DeletedAt `gorm:"zeroValue:1970-01-01 00:00:01;default:'1970-01-01 00:00:01'"`
}
