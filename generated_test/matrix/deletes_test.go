package matrix

import (
	"gorm.io/gorm/clause"
)

// deletes are the ways to delete rows: behaviours 44 and 39.
func deletes() []write {
	return []write{
		{name: "Delete(&v), softly", falls: "articles:1*", do: func(c *call) {
			a := Article{ID: 1}
			c.did(c.db.Delete(&a))
			c.see(a)
		}},
		{name: "Delete(&v), softly, whose struct is wrong", falls: "articles:1*", do: func(c *call) {
			c.did(c.db.Delete(&Article{ID: 1, Kind: "books", Code: "z"}))
		}},
		{name: "Delete(&v), softly, again", do: func(c *call) { c.did(c.db.Delete(&Article{ID: 4})) }},
		{name: "Delete(&[]v), softly", falls: "articles:1* articles:3*", do: func(c *call) {
			c.did(c.db.Delete(&[]Article{{ID: 1}, {ID: 3}}))
		}},
		{name: "Delete(&T{}, ids), softly", falls: "articles:1* articles:3*", do: func(c *call) {
			c.did(c.db.Delete(&Article{}, []uint64{1, 3, 4, 99}))
		}},
		{name: "Where(…).Delete(&T{}), softly", falls: "articles:1* articles:2*", do: func(c *call) {
			c.did(c.db.Where("kind = ?", "food").Delete(&Article{}))
		}},
		{name: "Unscoped().Delete(&v)", falls: "articles:1*", do: func(c *call) { c.did(c.db.Unscoped().Delete(&Article{ID: 1})) }},
		{name: "Unscoped().Delete(&v), deleted softly before", falls: "articles:4", do: func(c *call) { c.did(c.db.Unscoped().Delete(&Article{ID: 4})) }},
		{name: "Unscoped().Where(…).Delete(&T{})", falls: "articles:3* articles:4", do: func(c *call) {
			c.did(c.db.Unscoped().Where("kind = ?", "tools").Delete(&Article{}))
		}},
		{name: "Delete(&v)", falls: "shops:1*", do: func(c *call) { c.did(c.db.Delete(&Shop{ID: 1})) }},
		{name: "Delete(&v) of no row", do: func(c *call) { c.did(c.db.Delete(&Shop{ID: 99})) }},
		{name: "Delete(&T{}, id)", falls: "shops:2*", do: func(c *call) { c.did(c.db.Delete(&Shop{}, 2)) }},
		{name: "Delete(&T{}, \"text\")", falls: "shops:2*", do: func(c *call) { c.did(c.db.Delete(&Shop{}, "2")) }},
		{name: "Delete(&T{}, condition)", falls: "shops:2*", do: func(c *call) { c.did(c.db.Delete(&Shop{}, "name = ?", "bert")) }},
		{name: "Where(…).Delete(&T{})", falls: "shops:1* shops:2*", do: func(c *call) {
			c.did(c.db.Where("city = ?", "bend").Delete(&Shop{}))
		}},
		{name: "Where(…).Delete(&T{}) of no row", do: func(c *call) { c.did(c.db.Where("city = ?", "none").Delete(&Shop{})) }},
		{name: "Where(…).Delete(&v), by key and condition", falls: "shops:1*", do: func(c *call) {
			c.did(c.db.Where("city = ?", "bend").Delete(&Shop{ID: 1}))
		}},
		{name: "Table(…).Where(…).Delete(nil)", falls: "shops:1* shops:2*", do: func(c *call) {
			c.did(c.db.Table("shops").Where("city = ?", "bend").Delete(nil))
		}},
		{name: "Delete(&v), a composite key", falls: "seats:east,1*", do: func(c *call) { c.did(c.db.Delete(&Seat{Place: Place{"east", 1}})) }},
		{name: "Delete(&v) of a model without lists", falls: "notes:1", do: func(c *call) { c.did(c.db.Delete(&Note{ID: 1})) }},
		{name: "Where(…).Delete(&T{}) of a model without lists", falls: "notes:1 notes:2", do: func(c *call) {
			c.did(c.db.Where("id > 0").Delete(&Note{}))
		}},
		{name: "Delete through another struct of the table, hard", falls: "articles:1*", do: func(c *call) { c.did(c.db.Delete(&Slip{ID: 1})) }},
		{name: "Clauses(Returning{}).Where(…).Delete(&[]v)", falls: "shops:1* shops:2*", do: func(c *call) {
			var gone []Shop
			c.did(c.db.Clauses(clause.Returning{}).Where("city = ?", "bend").Delete(&gone))
			c.see(gone)
		}},
		{name: "Select(associations).Delete(&v)", falls: "shops:1* articles:1* articles:2* shop_tags:1,1* shop_tags:1,2* licences:1*", do: func(c *call) {
			c.did(c.db.Select("Articles", "Licence", "Tags").Delete(&Shop{ID: 1}))
		}},
	}
}
