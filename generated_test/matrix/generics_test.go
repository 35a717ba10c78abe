//go:build !lowestgorm

package matrix

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// generics are GORM's generics API: behaviour 47.
func generics() []write {
	of := func(do func(ctx context.Context, c *call)) func(*call) {
		return func(c *call) { do(c.db.Statement.Context, c) }
	}
	return []write{
		{name: "G.Create", falls: "articles:5*", do: of(func(ctx context.Context, c *call) {
			a := book("e")
			c.err(gorm.G[Article](c.db).Create(ctx, &a))
			c.see(a)
		})},
		{name: "G.CreateInBatches", falls: "articles:5* articles:6*", do: of(func(ctx context.Context, c *call) {
			a := []Article{book("e"), book("f")}
			c.err(gorm.G[Article](c.db).CreateInBatches(ctx, &a, 1))
			c.see(a)
		})},
		{name: "G.Where(…).Update, by key", falls: "articles:1 articles:1", do: of(func(ctx context.Context, c *call) {
			c.n(gorm.G[Slip](c.db).Where("id = ?", 1).Update(ctx, "title", "new"))
		})},
		{name: "G.Where(…).Update", falls: "shops:1 shops:2 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno)", do: of(func(ctx context.Context, c *call) {
			c.n(gorm.G[Shop](c.db).Where("city = ?", "bend").Update(ctx, "city", "reno"))
		})},
		{name: "G.Where(…).Updates(struct)", falls: "shops:1 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno)", do: of(func(ctx context.Context, c *call) {
			c.n(gorm.G[Shop](c.db).Where("name = ?", "anna").Updates(ctx, Shop{City: "reno"}))
		})},
		{name: "G.Where(…).Set(…).Update", falls: "shops:1 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno)", do: of(func(ctx context.Context, c *call) {
			c.n(gorm.G[Shop](c.db).Where("name = ?", "anna").Set(clause.Assignment{Column: clause.Column{Name: "city"}, Value: "reno"}).Update(ctx))
		})},
		{name: "G.Set(…).Create", falls: "notes", do: of(func(ctx context.Context, c *call) {
			c.err(gorm.G[Note](c.db).Set(clause.Assignment{Column: clause.Column{Name: "text"}, Value: "three"}).Create(ctx))
		})},
		{name: "G.Where(…).Delete", falls: "shops:1* shops:2*", do: of(func(ctx context.Context, c *call) {
			c.n(gorm.G[Shop](c.db).Where("city = ?", "bend").Delete(ctx))
		})},
		{name: "G.Where(…).Delete, softly", falls: "articles:1* articles:2*", do: of(func(ctx context.Context, c *call) {
			c.n(gorm.G[Article](c.db).Where("kind = ?", "food").Delete(ctx))
		})},
		{name: "G.Delete, no condition", fails: gorm.ErrMissingWhereClause.Error(), do: of(func(ctx context.Context, c *call) {
			c.n(gorm.G[Shop](c.db).Delete(ctx))
		})},
		{name: "G.Set(…).Update, no condition", fails: gorm.ErrMissingWhereClause.Error(), do: of(func(ctx context.Context, c *call) {
			c.n(gorm.G[Shop](c.db).Set(clause.Assignment{Column: clause.Column{Name: "city"}, Value: "reno"}).Update(ctx))
		})},
		{name: "G.Exec(UPDATE)", falls: "shops", do: of(func(ctx context.Context, c *call) {
			c.err(gorm.G[Shop](c.db).Exec(ctx, "UPDATE shops SET city = ? WHERE id = ?", "reno", 1))
		})},
		{name: "G.Raw(INSERT … RETURNING).Find", falls: "notes", do: of(func(ctx context.Context, c *call) {
			n, err := gorm.G[Note](c.db).Raw("INSERT INTO notes (text) VALUES (?) RETURNING *", "three").Find(ctx)
			c.err(err)
			c.see(n)
		})},
		{name: "G.WithOnConflict", falls: "articles:1 " + rebound + onSale, do: of(func(ctx context.Context, c *call) {
			a := c.article(1)
			a.Kind = "books"
			c.err(gorm.G[Article](c.db, clause.OnConflict{UpdateAll: true}).Create(ctx, a))
		})},
	}
}
