package testserver

import "testing"

func TestBackground(t *testing.T) {
	for request, want := range map[string]bool{
		"gets @registry:0123 @registry:0123:alive\r\n":           true,
		"gets @ring:shop\r\n":                                    true,
		"gets @journal:head @journal:7\r\n":                      true,
		"cas @registry:0123 0 0 20 7\r\n@journal:7 and the rest": true,
		"set @registry:0123:1 0 30 0\r\n\r\n":                    true,
		"gets 0123:shop:croupons:1 @registry:0123\r\n":           false,
		"gets @127.0.0.1:11211:shop:croupons\r\n":                false,
		"incr @journal:head 1\r\n":                               false,
		"add @journal:7 0 60 5\r\nbytes\r\n":                     false,
		"append 0123:shop:croupons:1 0 0 5\r\nbytes\r\n":         false,
		"\r\n": false, "": false, "gets": false, "gets \r\n": false,
	} {
		if got := background([]byte(request)); got != want {
			t.Errorf("%q: %v", request, got)
		}
	}
}
