package workspace_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"vigie/alerts/workspace"
	"vigie/protocols"
)

// endless is a history that goes on for as long as somebody reads it.
type endless struct{ begun, ended chan struct{} }

func (e endless) History(_ context.Context, _ string, _ *protocols.Measure, _, _ time.Time, yield func(*protocols.Reading) bool) error {
	e.begun <- struct{}{}
	reading := &protocols.Reading{ID: strings.Repeat("r", 60), Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{80000}}
	for yield(reading) {
	}
	e.ended <- struct{}{}
	return nil
}

// asks sends a request for readings, and reads none of the answer.
func (w *ward) asks() {
	w.Helper()
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "GET /api/v1/patients/p-1/readings HTTP/1.1\r\nHost: vigie\r\nAuthorization: Bearer "+secret+"\r\n\r\n"); err != nil {
		w.Fatal(err)
	}
}

func within(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(20 * time.Second):
		t.Fatal("not within 20 s: " + what)
	}
}

func TestReadersThatDoNotReadHoldTheStoreNeitherLongNorAllOfIt(t *testing.T) {
	history := endless{make(chan struct{}, 10), make(chan struct{}, 10)}
	w := open(t, func(o *workspace.Options) { o.History, o.Patience = history, 300*time.Millisecond })
	for range 5 {
		w.asks()
	}
	for i := range 5 {
		within(t, "a history that begins", history.begun)
		if under := i + 1 - len(history.ended); under > 2 {
			t.Errorf("%d histories are under way at a time", under)
		}
	}
	for range 5 {
		within(t, "the end of a history that nobody reads", history.ended)
	}
}
