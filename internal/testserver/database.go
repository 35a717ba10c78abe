package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// DatabaseServer is a running PostgreSQL or MariaDB that the tests of one test binary share, since to
// start one takes seconds. It holds no database of theirs yet.
type DatabaseServer struct {
	port int
	held *port
	dir  string // everything of it on disk
	cmd  *exec.Cmd
	stop syscall.Signal
	// ready is the command that asks whether the server opens sessions; nil where it does once it accepts connections.
	ready []string
}

// Addr returns the server's host and port.
func (s *DatabaseServer) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// shared are the servers of this test binary. A kind that failed to start fails every test that
// asks for it, and is not tried again.
var shared struct {
	sync.Mutex
	owned   bool // StopShared will be called
	servers map[string]*DatabaseServer
	errs    map[string]error
}

// OwnShared says that the test binary calls StopShared when its tests are through.
func OwnShared() {
	shared.Lock()
	defer shared.Unlock()
	shared.owned = true
}

// StopShared stops the servers that Postgres and MariaDB started, and removes what they stored.
func StopShared() {
	shared.Lock()
	defer shared.Unlock()
	for _, s := range shared.servers {
		s.close()
	}
	shared.servers = nil
}

// Postgres returns the PostgreSQL server of this test binary; it is started when first asked for. Its
// superuser is "postgres", without a password.
func Postgres(tb testing.TB) *DatabaseServer {
	tb.Helper()
	return sharedServer(tb, "postgres", startPostgres)
}

// MariaDB returns the MariaDB server of this test binary; it is started when first asked for. Its
// superuser is "root", without a password.
func MariaDB(tb testing.TB) *DatabaseServer {
	tb.Helper()
	return sharedServer(tb, "mariadb", startMariaDB)
}

func sharedServer(tb testing.TB, kind string, start func() (*DatabaseServer, error)) *DatabaseServer {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.owned {
		tb.Fatal("the test's package has no TestMain that stops the database servers; fixture.Main makes one")
	}
	if s := shared.servers[kind]; s != nil {
		return s
	}
	err := shared.errs[kind]
	if err == nil {
		var s *DatabaseServer
		if s, err = start(); err == nil {
			if shared.servers == nil {
				shared.servers = map[string]*DatabaseServer{}
			}
			shared.servers[kind] = s
			return s
		}
		if shared.errs == nil {
			shared.errs = map[string]error{}
		}
		shared.errs[kind] = err
	}
	if missing := (*missingError)(nil); errors.As(err, &missing) && os.Getenv("CI") == "" {
		tb.Skip(err)
	}
	tb.Fatal(err)
	return nil
}

// missingError says that a server's program is not installed.
type missingError struct{ program, install string }

func (e *missingError) Error() string {
	return fmt.Sprintf("%s is not installed; install it with: %s", e.program, e.install)
}

func startPostgres() (*DatabaseServer, error) {
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return nil, err
	}
	return startDatabase("postgres", func(s *DatabaseServer, as func(*exec.Cmd)) (*exec.Cmd, error) {
		data := filepath.Join(s.dir, "data")
		init := exec.Command(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
		if err := runAs(init, as); err != nil {
			return nil, err
		}
		return s.postgres(data)
	})
}

// postgresProgram finds a program of PostgreSQL, which Debian does not put into the PATH.
func postgresProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", &missingError{name, "apt-get install -y postgresql"}
	}
	return found[len(found)-1], nil
}

func startMariaDB() (*DatabaseServer, error) {
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		return nil, &missingError{"mariadb-install-db", "apt-get install -y mariadb-server"}
	}
	server, err := exec.LookPath("mariadbd")
	if err != nil {
		if server, err = exec.LookPath("/usr/sbin/mariadbd"); err != nil {
			return nil, &missingError{"mariadbd", "apt-get install -y mariadb-server"}
		}
	}
	return startDatabase("mysql", func(s *DatabaseServer, as func(*exec.Cmd)) (*exec.Cmd, error) {
		data := filepath.Join(s.dir, "data")
		init := exec.Command(install, "--no-defaults", "--datadir="+data, "--tmpdir="+s.dir, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
		if err := runAs(init, as); err != nil {
			return nil, err
		}
		s.stop = syscall.SIGKILL
		return exec.Command(server, "--no-defaults", "--datadir="+data, "--tmpdir="+s.dir, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(s.port),
			"--socket="+filepath.Join(s.dir, "socket"), "--pid-file="+filepath.Join(s.dir, "pid"), "--skip-log-bin", "--skip-name-resolve",
			"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--max-connections=200"), nil
	})
}

// startDatabase prepares a server in a new folder, starts it and waits until it accepts connections. As
// root it runs as account, since neither server runs as root.
func startDatabase(account string, prepare func(s *DatabaseServer, as func(*exec.Cmd)) (*exec.Cmd, error)) (*DatabaseServer, error) {
	dir, err := os.MkdirTemp("", "cachegen-"+account+"-")
	if err != nil {
		return nil, err
	}
	s := &DatabaseServer{dir: dir}
	as := func(*exec.Cmd) {}
	if os.Geteuid() == 0 {
		uid, gid, err := ids(account)
		if err == nil {
			err = os.Chown(dir, int(uid), int(gid))
		}
		if err != nil {
			s.close()
			return nil, err
		}
		as = func(cmd *exec.Cmd) {
			if cmd.SysProcAttr == nil {
				cmd.SysProcAttr = &syscall.SysProcAttr{}
			}
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
		}
	}
	if err := s.start(prepare, as); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *DatabaseServer) start(prepare func(s *DatabaseServer, as func(*exec.Cmd)) (*exec.Cmd, error), as func(*exec.Cmd)) error {
	var err error
	if s.held, err = reserve(); err != nil {
		return err
	}
	s.port = s.held.number
	cmd, err := prepare(s, as)
	if err != nil {
		return err
	}
	// Into a file: a pipe would need a goroutine for as long as the server runs.
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	dieWithUs(cmd)
	as(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	if err := s.await(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", cmd.Path, err, said)
	}
	return nil
}

// await waits until the server opens sessions.
func (s *DatabaseServer) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := net.DialTimeout("tcp", s.Addr(), time.Second); err == nil {
			conn.Close()
			if s.ready == nil || exec.Command(s.ready[0], s.ready[1:]...).Run() == nil {
				return nil
			}
		}
		var status syscall.WaitStatus
		if pid, _ := syscall.Wait4(s.cmd.Process.Pid, &status, syscall.WNOHANG, nil); pid == s.cmd.Process.Pid {
			s.cmd = nil
			return fmt.Errorf("ended at once, with status %d", status.ExitStatus())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("opens no sessions")
		}
	}
}

func (s *DatabaseServer) close() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(s.stop)
		_ = s.cmd.Wait()
		s.cmd = nil
	}
	s.held.release()
	_ = os.RemoveAll(s.dir)
}

func runAs(cmd *exec.Cmd, as func(*exec.Cmd)) error {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &said, &said, os.TempDir()
	as(cmd)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd.Path, err, said.Bytes())
	}
	return nil
}

func ids(account string) (uid, gid uint32, err error) {
	u, err := user.Lookup(account)
	if err != nil {
		return 0, 0, err
	}
	id, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return 0, 0, err
	}
	group, err := strconv.ParseUint(u.Gid, 10, 32)
	return uint32(id), uint32(group), err
}
