// Package cacheruntime serves GORM models from a cache that writes made through GORM keep right.
// A call of a generated accessor looks its key up in the first tier, then, with the stamps of its
// flush lists, in the second, and loads from the database what neither has; a GORM plugin marks
// the lists of every write before its COMMIT and gives them new stamps after it.
//
// Programs call [New] and the generated NewModels; what else is exported here is for generated
// code, and says so. The import path ends in runtime, but the package is cacheruntime, since the
// standard library has a runtime too.
package cacheruntime
