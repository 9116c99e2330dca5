package ingest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"vigie/protocols"
)

// load brings the evaluations that the candidates concern to where they were
// before this batch. It comes before Keep: history must not hold the readings
// that are still to be evaluated.
func (c *committer) load(tx Tx) error {
	w := &c.work
	for i := range w.candidates {
		candidate := &w.candidates[i]
		for _, e := range w.targets[candidate.from:candidate.to] {
			evaluator, err := c.directory.evaluator(e)
			if err != nil {
				return err
			}
			if evaluator.Uses(candidate.reading.Measure) {
				c.concern(e, candidate.reading.Time)
			}
		}
		for _, e := range c.successors(candidate) {
			evaluator, err := c.directory.evaluator(e)
			if err == nil && evaluator.Uses(candidate.reading.Measure) {
				c.concern(e, candidate.reading.Time)
			}
		}
	}
	return c.prepare(tx)
}

// successors are the enrolments to whose past a reading belongs: it was measured under an
// earlier one, and comes after the renewal.
func (c *committer) successors(of *candidate) (found []*enrolment) {
	targets := c.work.targets[of.from:of.to]
	if len(of.device.enrolments) == len(targets) {
		return nil // nearly always
	}
	for _, e := range of.device.enrolments {
		if e.Patient == of.reading.Patient && e.Consent.At(c.work.now) && e.follows(of.device, of.reading.Time) && !slices.Contains(targets, e) {
			found = append(found, e)
		}
	}
	return found
}

// follows reports whether what a device measured at a time is of the past of an enrolment.
func (e *enrolment) follows(d *device, at time.Time) bool {
	return !e.Covers(at) && !e.Proposed && e.fault == nil && e.plan.Admits(d.kind, d.brand, d.model) && d.followed(e, at)
}

// prepare brings what the work at hand touches into memory, as it is.
func (c *committer) prepare(tx Tx) error {
	if c.remembers(tx) {
		return nil
	}
	if err := c.claim(tx); err != nil {
		return err
	}
	if err := c.unchanged(tx); err != nil {
		return err
	}
	return c.bringAll(tx)
}

// unchanged asks to do the work at hand again when the registry has changed since
// it was resolved. A change wakes the enrolments it is about: what would be due by
// what they were before must not take the place of that.
func (c *committer) unchanged(tx Tx) error {
	if _, finds := tx.(Expecter); finds || len(c.work.candidates)+len(c.work.touched) == 0 {
		return nil
	}
	version, err := c.config.Store.RegistryVersion(c.work.ctx)
	if err != nil {
		return fmt.Errorf("read the version of the registry: %w", err)
	}
	if version != c.directory.version {
		return ErrRegistry
	}
	return nil
}

// bringAll loads the evaluations of the work at hand that are not in memory.
func (c *committer) bringAll(tx Tx) error {
	var cold []*enrolment
	for _, e := range c.work.touched {
		if !e.loaded {
			cold = append(cold, e)
		}
	}
	for some := range slices.Chunk(cold, atOnce) {
		if err := c.recollect(tx, some); err != nil {
			return err
		}
		for _, e := range some {
			if err := c.bring(tx, e, c.moment(e)); err != nil {
				return fmt.Errorf("load the evaluation of enrolment %s: %w", e.ID, err)
			}
		}
	}
	return nil
}

// moment is where the evaluation of an enrolment has to go on from.
func (c *committer) moment(e *enrolment) time.Time { return earlier(e.earliest, c.work.now) }

