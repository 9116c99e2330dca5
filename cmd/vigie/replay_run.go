package main

import (
	"context"
	"runtime"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// evaluate runs every patient of the source through each version, and shows how far it is.
func evaluate(ctx context.Context, source *pastSource, versions []*candidate, bar *progress) (*replayed, error) {
	defer bar.end()
	run := replay.Run{Patients: source.patients, Past: source.past, Span: source.span, Step: versions[0].sensorStep}
	for _, v := range versions {
		run.Versions = append(run.Versions, v.start)
	}
	switch source.counts {
	case readingNoun:
		run.Read = bar.add
	case patientNoun:
		run.Done = func() { bar.add(1) }
	}
	outcomes, statistics, err := run.Evaluate(ctx, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, err
	}
	return &replayed{versions: versions, source: source, span: source.span, outcomes: outcomes, statistics: *statistics}, nil
}

// sensorStep is how often the protocol expects the glucose sensor of a patient
// with these settings to send; zero when it does not say.
func (c *candidate) sensorStep(own protocols.Settings) time.Duration {
	for _, o := range c.protocol.Observations {
		if o.Measure.ID == "glucose" && o.Cadence.Every > 0 {
			return c.protocol.UsualStep(o.Measure, o.Variant, c.inForce(own))
		}
	}
	return 0
}
