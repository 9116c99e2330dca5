package ingest

import (
	"context"
	"errors"
	"math"
	"time"

	"vigie/ingest/devices"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// Store keeps readings, the state of evaluation and what was set aside. Every
// implementation passes the same contract tests (ingest/stores/storetest).
type Store interface {
	// Update runs work in one transaction and commits it: when Update returns
	// nil, everything is on disk. An error of work, or a failed commit, leaves
	// nothing behind. Calls are serialised by the caller or by the store.
	// ErrConflict asks to forget what was loaded and to do it all again.
	Update(ctx context.Context, work func(Tx) error) error

	// History calls yield with the readings of a patient (of one measure, or of
	// all when measure is nil) measured in [from, to), in canonical order,
	// until yield returns false; what is Struck is among them. What is damaged is left out, and told by an
	// ErrDamaged once everything else was yielded.
	History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error

	// Marks lists what was struck out of a patient's readings measured in [from, to), and
	// what of it was undone, in the order in which it was done.
	Marks(ctx context.Context, patient string, from, to time.Time) ([]Mark, error)

	// ReadingsAfter returns up to limit readings in the order in which they were
	// kept, after the given sequence number: the journal that feeds InfluxDB.
	ReadingsAfter(ctx context.Context, seq int64, limit int) ([]Kept, error)
	// Cursor returns how far the named reader of the journal has come, 0 at first.
	Cursor(ctx context.Context, name string) (int64, error)
	// SetCursor records it.
	SetCursor(ctx context.Context, name string, seq int64) error

	// SetAsides lists what was set aside, newest first.
	SetAsides(ctx context.Context, filter SetAsideFilter) ([]SetAsideRecord, error)

	// DueEnrolments lists up to limit enrolments whose Due has come, oldest first.
	DueEnrolments(ctx context.Context, now time.Time, limit int) ([]string, error)
	// DueDevices lists up to limit devices whose status is Due, oldest first.
	DueDevices(ctx context.Context, now time.Time, limit int) ([]string, error)

	// DeviceStatuses lists what is known of the state of devices, by name. One of which
	// nothing is known is left out.
	DeviceStatuses(ctx context.Context, devices []string) ([]DeviceStatus, error)

	// Directory finds what the registry says of a device or an enrolment.
	Directory

	Close() error
}

// Directory resolves devices and enrolments. Answers may be cached until
// RegistryVersion changes.
type Directory interface {
	// Device returns the device of that name with the enrolments it feeds;
	// registry.ErrNotFound when there is none.
	Device(ctx context.Context, name string) (*registry.Assignment, error)
	// Enrolment returns one enrolment; registry.ErrNotFound when there is none.
	Enrolment(ctx context.Context, id string) (*registry.Enrolment, error)
	// EnrolmentsOf lists the enrolments of a patient, oldest first.
	EnrolmentsOf(ctx context.Context, patient string) ([]registry.Enrolment, error)
	// FedUntil returns until when a device fed an enrolment that no longer names
	// it; zero when it never did.
	FedUntil(ctx context.Context, device, enrolment string) (time.Time, error)
	// RegistryVersion grows with every change of the registry.
	RegistryVersion(ctx context.Context) (int64, error)
}

// ErrConflict is returned by Update when another node has evaluated one of the
// same enrolments meanwhile.
var ErrConflict = errors.New("another node has written the same enrolment")

// Tx is one open transaction.
type Tx interface {
	// Keep stores the readings that are new and reports, by place, what became of
	// each, as Recognise says where its device has used the id before. Those
	// inside the slice count, in their order. The slice returned is valid until
	// the next call.
	Keep(readings []*protocols.Reading, at time.Time) ([]Fate, error)
	// History is Store.History as this transaction sees it, what it has kept included.
	History(patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error
	// LoadState returns the snapshot of an enrolment and its version, which is
	// 0 when there is none; ErrDamaged, and the version, when the snapshot is not what
	// was written.
	LoadState(enrolment string) (snapshot []byte, version int64, err error)
	// SaveStates stores snapshots. On a store shared by several nodes it
	// returns ErrConflict unless each version is still the one that was loaded.
	SaveStates(states []StateRecord) error
	// Find applies findings: alert changes and messages to people join the
	// transaction.
	Apply(findings []protocols.Finding) error
	// SetAside stores what was refused and reports, by place, which of it is
	// new: a record with the same device, reading id, payload and codes as an
	// open one is not stored again. ID and Settled are not looked at.
	SetAside(records []SetAsideRecord) (fresh []bool, err error)
	// Holds reports whether a reading is kept: Keep would find it Repeated. Its
	// Patient may be empty. Where only the day is known, its Time may be noon
	// elsewhere than where the patient lives.
	Holds(r *protocols.Reading) (bool, error)
	// Settle marks a set-aside record as accepted after another try.
	Settle(id int64, at time.Time) error
	// Dismiss marks an open set-aside record as not to be used, and says who decided so and
	// why. The same thing refused again is not stored again. It reports whether the record
	// was open.
	Dismiss(id int64, author, reason string, at time.Time) (bool, error)
	// DeviceStatus returns what is known of the state of a device, and whether
	// anything is.
	DeviceStatus(device string) (status DeviceStatus, known bool, err error)
	// SetDeviceStatus records the state of a device.
	SetDeviceStatus(status DeviceStatus) error
	// Strike marks readings that are kept as not to be used, and says who did so and why.
	// History and Keep know them as Struck from then on.
	Strike(readings []*protocols.Reading, author, reason string, at time.Time) error
	// Unstrike takes the marks of readings away, and keeps who did so and why.
	Unstrike(readings []*protocols.Reading, author, reason string, at time.Time) error
	// Send keeps an errand for whoever feeds InfluxDB: Kind, At and Task. It comes
	// behind the readings that this transaction keeps.
	Send(errand Errand) error
}

// StateRecord is the kept state of one enrolment.
type StateRecord struct {
	Enrolment string
	Version   int64     // as loaded; the store writes Version+1
	Snapshot  []byte    // nil: only the version moves
	Due       time.Time // zero for never; meaningful with a Snapshot
}

// Kept is a reading with its place in the journal.
type Kept struct {
	Seq     int64     // from 1, in the order of commits
	At      time.Time // when it was kept
	Reading protocols.Reading
}

// SetAsideRecord is something that could not be used.
type SetAsideRecord struct {
	ID       int64              `json:"id"`
	Device   string             `json:"device"`
	Topic    string             `json:"topic"`
	Reading  string             `json:"reading,omitempty"` // its id, where it could be read
	Received time.Time          `json:"received"`
	Payload  []byte             `json:"payload,omitempty"` // absent without consent
	Reasons  []protocols.Reason `json:"reasons"`
	Settled  time.Time          `json:"settled,omitzero"` // accepted after another try, or dismissed
	// DismissedBy is who decided that it will not be used, and DismissedWhy the reason;
	// empty unless somebody did.
	DismissedBy  string `json:"dismissed_by,omitempty"`
	DismissedWhy string `json:"dismissed_why,omitempty"`
}

// SetAsideFilter narrows a list. Zero fields do not narrow.
type SetAsideFilter struct {
	ID     int64
	Device string
	Code   protocols.Code
	From   time.Time
	To     time.Time
	Open   bool  // only what is not settled
	Before int64 // ids below this one, for paging
	Limit  int   // 100 when zero
}

// DeviceStatus is what is known of the technical state of a device.
type DeviceStatus = devices.State

// DeviceTrouble is what most devices never have; a store keeps it as JSON.
type DeviceTrouble = devices.Trouble

// Nanos is a time as stores count it, in nanoseconds since 1970. They reach from 1677
// to 2262: the zero time and any other beyond is the nearest there is, so that whoever
// asks for everything until the year 9999 gets it.
func Nanos(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}
