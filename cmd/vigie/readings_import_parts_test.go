package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// A file that is too long for one request enters a running service in parts. When the
// service stops in the middle, the command says what is kept; given again, it goes on, and
// readings and alerts are those of one import into a store. It is struck out as one.
func TestALongFileGoesOnWhereItWasBrokenOff(t *testing.T) {
	t.Parallel()
	const rows = 12_400
	first := time.Now().UTC().Truncate(time.Minute).Add(-time.Hour - rows*5*time.Minute)
	file := filepath.Join(t.TempDir(), "sensor.csv")
	writeLows(t, file, first, rows, 1_990, 2_395, rows-300) // across the ends of the parts, and of yesterday
	enter := func(more ...string) (report importReport, err error) {
		t.Helper()
		out, err := readingsLine(t, append([]string{"import", file, "--device", "cgm-durand", "--measure", "glucose", "--column", "mg/dL", "--time-column", "time", "--format", "json"}, more...)...)
		if err == nil {
			err = json.Unmarshal([]byte(out), &report)
		}
		return report, err
	}
	whole := followedWithASensor(t, first)
	if report, err := enter("--data", whole); err != nil || report.Entered.New != rows {
		t.Fatalf("one import: %v %+v", err, report.Entered)
	}
	folder := followedWithASensor(t, first)
	s := serveOn(t, folder)
	door := stopsAfter(t, 1, s.Page(), func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	remote := []string{"--patient", "p-durand", "--token-file", tokenOf(t, folder), "--service"}
	_, err := enter(append(remote, door)...)
	if err == nil || !strings.Contains(err.Error(), "of 12400 readings, the first 2000 are dealt with and stay") || !strings.Contains(err.Error(), "same command again") {
		t.Fatalf("broken off: %v", err)
	}
	s = serveOn(t, folder)
	report, err := enter(append(remote, s.Page())...)
	if err != nil || report.Entered.New != rows-2000 || report.Entered.Known != 2000 || !strings.Contains(fmt.Sprint(err)+" "+report.Batch, "import ") {
		t.Fatalf("given again: %v %+v", err, report.Entered)
	}
	rang := alertsOf(t, s.Page())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	one := serveOn(t, whole)
	want := alertsOf(t, one.Page())
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 || !slices.Equal(rang, want) {
		t.Errorf("alerts:\n%s\nof one import:\n%s", strings.Join(rang, "\n"), strings.Join(want, "\n"))
	}
	said, err := readingsLine(t, "strike", "--data", folder, "--patient", "p-durand", "--batch", report.Batch, "--reason", "fichier d'un autre", "--author", "Mme Hoarau")
	if err != nil || strings.Count(said, ": struck out") != rows {
		t.Errorf("struck out %d: %v", strings.Count(said, ": struck out"), err)
	}
}

// writeLows writes a file of a sensor, with two hours of hypoglycaemia from some of its rows on.
func writeLows(t *testing.T, file string, first time.Time, rows int, lows ...int) {
	t.Helper()
	text := "time,mg/dL\n"
	for i := range rows {
		value := 100 + i%20
		if slices.ContainsFunc(lows, func(low int) bool { return low <= i && i < low+24 }) {
			value = 45
		}
		text += fmt.Sprintf("%s,%d\n", first.Add(time.Duration(i)*5*time.Minute).Format(time.RFC3339), value)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// stopsAfter stands before a service that stops once it has answered so many imports.
func stopsAfter(t *testing.T, imports int, page string, stop func()) string {
	t.Helper()
	to, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && imports == 0 {
			stop()
		}
		if r.Method == http.MethodPost {
			imports--
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(door.Close)
	return door.URL
}

// alertsOf lists the alerts of a service, but for when they were found, and but for the
// silence that one says which runs before the file has come.
func alertsOf(t *testing.T, page string) (list []string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page+"/api/v1/alerts?limit=500", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+importToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Alerts []alerts.Alert }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", response.Status, err)
	}
	for _, a := range answer.Alerts {
		if a.Level != protocols.Technical && a.Rule != "no-glucose" {
			list = append(list, fmt.Sprint(a.Rule, " ", a.Level, " ", a.Episode, " ", a.At, " ", a.EndedAt, " ", a.Occurrences))
		}
	}
	slices.Sort(list)
	return list
}
