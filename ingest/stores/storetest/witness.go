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
		if shared, ok := tx.(ingest.Shared); ok {
			return work(struct {
				witnessed
				ingest.Shared
			}{seen, shared})
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

type witnessed struct {
	ingest.Tx
	found *[]protocols.Finding
}

func (w witnessed) Apply(findings []protocols.Finding) error {
	*w.found = append(*w.found, findings...)
	return w.Tx.Apply(findings)
}
