package load

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
)

// A tag whose key is nearly cache means nothing to Go and to GORM, and would mean nothing here, in silence.
// Others have keys of their own, so that one is only taken for ours if it is a letter away from it and its
// value begins as ours do: with a word of ours, which in a model may be misspelt too.

// nearKey reports whether a key is one letter, or two that changed places, away from cache.
func nearKey(key string) bool { return key != "cache" && edits(strings.ToLower(key), "cache") == 1 }

// ours are the words that a tag may begin with.
var ours = append(slices.Clone(declarationWords), "unchecked", "follow")

// misspelt returns the key and the first setting of a field's tag that was meant to be ours. inModel says that the
// struct has cache tags, too.
func misspelt(f *ast.Field, inModel bool) tag.Setting {
	if f.Tag == nil {
		return tag.Setting{}
	}
	for _, pair := range tag.Pairs(f.Tag.Value) {
		if !nearKey(pair.Key.S) {
			continue
		}
		word := tag.Settings(pair.Value)[0].Key.S
		if slices.Contains(ours, word) || inModel && Suggest(word, ours) != "" {
			return pair
		}
	}
	return tag.Setting{}
}

// checkKeys reports the tags of a struct with a misspelt key.
func (l *loader) checkKeys(st *ast.StructType) {
	inModel := slices.ContainsFunc(st.Fields.List, tagged)
	for _, f := range st.Fields.List {
		if pair := misspelt(f, inModel); pair.HasValue {
			l.errorf(inTag(f.Tag, pair.Key.Offset(0)), "unknown tag key %q; did you mean \"cache\"?", pair.Key.S)
		}
	}
}

// anyKey is what may be the key of a struct tag and is about as long as cache.
var anyKey = regexp.MustCompile(`\b([A-Za-z]{4,6}):\\?"`)

// mayHaveMisspelt reports whether a file is worth reading for tags with a misspelt key.
func mayHaveMisspelt(src []byte) bool {
	for _, m := range anyKey.FindAllSubmatch(src, -1) {
		if nearKey(string(m[1])) {
			return true
		}
	}
	return false
}
