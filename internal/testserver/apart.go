package testserver

import "bytes"

// Apart makes the relay count no request that a store makes by itself, twice a second or less: looks at the journal,
// at what other programs flush, and at the record of its servers. Their answers pass [Waves]. A test that counts what an
// operation asks for would else count them too, whenever it takes long enough.
func (r *Relay) Apart() *Relay {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.apart = true
	return r
}

// background reports whether a request is one of those.
func background(request []byte) bool {
	line, _, _ := bytes.Cut(request, []byte("\r\n"))
	command, keys, _ := bytes.Cut(line, []byte(" "))
	reads := string(command) == "gets"
	all := bytes.Fields(keys)
	if !reads && len(all) > 1 {
		all = all[:1] // behind it are flags, a time and a size
	}
	for _, key := range all {
		switch {
		case bytes.HasPrefix(key, []byte("@registry:")), bytes.HasPrefix(key, []byte("@ring:")):
		case reads && bytes.HasPrefix(key, []byte("@journal:")): // a write takes a number, and puts a record
		default:
			return false
		}
	}
	return len(all) > 0
}
