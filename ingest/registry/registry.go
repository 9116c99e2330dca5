// Package registry says who is followed, with which devices, under which
// protocol and by which care team. Identity traits are kept apart from all the
// rest: a patient is a pseudonymous id everywhere else.
package registry

import (
	"errors"
	"time"

	"vigie/protocols"
)

// ErrNotFound is returned for what the registry does not hold.
var ErrNotFound = errors.New("not in the registry")

// Registry is all of it, as an import file holds it.
type Registry struct {
	Teams      []Team      `json:"teams" yaml:"teams"`
	Patients   []Patient   `json:"patients" yaml:"patients"`
	Devices    []Device    `json:"devices" yaml:"devices"`
	Enrolments []Enrolment `json:"enrolments" yaml:"enrolments"`
}

// Patient is a person who is followed. ID is pseudonymous; Identity never
// leaves the registry.
type Patient struct {
	ID       string   `json:"id" yaml:"id"`
	Identity Identity `json:"identity" yaml:"identity"`
}

// Identity holds the strict traits of the French INS.
type Identity struct {
	INS        string `json:"ins" yaml:"ins"` // 13 characters and the 2-digit key
	OID        string `json:"oid" yaml:"oid"` // 1.2.250.1.213.1.4.10 for synthetic patients
	BirthName  string `json:"birth_name" yaml:"birth_name"`
	GivenNames string `json:"given_names" yaml:"given_names"` // all, separated by spaces
	FirstGiven string `json:"first_given_name" yaml:"first_given_name"`
	Sex        string `json:"sex" yaml:"sex"`               // M or F
	BirthDate  string `json:"birth_date" yaml:"birth_date"` // 2006-01-02
	BirthPlace string `json:"birth_place" yaml:"birth_place"`
}

// Device is one instrument at a patient's home.
type Device struct {
	Name     string `json:"name" yaml:"name"` // in its topics, and its MQTT user name
	Serial   string `json:"serial" yaml:"serial"`
	Kind     string `json:"kind" yaml:"kind"`
	Brand    string `json:"brand" yaml:"brand"`
	Model    string `json:"model" yaml:"model"`
	Password string `json:"password,omitempty" yaml:"password,omitempty"` // only in an import; generated when absent
	// Secret is the salted hash of the password; see HashSecret.
	Secret string `json:"secret,omitempty" yaml:"secret,omitempty"`
}

// Enrolment puts a patient under a version of a protocol.
type Enrolment struct {
	ID           string             `json:"id" yaml:"id"`
	Patient      string             `json:"patient" yaml:"patient"`
	Protocol     string             `json:"protocol" yaml:"protocol"`
	Version      string             `json:"version" yaml:"version"`
	Zone         string             `json:"time_zone" yaml:"time_zone"` // IANA: "Indian/Reunion"
	Team         string             `json:"team" yaml:"team"`
	Physician    string             `json:"physician" yaml:"physician"` // RPPS, 11 digits
	Devices      []string           `json:"devices" yaml:"devices"`
	Settings     protocols.Settings `json:"settings,omitempty" yaml:"settings,omitempty"`
	Consent      Consent            `json:"consent" yaml:"consent"`
	From         time.Time          `json:"from" yaml:"from"`
	Prescription time.Time          `json:"prescription_end" yaml:"prescription_end"` // at most one year after From
	Pauses       []protocols.Pause  `json:"pauses,omitempty" yaml:"pauses,omitempty"`
}

// Consent is the patient's word, refusal included.
type Consent struct {
	Given     bool      `json:"given" yaml:"given"`
	Date      time.Time `json:"date" yaml:"date"`
	Scope     string    `json:"scope" yaml:"scope"`
	Withdrawn time.Time `json:"withdrawn,omitzero" yaml:"withdrawn,omitempty"`
}

// At reports whether consent holds at that time.
func (c Consent) At(t time.Time) bool {
	return c.Given && !t.Before(c.Date) && (c.Withdrawn.IsZero() || t.Before(c.Withdrawn))
}

// Covers reports whether the enrolment runs at that time.
func (e *Enrolment) Covers(t time.Time) bool {
	return !t.Before(e.From) && (e.Prescription.IsZero() || t.Before(e.Prescription))
}

// Team is a care team, the opérateur.
type Team struct {
	ID       string   `json:"id" yaml:"id"`
	Name     string   `json:"name" yaml:"name"`
	Zone     string   `json:"time_zone" yaml:"time_zone"`
	Opens    string   `json:"opens" yaml:"opens"`                           // local, "08:30"
	Closes   string   `json:"closes" yaml:"closes"`                         // local, "18:00"
	Days     []string `json:"days" yaml:"days"`                             // "monday"…
	Mail     []string `json:"mail,omitempty" yaml:"mail,omitempty"`         // told first
	Escalate []string `json:"escalate,omitempty" yaml:"escalate,omitempty"` // told when the answer delay has run out
	Webhook  string   `json:"webhook,omitempty" yaml:"webhook,omitempty"`
}

// Assignment is what ingest needs to know of a device: itself and the
// enrolments that it feeds.
type Assignment struct {
	Device     Device
	Enrolments []Enrolment
}
