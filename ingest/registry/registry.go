// Package registry says who is followed, with which devices, under which
// protocol and by which care team. Identity traits are kept apart from all the
// rest: a patient is a pseudonymous id everywhere else.
//
// Glossary: item = a team, patient, device or enrolment; record = one sort of item, as a
// file lists it; feed = a device's readings go to an enrolment; import = bring in all
// items of a file, or none; edit = change one item; renew = begin the next enrolment of a
// patient; withdraw = end it because consent ended; merge = say that two patients are one
// person; loosen = watch less closely than before; find = search.
package registry

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"vigie/protocols"
)

// ErrNotFound is returned for what the registry does not hold.
var ErrNotFound = errors.New("not in the registry")

// ErrChanged is returned for a change of what somebody else has changed since.
var ErrChanged = errors.New("somebody else has changed this since")

// ErrUsed is returned for taking out what an enrolment names.
var ErrUsed = errors.New("an enrolment names it")

// Registry is all of it, as an import file holds it.
type Registry struct {
	Teams      []Team      `json:"teams" yaml:"teams,omitempty"`
	Patients   []Patient   `json:"patients" yaml:"patients,omitempty"`
	Devices    []Device    `json:"devices" yaml:"devices,omitempty"`
	Enrolments []Enrolment `json:"enrolments" yaml:"enrolments,omitempty"`
	// Merges says which records are about one person, see Merge.Make: those that stand.
	Merges []Merge `json:"merges,omitempty" yaml:"merges,omitempty"`

	// Loosening names what may loosen the watch over a patient, see Difference.Name. No
	// file says it: who imports does.
	Loosening []string `json:"-" yaml:"-"`
	// Seen holds, by Item.String, the Tag of each item as it was read before it was
	// changed; empty for one that was not there. One that is another by now is refused with
	// ErrChanged.
	Seen map[string]string `json:"-" yaml:"-"`
	// Gone names what is to be taken out: teams, patients and devices that no enrolment
	// names. Others are refused with ErrUsed. The history keeps all of it.
	Gone []Item `json:"-" yaml:"-"`
}

// Named lists the devices and the enrolments that a registry names, each once.
func (reg *Registry) Named() (devices, enrolments []string) {
	for i := range reg.Devices {
		devices = append(devices, reg.Devices[i].Name)
		if gateway := reg.Devices[i].Gateway; gateway != "" {
			devices = append(devices, gateway)
		}
	}
	for i := range reg.Enrolments {
		devices = append(devices, reg.Enrolments[i].Devices...)
		enrolments = append(enrolments, reg.Enrolments[i].ID)
	}
	slices.Sort(devices)
	slices.Sort(enrolments)
	return slices.Compact(devices), slices.Compact(enrolments)
}

// Patient is a person who is followed. ID is pseudonymous; Identity never
// leaves the registry.
type Patient struct {
	ID       string   `json:"id" yaml:"id" validate:"required,name"`
	Identity Identity `json:"identity" yaml:"identity"`
}

// Device is one instrument at a patient's home.
type Device struct {
	Name   string `json:"name" yaml:"name" validate:"required,name"` // in its topics, and its MQTT user name
	Serial string `json:"serial" yaml:"serial" validate:"required"`
	Kind   string `json:"kind" yaml:"kind" validate:"required,name"`
	Brand  string `json:"brand" yaml:"brand"`
	Model  string `json:"model" yaml:"model"`
	// Gateway is the device that may publish for this one, under topics of its own.
	Gateway  string `json:"gateway,omitempty" yaml:"gateway,omitempty" validate:"omitempty,name"`
	Password string `json:"password,omitempty" yaml:"password,omitempty" validate:"omitempty,min=16"` // only in an import; generated when absent
	// Secret is the salted hash of the password; see HashSecret.
	Secret string `json:"secret,omitempty" yaml:"secret,omitempty" validate:"omitempty,secret"`
}

