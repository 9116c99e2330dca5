package registry

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vigie/protocols"
)

// What a person does to an enrolment. Each returns another enrolment and leaves e as it
// is; Check says what is wrong with it, and an import keeps it.

// clone is e with lists of its own.
func (e *Enrolment) clone() Enrolment {
	other := *e
	other.Devices, other.Pauses, other.Settings = slices.Clone(e.Devices), slices.Clone(e.Pauses), maps.Clone(e.Settings)
	return other
}

// With is e with a setting.
func (e *Enrolment) With(name string, setting protocols.Setting) Enrolment {
	other := e.clone()
	if other.Settings == nil {
		other.Settings = protocols.Settings{}
	}
	other.Settings[name] = setting
	return other
}

// Without is e without a setting: the protocol's own value holds. It reports false where e has
// no such setting.
func (e *Enrolment) Without(name string) (Enrolment, bool) {
	other := e.clone()
	_, had := other.Settings[name]
	delete(other.Settings, name)
	return other, had
}

// Under is e under another version of its protocol.
func (e *Enrolment) Under(version string) Enrolment {
	other := e.clone()
	other.Version = version
	return other
}

// Renewed goes on, under another id, where e ends, up to an instant: with the same
// devices, settings and consent, so that nothing of the past is lost. A pause ends with the
// prescription under which it was decided: who resumes e early would not be heard under the
// next one.
func (e *Enrolment) Renewed(id string, until time.Time) Enrolment {
	other := e.clone()
	other.ID, other.From, other.Prescription, other.Pauses = id, e.Prescription, until, nil
	return other
}

// Closed is e that ends at an instant.
func (e *Enrolment) Closed(at time.Time) Enrolment {
	other := e.clone()
	other.Prescription = at
	return other
}

// Paused is e with one more pause.
func (e *Enrolment) Paused(pause protocols.Pause) Enrolment {
	other := e.clone()
	other.Pauses = append(other.Pauses, pause)
	return other
}

// Resumed is e whose pause that runs at an instant ends then. It reports false when none
// runs.
func (e *Enrolment) Resumed(at time.Time) (Enrolment, bool) {
	other := e.clone()
	runs := func(p protocols.Pause) bool { return !p.From.After(at) && at.Before(p.Until) }
	i := slices.IndexFunc(other.Pauses, runs)
	if i < 0 {
		return other, false
	}
	if other.Pauses[i].Until = at; !at.After(other.Pauses[i].From) {
		other.Pauses = slices.Delete(other.Pauses, i, i+1) // it has not begun
	}
	return other, true
}

// Withdrawn is e whose consent was withdrawn at an instant.
func (e *Enrolment) Withdrawn(at time.Time) Enrolment {
	other := e.clone()
	other.Consent.Withdrawn = at
	return other
}

// Consenting is e with a consent that is given from an instant on.
func (e *Enrolment) Consenting(at time.Time, scope string) Enrolment {
	other := e.clone()
	was := e.Consent
	other.Consent = Consent{Given: true, Date: at, Scope: scope, TeamOnly: was.TeamOnly, Research: was.Research, Sharing: was.Sharing}
	return other
}

// Allowing is e with the patient's word on a purpose beside the monitoring: given from an
// instant on, or, where said.Given is false, withdrawn then, or refused. Of said the rest
// counts too, but for its times. It reports false for a purpose that does not exist.
func (e *Enrolment) Allowing(purpose string, said Purpose, at time.Time) (Enrolment, bool) {
	other := e.clone()
	p := other.Consent.Purpose(purpose)
	switch {
	case p == nil:
		return other, false
	case said.Given && p.At(at): // it stands, and says more
		*p = Purpose{
			Given: true, Date: p.Date, With: cmp.Or(said.With, p.With), Notice: cmp.Or(said.Notice, p.Notice), How: cmp.Or(said.How, p.How),
			By: cmp.Or(said.By, p.By), Proof: cmp.Or(said.Proof, p.Proof),
		}
	case !said.Given && p.Given && p.Withdrawn.IsZero():
		p.Withdrawn = at
	default:
		said.Date, said.Withdrawn = at, time.Time{}
		*p = said
	}
	return other, true
}

// Remembering is e with a consent that names, from an instant on, what was recorded
// before the enrolment began.
func (e *Enrolment) Remembering(from time.Time) Enrolment {
	other := e.clone()
	other.Consent.History = from
	return other
}

// Replacing is e with one device in the place of another. It reports false when e does
// not name the former one.
func (e *Enrolment) Replacing(former, next string) (Enrolment, bool) {
	other := e.clone()
	i := slices.Index(other.Devices, former)
	if i < 0 {
		return other, false
	}
	other.Devices[i] = next
	return other, true
}

// ForTeam is e whose patient lets nobody of another team open the record, or lets them
// again.
func (e *Enrolment) ForTeam(only bool) Enrolment {
	other := e.clone()
	other.Consent.TeamOnly = only
	return other
}
