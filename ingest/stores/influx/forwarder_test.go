package influx_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigie/ingest/stores/influx"
	"vigie/protocols"
)

func TestSendingAgainChangesNothing(t *testing.T) {
	c := bucket(t)
	var want []*protocols.Reading
	for i := range 300 {
		want = append(want, weighing(fmt.Sprint("w", i), i, 80+float64(i%10)/10))
	}
	j := journalOf(want...)
	forward(t, c, j)
	j.forwarded(t)
	for range 2 {
		if err := j.SetCursor(t.Context(), influx.Cursor, 0); err != nil {
			t.Fatal(err)
		}
		j.forwarded(t)
	}
	same(t, history(t, c, "P1", nil, morning, ever), want)
}

func TestReadingsOfOneSecondDoNotHideEachOther(t *testing.T) {
	c := bucket(t)
	first, second, third := weighing("a", 0, 82.1), weighing("b", 0, 82.3), weighing("c", 0, 82.5)
	second.Device = "scale-02" // the same second, on two devices
	third.Source = protocols.FromPatient
	fourth := weighing("d", 0, 82.7) // and twice on one
	fifth := weighing("e", 0, 82.9)
	fifth.Patient = "P2"
	send(t, c, first, second, third, fourth, fifth)
	same(t, history(t, c, "P1", nil, morning, ever), []*protocols.Reading{first, third, fourth, second})
	same(t, history(t, c, "P2", nil, morning, ever), []*protocols.Reading{fifth})
}

// idInLine is how a line tells an id of up to eight bytes.
func idInLine(id string) string {
	var bytes [8]byte
	copy(bytes[:], id)
	return fmt.Sprintf(",short_id_high=%di,", binary.BigEndian.Uint64(bytes[:]))
}

func TestRefusedPointsAreSetAsideAndBlockNothing(t *testing.T) {
	s := server(t)
	query(t, s.URL, `CREATE DATABASE "short" WITH DURATION 1h NAME "policy"`, "")
	c := client(t, s.URL, "short/policy")
	now := time.Now().UTC().Truncate(time.Millisecond)
	// A field that somebody has written as a text refuses numbers, in each of the
	// server's shards.
	for _, at := range []time.Time{now, now.Add(-400 * time.Second)} {
		if err := c.Write(t.Context(), fmt.Sprintf(`temperature value="high" %d`, at.UnixNano())); err != nil {
			t.Fatal(err)
		}
	}
	var fine, tooOld, conflict []*protocols.Reading
	var all []*protocols.Reading
	for i := range 400 {
		r := weighing(fmt.Sprint("r", i), 0, 80)
		r.Time = now.Add(-time.Duration(i) * time.Second)
		switch i % 100 {
		case 7, 8:
			r.Time = now.AddDate(-1, 0, 0)
			tooOld = append(tooOld, r)
		case 50:
			r.Measure = protocols.MeasureByID("temperature")
			conflict = append(conflict, r)
		default:
			fine = append(fine, r)
		}
		all = append(all, r)
	}
	j := journalOf(all...)
	f, stop := start(c, j)
	defer stop()
	j.forwarded(t)
	same(t, history(t, c, "P1", nil, now.Add(-time.Hour), ever), inOrder(fine))

	reasons := map[string]int{}
	for _, refused := range j.refused {
		if !strings.Contains(refused.Line, idInLine(refused.Reading)) || refused.Device != "scale-01" {
			t.Errorf("the line %q is not that of %s of %s", refused.Line, refused.Reading, refused.Device)
		}
		for _, word := range []string{"retention policy", "type conflict"} {
			if strings.Contains(refused.Reason, word) {
				reasons[word]++
			}
		}
	}
	if reasons["retention policy"] != len(tooOld) || reasons["type conflict"] != len(conflict) || len(j.refused) != len(tooOld)+len(conflict) {
		t.Errorf("%d refused, by reason %v; want %d too old and %d conflicting", len(j.refused), reasons, len(tooOld), len(conflict))
	}
	eventually(t, func() bool { return f.Figures().Sent > 0 })
	if got := f.Figures(); got.Refused != int64(len(j.refused)) || got.Sent != int64(len(fine)) || got.Error != "" {
		t.Errorf("figures %+v", got)
	}
	stop()

	// Somebody removes one of the reasons: the next start sends what it held back.
	query(t, s.URL, `DROP MEASUREMENT "temperature"`, "short")
	forward(t, c, j)
	eventually(t, func() bool { j.mu.Lock(); defer j.mu.Unlock(); return len(j.refused) == len(tooOld) })
	same(t, history(t, c, "P1", conflict[0].Measure, now.Add(-time.Hour), ever), inOrder(conflict))
}

