package main

import (
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"vigie/deploy/servers"
)

// fault is something that went wrong at a site, from a moment to another.
type fault struct {
	what     string
	from, to time.Time
}

// explains reports whether a node that told somebody something at that moment may
// have been kept from noting it.
func (f fault) explains(at time.Time) bool {
	return at.After(f.from.Add(-time.Second)) && at.Before(f.to.Add(time.Second))
}

// suffer lets one thing after another go wrong until done is closed. Each is over
// before the next begins.
func (s *site) suffer(done <-chan struct{}, chance *rand.Rand) (faults []fault) {
	s.t.Helper()
	some := func(most time.Duration) time.Duration { return time.Duration(1 + chance.Int64N(int64(most))) }
	kinds := []struct {
		what string
		do   func(node *process)
	}{
		{"a node is killed", func(node *process) { node.kill(); node.start(s.program) }},
		{"a node is cut off the database", func(node *process) { node.way.set(cut); s.pause(some(3 * time.Second)); node.way.set(open) }},
		{"a node is not told what became of its commits", func(node *process) {
			node.way.set(unheard)
			s.pause(some(time.Second))
			node.way.set(cut)
			node.way.set(open)
		}},
		{"a node is killed", func(node *process) { node.kill(); node.start(s.program) }},
		{"PostgreSQL is killed", func(*process) { s.must(s.database.Kill()); s.must(s.database.Start()) }},
		{"nothing passes between a node and the database", func(node *process) { node.way.set(stuck); s.pause(some(7 * time.Second)); node.way.set(open) }},
		{"a node is killed inside its work", func(node *process) {
			node.way.set(stuck)
			s.pause(some(time.Second))
			node.kill()
			node.way.set(open)
			node.start(s.program)
		}},
		{"a node stands still", func(node *process) {
			s.must(servers.Halt(node.running.Process))
			s.pause(some(7 * time.Second))
			s.must(servers.Resume(node.running.Process))
		}},
	}
	for i := 0; ; i++ {
		select {
		case <-done:
			return faults
		case <-time.After(some(time.Second)):
		}
		kind := kinds[i%len(kinds)]
		from := time.Now()
		kind.do(s.nodes[chance.IntN(len(s.nodes))])
		faults = append(faults, fault{kind.what, from, time.Now()})
	}
}

func (s *site) pause(d time.Duration) { <-time.After(d) }

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// way is a TCP connection to a server that can be cut.
type way struct {
	t        *testing.T
	listener net.Listener
	to       string

	mu    sync.Mutex
	moved *sync.Cond // state has changed
	state int
	ends  map[net.Conn]bool
}

// States of a way.
const (
	open    = iota
	cut     // connections end, and new ones are refused
	stuck   // nothing passes, and nobody is told
	unheard // what is asked passes, and no answer
)

// newWay leads to the server of a PostgreSQL URL; it returns the URL by which a
// node goes that way.
func newWay(t *testing.T, url, server string) (*way, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{t: t, listener: listener, to: server, ends: map[net.Conn]bool{}}
	w.moved = sync.NewCond(&w.mu)
	t.Cleanup(func() {
		listener.Close()
		w.set(cut)
	})
	go w.accept()
	return w, strings.Replace(url, server, listener.Addr().String(), 1)
}

func (w *way) set(state int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = state
	w.moved.Broadcast()
	if state != cut {
		return
	}
	for end := range w.ends {
		end.Close()
	}
	clear(w.ends)
}

func (w *way) accept() {
	for {
		here, err := w.listener.Accept()
		if err != nil {
			return
		}
		go w.join(here)
	}
}

func (w *way) join(here net.Conn) {
	defer here.Close()
	there, err := net.Dial("tcp", w.to)
	if err != nil {
		return // the server is away
	}
	defer there.Close()
	w.mu.Lock()
	w.ends[here], w.ends[there] = true, true
	w.mu.Unlock()
	both := sync.WaitGroup{}
	both.Go(func() { w.pass(there, here, false) })
	both.Go(func() { w.pass(here, there, true) })
	both.Wait()
	w.mu.Lock()
	delete(w.ends, here)
	delete(w.ends, there)
	w.mu.Unlock()
}

// pass hands on what comes, as long as the way is open. Where one end closes, so
// does the other.
func (w *way) pass(to, from net.Conn, answers bool) {
	defer to.Close()
	defer from.Close()
	_, _ = io.Copy(gate{w, to, answers}, from) // how a connection ended is of no interest
}

// gate holds back what is written while the way is stuck.
type gate struct {
	*way
	to      net.Conn
	answers bool // of the server
}

func (g gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	for g.state == stuck || g.state == unheard && g.answers {
		g.moved.Wait()
	}
	state := g.state
	g.mu.Unlock()
	if state == cut {
		return 0, net.ErrClosed
	}
	return g.to.Write(p)
}
