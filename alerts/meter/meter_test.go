package meter_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	dto "github.com/prometheus/client_model/go"

	"vigie/alerts/meter"
)

// TestPrometheusReadsWhatIsCounted holds what is written against the parser of
// Prometheus itself: kind, help, labels and values.
func TestPrometheusReadsWhatIsCounted(t *testing.T) {
	m := meter.New()
	m.Counter("vigie_readings_accepted_total", "Readings kept.").Add(1_234_567)
	sent := m.Counters("vigie_messages_total", "Attempts.", "channel", "result")
	sent.With("mail", "sent").Inc()
	sent.With("mail", "sent").Inc()
	sent.With("webhook", `a "b" \ and`+"\n").Inc()
	streams := m.Gauge("vigie_http_streams", "Live streams that are open.")
	streams.Add(3)
	streams.Add(-1)
	m.Read("vigie_inside_messages_total", "Messages received.", func() float64 { return 7 })
	m.Read("vigie_queue_readings", "Readings that wait.", func() float64 { return 0.5 })
	delay := m.Histogram("vigie_commit_seconds", "How long a commit took.", []float64{0.5, 2})
	for _, seconds := range []float64{0.25, 1, 4} {
		delay.Update(seconds)
	}
	m.ReadTogether([]meter.Family{{Name: "vigie_alerts", Help: "Unresolved alerts."}, {Name: "vigie_messages_waiting", Help: "Messages that wait."}}, func(add func(string, float64, ...string)) error {
		add("vigie_alerts", 2, "level", "orange")
		add("vigie_messages_waiting", 5)
		add("vigie_alerts", 1, "level", "red")
		return nil
	})
	families := read(t, m)
	for name, want := range map[string]struct {
		kind dto.MetricType
		help string
		text string
	}{
		"vigie_readings_accepted_total": {dto.MetricType_COUNTER, "Readings kept.", " 1234567"},
		"vigie_messages_total":          {dto.MetricType_COUNTER, "Attempts.", `channel=mail result=sent 2; channel=webhook result=a "b" \ and` + "\n 1"},
		"vigie_http_streams":            {dto.MetricType_GAUGE, "Live streams that are open.", " 2"},
		"vigie_inside_messages_total":   {dto.MetricType_COUNTER, "Messages received.", " 7"},
		"vigie_queue_readings":          {dto.MetricType_GAUGE, "Readings that wait.", " 0.5"},
		"vigie_alerts":                  {dto.MetricType_GAUGE, "Unresolved alerts.", "level=orange 2; level=red 1"},
		"vigie_messages_waiting":        {dto.MetricType_GAUGE, "Messages that wait.", " 5"},
	} {
		family := families[name]
		if family.GetType() != want.kind || family.GetHelp() != want.help || text(family) != want.text {
			t.Errorf("%s: %v %q %q, want %v %q %q", name, family.GetType(), family.GetHelp(), text(family), want.kind, want.help, want.text)
		}
	}
	histogram := families["vigie_commit_seconds"].GetMetric()[0].GetHistogram()
	if below := histogram.GetBucket()[1]; histogram.GetSampleCount() != 3 || histogram.GetSampleSum() != 5.25 || below.GetUpperBound() != 2 || below.GetCumulativeCount() != 2 {
		t.Errorf("histogram: %v", histogram)
	}
	for _, name := range []string{"go_goroutines", "go_memstats_heap_inuse_bytes"} {
		if families[name] == nil {
			t.Errorf("%s is not told", name)
		}
	}
}

func TestAStoreThatDoesNotAnswerIsToldToWhoAsksForMetrics(t *testing.T) {
	m := meter.New()
	m.ReadTogether([]meter.Family{{Name: "vigie_alerts"}}, func(func(string, float64, ...string)) error { return errors.New("the store is away") })
	answer := httptest.NewRecorder()
	m.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusInternalServerError || !strings.Contains(answer.Body.String(), "read vigie_alerts: the store is away") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

// read asks for the metrics as Prometheus does.
func read(t *testing.T, m *meter.Meter) map[string]*dto.MetricFamily {
	t.Helper()
	answer := httptest.NewRecorder()
	m.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if format := expfmt.ResponseFormat(answer.Header()); format.FormatType() != expfmt.TypeTextPlain {
		t.Errorf("Content-Type %q is %v", answer.Header().Get("Content-Type"), format)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		t.Fatalf("Prometheus cannot read it: %v", err)
	}
	return families
}

// text is every series of a family: labels and value.
func text(family *dto.MetricFamily) string {
	var all []string
	for _, m := range family.GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetName()+"="+l.GetValue())
		}
		value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
		all = append(all, strings.Join(labels, " ")+" "+strconv.FormatFloat(value, 'f', -1, 64))
	}
	return strings.Join(all, "; ")
}
