package ingest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"vigie/ingest"
)

// shared is a store that says it is one of several nodes, counts what is claimed, and
// has had another node write a state when it is told so.
type shared struct {
	ingest.Store
	claims    int
	elsewhere bool
}

func (s *shared) Update(ctx context.Context, work func(ingest.Tx) error) error {
	return s.Store.Update(ctx, func(tx ingest.Tx) error { return work(&sharedTx{tx, s}) })
}

type sharedTx struct {
	ingest.Tx
	store *shared
}

func (t *sharedTx) Claim(enrolments []string) (versions []int64, err error) {
	t.store.claims++
	for _, id := range enrolments {
		_, version, err := t.LoadState(id)
		if err != nil {
			return nil, err
		}
		versions = append(versions, version)
	}
	return versions, nil
}

func (t *sharedTx) SaveStates(states []ingest.StateRecord) error {
	if t.store.elsewhere {
		t.store.elsewhere = false
		return ingest.ErrConflict
	}
	return t.Tx.SaveStates(states)
}

func (*sharedTx) Recall([]string) error               { return nil }
func (*sharedTx) Troubled([]string) ([]string, error) { return nil, nil }
func (*sharedTx) Foresee(_, _ []string)               {}
func (*sharedTx) Recollect([]ingest.Past) error       { return nil }

// TestANodeThatMeetsNoOtherDoesNotAsk claims what is not in memory yet, then nothing,
// until another node has evaluated the same patient.
func TestANodeThatMeetsNoOtherDoesNotAsk(t *testing.T) {
	store := &shared{}
	s := begin(t, func(c *ingest.Config) { store.Store, c.Store = c.Store, store })
	claimed := func(when string, want int) {
		t.Helper()
		for i := range 2 {
			s.send("scale-1", weight(fmt.Sprint(when, i), s.clock(), 82))
			s.move(time.Hour)
		}
		expect(t, when, store.claims, want)
	}
	claimed("the first batch claims, the next does not", 1)
	claimed("nobody was met", 1)
	store.elsewhere = true
	claimed("another was met: the batch is done again, and claims, as does the next", 3)
}
