// Package templates writes the Go code that cachegen generates: a neutral description of a
// package's models goes in, formatted source comes out.
//
// It reads and writes no files and knows nothing of struct tags or type checking: whoever fills
// in a [Package] has already judged it. Equal descriptions give equal bytes.
package templates
