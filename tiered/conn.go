package tiered

import (
	"bytes"
	"errors"
	"net"
	"time"
)

// conn watches what a server answers, since gomemcache believes it: that a value is as long as its header
// says, that an answer ends, and that it ends where the next one begins. A server that answers
// otherwise gets an error, and its connection is closed. It is used by one request at a time.
//
// An answer is a line, or VALUE lines with their data and then a line:
//
//	VALUE <key> <flags> <bytes> <cas>\r\n<data>\r\n … END\r\n
type conn struct {
	net.Conn
	slot  *slot // whose request it is used for
	limit int   // bytes of the largest item

	asking bool   // a request was sent, and its answer has not ended
	values int    // how many items may still come
	skip   int    // bytes of an item's data that are still to come
	line   []byte // the part of a line that has come
	broken error  // why the connection is of no use any more
}

const (
	itemSlack = 64 << 10 // a cell or an entry may be larger than ItemLimit by its key, a cell by its tokens
	longLine  = 512      // bytes; a key is at most 250
)

var errAnswer = errors.New("the server's answer is not memcached's")

// Write sends a part of a request.
func (c *conn) Write(b []byte) (int, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	if !c.asking {
		c.asking, c.values = true, 0
		// One deadline for the whole request: gomemcache would move it on with every item.
		if err := c.Conn.SetDeadline(c.slot.deadline); err != nil {
			return 0, err
		}
	}
	c.values += bytes.Count(b, []byte{' '}) // in a get, one before each key
	return c.Conn.Write(b)
}

// SetDeadline leaves the deadline of a request under way as it is.
func (c *conn) SetDeadline(t time.Time) error {
	if c.asking {
		return nil
	}
	return c.Conn.SetDeadline(t)
}

// Read receives a part of an answer. Nothing of it is handed on that was not checked.
func (c *conn) Read(b []byte) (int, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	n, err := c.Conn.Read(b)
	if c.broken = c.check(b[:n]); c.broken != nil {
		return 0, c.broken
	}
	return n, err
}

// check follows the answer.
func (c *conn) check(b []byte) error {
	for len(b) > 0 {
		if !c.asking {
			return errAnswer // more than was asked for; it would be taken for the next answer
		}
		if c.skip > 0 {
			n := min(c.skip, len(b))
			c.skip -= n
			b = b[n:]
			continue
		}
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			c.line = append(c.line, b...)
			b = nil
		} else {
			c.line = append(c.line, b[:end+1]...)
			b = b[end+1:]
		}
		if len(c.line) > longLine {
			return errAnswer
		}
		if end < 0 {
			return nil
		}
		if err := c.checkLine(c.line); err != nil {
			return err
		}
		c.line = c.line[:0]
	}
	return nil
}

func (c *conn) checkLine(line []byte) error {
	if !bytes.HasPrefix(line, []byte("VALUE ")) {
		c.asking = false
		return nil
	}
	if c.values == 0 {
		return errAnswer
	}
	c.values--
	_, rest, _ := bytes.Cut(line, []byte{' '}) // VALUE
	_, rest, _ = bytes.Cut(rest, []byte{' '})  // the key
	_, rest, _ = bytes.Cut(rest, []byte{' '})  // the flags
	size, digits := 0, 0
	for ; digits < len(rest) && '0' <= rest[digits] && rest[digits] <= '9'; digits++ {
		if size = 10*size + int(rest[digits]-'0'); size > c.limit {
			return errAnswer
		}
	}
	if digits == 0 || digits == len(rest) || rest[digits] != ' ' && rest[digits] != '\r' {
		return errAnswer
	}
	c.skip = size + len("\r\n")
	return nil
}
