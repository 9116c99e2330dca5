package postgres

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/registry"
)

// questions stands before a database and counts how often its answer is waited for: the
// messages of PostgreSQL's protocol after which it says that it is ready.
type questions struct{ times atomic.Int64 }

// before returns the URL by which a database is reached through it.
func (a *questions) before(t testing.TB, address string) string {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	database := to.Host
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go a.relay(client, database)
		}
	}()
	to.Host = listener.Addr().String()
	return to.String()
}

func (a *questions) relay(client net.Conn, database string) {
	defer client.Close()
	server, err := net.Dial("tcp", database)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer client.Close()
		io.Copy(client, server)
	}()
	// The first message has no type: it is read as one with a length alone.
	typed := 0
	for from := bufio.NewReader(client); ; typed = 1 {
		head, err := from.Peek(typed + 4)
		if err != nil {
			return
		}
		if head[0] == 'S' && typed > 0 || head[0] == 'Q' && typed > 0 { // Sync, Query
			a.times.Add(1)
		}
		length := typed + int(binary.BigEndian.Uint32(head[typed:]))
		if _, err := io.CopyN(server, from, int64(length)); err != nil {
			return
		}
	}
}

// TestHowOftenACommitWaitsForTheDatabase counts it: each time wakes both, which costs
// more than what most statements do. What is asked in vain shows here.
func TestHowOftenACommitWaitsForTheDatabase(t *testing.T) {
	var a questions
	c := newClusterAt(t, a.before(t, database(t)), 1, respiratory(1))
	read := &reading{}
	c.store.directory = read
	hour := 0
	send := func(kind, payload string) int64 {
		t.Helper()
		before := a.times.Load()
		done := make(chan error, 1)
		c.nodes[0].Submit(t.Context(), ingest.Message{
			Topic: "vigie/v1/oximeter-0/" + kind, Device: "oximeter-0", Client: "oximeter-0", Payload: []byte(payload), Received: *c.now.Load(),
			Done: func(err error) { done <- err },
		})
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return a.times.Load() - before
	}
	saturation := func(value int, more string) int64 {
		t.Helper()
		hour++
		now := noon.Add(time.Duration(hour) * time.Hour)
		c.set(now)
		return send(ingest.ReadingsTopic, fmt.Sprintf(`{"id":"s%d","time":%q,"measure":"oxygen-saturation","values":{"value":%d},"unit":"%%"%s}`, hour, now.Format(time.RFC3339), value, more))
	}
	low := func() int64 { saturation(80, ""); return saturation(79, "") }
	saturation(96, `,"battery":80`)
	low() // each statement has been prepared once
	saturation(96, "")
	saturation(96, "")
	for _, step := range []struct {
		what string
		send func() int64
		want int64
	}{
		{"a reading", func() int64 { return saturation(96, "") }, 2},
		{"a reading with the charge of the battery", func() int64 { return saturation(96, `,"battery":80`) }, 2},
		{"a reading of which an alert is found", low, 3},
	} {
		if got := step.send(); got != step.want {
			t.Errorf("%s: the answer was waited for %d times, want %d", step.what, got, step.want)
		}
	}
	found, err := c.store.Alerts(t.Context(), alerts.Filter{})
	if err != nil || len(found) == 0 {
		t.Errorf("%d alerts (%v): the last step has shown nothing", len(found), err)
	}
	if got := read.enrolments["e0"]; got == nil || got.Patient != "p0" {
		t.Errorf("the directory was given %v of the enrolment", got)
	}
}

// reading is a directory that knows no enrolment, and notes which it was given.
type reading struct {
	everyone
	enrolments map[string]*registry.Enrolment
}

func (*reading) Lacks(_ int64, enrolments []string) []string { return enrolments }

func (r *reading) AsOf(_ int64, enrolments map[string]*registry.Enrolment) alerts.Directory {
	r.enrolments = enrolments
	return r.everyone
}

// TestAChangeOfTheRegistryIsKnownAtOnce has another node enter that a patient no longer
// consents, and then does again: the very next reading goes by it.
func TestAChangeOfTheRegistryIsKnownAtOnce(t *testing.T) {
	reg := respiratory(1)
	c := newCluster(t, 2, reg)
	hour := 0
	for _, consents := range []bool{true, false, true, false} {
		reg.Enrolments[0].Consent.Given = consents
		if _, err := c.store.Import(t.Context(), reg, "a nurse", noon); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			hour++
			now := noon.Add(time.Duration(hour) * time.Hour)
			c.set(now)
			kept := c.kept()
			c.publish([]publication{{"oximeter-0", ingest.ReadingsTopic, fmt.Sprintf(
				`{"id":"s%d","time":%q,"measure":"oxygen-saturation","values":{"value":96},"unit":"%%"}`, hour, now.Format(time.RFC3339))}}, rand.New(rand.NewPCG(uint64(hour), 4)))
			if now := c.kept() > kept; now != consents {
				t.Errorf("hour %d: the reading is kept: %v, while the patient consents: %v", hour, now, consents)
			}
		}
	}
}

// kept is how many readings are.
func (c *cluster) kept() (n int) {
	c.t.Helper()
	all, err := c.store.ReadingsAfter(c.t.Context(), 0, 1000)
	if err != nil {
		c.t.Fatal(err)
	}
	return len(all)
}
