package replay

import (
	"context"
	"sync"
	"time"

	"vigie/protocols"
)

// Run is many patients under one version of a protocol, or under two that are compared.
type Run struct {
	Patients int
	Past     func(ctx context.Context, i int) (*Past, error)
	Span     Span
	Versions []Start
	// Step is how often the glucose sensor of a patient with these settings sends; zero
	// when nothing says.
	Step func(own protocols.Settings) time.Duration
	// Read is called while readings are evaluated under the first version, and Done when
	// a patient is done, by several goroutines. Either may be nil.
	Read func(readings int)
	Done func()
}

// Evaluate runs every patient through each version, several patients at a time. Whatever
// the order in which they finish, the result is the same.
func (r *Run) Evaluate(ctx context.Context, workers int) ([]*Outcome, *Statistics, error) {
	parts := make([]onePatient, r.Patients)
	var mutex sync.Mutex
	err := Each(ctx, workers, r.Patients, func(i int) error {
		own, err := r.one(ctx, i)
		if err != nil {
			return err
		}
		mutex.Lock()
		parts[i] = *own
		mutex.Unlock()
		if r.Done != nil {
			r.Done()
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var outcomes []*Outcome
	for side := range r.Versions {
		whole := &Outcome{}
		for i := range parts {
			whole.Merge(&parts[i].outcomes[side])
		}
		whole.Sort()
		outcomes = append(outcomes, whole)
	}
	statistics := new(Statistics)
	for i := range parts {
		statistics.Merge(&parts[i].statistics)
	}
	return outcomes, statistics, nil
}

// onePatient is what was found for one patient.
type onePatient struct {
	outcomes   []Outcome
	statistics Statistics
}

func (r *Run) one(ctx context.Context, i int) (*onePatient, error) {
	past, err := r.Past(ctx, i)
	if err != nil {
		return nil, err
	}
	own := &onePatient{outcomes: make([]Outcome, len(r.Versions))}
	for side, start := range r.Versions {
		tick := r.Read
		if side > 0 {
			tick = nil
		}
		alerts, err := Alerts(start, *past, r.Span, tick)
		if err != nil {
			return nil, err
		}
		own.outcomes[side].Add(*past, r.Span, alerts)
	}
	own.statistics.Add(past.Readings, r.Span.Followed(&past.Enrolment), r.Step(past.Enrolment.Settings))
	return own, nil
}
