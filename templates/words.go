package templates

import (
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"
)

// lowerFirst writes an exported name as an unexported one: "CityName" is "cityName", "ID" is
// "id", "URLPath" is "urlPath" and "IDs" is "ids".
func lowerFirst(name string) string {
	r := []rune(name)
	upper := 0
	for upper < len(r) && unicode.IsUpper(r[upper]) {
		upper++
	}
	// The last capital of several begins the next word, unless what follows is a plural s.
	if upper > 1 && upper < len(r) && unicode.IsLower(r[upper]) && string(r[upper:]) != "s" {
		upper--
	}
	for i := range upper {
		r[i] = unicode.ToLower(r[i])
	}
	return string(r)
}

// snake writes a name in lower case with underscores: "HTTPRequest" is "http_request".
func snake(name string) string {
	r := []rune(name)
	var b strings.Builder
	for i, c := range r {
		if unicode.IsUpper(c) && i > 0 && r[i-1] != '_' {
			afterLower := !unicode.IsUpper(r[i-1])
			beforeLower := i+1 < len(r) && unicode.IsLower(r[i+1])
			if afterLower || beforeLower {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// plural returns the plural of an English noun by the ordinary rules.
func plural(word string) string {
	last := func(n int) string {
		if len(word) < n {
			return ""
		}
		return strings.ToLower(word[len(word)-n:])
	}
	switch {
	case last(1) == "s" && len(word) > 1 && strings.ToUpper(word[:len(word)-1]) == word[:len(word)-1]:
		return word // "IDs" is one already
	case last(1) == "y" && len(word) > 1 && !strings.ContainsRune("aeiou", rune(last(2)[0])):
		return word[:len(word)-1] + "ies"
	case slices.Contains([]string{"s", "x", "z"}, last(1)), last(2) == "ch", last(2) == "sh":
		return word + "es"
	default:
		return word + "s"
	}
}

// article returns "a" or "an", whichever the word is spoken with.
func article(word string) string {
	r := []rune(word)
	if len(r) == 0 {
		return "a"
	}
	low := strings.ToLower(word)
	spelled := len(r) == 1 || unicode.IsUpper(r[0]) && unicode.IsUpper(r[1])
	switch {
	case spelled && strings.ContainsRune("AEFHILMNORSXaefhilmnorsx", r[0]):
		return "an"
	case spelled:
		return "a"
	case strings.HasPrefix(low, "hour"), strings.HasPrefix(low, "honor"), strings.HasPrefix(low, "honour"):
		return "an"
	case strings.HasPrefix(low, "us"), strings.HasPrefix(low, "uni"), strings.HasPrefix(low, "eu"), strings.HasPrefix(low, "one"):
		return "a"
	case strings.ContainsRune("aeiou", rune(low[0])):
		return "an"
	default:
		return "a"
	}
}

// join writes words as a sentence does: "a, b and c".
func join(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// params gives each column a parameter name. extra are names that the method has besides.
func (m Model) params(columns []Column, extra ...string) []string {
	taken := slices.Concat(m.Taken, extra, []string{"c", "o", "ctx", "context", "time", "gorm", "cacheruntime"})
	names := make([]string, len(columns))
	for i, col := range columns {
		name := lowerFirst(col.name())
		free := func(n string) bool {
			return !token.IsKeyword(n) && types.Universe.Lookup(n) == nil && !slices.Contains(taken, n)
		}
		for !free(name) {
			name += "Value"
		}
		taken = append(taken, name)
		names[i] = name
	}
	return names
}

// wrap breaks text into lines of at most width bytes, where its words allow.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
