package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

// Merge says that two records of patients are about one person, or, with an empty Into,
// that they are not after all. Each keeps its readings, its enrolments and its trail.
type Merge struct {
	From   string    `json:"from" validate:"required"`
	Into   string    `json:"into,omitempty" validate:"required"` // the record that the person goes by; a file takes none back
	Author string    `json:"author" validate:"required"`
	Reason string    `json:"reason" validate:"required"`
	At     time.Time `json:"at" validate:"required"`
}

// CannotMerge is a merge that cannot be made, in a sentence that says what to do.
type CannotMerge struct {
	Code string
	Text protocols.Text
}

// Error returns the English sentence.
func (c *CannotMerge) Error() string { return c.Text.In("en") }

// The codes of merges that cannot be made.
const (
	MergeUnknown  = "no-such-patient"
	MergeSelf     = "same-record"
	MergeBefore   = "merged-already"
	MergeNot      = "not-merged"
	MergeFollowed = "followed-twice"
)

func cannot(code, fr, en string, args ...any) error {
	return &CannotMerge{code, protocols.Say(fr, en, args...)}
}

// Mergeable is the part of a Store that a merge asks.
type Mergeable interface {
	HasPatient(ctx context.Context, id string) (bool, error)
	EnrolmentsOf(ctx context.Context, patient string) ([]Enrolment, error)
	Merges(ctx context.Context) ([]Merge, error)
	Import(ctx context.Context, reg *Registry, author string, at time.Time) (Changes, error)
}

// Check returns why a merge cannot be made: a *CannotMerge, or a failure.
func (m *Merge) Check(ctx context.Context, store Mergeable) error {
	for _, id := range []string{m.From, m.Into} {
		if id == "" {
			continue
		}
		if known, err := store.HasPatient(ctx, id); err != nil {
			return err
		} else if !known {
			return cannot(MergeUnknown, "Aucun patient ne porte la référence %s.", "There is no patient with the reference %s.", id)
		}
	}
	merges, err := store.Merges(ctx)
	if err != nil {
		return err
	}
	persons := PersonsOf(merges)
	if m.Into == "" {
		if _, merged := persons[m.From]; !merged {
			return cannot(MergeNot, "Le dossier %s n'est réuni à aucun autre.", "The record %s is merged with no other one.", m.From)
		}
		return nil
	}
	if m.From == m.Into {
		return cannot(MergeSelf, "Un dossier ne se réunit pas à lui-même : donnez les deux références.", "A record is not merged with itself: give both references.")
	}
	for _, id := range []string{m.From, m.Into} {
		if into, merged := persons[id]; merged {
			return cannot(MergeBefore, "Le dossier %s est déjà réuni à %s : séparez-les d'abord, ou donnez %[2]s.", "The record %s is merged into %s already: take that back first, or give %[2]s.", id, into)
		}
	}
	return m.followedOnce(persons, func(patient string) ([]Enrolment, error) { return store.EnrolmentsOf(ctx, patient) })
}

// followedOnce refuses a merge of records that are followed under one protocol at the same
// time: one person would be evaluated twice, each time by half of the readings.
func (m *Merge) followedOnce(persons Persons, of func(patient string) ([]Enrolment, error)) error {
	var all []Enrolment
	for _, id := range append([]string{m.From, m.Into}, append(persons.Same(m.From), persons.Same(m.Into)...)...) {
		enrolments, err := of(id)
		if err != nil {
			return err
		}
		all = append(all, enrolments...)
	}
	for i := range all {
		for j := range all[:i] {
			a, b := &all[j], &all[i]
			if a.Patient != b.Patient && a.Protocol == b.Protocol && a.runsAfter(m.At) && b.runsAfter(m.At) && a.meets(b) {
				return cannot(MergeFollowed,
					"Les deux dossiers sont suivis en même temps selon le protocole %s (%s et %s) : terminez l'une des deux inclusions, puis réunissez-les.",
					"Both records are followed under the protocol %s at the same time (%s and %s): end one of the two enrolments, then merge.", a.Protocol, a.ID, b.ID)
			}
		}
	}
	return nil
}

// runsAfter reports whether an enrolment goes on at a moment, or is still to come.
func (e *Enrolment) runsAfter(t time.Time) bool { return e.Ends().IsZero() || e.Ends().After(t) }

// meets reports whether two enrolments run at the same time.
func (e *Enrolment) meets(other *Enrolment) bool {
	return e.runsAfter(other.From) && other.runsAfter(e.From)
}

// Make makes a merge, or takes one back. It returns a *CannotMerge where that cannot be.
func (m *Merge) Make(ctx context.Context, store Mergeable) error {
	if err := m.Check(ctx, store); err != nil {
		return err
	}
	_, err := store.Import(ctx, &Registry{Merges: []Merge{*m}}, m.Author, m.At)
	return err
}

