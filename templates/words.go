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

// plural returns the plural of an English noun. ok is false where the ordinary rules may be wrong,
// and for what is no word: then the sentence must do without one.
func plural(noun string) (plural string, ok bool) {
	word := lastWord(noun)
	low := strings.ToLower(word)
	ends := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(low, e) })
	}
	before := byte(0) // the letter before the last
	if len(low) > 1 {
		before = low[len(low)-2]
	}
	switch {
	case word == "" || !isASCIILetter(word[len(word)-1]), ends(irregular...):
		return "", false
	case word == strings.ToUpper(word): // spelled: IDs, URLs; what S ends is a plural or seems one
		return noun + "s", !ends("s")
	case len(word) > 2 && word[:len(word)-1] == strings.ToUpper(word[:len(word)-1]) && ends("s"):
		return noun, true // IDs
	case !strings.ContainsAny(low, vowels+"y"):
		return "", false // Ctx
	case ends("ss", "sh", "tch", "nch"), ends("x") && isVowel(before):
		return noun + "es", true
	case ends("s", "x", "z", "ch", "f", "fe") && !ends("ff"), ends("o") && !isVowel(before), ends("quy"):
		return "", false // News, Ctx, Quiz, Epoch, Leaf, Hero
	case ends("y") && !isVowel(before):
		return noun[:len(noun)-1] + "ies", true
	default:
		return noun + "s", true
	}
}

// irregular are endings of words that have a plural of their own, or none.
var irregular = []string{
	"man", "men", "child", "children", "people", "foot", "tooth", "goose", "mouse", "sheep", "deer", "fish",
	"data", "media", "criteria", "criterion", "info", "information", "equipment", "money", "software", "hardware", "feedback",
}

const vowels = "aeiou"

func isVowel(c byte) bool { return strings.IndexByte(vowels, c) >= 0 }

func isASCIILetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// lastWord is the last of the words that a Go name is made of: "Box" of HTTPBox, "ID" of CityID and
// "IDs" of CityIDs.
func lastWord(name string) string {
	r := []rune(name)
	i := len(r)
	for i > 0 && !unicode.IsUpper(r[i-1]) && r[i-1] != '_' {
		i--
	}
	if i > 0 && r[i-1] != '_' { // a capital: those before it belong to it where the word is spelled
		small := len(r) - i
		i--
		for (small == 0 || small == 1 && r[len(r)-1] == 's') && i > 0 && unicode.IsUpper(r[i-1]) {
			i--
		}
	}
	return string(r[i:])
}

// article returns "a" or "an", whichever the word is spoken with.
func article(word string) string {
	r := []rune(word)
	if len(r) == 0 {
		return "a"
	}
	low := strings.ToLower(word)
	begins := func(starts ...string) bool {
		return slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(low, s) })
	}
	spelled := len(r) == 1 || unicode.IsUpper(r[0]) && (unicode.IsUpper(r[1]) || unicode.IsDigit(r[1]))
	an := false
	switch {
	case spelled, begins("html", "http", "xml", "sms", "ssh", "ssl"):
		an = strings.ContainsRune("aefhilmnorsx", []rune(low)[0])
	case begins("hour", "honor", "honour", "honest", "heir", "ush", "unin", "unim"):
		an = true
	case begins("us", "uni", "url", "uri", "uuid", "uid", "util", "eu", "one", "once"):
	default:
		an = isVowel(low[0])
	}
	if an {
		return "an"
	}
	return "a"
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
	taken := slices.Concat(m.Taken, extra, []string{"c", "r", "ctx", "context", "time", "gorm", "cacheruntime"})
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