// Enrolment puts a patient under a version of a protocol.
type Enrolment struct {
	ID           string             `json:"id" yaml:"id" validate:"required,name"`
	Patient      string             `json:"patient" yaml:"patient" validate:"required"`
	Protocol     string             `json:"protocol" yaml:"protocol" validate:"required"`
	Version      string             `json:"version" yaml:"version" validate:"required"`
	Zone         string             `json:"time_zone" yaml:"time_zone" validate:"required,zone"` // IANA: "Indian/Reunion"
	Team         string             `json:"team" yaml:"team" validate:"required"`
	Physician    string             `json:"physician" yaml:"physician" validate:"required,rpps"` // RPPS, 11 digits
	Devices      []string           `json:"devices" yaml:"devices"`
	Settings     protocols.Settings `json:"settings,omitempty" yaml:"settings,omitempty" validate:"-"`
	Consent      Consent            `json:"consent" yaml:"consent"`
	From         time.Time          `json:"from" yaml:"from" validate:"required"`
	Prescription time.Time          `json:"prescription_end" yaml:"prescription_end" validate:"required" day:"last"` // the instant at which it ends; see LastDay
	Pauses       []protocols.Pause  `json:"pauses,omitempty" yaml:"pauses,omitempty" validate:"-"`
	Proposed     bool               `json:"proposed,omitempty" yaml:"proposed,omitempty"`                        // a physician has yet to validate it
	Validated    *Validation        `json:"validated,omitempty" yaml:"validated,omitempty" validate:"omitempty"` // who validated it once it was proposed
}

// Consent is the patient's word, refusal included.
type Consent struct {
	Given     bool      `json:"given" yaml:"given"`
	Date      time.Time `json:"date" yaml:"date" validate:"required"`
	Scope     string    `json:"scope" yaml:"scope" validate:"required_if=Given true"`
	Withdrawn time.Time `json:"withdrawn,omitzero" yaml:"withdrawn,omitempty"`
	// History is from when on readings of before the enrolment may be entered; zero for
	// never. No device may send them.
	History time.Time `json:"history,omitzero" yaml:"history,omitempty"`
	// TeamOnly says that the patient lets nobody of another team open the record, whatever
	// the reason.
	TeamOnly bool `json:"team_only,omitempty" yaml:"team_only,omitempty"`

	Notice string `json:"notice,omitempty" yaml:"notice,omitempty" validate:"omitempty,max=120"`                 // version of the information notice that the patient was given
	How    string `json:"how,omitempty" yaml:"how,omitempty" validate:"omitempty,oneof=written oral electronic"` // how it was said
	By     string `json:"by,omitempty" yaml:"by,omitempty" validate:"omitempty,max=120"`                         // who took it
	Proof  string `json:"proof_sha256,omitempty" yaml:"proof_sha256,omitempty" validate:"omitempty,sha256"`      // digest of what was signed or recorded, which is kept elsewhere

	// What stands above is for the monitoring itself. Research and sharing are purposes of
	// their own: each is given and withdrawn without the others.
	Research Purpose `json:"research,omitzero" yaml:"research,omitempty"`
	Sharing  Purpose `json:"sharing,omitzero" yaml:"sharing,omitempty"`
}

// Purpose is the patient's word on one purpose beside the monitoring. Zero is a question
// that was not asked, which is no consent.
type Purpose struct {
	Given     bool      `json:"given" yaml:"given"`
	Date      time.Time `json:"date,omitzero" yaml:"date,omitempty" validate:"required_if=Given true"`
	With      string    `json:"with,omitempty" yaml:"with,omitempty" validate:"omitempty,max=120"` // with whom, or for which study
	Withdrawn time.Time `json:"withdrawn,omitzero" yaml:"withdrawn,omitempty"`

	Notice string `json:"notice,omitempty" yaml:"notice,omitempty" validate:"omitempty,max=120"`                 // as in Consent
	How    string `json:"how,omitempty" yaml:"how,omitempty" validate:"omitempty,oneof=written oral electronic"` // as in Consent
	By     string `json:"by,omitempty" yaml:"by,omitempty" validate:"omitempty,max=120"`                         // as in Consent
	Proof  string `json:"proof_sha256,omitempty" yaml:"proof_sha256,omitempty" validate:"omitempty,sha256"`      // as in Consent
}

