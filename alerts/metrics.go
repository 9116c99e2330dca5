package alerts

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vigie/protocols"
)

// Metrics counts what the alerts side does. No label ever names a patient, a
// device or an address. A nil *Metrics counts nothing.
type Metrics struct {
	messages    *prometheus.CounterVec
	delay       *prometheus.HistogramVec
	escalations prometheus.Counter
}

// NewMetrics registers the counters of this package.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vigie_messages_total", Help: "Attempts to send a message to people or systems, by channel and result (sent, retried, given-up).",
		}, []string{"channel", "result"}),
		delay: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vigie_message_delay_seconds", Help: "Time from the writing of a message to its confirmation by the channel.",
			Buckets: []float64{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400},
		}, []string{"channel"}),
		escalations: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vigie_escalations_total", Help: "Alerts whose answer delay has run out.",
		}),
	}
	for _, channel := range []string{Mail, Webhook} { // each exists from the start, for rates to see the first event
		for _, result := range []string{"sent", "retried", "given-up"} {
			m.messages.WithLabelValues(channel, result)
		}
		m.delay.WithLabelValues(channel)
	}
	registry.MustRegister(m.messages, m.delay, m.escalations)
	return m
}

func (m *Metrics) escalated() {
	if m != nil {
		m.escalations.Inc()
	}
}

func (m *Metrics) attempted(channel, result string) {
	if m != nil {
		m.messages.WithLabelValues(channel, result).Inc()
	}
}

func (m *Metrics) confirmed(channel string, after time.Duration) {
	if m != nil {
		m.messages.WithLabelValues(channel, "sent").Inc()
		m.delay.WithLabelValues(channel).Observe(after.Seconds())
	}
}

// Gauges reads the state of the worklist from a store whenever metrics are
// collected. It is a prometheus.Collector.
type Gauges struct {
	Store Store
	Now   func() time.Time
}

var (
	unresolvedGauge  = prometheus.NewDesc("vigie_alerts", "Unresolved alerts by state and level.", []string{"state", "level"}, nil)
	waitingGauge     = prometheus.NewDesc("vigie_messages_waiting", "Messages that wait to be sent.", nil, nil)
	oldestGauge      = prometheus.NewDesc("vigie_messages_oldest_seconds", "Age of the oldest message that waits to be sent.", nil, nil)
	undeliveredGauge = prometheus.NewDesc("vigie_messages_undelivered", "Messages that were given up, about alerts that nobody has resolved yet.", nil, nil)
)

// Describe is part of prometheus.Collector.
func (g Gauges) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{unresolvedGauge, waitingGauge, oldestGauge, undeliveredGauge} {
		descriptions <- d
	}
}

// Collect is part of prometheus.Collector.
func (g Gauges) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	summary, err := g.Store.Summary(ctx, Filter{})
	if err != nil {
		metrics <- prometheus.NewInvalidMetric(unresolvedGauge, err)
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, state := range []State{Open, Acknowledged} {
		for level := protocols.Technical; level <= protocols.Red; level++ {
			gauge(unresolvedGauge, float64(summary.Unresolved[state][level]), string(state), level.String())
		}
	}
	oldest := 0.0
	if !summary.OldestWaiting.IsZero() {
		oldest = g.Now().Sub(summary.OldestWaiting).Seconds()
	}
	gauge(waitingGauge, float64(summary.Waiting))
	gauge(oldestGauge, oldest)
	gauge(undeliveredGauge, float64(summary.Undelivered))
}
