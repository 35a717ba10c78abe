package journaltest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cachegen/cachegen/tiered"
)

// A number is above every one that was taken before, whoever took it.
func takeRises(f *fixture) {
	a, b := f.journal(), f.journal()
	last := a.take()
	if last == 0 {
		f.Fatal("0 is no number: a Poll after it asks for the head alone")
	}
	for i, p := range []*process{b, a, a, b, f.journal(), a} {
		n := p.take()
		if n <= last {
			f.Fatalf("number %d is %d, after %d", i+2, n, last)
		}
		last = n
	}
	if head, _ := b.poll(0); head < last {
		f.Fatalf("the head is %d, and %d was taken", head, last)
	}
}

// Of writers that take numbers at once no two get the same.
func takesAtOnce(f *fixture) {
	const writers, each = 4, 25
	journals := []*process{f.journal(), f.journal()}
	taken := make([][]uint64, writers)
	var running sync.WaitGroup
	for w := range writers {
		running.Go(func() {
			for range each {
				ctx, cancel := patiently()
				n, err := journals[w%2].Take(ctx)
				cancel()
				if err != nil {
					f.Errorf("Take: %v", err)
					return
				}
				taken[w] = append(taken[w], n)
			}
		})
	}
	running.Wait()
	by := map[uint64]int{}
	for w, numbers := range taken {
		for i, n := range numbers {
			if other, twice := by[n]; twice {
				f.Errorf("writers %d and %d have both taken %d", other, w, n)
			}
			by[n] = w
			if i > 0 && n <= numbers[i-1] {
				f.Errorf("writer %d has taken %d after %d", w, n, numbers[i-1])
			}
		}
	}
}

// The first record of a number stays, whoever puts another.
func putOnce(f *fixture) {
	a, b := f.journal(), f.journal()
	n := a.take()
	a.mustPut(n, "first")
	for _, p := range []*process{a, b} {
		if err := p.put(n, "second"); !errors.Is(err, tiered.ErrRecorded) {
			f.Fatalf("a second Put: %v, want one that matches tiered.ErrRecorded", err)
		}
	}
	b.wants(n-1, "first")

	// Readers close the number of a writer that is late: it hears of that.
	late := a.take()
	b.mustPut(late, "closed")
	if err := a.put(late, "late"); !errors.Is(err, tiered.ErrRecorded) {
		f.Fatalf("Put at a number that a reader closed: %v, want one that matches tiered.ErrRecorded", err)
	}
	a.wants(n-1, "first", "closed")
}

// Of many that put at one number at once one is first.
func putsAtOnce(f *fixture) {
	journals := []*process{f.journal(), f.journal()}
	for range 10 {
		n := journals[0].take()
		var mu sync.Mutex
		var first []string
		var running sync.WaitGroup
		for w := range 6 {
			running.Go(func() {
				record := fmt.Sprint("record of ", w)
				err := journals[w%2].put(n, record)
				if err != nil && !errors.Is(err, tiered.ErrRecorded) {
					f.Errorf("Put: %v", err)
				}
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					first = append(first, record)
				}
			})
		}
		running.Wait()
		if len(first) != 1 {
			f.Fatalf("%d of 6 were the first at one number: %q", len(first), first)
		}
		journals[1].wants(n-1, first[0])
	}
}

// Records are bytes of any kind, up to the largest that a store puts.
func bytesComeBack(f *fixture) {
	p := f.journal()
	records := []string{"\x00", "\r\nEND\r\n", "a b\tc", "\xff\xfe\x00\x80", strings.Repeat("\x00\r\n\xff", MaxRecord/4)}
	var before uint64
	for i, r := range records {
		n := p.take()
		if i == 0 {
			before = n - 1
		}
		p.mustPut(n, r)
	}
	f.journal().wants(before, records...)
}

// Neither what was given to Put nor what Poll gave changes what others read.
func recordsAreCopies(f *fixture) {
	p, other := f.journal(), f.journal()
	n := p.take()
	record := []byte("record")
	ctx, cancel := patiently()
	defer cancel()
	if err := p.Put(ctx, n, record); err != nil {
		f.Fatal(err)
	}
	copy(record, "ruined")
	other.wants(n-1, "record")
	_, records := other.poll(n - 1)
	copy(records[0], "ruined")
	other.wants(n-1, "record")
	p.wants(n-1, "record")
}

// A poll after 0, or after the head, has no records.
func pollOfHead(f *fixture) {
	p := f.journal()
	first, records := p.poll(0)
	if len(records) > 0 {
		f.Fatalf("a poll for the head has %d records", len(records))
	}
	n := p.take()
	p.mustPut(n, "record")
	if n <= first {
		f.Fatalf("took %d where the head was %d", n, first)
	}
	for _, q := range []*process{p, f.journal()} {
		if head, records := q.poll(0); head != n || len(records) > 0 {
			f.Fatalf("the head is %d with %d records, want %d without", head, len(records), n)
		}
		if head, records := q.poll(n); head != n || len(records) > 0 {
			f.Fatalf("after the head: %d with %d records, want %d without", head, len(records), n)
		}
	}
}

