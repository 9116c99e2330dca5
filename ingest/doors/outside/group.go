package outside

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"vigie/ingest"
)

// A broker keeps for a session of a shared group its share of the messages, also while
// its node is away. So a session of which a node takes leave is emptied first: its
// subscription ends, what waits in it is taken, and the broker forgets it. Emptying
// ends with a message of the door's own, which comes behind all that waited.

// mark is the message that ends an emptying.
type mark struct {
	topic, payload string
	seen           chan struct{}
	once           sync.Once
}

var (
	errAside  = errors.New("this node does not know whether it still counts as one of the group, and leaves the broker alone: see that the database answers")
	errTaken  = errors.New("the connection was lost, or the node of the session is back")
	errOneOff = errors.New("a door without a group has no sessions of others")
)

// StandAside ends all connections and makes none until it is called with false: the
// other nodes may take over what the sessions of this one hold.
func (d *Door) StandAside(aside bool) {
	if d.aside.Swap(aside) == aside || !aside {
		return
	}
	for _, s := range d.sessions {
		if l := s.link.Load(); l != nil {
			l.drop(errAside)
		}
	}
}

// Subscribed reports whether every session is connected and has subscribed once.
func (d *Door) Subscribed() bool {
	return d.opened.Load() == int64(len(d.sessions)) && d.Connected()
}

// Unsubscribe ends the subscriptions of all sessions. What waits in them stays, and
// comes.
func (d *Door) Unsubscribe() error {
	d.left.Store(true)
	for _, s := range d.sessions {
		if err := s.unsubscribe(); err != nil {
			return err
		}
	}
	return nil
}

// Subscribe takes an Unsubscribe back.
func (d *Door) Subscribe() error {
	d.left.Store(false)
	for _, s := range d.sessions {
		if err := subscribe(s.client, d.options.filters(), d.options.former()); err != nil {
			return err
		}
	}
	return nil
}

// Empty returns once everything that waits in the sessions, which have unsubscribed,
// is done with.
func (d *Door) Empty(ctx context.Context) error {
	for _, s := range d.sessions {
		if err := s.empty(ctx); err != nil {
			return fmt.Errorf("empty the session %s: %w", s.name, err)
		}
	}
	return nil
}

// Forget has the broker forget a session, with whatever is in it. Nobody may be
// connected under its name who is still needed.
func (d *Door) Forget(ctx context.Context, name string) error {
	s := &session{door: d, name: name, gone: make(chan struct{})}
	options := s.clientOptions().SetCleanSession(true).SetAutoReconnect(false)
	client := mqtt.NewClient(options)
	if err := wait(ctx, client.Connect(), nil); err != nil {
		return fmt.Errorf("have the broker forget the session %s: %w", name, err)
	}
	client.Disconnect(uint(disconnectTimeout.Milliseconds()))
	return nil
}

// Guest is the session of a node that is gone, taken over to be emptied.
type Guest struct{ session *session }

// TakeOver connects in the name of another node, and hands over what waits for it. It
// does not connect again: a node that comes back takes its session back.
func (d *Door) TakeOver(ctx context.Context, name string) (*Guest, error) {
	if d.options.Group == "" {
		return nil, errOneOff
	}
	s := &session{door: d, name: name, gone: make(chan struct{})}
	options := s.clientOptions().SetAutoReconnect(false)
	options.SetConnectionLostHandler(func(mqtt.Client, error) { close(s.gone) })
	s.client = mqtt.NewClient(options)
	if err := wait(ctx, s.client.Connect(), nil); err != nil {
		return nil, fmt.Errorf("take over the session %s: %w", name, err)
	}
	return &Guest{s}, nil
}

// Unsubscribe ends the subscription of the session.
func (g *Guest) Unsubscribe() error { return g.session.unsubscribe() }

// Empty returns once everything that waits in the session is done with.
func (g *Guest) Empty(ctx context.Context) error { return g.session.empty(ctx) }

// Close ends the connection; the broker keeps the session.
func (g *Guest) Close() { g.session.close() }

// unsubscribe ends every subscription to what devices publish.
func (s *session) unsubscribe() error {
	o := &s.door.options
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	return wait(ctx, s.client.Unsubscribe(append(o.former(), o.filter(), o.canaryTopic(canaryBack))...), s.gone)
}

// empty publishes a mark to its own session, and waits until it comes and all that
// came before is done with.
func (s *session) empty(ctx context.Context) error {
	const atLeastOnce = 1
	topic := ingest.Topic(s.door.options.Prefix, canaryName, fmt.Sprintf("%x/%s", s.name, canaryEnd))
	m := &mark{topic: topic, payload: rand.Text(), seen: make(chan struct{})}
	s.last.Store(m)
	if err := wait(ctx, s.client.Subscribe(topic, atLeastOnce, nil), s.gone); err != nil {
		return err
	}
	if err := wait(ctx, s.client.Publish(topic, atLeastOnce, false, m.payload), s.gone); err != nil {
		return err
	}
	if err := until(ctx, m.seen, s.gone); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		s.busy.Wait()
		close(done)
	}()
	return until(ctx, done, s.gone)
}

// ends reports whether a message is the mark that ends an emptying of this session.
func (s *session) ends(p publication) bool {
	last := s.last.Load()
	if last == nil || p.topic != last.topic || string(p.payload) != last.payload {
		return false
	}
	last.once.Do(func() { close(last.seen) })
	return true
}

// wait returns what comes of a token, unless ctx or gone ends first.
func wait(ctx context.Context, token mqtt.Token, gone <-chan struct{}) error {
	if err := until(ctx, token.Done(), gone); err != nil {
		return err
	}
	return token.Error()
}

func until(ctx context.Context, done, gone <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-gone:
		return errTaken
	case <-ctx.Done():
		return ctx.Err()
	}
}
