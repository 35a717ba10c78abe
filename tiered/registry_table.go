package tiered

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// registered is this program's part in the registry of one table. It satisfies flushlist.Registration.
type registered struct {
	registry *registry
	key      string  // of the directory
	own      listSet // its name, IntentTTL and identities

	// standing is what the last poll says; written by polls, and read by every list that is read and every write.
	standing atomic.Pointer[standing]

	mu      sync.Mutex // of what follows
	retired bool       // another set has taken its place
	sent    time.Duration
	seen    bool                // a directory was there once
	born    uint64              // the own set, when it was last seen
	bornAt  time.Duration       // when it was first seen so
	renewed time.Duration       // when the own set was last renewed, plus one; 0 is never
	others  []uint64            // the names of the other sets
	marks   map[uint64]markSeen // by set
}

// standing is what a poll says, and until when that is gone by.
type standing struct {
	until     time.Duration // on the store's clock
	flushed   []termOf      // by identity
	confirmed uint64
}

// markSeen is a mark, and when this process first saw it.
type markSeen struct {
	mark uint64
	at   time.Duration
}

// polled is what a poll found.
type polled struct {
	dir     item
	alive   bool
	missing map[uint64]bool // by set that was asked for: nobody has renewed it
	sent    time.Duration
}

const aliveSuffix = ":alive"

func (t *registered) setKey(name uint64) string { return string(appendRoute([]byte(t.key+":"), name)) }

// now returns what is known, while that is gone by.
func (t *registered) now() *standing {
	st := t.standing.Load()
	if st == nil || t.registry.store.now() >= st.until || t.registry.store.closed.Load() {
		return nil
	}
	return st
}

// Flushed reports whether every live program flushes the lists of an identity, and the term of their entries.
func (t *registered) Flushed(identity uint64) (term uint64, ok bool) {
	st := t.now()
	if st == nil {
		return 0, false
	}
	for _, f := range st.flushed { // few, as a rule
		if f.identity == identity {
			return f.term, true
		}
	}
	return 0, false
}

// Confirmed returns another number than 0 while everybody knows of the program's lists.
func (t *registered) Confirmed() uint64 {
	if st := t.now(); st != nil {
		return st.confirmed
	}
	return 0
}

// retire ends this program's part, since another set takes the own one's place. What others have of it they
// renew again; else it is marked at the next poll.
func (t *registered) retire(ctx context.Context) (seen bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retired = true
	t.standing.Store(nil)
	_ = t.registry.home.remove(ctx, addr{key: t.setKey(t.own.name)})
	return t.seen
}

// known returns the names of the sets that a poll asks for.
func (t *registered) known() []uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]uint64{t.own.name}, t.others...)
}

// take takes in what a poll found, and changes the directory where that is to be changed.
func (t *registered) take(ctx context.Context, p polled) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.retired || p.sent <= t.sent {
		return nil
	}
	if err := t.renew(ctx, p.missing[t.own.name]); err != nil {
		return err
	}
	for range registryTries {
		d, changed := t.judge(p)
		if !changed {
			t.learn(d, p.sent)
			return nil
		}
		err := t.registry.change(ctx, t.key, d, p.dir)
		if err == nil {
			t.learn(d, p.sent) // it was so after p.sent, until now at least
			return nil
		}
		if !changedMeanwhile(err) {
			return err
		}
		items, sent, err := t.registry.home.read(ctx, []addr{{key: t.key}})
		if err != nil {
			return err
		}
		p.dir, p.sent = items[0], sent
	}
	return errContested
}

// renew keeps the own set, and the table, among the living.
func (t *registered) renew(ctx context.Context, missing bool) error {
	now := t.registry.store.now()
	if t.renewed > 0 && !missing && now-t.renewed < registryTTL/3 {
		return nil
	}
	for _, key := range []string{t.key + aliveSuffix, t.setKey(t.own.name)} {
		if err := t.registry.set(ctx, key, registryTTL); err != nil {
			return err
		}
	}
	t.renewed = now + 1
	return nil
}

// judge returns what the directory is to be.
func (t *registered) judge(p polled) (d directory, changed bool) {
	now, step := t.registry.store.now(), t.registry.store.opts.Step
	d, ok := parseDirectory(p.dir.value)
	lost := p.dir.state != present || !ok
	entered := listSet{name: t.own.name, ttl: t.own.ttl, has: t.own.has, born: newToken()}
	if lost {
		d, changed = directory{step: step}, true
		if p.alive || t.seen || p.dir.state == present {
			d.sets = []listSet{{name: ghost, born: newToken(), mark: newToken(), ttl: t.own.ttl}}
		} else {
			entered.settled = true // nobody is there who goes by anything
		}
	}
	if d.goOn(step) {
		changed = true
	}
	for _, s := range slices.Clone(d.sets) {
		seen := t.marks[s.name]
		switch {
		case s.name == t.own.name:
		case s.mark == 0 && p.missing[s.name]:
			d.set(s.name).mark, changed = newToken(), true
		case s.mark != 0 && s.mark == seen.mark && now-seen.at >= registryPatience+s.ttl:
			d.remove(s.name)
			changed = true
		}
	}
	own := d.set(t.own.name)
	switch {
	case own == nil:
		with := directory{step: d.step, terms: slices.Clone(d.terms), sets: slices.Clone(d.sets)}
		if with.enter(entered) {
			d, changed = with, true
		}
	case own.mark != 0:
		own.mark, changed = 0, true
	case !own.settled && own.born == t.born && now-t.bornAt >= registryPatience:
		own.settled, changed = true, true
	case own.ttl < t.own.ttl:
		own.ttl, changed = t.own.ttl, true
	}
	return d, changed
}

// learn goes by a directory that was there at sent, or later.
func (t *registered) learn(d directory, sent time.Duration) {
	now := t.registry.store.now()
	t.sent, t.seen = sent, true
	t.others = t.others[:0]
	marks := map[uint64]markSeen{}
	for _, s := range d.sets {
		if s.name != t.own.name && s.name != ghost {
			t.others = append(t.others, s.name)
		}
		t.note(marks, s, now)
	}
	t.marks = marks
	st := &standing{until: sent + registryPatience, flushed: d.flushed()}
	if own := d.set(t.own.name); own == nil {
		t.born = 0
	} else {
		if own.born != t.born {
			t.born, t.bornAt = own.born, now
		}
		if own.mark == 0 && own.settled {
			st.confirmed = own.born
		}
	}
	t.standing.Store(st)
}

// note keeps when a mark was first seen.
func (t *registered) note(marks map[uint64]markSeen, s listSet, now time.Duration) {
	if s.mark == 0 {
		return
	}
	if old := t.marks[s.name]; old.mark == s.mark {
		marks[s.name] = old
		return
	}
	marks[s.name] = markSeen{s.mark, now}
}