// Persons says which record a person goes by, for the records that are merged into it.
type Persons map[string]string

// PersonsOf are those of the merges that stand.
func PersonsOf(merges []Merge) Persons {
	persons := Persons{}
	for _, m := range merges {
		if m.Into != "" {
			persons[m.From] = m.Into
		}
	}
	for from := range persons { // two merges that were made at once may lead one to the other
		for range persons {
			if further, merged := persons[persons[from]]; merged && further != from {
				persons[from] = further
			}
		}
	}
	return persons
}

// Person is the record that a patient goes by.
func (p Persons) Person(patient string) string {
	if into, merged := p[patient]; merged {
		return into
	}
	return patient
}

// Same lists the other records of the person of a patient, in order.
func (p Persons) Same(patient string) (records []string) {
	person := p.Person(patient)
	if person != patient {
		records = append(records, person)
	}
	for from, into := range p {
		if into == person && from != patient {
			records = append(records, from)
		}
	}
	slices.Sort(records)
	return records
}

// Standing are the merges that stand of some records.
func Standing(records []Pseudonym) (merges []Merge) {
	for _, p := range records {
		if p.Merged != nil && p.Merged.Into != "" {
			merges = append(merges, *p.Merged)
		}
	}
	return merges
}

// checkMerges holds the merges of a document against the records that it and the registry
// hold.
func (c *checker) checkMerges() {
	if len(c.reg.Merges) == 0 {
		return
	}
	stand, err := c.known.Merges(c.ctx)
	if c.missing(err) {
		return
	}
	persons := PersonsOf(stand)
	merged := index(c, "merges", "from", c.reg.Merges, func(m *Merge) string { return m.From })
	eachItem("merges", c.reg.Merges, func(m *Merge, path string) {
		c.checkFields(m, path)
		for field, id := range map[string]string{"from": m.From, "into": m.Into} {
			if id == "" || c.patients[id] != nil {
				continue
			}
			has, err := c.known.HasPatient(c.ctx, id)
			if !c.missing(err) && !has {
				c.refuse(path+"."+field, "unknown-patient", protocols.Say("aucun patient « %s »", "no patient %q", id), document.Nearest(id, keys(c.patients)))
			}
		}
		if m.Into != "" && (m.Into == m.From || merged[m.Into] != nil) {
			c.refuse(path+".into", MergeBefore, protocols.Say("le dossier %s est lui-même réuni à un autre", "the record %s is merged into another one itself", m.Into), protocols.Say("donner le dossier auquel la personne se réfère", "give the record that the person goes by"))
			return
		}
		c.checkMerge(m, path, persons)
	})
}

// checkMerge refuses what Merge.Check would, of a merge that does not stand yet.
func (c *checker) checkMerge(m *Merge, path string, persons Persons) {
	if m.Into == "" || persons[m.From] == m.Into {
		return
	}
	for field, id := range map[string]string{"from": m.From, "into": m.Into} {
		if into, merged := persons[id]; merged {
			c.refuse(path+"."+field, MergeBefore, protocols.Say("le dossier %s est déjà réuni à %s", "the record %s is merged into %s already", id, into), protocols.Say("les séparer d'abord : vigie patient unmerge", "take that back first: vigie patient unmerge"))
			return
		}
	}
	err := m.followedOnce(persons, c.enrolmentsOf)
	if no := (*CannotMerge)(nil); errors.As(err, &no) {
		c.refuse(path, no.Code, no.Text, none)
	} else {
		c.missing(err)
	}
}

// enrolmentsOf lists the enrolments of a patient as they would be after the import.
func (c *checker) enrolmentsOf(patient string) ([]Enrolment, error) {
	all, err := c.known.EnrolmentsOf(c.ctx, patient)
	all = slices.DeleteFunc(all, func(e Enrolment) bool { return c.enrolled[e.ID] != nil })
	for i := range c.reg.Enrolments {
		if c.reg.Enrolments[i].Patient == patient {
			all = append(all, c.reg.Enrolments[i])
		}
	}
	return all, err
}

// merge keeps a merge with the pseudonymous id of the record.
func (im *importer) merge(m Merge) error {
	changes, err := formers(im, KindPatient, []Merge{m}, func(m *Merge) string { return m.From })
	if err != nil {
		return err
	}
	former, err := stored[Pseudonym](KindPatient, changes[0])
	if err != nil {
		return err
	}
	if former == nil {
		return fmt.Errorf("the patient %s is %w", m.From, ErrNotFound)
	}
	former.Merged = &m
	if err := changes[0].become(former); err != nil {
		return err
	}
	return im.keep(KindPatient, im.count(changes))
}
