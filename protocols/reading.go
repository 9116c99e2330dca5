package protocols

import (
	"slices"
	"time"
)

// Source says who recorded a reading.
type Source uint8

// The sources the French framework names.
const (
	FromDevice Source = iota
	FromPatient
	FromProfessional
)

var sourceNames = [...]string{"device", "patient", "professional"}

// String returns the name used in JSON.
func (s Source) String() string { return sourceNames[s] }

// ParseSource reads the name of a source and reports whether it is one.
func ParseSource(name string) (Source, bool) {
	for i, known := range sourceNames {
		if name == known {
			return Source(i), true
		}
	}
	return FromDevice, false
}

// Reading is one accepted measurement, in canonical units.
type Reading struct {
	ID      string    // given by the device, unique for that device
	Device  string    // name of the device, as in its topic
	Patient string    // pseudonymous
	Time    time.Time // when it was measured, in UTC
	DayOnly bool      // only the civil day of Time is known (Time is then noon of that day where the patient lives)
	Measure *Measure
	Variant uint8   // place in Measure.Variants counted from 1; 0 when not told apart
	Values  []Value // one per component of the measure, Missing where absent
	Source  Source
	Flags   []string          // what the device said of the quality: "irregular-pulse", "motion"
	Context map[string]string // posture, meal…; kept, and of it only the meal is evaluated
	Battery int               // per cent; -1 when not told

	// Limits has one limit per value; nil when all are exact. A value with a limit lies
	// just beyond the end that the instrument shows: Component.Beyond says where.
	Limits []Limit
	Origin *Origin // how it came; nil when nothing of it is kept
	// Reckoned says that Time was reckoned from when the message was received, by a device
	// without a clock. It is not kept.
	Reckoned bool
	Struck   bool // a professional has marked it as not usable
}

// Origin is what a reading said of itself when it came, as it was spelled.
type Origin struct {
	Unit  string // as received, where values were converted
	Time  string // as received
	Batch string // the import, or whatever brought it together with others
}

// Before is the canonical order of readings: by measurement time, then device,
// then id, then measure. Evaluation in this order is what "in order" means everywhere.
func (r *Reading) Before(other *Reading) bool {
	if !r.Time.Equal(other.Time) {
		return r.Time.Before(other.Time)
	}
	if r.Device != other.Device {
		return r.Device < other.Device
	}
	if r.ID != other.ID {
		return r.ID < other.ID
	}
	return r.Measure.ID < other.Measure.ID
}

// Compare is the same order, for sorting.
func (r *Reading) Compare(other *Reading) int {
	switch {
	case r.Before(other):
		return -1
	case other.Before(r):
		return 1
	}
	return 0
}

// Alike reports whether two readings tell one measurement: the same measure, moment
// and values, under two ids or through two gateways. Two events or doses of one
// moment are two, and so may be two results of which only the day is known. Where they
// say otherwise when by a meal that was, both count: neither hides what the other tells.
func (r *Reading) Alike(other *Reading) bool {
	return r.Measure == other.Measure && !r.Measure.Occurs && !r.DayOnly && !other.DayOnly &&
		r.Time.Equal(other.Time) && r.Variant == other.Variant && slices.Equal(r.Values, other.Values) && r.Meal() == other.Meal()
}

// Code names one reason for which a reading is set aside. Codes are stable:
// devices act on them.
type Code string

// The codes. deploy/README.md explains each to a device vendor.
const (
	Malformed         Code = "malformed"           // not JSON, or not the shape of a reading
	UnknownField      Code = "unknown-field"       // a field that no reading has
	UnknownDevice     Code = "unknown-device"      // no device of that name in the registry
	WrongTopic        Code = "wrong-topic"         // a topic no format owns, or another device's
	UnknownMeasure    Code = "unknown-measure"     // no measure of that name
	UnknownUnit       Code = "unknown-unit"        // a unit that no measure has
	UnitMismatch      Code = "unit-mismatch"       // a unit that this measure cannot be given in
	MissingValue      Code = "missing-value"       // a required field or component is absent
	NotANumber        Code = "not-a-number"        // NaN, infinity, or something else than a number
	Implausible       Code = "implausible"         // outside what the instrument can report
	Inconsistent      Code = "inconsistent"        // components that contradict each other
	Contradiction     Code = "contradiction"       // the device told the same measurement otherwise before
	FutureTime        Code = "future-time"         // measured later than now, beyond the tolerance
	TooOld            Code = "too-old"             // measured longer ago than is accepted
	ClockNotSet       Code = "clock-not-set"       // the time of a clock that begins at its first day
	NoTimeZone        Code = "no-time-zone"        // a time without an offset
	NotEnrolled       Code = "not-enrolled"        // the patient has no enrolment that covers the time
	NoConsent         Code = "no-consent"          // consent was refused or withdrawn: the payload is not kept
	MeasureMismatch   Code = "measure-mismatch"    // a measure that this kind of device does not take
	DeviceNotEligible Code = "device-not-eligible" // the protocol does not admit this kind of device
	TooLarge          Code = "too-large"           // more than a message may hold
)

// The codes of warnings alone, about readings that are used.
const (
	UnknownWord   Code = "unknown-word"   // a flag that the vocabulary does not have
	OtherSpelling Code = "other-spelling" // a word or unit that has another spelling
)

// Codes lists those of what is set aside.
func Codes() []Code {
	return []Code{
		Malformed, UnknownField, UnknownDevice, WrongTopic, UnknownMeasure, UnknownUnit, UnitMismatch, MissingValue, NotANumber, Implausible, Inconsistent,
		Contradiction, FutureTime, TooOld, ClockNotSet, NoTimeZone, NotEnrolled, NoConsent, MeasureMismatch, DeviceNotEligible, TooLarge,
	}
}

// Reason says why something was set aside: a code, the path of the field
// ("values.systolic"), and a sentence for a person. A message holds no value.
type Reason struct {
	Code    Code   `json:"code"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	// Fits are the units in which the number would be one that an instrument can
	// report, for a value that is not: the unit is perhaps mistaken.
	Fits []string `json:"fits,omitempty"`
}
