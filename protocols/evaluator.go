package protocols

import (
	"errors"
	"time"
)

// Evaluator is what ingest sees of the evaluation of one enrolment: a State is
// one. It is not safe for concurrent use.
//
// The order of use: Load once; then, for each reading, Add when InOrder, else
// Recompute once for all the late ones; Advance when time alone may have
// consequences (at Due). After each, what has to be kept is in Snapshot when
// Dirty.
type Evaluator interface {
	// Uses reports whether any rule looks at the measure.
	Uses(*Measure) bool
	// Lookback is how much history, before the moment considered, evaluation
	// needs.
	Lookback() time.Duration
	// Since tells from when on Load needs history, so that evaluation can go on
	// from moment: the earliest of now and of the readings about to be added. A
	// kept state may reach further back than moment less Lookback: what fell
	// due while nobody looked is found with the readings of that time.
	Since(snapshot []byte, moment time.Time) time.Time
	// Load brings the state to where a former one was: its snapshot (empty for
	// a new enrolment) and every reading kept from since on, in canonical
	// order. It finds nothing. A zero since says that history is all there is.
	Load(snapshot []byte, history []*Reading, since time.Time) error
	// InOrder reports whether Add may take r: nothing later that shares a rule
	// with it has been evaluated, and what was loaded reaches far enough back.
	InOrder(r *Reading) bool
	// Add evaluates one reading and appends what it found.
	Add(r *Reading, now time.Time, found []Finding) []Finding
	// Reach tells from when on Recompute needs history for these late readings:
	// Lookback before the earliest of them, or further back when what they
	// change began earlier.
	Reach(late []*Reading) time.Time
	// Recompute evaluates again from the earliest of the late readings on.
	// History, in canonical order, holds every reading from Reach on: the late
	// ones as well as those already known. Recompute
	// finds what in-order delivery would have raised and had not been raised;
	// it takes nothing back. Rules that share nothing with the late readings
	// are left alone.
	Recompute(late, history []*Reading, now time.Time, found []Finding) []Finding
	// Recall is Recompute for readings that were measured before the enrolment began and
	// belong to its past, under an earlier one: they raise nothing themselves. What was
	// measured since is evaluated again with them.
	Recall(past, history []*Reading, now time.Time, found []Finding) []Finding
	// ReachStruck tells from when on Strike needs history for these readings.
	ReachStruck(struck []*Reading) time.Time
	// Strike evaluates again as if some readings had never been. History, in canonical
	// order, holds every reading from ReachStruck on, those struck out included; from then
	// on they are in no history. It withdraws what rested on them alone. To undo it,
	// give them to Add or Recompute again.
	Strike(struck, history []*Reading, now time.Time, found []Finding) []Finding
	// Forget forgets that episodes which are over were reported: nobody was told of those
	// that untold names. Late readings that show one again report it again.
	Forget(untold func(rule, episode string) bool)
	// Advance finds what the passing of time alone has brought: days that
	// ended, confirmations that did not come, readings that are missing.
	Advance(now time.Time, found []Finding) []Finding
	// Listen is Advance while something is on its way. It returns when to ask again; zero
	// when it waits for nothing.
	Listen(now time.Time, coming OnItsWay, found []Finding) ([]Finding, time.Time)
	// Due is the next moment at which Advance may find something; zero for
	// never.
	Due() time.Time
	// Dirty reports whether Snapshot would differ from the last one taken.
	Dirty() bool
	// Snapshot appends what must be kept beside the readings, and makes the
	// state clean.
	Snapshot(dst []byte) []byte
}

// OnItsWay is what a service knows to come still.
type OnItsWay struct {
	// After an outage: the end of the time in which the service listens to everybody, as
	// what devices kept is on its way, and how long it was away. Readings that are missing
	// are waited for one usual interval longer, and no longer than that.
	Heard time.Time
	Away  time.Duration
	// Amid an import: the measures of its parts so far, the time of their last reading, and
	// until when the next part is waited for. What rules that have seen nothing later would
	// find behind that reading is no silence.
	Parts       []*Measure
	Last, Until time.Time
}

// ErrSnapshot is returned by Load for a snapshot that cannot be read; the way
// out is to load with an empty one and recompute.
var ErrSnapshot = errors.New("the kept state of an enrolment cannot be read")
