package testserver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Halt stops a process in its tracks, and returns when it has stopped. A signal alone does not say so: a thread that
// runs on another CPU goes on until that CPU hears of it, and a server's answers a request or two meanwhile.
func Halt(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		halted, err := threadsHalted(p.Pid)
		if halted || err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("process %d does not stop", p.Pid)
		}
	}
}

// threadsHalted reports whether all threads of a process are stopped (proc_pid_stat(5), the state behind the name).
func threadsHalted(pid int) (bool, error) {
	threads, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "stat"))
	if err != nil {
		return false, err
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if os.IsNotExist(err) {
			continue // the thread has ended
		}
		if err != nil {
			return false, err
		}
		// The name is in parentheses, and may have some of its own.
		if i := bytes.LastIndexByte(stat, ')'); i < 0 || !bytes.HasPrefix(stat[i:], []byte(") T")) {
			return false, nil
		}
	}
	return len(threads) != 0, nil
}
