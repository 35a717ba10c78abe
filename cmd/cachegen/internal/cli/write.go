package cli

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/load"
)

// change is one file that is not as it should be.
type change struct {
	path string
	old  []byte // nil: there is none
	new  []byte // nil: it goes
}

// temporary is how the names of files begin that are there only while changes are made. Neither the
// go command nor a listing shows them.
const temporary = ".cachegen-"

// abandoned is how old such a file is when the run that made it must have been killed.
const abandoned = time.Minute

// errInterrupted ends a run that the user does not want to end by itself.
var errInterrupted = errors.New("interrupted")

// replacement makes changes all or none.
//
//  1. Every new content, and the old one to go back to, is written beside its file. A full disk or a
//     folder that cannot be written shows here, while all is as it was.
//  2. Each file is renamed to its new content, or removed: at every moment it is whole.
//  3. Where a step fails, or the user interrupts, those made are undone with the old contents.
//  4. The files of the first step that are left are removed.
//
// A run that is killed in between leaves whole files, of which some are of before; the next run makes
// the rest and sweeps up.
type replacement struct {
	base    string  // what names in errors are relative to
	steps   []*step // made so far, or about to be
	stop    chan os.Signal
	between func(i int) // called before change i is made, for tests
}

// step is a change under way.
type step struct {
	change
	ready  string // the new content
	backup string // the old content
	made   bool
}

// replace makes the changes.
func replace(base string, changes []change) error {
	return (&replacement{base: base}).run(changes)
}

func (r *replacement) run(changes []change) (err error) {
	r.stop = make(chan os.Signal, 1)
	signal.Notify(r.stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(r.stop)
	defer r.clean()
	for _, c := range changes {
		if err := r.prepare(c); err != nil {
			return fmt.Errorf("%w; nothing was changed", err)
		}
	}
	for i, s := range r.steps {
		if r.between != nil {
			r.between(i)
		}
		if err := r.make(s); err != nil {
			return r.undo(err)
		}
	}
	return nil
}

// prepare does step 1 for a change.
func (r *replacement) prepare(c change) (err error) {
	s := &step{change: c}
	r.steps = append(r.steps, s)
	if r.interrupted() {
		return errInterrupted
	}
	mode := fs.FileMode(0)
	if info, err := os.Stat(c.path); err == nil {
		mode = info.Mode().Perm()
	}
	if s.ready, err = beside(c.path, c.new, mode); err == nil {
		s.backup, err = beside(c.path, c.old, mode)
	}
	if err != nil {
		return r.failure("write", c.path, err)
	}
	return nil
}

// make does step 2 for a change, if the file is still what it was when the change was planned.
func (r *replacement) make(s *step) error {
	if r.interrupted() {
		return errInterrupted
	}
	now, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		now, err = nil, nil
	}
	switch {
	case err != nil:
		return r.failure("read", s.path, err)
	case s.new != nil && bytes.Equal(now, s.new) || s.new == nil && now == nil:
		return nil // another run was faster
	case !bytes.Equal(now, s.old):
		return fmt.Errorf("%s was changed while cachegen ran", shown(r.base, s.path))
	case s.new == nil:
		err = os.Remove(s.path)
	default:
		err = os.Rename(s.ready, s.path)
	}
	if err != nil {
		return r.failure("write", s.path, err)
	}
	s.made = true
	return nil
}

// undo does step 3, and returns why with what came of it.
func (r *replacement) undo(why error) error {
	var stuck []string
	for _, s := range slices.Backward(r.steps) {
		if !s.made {
			continue
		}
		err := error(nil)
		if s.old == nil {
			err = os.Remove(s.path)
		} else {
			err = os.Rename(s.backup, s.path)
		}
		if err != nil {
			stuck = append(stuck, shown(r.base, s.path))
		}
	}
	if len(stuck) > 0 {
		return fmt.Errorf("%w, and %s could not be put back; mend that and run cachegen again, which makes all files current", why, strings.Join(stuck, ", "))
	}
	return fmt.Errorf("%w; all files are as before", why)
}

// clean does step 4.
func (r *replacement) clean() {
	for _, s := range r.steps {
		for _, name := range []string{s.ready, s.backup} {
			if name != "" {
				_ = os.Remove(name)
			}
		}
	}
}

func (r *replacement) interrupted() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

// failure words an error of the file system by the file that it hinders.
func (r *replacement) failure(what, path string, err error) error {
	var in *fs.PathError
	var on *os.LinkError
	switch {
	case errors.As(err, &in):
		err = in.Err
	case errors.As(err, &on):
		err = on.Err
	}
	return fmt.Errorf("cannot %s %s: %w", what, shown(r.base, path), err)
}

// beside writes a content to a new file beside path and returns its name; "" for no content. mode 0 is
// what the user's umask leaves.
func beside(path string, content []byte, mode fs.FileMode) (string, error) {
	if content == nil {
		return "", nil
	}
	name := filepath.Join(filepath.Dir(path), temporary+rand.Text())
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err == nil && mode != 0 {
		err = f.Chmod(mode)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(name)
		return "", err
	}
	return name, nil
}

// sweep removes what a run left that was killed.
func sweep(dir string) {
	names, _ := filepath.Glob(filepath.Join(load.Escape(dir), temporary+"*"))
	for _, name := range names {
		if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(name)
		}
	}
}
