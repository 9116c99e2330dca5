// Package replay asks a care protocol what it would have said of the past:
// which alerts, when, and why. It runs recorded or simulated histories through
// the same evaluation as the service, in order and on measurement time, as if
// each reading had been transmitted the moment it was measured.
//
// Nobody acknowledges anything here, so every episode of a rule counts as one
// alert, at the gravest level that it reached.
package replay

import (
	"fmt"
	"time"

	"vigie/protocols"
)

// Start begins the evaluation of one enrolment under one version of a protocol.
// It fails when the enrolment's settings do not suit the protocol.
type Start func(protocols.Enrolment) (protocols.Evaluator, error)

// Past is what is known of one patient: the enrolment and its readings in
// canonical order. Readings from before the span that is asked about are run
// too, so that a rule that looks back two weeks finds them.
type Past struct {
	Enrolment protocols.Enrolment
	Readings  []*protocols.Reading
}

// Span is the stretch of time that is asked about: [From, To).
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Days is the length of the span in days of 24 hours.
func (s Span) Days() float64 { return s.To.Sub(s.From).Hours() / 24 }

// Holds reports whether t is in the span.
func (s Span) Holds(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// Followed is the part of the span during which the enrolment runs.
func (s Span) Followed(e *protocols.Enrolment) Span {
	if e.From.After(s.From) {
		s.From = e.From
	}
	if !e.Until.IsZero() && e.Until.Before(s.To) {
		s.To = e.Until
	}
	if s.To.Before(s.From) {
		s.To = s.From
	}
	return s
}

// Alert is one episode of one rule for one patient.
type Alert struct {
	Time        time.Time              `json:"time"`           // when it would have been raised
	Patient     string                 `json:"patient"`        // pseudonymous
	Rule        string                 `json:"rule"`           // id
	Level       protocols.Level        `json:"level"`          // the gravest it reached
	Measured    time.Time              `json:"measured"`       // measurement time of what raised it
	Ended       time.Time              `json:"ended,omitzero"` // when the readings said that it was over
	Occurrences int                    `json:"occurrences"`    // readings for which it held
	TooLate     bool                   `json:"too_late,omitempty"`
	Rises       []Rise                 `json:"rises,omitempty"`
	Explanation *protocols.Explanation `json:"explanation"` // of the gravest level
	// Danger says that the value behind it lies beyond the table of danger; set by whoever
	// asks for it.
	Danger bool `json:"-"`

	first protocols.Level // before it rose
	hour  int             // of the patient's day, 0 to 23
	over  time.Time       // the end of the span for an episode that never ended
}

// Rise is a moment at which an alert got graver.
type Rise struct {
	Time  time.Time       `json:"time"`
	Level protocols.Level `json:"level"`
}

// Alerts runs one history and returns the alerts raised within the span while the
// patient was followed, in the order in which they were raised. Tick, when not nil, is told now and then how
// many more readings have been run.
func Alerts(start Start, past Past, span Span, tick func(readings int)) ([]Alert, error) {
	evaluator, err := start(past.Enrolment)
	if err != nil {
		return nil, fmt.Errorf("starting the evaluation of the enrolment %s: %w", past.Enrolment.ID, err)
	}
	if err := evaluator.Load(nil, nil, time.Time{}); err != nil {
		return nil, fmt.Errorf("starting the evaluation of the enrolment %s: %w", past.Enrolment.ID, err)
	}
	span = span.Followed(&past.Enrolment)
	run := run{evaluator: evaluator, span: span, open: map[episode]int{}, zone: past.Enrolment.Zone}
	if run.zone == nil {
		run.zone = time.UTC
	}
	for i, r := range past.Readings {
		if !r.Time.Before(span.To) {
			break
		}
		run.until(r.Time)
		run.applyAll(run.evaluator.Add(r, r.Time, run.found[:0]))
		if tick != nil && i%tickEvery == tickEvery-1 {
			tick(tickEvery)
		}
	}
	if tick != nil {
		tick(len(past.Readings) % tickEvery)
	}
	run.until(span.To)
	return run.alerts, nil
}

// tickEvery is how many readings go by between two ticks.
const tickEvery = 4096

// episode tells one stretch of a rule from the next.
type episode struct{ rule, name string }

// run is one history on its way through the evaluation.
type run struct {
	evaluator protocols.Evaluator
	span      Span
	zone      *time.Location
	found     []protocols.Finding
	alerts    []Alert
	open      map[episode]int // place in alerts; −1 for one raised before the span
}

// until lets time pass up to t, stopping wherever time alone may raise an alert.
func (r *run) until(t time.Time) {
	for {
		due := r.evaluator.Due()
		if due.IsZero() || !due.Before(t) {
			return
		}
		r.applyAll(r.evaluator.Advance(due, r.found[:0]))
		if next := r.evaluator.Due(); !next.After(due) {
			// It could not settle that moment: let all the time pass at once.
			r.applyAll(r.evaluator.Advance(t, r.found[:0]))
			return
		}
	}
}

func (r *run) applyAll(found []protocols.Finding) {
	r.found = found
	for i := range found {
		r.apply(&found[i])
	}
}

func (r *run) apply(f *protocols.Finding) {
	key := episode{f.Rule, f.Episode}
	place, known := r.open[key]
	if f.Kind == protocols.Raised && !known {
		r.open[key] = r.raise(f)
		return
	}
	if !known || place < 0 {
		return
	}
	alert := &r.alerts[place]
	switch f.Kind {
	case protocols.Risen:
		alert.Occurrences++
		alert.Level, alert.Explanation = f.Level, f.Explanation
		alert.Rises = append(alert.Rises, Rise{f.Found, f.Level})
	case protocols.Again:
		alert.Occurrences++
	case protocols.Ended:
		alert.Ended, alert.over = f.At, f.At
	case protocols.Resumed:
		alert.Ended, alert.over = time.Time{}, r.span.To
	}
}

func (r *run) raise(f *protocols.Finding) int {
	if !r.span.Holds(f.Found) {
		return -1
	}
	r.alerts = append(r.alerts, Alert{
		Time: f.Found, Patient: f.Patient, Rule: f.Rule, Level: f.Level, Measured: f.At, TooLate: f.TooLate,
		Occurrences: 1, Explanation: f.Explanation, first: f.Level, hour: f.Found.In(r.zone).Hour(), over: r.span.To,
	})
	return len(r.alerts) - 1
}
