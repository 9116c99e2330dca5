package workspace

import (
	"net/http"
	"strconv"

	"vigie/alerts"
	"vigie/alerts/meter"
)

// metrics counts requests by route, never by address: an address may name a
// patient. A nil *metrics counts nothing.
type metrics struct {
	requests *meter.Counters
	streams  *meter.Gauge
}

// newMetrics adds what this package counts, and the gauges of the worklist beside it.
func newMetrics(to *meter.Meter, worklist alerts.Gauges) *metrics {
	if to == nil {
		return nil
	}
	worklist.AddTo(to)
	return &metrics{
		requests: to.Counters("vigie_http_requests_total", "HTTP requests answered, by route and status.", "route", "status"),
		streams:  to.Gauge("vigie_http_streams", "Live streams that are open."),
	}
}

// exists makes the counts of a route that somebody may wait for: a rate sees the first.
func (m *metrics) exists(route string) {
	if m == nil {
		return
	}
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusInternalServerError} {
		m.requests.With(route, strconv.Itoa(status))
	}
}

func (m *metrics) answered(route string, status int) {
	if m != nil {
		m.requests.With(route, strconv.Itoa(status)).Inc()
	}
}

func (m *metrics) streaming(change float64) {
	if m != nil {
		m.streams.Add(change)
	}
}