// What was taken and put before a poll is in its answer, in the order of the numbers and not in that of the Puts, and
// a number without a record is nil there.
func pollInOrder(f *fixture) {
	a, b := f.journal(), f.journal()
	one, two := a.take(), b.take()
	three, four := a.take(), b.take()
	if two != one+1 || three != two+1 || four != three+1 {
		f.Fatalf("took %d, %d, %d, %d with nobody else there: a number that is left out is one that all readers wait for", one, two, three, four)
	}
	b.wants(one-1, "", "", "", "")
	b.mustPut(four, "four")
	a.mustPut(one, "one")
	a.mustPut(three, "three")
	for _, p := range []*process{a, b, f.journal()} {
		p.wants(one-1, "one", "", "three", "four")
	}
}

// A record that comes late is at its number.
func gapIsFilledLater(f *fixture) {
	a, b := f.journal(), f.journal()
	one, two := a.take(), a.take()
	a.mustPut(two, "two")
	b.wants(one-1, "", "two")
	a.mustPut(one, "one")
	b.wants(one-1, "one", "two")
}

// A reader goes on from where it was, whatever others have read.
func pollFromAnywhere(f *fixture) {
	p, reader := f.journal(), f.journal()
	var last uint64
	for i := range 5 {
		last = p.take()
		p.mustPut(last, fmt.Sprint(i))
	}
	first := last - 4
	reader.wants(first+1, "2", "3", "4")
	reader.wants(first-1, "0", "1", "2", "3", "4")
	reader.wants(last-1, "4")
	f.journal().wants(first-1, "0", "1", "2", "3", "4")
}

// A reader that was away for hundreds of numbers reads each of them: no poll that has some to read is empty.
func followLong(f *fixture) {
	p, reader := f.journal(), f.journal()
	var before uint64
	var want []string
	for i := range 300 {
		n := p.take()
		if i == 0 {
			before = n - 1
		}
		record := ""
		if i%7 != 3 { // some are missing
			record = fmt.Sprint("record ", i)
			p.mustPut(n, record)
		}
		want = append(want, record)
	}
	reader.wants(before, want...)
}

// A reader that follows while others write reads each record once, at the number that it was put at.
func followWriters(f *fixture) {
	const writers, each = 3, 30
	reader := f.journal()
	at, _ := reader.poll(0)
	if at == 0 {
		at = reader.take()
		reader.mustPut(at, "begun")
	}
	var mu sync.Mutex
	put := map[uint64]string{}
	var running sync.WaitGroup
	for w := range writers {
		p := f.journal()
		running.Go(func() {
			for i := range each {
				ctx, cancel := patiently()
				n, err := p.Take(ctx)
				if err == nil {
					record := fmt.Sprint(w, " ", i)
					mu.Lock()
					put[n] = record
					mu.Unlock()
					err = p.Put(ctx, n, []byte(record))
				}
				cancel()
				if err != nil {
					f.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	deadline := time.Now().Add(patience)
	for read := 0; read < writers*each && !f.Failed(); {
		if time.Now().After(deadline) {
			f.Errorf("%d records were read of %d", read, writers*each)
			break
		}
		_, records := reader.poll(at)
		for _, b := range records {
			if b == nil {
				break // its writer is about to put it
			}
			at++
			read++
			mu.Lock()
			want := put[at]
			mu.Unlock()
			if string(b) != want {
				f.Errorf("number %d has %s, want %s", at, shown(b), shown([]byte(want)))
			}
		}
	}
	running.Wait()
}

// Each method returns when its context is done, and the journal goes on for others.
func endedContext(f *fixture) {
	p := f.journal()
	n := p.take()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		_, _ = p.Take(ended)
		_ = p.Put(ended, n, []byte("record"))
		_, _, _ = p.Poll(ended, n)
	}()
	select {
	case <-returned:
	case <-time.After(patience):
		f.Fatal("a method does not return, though its context is done")
	}
	next := p.take()
	if next <= n {
		f.Fatalf("took %d after %d", next, n)
	}
	p.mustPut(next, "next")
	p.wants(next-1, "next")
}

// Close is for its own process alone, whose methods return after it.
func closeIsOwn(f *fixture) {
	a, b := f.journal(), f.journal()
	n := a.take()
	a.mustPut(n, "record")
	if err := a.Close(); err != nil {
		f.Fatalf("Close: %v", err)
	}
	b.wants(n-1, "record")
	next := b.take()
	b.mustPut(next, "next")
	f.journal().wants(n-1, "record", "next")

	returned := make(chan struct{})
	go func() {
		defer close(returned)
		ctx, cancel := patiently()
		defer cancel()
		if m, err := a.Take(ctx); err == nil {
			_ = a.Put(ctx, m, []byte("late"))
		}
		_, _, _ = a.Poll(ctx, n)
	}()
	select {
	case <-returned:
	case <-time.After(2 * patience):
		f.Fatal("a method does not return after Close")
	}
}

// A journal that was lost begins far from where it was, so that whoever followed it sees that.
func lost(f *fixture) {
	const far = 1000 // more are not followed one by one
	a, b := f.journal(), f.journal()
	var last uint64
	for range 3 {
		last = a.take()
		a.mustPut(last, "before")
	}
	f.h.Lose(f.TB)
	head, _ := b.poll(0)
	for range 2 {
		if head >= last && head <= last+far {
			f.Fatalf("the head was %d and is %d once the journal was lost: its readers would go on", last, head)
		}
		n := a.take()
		if n <= head {
			f.Fatalf("took %d where the head was %d", n, head)
		}
		a.mustPut(n, "after")
		b.wants(n-1, "after")
		head = n
	}
}
