package testserver

import (
	"errors"
	"math/rand/v2"
	"net"
)

// A port is a port of the loopback interface that is one test's alone until it is released, also while its server
// is stopped: a server of another test that started there meanwhile would be taken for it.
type port struct {
	number int
	held   net.PacketConn // the UDP port of the same number: other test binaries see that it is taken, and it goes with the process
}

// The systems' own choice for outgoing connections, and for listeners that leave it to them, begins at 32768 or above.
const firstPort, lastPort = 15000, 32000

// reserve returns a port that nobody listens on.
func reserve() (*port, error) {
	var last error
	for range 1000 {
		n := firstPort + rand.IntN(lastPort-firstPort)
		held, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n})
		if err != nil {
			last = err
			continue
		}
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n})
		if err != nil {
			last = errors.Join(err, held.Close())
			continue
		}
		if last = l.Close(); last == nil {
			return &port{n, held}, nil
		}
		held.Close()
	}
	return nil, last
}

// release gives the port to whoever asks.
func (p *port) release() {
	if p != nil {
		p.held.Close()
	}
}
