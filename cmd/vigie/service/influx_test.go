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

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/cmd/vigie/config"
	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/registry"
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
func fed(t *testing.T, server *servers.InfluxServer, bucket string, log io.Writer, options Options) (s *Service, days int) {
	t.Helper()
	begin := time.Date(2024, 1, 1, 6, 0, 0, 0, time.UTC)
	now := begin.AddDate(3, 0, 0)
	c := config.Default()
	c.Data, c.Language = t.TempDir(), "en"
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.HTTP.Tokens = map[string]config.Secret{"test": "abcdefghijklmnopqrstuvwxyz"}
	c.Access.SecondFactor = config.Optional
	c.Influx.URL, c.Influx.Bucket, c.Influx.Org, c.Influx.Token = server.URL, bucket, server.Org, config.Secret(server.Token)
	options.Config, options.Now, options.Log = c, func() time.Time { return now }, slog.New(slog.NewTextHandler(log, nil))
	s, err := Start(t.Context(), options)
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
	if err := server.Order(`CREATE DATABASE "short" WITH DURATION 30d NAME "month"`); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s, days := fed(t, server, "short/month", &log, Options{Stepped: true})
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
	s, days := fed(t, server, server.Bucket, io.Discard, Options{})
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
	for _, want := range []string{`"name":"influxdb","ok":false`, "InfluxDB does not answer", "3 old readings stay in the store", "1 deletion or correction waits to be carried out in InfluxDB, for 2h0m0s"} {
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

// With InfluxDB halted, everything that the store holds is shown as ever: the same
// pages, with the same curves, and the same answers of the interface.
func TestWhileInfluxDBHangsEverythingIsAnsweredFromTheStore(t *testing.T) {
	server := servers.Influx(t)
	s, days := fed(t, server, server.Bucket, io.Discard, Options{})
	if status, n, _ := s.asks(t); status != http.StatusOK || n != days {
		t.Fatalf("%d, %d readings of %d", status, n, days)
	}
	session, alert := s.nurse(t), s.raised(t)
	paths := []string{"/", "/alerts", "/alerts?patient=p-1", "/alerts/" + alert, "/alerts/" + alert + "?lang=en", "/api/v1/patients/p-1/readings"}
	before := map[string]string{}
	for _, path := range paths {
		before[path], _ = s.shown(t, session, path)
	}
	if !strings.Contains(before["/alerts/"+alert], "<svg") {
		t.Errorf("the page of the alert has no curve: %s", before["/alerts/"+alert])
	}
	if err := server.Halt(); err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := server.Resume(); err != nil {
			t.Error(err)
		}
	}()
	for _, path := range paths {
		now, took := s.shown(t, session, path)
		if now != before[path] {
			t.Errorf("%s is another while InfluxDB hangs:\n%s\nbefore:\n%s", path, now, before[path])
		}
		t.Logf("%s: %d bytes in %v", strings.ReplaceAll(path, alert, "…"), len(now), took)
	}
}

// nurse is the session of a person of the team of p-1.
// TestWhatRingsCanBeDrawnFromInfluxDB raises an alert in a service that feeds InfluxDB.
func TestWhatRingsCanBeDrawnFromInfluxDB(t *testing.T) {
	stand := servers.StandInTwo(t)
	server := &servers.InfluxServer{URL: stand.URL, Org: servers.StandInOrg, Token: servers.StandInToken}
	s, _ := fed(t, server, servers.StandInBucket, io.Discard, Options{})
	s.nurse(t)
	s.raised(t)
	const raised = "alert,event=raised,level=orange,patient=p-1,protocol=heart-failure,rule=weight-fast,team=team-a after_s=0,seq=1 "
	var points []string
	within(t, "the alert is a point", func() bool {
		points = stand.Series("alert")
		return len(points) > 0 && strings.HasPrefix(points[0], raised)
	}, func() any { return points })
	within(t, "it is counted", func() bool {
		_, metrics := asked(t, s.Page(), "/metrics")
		return strings.Contains(metrics, fmt.Sprintf("vigie_influx_alert_events_total %d\n", len(stand.Series("alert"))))
	})
}

func (s *Service) nurse(t *testing.T) (cookie string) {
	t.Helper()
	ctx := t.Context()
	now := s.Now()
	_, err := s.Registry().Import(ctx, &registry.Registry{
		Teams:    []registry.Team{{ID: "team-a", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:00", Closes: "18:00", Days: []string{"monday"}}},
		Patients: []registry.Patient{{ID: "p-1"}},
		Enrolments: []registry.Enrolment{{ID: "e-1", Patient: "p-1", Protocol: "heart-failure", Version: "1", Zone: "Europe/Paris", Team: "team-a", Physician: "10001234567",
			Consent: registry.Consent{Given: true, Date: now.AddDate(0, -1, 0), Scope: "télésurveillance"}, From: now, Prescription: now.AddDate(0, 5, 0)}}, // nothing is missed yet: no sweep changes a page
	}, "a nurse", now)
	if err != nil {
		t.Fatal(err)
	}
	const password = "trois petits chats bleus"
	link, err := s.Accounts().Add(ctx, access.Account{Login: "lea", Name: "Léa Morel", Roles: []access.Role{access.Nurse}, Teams: []string{"team-a"}})
	if err == nil {
		_, err = s.Accounts().Choose(ctx, link, password)
	}
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Page()+"/login", strings.NewReader(url.Values{"login": {"lea"}, "password": {password}, "next": {"/"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if cookie, _, _ = strings.Cut(answer.Header.Get("Set-Cookie"), ";"); answer.StatusCode != http.StatusSeeOther || cookie == "" {
		t.Fatalf("login: %s to %s", answer.Status, answer.Header.Get("Location"))
	}
	return cookie
}

// raised is an alert of p-1 about the weights that were kept last.
func (s *Service) raised(t *testing.T) (id string) {
	t.Helper()
	var last *protocols.Reading
	err := s.Store().History(t.Context(), "p-1", nil, time.Time{}, s.Now(), func(r *protocols.Reading) bool { last = r; return true })
	if err == nil {
		err = s.Store().Update(t.Context(), func(tx ingest.Tx) error {
			return tx.Apply([]protocols.Finding{{Kind: protocols.Raised, Enrolment: "e-1", Patient: "p-1", Protocol: "heart-failure", Version: "1", Rule: "weight-fast", Level: protocols.Orange,
				Episode: "ep-1", At: last.Time, Found: s.Now(), Explanation: &protocols.Explanation{
					Protocol: "heart-failure", Version: "1", Rule: "weight-fast", Level: protocols.Orange, At: last.Time,
					Summary: protocols.Text{FR: "Le poids monte.", EN: "Weight rises."}, Readings: []protocols.Cited{last.Cite()},
					Comparisons: []protocols.Compared{{Measure: "weight", Component: "value", Statistic: protocols.Change, Operator: protocols.AtLeast,
						Value: 2000, Threshold: 2000, Clear: protocols.Missing, Unit: "kg", Truth: protocols.True}},
				}}})
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.backend.alerts.Alerts(t.Context(), alerts.Filter{Rule: "weight-fast"})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d alerts, %v", len(list), err)
	}
	return list[0].ID
}

// shown is what a person, or a program at the interface, is answered.
func (s *Service) shown(t *testing.T, session, path string) (body string, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Page()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(path, "/api/") {
		request.Header.Set("Authorization", "Bearer abcdefghijklmnopqrstuvwxyz")
	} else {
		request.Header.Set("Cookie", session)
	}
	began := time.Now()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %s", path, answer.Status, err, read)
	}
	return string(read), time.Since(began)
}
