package cacheruntime

// The functions in this file give the rows of a Table their types. They are for generated code. P is the pointer to
// the model's struct and not the struct, since the compiler shares one body between all pointers; what loops is not
// inlined, so that there is but that body.

// Row returns the row of a Get; nil where there is an error.
func Row[P any](row any, err error) (P, error) {
	p, _ := row.(P)
	return p, err
}

// Rows returns the rows of a GetMany, a list or a page, never nil without an error.
//
//go:noinline
func Rows[P any](rows []any, err error) ([]P, error) {
	if err != nil {
		return nil, err
	}
	out := make([]P, len(rows))
	for i, row := range rows {
		out[i], _ = row.(P)
	}
	return out, nil
}

// ByKey returns the rows of a GetMap by the keys that they were asked for. What is absent is left out.
//
//go:noinline
func ByKey[P any, K comparable](keys []K, rows []any, err error) (map[K]P, error) {
	if err != nil {
		return nil, err
	}
	byKey := make(map[K]P, len(rows))
	for i, row := range rows {
		if p, ok := row.(P); ok {
			byKey[keys[i]] = p
		}
	}
	return byKey, nil
}

// Distinct returns the keys in order of appearance, each once.
//
//go:noinline
func Distinct[K comparable](keys []K) []K {
	out := make([]K, 0, len(keys))
	seen := make(map[K]bool, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

// EachKey appends the arguments of each of several composite keys, one behind the other.
//
//go:noinline
func EachKey[K any](keys []K, f func(to []Arg, k K) []Arg) []Arg {
	var args []Arg
	for _, k := range keys {
		args = f(args, k)
	}
	return args
}
