// Package stories is what happens around patients over days and weeks, written down:
// what devices send, what people do, and what must have come of it. Each file is one
// story; README.md teaches how to write one. Package vigie/cmd/vigie/rehearsal plays
// them on the whole service.
package stories

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

// Story is one story, as written.
type Story struct {
	Title  string
	Zone   *time.Location // of every moment that is written
	Start  time.Time      // midnight of day 1
	Care   Care           // at the beginning
	Copies []Copy         // protocols that are there in one more version
	Only   []string       // rules that are looked at; all when empty
	Admin  []string       // addresses of the administrators of the service
	Course []Step         // in the order of time
	End    time.Time      // when the last of it has happened
}

// Expects reports whether anything must come of it: a story that expects nothing shows
// nothing.
func (s *Story) Expects() bool {
	return slices.ContainsFunc(s.Course, func(step Step) bool {
		return step.Told != nil || step.List != nil || step.Alert != nil || step.Act != nil && step.Act.Refused != "" || step.Send != nil && step.Send.Verdict != ""
	})
}

// Copy is a protocol as it ships, under the name of another version as well: by it a story
// shows what becomes of open alerts when patients go over to a new version.
type Copy struct {
	Line, Column      int
	Protocol, Version string
}

// Care is who is followed, by whom and with what, as far as it is written: items of
// a registry, most keys of which have a default.
type Care struct {
	Teams    []*document.Node
	Patients []*document.Node // a patient and the enrolment in one
	Devices  []*document.Node
}

// Step is one thing that happens, or one that must be so, at a moment. Exactly one
// of the pointers is set.
type Step struct {
	At     time.Time
	Line   int
	Column int

	Send    *Sending
	Change  *Care
	Act     *Act
	Service *Turn
	Channel *Turn
	Status  *Status
	Told    *Told
	List    *List
	Alert   *Look
}

// Sending is one reading on its way to the service.
type Sending struct {
	Patient string // whose device sends it; the only one when empty
	Device  string // the patient's device for that measure when empty
	Reading protocols.Reading
	Twice   bool   // sent again at once
	Verdict string // what the device must be told: accepted, duplicate, or the code of a refusal
}

// Act is what a person does about an alert.
type Act struct {
	What    string // "acknowledge": the last part of the address of the interface for programs
	Alert   Which
	By      string
	Refused string         // the code with which it must be refused
	Body    map[string]any // what else is said, as programs send it: note, outcome
}

// Which names an alert: the latest one that fits.
type Which struct {
	Patient string // any when empty
	Rule    string
	Level   string // any when empty
	State   string // any that is not resolved when empty; for Look any
}

// Turn is what becomes of the service or of a channel.
type Turn struct {
	What string // "service", or the name of a channel
	To   string // stop, start, kill; down, up
}

// Status is what a device says of itself.
type Status struct {
	Patient, Device string
	Payload         map[string]string
}

// Told is every message to people since the last Told, in any order.
type Told struct{ Messages []Message }

// Message is one message to a person or a system. What is empty may be anything.
type Message struct {
	Line, Column int
	To           string // an address, or what stands before its @
	Why          string // raised, risen, escalated
	Patient      string
	Rule         string
	Level        string
	Subject      string // part of it
	At, By       time.Time
}

// List is the worklist, in its order.
type List struct {
	Query map[string]string // of the interface for programs
	Rows  []Look
}

// Look is what an alert must say.
type Look struct {
	Line, Column int
	Alert        Which
	Says         []string // parts of its title or sentence
	Now          []string // parts of what its rule says at that moment
	Events       []string // what happened to it, all of it; nil for anything
	Fields       []Field
	None         bool // there must be no such alert
}

// Field is one field of an alert as programs read it. Moments are written as
// everywhere in a story.
type Field struct {
	Name         string
	Value        string
	Line, Column int
}
