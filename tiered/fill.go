package tiered

import (
	"context"
	"errors"
	"slices"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/without"
)

// Fill stores loaded values, each under its ticket: in place of exactly the entry that the
// lookup saw, or where it saw none. What it stores goes into the first tier too. A value
// under a ticket that is not storable is left out without a word; other reasons are reported.
func (s *Store) Fill(ctx context.Context, fills []flushlist.Fill) {
	fills = slices.DeleteFunc(slices.Clone(fills), func(f flushlist.Fill) bool { return !f.Ticket.Storable })
	if s.off.Load() {
		return
	}
	inParallel(len(fills), s.opts.MaxIdleConns, func(i int) { s.fill(ctx, fills[i]) })
}

func (s *Store) fill(ctx context.Context, f flushlist.Fill) {
	place := s.ring.server(f.Ref.List.ID)
	p := s.places[place]
	list, all := cellOf(f.Ref.List, place), cellOf(f.Ref.All, place)
	if !legalKey(f.Ref.Key) || !s.known.serves(list) || !s.known.serves(all) {
		return
	}
	err := errTooLarge
	var b []byte
	if entryHead+2*len(f.Ref.Key)+len(f.Value.Payload)+entryTail <= p.limit() {
		b = seal(f.Ref.Key, envelopeOf(f, s.watch.step()))
		at := addr{key: f.Ref.Key}
		if err = errGone; f.Ticket.Seen {
			err = p.swap(ctx, at, b, f.Ticket.Entry, f.TTL)
		}
		if errors.Is(err, errGone) {
			err = p.add(ctx, at, b, f.TTL)
		}
	}
	if without.CheckedFills && err != nil && !errors.Is(err, errTooLarge) {
		if it, _, _ := p.read(ctx, []addr{{key: f.Ref.Key}}); it[0].state == present {
			err = p.swap(ctx, addr{key: f.Ref.Key}, b, it[0].seen, f.TTL)
		}
	}
	switch {
	case err == nil:
		if s.first != nil && s.known.unmoved(list, f.Ticket.Stripes[0]) && s.known.unmoved(all, f.Ticket.Stripes[1]) {
			s.first.set(f.Ref.Key, b)
		}
	case errors.Is(err, errTooLarge):
		s.report(flushlist.Event{Kind: flushlist.EntryTooLarge, Server: p.name(), Name: f.Ref.Key})
	case errors.Is(err, errNotStored), errors.Is(err, errConflict):
		s.report(flushlist.Event{Kind: flushlist.FillLost, Server: p.name(), Name: f.Ref.Key})
	}
}
