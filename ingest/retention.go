package ingest

import (
	"context"
	"time"
)

// Retention says what may be forgotten: what is older than each of these times.
// A zero time keeps everything.
type Retention struct {
	// Readings measured before go, and the ids by which their repetitions are
	// told. It has to lie well before what protocols look back on, and before
	// what Limits.TooOld still lets in.
	Readings time.Time
	// Journal entries kept before go, once every reader of the journal that has
	// a cursor is past them.
	Journal time.Time
	// SetAsides received before go, settled or not.
	SetAsides time.Time
}

// Pruned counts what was forgotten.
type Pruned struct {
	Readings  int
	Journal   int // readings that the journal no longer holds
	SetAsides int
}

// Pruner is a store whose growth can be bounded.
type Pruner interface {
	// Prune forgets what retention allows, in small transactions between which
	// others come, and gives the room back to the file system.
	Prune(ctx context.Context, retention Retention) (Pruned, error)
}
