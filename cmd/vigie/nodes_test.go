package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"vigie/alerts"
	alertpostgres "vigie/alerts/stores/postgres"
	"vigie/deploy/servers"
	"vigie/ingest/registry"
	"vigie/ingest/stores/postgres"
	"vigie/protocols"
)

// TestThreeNodesAreAsGoodAsOne publishes the same readings through a real
// Mosquitto to one node and to three that share a real PostgreSQL, each a process
// of its own. The three are killed and started again while the readings come.
// Nothing is lost or doubled, the alerts are those of the one node, and people
// are told once.
func TestThreeNodesAreAsGoodAsOne(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	broker := servers.Mosquitto(t, servers.MosquittoConf{Extra: "max_inflight_messages 200\n"})
	database := servers.Postgres(t)
	program := filepath.Join(t.TempDir(), "vigie")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the service: %v: %s", err, out)
	}
	people := newMailbox(t)
	begin := time.Now().UTC().Truncate(time.Minute).Add(-8 * time.Hour)
	lone := newSite(t, "alone", program, broker.Address, database, people, begin, 1)
	many := newSite(t, "many", program, broker.Address, database, people, begin, 3)

	life := readingsOf(begin)
	published := make(chan error, 1)
	go func() { published <- publish(t.Context(), broker.Address, life, lone.prefix, many.prefix) }()
	chance := rand.New(rand.NewPCG(5, 6))
	var kills []time.Time
	for running := true; running; {
		select {
		case err := <-published:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		case <-time.After(time.Duration(500+chance.IntN(1500)) * time.Millisecond):
			node := many.nodes[chance.IntN(len(many.nodes))]
			kills = append(kills, time.Now())
			node.kill()
			node.start()
		}
	}
	t.Logf("%d readings published, %d nodes killed meanwhile", len(life), len(kills))
	if len(kills) < 5 {
		t.Errorf("only %d nodes were killed: this test shows little", len(kills))
	}

	lone.settle(len(life))
	many.settle(len(life))
	expected := lone.alertLines()
	if len(expected) < 10 {
		t.Errorf("one node raised %d alerts: this test shows little", len(expected))
	}
	if got := many.alertLines(); !slices.Equal(got, expected) {
		t.Errorf("three nodes raised\n%s\none node raised\n%s", strings.Join(got, "\n"), strings.Join(expected, "\n"))
	}
	people.check(t, many, kills)
}

// site is a number of nodes on one database, with its own topics.
type site struct {
	t      *testing.T
	name   string
	prefix string
	store  *postgres.Store
	alerts *alertpostgres.Store
	nodes  []*process
	ward   *registry.Registry
}

// process is one node.
type process struct {
	t       *testing.T
	command func() *exec.Cmd
	running *exec.Cmd
	said    bytes.Buffer
}

