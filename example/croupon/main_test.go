package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestMain runs the command itself where the tests below ask for it.
func TestMain(m *testing.M) {
	if os.Getenv("CROUPON_RUN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command is this command, with a folder of its own for what it leaves behind.
func command(t *testing.T, args ...string) (cmd *exec.Cmd, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	cmd = exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), "CROUPON_RUN=1", "TMPDIR="+dir)
	return cmd, dir
}

// The command says where the site is, serves it, and ends in good order when it is interrupted.
func TestServe(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		cmd, dir := command(t, "-serve", "127.0.0.1:0", "-n", "1000")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		url := ""
		for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
			if _, rest, ok := strings.Cut(lines.Text(), "The site is at "); ok {
				url, _, _ = strings.Cut(rest, " ")
			}
		}
		if url == "" {
			t.Fatalf("it says no address: %v\n%s", cmd.Wait(), &stderr)
		}
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", url, resp.Status)
		}

		// The port is taken now.
		second, _ := command(t, "-serve", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"))
		if said, err := second.CombinedOutput(); err == nil || !strings.HasPrefix(string(said), "croupon: -serve: something listens on 127.0.0.1:") {
			t.Errorf("a second site on %s: %v, %s", url, err, said)
		}

		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
			t.Errorf("after %s: %v\n%s", sig, err, &stderr)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("after %s it leaves %v behind, %v", sig, left, err)
		}
	}
}

// Flags that cannot be are refused.
func TestFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"-n is 3:":                    {"-n", "3"},
		"name an address as in :8080": {"-serve", "8080"},
		`"now" is no flag`:            {"now"},
	} {
		cmd, dir := command(t, args...)
		if said, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(said), want) {
			t.Errorf("%q: %v, %s", args, err, said)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%q leaves %v behind, %v", args, left, err)
		}
	}
}

// A server that is not there is named at the beginning.
func TestServerThatIsNotThere(t *testing.T) {
	const gone = "127.0.0.1:1" // not a port that the system gives to anybody who asks for one
	cmd, _ := command(t, "-memcached", gone, "-n", "1000", "-serve", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	named, said := false, ""
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.HasPrefix(lines.Text(), "The site is at "); {
		named = named || strings.HasPrefix(lines.Text(), "Nothing answers at "+gone)
		said += lines.Text() + "\n"
	}
	if !named {
		t.Errorf("it says\n%s", said)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
