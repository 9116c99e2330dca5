package main

import (
	"context"
	"runtime"
	"sync"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// evaluate runs every patient of the source through each version, several
// patients at a time. Whatever the order in which they finish, the result is the
// same.
func evaluate(ctx context.Context, source *pastSource, versions []*candidate, bar *progress) (*replayed, error) {
	found := &replayed{versions: versions, source: source, span: source.span}
	defer bar.end()

	parts := make([]onePatient, source.patients)
	var mutex sync.Mutex
	err := replay.Each(ctx, runtime.GOMAXPROCS(0), source.patients, func(i int) error {
		past, err := source.past(ctx, i)
		if err != nil {
			return err
		}
		own := onePatient{outcomes: make([]replay.Outcome, len(versions))}
		for side, v := range versions {
			alerts, err := replay.Alerts(v.start, *past, source.span, func(readings int) {
				if side == 0 && source.counts == readingNoun {
					bar.add(readings)
				}
			})
			if err != nil {
				return err
			}
			own.outcomes[side].Add(*past, source.span, alerts)
		}
		own.statistics.Add(past.Readings, source.span.Followed(&past.Enrolment), versions[0].sensorStep(past.Enrolment.Settings))
		mutex.Lock()
		parts[i] = own
		mutex.Unlock()
		if source.counts == patientNoun {
			bar.add(1)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for side := range versions {
		whole := &replay.Outcome{}
		for i := range parts {
			whole.Merge(&parts[i].outcomes[side])
		}
		whole.Sort()
		found.outcomes = append(found.outcomes, whole)
	}
	for i := range parts {
		found.statistics.Merge(&parts[i].statistics)
	}
	return found, nil
}

// onePatient is what was found for one patient.
type onePatient struct {
	outcomes   []replay.Outcome
	statistics replay.Statistics
}

// sensorStep is how often the protocol expects the glucose sensor of a patient
// with these settings to send; zero when it does not say.
func (c *candidate) sensorStep(own protocols.Settings) time.Duration {
	for _, o := range c.protocol.Observations {
		if o.Measure.ID == "glucose" && o.Cadence.Every > 0 {
			return c.protocol.UsualStep(o.Measure, o.Variant, c.inForce(own))
		}
	}
	return 0
}
