package workspace

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"vigie/alerts"
)

// metrics counts requests by route, never by address: an address may name a
// patient. A nil *metrics counts nothing.
type metrics struct {
	requests *prometheus.CounterVec
	streams  prometheus.Gauge
}

// newMetrics registers what this package counts, and the gauges of the worklist
// beside it.
func newMetrics(registry prometheus.Registerer, worklist alerts.Gauges) *metrics {
	if registry == nil {
		return nil
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vigie_http_requests_total", Help: "HTTP requests answered, by route and status.",
		}, []string{"route", "status"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "vigie_http_streams", Help: "Live streams that are open.",
		}),
	}
	registry.MustRegister(m.requests, m.streams, worklist)
	return m
}

// exists makes the counts of a route that somebody may wait for: a rate sees the first.
func (m *metrics) exists(route string) {
	if m == nil {
		return
	}
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusInternalServerError} {
		m.requests.WithLabelValues(route, strconv.Itoa(status))
	}
}

func (m *metrics) answered(route string, status int) {
	if m != nil {
		m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	}
}

func (m *metrics) streaming(change float64) {
	if m != nil {
		m.streams.Add(change)
	}
}
