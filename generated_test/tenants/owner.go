package tenants

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

type tenantKey struct{}

// WithTenant returns the context of a tenant's requests.
func WithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// TenantOf returns the tenant of a context, or "".
func TenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}

// ownerIs is the condition that a column of type Owner brings.
type ownerIs struct{ field *schema.Field }

// Name, Build and MergeClause make it a clause of which only ModifyStatement counts.
func (ownerIs) Name() string               { return "" }
func (ownerIs) Build(clause.Builder)       {}
func (ownerIs) MergeClause(*clause.Clause) {}

// ModifyStatement adds the condition. Without a tenant there is none.
func (o ownerIs) ModifyStatement(st *gorm.Statement) {
	if tenant := TenantOf(st.Context); tenant != "" {
		st.AddClause(clause.Where{Exprs: []clause.Expression{
			clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: o.field.DBName}, Value: tenant},
		}})
	}
}
