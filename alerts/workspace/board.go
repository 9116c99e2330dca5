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

	lost    int   // messages given up about what nobody has resolved
	lostSeq int64 // the latest event when they were counted
	counted time.Time
}

const (
	boardLasts = 10 * time.Second // after which all of it is read again
	boardSteps = 100              // events after which it is not worth following them one by one
)

// unresolved lists what nobody has resolved and a filter names, as far as who asks may
// see it, in the order of alerts.ByDue. Only Team and Protocol of the filter are looked
// at. Nobody may change what it points to. Whoever shows some of it says so by shown.
func (d records) unresolved(ctx context.Context, f alerts.Filter) ([]*alerts.Alert, error) {
	f.States = []alerts.State{alerts.Open, alerts.Acknowledged}
	f, err := d.within(ctx, f)
	if err != nil {
		return nil, err
	}
	all, err := d.board.now(ctx, d.store, d.now())
	if err != nil {
		return nil, err
	}
	persons, err := d.merged(ctx)
	list := make([]*alerts.Alert, 0, len(all))
	for i := range all {
		a := &all[i]
		if !f.Covers(a) || f.Protocol != "" && f.Protocol != a.Protocol {
			continue
		}
		if person := persons[a.Patient]; person != "" {
			under := *a
			under.Person, a = person, &under
		}
		list = append(list, a)
	}
	return list, err
}

// firsts are the alerts by which persons stand in a worklist: of each, the first in the
// order of alerts.ByDue. What no patient has stands for itself.
func firsts(list []*alerts.Alert) (rows []*alerts.Alert) {
	seen := make(map[string]bool, len(list))
	for _, a := range list {
		whose := a.Whose()
		if whose != "" && seen[whose] {
			continue
		}
		seen[whose] = true
		rows = append(rows, a)
	}
	return rows
}

// undeliveredCount is how many messages were given up about alerts that nobody has resolved.
// To give one up appends an event, and so does to resolve one.
func (d records) undeliveredCount(ctx context.Context) (int, error) {
	if _, err := d.within(ctx, alerts.Filter{}); err != nil {
		return 0, err
	}
	return d.board.undelivered(ctx, d.store, d.now())
}

func (b *board) undelivered(ctx context.Context, store alerts.Store, now time.Time) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seq, err := store.LastSeq(ctx)
	if err != nil {
		return 0, err
	}
	if age := now.Sub(b.counted); !b.counted.IsZero() && seq == b.lostSeq && age >= 0 && age < boardLasts {
		return b.lost, nil
	}
	lost := 0
	given, err := store.Undelivered(ctx, 1)
	if err == nil && len(given) > 0 { // seldom: counting them costs more than all else of a page
		var summary alerts.Summary
		summary, err = store.Summary(ctx, alerts.Filter{})
		lost = summary.Undelivered
	}
	if err != nil {
		return 0, err
	}
	b.lost, b.lostSeq, b.counted = lost, seq, now
	return lost, nil
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
