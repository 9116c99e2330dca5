package workspace_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/workspace"
	"vigie/protocols"
)

// listen opens a stream and returns its lines.
func (w *ward) listen(headers ...string) (lines func() string, stop func()) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second)
	r, err := http.NewRequestWithContext(ctx, "GET", w.server.URL+"/api/v1/stream", nil)
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		w.Fatalf("stream: %s %s", response.Status, response.Header.Get("Content-Type"))
	}
	in := bufio.NewScanner(response.Body)
	return func() string {
			w.Helper()
			if !in.Scan() {
				w.Fatalf("the stream ended: %v", in.Err())
			}
			return in.Text()
		}, func() {
			cancel()
			response.Body.Close()
		}
}

// next is the next event of a stream, with its number.
func (w *ward) next(lines func() string) (event alerts.Event, id string) {
	w.Helper()
	for {
		line := lines()
		if number, ok := strings.CutPrefix(line, "id: "); ok {
			id = number
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(data), &event); err != nil {
				w.Fatal(err)
			}
			return event, id
		}
	}
}

func TestStreamTellsWhatHappensAndResumes(t *testing.T) {
	w := open(t)
	w.raise("before", protocols.Yellow)
	lines, stop := w.listen()
	for line := lines(); !strings.HasPrefix(line, "id: "); line = lines() {
	}
	id := w.raise("weight-fast", protocols.Orange)
	event, number := w.next(lines)
	if event.Alert != id || event.Kind != alerts.EventRaised || event.Level != protocols.Orange || number != "2" {
		t.Fatalf("event %s %+v", number, event)
	}
	stop()

	if got := w.ask("POST", "/api/v1/alerts/"+id+"/acknowledge", "{}"); got.StatusCode != 200 {
		t.Fatal(got.body)
	}
	w.raise("spo2-low", protocols.Red)
	lines, stop = w.listen("Last-Event-ID", number)
	defer stop()
	if event, _ = w.next(lines); event.Kind != alerts.EventAcknowledged || event.Author != "poste-soins" {
		t.Errorf("missed event %+v", event)
	}
	if event, number = w.next(lines); event.Level != protocols.Red || number != "4" {
		t.Errorf("second missed event %s %+v", number, event)
	}
}

func TestStreamGoesOnAfterARestore(t *testing.T) {
	w := open(t)
	w.raise("before", protocols.Yellow)
	lines, stop := w.listen("Last-Event-ID", "1000")
	defer stop()
	for line := lines(); !strings.HasPrefix(line, "id: "); line = lines() {
	}
	id := w.raise("weight-fast", protocols.Orange)
	if event, _ := w.next(lines); event.Alert != id {
		t.Errorf("event %+v", event)
	}
}

func TestStreamIsAliveBoundedAndEnds(t *testing.T) {
	w := open(t, func(o *workspace.Options) { o.Heartbeat, o.Streams = 10*time.Millisecond, 1 })
	lines, stop := w.listen()
	defer stop()
	for line := lines(); line != ": "; line = lines() {
	}
	got := w.ask("GET", "/api/v1/stream", "")
	w.wantProblem(got, 503, "too-many-streams", "Trop de flux")
	if got.Header.Get("Retry-After") == "" {
		t.Error("no word on when to try again")
	}
	w.space.Close()
	deadline := time.After(10 * time.Second)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.server.Close()
	}()
	select {
	case <-ended:
	case <-deadline:
		t.Error("the stream outlives the workspace")
	}
}
