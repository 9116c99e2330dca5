package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
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
	"vigie/deploy/servers"
	"vigie/ingest/registry"
	"vigie/ingest/stores/postgres"
	"vigie/protocols"
)

// world is what the sites of a test share: a real broker and a real database
// server, people who are told, and the program as it is now.
type world struct {
	t        *testing.T
	broker   *servers.Server
	database *servers.PostgresServer
	people   *mailbox
	program  string
	newer    string                    // folder of a protocol that this version of the program has, and no older one
	late     func(patient string) bool // whose readings may be evaluated hours late
	begin    time.Time                 // of what the patients live
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, people: newMailbox(t),
		broker:   servers.Mosquitto(t, servers.MosquittoConf{Extra: "max_inflight_messages 200\n"}),
		database: servers.Postgres(t),
		program:  filepath.Join(t.TempDir(), "vigie"),
		late:     func(string) bool { return false },
		begin:    time.Now().UTC().Truncate(time.Minute).Add(-8 * time.Hour),
	}
	if out, err := exec.Command("go", "build", "-o", w.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the service: %v: %s", err, out)
	}
	return w
}

// publish sends every reading to every site, evenly within that time, and
// returns once the broker has acknowledged all of them.
func (w *world) publish(all []publication, within time.Duration, sites ...*site) error {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("mqtt://" + w.broker.Address).SetClientID("devices"))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return token.Error()
	}
	defer client.Disconnect(100)
	pace := time.NewTicker(within / time.Duration(len(all)))
	defer pace.Stop()
	var tokens []mqtt.Token
	for _, p := range all {
		select {
		case <-pace.C:
		case <-w.t.Context().Done():
			return w.t.Context().Err()
		}
		for _, s := range sites {
			tokens = append(tokens, client.Publish(s.name+"/v1/"+p.device+"/readings", 1, false, p.payload))
		}
	}
	for _, token := range tokens {
		if token.Wait(); token.Error() != nil {
			return token.Error()
		}
	}
	return nil
}

// site is a number of nodes on one database, with its own topics.
type site struct {
	*world
	name    string
	url     string // of its database
	folder  string // of its protocol
	nodes   []*process
	patient []string

	store *postgres.Store
}

// site makes a database, which the program importer fills with the ward, and
// starts a node of each of the programs.
func (w *world) site(name, importer string, programs ...string) *site {
	w.t.Helper()
	url, err := w.database.Database()
	if err != nil {
		w.t.Fatal(err)
	}
	s := &site{world: w, name: name, url: url, folder: w.folderOf(nights)}
	s.enter(importer, wardOf(w.begin, w.people.server.URL+"/"+name))
	for _, program := range programs {
		s.start(program)
	}
	return s
}

// folderOf is a folder that holds a protocol.
func (w *world) folderOf(protocol string) string {
	w.t.Helper()
	folder := w.t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "protocol.yaml"), []byte(protocol), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return folder
}

// enter adds to the registry.
func (s *site) enter(program string, reg *registry.Registry) {
	s.t.Helper()
	var text bytes.Buffer
	if err := registry.Write(&text, reg); err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.t.TempDir(), "ward.yaml")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		s.t.Fatal(err)
	}
	command := exec.Command(program, "registry", "import", "--author", "a nurse", file)
	command.Env = s.environment(program)
	if out, err := command.CombinedOutput(); err != nil {
		s.t.Fatalf("import the ward: %v: %s", err, out)
	}
	for _, p := range reg.Patients {
		s.patient = append(s.patient, p.ID)
	}
}

// environment is what a program finds the site by.
func (s *site) environment(program string, more ...string) []string {
	folders := s.folder
	if program == s.program && s.newer != "" {
		folders += ":" + s.newer
	}
	return append(append(os.Environ(), "VIGIE_DATA="+s.t.TempDir(), "VIGIE_STORE_POSTGRES_URL="+s.url, "VIGIE_PROTOCOLS_FOLDERS="+folders), more...)
}

