package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

// Library finds a version of a care protocol; nil when there is none.
type Library func(id, version string) *protocols.Protocol

// Known is what a registry already holds, so that an import may refer to it.
// Each method returns ErrNotFound for what it does not hold.
type Known interface {
	Team(ctx context.Context, id string) (*Team, error)
	HasPatient(ctx context.Context, id string) (bool, error)
	Device(ctx context.Context, name string) (*Assignment, error)
	Enrolment(ctx context.Context, id string) (*Enrolment, error)
	// EnrolmentsOf lists the enrolments of a patient, oldest first.
	EnrolmentsOf(ctx context.Context, patient string) ([]Enrolment, error)
	// Merges lists the merges of patients that stand, by the record that is merged.
	Merges(ctx context.Context) ([]Merge, error)
}

// Holder reads at once what it holds of what a document names: one question for
// thousands of items.
type Holder interface {
	Holding(ctx context.Context, reg *Registry) (*Holding, error)
}

// Holding is what a registry holds of what a document names.
type Holding struct {
	Devices    map[string]*Assignment // by name
	Enrolments map[string]*Enrolment  // by id
	// Twins are, by a patient of the document, another patient with the same INS. No
	// trait is read for it.
	Twins map[string]string
}

// Check reads a registry from a document and lists everything that is wrong
// with it, in the order of the document. The registry may be used when no
// problem is an Error.
//
// The document has the keys teams, patients, devices, enrolments and merges, each a
// list of what the types of this package hold, under their JSON names. Times
// are instants (RFC 3339), or dates, which begin at midnight in the time_zone
// beside them. The date in prescription_end is the last day, which is included.
//
// known is what the import will be added to; nil when it stands alone. The
// error is that of known, never one of the document.
func Check(ctx context.Context, doc *document.Node, library Library, known Known) (Registry, []document.Problem, error) {
	c := checker{decoder: newDecoder(), doc: doc, library: library, known: known, ctx: ctx}
	if known == nil {
		c.known = nothing{}
	}
	c.Fill(document.Place{Node: doc}, &c.reg)
	c.unread = map[string]bool{}
	for _, p := range c.Problems {
		c.unread[p.Path] = true
	}
	c.checkIDs()
	c.hold()
	c.checkItems()
	c.checkMerges()
	c.checkDevicesShared()
	c.checkRenewals()
	document.InOrder(c.Problems)
	return c.reg, c.Problems, c.failed
}

// Refused reports whether one of the problems forbids the import.
func Refused(problems []document.Problem) bool { return document.Refused(problems) }

type checker struct {
	*decoder
	ctx     context.Context
	doc     *document.Node
	library Library
	known   Known
	reg     Registry

	teams    map[string]*Team
	patients map[string]*Patient
	devices  map[string]*Device
	enrolled map[string]*Enrolment
	fed      map[string][]*Enrolment // by a device; see feeding
	unread   map[string]bool         // paths at which nothing could be read, and which is said
	failed   error                   // of known
}

// refuse notes what forbids the import, at the node of a path.
func (c *checker) refuse(path, code string, message, wayOut protocols.Text) {
	if !c.unread[path] {
		c.Fault(c.doc.Find(path), code, message, wayOut)
	}
}

// warn notes what forbids nothing.
func (c *checker) warn(path, code string, message, wayOut protocols.Text) {
	c.Note(c.doc.Find(path), document.Warning, code, message, wayOut)
}

// none is the way out where the sentence says it.
var none protocols.Text

func (c *checker) checkIDs() {
	c.teams = index(c, "teams", "id", c.reg.Teams, func(t *Team) string { return t.ID })
	c.patients = index(c, "patients", "id", c.reg.Patients, func(p *Patient) string { return p.ID })
	c.devices = index(c, "devices", "name", c.reg.Devices, func(d *Device) string { return d.Name })
	c.enrolled = index(c, "enrolments", "id", c.reg.Enrolments, func(e *Enrolment) string { return e.ID })
	index(c, "patients", "identity.ins", c.reg.Patients, func(p *Patient) string { return p.Identity.INS })
}

