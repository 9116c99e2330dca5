// Package meter holds what the service counts of itself, and writes it as Prometheus
// reads it: https://prometheus.io/docs/instrumenting/exposition_formats/. The library
// below it weighs a tenth of Prometheus' own, which brings protocol buffers along.
package meter

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/VictoriaMetrics/metrics"
)

// Meter is what one service counts. Its methods panic on a name that Prometheus
// cannot read and on a series that is there already: both are mistakes in the program.
type Meter struct {
	set *metrics.Set

	mu      sync.Mutex
	help    map[string]string // by family
	sources []source
}

// source is a family whose values are read together when metrics are asked for.
type source struct {
	families []string
	read     func(add func(name string, value float64, labels ...string)) error
}

// Counter only grows.
type Counter = metrics.Counter

// Gauge goes up and down.
type Gauge = metrics.Gauge

// Histogram counts what falls below each of its bounds.
type Histogram = metrics.PrometheusHistogram

// New returns a meter that counts nothing yet.
func New() *Meter {
	metrics.ExposeMetadata(true) // for the whole program: kinds and help are written
	return &Meter{set: metrics.NewSet(), help: map[string]string{}}
}

// Counter adds a counter. Labels are names and values in turn.
func (m *Meter) Counter(name, help string, labels ...string) *Counter {
	m.describe(name, help)
	return m.set.NewCounter(series(name, labels))
}

// Gauge adds a gauge that the caller moves.
func (m *Meter) Gauge(name, help string, labels ...string) *Gauge {
	m.describe(name, help)
	return m.set.NewGauge(series(name, labels), nil)
}

// Read adds a value that is read whenever metrics are asked for: a counter when its
// name ends in "_total", else a gauge.
func (m *Meter) Read(name, help string, value func() float64, labels ...string) {
	m.describe(name, help)
	m.set.NewGauge(series(name, labels), value)
}

// Histogram adds a histogram with the given upper bounds, in the unit of its name.
func (m *Meter) Histogram(name, help string, bounds []float64, labels ...string) *Histogram {
	m.describe(name, help)
	return m.set.NewPrometheusHistogramExt(series(name, labels), bounds)
}

// Family is a name with its help.
type Family struct{ Name, Help string }

// ReadTogether adds gauges that one reading gives together. When it fails, whoever
// asks for metrics is told so and gets none: a store that does not answer is seen.
func (m *Meter) ReadTogether(families []Family, read func(add func(name string, value float64, labels ...string)) error) {
	s := source{read: read}
	for _, f := range families {
		m.describe(f.Name, f.Help)
		s.families = append(s.families, f.Name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sources = append(m.sources, s)
}

// Counters are the counters of one name, one for every combination of label values.
type Counters struct {
	meter      *Meter
	name, help string
	labels     []string

	mu sync.RWMutex
	by map[string]*Counter // by the values, a zero byte between two
}

// Counters adds counters that differ in the given labels.
func (m *Meter) Counters(name, help string, labels ...string) *Counters {
	return &Counters{meter: m, name: name, help: help, labels: labels, by: map[string]*Counter{}}
}

// With returns the counter of label values, in the order in which the labels were
// given. It is made when it is first asked for: ask for each at the start, so that a
// rate sees the first event.
func (c *Counters) With(values ...string) *Counter {
	key := strings.Join(values, "\x00")
	c.mu.RLock()
	counter, known := c.by[key]
	c.mu.RUnlock()
	if known {
		return counter
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if counter, known := c.by[key]; known {
		return counter
	}
	var pairs []string
	for i, label := range c.labels {
		pairs = append(pairs, label, values[i])
	}
	c.by[key] = c.meter.Counter(c.name, c.help, pairs...)
	return c.by[key]
}

// ServeHTTP writes all metrics, those of Go and of the process among them.
func (m *Meter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var all bytes.Buffer
	if err := m.write(&all); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Write(all.Bytes()) // somebody who hangs up needs no more
}

// write mends what the library leaves out: the help of each family, and that what is
// read whenever it is asked for may be a counter.
func (m *Meter) write(w io.Writer) error {
	var all bytes.Buffer
	m.set.WritePrometheus(&all)
	if err := m.writeSources(&all); err != nil {
		return err
	}
	metrics.WriteProcessMetrics(&all)
	m.mu.Lock()
	defer m.mu.Unlock()
	for lines := bufio.NewScanner(&all); lines.Scan(); {
		line := lines.Text()
		if family, described := strings.CutPrefix(line, "# HELP "); described && m.help[family] != "" {
			line += " " + m.help[family]
		}
		if family, gauge := strings.CutSuffix(line, "_total gauge"); gauge && strings.HasPrefix(line, "# TYPE ") {
			line = family + "_total counter"
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

func (m *Meter) writeSources(w io.Writer) error {
	m.mu.Lock()
	sources := slices.Clone(m.sources)
	m.mu.Unlock()
	for _, s := range sources {
		lines := map[string][]string{}
		err := s.read(func(name string, value float64, labels ...string) {
			lines[name] = append(lines[name], fmt.Sprintf("%s %g\n", series(name, labels), value))
		})
		if err != nil {
			return fmt.Errorf("read %s: %w", s.families[0], err)
		}
		for _, family := range s.families {
			metrics.WriteMetadataIfNeeded(w, family, "gauge")
			io.WriteString(w, strings.Join(lines[family], "")) // a buffer takes all
		}
	}
	return nil
}

func (m *Meter) describe(family, help string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.help[family] = help
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// series is the name of one series: vigie_alerts{state="open",level="red"}.
func series(name string, labels []string) string {
	if len(labels) == 0 {
		return name
	}
	var pairs []string
	for i := 0; i < len(labels); i += 2 {
		pairs = append(pairs, labels[i]+`="`+escaped.Replace(labels[i+1])+`"`)
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}
