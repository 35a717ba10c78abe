//go:build lowestgorm

package cachetest_test

import (
	"github.com/cachegen/cachegen/generated_test/shop"
	"gorm.io/gorm"
)

// firstByGenerics does without them.
func firstByGenerics(db *gorm.DB) error { return db.First(&shop.Croupon{}).Error }
