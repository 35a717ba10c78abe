package testserver

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// PostgresReplica returns a replica of this test binary's PostgreSQL server, fed by streaming replication; it is started
// when first asked for. What it has is behind by as long as replication takes: pg_wal_replay_pause() holds it.
func PostgresReplica(tb testing.TB) *DatabaseServer {
	tb.Helper()
	primary := Postgres(tb)
	return sharedServer(tb, "postgres replica", func() (*DatabaseServer, error) { return startReplica(primary) })
}

func startReplica(primary *DatabaseServer) (*DatabaseServer, error) {
	backup, err := postgresProgram("pg_basebackup")
	if err != nil {
		return nil, err
	}
	return startDatabase("postgres", func(s *DatabaseServer, as func(*exec.Cmd)) (*exec.Cmd, error) {
		data := filepath.Join(s.dir, "data")
		copy := exec.Command(backup, "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(primary.port), "-U", "postgres",
			"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
		if err := runAs(copy, as); err != nil {
			return nil, err
		}
		return s.postgres(data)
	})
}

// postgres is the command that runs a server on its data.
func (s *DatabaseServer) postgres(data string) (*exec.Cmd, error) {
	server, err := postgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	isReady, err := postgresProgram("pg_isready")
	if err != nil {
		return nil, err
	}
	s.stop = syscall.SIGQUIT // at once, and its children with it
	s.ready = []string{isReady, "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "postgres", "-t", "1"}
	// autovacuum would analyze tables, take locks and be seen among the sessions whenever it likes.
	return exec.Command(server, "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-k", "",
		"-F", "-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "autovacuum=off"), nil
}