// concern notes that an enrolment is in the work at hand, and from when on.
func (c *committer) concern(e *enrolment, at time.Time) {
	if e.generation != c.directory.generation {
		e.generation, e.earliest, e.fresh, e.past, e.heldMoved = c.directory.generation, at, e.fresh[:0], e.past[:0], false
		c.work.touched = append(c.work.touched, e)
		return
	}
	e.earliest = earlier(e.earliest, at)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// bring loads one evaluation, so that it can go on from moment. A kept state
// that cannot be read is rebuilt from history: what it finds again, the alerts
// know already.
func (c *committer) bring(tx Tx, e *enrolment, moment time.Time) error {
	past, snapshot, version, err := loadState(tx, e.ID)
	e.kept, e.incomplete, e.held = version, false, past
	if errors.Is(err, ErrDamaged) {
		c.config.Logger.Warn("the state of an enrolment is damaged and is computed again", "enrolment", e.ID, "error", err)
		return c.rebuild(tx, e)
	}
	if err != nil {
		return err
	}
	since := e.evaluator.Since(snapshot, moment)
	history, err := c.history(tx, e, since)
	if err != nil {
		return err
	}
	err = e.evaluator.Load(snapshot, history, since)
	if errors.Is(err, protocols.ErrSnapshot) {
		c.config.Logger.Warn("the state of an enrolment cannot be read and is computed again", "enrolment", e.ID, "error", err)
		return c.rebuild(tx, e)
	}
	e.loaded = err == nil
	return err
}

// rebuild evaluates everything that is kept of an enrolment once more. Older
// readings may have been forgotten: a silence before the first that is left
// perhaps never was, and if it was, the alerts know.
func (c *committer) rebuild(tx Tx, e *enrolment) error {
	since := e.From.Add(-e.evaluator.Lookback())
	history, err := c.history(tx, e, since)
	if err != nil {
		return err
	}
	begun, _ := slices.BinarySearchFunc(history, e.From, func(r *protocols.Reading, from time.Time) int { return r.Time.Compare(from) })
	if err := e.evaluator.Load(nil, history[:begun], since); err != nil {
		return err
	}
	e.loaded = true
	if history = history[begun:]; len(history) > 0 {
		e.evaluator.Advance(history[0].Time.Add(-1), nil)
	}
	for _, r := range history {
		c.work.findings = e.evaluator.Add(r, c.work.now, c.work.findings)
	}
	return nil
}

// farFuture is later than any reading.
var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// history returns, from a time on, what an enrolment was fed or would have been:
// the same readings by which it was evaluated when they came, so that loading it
// again changes nothing. A prescription that is renewed erases no past: what was
// measured under an earlier enrolment belongs to it as well.
func (c *committer) history(tx Tx, e *enrolment, from time.Time) (history []*protocols.Reading, err error) {
	feeds := map[string]time.Time{}
	var fault error
	err = tx.History(e.Patient, nil, from, farFuture, func(r *protocols.Reading) bool {
		if r.Struck || !e.evaluator.Uses(r.Measure) {
			return true
		}
		until, known := feeds[r.Device]
		if !known {
			if until, fault = c.feeds(r.Device, e); fault != nil {
				return false
			}
			feeds[r.Device] = until
		}
		if r.Time.Before(until) && (e.Covers(r.Time) || c.directory.devices[r.Device].followed(e, r.Time)) {
			history = append(history, r)
		}
		return true
	})
	if errors.Is(err, ErrDamaged) {
		err = nil
		if !e.incomplete {
			c.config.Logger.Error("the history of a patient is damaged: what is left of it is evaluated, and no alert ends", "patient", e.Patient, "enrolment", e.ID)
		}
		e.incomplete = true
	}
	return history, errors.Join(err, fault)
}

// handOn hands findings on to the alerts. Where readings are missing from the history of an enrolment,
// that an episode has ended is not believed: a person will see.
func (c *committer) handOn(tx Tx) error {
	w := &c.work
	for _, e := range w.touched {
		if e.incomplete {
			w.findings = slices.DeleteFunc(w.findings, func(f protocols.Finding) bool { return f.Enrolment == e.ID && f.Kind == protocols.Ended })
		}
		if !e.held.empty() {
			c.confirm(e)
		}
	}
	return tx.Apply(w.findings)
}

// feeds returns until when the readings of a device go to an enrolment; zero when
// they never did. What one measured that was replaced since still counts.
func (c *committer) feeds(name string, e *enrolment) (until time.Time, err error) {
	device, err := c.directory.device(c.work.ctx, name)
	if err != nil {
		return until, err
	}
	for _, fed := range device.enrolments {
		if fed.ID != e.ID {
			continue
		}
		if e.plan.Admits(device.kind, device.brand, device.model) {
			until = farFuture
		}
		return until, nil
	}
	return c.config.Store.FedUntil(c.work.ctx, name, e.ID)
}

// evaluate lets every enrolment look at its new readings.
func (c *committer) evaluate(tx Tx) error {
	w := &c.work
	for i := range w.candidates {
		if !w.fates[i].Kept() {
			continue
		}
		candidate := &w.candidates[i]
		for _, e := range w.targets[candidate.from:candidate.to] {
			if e.generation == c.directory.generation && e.evaluator.Uses(candidate.reading.Measure) {
				e.fresh = append(e.fresh, candidate.reading)
			}
		}
		for _, e := range c.successors(candidate) {
			if e.generation == c.directory.generation && e.evaluator.Uses(candidate.reading.Measure) {
				e.past = append(e.past, candidate.reading)
			}
		}
	}
	for _, e := range w.touched {
		if len(e.fresh)+len(e.past) == 0 {
			continue
		}
		if err := c.look(tx, e); err != nil {
			return fmt.Errorf("evaluate the enrolment %s: %w", e.ID, err)
		}
		c.save(e, false)
	}
	return nil
}

// look evaluates the new readings of one enrolment, in canonical order: first those of
// its past and the late ones, each all at once, then the others one by one.
func (c *committer) look(tx Tx, e *enrolment) error {
	w := &c.work
	if len(e.fresh) > 1 {
		slices.SortFunc(e.fresh, func(a, b *protocols.Reading) int {
			if a.Before(b) {
				return -1
			}
			return 1
		})
	}
	if len(e.past) > 0 {
		history, err := c.history(tx, e, e.evaluator.Reach(e.past))
		if err != nil {
			return err
		}
		w.findings = e.evaluator.Recall(e.past, e.without(history), w.now, w.findings)
	}
	c.askAnew(e)
	if late := e.late(); len(late) > 0 {
		history, err := c.history(tx, e, e.evaluator.Reach(late))
		if err != nil {
			return err
		}
		w.findings = e.evaluator.Recompute(late, e.without(history), w.now, w.findings)
		w.tell(len(late))
	}
	for some := range slices.Chunk(e.fresh, MaxReadings) {
		for _, r := range some {
			w.findings = e.evaluator.Add(r, w.now, w.findings)
		}
		w.tell(len(some))
	}
	return nil
}

// late takes out of the new readings those that come after later ones have been
// evaluated.
func (e *enrolment) late() (late []*protocols.Reading) {
	inOrder := e.fresh[:0]
	for _, r := range e.fresh {
		if e.evaluator.InOrder(r) {
			inOrder = append(inOrder, r)
		} else {
			late = append(late, r)
		}
	}
	e.fresh = inOrder
	return late
}

// without takes out of history the new readings that are evaluated afterwards.
func (e *enrolment) without(history []*protocols.Reading) []*protocols.Reading {
	inOrder := make(map[named]bool, len(e.fresh))
	for _, r := range e.fresh {
		inOrder[nameOf(r)] = true
	}
	return slices.DeleteFunc(history, func(r *protocols.Reading) bool { return inOrder[nameOf(r)] })
}

// save adds the state of an enrolment to what the transaction keeps. Where it
// has not changed its version still moves, which tells another node that
// readings have come.
func (c *committer) save(e *enrolment, always bool) {
	record := StateRecord{Enrolment: e.ID, Version: e.kept}
	if always || e.evaluator.Dirty() {
		record.Due = e.evaluator.Due()
		record.Snapshot = e.evaluator.Snapshot(nil)
	}
	c.work.states = append(c.work.states, record)
}