func newSite(t *testing.T, name, program, broker string, database *servers.PostgresServer, people *mailbox, begin time.Time, size int) *site {
	t.Helper()
	url, err := database.Database()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, name: name, prefix: name + "/v1", ward: wardOf(begin, people.server.URL+"/"+name)}
	if s.store, err = postgres.Open(t.Context(), url, postgres.Options{Node: "test"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	if s.alerts, err = alertpostgres.New(t.Context(), s.store, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.Import(t.Context(), s.ward, "a nurse", begin); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "nights.yaml"), []byte(nights), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range size {
		environment := append(os.Environ(), "VIGIE_PROTOCOLS_FOLDERS="+folder,
			"VIGIE_TOPICS_PREFIX="+s.prefix, "VIGIE_STORE_POSTGRES_URL="+url, "VIGIE_WEBHOOK_SECRET=between us",
			"VIGIE_BROKER_INSIDE_ENABLED=false", "VIGIE_BROKER_OUTSIDE_URL=mqtt://"+broker,
			fmt.Sprintf("VIGIE_BROKER_OUTSIDE_CLIENT_ID=%s-%d", name, i), "VIGIE_BROKER_OUTSIDE_SHARED_GROUP="+name,
			"VIGIE_HTTP_LISTEN="+freeAddress(t), "VIGIE_HTTP_TOKENS_NURSE=a token that is long enough for anybody", "VIGIE_LIMITS_DEVICE_RATE=100000", "VIGIE_DATA="+t.TempDir())
		node := &process{t: t, command: func() *exec.Cmd {
			command := exec.Command(program, "serve")
			command.Env = environment
			return command
		}}
		node.start()
		s.nodes = append(s.nodes, node)
		t.Cleanup(func() {
			node.kill()
			if t.Failed() {
				t.Logf("%s, node %d, said:\n%s", name, i, node.said.String())
			}
		})
	}
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts a node and returns once it says where its page is.
func (p *process) start() {
	p.t.Helper()
	p.running = p.command()
	p.running.Stderr = &p.said
	out, err := p.running.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.running.Start(); err != nil {
		p.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "page") {
		p.t.Fatalf("a node did not start: %q, %v: %s", line, err, p.said.String())
	}
}

// kill ends a node as a power cut would.
func (p *process) kill() {
	if err := p.running.Process.Kill(); err != nil {
		p.t.Logf("kill a node: %v", err)
	}
	// How it ended is known.
	_ = p.running.Wait()
}

// settle waits until every reading is kept and every message sent, and holds the
// site to having kept each reading once.
func (s *site) settle(readings int) {
	s.t.Helper()
	began := time.Now()
	deadline := began.Add(90 * time.Second)
	for {
		kept, doubled := s.kept()
		summary, err := s.alerts.Summary(s.t.Context(), "")
		if err != nil {
			s.t.Fatal(err)
		}
		if doubled > 0 {
			s.t.Fatalf("%s: %d readings are kept twice", s.name, doubled)
		}
		if kept == readings && summary.Waiting == 0 {
			s.t.Logf("%s: all kept and told after %v", s.name, time.Since(began).Round(time.Millisecond))
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: %d of %d readings are kept, %d messages wait", s.name, kept, readings, summary.Waiting)
		}
		<-time.After(100 * time.Millisecond)
	}
}

func (s *site) kept() (kept, doubled int) {
	s.t.Helper()
	for _, patient := range s.ward.Patients {
		seen := map[string]bool{}
		err := s.store.History(s.t.Context(), patient.ID, nil, time.Time{}, time.Now().AddDate(1, 0, 0), func(r *protocols.Reading) bool {
			if seen[r.Device+"/"+r.ID] {
				doubled++
			}
			seen[r.Device+"/"+r.ID] = true
			return true
		})
		if err != nil {
			s.t.Fatal(err)
		}
		kept += len(seen)
	}
	return kept, doubled
}

// alertLines lists the alerts that readings have raised, without what depends on
// when they arrived.
func (s *site) alertLines() (lines []string) {
	s.t.Helper()
	filter := alerts.Filter{Limit: alerts.MaxLimit}
	list, err := s.alerts.Alerts(s.t.Context(), filter)
	if err != nil || len(list) == filter.Limit {
		s.t.Fatalf("%d alerts, %v", len(list), err)
	}
	for _, a := range list {
		lines = append(lines, fmt.Sprintf("%s %s %s %s from %s to %s active=%v", a.Patient, a.Rule, a.Level, a.State, a.At.Format(time.TimeOnly), a.LastAt.Format(time.TimeOnly), a.Active))
	}
	slices.Sort(lines)
	return lines
}

// nights is a protocol whose rules ask for no second reading: how long one is
// waited for is a matter of the clock, and the readings of hours come in seconds.
const nights = `id: nights
version: "1"
status: example
title: {fr: Nuits, en: Nights}
pathology: {icd10: J44, title: {fr: BPCO, en: COPD}}
origin: this test
eligibility:
  patient: {fr: Tous, en: All}
  devices: [{kind: oximeter}]
observations:
  - {measure: oxygen-saturation, mandatory: true, cadence: {times: 4, per: day}}
rules:
  - id: low
    title: {fr: Basse, en: Low}
    origin: this test
    levels:
      - level: yellow
        when: {measure: oxygen-saturation, at_most: 91 %, clear: 93 %}
      - level: orange
        when: {measure: oxygen-saturation, at_most: 87 %, clear: 90 %}
      - level: red
        when: {measure: oxygen-saturation, at_most: 83 %, clear: 86 %}
  - id: often
    title: {fr: Souvent basse, en: Often low}
    origin: this test
    levels:
      - level: orange
        when: {measure: oxygen-saturation, statistic: count, where: {at_most: 88 %}, window: 2h, at_least: 8}
  - id: falling
    title: {fr: En baisse, en: Falling}
    origin: this test
    levels:
      - level: yellow
        when: {measure: oxygen-saturation, statistic: fall, window: 1h, at_least: 15 %}
  - id: silent
    title: {fr: Silence, en: Silence}
    origin: this test
    absence: {measure: oxygen-saturation, missing: [{level: technical, periods: 2}]}
answer: {red: 1h, orange: 8h, yellow: 24h, technical: 24h}
too_late: 24h
patient: {fr: Bonjour, en: Hello}
`

const patients = 30

// wardOf is a ward of patients with an oximeter each.
func wardOf(begin time.Time, webhook string) *registry.Registry {
	reg := &registry.Registry{Teams: []registry.Team{{
		ID: "ward", Name: "Service", Zone: "Europe/Paris", Opens: "00:00", Closes: "23:59",
		Days: []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}, Webhook: webhook,
	}}}
	for i := range patients {
		patient, device := fmt.Sprintf("p-%02d", i), fmt.Sprintf("oximeter-%02d", i)
		reg.Patients = append(reg.Patients, registry.Patient{ID: patient})
		reg.Devices = append(reg.Devices, registry.Device{Name: device, Serial: "A", Kind: "oximeter", Secret: registry.HashSecret("a device's password")})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{
			ID: "e-" + patient, Patient: patient, Protocol: "nights", Version: "1", Zone: "Europe/Paris", Team: "ward", Physician: "10001234565",
			Devices: []string{device}, From: begin.Add(-time.Hour), Prescription: begin.AddDate(0, 6, 0),
			Consent: registry.Consent{Given: true, Date: begin.Add(-time.Hour), Scope: "test"},
		})
	}
	return reg
}

