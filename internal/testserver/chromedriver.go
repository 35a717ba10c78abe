package testserver

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Browser is a running ChromeDriver, which starts Chromium for each session that is asked of it.
type Browser struct {
	// URL is where ChromeDriver speaks W3C WebDriver, without a slash at the end.
	URL string
	// Program is the browser's path, for the session's goog:chromeOptions.
	Program string
	// Dir is an empty folder for the sessions' --user-data-dir. It goes with the test.
	Dir string
}

// ChromeDriver starts ChromeDriver. It and every browser of it are killed when the test ends.
func ChromeDriver(tb testing.TB) *Browser {
	tb.Helper()
	const install = "apt-get install -y --no-install-recommends chromium chromium-driver"
	program, driver := find(tb, "chromium", install), find(tb, "chromedriver", install)
	port := freePort(tb)
	// The browsers outlive a ChromeDriver that is killed. So a shell leads the group of all of them, and
	// kills the group when its input ends: in the cleanup, or because the test's process is gone.
	cmd := exec.Command("sh", "-c", `exec 3<&0; { read _ <&3; kill -9 0; } & exec "$0" "$@" 3<&- </dev/null`, driver, "--port="+strconv.Itoa(port))
	dir, err := os.MkdirTemp("", "cachegen-browser-")
	if err != nil {
		tb.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_CACHE_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	held, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		_ = os.RemoveAll(dir)
		tb.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	tb.Cleanup(func() {
		held.Close()
		<-exited
		// All of the group are killed by one call. One of them may be in the middle of making a file.
		for range 100 {
			if os.RemoveAll(dir) == nil {
				return
			}
		}
		tb.Errorf("%s cannot be removed", dir)
	})
	b := &Browser{URL: "http://127.0.0.1:" + strconv.Itoa(port), Program: program, Dir: dir}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute)
	for !b.ready() {
		select {
		case <-tick.C:
		case <-exited:
			tb.Fatalf("%s ended at once: %v", driver, cmd.ProcessState)
		case <-late:
			tb.Fatalf("%s is not ready at %s", driver, b.URL)
		}
	}
	return b
}

// ready reports whether ChromeDriver takes sessions.
func (b *Browser) ready() bool {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(b.URL + "/status")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var status struct{ Value struct{ Ready bool } }
	return json.NewDecoder(resp.Body).Decode(&status) == nil && status.Value.Ready
}
