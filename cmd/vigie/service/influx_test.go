package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
)

func TestWhatLetsNothingBeForgotten(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		standing influx.Standing
		legal    time.Duration
		why      string // empty: readings may be forgotten
	}{
		"a bucket that keeps for ever":     {influx.Standing{Generation: influx.One, EndKnown: true}, 0, ""},
		"a bucket that ends":               {influx.Standing{Generation: influx.Two, EndKnown: true, End: 30 * day}, 0, "30d"},
		"an end that the operator names":   {influx.Standing{Generation: influx.Two, EndKnown: true, End: 7300 * day}, 7300 * day, ""},
		"an end that is another":           {influx.Standing{Generation: influx.Two, EndKnown: true, End: 30 * day}, 7300 * day, "influx.bucket"},
		"an end that could not be learnt":  {influx.Standing{Generation: influx.Two}, 0, "influx.bucket"},
		"a server that cannot be read":     {influx.Standing{Generation: influx.Three}, 0, "InfluxDB 3"},
		"the end is named, and not learnt": {influx.Standing{Generation: influx.One}, 30 * day, "influx.bucket"},
	} {
		why := keptWhy(c.standing, c.legal)
		if (why.FR == "") != (c.why == "") || !strings.Contains(why.FR, c.why) || !strings.Contains(why.EN, c.why) {
			t.Errorf("%s: %q, want something about %q", name, why, c.why)
		}
	}
}

// fed starts a service that feeds a bucket, and keeps a weight a day of a year that is
// long past by its clock.
func fed(t *testing.T, server *servers.InfluxServer, bucket string, log io.Writer) (s *Service, days int) {
	t.Helper()
	begin := time.Date(2024, 1, 1, 6, 0, 0, 0, time.UTC)
	now := begin.AddDate(3, 0, 0)
	c := config.Default()
	c.Data, c.Language = t.TempDir(), "en"
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.HTTP.Tokens = map[string]config.Secret{"test": "abcdefghijklmnopqrstuvwxyz"}
	c.Influx.URL, c.Influx.Bucket, c.Influx.Org, c.Influx.Token = server.URL, bucket, server.Org, config.Secret(server.Token)
	s, err := Start(t.Context(), Options{Config: c, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	days = 200
	for day := range days {
		err := s.Store().Update(t.Context(), func(tx ingest.Tx) error {
			_, err := tx.Keep([]*protocols.Reading{{ID: fmt.Sprint("w", day), Device: "scale-1", Patient: "p-1", Time: begin.AddDate(0, 0, day),
				Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{82_000}, Battery: -1}}, now)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.forwarder.Notify()
	return s, days
}

// asks reads what the interface answers of the patient.
func (s *Service) asks(t *testing.T) (status, readings int, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Page()+"/api/v1/patients/p-1/readings", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer abcdefghijklmnopqrstuvwxyz")
	began := time.Now()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	took = time.Since(began)
	var rows []any
	if err == nil && answer.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, &rows)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return answer.StatusCode, len(rows), took
}

func TestAShortRetentionOfInfluxDBLetsNothingBeForgotten(t *testing.T) {
	server := servers.Influx(t)
	if server.Generation != 1 {
		t.Skip("the short bucket is made in InfluxQL")
	}
	answer, err := http.PostForm(server.URL+"/query", url.Values{"q": {`CREATE DATABASE "short" WITH DURATION 30d NAME "month"`}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	var log bytes.Buffer
	s, days := fed(t, server, "short/month", &log)
	for range 2 {
		s.forgetAt = time.Time{}
		if err := s.forget(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if status, n, _ := s.asks(t); status != http.StatusOK || n != days {
		t.Errorf("%d, %d readings of %d", status, n, days)
	}
	if _, page := asked(t, s.Page(), "/status"); !strings.Contains(page, `"name":"influxdb-end","ok":false`) || !strings.Contains(page, "deletes its points after 30d") {
		t.Errorf("the operator's page: %s", page)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if said := strings.Count(log.String(), "it deletes its points after 30d"); said < 3 {
		t.Errorf("it is told %d times, want at the start and each day:\n%s", said, &log)
	}
}

// What InfluxDB no longer has, and what it has not done yet, stands on the operator's
// page; it carries no name and no address.
func TestTheOperatorsPageSaysHowItGoesWithInfluxDB(t *testing.T) {
	server := servers.Influx(t)
	s, days := fed(t, server, server.Bucket, io.Discard)
	for deadline := time.Now().Add(time.Minute); s.forwarder.Figures().Sent < int64(days); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not forwarded: %+v", s.forwarder.Figures())
		}
	}
	for _, want := range []string{`"name":"influxdb","ok":true`, `"name":"influxdb-holds","ok":true`, `"name":"influxdb-changes","ok":true`} {
		if _, page := asked(t, s.Page(), "/status"); !strings.Contains(page, want) {
			t.Errorf("the operator's page lacks %s: %s", want, page)
		}
	}
	weight := protocols.MeasureByID("weight")
	s.tellDiffering(ingest.Proof{Differing: []ingest.Difference{{Measure: weight, Day: s.Now(), Readings: 2}, {Measure: weight, Day: s.Now().AddDate(0, 0, 1), Readings: 1}}})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	err := s.Store().Update(t.Context(), func(tx ingest.Tx) error {
		return tx.Send(ingest.Errand{Kind: ingest.Erase, At: s.Now().Add(-2 * time.Hour), Task: ingest.Task{Patient: "p-1"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.forwarder.Notify()
	for deadline := time.Now().Add(time.Minute); s.forwarder.Figures().Error == ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a server that is gone is not noticed")
		}
	}
	_, page := asked(t, s.Page(), "/status")
	for _, want := range []string{`"name":"influxdb","ok":false`, "InfluxDB does not answer", "3 old readings stay in the store", "1 deletions or corrections wait to be carried out in InfluxDB, for 2h0m0s"} {
		if !strings.Contains(page, want) {
			t.Errorf("the operator's page lacks %q: %s", want, page)
		}
	}
	if strings.Contains(page, "p-1") || strings.Contains(page, strings.TrimPrefix(server.URL, "http://")) {
		t.Errorf("the operator's page tells strangers more than sentences: %s", page)
	}
	if _, metrics := asked(t, s.Page(), "/metrics"); !strings.Contains(metrics, "vigie_influx_differing_readings 3") {
		t.Error("the metrics do not say what differs")
	}
}

// With InfluxDB halted, everything that the store holds is shown as ever.
func TestWhileInfluxDBHangsTheInterfaceAnswersFromTheStore(t *testing.T) {
	server := servers.Influx(t)
	s, days := fed(t, server, server.Bucket, io.Discard)
	if err := server.Halt(); err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := server.Resume(); err != nil {
			t.Error(err)
		}
	}()
	status, n, took := s.asks(t)
	if status != http.StatusOK || n != days {
		t.Errorf("%d, %d readings of %d", status, n, days)
	}
	t.Logf("%d readings in %v", n, took)
}
