package testserver

import (
	"os/exec"
	"syscall"
)

// dieWithUs ends a server with the test's process, also when that is killed.
func dieWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
