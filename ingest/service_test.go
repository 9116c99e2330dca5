package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/ingest/registry"
	"vigie/ingest/stores/sqlite"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// A service is a pipeline over a real store, with a registry of a few patients
// and a clock that the test moves.
type service struct {
	t     testing.TB
	path  string
	store *sqlite.Store
	*ingest.Pipeline
	witness  storetest.Witness
	receipts *mailbox

	mu  sync.Mutex
	now time.Time
}

// start is when the clock of a test begins: a Saturday morning in Paris.
var start = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)

type option func(*ingest.Config)

func begin(t testing.TB, options ...option) *service {
	t.Helper()
	s := prepare(t, t.TempDir(), options...)
	t.Cleanup(s.stop)
	return s
}

// prepare opens a service in a folder, on a copy of a file that holds the
// cohort.
func prepare(t testing.TB, folder string, options ...option) *service {
	t.Helper()
	s := &service{t: t, path: filepath.Join(folder, "vigie.db"), now: start, receipts: &mailbox{}}
	if err := os.WriteFile(s.path, template(t), 0o600); err != nil {
		t.Fatal(err)
	}
	s.open(options...)
	return s
}

var entered struct {
	sync.Mutex
	file []byte
}

// template is the file of a store into which the cohort was imported.
func template(t testing.TB) []byte {
	t.Helper()
	entered.Lock()
	defer entered.Unlock()
	if entered.file != nil {
		return entered.file
	}
	s := &service{t: t, path: filepath.Join(t.TempDir(), "template.db"), now: start, receipts: &mailbox{}}
	s.open()
	s.enter(cohort())
	s.stop()
	var err error
	if entered.file, err = os.ReadFile(s.path); err != nil {
		t.Fatal(err)
	}
	return entered.file
}

func (s *service) open(options ...option) {
	s.t.Helper()
	var err error
	if s.store, err = sqlite.Open(s.path, sqlite.Options{}); err != nil {
		s.t.Fatal(err)
	}
	s.witness.Store = s.store
	config := ingest.Config{
		Store: &s.witness, Formats: map[string]ingest.Decoder{ingest.ReadingsTopic: native.Decoder{}}, Prefix: "vigie/v1",
		Plans: ingest.Plans(find), Receipts: s.receipts, Now: s.clock, Limits: ingest.DefaultLimits(),
	}
	for _, o := range options {
		o(&config)
	}
	if s.Pipeline, err = ingest.New(config); err != nil {
		s.t.Fatal(err)
	}
}

// stop closes the pipeline and the store.
func (s *service) stop() {
	s.Pipeline.Close()
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
}

// restart stops and opens again on the same file.
func (s *service) restart(options ...option) {
	s.t.Helper()
	s.stop()
	s.open(options...)
}

func (s *service) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *service) move(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *service) enter(reg *registry.Registry) {
	s.t.Helper()
	if _, err := s.store.Import(context.Background(), reg, "a nurse", s.clock()); err != nil {
		s.t.Fatal(err)
	}
}

// publish submits a payload as a device does on the broker inside, and waits
// until it is done with.
func (s *service) publish(device, kind, payload string) error {
	return s.submit(ingest.Message{Topic: "vigie/v1/" + device + "/" + kind, Device: device, Client: device, Payload: []byte(payload), Received: s.clock()})
}

func (s *service) submit(m ingest.Message) error {
	done := make(chan error, 1)
	m.Done = func(err error) { done <- err }
	s.Submit(s.t.Context(), m)
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		s.t.Fatal("the message was never done with")
		return nil
	}
}

// send publishes readings that have to be acknowledged.
func (s *service) send(device, payload string) {
	s.t.Helper()
	if err := s.publish(device, ingest.ReadingsTopic, payload); err != nil {
		s.t.Fatalf("%s: %v", payload, err)
	}
}

