package influx_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
)

// shared is the server of these tests; each takes a database of its own.
var shared struct {
	once   sync.Once
	server *servers.InfluxServer
	err    error
	names  atomic.Int64
}

func TestMain(m *testing.M) {
	status := m.Run()
	if shared.server != nil {
		if err := shared.server.Kill(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
		if err := os.RemoveAll(shared.server.Dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(status)
}

// server returns the shared server.
func server(t testing.TB) *servers.InfluxServer {
	t.Helper()
	servers.Need(t, "influxd")
	shared.once.Do(func() {
		var dir string
		if dir, shared.err = os.MkdirTemp("", "vigie-influx-"); shared.err == nil {
			shared.server, shared.err = servers.StartInflux(dir)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// bucket returns a client for a new database. Policy is added to the statement
// that makes it: "DURATION 1h".
func bucket(t testing.TB) *influx.Client {
	t.Helper()
	s := server(t)
	name, err := s.Database(fmt.Sprintf("test%d", shared.names.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	return client(t, elsewhere(s.URL), name)
}

// elsewhere names a server on this machine in a way that does not show it: what
// is sent to it is compressed, as for a server across a network.
func elsewhere(url string) string { return strings.Replace(url, "127.0.0.1", "LOCALHOST", 1) }

func client(t testing.TB, url, bucket string) *influx.Client {
	t.Helper()
	o := influx.Options{URL: url, Bucket: bucket, Timeout: 20 * time.Second}
	if shared.server != nil {
		o.Org, o.Token = shared.server.Org, shared.server.Token
	}
	c := influx.New(o)
	t.Cleanup(c.Close)
	return c
}

// memory is a journal that forgets everything at the end.
type memory struct {
	mu      sync.Mutex
	changed sync.Cond
	kept    []ingest.Kept
	cursor  int64
	refused []influx.Refused
	errands []ingest.Errand
	gone    map[string]bool // readings that the store no longer has, by id

	corrected   [][2]*protocols.Reading // what was forgotten, and what it became
	interrupted error                   // of Corrected
}

func journalOf(readings ...*protocols.Reading) *memory {
	m := new(memory)
	m.changed.L = &m.mu
	m.keep(readings...)
	return m
}

func (m *memory) keep(readings ...*protocols.Reading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range readings {
		m.kept = append(m.kept, ingest.Kept{Seq: int64(len(m.kept) + 1), At: morning, Reading: *r})
	}
}

func (m *memory) ReadingsAfter(_ context.Context, seq int64, limit int) ([]ingest.Kept, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.kept[seq:]
	return rest[:min(limit, len(rest))], nil
}

func (m *memory) Cursor(context.Context, string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursor, nil
}

func (m *memory) SetCursor(_ context.Context, _ string, seq int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cursor = seq
	m.changed.Broadcast()
	return nil
}

func (m *memory) SetAside(_ context.Context, refused []influx.Refused) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range refused {
		r.ID = int64(len(m.refused) + 1)
		m.refused = append(m.refused, r)
	}
	return nil
}

func (m *memory) Refused(_ context.Context, before int64) (list []influx.Refused, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range slices.Backward(m.refused) {
		if before == 0 || r.ID < before {
			list = append(list, r)
		}
	}
	return list[:min(len(list), 3)], nil
}

func (m *memory) Settle(_ context.Context, ids []int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused = slices.DeleteFunc(m.refused, func(r influx.Refused) bool { return slices.Contains(ids, r.ID) })
	return nil
}

// send keeps an errand behind what is kept so far.
func (m *memory) send(kind ingest.ErrandKind, task ingest.Task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.errands = append(m.errands, ingest.Errand{ID: int64(len(m.errands) + 1), Kind: kind, After: int64(len(m.kept)), Task: task})
}

// erase has a patient erased who was to be at that time.
func (m *memory) erase(patient string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.errands = append(m.errands, ingest.Errand{ID: int64(len(m.errands) + 1), Kind: ingest.Erase, After: int64(len(m.kept)), At: at, Task: ingest.Task{Patient: patient}})
}

func (m *memory) OpenErrands(context.Context) (open []ingest.Errand, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.errands {
		if e.Done.IsZero() {
			open = append(open, e)
		}
	}
	return open, nil
}

func (m *memory) Errand(_ context.Context, id int64) (ingest.Errand, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.errands[id-1], nil
}

func (m *memory) SetErrand(_ context.Context, e ingest.Errand) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.errands[e.ID-1] = e
	m.changed.Broadcast()
	return nil
}

func (m *memory) Corrected(ctx context.Context, e ingest.Errand, was, is *protocols.Reading) error {
	if m.interrupted != nil {
		return m.interrupted
	}
	m.corrected = append(m.corrected, [2]*protocols.Reading{was, is})
	return m.SetErrand(ctx, e)
}

func (m *memory) Erased(context.Context) (map[string]ingest.Erasure, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	erased := map[string]ingest.Erasure{}
	for _, e := range m.errands {
		if e.Kind == ingest.Erase {
			erased[e.Task.Patient] = ingest.Erasure{After: e.After, At: e.At}
		}
	}
	return erased, nil
}

func (m *memory) Patients(_ context.Context, behind string, limit int) (patients []string, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.kept {
		if p := k.Reading.Patient; p > behind && !slices.Contains(patients, p) {
			patients = append(patients, p)
		}
	}
	slices.Sort(patients)
	return patients[:min(limit, len(patients))], nil
}

func (m *memory) History(_ context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*protocols.Reading
	for i := range m.kept {
		r := &m.kept[i].Reading
		if r.Patient == patient && (measure == nil || r.Measure == measure) && !m.gone[r.ID] && !r.Time.Before(from) && r.Time.Before(to) {
			all = append(all, r)
		}
	}
	for _, r := range inOrder(all) {
		if !yield(r) {
			break
		}
	}
	return nil
}

// done waits until every errand is done.
func (m *memory) done(t testing.TB) {
	t.Helper()
	eventually(t, func() bool { open, err := m.OpenErrands(t.Context()); return err == nil && len(open) == 0 })
}

// forwarded waits until the cursor is at the end.
func (m *memory) forwarded(t testing.TB) {
	t.Helper()
	late := time.AfterFunc(time.Minute, func() { m.mu.Lock(); defer m.mu.Unlock(); m.cursor = -1; m.changed.Broadcast() })
	defer late.Stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.cursor >= 0 && m.cursor < int64(len(m.kept)) {
		m.changed.Wait()
	}
	if m.cursor < 0 {
		t.Fatal("not everything was forwarded within a minute")
	}
}

// quick does not make a test wait.
var quick = influx.Pace{Gather: time.Millisecond, Poll: 5 * time.Millisecond, FirstTry: time.Millisecond, LastTry: 20 * time.Millisecond}

// forward starts a forwarder that ends with the test.
func forward(t testing.TB, c *influx.Client, j influx.Journal) *influx.Forwarder {
	t.Helper()
	f, stop := start(c, j)
	t.Cleanup(stop)
	return f
}

func start(c *influx.Client, j influx.Journal) (f *influx.Forwarder, stop func()) {
	return startWith(c, j, func(*influx.Forwarder) {})
}

func startWith(c *influx.Client, j influx.Journal, with func(*influx.Forwarder)) (f *influx.Forwarder, stop func()) {
	f = influx.NewForwarder(c, j, slog.New(slog.DiscardHandler), quick)
	with(f)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	return f, func() { cancel(); <-done }
}

// send forwards readings and returns when InfluxDB has them.
func send(t testing.TB, c *influx.Client, readings ...*protocols.Reading) *memory {
	t.Helper()
	j := journalOf(readings...)
	_, stop := start(c, j)
	defer stop()
	j.forwarded(t)
	return j
}

// history reads everything of a patient back.
func history(t testing.TB, c *influx.Client, patient string, measure *protocols.Measure, from, to time.Time) []*protocols.Reading {
	t.Helper()
	var got []*protocols.Reading
	err := c.History(t.Context(), patient, measure, from, to, func(r *protocols.Reading) bool {
		got = append(got, r)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

var (
	morning = time.Date(2026, 11, 21, 6, 2, 11, 0, time.UTC)
	ever    = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// weighing is a weight of patient P1, in kg, some hours after the morning.
func weighing(id string, hours int, kg float64) *protocols.Reading {
	v, _ := protocols.Of(kg)
	return &protocols.Reading{
		ID: id, Device: "scale-01", Patient: "P1", Time: morning.Add(time.Duration(hours) * time.Hour),
		Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{v}, Battery: -1,
	}
}

func inOrder(readings []*protocols.Reading) []*protocols.Reading {
	sorted := slices.Clone(readings)
	slices.SortFunc(sorted, func(a, b *protocols.Reading) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	return sorted
}

func same(t testing.TB, got, want []*protocols.Reading) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("missing: %+v", want[i])
		case i >= len(want):
			t.Fatalf("too much: %+v", got[i])
		case !reflect.DeepEqual(got[i], want[i]):
			t.Fatalf("place %d:\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

// Whoever draws a mean of all fields in Grafana, in either language, meets no text.
func TestAMeanOverEveryFieldWorks(t *testing.T) {
	t.Setenv("INFLUXDB_HTTP_FLUX_ENABLED", "true") // of 1.8; not its default
	s := servers.Influx(t)
	c := influx.New(influx.Options{URL: s.URL, Org: s.Org, Token: s.Token, Bucket: s.Bucket})
	defer c.Close()
	first, second := weighing("018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", 0, 82), weighing("morning", 1, 84)
	first.Battery, second.Flags, second.Context = 40, []string{"moved"}, map[string]string{"place": "home"}
	second.DayOnly = true
	send(t, c, first, second)
	ask := func(path, kind, body string) string {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", kind)
		request.Header.Set("Authorization", "Token "+s.Token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		read, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", answer.Status, read, err)
		}
		return string(read)
	}
	text := `from(bucket: "` + s.Bucket + `") |> range(start: 2020-01-01T00:00:00Z) |> filter(fn: (r) => r._measurement == "weight") |> group(columns: ["_field"]) |> mean()`
	if said := ask("/api/v2/query?org="+url.QueryEscape(s.Org), "application/vnd.flux", text); !strings.Contains(said, ",83,") && !strings.Contains(said, ",83\r\n") {
		t.Errorf("Flux says %q", said)
	}
	if s.Generation != 1 {
		return
	}
	if said := ask("/query?db=vigie", "application/x-www-form-urlencoded", "q="+url.QueryEscape(`SELECT mean(*) FROM "weight"`)); !strings.Contains(said, "mean_value") || strings.Contains(said, "error") {
		t.Errorf("InfluxQL says %q", said)
	}
}