// index finds items by their key, and keys that are there twice. A key is not
// repeated in the complaint: it may be an INS.
func index[T any](c *checker, name, field string, items []T, key func(*T) string) map[string]*T {
	found := make(map[string]*T, len(items))
	first := make(map[string]string, len(items))
	eachItem(name, items, func(item *T, path string) {
		k := key(item)
		if k == "" {
			return
		}
		if earlier, twice := first[k]; twice {
			c.refuse(path+"."+field, "duplicate-id", protocols.Say("déjà employé par %s", "already used by %s", earlier), none)
			return
		}
		found[k], first[k] = item, path
	})
	return found
}

func (c *checker) checkItems() {
	eachItem("teams", c.reg.Teams, func(t *Team, path string) {
		c.checkFields(t, path)
		c.checkContacts(t, path)
	})
	eachItem("patients", c.reg.Patients, func(p *Patient, path string) {
		c.checkFields(p, path)
		c.checkIdentity(&p.Identity, path+".identity")
	})
	eachItem("devices", c.reg.Devices, func(d *Device, path string) {
		c.checkFields(d, path)
		c.checkKind(d, path)
		if d.Gateway != "" && (d.Gateway == d.Name || c.device(d.Gateway) == nil) {
			c.refuse(path+".gateway", "unknown-device", protocols.Say("aucun autre appareil « %s »", "no other device %q", d.Gateway), document.Nearest(d.Gateway, keys(c.devices)))
		}
	})
	eachItem("enrolments", c.reg.Enrolments, func(e *Enrolment, path string) {
		c.checkFields(e, path)
		c.checkReferences(e, path)
		c.checkSettings(e, path)
		c.checkOutdated(e, path)
		c.checkPauses(e, path)
		c.checkUnder(e, path)
		if e.Consent.Given && e.Consent.Date.After(e.From) && !e.From.IsZero() {
			c.warn(path+".consent.date", "consent-late", protocols.Say("le consentement est plus récent que le début de l'inclusion (from) : les mesures d'avant seront mises de côté", "the consent is later than from: readings before it will be set aside"), none)
		}
	})
}

// hold reads what is known of the document, where known can tell it at once, and says
// which patients have the INS of another one.
func (c *checker) hold() {
	holder, can := c.known.(Holder)
	if !can {
		return
	}
	holding, err := holder.Holding(c.ctx, &c.reg)
	if c.missing(err) {
		return
	}
	eachItem("patients", c.reg.Patients, func(p *Patient, path string) {
		if other := holding.Twins[p.ID]; other != "" && c.patients[other] == nil {
			c.warn(path+".identity.ins", "same-ins", protocols.Say("cet INS est aussi celui du patient %s", "this INS is also that of the patient %s", other), protocols.Say("une personne est un seul patient : inclure celui-là", "one person is one patient: enrol that one"))
		}
	})
}

// checkKind says where the kind of a device is none that this version knows: such a
// device may measure anything.
func (c *checker) checkKind(d *Device, path string) {
	if d.Kind == "" || protocols.KindByID(d.Kind) != nil {
		return
	}
	var known []string
	for _, k := range protocols.Kinds() {
		known = append(known, k.ID)
	}
	suggestion := document.Nearest(d.Kind, known)
	if suggestion == none {
		suggestion = protocols.Say("« vigie measures » donne les types connus", "vigie measures lists the kinds")
	}
	c.warn(path+".kind", "unknown-kind", protocols.Say("« %s » n'est pas un type d'appareil connu : il peut tout mesurer", "%q is no kind of device that is known: it may measure anything", d.Kind), suggestion)
}

func (c *checker) checkReferences(e *Enrolment, path string) {
	if e.Team != "" && c.teams[e.Team] == nil {
		_, err := c.known.Team(c.ctx, e.Team)
		if c.missing(err) {
			c.refuse(path+".team", "unknown-team", protocols.Say("aucune équipe « %s »", "no team %q", e.Team), document.Nearest(e.Team, keys(c.teams)))
		}
	}
	if e.Patient != "" && c.patients[e.Patient] == nil {
		has, err := c.known.HasPatient(c.ctx, e.Patient)
		if !c.missing(err) && !has {
			c.refuse(path+".patient", "unknown-patient", protocols.Say("aucun patient « %s »", "no patient %q", e.Patient), document.Nearest(e.Patient, keys(c.patients)))
		}
	}
	if former, err := c.known.Enrolment(c.ctx, e.ID); !c.missing(err) && former.Patient != e.Patient {
		c.refuse(path+".patient", "patient-changed", protocols.Say("l'inclusion %s est celle d'un autre patient", "the enrolment %s belongs to another patient", e.ID), protocols.Say("donner à l'autre patient une inclusion à lui", "give the other patient an enrolment of its own"))
	}
}

