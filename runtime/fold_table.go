package cacheruntime

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

//go:embed fold_table.txt
var foldTable string

// foldExceptions is what fold_table.txt says. It is made when text that is not ASCII is first folded.
var foldExceptions = sync.OnceValue(func() map[rune]string {
	m := map[rune]string{}
	for line := range strings.Lines(foldTable) {
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
		panic("cachegen: fold_table.txt: " + hex) // a test parses it
	}
	return rune(n)
}

func foldException(r rune) (to string, ok bool) {
	to, ok = foldExceptions()[r]
	return to, ok
}
