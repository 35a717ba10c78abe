//go:build lowestgorm

package matrix

const newestGORM = false

// generics is empty: GORM's generics API is newer than the oldest GORM that cachegen works with.
func generics() []write { return nil }
