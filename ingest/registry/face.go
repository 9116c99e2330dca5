package registry

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Face is a patient as lists and searches show him: by name, without the matricule.
// Listing faces is not logged; whoever opens what is kept of one patient reads his
// Identity, which is.
type Face struct {
	Patient    string // pseudonymous id
	BirthName  string
	FirstGiven string
	Sex        string     // M or F
	BirthDate  string     // 2006-01-02
	Contact    *Contact   // nil when nothing is known
	Followed   []Followed // oldest first
}

// Followed is an enrolment as a list shows it.
type Followed struct {
	Protocol, Version string
	Team              string
	Zone              string // IANA
	From, Until       time.Time
	Devices           []string
	Enrolment         string // id
	Proposed          bool   // a physician has yet to validate it
	Withdrawn         bool   // consent was refused or withdrawn: nobody renews it
}

// Faces joins what a store has read: the patients, and their enrolments.
func Faces(patients []Patient, enrolments []Enrolment) []Face {
	of := make(map[string][]Followed, len(patients))
	for i := range enrolments {
		e := &enrolments[i]
		of[e.Patient] = append(of[e.Patient], Followed{e.Protocol, e.Version, e.Team, e.Zone, e.From, e.Ends(), e.Devices, e.ID, e.Proposed, !e.Consent.Given || !e.Consent.Withdrawn.IsZero()})
	}
	faces := make([]Face, len(patients))
	for i, p := range patients {
		followed := of[p.ID]
		slices.SortStableFunc(followed, func(a, b Followed) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Protocol, b.Protocol)) })
		faces[i] = Face{p.ID, p.Identity.BirthName, p.Identity.FirstGiven, p.Identity.Sex, p.Identity.BirthDate, p.Identity.Contact, followed}
	}
	return faces
}

// RenewedAmong reports whether another enrolment under the same protocol goes on after e.
// A proposal does not yet.
func (e *Followed) RenewedAmong(all []Followed) bool {
	return slices.ContainsFunc(all, func(next Followed) bool {
		return next.Enrolment != e.Enrolment && next.Protocol == e.Protocol && !next.Proposed && !next.From.After(e.Until) && next.Until.After(e.Until)
	})
}

// Mark is how far somebody has read the registry. The zero Mark has read nothing.
type Mark struct{ Version, Items, Identities int64 }

// Touched is what has changed in the registry since a Mark.
type Touched struct {
	Now      Mark
	All      bool     // it is too much to list, or cannot be told: everything is to be read anew
	Patients []string // whose identity, record or enrolments changed, by id; also those taken out
	Devices  []string // by name; also those taken out
}

// MostTouched is how many changes are listed one by one.
const MostTouched = 5000

// HistoryRow is one row of a history of the registry, as Touch reads it.
type HistoryRow struct {
	Kind, ID, Author string
	At               int64  // as the store counts it
	Patient          string // of an enrolment
}

// Touch lists what changes are about. since and now hold the versions before and after them.
// Each version is one import, which leaves changes of one author and time. Where these do
// not add up, something changed that left no row.
func Touch(since, now Mark, changes []HistoryRow) Touched {
	t := Touched{Now: now}
	type signature struct {
		author string
		at     int64
	}
	imports, patients, devices := map[signature]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range changes {
		imports[signature{c.Author, c.At}] = true
		switch c.Kind {
		case KindPatient, KindIdentity:
			patients[c.ID] = true
		case KindEnrolment:
			patients[c.Patient] = true
		case KindDevice:
			devices[c.ID] = true
		}
	}
	if since == (Mark{}) || len(changes) > MostTouched || int64(len(imports)) != now.Version-since.Version {
		t.All = true
		return t
	}
	t.Patients, t.Devices = slices.Sorted(maps.Keys(patients)), slices.Sorted(maps.Keys(devices))
	return t
}
