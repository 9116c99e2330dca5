package service

import (
	"context"
	"sync"

	"vigie/ingest/registry"
)

// merging is what the merges of patients are read from.
type merging interface {
	Merges(ctx context.Context) ([]registry.Merge, error)
	RegistryVersion(ctx context.Context) (int64, error)
}

// persons remembers which records of patients are merged, until the registry changes. The
// zero value is ready.
type persons struct {
	mu      sync.Mutex // guards the rest; never held over a read of the store
	version int64
	known   registry.Persons
}

// of reads them.
func (p *persons) of(ctx context.Context, from merging) (registry.Persons, error) {
	version, err := from.RegistryVersion(ctx)
	if err != nil {
		return nil, err
	}
	return p.as(ctx, version, from)
}

// as reads them as of a version of the registry, or later.
func (p *persons) as(ctx context.Context, version int64, from merging) (registry.Persons, error) {
	if known := p.recall(version); known != nil {
		return known, nil
	}
	merges, err := from.Merges(ctx)
	if err != nil {
		return nil, err
	}
	known := registry.PersonsOf(merges)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version, p.known = version, known
	return known, nil
}

// recall returns what is known of a version of the registry; nil for nothing.
func (p *persons) recall(version int64) registry.Persons {
	p.mu.Lock()
	defer p.mu.Unlock()
	if version != p.version {
		return nil
	}
	return p.known
}

// enrolmentsOf lists the enrolments of all records of the person of a patient.
func enrolmentsOf(ctx context.Context, store registry.Store, known registry.Persons, patient string) ([]registry.Enrolment, error) {
	var all []registry.Enrolment
	for _, record := range append([]string{patient}, known.Same(patient)...) {
		enrolments, err := store.EnrolmentsOf(ctx, record)
		if err != nil {
			return nil, err
		}
		all = append(all, enrolments...)
	}
	return all, nil
}

// merged says which records of patients are merged.
func (s *Service) merged(ctx context.Context) (registry.Persons, error) {
	return s.persons.of(ctx, s.backend.registry)
}
