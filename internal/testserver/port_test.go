package testserver

import (
	"net"
	"testing"
)

// A server that is stopped, and started again, finds nobody at its port.
func TestPortStaysReserved(t *testing.T) {
	p, err := reserve()
	if err != nil {
		t.Fatal(err)
	}
	at := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: p.number}
	if other, err := net.ListenUDP("udp", at); err == nil {
		other.Close()
		t.Fatalf("port %d is given to another", p.number)
	}
	p.release()
	after, err := net.ListenUDP("udp", at)
	if err != nil {
		t.Fatalf("port %d is held after its release: %v", p.number, err)
	}
	after.Close()
}
