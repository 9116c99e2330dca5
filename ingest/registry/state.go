package registry

import (
	"slices"
	"time"
)

// State is where an enrolment stands.
type State string

// The states of an enrolment, in the order in which they come.
const (
	Proposed  State = "proposed"  // a physician has yet to validate it: nobody is followed
	Validated State = "validated" // it has not begun
	Active    State = "active"
	Suspended State = "suspended" // a pause runs: no reading is expected
	Ended     State = "ended"     // the prescription is over, or consent was withdrawn or never given
)

// States lists the states in the order in which they come.
func States() []State { return []State{Proposed, Validated, Active, Suspended, Ended} }

// Validation is who has validated a proposal.
type Validation struct {
	Author string    `json:"author" yaml:"author" validate:"required"`
	At     time.Time `json:"at" yaml:"at" validate:"required"`
}

// StateAt is where an enrolment stands at a moment.
func (e *Enrolment) StateAt(t time.Time) State {
	ends := e.Ends()
	switch {
	case !ends.IsZero() && !t.Before(ends), !e.Consent.Given:
		return Ended
	case e.Proposed:
		return Proposed
	case t.Before(e.From):
		return Validated
	}
	for _, p := range e.Pauses {
		if !t.Before(p.From) && t.Before(p.Until) {
			return Suspended
		}
	}
	return Active
}

// Begins is from when on the patient is followed. What is only proposed begins where it
// ends: it covers no moment.
func (e *Enrolment) Begins() time.Time {
	if e.Proposed {
		return e.Ends()
	}
	return e.From
}

// ValidatedBy is a proposal that a physician validates. It begins then, or later where it
// says so.
func (e *Enrolment) ValidatedBy(author string, at time.Time) Enrolment {
	other := e.clone()
	other.Proposed, other.Validated = false, &Validation{author, at}
	if other.From.Before(at) {
		other.From = at
	}
	return other
}

// RenewalDays are how many days before the end of a prescription the team is reminded.
var RenewalDays = []int{30, 7, 1}

// DaysLeft is how many civil days are left after the one of t, where the patient lives,
// up to the last day.
func (e *Enrolment) DaysLeft(t time.Time) int {
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		zone = time.UTC
	}
	day := func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	return int(day(LastDay(e.Ends(), zone)).Sub(day(t.In(zone))) / (24 * time.Hour))
}

// RenewedAmong reports whether another enrolment of the same patient under the same
// protocol goes on after e. A proposal does not yet.
func (e *Enrolment) RenewedAmong(all []Enrolment) bool {
	return slices.ContainsFunc(all, func(next Enrolment) bool {
		return next.ID != e.ID && next.Patient == e.Patient && next.Protocol == e.Protocol && !next.Proposed && !next.From.After(e.Prescription) && next.Ends().After(e.Prescription)
	})
}

// EndsSoon reports whether e runs at a moment, ends within so many days, and nothing
// among all goes on after it. Who has withdrawn consent is not to be renewed.
func (e *Enrolment) EndsSoon(t time.Time, days int, all []Enrolment) bool {
	return e.Covers(t) && e.Consent.At(t) && e.Consent.Withdrawn.IsZero() && e.DaysLeft(t) <= days && !e.RenewedAmong(all)
}
