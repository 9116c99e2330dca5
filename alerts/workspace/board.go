package workspace

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"vigie/alerts"
)

// board keeps what nobody has resolved, in the order of alerts.ByDue, so that a hundred
// pages that look again after one event do not read thousands of alerts each. Whatever
// appends an event is on it at once. How often an alert was found is on it a little
// later. The zero value is ready.
type board struct {
	mu   sync.Mutex
	read bool
	seq  int64     // of the latest event that it knows
	at   time.Time // when all of it was read
	list []alerts.Alert
}

const (
	boardLasts = 10 * time.Second // after which all of it is read again
	boardSteps = 100              // events after which it is not worth following them one by one
)

// unresolved lists what nobody has resolved and a filter names, as far as who asks may
// see it, in the order of alerts.ByDue. Only Team and Protocol of the filter are looked
// at. Whoever shows some of it says so by shown.
func (d records) unresolved(ctx context.Context, f alerts.Filter) ([]alerts.Alert, error) {
	f.States = []alerts.State{alerts.Open, alerts.Acknowledged}
	f, err := d.within(ctx, f)
	if err != nil {
		return nil, err
	}
	all, err := d.board.now(ctx, d.store, d.now())
	if err != nil {
		return nil, err
	}
	list := make([]alerts.Alert, 0, len(all))
	for i := range all {
		if f.Covers(&all[i]) && (f.Protocol == "" || f.Protocol == all[i].Protocol) {
			list = append(list, all[i])
		}
	}
	return list, nil
}

// now returns the board as it is. Nobody may change what it returns.
func (b *board) now(ctx context.Context, store alerts.Store, now time.Time) ([]alerts.Alert, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seq, err := store.LastSeq(ctx)
	if err != nil {
		return nil, err
	}
	if age := now.Sub(b.at); b.read && age >= 0 && age < boardLasts && seq >= b.seq && seq-b.seq <= boardSteps {
		err := b.follow(ctx, store, seq)
		return b.list, err
	}
	list, err := alerts.Unresolved(ctx, store.Alerts, alerts.Filter{})
	if err != nil {
		return nil, err
	}
	b.read, b.seq, b.at, b.list = true, seq, now, list
	return list, nil
}

// follow brings the board up to an event.
func (b *board) follow(ctx context.Context, store alerts.Store, seq int64) error {
	if seq == b.seq {
		return nil
	}
	events, err := store.EventsAfter(ctx, b.seq, boardSteps+1)
	if err != nil {
		return err
	}
	list := slices.Clone(b.list)
	done := map[string]bool{}
	for _, e := range events {
		if done[e.Alert] {
			continue
		}
		done[e.Alert] = true
		a, err := store.Alert(ctx, e.Alert)
		if err != nil && !errors.Is(err, alerts.ErrNotFound) {
			return err
		}
		list = slices.DeleteFunc(list, func(known alerts.Alert) bool { return known.ID == e.Alert })
		if err == nil && a.State != alerts.Resolved {
			a.Explanation = nil
			list = append(list, *a)
		}
	}
	alerts.ByDue(list)
	b.seq, b.list = seq, list
	return nil
}

// rereadStruck is for how long what a strike has closed is shown to be read again: a
// weekend.
const rereadStruck = 72 * time.Hour

// struckOut lists what was closed of late because its readings were struck out. Only Team
// and Protocol of the filter are looked at.
func (d records) struckOut(ctx context.Context, f alerts.Filter) ([]alerts.Alert, error) {
	f.States, f.Limit, f.StruckSince = []alerts.State{alerts.Resolved}, alerts.MaxLimit, d.now().Add(-rereadStruck)
	return d.unseen(ctx, f)
}