// missing reports whether err says so; any other error ends the check.
func (c *checker) missing(err error) bool {
	if err != nil && !errors.Is(err, ErrNotFound) {
		c.failed = err
	}
	return err != nil
}

// device finds a device in the document or, with the enrolments it feeds, in
// what is known.
func (c *checker) device(name string) *Device {
	if d := c.devices[name]; d != nil {
		return d
	}
	assignment, err := c.known.Device(c.ctx, name)
	if c.missing(err) {
		return nil
	}
	return &assignment.Device
}

func (c *checker) checkSettings(e *Enrolment, path string) {
	for _, name := range keys(e.Settings) {
		setting, where := e.Settings[name], path+".settings."+name
		for field, absent := range map[string]bool{"author": setting.Author == "", "date": setting.Date.IsZero(), "reason": setting.Reason == "", "value": c.doc.Find(where).Node.Get("value") == nil} {
			if absent {
				c.refuse(where, "setting-unsigned", protocols.Say("%s manque", "%s is missing", field), protocols.Say("un réglage a value, author, date et reason", "a setting has value, author, date and reason"))
			}
		}
	}
	former, err := c.known.Enrolment(c.ctx, e.ID)
	if c.missing(err) {
		return
	}
	for _, name := range unsigned(former, e) {
		c.refuse(path+".settings."+name, "setting-unsigned", protocols.Say("la valeur n'est plus la même, sous les mêmes author, date et reason", "another value than before under the same author, date and reason"), protocols.Say("écrire qui l'a changée, quand et pourquoi", "write who changed it, when and why"))
	}
}

// unsigned lists the settings whose value changes while their author, date and
// reason stay.
func unsigned(former, next *Enrolment) []string {
	var names []string
	for _, name := range keys(next.Settings) {
		before, had := former.Settings[name]
		after := next.Settings[name]
		if had && before.Value != after.Value && before.Author == after.Author && before.Date.Equal(after.Date) && before.Reason == after.Reason {
			names = append(names, name)
		}
	}
	return names
}

func (c *checker) checkPauses(e *Enrolment, path string) {
	eachItem(path+".pauses", e.Pauses, func(p *protocols.Pause, where string) {
		if p.From.IsZero() || p.Until.IsZero() || p.Author == "" || p.Reason == "" {
			c.refuse(where, "pause-unsigned", protocols.Say("une pause sans début, fin, auteur ou motif n'en est pas une", "a pause without beginning, end, author or reason is no pause"), protocols.Say("une pause a from, until, author et reason", "a pause has from, until, author and reason"))
			return
		}
		if !p.Until.After(p.From) {
			c.refuse(where+".until", "bad-date", notAfterFrom, none)
		}
	})
}

// checkUnder holds an enrolment against its protocol.
func (c *checker) checkUnder(e *Enrolment, path string) {
	if e.Protocol == "" || e.Version == "" || c.library == nil {
		return
	}
	p := c.library(e.Protocol, e.Version)
	if p == nil {
		c.refuse(path+".protocol", "unknown-protocol", protocols.Say("aucun protocole « %s » en version « %s »", "no protocol %q in version %q", e.Protocol, e.Version), protocols.Say("« vigie protocols list » donne ceux qui sont fournis", "`vigie protocols list` names those that ship"))
		return
	}
	c.checkBounds(e, p, path)
	for i, name := range e.Devices {
		where := fmt.Sprintf("%s.devices[%d]", path, i)
		if d := c.device(name); d != nil && !p.Eligibility.Admits(d.Kind, d.Brand, d.Model) {
			c.refuse(where, "device-not-eligible", protocols.Say("le protocole %s n'admet pas %s (%s)", "the protocol %s does not admit %s, a %s", p.ID, name, strings.Join(strings.Fields(d.Kind+" "+d.Brand+" "+d.Model), " ")),
				protocols.Say("le protocole admet : %s", "the protocol admits: %s", admitted(p)))
		}
	}
	c.checkAge(e, p, path)
}