// history lists the ids of a patient's readings.
func (s *service) history(patient string) (ids []string) {
	s.t.Helper()
	err := s.store.History(s.t.Context(), patient, nil, time.Time{}, start.AddDate(5, 0, 0), func(r *protocols.Reading) bool {
		ids = append(ids, r.ID)
		return true
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids
}

// setAside lists what was set aside, oldest first, as "id code code".
func (s *service) setAside() (list []string) {
	s.t.Helper()
	records, err := s.store.SetAsides(s.t.Context(), ingest.SetAsideFilter{Open: true})
	if err != nil {
		s.t.Fatal(err)
	}
	for i := len(records) - 1; i >= 0; i-- {
		words := []string{records[i].Reading}
		for _, reason := range records[i].Reasons {
			words = append(words, string(reason.Code))
		}
		list = append(list, strings.TrimSpace(strings.Join(words, " ")))
	}
	return list
}

// found lists the findings that were committed, as "kind rule".
func (s *service) found() (list []string) {
	s.t.Helper()
	for _, f := range s.witness.Findings() {
		list = append(list, f.Kind.String()+" "+f.Rule)
	}
	return list
}

// mailbox keeps the receipts that were sent.
type mailbox struct {
	mu   sync.Mutex
	sent []ingest.Receipt
}

func (m *mailbox) Wanted(string) bool { return true }

func (m *mailbox) Send(_ string, receipts []ingest.Receipt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, receipts...)
}

// take waits for so many receipts, which are sent behind the acknowledgement, and
// returns those since the last call, as "id verdict code".
func (m *mailbox) take(t testing.TB, count int) (list []string) {
	t.Helper()
	for _, r := range m.whole(t, count) {
		words := []string{r.ID, string(r.Verdict)}
		for _, reason := range r.Reasons {
			words = append(words, string(reason.Code))
		}
		for _, w := range r.Warnings {
			words = append(words, "warned "+string(w.Code)+" "+w.Path)
		}
		list = append(list, strings.TrimSpace(strings.Join(words, " ")))
	}
	return list
}

// whole is take with the receipts as they are.
func (m *mailbox) whole(t testing.TB, count int) (sent []ingest.Receipt) {
	t.Helper()
	eventually(t, "the receipts are sent", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.sent) >= count
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	sent, m.sent = m.sent, nil
	return sent
}

// find is the library of the tests: a protocol that watches the weight, one that
// waits for it, and one that watches glucose.
func find(id, version string) *protocols.Protocol {
	weight, glucose := protocols.MeasureByID("weight"), protocols.MeasureByID("glucose")
	above := func(m *protocols.Measure, limit protocols.Value) protocols.Condition {
		return protocols.Condition{Compare: &protocols.Comparison{
			Measure: m, Statistic: protocols.Last, MinusComponent: -1, PerComponent: -1, Operator: protocols.Above, Threshold: protocols.Operand{Value: limit},
		}}
	}
	switch id + "@" + version {
	case "heart-failure@1":
		return &protocols.Protocol{
			ID: id, Version: version, TooLate: 48 * time.Hour,
			Eligibility:  protocols.Eligibility{Devices: []protocols.DeviceClass{{Kind: "scale"}, {Kind: "blood-pressure-monitor"}}},
			Observations: []protocols.Observation{{Measure: weight}, {Measure: protocols.MeasureByID("blood-pressure")}},
			Parameters:   []protocols.Parameter{{Name: "limit", Unit: "kg", Default: 100_000, Min: 50_000, Max: 300_000}},
			Rules: []protocols.Rule{
				{ID: "weight-high", Levels: []protocols.RuleLevel{{Level: protocols.Orange, When: protocols.Condition{Compare: &protocols.Comparison{
					Measure: weight, Statistic: protocols.Last, MinusComponent: -1, PerComponent: -1, Operator: protocols.Above, Threshold: protocols.Operand{Parameter: "limit"},
				}}}}},
				{ID: "weight-gain", Levels: []protocols.RuleLevel{{Level: protocols.Red, When: protocols.Condition{Compare: &protocols.Comparison{
					Measure: weight, Statistic: protocols.Rise, Window: protocols.Window{Length: 72 * time.Hour}, MinusComponent: -1, PerComponent: -1,
					Operator: protocols.Above, Threshold: protocols.Operand{Value: 2_000},
				}}}}},
			},
		}
	case "silence@1":
		return &protocols.Protocol{
			ID: id, Version: version, TooLate: 48 * time.Hour,
			Eligibility: protocols.Eligibility{Devices: []protocols.DeviceClass{{Kind: "scale"}}},
			Rules: []protocols.Rule{
				{ID: "no-weight", Absence: &protocols.Absence{Measure: weight, Cadence: protocols.Cadence{Times: 1, Per: protocols.PerDay},
					Missing: []protocols.MissingLevel{{Level: protocols.Yellow, Periods: protocols.Operand{Value: 2_000}}}}},
			},
		}
	case "diabetes@1":
		return &protocols.Protocol{
			ID: id, Version: version, TooLate: 48 * time.Hour,
			Eligibility: protocols.Eligibility{Devices: []protocols.DeviceClass{{Kind: "cgm"}, {Kind: "glucometer"}}},
			Rules:       []protocols.Rule{{ID: "glucose-high", Levels: []protocols.RuleLevel{{Level: protocols.Yellow, When: above(glucose, 250_000)}}}},
		}
	}
	return nil
}

// cohort is who the tests know: p1 with a scale and a blood-pressure monitor in
// Paris, p2 with two glucose meters in La Réunion, p3 who has not consented, p4
// whose protocol nobody has, and devices that feed nobody.
func cohort() *registry.Registry {
	year := func(e registry.Enrolment) registry.Enrolment {
		e.Team, e.Version = "team-1", "1"
		e.From, e.Prescription = start.AddDate(0, 0, -20), start.AddDate(0, 11, 0)
		if e.Consent == (registry.Consent{}) {
			e.Consent = registry.Consent{Given: true, Date: start.AddDate(0, 0, -20), Scope: "télésurveillance"}
		}
		return e
	}
	return &registry.Registry{
		Patients: []registry.Patient{{ID: "p1"}, {ID: "p2"}, {ID: "p3"}, {ID: "p4"}},
		Devices: []registry.Device{
			{Name: "scale-0", Kind: "scale"}, {Name: "scale-1", Kind: "scale"}, {Name: "bp-1", Kind: "blood-pressure-monitor"}, {Name: "toaster-1", Kind: "toaster"},
			{Name: "cgm-2", Kind: "cgm"}, {Name: "meter-2", Kind: "glucometer"},
			{Name: "scale-3", Kind: "scale"}, {Name: "scale-4", Kind: "scale"}, {Name: "spare-1", Kind: "scale"},
		},
		Enrolments: []registry.Enrolment{
			year(registry.Enrolment{ID: "e1", Patient: "p1", Protocol: "heart-failure", Zone: "Europe/Paris", Devices: []string{"scale-0", "scale-1", "bp-1", "toaster-1"}}),
			year(registry.Enrolment{ID: "e2", Patient: "p2", Protocol: "diabetes", Zone: "Indian/Reunion", Devices: []string{"cgm-2", "meter-2"}}),
			year(registry.Enrolment{ID: "e3", Patient: "p3", Protocol: "heart-failure", Zone: "Europe/Paris", Devices: []string{"scale-3"}, Consent: registry.Consent{Date: start.AddDate(0, 0, -20)}}),
			year(registry.Enrolment{ID: "e4", Patient: "p4", Protocol: "unheard-of", Zone: "Europe/Paris", Devices: []string{"scale-4"}}),
		},
	}
}

// weight is a reading of so many kilograms.
func weight(id string, at time.Time, kg float64) string {
	return fmt.Sprintf(`{"id":%q,"time":%q,"measure":"weight","values":{"value":%v},"unit":"kg"}`, id, at.Format(time.RFC3339Nano), kg)
}

func glucose(id string, at time.Time, mgdl float64) string {
	return fmt.Sprintf(`{"id":%q,"time":%q,"measure":"glucose","values":{"value":%v},"unit":"mg/dL"}`, id, at.Format(time.RFC3339Nano), mgdl)
}

func expect[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", what, got, want)
	}
}
