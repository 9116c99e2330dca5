package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigie/ingest/registry"
	"vigie/protocols"
)

// A sweep comes in bites, one transaction each, between which readings are
// committed: they never wait longer than one bite takes. Its size follows from
// how long the one before took.
const (
	biteTime  = 10 * time.Millisecond
	firstBite = 50
	mostBites = 1000
)

// nextBite is how many members the bite after one of that size and duration has.
func nextBite(size int, took time.Duration) int {
	switch {
	case took > biteTime:
		return max(1, size/2)
	case took < biteTime/2:
		return min(2*size, mostBites)
	}
	return size
}

// later is when an enrolment that cannot be looked at now is looked at again.
const later = time.Hour

// outage is a time in which the service was away.
type outage struct {
	heard time.Time     // until when it listens to everybody
	away  time.Duration // how long it was away
}

// Listen has sweeps wait, before they say that anything is missing or offline, for what
// devices and the broker have kept while the service was away: until heard, and for
// missing readings one usual interval longer, but no longer than it was away. All else
// that time brings is found meanwhile.
func (p *Pipeline) Listen(heard time.Time, away time.Duration) {
	p.committer.outage.Store(&outage{heard, away})
}

// dueDevices is Store.DueDevices once the service has listened.
func (p *Pipeline) dueDevices(ctx context.Context, now time.Time, limit int) ([]string, error) {
	if now.Before(p.committer.outage.Load().heard) {
		return nil, nil
	}
	return p.config.Store.DueDevices(ctx, now, limit)
}

// Sweep looks at every enrolment and every device for which the passing of time
// alone may have brought something: silence, a day that ended, a confirmation
// that did not come. It returns how many there were.
func (p *Pipeline) Sweep(ctx context.Context) (swept int, err error) {
	for _, of := range []struct {
		what            string
		due             func(context.Context, time.Time, int) ([]string, error)
		sweep, postpone func(context.Context, []string) error
	}{
		{"enrolments", p.config.Store.DueEnrolments, p.committer.sweepEnrolments, p.committer.postpone},
		{"devices", p.dueDevices, p.committer.sweepDevices, p.committer.postponeDevices},
	} {
		for bite := firstBite; ; {
			due, err := of.due(ctx, p.config.Now(), bite)
			if err != nil {
				return swept, err
			}
			if len(due) == 0 {
				break
			}
			err = p.do(ctx, func() error {
				began := time.Now()
				err := p.committer.sweep(ctx, due, of.sweep, of.postpone)
				bite = nextBite(len(due), time.Since(began))
				return err
			})
			if err != nil {
				return swept, fmt.Errorf("look at the %s that are due: %w", of.what, err)
			}
			swept += len(due)
		}
	}
	return swept, nil
}

