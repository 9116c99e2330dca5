package registry

import (
	"cmp"
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
