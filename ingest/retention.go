package ingest

import (
	"context"
	"time"

	"vigie/protocols"
)

// Retention says what may be forgotten beside readings (see Forget): what is older
// than each of these times.
// A zero time keeps everything.
type Retention struct {
	// Journal entries kept before go, once every reader of the journal that has
	// a cursor is past them.
	Journal time.Time
	// SetAsides received before go, settled or not; but not what InfluxDB refused
	// while the store holds that reading.
	SetAsides time.Time
}

// RefusedByInflux is the code of what InfluxDB did not take: the reading is kept
// and evaluated, only InfluxDB misses it.
const RefusedByInflux protocols.Code = "refused-by-influxdb"

// Pruned counts what was forgotten.
type Pruned struct {
	Journal   int // readings that the journal no longer holds
	SetAsides int
}

// Pruner is a store whose growth can be bounded.
type Pruner interface {
	// Prune forgets what retention allows, in small transactions between which
	// others come, and gives the room back to the file system.
	Prune(ctx context.Context, retention Retention) (Pruned, error)
	// DeleteSetAsides deletes the set-aside records with that code that were received
	// before a time, in small transactions, and returns how many. What InfluxDB refused
	// stays: it is still to be sent.
	DeleteSetAsides(ctx context.Context, code protocols.Code, before time.Time) (int, error)
}