// Due reports whether Sweep would find an enrolment or a device to look at by then,
// were nothing to come before.
func (p *Pipeline) Due(ctx context.Context, by time.Time) (bool, error) {
	for _, due := range []func(context.Context, time.Time, int) ([]string, error){p.config.Store.DueEnrolments, p.dueDevices} {
		if found, err := due(ctx, by, 1); err != nil || len(found) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// sweep does one transaction of a sweep. When that fails, each of its members
// gets its own, and one in trouble is postponed so that it holds nobody back.
func (c *committer) sweep(ctx context.Context, due []string, sweep, postpone func(context.Context, []string) error) error {
	err := c.again(ctx, due, sweep)
	if err == nil {
		return nil
	}
	var failures []error
	for i := range due {
		if err := c.again(ctx, due[i:i+1], sweep); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", due[i], err))
			if err := c.again(ctx, due[i:i+1], postpone); err != nil {
				return errors.Join(append(failures, err)...) // the store is at fault
			}
		}
	}
	return errors.Join(failures...)
}

// again does one transaction of a sweep, again when another node was faster.
func (c *committer) again(ctx context.Context, due []string, sweep func(context.Context, []string) error) error {
	for range conflicts {
		if err := c.guarded(func() error { return sweep(ctx, due) }); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return ErrConflict
}

// sweepEnrolments is one transaction of a sweep over enrolments.
func (c *committer) sweepEnrolments(ctx context.Context, due []string) error {
	began := time.Now()
	w := &c.work
	w.reset(ctx, c.config.Now(), nil)
	if err := c.directory.begin(ctx); err != nil {
		return err
	}
	for _, id := range due {
		e, err := c.directory.enrolment(ctx, id)
		if errors.Is(err, registry.ErrNotFound) || (err == nil && e.fault != nil) {
			w.unable = append(w.unable, id)
			continue
		}
		if err != nil {
			return err
		}
		if _, err := c.directory.evaluator(e); err != nil {
			w.unable = append(w.unable, id)
			continue
		}
		c.concern(e, w.now)
	}
	if err := c.config.Store.Update(ctx, c.advance); err != nil {
		return err
	}
	c.kept()
	for _, e := range w.touched {
		c.directory.pass(e)
	}
	if c.config.Committed != nil {
		c.config.Committed(c.summary(began))
	}
	return nil
}

// postpone has enrolments that are in trouble looked at again later.
func (c *committer) postpone(ctx context.Context, enrolments []string) error {
	c.work.reset(ctx, c.config.Now(), nil)
	c.work.unable = append(c.work.unable, enrolments...)
	return c.config.Store.Update(ctx, c.advance)
}

// unreadable takes the place of a state that is damaged, so that it is computed again
// once it can be.
var unreadable = []byte{0xff}

// advance is the transaction of a sweep.
func (c *committer) advance(tx Tx) error {
	w := &c.work
	c.expect(tx)
	if err := c.prepare(tx); err != nil {
		return err
	}
	for _, e := range w.touched {
		var again time.Time
		w.findings, again = e.evaluator.Listen(w.now, c.onItsWay(e), w.findings)
		c.save(e, true)
		state := &w.states[len(w.states)-1]
		if again.After(state.Due) {
			state.Due = again
		}
		if !state.Due.IsZero() && !state.Due.After(w.now) {
			c.config.Logger.Error("an enrolment stays due", "enrolment", e.ID, "due", state.Due)
			state.Due = w.now.Add(later)
		}
	}
	for _, id := range w.unable {
		snapshot, version, err := tx.LoadState(id)
		if errors.Is(err, ErrDamaged) {
			snapshot, err = unreadable, nil
		}
		if err != nil {
			return err
		}
		w.states = append(w.states, StateRecord{Enrolment: id, Version: version, Snapshot: append([]byte{}, snapshot...), Due: w.now.Add(later)})
	}
	if err := c.handOn(tx); err != nil {
		return err
	}
	return c.saveStates(tx)
}

// onItsWay is what has to come of an enrolment, as far as the service knows.
func (c *committer) onItsWay(e *enrolment) protocols.OnItsWay {
	away := c.outage.Load()
	coming := protocols.OnItsWay{Heard: away.heard, Away: away.away, Last: e.held.last(), Until: e.held.Until}
	for _, part := range e.held.Parts {
		for _, id := range part.Measures {
			if m := protocols.MeasureByID(id); m != nil {
				coming.Parts = append(coming.Parts, m)
			}
		}
	}
	return coming
}

// Retried is what came of trying set-aside readings again.
type Retried struct {
	Tried    int
	Accepted int // records settled: everything in them is kept now, or was before
	Refused  int // records that stay open
	Failed   int // records that met a fault, and stay open as well
}

// Retry tries again what was set aside and not settled, after the registry was
// corrected. The times of readings are judged by when they were received.
// Limit bounds nothing here: everything that the filter names is tried. A record
// that meets a fault is logged and counted, and holds up no other.
func (p *Pipeline) Retry(ctx context.Context, filter SetAsideFilter) (Retried, error) {
	var retried Retried
	filter.Open, filter.Limit = true, 0
	for {
		records, err := p.config.Store.SetAsides(ctx, filter)
		if err != nil || len(records) == 0 {
			return retried, err
		}
		for i := range records {
			filter.Before = records[i].ID
			if records[i].Payload == nil || !p.ours(&records[i]) {
				continue
			}
			settled, err := p.retry(ctx, &records[i])
			if ctx.Err() != nil || errors.Is(err, ErrClosed) {
				return retried, err
			}
			retried.Tried++
			switch {
			case err != nil:
				p.config.Logger.Error("a set-aside record could not be tried again", "record", records[i].ID, "error", err)
				retried.Failed++
			case settled:
				retried.Accepted++
			default:
				retried.Refused++
			}
		}
	}
}

// Dismiss decides that something set aside is not to be used. It reports whether it was
// open: another try, or another person, may have come first.
func (p *Pipeline) Dismiss(ctx context.Context, id int64, author, reason string) (open bool, err error) {
	err = p.do(ctx, func() error {
		return p.config.Store.Update(ctx, func(tx Tx) error {
			open, err = tx.Dismiss(id, author, reason, p.config.Now())
			return err
		})
	})
	return open, err
}

// ours reports whether a record came in by a door: what was set aside further on
// is tried again there.
func (p *Pipeline) ours(record *SetAsideRecord) bool {
	_, _, ours := ParseTopic(p.config.Prefix, record.Topic)
	return ours || p.gateway(record.Topic, false) != nil
}

// retry tries one record again.
func (p *Pipeline) retry(ctx context.Context, record *SetAsideRecord) (settled bool, err error) {
	items, err := p.decode(Message{Topic: record.Topic, Device: record.Device, Client: record.Device, Payload: record.Payload, Received: record.Received,
		Done: func(error) {}})
	if err != nil {
		return false, err
	}
	it := items[0] // a part of a message is of one device
	it.settle = record.ID
	err = p.do(ctx, func() error {
		items := []*item{it}
		began := time.Now()
		if err := p.committer.try(ctx, items); err != nil {
			return err
		}
		settled = it.records == it.recordsEnd
		p.committer.succeed(items, began)
		return nil
	})
	return settled, err
}