// publication is one reading of one device.
type publication struct{ device, payload string }

// readingsOf are eight hours of the ward, in the order of time: a saturation
// every five minutes, with bad stretches.
func readingsOf(begin time.Time) (all []publication) {
	life := rand.New(rand.NewPCG(1, 2))
	bad := make([]int, patients)
	for minute := 0; minute < 8*60; minute += 5 {
		for i := range patients {
			if life.IntN(60) == 0 {
				bad[i] = 2 + life.IntN(9)
			}
			saturation := 94 + life.IntN(4)
			if bad[i] > 0 {
				bad[i]--
				saturation = 81 + life.IntN(12)
			}
			all = append(all, publication{fmt.Sprintf("oximeter-%02d", i), fmt.Sprintf(
				`{"id":"%04d","time":%q,"measure":"oxygen-saturation","values":{"value":%d},"unit":"%%"}`,
				minute, begin.Add(time.Duration(minute)*time.Minute).Format(time.RFC3339), saturation)})
		}
	}
	return all
}

// publish sends every reading under every prefix, in about ten seconds, and
// returns once the broker has acknowledged all of them.
func publish(ctx context.Context, broker string, all []publication, prefixes ...string) error {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("mqtt://" + broker).SetClientID("devices"))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return token.Error()
	}
	defer client.Disconnect(100)
	pace := time.NewTicker(10 * time.Second / time.Duration(len(all)))
	defer pace.Stop()
	var tokens []mqtt.Token
	for _, p := range all {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		for _, prefix := range prefixes {
			tokens = append(tokens, client.Publish(prefix+"/"+p.device+"/readings", 1, false, p.payload))
		}
	}
	for _, token := range tokens {
		if token.Wait(); token.Error() != nil {
			return token.Error()
		}
	}
	return nil
}

// mailbox is where webhooks arrive.
type mailbox struct {
	server *httptest.Server
	mu     sync.Mutex
	came   map[string]map[string][]time.Time // by site and message
}

func newMailbox(t *testing.T) *mailbox {
	m := &mailbox{came: map[string]map[string][]time.Time{}}
	m.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		site := m.came[r.URL.Path]
		if site == nil {
			site = map[string][]time.Time{}
			m.came[r.URL.Path] = site
		}
		id := r.Header.Get("Idempotency-Key")
		site[id] = append(site[id], time.Now())
	}))
	t.Cleanup(m.server.Close)
	return m
}

// check holds what came to one message for each that was written. A message may
// only have come twice when a node was killed within a second of its first
// coming, before it could note that it was confirmed.
func (m *mailbox) check(t *testing.T, s *site, kills []time.Time) {
	t.Helper()
	rows, err := s.store.Query(t.Context(), "SELECT id FROM outbox WHERE sent_at <> 0")
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	m.mu.Lock()
	defer m.mu.Unlock()
	came := m.came["/"+s.name]
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		written++
		times := came[id]
		excused := slices.ContainsFunc(kills, func(kill time.Time) bool {
			return len(times) == 2 && kill.Sub(times[0]).Abs() < time.Second
		})
		if len(times) != 1 && !excused {
			t.Errorf("message %s came %d times, nodes were killed at %v", id, len(times), kills)
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	if written != len(came) || written < 5 {
		t.Errorf("%d messages were written, %d came", written, len(came))
	}
	t.Logf("%d messages, each told once", written)
}
