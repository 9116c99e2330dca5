package postgres

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// candidate is a node that asks to lead; it says when it begins and ends.
type candidate struct {
	begun, ended chan string
	stop         context.CancelFunc
	returned     chan struct{}
}

// lead lets a store lead until it is stopped. leading counts the nodes that lead
// at this moment.
func lead(t *testing.T, s *Store, leading *atomic.Int32) *candidate {
	ctx, stop := context.WithCancel(context.Background())
	c := &candidate{begun: make(chan string, 9), ended: make(chan string, 9), stop: stop, returned: make(chan struct{})}
	go func() {
		defer close(c.returned)
		s.Lead(ctx, "forwarding", func(ctx context.Context) {
			if leading.Add(1) > 1 {
				t.Error("two nodes lead at once")
			}
			c.begun <- s.node
			<-ctx.Done()
			leading.Add(-1)
			c.ended <- s.node
		})
	}()
	t.Cleanup(func() { stop(); <-c.returned })
	return c
}

func within[T any](t *testing.T, what string, limit time.Duration, from <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(limit):
		t.Fatalf("%s did not happen within %v", what, limit)
	}
	return got
}

func TestOneNodeLeadsAndAnotherFollowsWhenItStops(t *testing.T) {
	all := nodes(t, 2)
	var leading atomic.Int32
	first := lead(t, all[0], &leading)
	within(t, "the first node leads", 10*time.Second, first.begun)
	second := lead(t, all[1], &leading)
	first.stop()
	within(t, "the first node returns", 10*time.Second, first.returned)
	began := time.Now()
	within(t, "the second node leads", 10*time.Second, second.begun)
	t.Logf("taken over %v after a node that stopped politely", time.Since(began).Round(time.Millisecond))
}

// TestALeaderThatIsCutOffIsReplaced holds back all that the leader sends, as a
// network does that fails, or a node that was killed.
func TestALeaderThatIsCutOffIsReplaced(t *testing.T) {
	direct := database(t)
	network := between(t, direct)
	var leading atomic.Int32
	cut := open(t, network.url, Options{Node: "cut off"})
	first := lead(t, cut, &leading)
	within(t, "the first node leads", 10*time.Second, first.begun)
	second := lead(t, open(t, direct, Options{Node: "other"}), &leading)

	network.cut()
	began := time.Now()
	within(t, "the node that is cut off gives up", 10*time.Second, first.ended)
	within(t, "the other node leads", 10*time.Second, second.begun)
	t.Logf("taken over %v after the network was cut", time.Since(began).Round(time.Millisecond))

	network.mend()
	second.stop()
	within(t, "the other node returns", 10*time.Second, second.returned)
	within(t, "the first node leads again", 30*time.Second, first.begun)
}

func TestALeaderWhoseSessionIsEndedGoesOn(t *testing.T) {
	s := nodes(t, 1)[0]
	var leading atomic.Int32
	c := lead(t, s, &leading)
	within(t, "the node leads", 10*time.Second, c.begun)
	held := &lease{store: s, name: "forwarding", term: 1, until: time.Now().Add(leaseLasts)}
	for range 3 {
		_, err := s.pool.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if err != nil {
			t.Fatal(err)
		}
		if err := held.renew(t.Context()); err == nil {
			continue
		}
		if err := held.renew(t.Context()); err != nil {
			t.Fatalf("a new session cannot renew the lease: %v", err)
		}
	}
	select {
	case <-c.ended:
		t.Error("a lease was lost with a session, it should outlive it")
	default:
	}
}

func TestWorkThatReturnsOffersTheLease(t *testing.T) {
	all := nodes(t, 2)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	turns := make(chan string)
	var done sync.WaitGroup
	for _, s := range all {
		done.Go(func() {
			s.Lead(ctx, "sweep", func(ctx context.Context) {
				select {
				case turns <- s.node:
				case <-ctx.Done():
				}
			})
		})
	}
	seen := map[string]bool{}
	for len(seen) < 2 {
		seen[within(t, "the lease changes hands", 20*time.Second, turns)] = true
	}
	stop()
	done.Wait()
}

// link is a network between a node and the database that can be cut.
type link struct {
	url string

	mu    sync.Mutex
	open  bool
	conns []net.Conn
}

func between(t *testing.T, direct string) *link {
	t.Helper()
	target, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{open: true}
	t.Cleanup(func() { listener.Close(); l.mend() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target.Host)
			if err != nil {
				near.Close()
				continue
			}
			go l.carry(near, far)
			go l.carry(far, near)
		}
	}()
	moved := *target
	moved.Host = listener.Addr().String()
	l.url = moved.String()
	return l
}

// carry copies while the link is open. A cut link swallows what comes, and tells
// neither side.
func (l *link) carry(from, to net.Conn) {
	l.mu.Lock()
	l.conns = append(l.conns, from)
	l.mu.Unlock()
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		l.mu.Lock()
		open := l.open
		l.mu.Unlock()
		if err != nil {
			if open {
				to.Close()
			}
			return
		}
		if !open {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil && err != io.ErrClosedPipe {
			return
		}
	}
}

func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = false
}

// mend opens the link for new connections; those of before are gone.
func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open {
		for _, c := range l.conns {
			c.Close()
		}
		l.conns = nil
	}
	l.open = true
}
