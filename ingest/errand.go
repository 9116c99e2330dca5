package ingest

import (
	"context"
	"time"

	"vigie/protocols"
)

// ErrandKind is what is to be done.
type ErrandKind string

// The kinds. The first two are asked for by an operator; the others carry out, in
// InfluxDB, what was decided elsewhere.
const (
	Feed     ErrandKind = "feed"     // send what is kept of a time once more
	Resend   ErrandKind = "resend"   // send once more what InfluxDB refused
	Erase    ErrandKind = "erase"    // delete everything of a patient
	Strike   ErrandKind = "strike"   // mark a reading as not usable; never deleted, it may be the only copy
	Unstrike ErrandKind = "unstrike" // take that mark away
	Correct  ErrandKind = "correct"  // delete a reading and write it as the store has it now
)

// Errand is work for whoever feeds InfluxDB. It is done behind the readings that were
// kept before it and before those that were kept after it, so that no late line
// brings back what was erased.
type Errand struct {
	ID      int64
	Kind    ErrandKind
	After   int64 // the sequence number of the last reading that was kept before it
	At      time.Time
	Task    Task
	Reached Reached
	Carried time.Time // when it was carried out; zero while it waits
	Done    time.Time // when nothing of it is left to do or to check
}

// Task says what an errand is about.
type Task struct {
	From    time.Time `json:"from,omitzero"` // of Feed
	To      time.Time `json:"to,omitzero"`
	Patient string    `json:"patient,omitempty"` // of Erase
	Reading *Name     `json:"reading,omitempty"` // of Strike, Unstrike and Correct: as it was forwarded
	Becomes *Name     `json:"becomes,omitempty"` // of Correct: as the store has it now; nil when it goes
	// Forgotten tells, of Correct, that the store no longer held the reading when that
	// was decided: what InfluxDB has is the only copy. It keeps what was measured, and
	// gets its new name.
	Forgotten bool `json:"forgotten,omitempty"`
}

// Name is what a point in InfluxDB is found by.
type Name struct {
	Patient string           `json:"patient"`
	Device  string           `json:"device"`
	ID      string           `json:"id"`
	Measure string           `json:"measure"`
	Time    time.Time        `json:"time"`
	Source  protocols.Source `json:"source"`
	Variant uint8            `json:"variant"`
}

// NameOf returns the name of a reading.
func NameOf(r *protocols.Reading) *Name {
	return &Name{Patient: r.Patient, Device: r.Device, ID: r.ID, Measure: r.Measure.ID, Time: r.Time, Source: r.Source, Variant: r.Variant}
}

// Erasure is when a patient was to be erased: an Errand's After and At.
type Erasure struct {
	After int64
	At    time.Time
}

// Reached is how far an errand has come.
type Reached struct {
	Patient  string `json:"patient,omitempty"` // of Feed: the last one that was sent
	Patients int    `json:"patients,omitempty"`
	Sent     int64  `json:"sent,omitempty"`
	Refused  int64  `json:"refused,omitempty"`
	NotWhole int    `json:"not_whole,omitempty"` // patients of whom something forgotten could not be read
	Recorded bool   `json:"recorded,omitempty"`  // of Correct: Errands.Corrected was done
	Former   bool   `json:"former,omitempty"`    // of Erase: the InfluxDB of before has not deleted it yet
	Note     string `json:"note,omitempty"`      // what a person should know of it
}

// Errands is the part of a store that keeps them.
type Errands interface {
	// OpenErrands lists what is not done, in the order in which it came.
	OpenErrands(ctx context.Context) ([]Errand, error)
	// Errand returns one, done or not.
	Errand(ctx context.Context, id int64) (Errand, error)
	// SetErrand records how far an errand has come: Reached, Carried and Done.
	SetErrand(ctx context.Context, e Errand) error
	// Corrected records that what the store had forgotten as one reading stands in
	// InfluxDB as another now, or no more when that is nil: the sums of their days
	// follow, where one is recorded of the first. It does SetErrand with it.
	Corrected(ctx context.Context, e Errand, was, is *protocols.Reading) error
	// Erased returns the patients that were ever to be erased, each with the last such
	// errand.
	Erased(ctx context.Context) (map[string]Erasure, error)
	// Patients lists up to limit patients of whom readings are or were kept, in the
	// order of their names, behind one.
	Patients(ctx context.Context, behind string, limit int) ([]string, error)
}