// IsZero reports whether the question was not asked.
func (p Purpose) IsZero() bool { return p == Purpose{} }

// At reports whether the consent to the purpose holds at that time. A withdrawal holds at
// once.
func (p Purpose) At(t time.Time) bool {
	return p.Given && !t.Before(p.Date) && (p.Withdrawn.IsZero() || t.Before(p.Withdrawn))
}

// Purposes are the names of the purposes beside the monitoring.
var Purposes = []string{"research", "sharing"}

// Purpose returns one by its name; nil for none of them.
func (c *Consent) Purpose(name string) *Purpose {
	switch name {
	case "research":
		return &c.Research
	case "sharing":
		return &c.Sharing
	}
	return nil
}

// At reports whether consent holds at that time.
func (c Consent) At(t time.Time) bool {
	return c.Given && !t.Before(c.Date) && (c.Withdrawn.IsZero() || t.Before(c.Withdrawn))
}

// Covers reports whether the enrolment runs at that time.
func (e *Enrolment) Covers(t time.Time) bool {
	return !t.Before(e.Begins()) && !e.Proposed && (e.Prescription.IsZero() || t.Before(e.Prescription))
}

// Remembers reports whether the consent names that time, before the enrolment began: what
// was recorded then may be entered, and is the past of the enrolment.
func (e *Enrolment) Remembers(t time.Time) bool {
	return t.Before(e.From) && !e.Proposed && !e.Consent.History.IsZero() && !t.Before(e.Consent.History)
}

// Recalls reports whether what was measured at that time, before the enrolment began, is
// of its past: its consent names it, or one of some other enrolments, earlier, of the same
// patient and under the same protocol, covers it, and the consent of then does.
func (e *Enrolment) Recalls(t time.Time, others []Enrolment) bool {
	return e.Remembers(t) || slices.ContainsFunc(others, func(former Enrolment) bool { return e.Continues(&former, t) })
}

// Continues reports whether what was measured at that time under another enrolment is of
// the past of this one.
func (e *Enrolment) Continues(former *Enrolment, t time.Time) bool {
	return former.ID != e.ID && former.Patient == e.Patient && former.Protocol == e.Protocol && former.Begins().Before(e.Begins()) && former.Covers(t) && former.Consent.At(t)
}

// Ends is when nothing more is expected of the patient: when the prescription
// ends, or when consent was withdrawn if that came first. Zero for never.
func (e *Enrolment) Ends() time.Time {
	withdrawn := e.Consent.Withdrawn
	if e.Prescription.IsZero() || !withdrawn.IsZero() && withdrawn.Before(e.Prescription) {
		return withdrawn
	}
	return e.Prescription
}

// LastDay is how the end of an enrolment stands in a file: a date is the last day, which
// is included, so an enrolment that ends at midnight ends on the day before. The result
// is the midnight that begins the last day, or end itself when it is no midnight of the
// zone.
func LastDay(end time.Time, zone *time.Location) time.Time {
	local := end.In(zone)
	if midnight := startOfDay(local); end.IsZero() || !local.Equal(midnight) {
		return local
	}
	return startOfDay(local.AddDate(0, 0, -1))
}

// startOfDay is the first instant of the civil day of t in its zone.
func startOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// LocalSettings are the settings with their dates by the clock of where the
// patient lives, as a person reads them.
func (e *Enrolment) LocalSettings() (protocols.Settings, error) {
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of enrolment %s: %w", e.ID, err)
	}
	local := make(protocols.Settings, len(e.Settings))
	for name, setting := range e.Settings {
		setting.Date = setting.Date.In(zone)
		local[name] = setting
	}
	return local, nil
}

// Assignment is what ingest needs to know of a device: itself and the
// enrolments that it feeds.
type Assignment struct {
	Device     Device
	Enrolments []Enrolment
	// Since says, by place in Enrolments, when the device came to that patient
	// from another one: what was measured before is not this patient's. Zero for
	// a device that no other patient had.
	Since []time.Time
}