func TestServerAwayIsWaitedFor(t *testing.T) {
	s, c := server(t), bucket(t)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	want := []*protocols.Reading{weighing("a", 0, 82.1), weighing("b", 1, 82.3)}
	j := journalOf(want...)
	f := forward(t, c, j)
	eventually(t, func() bool { return f.Figures().Retries >= 3 })
	if got := f.Figures(); got.Cursor != 0 || got.Error == "" || !got.Oldest.Equal(morning) || got.Sent != 0 {
		t.Errorf("figures %+v while the server is away", got)
	}
	if _, err := c.Look(t.Context()); err == nil {
		t.Error("a server that is away passes the check")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	j.forwarded(t)
	same(t, history(t, c, "P1", nil, morning, ever), want)
	eventually(t, func() bool { g := f.Figures(); return g.Error == "" && g.Oldest.IsZero() })
	if len(j.refused) > 0 {
		t.Errorf("set aside because the server was away: %v", j.refused)
	}
}

func TestMissingBucketSetsNothingAside(t *testing.T) {
	s := server(t)
	name := "nowhere/forever"
	if s.Generation == 2 {
		name = "nowhere"
	}
	c := client(t, s.URL, name)
	if _, err := c.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "influx.bucket") {
		t.Errorf("a look says %v", err)
	}
	j := journalOf(weighing("a", 0, 82.1))
	f := forward(t, c, j)
	eventually(t, func() bool { return f.Figures().Retries >= 2 })
	if j.cursor != 0 || len(j.refused) > 0 {
		t.Errorf("cursor %d, refused %v", j.cursor, j.refused)
	}
	if _, err := s.Database("nowhere"); err != nil {
		t.Fatal(err)
	}
	j.forwarded(t)
	if _, err := c.Look(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server that is busy asks for time, one that takes less at a time says so.
func TestBusyServerIsGivenTime(t *testing.T) {
	var calls atomic.Int64
	at := make(chan time.Time, 10)
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ping" {
			w.Header().Set("X-Influxdb-Version", "v2.7.12")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if r.Header.Get("Content-Encoding") != "gzip" {
			t.Error("not compressed")
		}
		at <- time.Now()
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer busy.Close()
	send(t, client(t, elsewhere(busy.URL), "b"), weighing("a", 0, 82.1))
	if first, second := <-at, <-at; second.Sub(first) < 900*time.Millisecond {
		t.Errorf("tried again after %s, asked for a second", second.Sub(first))
	}
}

func TestOnOneMachineNothingIsCompressed(t *testing.T) {
	var line atomic.Value
	near := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Encoding") != "" {
			t.Errorf("compressed as %q, or not read: %v", r.Header.Get("Content-Encoding"), err)
		}
		if asks := r.Header.Get("Accept-Encoding"); asks != "" {
			t.Errorf("the answer may be compressed as %q", asks)
		}
		line.Store(string(body))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer near.Close()
	send(t, client(t, near.URL, "b"), weighing("a", 0, 82.1))
	if got, _ := line.Load().(string); !strings.Contains(got, "value=82.1") {
		t.Errorf("the server was sent %q", got)
	}
}

func TestTooLargeRequestsAreHalved(t *testing.T) {
	var largest atomic.Int64
	small := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 2000 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		largest.Store(max(largest.Load(), r.ContentLength))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer small.Close()
	var readings []*protocols.Reading
	for i := range 1000 {
		readings = append(readings, weighing(fmt.Sprintf("%x", i*7919), i, 80))
	}
	j := send(t, client(t, small.URL, "b"), readings...)
	if len(j.refused) > 0 || largest.Load() == 0 {
		t.Errorf("%d refused, largest request taken %d bytes", len(j.refused), largest.Load())
	}
}

func TestRefusalCarriesNoValue(t *testing.T) {
	c := bucket(t)
	err := c.Write(t.Context(), "weight value=82.1kg 1")
	var refused *influx.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	if strings.Contains(refused.Reason, "82.1") {
		t.Errorf("the reason repeats the value: %s", refused.Reason)
	}
}

func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not happen within a minute")
		}
	}
}

func query(t *testing.T, server, statement, database string) {
	t.Helper()
	if shared.server != nil && shared.server.Generation != 1 {
		t.Skip("this is said in InfluxQL, to 1.8")
	}
	answer, err := http.PostForm(server+"/query", url.Values{"q": {statement}, "db": {database}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK || strings.Contains(string(body), "error") {
		t.Fatalf("%s: %s", answer.Status, body)
	}
}

func BenchmarkForward(b *testing.B) {
	c := bucket(b)
	pressure := protocols.MeasureByID("blood-pressure")
	readings := make([]*protocols.Reading, b.N)
	for i := range readings {
		readings[i] = &protocols.Reading{
			ID: fmt.Sprintf("018f6f2c-5b1e-7cc3-9d2f-%012x", i), Device: fmt.Sprint("tensio-", i%1000), Patient: fmt.Sprint("P", i%1000),
			Time: morning.Add(time.Duration(i/1000) * time.Second), Measure: pressure,
			Values: []protocols.Value{142000, 91000, protocols.Missing, 72000}, Battery: 87,
		}
	}
	j := journalOf(readings...)
	b.ResetTimer()
	forward(b, c, j)
	j.forwarded(b)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "readings/s")
}
