// Package cacheruntime serves GORM models from a cache, and keeps the cache right through every
// write made through GORM. A generated accessor looks its key up in the first tier, then in the
// second, together with the stamps of its flush lists, and loads from the database what neither has.
// A GORM plugin marks the lists of every write before its COMMIT, and gives them new stamps after it.
//
// Programs call [New] and the generated NewModels. Names that are for generated code alone say so.
// The import path ends in runtime, but the package is cacheruntime, since the standard library has a
// runtime too.
package cacheruntime
