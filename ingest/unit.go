package ingest

import (
	"fmt"
	"slices"

	"vigie/protocols"
)

// unitTrouble follows the unit that a device names. A value that is impossible in it, and
// possible in another one, puts those in doubt that would be possible in both: 25 mg/dL
// from a meter that also sends 7.2 is 25 mmol/L, and either is dangerous.
func (c *committer) unitTrouble(tx Tx, it *item) error {
	w, device := &c.work, it.device
	for i := it.records; i < it.recordsEnd; i++ {
		measure, fits := misfit(w.records[i].Reasons, w.refusals[i].reading)
		if !w.aside[i] || measure == nil {
			continue
		}
		if next, changed := device.status.Misfit(measure.ID, fits, it.message.Received); changed {
			if err := c.setStatus(tx, device, next); err != nil {
				return err
			}
		}
	}
	for i := it.readings; i < it.readings+it.kept; i++ {
		candidate := &w.candidates[i]
		fits := device.status.Doubted(candidate.reading.Measure.ID, it.message.Received)
		if fits == "" || !w.fates[i].Kept() {
			continue
		}
		if err := c.unitDoubted(tx, candidate, fits); err != nil {
			return err
		}
	}
	return nil
}

// farApart is by how much another unit has to be larger for an impossible value to tell
// something: a pound and a kilogram take each other's numbers, as do typing errors.
const farApart = 10

// misfit is the measure of which a value is impossible as it was sent, and the unit in
// which it would be possible; nil for none.
func misfit(reasons []protocols.Reason, r *protocols.Reading) (measure *protocols.Measure, fits string) {
	for _, reason := range reasons {
		if reason.Code != protocols.Implausible || len(reason.Fits) == 0 || r == nil || r.Measure == nil {
			continue
		}
		if scale, ok := r.Measure.Scale(0, reason.Fits[0]); ok && scale >= farApart {
			return r.Measure, reason.Fits[0]
		}
	}
	return nil, ""
}

// unitDoubted finds that the unit of a value is in doubt. Where the value would ring in
// the other unit, this rings as gravely. A value that only the named unit fits shows that
// the device means it.
func (c *committer) unitDoubted(tx Tx, candidate *candidate, fits string) error {
	r, device := candidate.reading, candidate.device
	other, possible := meant(r, fits)
	if !possible {
		return c.setStatus(tx, device, device.status.Fitted())
	}
	level := protocols.Technical
	for _, e := range c.work.targets[candidate.from:candidate.to] {
		rings, err := c.rings(tx, e, other, r)
		if err != nil {
			return fmt.Errorf("see whether a value would ring in another unit for the enrolment %s: %w", e.ID, err)
		}
		level = max(level, rings)
	}
	f := c.finding(protocols.Raised, RuleUnit, device, r.Measure.ID+" "+device.civilDay(r.Time), r.Time, r.Time)
	f.Level, f.Explanation.Level = level, level
	f.Explanation.Summary = inDoubt(device, r, other, fits)
	f.Explanation.Readings = []protocols.Cited{r.Cite()}
	c.add(f)
	if level > protocols.Technical { // it may be the second of the day, and the graver one
		f.Kind = protocols.Risen
		c.add(f)
	}
	return nil
}

// meant is a reading whose number was meant in another unit, and whether an instrument can
// report that. The number is taken as it stands in the canonical unit.
func meant(r *protocols.Reading, unit string) (other *protocols.Reading, possible bool) {
	if len(r.Measure.Components) != 1 || r.Values[0] == protocols.Missing || r.Limit(0) != protocols.Measured {
		return nil, false
	}
	component := &r.Measure.Components[0]
	number, ok := r.Measure.Convert(0, r.Values[0].Float(), unit)
	if !ok {
		return nil, false
	}
	value, ok := protocols.Of(number)
	if !ok || value < component.Low || value > component.High {
		return nil, false
	}
	copied := *r
	copied.Values = slices.Clone(r.Values)
	copied.Values[0] = value
	return &copied, true
}
