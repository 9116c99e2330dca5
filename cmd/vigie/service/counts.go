package service

import (
	"maps"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"vigie/ingest"
	"vigie/protocols"
)

// counts are what went through the pipeline since the start: as metrics, and as
// a summary. A metric never has a patient or a device as a label.
type counts struct {
	accepted, duplicates prometheus.Counter
	setAside             *prometheus.CounterVec
	findings             *prometheus.CounterVec
	devices              *prometheus.CounterVec
	junk                 prometheus.Counter
	batch, seconds       prometheus.Histogram

	mu      sync.Mutex
	summary Summary
}

// Summary is what became of the readings since the start.
type Summary struct {
	Accepted   int64
	Duplicates int64
	SetAside   map[protocols.Code]int // by the first reason
}

func newCounts(registry *prometheus.Registry) *counts {
	c := &counts{
		accepted:   prometheus.NewCounter(prometheus.CounterOpts{Name: "vigie_readings_accepted_total", Help: "Readings kept."}),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{Name: "vigie_readings_duplicate_total", Help: "Readings that had been kept before."}),
		setAside:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vigie_readings_set_aside_total", Help: "What could not be used, by the code of the first reason."}, []string{"code"}),
		junk:       prometheus.NewCounter(prometheus.CounterOpts{Name: "vigie_junk_not_kept_total", Help: "Messages in which nothing can be read, beyond the quota of their device: counted and not kept."}),
		findings:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vigie_findings_total", Help: "What evaluation found."}, []string{"kind", "level"}),
		devices:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vigie_device_alerts_total", Help: "Episodes that began about devices, by rule; hides tells that values of a patient may be hidden."}, []string{"rule", "hides"}),
		batch:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "vigie_commit_readings", Help: "Readings in one commit.", Buckets: prometheus.ExponentialBuckets(1, 4, 8)}),
		seconds:    prometheus.NewHistogram(prometheus.HistogramOpts{Name: "vigie_commit_seconds", Help: "How long a commit took.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14)}),
		summary:    Summary{SetAside: map[protocols.Code]int{}},
	}
	// Every combination exists from the start: a rate sees the first event of each.
	for _, code := range protocols.Codes() {
		c.setAside.WithLabelValues(string(code))
	}
	for kind := protocols.Raised; kind <= protocols.Resumed; kind++ {
		for level := protocols.Technical; level <= protocols.Red; level++ {
			c.findings.WithLabelValues(kind.String(), level.String())
		}
	}
	for _, rule := range ingest.TechnicalRules() {
		c.devices.WithLabelValues(rule, strconv.FormatBool(ingest.HidesValues(rule)))
	}
	registry.MustRegister(c.accepted, c.duplicates, c.junk, c.setAside, c.findings, c.devices, c.batch, c.seconds)
	return c
}

func (c *counts) committed(batch ingest.Commit) {
	c.accepted.Add(float64(batch.Accepted))
	c.duplicates.Add(float64(batch.Duplicates))
	c.junk.Add(float64(batch.Counted))
	c.batch.Observe(float64(batch.Accepted))
	c.seconds.Observe(batch.Took.Seconds())
	for _, f := range batch.Findings {
		c.findings.WithLabelValues(f.Kind.String(), f.Level.String()).Inc()
		if f.Device != "" && f.Kind == protocols.Raised {
			c.devices.WithLabelValues(f.Rule, strconv.FormatBool(f.HidesValues)).Inc()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.summary.Accepted += int64(batch.Accepted)
	c.summary.Duplicates += int64(batch.Duplicates)
	for _, record := range batch.SetAside {
		code := record.Reasons[0].Code
		c.summary.SetAside[code]++
		c.setAside.WithLabelValues(string(code)).Inc()
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
