package matrix

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Why less falls on MySQL and MariaDB.
const leftAlone = "MySQL and MariaDB tell of a row that is left as it was"

// relations are what GORM saves with its owner: behaviours 35, 36, 37 and 46.
func relations() []write {
	full := func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{FullSaveAssociations: true}) }
	return []write{
		{name: "Create(&v) with a belongs-to that is new", falls: "regions:3* shops:4*", do: func(c *call) {
			s := Shop{Name: "dora", City: "reno", Region: &Region{Name: "west"}}
			c.did(c.db.Create(&s))
			c.see(s)
		}},
		{name: "Create(&v) with a belongs-to that is there", falls: "shops:4*", do: func(c *call) {
			s := Shop{Name: "dora", City: "reno", Region: &Region{ID: 1, Name: "north"}}
			c.did(c.db.Create(&s))
			c.see(s)
		}},
		{name: "Create(&v) with a has-one", falls: "shops:4* licences:3*", do: func(c *call) {
			s := Shop{Name: "dora", City: "reno", Licence: &Licence{Number: "four"}}
			c.did(c.db.Create(&s))
			c.see(s)
		}},
		{name: "Create(&v) with has-many", falls: "shops:4* articles:5* articles:6*", do: func(c *call) {
			s := Shop{Name: "dora", City: "reno", Articles: []Article{book("e"), book("f")}}
			c.did(c.db.Create(&s))
			c.see(s)
		}},
		{name: "Create(&v) with has-many, of which one takes the key of a row that was made with its key given", falls: "articles:5* articles:6* shops:4*",
			off: map[string]off{"postgres": {falls: "articles articles:5 .GetByCode(e) .ListByKind(books) .CountByKind(books) .OneDearest(books) " +
				".ListSale(books) .CountByGrade(plain) .ListByShopID(2) shops:4*", why: "the sequence counts no keys that are given"}},
			do: func(c *call) {
				a := book("e")
				a.ID, a.ShopID = 5, id(2)
				c.did(c.db.Create(&a))
				s := Shop{Name: "dora", City: "reno", Articles: []Article{book("f")}}
				c.did(c.db.Create(&s))
				c.see(s)
			}},
		{name: "Create(&v) with has-many that are another's", falls: "shops:4* articles:1 .ListByShopID(1) .ListByShopID(4)", do: func(c *call) {
			s := Shop{Name: "dora", City: "reno", Articles: []Article{*c.article(1)}}
			c.did(c.db.Create(&s))
			c.see(s)
		}},
		{name: "Create(&v) with many2many", falls: "shops:4* tags:4* shop_tags:4,1* shop_tags:4,4*", do: func(c *call) {
			s := Shop{Name: "dora", City: "reno", Tags: []Tag{{ID: 1, Name: "new"}, {ID: 4, Name: "old"}}}
			c.did(c.db.Create(&s))
			c.see(s)
		}},
		{name: "Create(&v) with many2many that are new", falls: "shops:4* tags:4* tags:5* shop_tags:4,4* shop_tags:4,5*", do: func(c *call) {
			s := Shop{Name: "dora", City: "reno", Tags: []Tag{{Name: "old"}, {Name: "odd"}}}
			c.did(c.db.Create(&s))
			c.see(s)
		}},
		{name: "Omit(clause.Associations).Create(&v)", falls: "shops:4*", do: func(c *call) {
			s := Shop{Name: "dora", City: "reno", Articles: []Article{book("e")}, Tags: []Tag{{Name: "old"}}}
			c.did(c.db.Omit(clause.Associations).Create(&s))
			c.see(s)
		}},
		{name: "Save(&v) with what was preloaded, as it was", falls: "shops:1 articles:1 articles:2 licences:1", off: map[string]off{"mariadb": {falls: "", why: leftAlone}}, do: func(c *call) {
			s := c.shop(1)
			c.did(c.db.Save(s))
			c.see(s)
		}},
		{name: "Save(&v) with a child that another owner has", falls: "shops:1 articles:1 articles:2 articles:3 .ListByShopID(1) .ListByShopID(2) licences:1", off: map[string]off{"mariadb": {falls: "articles:3 .ListByShopID(1) .ListByShopID(2)", why: leftAlone}}, do: func(c *call) {
			s := c.shop(1)
			s.Articles = append(s.Articles, *c.article(3))
			c.did(c.db.Save(s))
			c.see(s)
		}},
		{name: "Save(&v) with a child whose columns are changed, which GORM leaves as they are", falls: "shops:1 articles:1 articles:2 licences:1", off: map[string]off{"mariadb": {falls: "", why: leftAlone}}, do: func(c *call) {
			s := c.shop(1)
			s.Articles[0].Kind = "books"
			c.did(c.db.Save(s))
			c.see(s)
		}},
		{name: "Save(&v) with a new child beside those that are there", falls: "shops:1 articles:1 articles:2 articles:5* licences:1", off: map[string]off{"mariadb": {falls: "articles:5*", why: leftAlone}}, do: func(c *call) {
			s := c.shop(1)
			s.Articles = append(s.Articles, book("e"))
			c.did(c.db.Save(s))
			c.see(s)
		}},
		{name: "Omit(clause.Associations).Save(&v)", falls: "shops:1", do: func(c *call) {
			s := c.shop(1)
			s.Articles[0].Kind, s.Phone = "books", "1"
			c.did(c.db.Omit(clause.Associations).Save(s))
		}},
		{name: "FullSaveAssociations, Save(&v)", falls: "shops:1 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno) " +
			"articles:1 articles:2 " + rebound + onSale + " licences:1 tags:1 tags:2 .GetByName(rare) .GetByName(odd) regions:1",
			off: map[string]off{"mariadb": {falls: "shops:1 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno) " +
				"articles:1 articles:2 " + rebound + onSale + " tags:2 .GetByName(rare) .GetByName(odd)", why: leftAlone}}, do: func(c *call) {
				s := c.shop(1)
				s.City, s.Articles[0].Kind, s.Tags[1].Name = "reno", "books", "odd"
				c.did(full(c.db).Save(s))
				c.see(s)
			}},
		{name: "FullSaveAssociations, Updates(&v)", falls: "shops:1 licences:1", do: func(c *call) {
			c.did(full(c.db).Updates(&Shop{ID: 1, Phone: "1", Licence: &Licence{ID: 1, Number: "uno"}}))
		}},
		{name: "Select(relation).Updates(&v)", falls: "licences:1", off: map[string]off{"mariadb": {why: leftAlone}}, do: func(c *call) {
			c.did(c.db.Select("Licence").Updates(&Shop{ID: 1, Phone: "1", Licence: &Licence{ID: 1, Number: "uno"}}))
		}},
	}
}

