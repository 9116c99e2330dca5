package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"vigie/alerts"
)

// stream sends the events of all alerts as they are committed, as server-sent
// events. A client that comes back with Last-Event-ID gets what it has missed;
// one that comes for the first time gets what happens from then on, or with
// ?after=N what happened after event N.
//
// A client reads from the store at its own pace, so a slow one costs nothing but
// its connection.
func (w *Workspace) stream(rw http.ResponseWriter, r *http.Request) {
	after, err := w.streamStart(r)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	if !w.watch.enter(w.Streams) {
		w.fail(rw, r, errFull)
		return
	}
	defer w.watch.leave()
	w.metrics.streaming(1)
	defer w.metrics.streaming(-1)

	h := rw.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	s := &sender{rw: rw, control: http.NewResponseController(rw), patience: max(2*w.Heartbeat, time.Second), after: after}
	if err := w.follow(r, s); err != nil && r.Context().Err() == nil {
		w.Log.Debug("stream ended", "error", err)
	}
}

// streamStart is the event after which a stream begins. A number that lies ahead
// is of a store from before a restore: what happens next has lower ones.
func (w *Workspace) streamStart(r *http.Request) (int64, error) {
	given := r.Header.Get("Last-Event-ID")
	if given == "" {
		given = r.URL.Query().Get("after")
	}
	last, err := w.records.lastSeq(r.Context())
	if err != nil || given == "" {
		return last, err
	}
	after, err := strconv.ParseInt(given, 10, 64)
	if err != nil || after < 0 {
		return 0, badParameter("Last-Event-ID", "donnez le numéro du dernier événement reçu", "give the number of the last event you got")
	}
	return min(after, last), nil
}

// follow sends events until the client or the service goes away, or the client would not
// be let in any more.
func (w *Workspace) follow(r *http.Request, s *sender) error {
	ctx := r.Context()
	// The number alone is no event, but the client keeps it and comes back
	// with it.
	if err := s.send("retry: 2000\nid: %d\n\n", s.after); err != nil {
		return err
	}
	alive := time.NewTicker(w.Heartbeat)
	defer alive.Stop()
	asOf := w.keys.Load()
	for {
		news, keys := w.watch.news(), w.keys.Load()
		if keys != asOf {
			if !w.stillIn(r) {
				return nil
			}
			asOf = keys
		}
		if err := s.catchUp(ctx, w.records); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.watch.closed:
			return nil
		case <-alive.C:
			if !w.stillIn(r) {
				return nil
			}
			if err := s.send(": \n\n"); err != nil {
				return err
			}
		case <-news:
		}
	}
}

// sender writes to one client.
type sender struct {
	rw       http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration // for one write
	after    int64
	sight    *sight // what the client may see
}

// catchUp sends all events that the client has not got.
func (s *sender) catchUp(ctx context.Context, records records) error {
	const atATime = 500
	if s.sight == nil {
		s.sight = records.sight(ctx)
	}
	for {
		events, err := records.eventsAfter(ctx, s.after, atATime)
		if err != nil {
			return err
		}
		for i := range events {
			ok, err := s.sight.may(events[i].Alert)
			if err != nil {
				return err
			}
			if !ok {
				s.after = events[i].Seq
				continue
			}
			body, err := json.Marshal(events[i])
			if err != nil {
				return err
			}
			if err := s.send("id: %d\nevent: alert\ndata: %s\n\n", events[i].Seq, body); err != nil {
				return err
			}
			s.after = events[i].Seq
		}
		if len(events) < atATime {
			return nil
		}
	}
}

func (s *sender) send(format string, values ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	deadline, _ := ctx.Deadline()
	if err := s.control.SetWriteDeadline(deadline); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.rw, format, values...); err != nil {
		return err
	}
	return s.control.Flush()
}

// watch looks for new events, once for all streams, while there are any.
type watch struct {
	store  alerts.Store
	every  time.Duration
	log    *slog.Logger
	closed chan struct{}

	mu      sync.Mutex
	clients int
	changed chan struct{} // closed when there is news
	stop    context.CancelFunc
	looking sync.WaitGroup
	once    sync.Once
}

func newWatch(store alerts.Store, every time.Duration, log *slog.Logger) *watch {
	return &watch{store: store, every: every, log: log, closed: make(chan struct{}), changed: make(chan struct{})}
}

// enter counts a client in, unless there are too many or the watch is closed.
func (w *watch) enter(most int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.clients >= most || w.isClosed() {
		return false
	}
	w.clients++
	if w.clients == 1 {
		ctx, stop := context.WithCancel(context.Background())
		w.stop = stop
		w.looking.Go(func() { w.look(ctx) })
	}
	return true
}

func (w *watch) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clients--
	if w.clients == 0 {
		w.stop()
	}
}

// news returns a channel that is closed when there is something new.
func (w *watch) news() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *watch) announce() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
}

// look asks the store for the number of the latest event. The first answer is
// always news: something may have happened before it.
func (w *watch) look(ctx context.Context) {
	ticker := time.NewTicker(w.every)
	defer ticker.Stop()
	seen := int64(-1)
	for {
		seq, err := w.store.LastSeq(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.log.Warn("cannot look for new events", "error", err)
		case seq != seen:
			seen = seq
			w.announce()
		}
		select {
		case <-ctx.Done():
			return
		case <-w.closed:
			return
		case <-ticker.C:
		}
	}
}

// close returns once nobody looks into the store any more.
func (w *watch) close() {
	w.once.Do(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		close(w.closed)
	})
	w.looking.Wait()
}

func (w *watch) isClosed() bool {
	select {
	case <-w.closed:
		return true
	default:
		return false
	}
}
