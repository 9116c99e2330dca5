package storetest

import (
	"context"
	"slices"
	"sync"

	"vigie/ingest"
	"vigie/protocols"
)

// Witness is a store that remembers the findings committed through it.
type Witness struct {
	ingest.Store

	mu       sync.Mutex
	findings []protocols.Finding
}

// Update is ingest.Store.Update.
func (w *Witness) Update(ctx context.Context, work func(ingest.Tx) error) error {
	var found []protocols.Finding
	err := w.Store.Update(ctx, func(tx ingest.Tx) error {
		found = found[:0] // work may run again
		seen := witnessed{tx, &found}
		if several, ok := tx.(ofSeveral); ok {
			return work(struct {
				witnessed
				ofSeveral
			}{seen, several})
		}
		return work(seen)
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.findings = append(w.findings, found...)
	return nil
}

// Findings are those committed since the last Forget, in the order of commits.
func (w *Witness) Findings() []protocols.Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.findings)
}

// Forget begins anew.
func (w *Witness) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.findings = nil
}

// ofSeveral is what a Tx offers of a store that several nodes share.
type ofSeveral interface {
	ingest.Shared
	ingest.Expecter
}

type witnessed struct {
	ingest.Tx
	found *[]protocols.Finding
}

func (w witnessed) Apply(findings []protocols.Finding) error {
	*w.found = append(*w.found, findings...)
	return w.Tx.Apply(findings)
}
