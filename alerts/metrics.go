package alerts

import (
	"context"
	"time"

	"vigie/alerts/meter"
	"vigie/protocols"
)

// Metrics counts what the alerts side does. No label ever names a patient, a
// device or an address. A nil *Metrics counts nothing.
type Metrics struct {
	messages    *meter.Counters
	delay       map[string]*meter.Histogram // by channel
	escalations *meter.Counter
}

// NewMetrics adds the counters of this package.
func NewMetrics(to *meter.Meter) *Metrics {
	m := &Metrics{
		messages:    to.Counters("vigie_messages_total", "Attempts to send a message to people or systems, by channel and result (sent, retried, given-up).", "channel", "result"),
		delay:       map[string]*meter.Histogram{},
		escalations: to.Counter("vigie_escalations_total", "Alerts whose answer delay has run out."),
	}
	for _, kind := range kinds { // each exists from the start, for rates to see the first event
		for _, result := range []string{"sent", "retried", "given-up"} {
			m.messages.With(kind.Name, result)
		}
		m.delay[kind.Name] = to.Histogram("vigie_message_delay_seconds", "Time from the writing of a message to its confirmation by the channel.",
			[]float64{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400}, "channel", kind.Name)
	}
	return m
}

func (m *Metrics) escalated() {
	if m != nil {
		m.escalations.Inc()
	}
}

func (m *Metrics) attempted(channel, result string) {
	if m != nil {
		m.messages.With(channel, result).Inc()
	}
}

func (m *Metrics) confirmed(channel string, after time.Duration) {
	if m != nil {
		m.messages.With(channel, "sent").Inc()
		m.delay[channel].Update(after.Seconds())
	}
}

// Gauges reads the state of the worklist from a store whenever metrics are asked for.
type Gauges struct {
	Store Store
	Now   func() time.Time
}

// unresolvedGauge and its neighbours are what Gauges reads together.
const (
	unresolvedGauge  = "vigie_alerts"
	waitingGauge     = "vigie_messages_waiting"
	oldestGauge      = "vigie_messages_oldest_seconds"
	undeliveredGauge = "vigie_messages_undelivered"
)

// AddTo adds the gauges to what a service counts.
func (g Gauges) AddTo(m *meter.Meter) {
	m.ReadTogether([]meter.Family{
		{Name: unresolvedGauge, Help: "Unresolved alerts by state and level."},
		{Name: waitingGauge, Help: "Messages that wait to be sent."},
		{Name: oldestGauge, Help: "Age of the oldest message that waits to be sent."},
		{Name: undeliveredGauge, Help: "Messages that were given up, about alerts that nobody has resolved yet."},
	}, g.read)
}

func (g Gauges) read(add func(name string, value float64, labels ...string)) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	summary, err := g.Store.Summary(ctx, Filter{})
	if err != nil {
		return err
	}
	for _, state := range []State{Open, Acknowledged} {
		for level := protocols.Technical; level <= protocols.Red; level++ {
			add(unresolvedGauge, float64(summary.Unresolved[state][level]), "level", level.String(), "state", string(state))
		}
	}
	oldest := 0.0
	if !summary.OldestWaiting.IsZero() {
		oldest = g.Now().Sub(summary.OldestWaiting).Seconds()
	}
	add(waitingGauge, float64(summary.Waiting))
	add(oldestGauge, oldest)
	add(undeliveredGauge, float64(summary.Undelivered))
	return nil
}
