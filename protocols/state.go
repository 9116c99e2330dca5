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
	// Lookback is how much history, before the moment considered, Load and
	// Recompute need.
	Lookback() time.Duration
	// Load brings the state to where a former one was: its snapshot (empty for
	// a new enrolment) and the readings kept since Lookback, in canonical
	// order. It finds nothing.
	Load(snapshot []byte, history []*Reading) error
	// InOrder reports whether Add may take r: no later reading that shares a
	// rule with it has been added.
	InOrder(r *Reading) bool
	// Add evaluates one reading and appends what it found.
	Add(r *Reading, now time.Time, found []Finding) []Finding
	// Recompute evaluates again from history, in canonical order, which holds
	// the late readings as well as those already known. It finds what in-order
	// delivery would have raised and had not been raised; it takes nothing
	// back.
	Recompute(history []*Reading, now time.Time, found []Finding) []Finding
	// Advance finds what the passing of time alone has brought: days that
	// ended, confirmations that did not come, readings that are missing.
	Advance(now time.Time, found []Finding) []Finding
	// Due is the next moment at which Advance may find something; zero for
	// never.
	Due() time.Time
	// Dirty reports whether Snapshot would differ from the last one taken.
	Dirty() bool
	// Snapshot appends what must be kept beside the readings, and makes the
	// state clean.
	Snapshot(dst []byte) []byte
}

// ErrSnapshot is returned by Load for a snapshot that cannot be read; the way
// out is to load with an empty one and recompute.
var ErrSnapshot = errors.New("the kept state of an enrolment cannot be read")
