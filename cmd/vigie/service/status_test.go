package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"vigie/cmd/vigie/config"
)

// asked gets a path of a service.
func asked(t *testing.T, address, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// A sweep that fails for ever is no reason to cut everybody off, and none for silence.
func TestFailingSweepIsInStatusAndMetricsAndReadyStays(t *testing.T) {
	s, _ := running(t)
	s.faults.note(s.Log, "dispatch", errors.New("SELECT password FROM users"))
	if status, body := asked(t, s.Page(), "/readyz"); status != http.StatusOK {
		t.Errorf("ready: %d %s", status, body)
	}
	status, body := asked(t, s.Page(), "/status")
	if status != http.StatusOK || strings.Contains(body, "SELECT") || strings.Contains(body, s.Config.Data) {
		t.Errorf("status: %d %s", status, body)
	}
	for _, want := range []string{`"name":"build"`, `"name":"leader"`, `"name":"queue","ok":true`, `"name":"damage","ok":true`, `"name":"alerts","ok":true`} {
		if !strings.Contains(body, want) {
			t.Errorf("the status lacks %s: %s", want, body)
		}
	}
	// The service's own round may have mended it meanwhile.
	s.faults.note(s.Log, "of-the-test", errors.New("x"))
	if _, body := asked(t, s.Page(), "/status"); !strings.Contains(body, "These sweeps fail, see the log") || !strings.Contains(body, "of-the-test") {
		t.Errorf("the status hides a sweep that fails: %s", body)
	}
}

func TestEveryCombinationOfLabelsExistsFromTheStart(t *testing.T) {
	s, _ := running(t)
	_, metrics := asked(t, s.Page(), "/metrics")
	for _, want := range []string{
		`vigie_readings_set_aside_total{code="too-large"} 0`, `vigie_findings_total{kind="raised",level="red"} 0`, `vigie_messages_total{channel="webhook",result="given-up"} 0`,
		`vigie_device_alerts_total{hides="true",rule="device-clock"} 0`, `vigie_device_alerts_total{hides="false",rule="battery-low"} 0`,
		`vigie_sweep_failing{sweep="escalate"} 0`, `vigie_leads{work="sweeps"}`, `vigie_store_damaged_rows 0`, `vigie_queue_readings 0`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestOperatorsListenerIsConfigured(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	c.Broker.Inside.Listen, c.HTTP.Listen, c.HTTP.StatusListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, path := range []string{"/readyz", "/status", "/metrics"} {
		if status, _ := asked(t, "http://"+s.operatorPage.String(), path); status != http.StatusOK {
			t.Errorf("%s on the operator's listener: %d", path, status)
		}
		if _, body := asked(t, s.Page(), path); strings.Contains(body, "vigie_") || strings.Contains(body, "checks") {
			t.Errorf("%s on the listener of the pages: %s", path, body)
		}
	}
}

// otherLeader is a lead that another node could take.
type otherLeader struct{ alone }

func TestNodeWhoseSweepsFailStepsDown(t *testing.T) {
	s := &Service{Options: Options{Log: slog.New(slog.DiscardHandler)}, backend: &backend{leader: &otherLeader{}}}
	s.faults.note(s.Log, "escalate", errors.New("a damaged table"))
	s.faults.since["escalate"] = time.Now().Add(-2 * failsFor)
	ended := make(chan bool, 1)
	leads := s.stepDown(func(ctx context.Context) { <-ctx.Done() })
	go func() { leads(t.Context()); ended <- true }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on leading")
	}
	leads(t.Context()) // another one has its turn: this one returns at once
}