// start starts one more node.
func (s *site) start(program string) {
	s.t.Helper()
	number := len(s.nodes)
	way, url := newWay(s.t, s.url, s.database.Address)
	page := freeAddress(s.t)
	node := &process{site: s, way: way, page: page, variables: []string{
		"VIGIE_STORE_POSTGRES_URL=" + url,
		"VIGIE_TOPICS_PREFIX=" + s.name + "/v1", "VIGIE_WEBHOOK_SECRET=between us and nobody else",
		"VIGIE_BROKER_INSIDE_ENABLED=false", "VIGIE_BROKER_OUTSIDE_URL=mqtt://" + s.broker.Address,
		fmt.Sprintf("VIGIE_BROKER_OUTSIDE_CLIENT_ID=%s-%d", s.name, number), "VIGIE_BROKER_OUTSIDE_SHARED_GROUP=" + s.name,
		"VIGIE_HTTP_LISTEN=" + page, "VIGIE_HTTP_TOKENS_NURSE=a token that is long enough for anybody",
		"VIGIE_LIMITS_DEVICE_RATE=100000", "VIGIE_DATA=" + s.t.TempDir(),
	}}
	node.start(program)
	s.nodes = append(s.nodes, node)
	s.t.Cleanup(func() {
		node.kill()
		if s.t.Failed() {
			s.t.Logf("%s, node %d, said:\n%s", s.name, number, node.said.String())
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := servers.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// process is one node.
type process struct {
	*site
	way       *way // to the database
	page      string
	variables []string
	running   *exec.Cmd
	said      servers.Journal
}

// start starts a node and returns once it says where its page is.
func (p *process) start(program string) {
	p.t.Helper()
	p.running = exec.Command(program, "serve")
	p.running.Env = p.environment(program, p.variables...)
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

// ready returns once the node takes what devices publish.
func (p *process) ready() {
	p.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		answer, err := http.Get("http://" + p.page + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("a node does not become ready: %v", err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// refused holds a program to refusing to start, in a sentence.
func (p *process) refused(program string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), time.Minute) // one that is not refused serves
	defer stop()
	command := exec.CommandContext(ctx, program, "serve")
	command.Env = p.environment(program, p.variables...)
	out, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "written by a newer Vigie") {
		p.t.Fatalf("an old node was not refused: %v: %s", err, out)
	}
}

// kill ends a node as a power cut would.
func (p *process) kill() { p.end(os.Kill) }

// stop ends a node as its operator does.
func (p *process) stop() { p.end(os.Interrupt) }

func (p *process) end(signal os.Signal) {
	if err := p.running.Process.Signal(signal); err != nil {
		p.t.Logf("end a node: %v", err)
	}
	// How it ended is known.
	_ = p.running.Wait()
}

// open opens the site's database beside its nodes.
func (s *site) open() {
	s.t.Helper()
	var err error
	if s.store, err = postgres.Open(s.t.Context(), s.url, postgres.Options{Node: "test"}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.store.Close() })
}

// equals holds a site to another one, undisturbed, to which the same readings were
// published: every one is kept once, the alerts are the same, and people were told
// once, but for what nodes killed at these moments had no time to note.
func (s *site) equals(undisturbed *site, readings int, faults []fault) {
	s.t.Helper()
	undisturbed.settle(readings)
	s.settle(readings)
	expected := undisturbed.alertLines()
	if len(expected) < 10 {
		s.t.Errorf("%s raised %d alerts: this test shows little", undisturbed.name, len(expected))
	}
	if got := s.alertLines(); !slices.Equal(got, expected) {
		s.t.Errorf("%s raised\n%s\n%s raised\n%s", s.name, strings.Join(got, "\n"), undisturbed.name, strings.Join(expected, "\n"))
	}
	s.people.check(s.t, s, faults)
}

// settle waits until every reading is kept and every message sent, and holds the
// site to having kept each reading once.
func (s *site) settle(readings int) {
	s.t.Helper()
	s.open()
	began := time.Now()
	deadline := began.Add(90 * time.Second)
	for {
		kept, doubled := s.kept()
		summary, err := s.store.Summary(s.t.Context(), alerts.Filter{})
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
	for _, patient := range s.patient {
		seen := map[string]bool{}
		err := s.store.History(s.t.Context(), patient, nil, time.Time{}, time.Now().AddDate(1, 0, 0), func(r *protocols.Reading) bool {
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
// when they arrived. Where some come late that is also which of them an alert covers:
// a reading that ends a condition may come after one that would have found it ended.
func (s *site) alertLines() (lines []string) {
	s.t.Helper()
	filter := alerts.Filter{Limit: alerts.MaxLimit}
	list, err := s.store.Alerts(s.t.Context(), filter)
	if err != nil || len(list) == filter.Limit {
		s.t.Fatalf("%d alerts, %v", len(list), err)
	}
	for _, a := range list {
		line := fmt.Sprintf("%s %s %s %s active=%v", a.Patient, a.Rule, a.Level, a.State, a.Active)
		if !s.late(a.Patient) {
			line += fmt.Sprintf(" from %s to %s", a.At.Format(time.TimeOnly), a.LastAt.Format(time.TimeOnly))
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
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
// only have come twice when a fault, within a second of its first coming, kept the
// node from noting that it was confirmed.
func (m *mailbox) check(t *testing.T, s *site, faults []fault) {
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
		excused := len(times) == 2 && slices.ContainsFunc(faults, func(f fault) bool { return f.explains(times[0]) })
		if len(times) != 1 && !excused {
			t.Errorf("message %s came %d times, these were the faults: %v", id, len(times), faults)
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
