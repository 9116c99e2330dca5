package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/alerts/workspace"
	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
	"vigie/protocols/replay"
)

// readingsLine runs `vigie readings …`.
func readingsLine(t testing.TB, args ...string) (string, error) {
	t.Helper()
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append([]string{"readings"}, args...))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// keepReadings keeps a fortnight of two measures of one patient in the store of
// a folder, and forwards them to InfluxDB when there is a client.
func keepReadings(t *testing.T, folder string, client *influx.Client) {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	var readings []*protocols.Reading
	for day := range 14 {
		at := time.Date(2026, 3, 1+day, 6, 30, 0, 0, time.UTC)
		readings = append(readings,
			&protocols.Reading{ID: fmt.Sprint("w", day), Device: "scale-1", Patient: "p-1", Time: at, Measure: protocols.MeasureByID("weight"),
				Values: []protocols.Value{protocols.Value(82_000 + 100*day)}, Battery: 80, Flags: []string{"moved"}},
			&protocols.Reading{ID: fmt.Sprint("t", day), Device: "tensio-1", Patient: "p-1", Time: at, Measure: protocols.MeasureByID("blood-pressure"),
				Values: []protocols.Value{142_000, 91_000, protocols.Missing, 72_000}, Battery: -1, Context: map[string]string{"posture": "sitting"}})
	}
	at := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
	if err := store.Update(t.Context(), func(tx ingest.Tx) error {
		_, err := tx.Keep(readings, at)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if client == nil {
		return
	}
	forwarder := influx.NewForwarder(client, influx.FromStore(store, func() time.Time { return at }), slog.New(slog.DiscardHandler), influx.Pace{Poll: time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); forwarder.Run(ctx) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); forwarder.Figures().Sent < int64(len(readings)); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not forwarded within a minute: %+v", forwarder.Figures())
		}
	}
	stop()
	<-done
}

func TestReadingsAreTheSameFromInfluxDBAndFromTheStore(t *testing.T) {
	server := servers.Influx(t)
	client := influx.New(influx.Options{URL: server.URL, Org: server.Org, Token: server.Token, Bucket: server.Bucket})
	defer client.Close()
	folder := t.TempDir()
	keepReadings(t, folder, client)
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	from, to := time.Date(2026, 3, 3, 6, 30, 0, 0, time.UTC), time.Date(2026, 3, 4, 6, 30, 0, 0, time.UTC)
	for _, asked := range []askedReadings{
		{patient: "p-1", span: everything, format: workspace.CSV},
		{patient: "p-1", span: everything, format: workspace.JSON},
		{patient: "p-1", measure: protocols.MeasureByID("weight"), span: replay.Span{From: from, To: to}, format: workspace.JSON},
		{patient: "nobody", span: everything, format: workspace.JSON},
	} {
		var fromStore, fromInflux bytes.Buffer
		if err := errors.Join(asked.write(t.Context(), &fromStore, io.Discard, store), asked.write(t.Context(), &fromInflux, io.Discard, client)); err != nil {
			t.Fatal(err)
		}
		if fromStore.String() != fromInflux.String() {
			t.Errorf("%+v: the store says\n%s\nInfluxDB says\n%s", asked, &fromStore, &fromInflux)
		}
	}
}

// hanging is the address of a server that takes connections and never answers.
func hanging(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String()
}

func TestWhatTheStoreHoldsIsReadWithoutWaitingForInfluxDB(t *testing.T) {
	folder := t.TempDir()
	keepReadings(t, folder, nil)
	file := write(t, folder, "influx.yaml", fmt.Sprintf("data: %s\ninflux: {url: %q, bucket: b}\n", folder, hanging(t)))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // below the time limit of one request
	defer cancel()
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"readings", "--config", file, "--patient", "p-1", "--measure", "weight"})
	if err := root.ExecuteContext(ctx); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 1+14 {
		t.Errorf("%d lines:\n%s", lines, &out)
	}
}

