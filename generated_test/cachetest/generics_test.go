//go:build !lowestgorm

package cachetest_test

import (
	"github.com/cachegen/cachegen/generated_test/shop"
	"gorm.io/gorm"
)

// firstByGenerics finds a croupon by GORM's generics API, which is newer than the oldest GORM that cachegen works
// with.
func firstByGenerics(db *gorm.DB) error {
	_, err := gorm.G[shop.Croupon](db).First(ctx)
	return err
}
