package cacheruntime

import (
	"errors"
	"fmt"

	"github.com/cachegen/cachegen/flushlist"
)

// ErrFlush matches the error of a write that was rolled back in mode Strict because a cache server
// could not be told of it, and that of a Flush or FlushTable that did not reach one. See
// [flushlist.ErrFlush].
var ErrFlush = flushlist.ErrFlush

var (
	// ErrClosed matches the error of every read after the Runtime or its store was closed.
	ErrClosed = errors.New("cachegen: closed")
	// ErrNilContext is returned by every call that is given a nil context.
	ErrNilContext = errors.New("cachegen: nil context: pass the request's context, or context.Background()")
	// ErrNoModel matches the error of FlushTable for a table that no model is cached of.
	ErrNoModel = errors.New("cachegen: no model is cached")
	// ErrUnimplemented matches the errors of a generated Unimplemented…Reader, which a test's fake embeds.
	ErrUnimplemented = errors.New("cachegen: the fake does not define this method")
	// ErrModel matches the error of NewModels when generated code and GORM read a model
	// differently.
	ErrModel = errors.New("cachegen: model and generated code differ")
)

var (
	errRuntimeClosed = fmt.Errorf("%w: the runtime was closed", ErrClosed)
	errStoreClosed   = fmt.Errorf("%w: the store was closed before the runtime", ErrClosed)
)

// Unimplemented returns the error of a method that a fake does not have. It is for generated code.
func Unimplemented(method string) error {
	return fmt.Errorf("%w: %s", ErrUnimplemented, method)
}
