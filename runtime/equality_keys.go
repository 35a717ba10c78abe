package cacheruntime

import "github.com/cachegen/cachegen/internal/fold"

// appendNames appends arguments as they stand in a list's name.
func (k *keys) appendNames(b []byte, args []Arg) []byte {
	for i, a := range args {
		if i > 0 {
			b = append(b, ',')
		}
		if k.columns == nil {
			b = a.appendFolded(b, fold.Folding{})
		} else {
			b = k.columns[i].appendName(b, a)
		}
	}
	return b
}

// appendFit appends arguments so that those which are known to be equal are alike.
func (k *keys) appendFit(b []byte, args []Arg) []byte {
	for i, a := range args {
		if i > 0 {
			b = append(b, ',')
		}
		if k.columns == nil {
			b = a.appendFolded(b, fold.Folding{})
		} else {
			b = k.columns[i].appendFit(b, a)
		}
	}
	return b
}

func (k *keys) fit(args []Arg) string { return string(k.appendFit(nil, args)) }

// odd reports whether one of the arguments is odd; see comparison.odd.
func (k *keys) odd(args []Arg) bool {
	for i := range k.columns {
		if k.columns[i].odd(args[i]) {
			return true
		}
	}
	return false
}
