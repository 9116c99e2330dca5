package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"

	"vigie/ingest"
	"vigie/ingest/conformance"
	"vigie/ingest/conformance/relay"
	"vigie/ingest/doors/inside"
)

// server is the broker behind the relay of a bench.
type server interface {
	dial(ctx context.Context) (net.Conn, error)
	// judged is told of each message before the broker gets it.
	judged(m *ingest.Message, receipts []ingest.Receipt, trial conformance.Trial)
	// acknowledged is called once the device has got an acknowledgement.
	acknowledged(conformance.Trial)
	// away and back are called as the trials want the broker, or the network, gone.
	away(conformance.Trial)
	back(conformance.Trial)
	close() error
}

// behind opens the broker inside, or names the one that the bench stands before.
func (b *benching) behind() (server, error) {
	if b.proxy == "" {
		s := &brokerInside{bench: b, answers: map[string][][]ingest.Receipt{}}
		return s, s.open()
	}
	u, err := url.Parse(b.proxy)
	if err != nil || u.Port() == "" || u.Scheme != "tcp" && u.Scheme != "tls" {
		return nil, fmt.Errorf("--proxy %q is not tcp://host:port or tls://host:port", b.proxy)
	}
	return &brokerBehind{u}, nil
}

// brokerBehind is a broker of the vendor's.
type brokerBehind struct{ url *url.URL }

func (s *brokerBehind) dial(ctx context.Context) (net.Conn, error) {
	if s.url.Scheme == "tls" {
		return (&tls.Dialer{}).DialContext(ctx, "tcp", s.url.Host)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.url.Host)
}

func (*brokerBehind) judged(*ingest.Message, []ingest.Receipt, conformance.Trial) {}
func (*brokerBehind) acknowledged(conformance.Trial)                              {}
func (*brokerBehind) away(conformance.Trial)                                      {}
func (*brokerBehind) back(conformance.Trial)                                      {}
func (*brokerBehind) close() error                                                { return nil }

// brokerInside is Vigie's own, without a store behind it. What it answers was judged on
// the way to it.
type brokerInside struct {
	bench *benching

	sending sync.RWMutex // held for reading between an acknowledgement and its receipts

	mu      sync.Mutex
	at      *inside.Door
	answers map[string][][]ingest.Receipt // by topic and payload, oldest first
	owed    []ingest.Receipt              // of a message whose acknowledgement is late
}

func (s *brokerInside) open() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the broker of the bench: %w", err)
	}
	door, err := inside.Open(inside.Options{Listener: listener, Prefix: s.bench.prefix, Authenticate: s.authenticate}, s.submit)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = door
	return nil
}

func (s *brokerInside) door() *inside.Door {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *brokerInside) dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.door().Addr().String())
}

func (s *brokerInside) close() error {
	door := s.settled()
	return errors.Join(door.Stop(), door.Close())
}

// settled is the door, once the receipts of what was acknowledged have been handed over.
func (s *brokerInside) settled() *inside.Door {
	s.sending.Lock()
	defer s.sending.Unlock()
	return s.door()
}

// away does nothing: the relay lets nobody in.
func (*brokerInside) away(conformance.Trial) {}

// back opens another broker, which knows no session, after a restart.
func (s *brokerInside) back(t conformance.Trial) {
	if t != conformance.Restart {
		return
	}
	former := s.door()
	if err := s.open(); err == nil {
		_ = former.Close() // its connections are gone
	}
}

// authenticate is inside.Options.Authenticate.
func (s *brokerInside) authenticate(_ context.Context, device, password string) (bool, error) {
	if device == s.bench.device && password == s.bench.password {
		return true, nil
	}
	return false, s.bench.refused()
}

func answered(topic string, payload []byte) string { return topic + "\x00" + string(payload) }

func (s *brokerInside) judged(m *ingest.Message, receipts []ingest.Receipt, trial conformance.Trial) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch trial {
	case conformance.LateAck:
		s.owed, receipts = receipts, nil
	case conformance.Broken, conformance.WithheldAck, conformance.Takeover:
		receipts = nil // they would tell what the acknowledgement is not to tell
	}
	name := answered(m.Topic, m.Payload)
	s.answers[name] = append(s.answers[name], receipts)
}

// acknowledged sends the receipts of a message whose acknowledgement was late.
func (s *brokerInside) acknowledged(t conformance.Trial) {
	if t != conformance.LateAck {
		return
	}
	s.mu.Lock()
	owed := s.owed
	s.owed = nil
	s.mu.Unlock()
	if door := s.door(); len(owed) > 0 && door.Wanted(s.bench.device) {
		door.Send(s.bench.device, owed)
	}
}

// answer takes what was said of a message; false for a last will, which nobody heard.
func (s *brokerInside) answer(m *ingest.Message) (receipts []ingest.Receipt, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := answered(m.Topic, m.Payload)
	all := s.answers[name]
	if len(all) == 0 {
		return nil, false
	}
	if s.answers[name] = all[1:]; len(all) == 1 {
		delete(s.answers, name)
	}
	return all[0], true
}

// submit is inside.Submit.
func (s *brokerInside) submit(_ context.Context, m ingest.Message) {
	if m.Rivals {
		return // no device has said so: its connections were broken one after another, as the trials want
	}
	receipts, heard := s.answer(&m)
	if !heard {
		s.bench.bench.Message(0, m)
	}
	s.sending.RLock()
	defer s.sending.RUnlock()
	m.Done(nil)
	if door := s.door(); len(receipts) > 0 && door.Wanted(s.bench.device) {
		door.Send(s.bench.device, receipts)
	}
}

// certificates makes those of a bench by TLS, and writes the authority's.
func (b *benching) certificates(address net.Addr) (*relay.Certificates, error) {
	host, _, err := net.SplitHostPort(address.String())
	if err != nil {
		return nil, err
	}
	names := []string{host, "localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	if own, err := net.InterfaceAddrs(); err == nil {
		for _, a := range own {
			if network, ok := a.(*net.IPNet); ok {
				names = append(names, network.IP.String())
			}
		}
	}
	made, err := relay.NewCertificates(names, b.now())
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(b.authority, made.Authority(), 0o644); err != nil {
		return nil, fmt.Errorf("write the authority (--ca-out): %w", err)
	}
	return made, nil
}
