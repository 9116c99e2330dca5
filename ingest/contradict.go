package ingest

import (
	"fmt"
	"slices"

	"vigie/protocols"
)

var contradicted = []protocols.Reason{{Code: protocols.Contradiction, Path: "values",
	Message: "the device told this id and moment with other values before; the former stay, send a correction under an id of its own"}}

// contradict sets the candidates aside that contradict what is kept, each with the
// message in which it came.
func (w *work) contradict() {
	if !slices.Contains(w.fates, Contradictory) {
		return
	}
	records, refusals := w.records, w.refusals
	w.records, w.refusals = nil, nil
	for _, it := range w.items {
		from, to := it.records, it.recordsEnd
		it.records = len(w.records)
		w.records, w.refusals = append(w.records, records[from:to]...), append(w.refusals, refusals[from:to]...)
		for i := it.readings; i < it.readings+it.kept && it.entered == nil; i++ {
			if candidate := &w.candidates[i]; w.fates[i] == Contradictory {
				w.setAside(it, candidate.device, candidate.reading, it.batch.Parts[candidate.place], contradicted)
				w.refusals[len(w.refusals)-1].targets = w.targets[candidate.from:candidate.to]
			}
		}
		it.recordsEnd = len(w.records)
	}
}

// contradictions finds the readings that contradict what is kept, and the devices
// that use ids again. One alert stands for the device and the day.
func (c *committer) contradictions(tx Tx) error {
	w := &c.work
	for i := range w.records {
		if w.aside[i] && w.refusals[i].targets != nil {
			if err := c.contradictory(tx, &w.refusals[i]); err != nil {
				return err
			}
		}
	}
	var told *device
	for i, fate := range w.fates {
		if candidate := &w.candidates[i]; fate == Reused && candidate.device != told {
			told = candidate.device
			at := candidate.reading.Time
			c.add(c.finding(protocols.Raised, RuleReused, told, told.civilDay(at), at, at))
		}
	}
	return nil
}

// contradictory finds one contradiction. Where the kept values or the others would
// ring for the team, the alert is as grave as that.
func (c *committer) contradictory(tx Tx, of *refusal) error {
	r := of.reading
	kept, err := keptInstead(tx, r)
	if err != nil || kept == nil {
		return err
	}
	level := protocols.Technical
	for _, e := range of.targets {
		for _, told := range []*protocols.Reading{kept, r} {
			rings, err := c.rings(tx, e, told, kept)
			if err != nil {
				return fmt.Errorf("see whether a contradiction would ring for the enrolment %s: %w", e.ID, err)
			}
			level = max(level, rings)
		}
	}
	f := c.finding(protocols.Raised, RuleContradiction, of.device, of.device.civilDay(r.Time), r.Time, r.Time)
	f.Level, f.Explanation.Level = level, level
	f.Explanation.Summary = differing(of.device, kept, r)
	f.Explanation.Readings = []protocols.Cited{kept.Cite(), r.Cite()}
	c.add(f)
	if level > protocols.Technical { // it may be the second of the day, and the graver one
		f.Kind = protocols.Risen
		c.add(f)
	}
	f.Kind, f.Explanation = protocols.Again, nil
	c.add(f)
	return nil
}

// keptInstead is the reading that is kept of the name of another.
func keptInstead(tx Tx, r *protocols.Reading) (kept *protocols.Reading, err error) {
	err = tx.History(r.Patient, r.Measure, r.Time, r.Time.Add(1), func(k *protocols.Reading) bool {
		if k.Device == r.Device && k.ID == r.ID && !k.Struck {
			kept = k
		}
		return kept == nil
	})
	return kept, err
}

// rings is the level at which a reading would ring in an enrolment, told instead of
// the one that is kept: orange or red, and Technical when it would not.
func (c *committer) rings(tx Tx, e *enrolment, told, kept *protocols.Reading) (level protocols.Level, err error) {
	found, err := c.withReading(tx, e, told, kept)
	level = protocols.Technical
	for _, f := range found {
		if f.Level >= protocols.Orange {
			level = max(level, f.Level)
		}
	}
	return level, err
}

// withReading is what an enrolment would find for one more reading, told instead of
// one that is kept, if any. Nothing of it is kept.
func (c *committer) withReading(tx Tx, e *enrolment, told, kept *protocols.Reading) (found []protocols.Finding, err error) {
	trial, err := e.trial()
	if err != nil || !trial.Uses(told.Measure) {
		return nil, err
	}
	var snapshot []byte
	if e.loaded {
		snapshot = e.evaluator.Snapshot(nil)
	} else if _, snapshot, _, err = loadState(tx, e.ID); err != nil {
		return nil, err
	}
	if e.evaluator == nil { // history asks it which measures it uses
		e.evaluator = trial
		defer func() { e.evaluator = nil }()
	}
	since := trial.Since(snapshot, earlier(told.Time, c.work.now))
	history, err := c.history(tx, e, since)
	if err == nil {
		err = trial.Load(snapshot, history, since)
	}
	late := []*protocols.Reading{told}
	if err == nil {
		history, err = c.history(tx, e, trial.Reach(late))
	}
	if err != nil {
		return nil, err
	}
	if kept == nil {
		place := slices.IndexFunc(history, told.Before)
		if place < 0 {
			place = len(history)
		}
		history = slices.Insert(history, place, told)
	}
	for i, r := range history {
		if kept != nil && nameOf(r) == nameOf(kept) {
			history[i] = told
		}
	}
	found = trial.Recompute(late, history, c.work.now, nil)
	return slices.DeleteFunc(found, func(f protocols.Finding) bool { return f.Kind == protocols.Ended }), nil
}