func TestReadingsOfADayTakeTheWholeLocalDay(t *testing.T) {
	folder := t.TempDir()
	keepReadings(t, folder, nil)
	out, err := readingsLine(t, "--data", folder, "--patient", "p-1", "--measure", "weight", "--from", "2026-03-03", "--to", "2026-03-04")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 3 || lines[1][0] != "2026-03-03T06:30:00Z" || lines[1][3] != "82.2" || lines[2][0] != "2026-03-04T06:30:00Z" {
		t.Errorf("got\n%s", out)
	}
	out, err = readingsLine(t, "--data", folder, "--patient", "p-1", "--format", "json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct{ ID string }
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != 28 {
		t.Errorf("%d readings, %v", len(all), err)
	}
}

func TestReadingsSaysWhatIsMissing(t *testing.T) {
	for want, args := range map[string][]string{
		"--patient":        {},
		"vigie measures":   {"--patient", "p", "--measure", "wait"},
		"csv or json":      {"--patient", "p", "--format", "xml"},
		"neither a day":    {"--patient", "p", "--from", "yesterday"},
		"must come before": {"--patient", "p", "--from", "2026-03-02", "--to", "2026-03-01"},
	} {
		if _, err := readingsLine(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want something about %q", args, err, want)
		}
	}
}

func TestAPatientWithoutReadingsIsNotPassedOverInSilence(t *testing.T) {
	folder := t.TempDir()
	keepReadings(t, folder, nil)
	root := rootCommand()
	var out, aside bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&aside)
	root.SetArgs([]string{"readings", "--data", folder, "--patient", "p-l"})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "time,measure,") || !strings.Contains(aside.String(), "no reading of patient p-l") {
		t.Errorf("it writes %q and says %q", out.String(), aside.String())
	}
}

// forgetReadings forgets what was measured before a day that InfluxDB holds.
func forgetReadings(t *testing.T, folder string, client *influx.Client, before time.Time) {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{Generation: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	proof, err := ingest.Forget(t.Context(), store, client, before)
	if err != nil || proof.Forgotten == 0 || len(proof.Differing) > 0 {
		t.Fatalf("forgot %+v, %v", proof, err)
	}
}

func TestAnAnswerThatIsNotWholeSaysSo(t *testing.T) {
	t.Parallel()
	server := servers.Influx(t)
	client := influx.New(influx.Options{URL: server.URL, Org: server.Org, Token: server.Token, Bucket: server.Bucket})
	defer client.Close()
	folder := t.TempDir()
	keepReadings(t, folder, client)
	file := write(t, folder, "influx.yaml", fmt.Sprintf("data: %s\nlanguage: en\ninflux: {url: %q, org: %q, token: %q, bucket: %s}\n", folder, server.URL, server.Org, server.Token, server.Bucket))
	ask := func() (out, aside string, err error) {
		root := rootCommand()
		var written, said bytes.Buffer
		root.SetOut(&written)
		root.SetErr(&said)
		root.SetArgs([]string{"readings", "--config", file, "--patient", "p-1", "--format", "json"})
		err = root.ExecuteContext(t.Context())
		return written.String(), said.String(), err
	}
	whole, _, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	fileAway(t, folder)
	forgetReadings(t, folder, client, time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC))

	out, aside, err := ask()
	if out != whole || aside != "" || err != nil {
		t.Errorf("what was forgotten is read from InfluxDB: %d bytes of %d, %q, %v", len(out), len(whole), aside, err)
	}
	count := func(out string) int {
		var all []struct{ ID string }
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			t.Fatal(err, out)
		}
		return len(all)
	}
	// Somebody deletes a point.
	drop(t, server.URL, `DELETE FROM "weight" WHERE time >= '2026-03-03T00:00:00Z' AND time < '2026-03-04T00:00:00Z'`)
	out, aside, err = ask()
	if n := count(out); n != 27 || !errors.Is(err, notWhole) || !strings.Contains(aside, "no longer has all of it") {
		t.Errorf("a point is missing: %d readings, %q, %v", n, aside, err)
	}
	if err := server.Halt(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Resume(); err != nil {
			t.Error(err)
		}
	}()
	out, aside, err = ask()
	if n := count(out); n != 0 || !errors.Is(err, notWhole) || !strings.Contains(aside, "does not answer") {
		t.Errorf("InfluxDB hangs: %d readings, %q, %v", n, aside, err)
	}
}

// fileAway keeps readings of somebody else until those before are filed.
func fileAway(t *testing.T, folder string) {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{Generation: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for i := range 200 {
		if err := store.Update(t.Context(), func(tx ingest.Tx) error {
			_, err := tx.Keep([]*protocols.Reading{{ID: fmt.Sprint("x", i), Device: "scale-2", Patient: "p-2", Time: time.Date(2026, 3, 19, 0, i, 0, 0, time.UTC),
				Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{70_000}, Battery: -1}}, time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// drop runs a statement of InfluxQL on the database of the tests.
func drop(t *testing.T, server, statement string) {
	t.Helper()
	answer, err := http.PostForm(server+"/query", url.Values{"q": {statement}, "db": {"vigie"}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK || bytes.Contains(body, []byte("error")) {
		t.Fatalf("%s: %s, %v", answer.Status, body, err)
	}
}
