package fold

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

//go:embed table.txt
var table string

// exceptions is what table.txt says. It is made when text that is not ASCII is first folded.
var exceptions = sync.OnceValue(func() map[rune]string {
	m := map[rune]string{}
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		var to []rune
		if fields[0] != "-" {
			for c := range strings.SplitSeq(fields[0], "+") {
				to = append(to, codePoint(c))
			}
		}
		for _, f := range fields[1:] {
			first, last, isRange := strings.Cut(f, "-")
			if !isRange {
				last = first
			}
			for r := codePoint(first); r <= codePoint(last); r++ {
				m[r] = string(to)
			}
		}
	}
	return m
})

func codePoint(hex string) rune {
	n, err := strconv.ParseUint(hex, 16, 21)
	if err != nil {
		panic("cachegen: internal/fold/table.txt: " + hex) // a test parses it
	}
	return rune(n)
}

func exception(r rune) (to string, ok bool) {
	to, ok = exceptions()[r]
	return to, ok
}
