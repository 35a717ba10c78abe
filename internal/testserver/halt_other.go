//go:build !linux

package testserver

import (
	"os"
	"syscall"
)

// Halt stops a process in its tracks. It may go on for a moment.
func Halt(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }
