package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/replay"
)

// pastStore is what is read of a store to look back.
type pastStore interface {
	EnrolmentsOf(ctx context.Context, patient string) ([]registry.Enrolment, error)
	EnrolmentsUnder(ctx context.Context, protocol string) ([]registry.Enrolment, error)
	History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error
	// Protocol returns a version that patients are or were followed under, or nil.
	Protocol(id, version string) *protocols.Protocol
	io.Closer
}

// openPast opens the store that the command line names.
type openPast func(*cobra.Command) (pastStore, error)

// keptFlags choose patients of a store.
type keptFlags struct {
	patient string
}

func (f *keptFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.patient, "patient", "", "one patient of the store (pseudonymous id)")
}

// warmUp is how much of the history before a span is run too, so that every
// window of the language is full when the span begins.
const warmUp = 60 * 24 * time.Hour

// patientSource is one patient of the store, whichever protocol follows that
// patient today.
func patientSource(ctx context.Context, in tongue, store pastStore, e *registry.Enrolment, p *protocols.Protocol, span replay.Span) (*pastSource, error) {
	source, err := keptSource(in, store, []registry.Enrolment{*e}, p, span)
	if err != nil {
		return nil, err
	}
	past, err := source.past(ctx, 0)
	if err != nil {
		return nil, err
	}
	if len(past.Readings) == 0 {
		return nil, fmt.Errorf("the store holds no reading of %s in that time", e.Patient)
	}
	source.title, source.zone, source.counts, source.size = in.say(replayPatient, e.Patient), past.Enrolment.Zone, readingNoun, len(past.Readings)
	source.shown, source.settings = past.Readings, past.Enrolment.Settings
	if span.From.IsZero() {
		source.span.From = past.Readings[0].Time
	}
	source.past = func(context.Context, int) (*replay.Past, error) { return past, nil }
	return source, nil
}

// enrolmentsOf lists the enrolments of a patient, of whom there is at least one.
func enrolmentsOf(ctx context.Context, store pastStore, patient string) ([]registry.Enrolment, error) {
	enrolments, err := store.EnrolmentsOf(ctx, patient)
	if err != nil {
		return nil, fmt.Errorf("reading the enrolments of %s: %w", patient, err)
	}
	if len(enrolments) == 0 {
		return nil, fmt.Errorf("the store knows no enrolment of a patient %q", patient)
	}
	return enrolments, nil
}

// enrolmentUnder is the latest enrolment of a patient under a protocol, or the
// latest of all where there is none.
func enrolmentUnder(ctx context.Context, store pastStore, patient, protocol string) (*registry.Enrolment, error) {
	enrolments, err := enrolmentsOf(ctx, store, patient)
	if err != nil {
		return nil, err
	}
	for i := range slices.Backward(enrolments) {
		if enrolments[i].Protocol == protocol {
			return &enrolments[i], nil
		}
	}
	return &enrolments[len(enrolments)-1], nil
}

// cohortSource is every patient of the store under the protocol. Patients may live in
// several time zones: times are shown in one that was asked for.
func cohortSource(ctx context.Context, in tongue, store pastStore, p *protocols.Protocol, span replay.Span, zone *time.Location) (*pastSource, error) {
	enrolments, err := store.EnrolmentsUnder(ctx, p.ID)
	if err != nil {
		return nil, fmt.Errorf("reading the enrolments under %s: %w", p.ID, err)
	}
	if len(enrolments) == 0 {
		return nil, fmt.Errorf("nobody in the store is under the protocol %s", p.ID)
	}
	if span.From.IsZero() {
		return nil, errors.New("say from when with --from: the whole history of a cohort is rarely meant")
	}
	source, err := keptSource(in, store, enrolments, p, span)
	if err == nil {
		source.zone = zone
	}
	return source, err
}

func keptSource(in tongue, store pastStore, enrolments []registry.Enrolment, p *protocols.Protocol, span replay.Span) (*pastSource, error) {
	if span.To.IsZero() {
		span.To = time.Now().UTC()
	}
	zone, err := time.LoadLocation(enrolments[0].Zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of the enrolment %s: %w", enrolments[0].ID, err)
	}
	return &pastSource{
		title: in.say(replayCohort, len(enrolments)), zone: zone, span: span,
		patients: len(enrolments), counts: patientNoun, size: len(enrolments),
		past: func(ctx context.Context, i int) (*replay.Past, error) {
			return keptPast(ctx, store, &enrolments[i], p, span)
		},
	}, nil
}

// keptPast reads the history of one enrolment, as far back as the rules look. Under
// the enrolment's own protocol these are the readings that it covers and those of its
// past, by which the service evaluated it; another protocol is asked about all of them.
func keptPast(ctx context.Context, store pastStore, e *registry.Enrolment, p *protocols.Protocol, span replay.Span) (*replay.Past, error) {
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of the enrolment %s: %w", e.ID, err)
	}
	past := &replay.Past{Enrolment: protocols.Enrolment{
		ID: e.ID, Patient: e.Patient, Zone: zone, Settings: e.Settings, From: e.Begins(), Until: e.Ends(), Pauses: e.Pauses,
	}}
	all, err := store.EnrolmentsOf(ctx, e.Patient)
	if err != nil {
		return nil, fmt.Errorf("reading the enrolments of %s: %w", e.Patient, err)
	}
	from := span.From
	if !from.IsZero() {
		from = from.Add(-warmUp)
	}
	err = store.History(ctx, e.Patient, nil, from, span.To, func(r *protocols.Reading) bool {
		if !r.Struck && (p.ID != e.Protocol || e.Covers(r.Time) || e.Recalls(r.Time, all)) {
			past.Readings = append(past.Readings, r)
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s: %w", e.Patient, err)
	}
	return past, nil
}
