package matrix

import (
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// refused are writes without a condition, which GORM refuses; behaviour 108.
func refused() []write {
	var all []write
	for name, do := range map[string]func(db *gorm.DB) *gorm.DB{
		"Delete(&T{})":                          func(db *gorm.DB) *gorm.DB { return db.Delete(&Shop{}) },
		"Delete(&T{}), softly":                  func(db *gorm.DB) *gorm.DB { return db.Delete(&Article{}) },
		"Delete(&[]T{})":                        func(db *gorm.DB) *gorm.DB { return db.Delete(&[]Shop{}) },
		"Unscoped().Delete(&T{})":               func(db *gorm.DB) *gorm.DB { return db.Unscoped().Delete(&Article{}) },
		"Delete(&T{}) of a model without lists": func(db *gorm.DB) *gorm.DB { return db.Delete(&Note{}) },
		"Table(…).Delete(nil)":                  func(db *gorm.DB) *gorm.DB { return db.Table("shops").Delete(nil) },
		"Clauses(Returning{}).Delete(&[]T{})":   func(db *gorm.DB) *gorm.DB { return db.Clauses(clause.Returning{}).Delete(&[]Shop{}) },
		"Model(&T{}).Update":                    func(db *gorm.DB) *gorm.DB { return db.Model(&Shop{}).Update("city", "reno") },
		"Model(&T{}).Update, a column of no list": func(db *gorm.DB) *gorm.DB {
			return db.Model(&Shop{}).Update("phone", "1")
		},
		"Model(&T{}).Update, softly deleted": func(db *gorm.DB) *gorm.DB { return db.Model(&Article{}).Update("kind", "books") },
		"Model(&T{}).Updates(struct)":        func(db *gorm.DB) *gorm.DB { return db.Model(&Shop{}).Updates(Shop{City: "reno"}) },
		"Model(&T{}).Updates(map)":           func(db *gorm.DB) *gorm.DB { return db.Model(&Shop{}).Updates(map[string]any{"city": "reno"}) },
		"Model(&T{}).UpdateColumn":           func(db *gorm.DB) *gorm.DB { return db.Model(&Shop{}).UpdateColumn("city", "reno") },
		"Model(&T{}).UpdateColumns":          func(db *gorm.DB) *gorm.DB { return db.Model(&Shop{}).UpdateColumns(Shop{City: "reno"}) },
		"Updates(&T{}), without a key":       func(db *gorm.DB) *gorm.DB { return db.Updates(&Shop{City: "reno"}) },
		"Unscoped().Model(&T{}).Update":      func(db *gorm.DB) *gorm.DB { return db.Unscoped().Model(&Article{}).Update("kind", "books") },
		"Table(…).Updates(map)":              func(db *gorm.DB) *gorm.DB { return db.Table("shops").Updates(map[string]any{"city": "reno"}) },
		"Where(empty struct).Delete(&T{})":   func(db *gorm.DB) *gorm.DB { return db.Where(&Shop{}).Delete(&Shop{}) },
		"Select(…).Updates(&T{})":            func(db *gorm.DB) *gorm.DB { return db.Select("City").Updates(&Shop{City: "reno"}) },
		"SkipHooks, Delete(&T{})":            func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{SkipHooks: true}).Delete(&Shop{}) },
		"in a transaction, Delete(&T{})": func(db *gorm.DB) *gorm.DB {
			tx := db.Begin()
			defer tx.Rollback()
			return tx.Delete(&Shop{})
		},
	} {
		all = append(all, write{name: name + ", no condition", fails: gorm.ErrMissingWhereClause.Error(), do: func(c *call) {
			tx := do(c.db)
			if !errors.Is(tx.Error, gorm.ErrMissingWhereClause) {
				c.t.Errorf("%v", tx.Error)
			}
			c.did(tx)
		}})
	}
	return sorted(all)
}

// sorted orders writes by their names.
func sorted(all []write) []write {
	slices.SortFunc(all, func(a, b write) int { return strings.Compare(a.name, b.name) })
	return all
}