// shop reads a shop with all that it has.
func (c *call) shop(id uint64) *Shop {
	var s Shop
	if err := c.db.Preload(clause.Associations).First(&s, id).Error; err != nil {
		c.t.Fatal(err)
	}
	return &s
}

// associations are GORM's association mode: behaviours 36, 37, 46.
func associations() []write {
	anna := func(c *call, name string) *gorm.Association { return c.db.Model(&Shop{ID: 1}).Association(name) }
	return []write{
		{name: "Association(has-many).Append, new", falls: "articles:5*", do: func(c *call) {
			a := book("e")
			c.err(anna(c, "Articles").Append(&a))
			c.see(a)
		}},
		{name: "Association(has-many).Append, of another owner", falls: "articles:3 .ListByShopID(1) .ListByShopID(2)", do: func(c *call) {
			a := c.article(3)
			c.err(anna(c, "Articles").Append(a))
			c.see(a)
		}},
		{name: "Association(has-many).Append, owned already", falls: "articles:1", off: map[string]off{"mariadb": {why: leftAlone}}, do: func(c *call) {
			c.err(anna(c, "Articles").Append(c.article(1)))
		}},
		{name: "Association(has-many).Replace", falls: "articles:1 articles:2 articles:3 .ListByShopID(1) .ListByShopID(2) .ListByShopID(~)", do: func(c *call) {
			c.err(anna(c, "Articles").Replace(c.article(3)))
		}},
		{name: "Association(has-many).Delete", falls: "articles:2 .ListByShopID(1) .ListByShopID(~)", do: func(c *call) {
			c.err(anna(c, "Articles").Delete(c.article(2)))
		}},
		{name: "Association(has-many).Clear", falls: "articles:1 articles:2 .ListByShopID(1) .ListByShopID(~)", do: func(c *call) {
			c.err(anna(c, "Articles").Clear())
		}},
		{name: "Association(has-many).Unscoped().Delete", falls: "articles:2*", do: func(c *call) {
			c.err(anna(c, "Articles").Unscoped().Delete(c.article(2)))
		}},
		{name: "Association(has-many).Unscoped().Clear", falls: "articles:1* articles:2*", do: func(c *call) {
			c.err(anna(c, "Articles").Unscoped().Clear())
		}},
		{name: "Association(has-one).Append, there", falls: "licences:1 .ListByShopID(1) .ListByShopID(~) licences:2 .ListByShopID(2)", do: func(c *call) {
			c.err(anna(c, "Licence").Append(&Licence{ID: 2, Number: "two"}))
		}},
		{name: "Association(has-one).Replace, new", falls: "licences:1 .ListByShopID(1) .ListByShopID(~) licences:3*", do: func(c *call) {
			l := Licence{Number: "three"}
			c.err(anna(c, "Licence").Replace(&l))
			c.see(l)
		}},
		{name: "Association(has-one).Delete", falls: "licences:1 .ListByShopID(1) .ListByShopID(~)", do: func(c *call) {
			c.err(anna(c, "Licence").Delete(&Licence{ID: 1}))
		}},
		{name: "Association(has-one).Clear", falls: "licences:1 .ListByShopID(1) .ListByShopID(~)", do: func(c *call) {
			c.err(anna(c, "Licence").Clear())
		}},
		{name: "Association(has-one).Unscoped().Clear", falls: "licences:1*", do: func(c *call) {
			c.err(anna(c, "Licence").Unscoped().Clear())
		}},
		{name: "Association(belongs-to).Append, there", falls: "shops:1 .ListByRegionID(1) .ListByRegionID(2)", do: func(c *call) {
			s := Shop{ID: 1, RegionID: id(1)}
			c.err(c.db.Model(&s).Association("Region").Append(&Region{ID: 2, Name: "south"}))
			c.see(s)
		}},
		{name: "Association(belongs-to).Replace, new", falls: "regions:3* shops:1 .ListByRegionID(1) .ListByRegionID(3)", do: func(c *call) {
			s := Shop{ID: 1, RegionID: id(1)}
			c.err(c.db.Model(&s).Association("Region").Replace(&Region{Name: "west"}))
			c.see(s)
		}},
		{name: "Association(belongs-to).Delete", falls: "shops:1 .ListByRegionID(1) .ListByRegionID(~)", do: func(c *call) {
			s := Shop{ID: 1, RegionID: id(1)}
			c.err(c.db.Model(&s).Association("Region").Delete(&Region{ID: 1}))
		}},
		{name: "Association(belongs-to).Clear", falls: "shops:1 .ListByRegionID(1) .ListByRegionID(~)", do: func(c *call) {
			s := Shop{ID: 1, RegionID: id(1)}
			c.err(c.db.Model(&s).Association("Region").Clear())
		}},
		{name: "Association(belongs-to).Unscoped().Clear", falls: "shops:1 .ListByRegionID(1) .ListByRegionID(~)", fails: "regions", do: func(c *call) {
			s := Shop{ID: 1, RegionID: id(1)}
			c.err(c.db.Model(&s).Association("Region").Unscoped().Clear())
		}},
		{name: "Association(many2many).Append, new", falls: "tags:4* shop_tags:1,4*", do: func(c *call) {
			x := Tag{Name: "odd"}
			c.err(anna(c, "Tags").Append(&x))
			c.see(x)
		}},
		{name: "Association(many2many).Append, there", falls: "shop_tags:1,3*", do: func(c *call) {
			c.err(anna(c, "Tags").Append(&Tag{ID: 3, Name: "cheap"}))
		}},
		{name: "Association(many2many).Append, joined already", do: func(c *call) {
			c.err(anna(c, "Tags").Append(&Tag{ID: 1, Name: "new"}))
		}},
		{name: "Association(many2many).Append, from the other side", falls: "shop_tags:2,3*", do: func(c *call) {
			c.err(c.db.Model(&Tag{ID: 3}).Association("Shops").Append(&Shop{ID: 2, Name: "bert"}))
		}},
		{name: "Association(many2many).Replace", falls: "shop_tags:1,2* shop_tags:1,3* .ListByShopID(1)", do: func(c *call) {
			c.err(anna(c, "Tags").Replace(&Tag{ID: 1, Name: "new"}, &Tag{ID: 3, Name: "cheap"}))
		}},
		{name: "Association(many2many).Delete", falls: "shop_tags:1,2*", do: func(c *call) {
			c.err(anna(c, "Tags").Delete(&Tag{ID: 2}))
		}},
		{name: "Association(many2many).Clear", falls: "shop_tags:1,1* shop_tags:1,2*", do: func(c *call) { c.err(anna(c, "Tags").Clear()) }},
		{name: "Association(many2many).Unscoped().Clear", falls: "shop_tags:1,1* shop_tags:1,2*", do: func(c *call) {
			c.err(anna(c, "Tags").Unscoped().Clear())
		}},
		{name: "Association of several owners, Append", falls: "shop_tags:2,3* shop_tags:3,3*", do: func(c *call) {
			c.err(c.db.Model(&[]Shop{{ID: 2}, {ID: 3}}).Association("Tags").Append(&Tag{ID: 3, Name: "cheap"}, &Tag{ID: 3, Name: "cheap"}))
		}},
		{name: "Association, Find and Count", do: func(c *call) {
			var tags []Tag
			c.err(anna(c, "Tags").Find(&tags))
			c.n(int(anna(c, "Tags").Count()), nil)
			c.see(tags)
		}},
	}
}