// checkBounds asks the protocol what it makes of the settings: names it does not
// have, values outside their bounds, values that put a rule's levels out of
// order. Who signed them is looked at in checkSettings.
func (c *checker) checkBounds(e *Enrolment, p *protocols.Protocol, path string) {
	for _, problem := range language.CheckSettings(p, e.Settings) {
		if problem.Code != "no-author" {
			where := path + ".settings." + problem.Path
			if problem.Code != "unknown-parameter" {
				where += ".value"
			}
			c.refuse(where, problem.Code, problem.Message, problem.Suggestion)
		}
	}
}

func (c *checker) checkAge(e *Enrolment, p *protocols.Protocol, path string) {
	patient := c.patients[e.Patient]
	if patient == nil {
		return
	}
	born, err := time.Parse(time.DateOnly, patient.Identity.BirthDate)
	least, most := p.Eligibility.MinAge, p.Eligibility.MaxAge
	switch {
	case err != nil:
	case least > 0 && born.AddDate(least, 0, 0).After(e.From):
		c.refuse(path+".patient", "patient-not-eligible", protocols.Say("le patient a moins que les %d ans que demande le protocole %s", "the patient is younger than the %d years the protocol %s is for", least, p.ID), none)
	case most > 0 && !born.AddDate(most+1, 0, 0).After(e.From):
		c.refuse(path+".patient", "patient-not-eligible", protocols.Say("le patient a plus que les %d ans que le protocole %s admet", "the patient is older than the %d years that the protocol %s admits", most, p.ID), none)
	}
}

// checkDevicesShared finds devices that are unknown, or that would feed two
// patients at the same time.
func (c *checker) checkDevicesShared() {
	users := map[string][]*Enrolment{}
	eachItem("enrolments", c.reg.Enrolments, func(e *Enrolment, path string) {
		for i, name := range e.Devices {
			where := fmt.Sprintf("%s.devices[%d]", path, i)
			if c.device(name) == nil {
				c.refuse(where, "unknown-device", protocols.Say("aucun appareil « %s »", "no device %q", name), document.Nearest(name, keys(c.devices)))
				continue
			}
			if _, seen := users[name]; !seen {
				users[name] = c.knownUsers(name)
			}
			for _, other := range users[name] {
				if other.Patient != e.Patient && overlap(other, e) {
					c.refuse(where, "device-shared", protocols.Say("%s sert en même temps à l'inclusion %s d'un autre patient", "%s also feeds the enrolment %s of another patient at the same time", name, other.ID),
						protocols.Say("terminer une inclusion la veille du début de l'autre, ou donner un appareil à chacun", "end one enrolment on the day before the other begins, or give each patient a device"))
				}
			}
			users[name] = append(users[name], e)
		}
	})
}

// knownUsers lists the enrolments that a device already feeds and that the
// document does not replace.
func (c *checker) knownUsers(device string) []*Enrolment {
	assignment, err := c.known.Device(c.ctx, device)
	if c.missing(err) {
		return nil
	}
	var users []*Enrolment
	for i := range assignment.Enrolments {
		if e := &assignment.Enrolments[i]; c.enrolled[e.ID] == nil {
			users = append(users, e)
		}
	}
	return users
}

// overlap reports whether two enrolments run at the same time.
func overlap(a, b *Enrolment) bool {
	return (a.Prescription.IsZero() || b.From.Before(a.Prescription)) && (b.Prescription.IsZero() || a.From.Before(b.Prescription))
}

func admitted(p *protocols.Protocol) string {
	var kinds []string
	for _, d := range p.Eligibility.Devices {
		kinds = append(kinds, strings.Join(strings.Fields(d.Kind+" "+d.Brand+" "+d.Model), " "))
	}
	return strings.Join(kinds, ", ")
}

func keys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// nothing is the registry before its first import.
type nothing struct{}

func (nothing) Team(context.Context, string) (*Team, error)               { return nil, ErrNotFound }
func (nothing) HasPatient(context.Context, string) (bool, error)          { return false, nil }
func (nothing) Device(context.Context, string) (*Assignment, error)       { return nil, ErrNotFound }
func (nothing) Enrolment(context.Context, string) (*Enrolment, error)     { return nil, ErrNotFound }
func (nothing) EnrolmentsOf(context.Context, string) ([]Enrolment, error) { return nil, nil }
func (nothing) Merges(context.Context) ([]Merge, error)                   { return nil, nil }
