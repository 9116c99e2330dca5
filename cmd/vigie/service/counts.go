package service

import (
	"maps"
	"strconv"
	"sync"

	"vigie/alerts/meter"
	"vigie/ingest"
	"vigie/protocols"
)

// counts are what went through the pipeline since the start: as metrics, and as
// a summary. A metric never has a patient or a device as a label.
type counts struct {
	accepted, duplicates *meter.Counter
	setAside             *meter.Counters
	findings             *meter.Counters
	devices              *meter.Counters
	junk                 *meter.Counter
	batch, seconds       *meter.Histogram

	mu      sync.Mutex
	summary Summary
}

// Summary is what became of the readings since the start.
type Summary struct {
	Accepted   int64
	Duplicates int64
	SetAside   map[protocols.Code]int // by the first reason
}

func newCounts(to *meter.Meter) *counts {
	c := &counts{
		accepted:   to.Counter("vigie_readings_accepted_total", "Readings kept."),
		duplicates: to.Counter("vigie_readings_duplicate_total", "Readings that had been kept before."),
		setAside:   to.Counters("vigie_readings_set_aside_total", "What could not be used, by the code of the first reason.", "code"),
		junk:       to.Counter("vigie_junk_not_kept_total", "Messages in which nothing can be read, beyond the quota of their device: counted and not kept."),
		findings:   to.Counters("vigie_findings_total", "What evaluation found.", "kind", "level"),
		devices:    to.Counters("vigie_device_alerts_total", "Episodes that began about devices, by rule; hides tells that values of a patient may be hidden.", "hides", "rule"),
		batch:      to.Histogram("vigie_commit_readings", "Readings in one commit.", []float64{1, 4, 16, 64, 256, 1024, 4096, 16384}),
		seconds:    to.Histogram("vigie_commit_seconds", "How long a commit took.", []float64{0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096}),
		summary:    Summary{SetAside: map[protocols.Code]int{}},
	}
	// Every combination exists from the start: a rate sees the first event of each.
	for _, code := range protocols.Codes() {
		c.setAside.With(string(code))
	}
	for kind := protocols.Raised; kind <= protocols.Resumed; kind++ {
		for level := protocols.Technical; level <= protocols.Red; level++ {
			c.findings.With(kind.String(), level.String())
		}
	}
	for _, rule := range ingest.TechnicalRules() {
		c.devices.With(strconv.FormatBool(ingest.HidesValues(rule)), rule)
	}
	return c
}

func (c *counts) committed(batch ingest.Commit) {
	c.accepted.Add(batch.Accepted)
	c.duplicates.Add(batch.Duplicates)
	c.junk.Add(batch.Counted)
	c.batch.Update(float64(batch.Accepted))
	c.seconds.Update(batch.Took.Seconds())
	for _, f := range batch.Findings {
		c.findings.With(f.Kind.String(), f.Level.String()).Inc()
		if f.Device != "" && f.Kind == protocols.Raised {
			c.devices.With(strconv.FormatBool(f.HidesValues), f.Rule).Inc()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.summary.Accepted += int64(batch.Accepted)
	c.summary.Duplicates += int64(batch.Duplicates)
	for _, record := range batch.SetAside {
		code := record.Reasons[0].Code
		c.summary.SetAside[code]++
		c.setAside.With(string(code)).Inc()
	}
}

// Summary returns what became of the readings since the start.
func (s *Service) Summary() Summary {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	summary := s.counts.summary
	summary.SetAside = maps.Clone(summary.SetAside)
	return summary
}
