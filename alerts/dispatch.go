package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

// Channel sends messages. Each is a folder under channels.
type Channel interface {
	// Send returns nil once the other side has confirmed the message. An error
	// that wraps ErrUndeliverable says that it never will; any other that it is
	// worth trying again. Sending a message twice may reach people twice, so a
	// channel carries Outgoing.ID in a form the other side can tell it by.
	Send(ctx context.Context, message Outgoing) error
}

// ErrUndeliverable is wrapped by the error of a channel whose other side has
// refused a message for good.
var ErrUndeliverable = errors.New("refused for good")

// ErrGone is wrapped by the error of a channel whose other side says that the address is
// no more. It wraps ErrUndeliverable.
var ErrGone = fmt.Errorf("%w, the address is no more", ErrUndeliverable)

// NotBefore is the error of a channel whose other side asks not to be tried again for
// that long.
type NotBefore struct {
	Wait time.Duration
	Err  error
}

// Error is part of error.
func (n *NotBefore) Error() string { return n.Err.Error() }

// Unwrap lets errors.Is and errors.As see the failure itself.
func (n *NotBefore) Unwrap() error { return n.Err }

// Dispatcher sends what waits in the outbox. A message that was confirmed is not
// sent again; one that was not is sent again, later and later, for days.
type Dispatcher struct {
	Store    Store
	Channels map[string]Channel
	Metrics  *Metrics     // may be nil
	Log      *slog.Logger // may be nil

	// Patience is how long a message is tried again before it is given up; three days
	// when zero. It does not run while a message is held back, nor while the service is
	// stopped before a first attempt.
	Patience time.Duration
	// Timeout bounds one attempt; 30 s when zero.
	Timeout time.Duration
	// Keep is how long a message that was sent is remembered; 30 days when zero.
	Keep time.Duration
	// Gone is called when an address is no more, before the message to it is given up, and
	// again if it fails or the service stops before that. May be nil.
	Gone func(ctx context.Context, message Outgoing, now time.Time) error
	// Beside adds to a message, as it is sent, until when an answer is due and how many
	// alerts wait. Without it a message goes as it was written. May be nil.
	Beside func(ctx context.Context, message *Outgoing)
	// Jitter spreads attempts: a number in [0, 1); random when nil.
	Jitter func() float64

	mu sync.Mutex
	// confirmed holds messages that were confirmed and could not be noted as
	// such, so that they are noted later and not sent again.
	confirmed sync.Map // of id to time.Time
	tidied    time.Time
	swept     time.Time
}

// parting is how long a message that is under way when the service stops may still
// take: one that was broken off may have been confirmed, and would come again.
const parting = 5 * time.Second

// Messages are tried again after firstRetry at first, then after twice as long
// each time, up to lastRetry, and not before the other side asked for. The others are
// the defaults of a Dispatcher.
const (
	firstRetry = 10 * time.Second
	lastRetry  = 15 * time.Minute
	patience   = 72 * time.Hour
	timeout    = 30 * time.Second
	keep       = 30 * 24 * time.Hour
)

const (
	posted   = 200 // messages read from the outbox at a time
	abreast  = 4   // messages of one channel under way at a time
	failures = 3   // in a row, after which a channel rests until the next sweep
)

// Dispatch sends once everything that is due, by all channels at the same time,
// so that one that hangs does not hold back the others. It returns how many
// messages were confirmed. A message that fails is no error: it waits. One
// sweep at a time; a second returns at once.
func (d *Dispatcher) Dispatch(ctx context.Context, now time.Time) (int, error) {
	if !d.mu.TryLock() {
		return 0, nil
	}
	defer d.mu.Unlock()
	until := now
	if now.Before(d.swept) {
		// The clock was put back. What was to be sent by the time it showed before
		// would wait for as long as it was ahead.
		until = d.swept.Add(lastRetry)
	}
	d.swept = now
	var sent atomic.Int64
	var sweeps errgroup.Group
	for _, name := range slices.Sorted(maps.Keys(d.Channels)) {
		sweeps.Go(func() error {
			if err := d.sweep(ctx, name, now, until, &sent); err != nil {
				return fmt.Errorf("send messages by %s: %w", name, err)
			}
			return nil
		})
	}
	err := errors.Join(sweeps.Wait(), d.tidy(ctx, now))
	return int(sent.Load()), err
}

// Due reports whether Dispatch would find a message to send by then. What it does
// beside, once an hour, it does when it is next called.
func (d *Dispatcher) Due(ctx context.Context, by time.Time) (bool, error) {
	for name := range d.Channels {
		if waiting, err := d.Store.Outbox(ctx, name, by, 1); err != nil || len(waiting) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// tidy forgets, once an hour, what was sent long ago, and gives up what waits
// for a channel that nobody has configured.
func (d *Dispatcher) tidy(ctx context.Context, now time.Time) error {
	if now.Sub(d.tidied) < time.Hour && !now.Before(d.tidied) {
		return nil
	}
	if _, err := d.Store.ForgetSent(ctx, now.Add(-orElse(d.Keep, keep))); err != nil {
		return fmt.Errorf("forget old messages: %w", err)
	}
	for _, kind := range kinds {
		name := kind.Name
		if d.Channels[name] != nil {
			continue
		}
		waiting, err := d.Store.Outbox(ctx, name, now.Add(-orElse(d.Patience, patience)), posted)
		if err != nil {
			return err
		}
		old := 0
		for _, m := range waiting {
			if now.Sub(m.Created) < orElse(d.Patience, patience) {
				continue
			}
			if err := d.giveUp(ctx, m, now, "no channel named "+name+" is configured"); err != nil {
				return err
			}
			old++
		}
		if old == posted {
			return nil // more of them: go on at the next sweep
		}
	}
	d.tidied = now
	return nil
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// sweep sends what is due by one channel until then, until nothing is or the
// channel seems to be away.
func (d *Dispatcher) sweep(ctx context.Context, name string, now, until time.Time, sent *atomic.Int64) error {
	var inRow atomic.Int64
	for {
		due, err := d.Store.Outbox(ctx, name, until, posted)
		if err != nil {
			return err
		}
		var attempts errgroup.Group
		attempts.SetLimit(abreast)
		for _, message := range due {
			attempts.Go(func() error {
				if inRow.Load() >= failures || ctx.Err() != nil {
					return nil
				}
				what, err := d.attempt(ctx, message, now)
				switch what {
				case sentIt:
					inRow.Store(0)
					sent.Add(1)
				case waits:
					inRow.Add(1)
				}
				return err
			})
		}
		if err := attempts.Wait(); err != nil {
			return err
		}
		if len(due) < posted || inRow.Load() >= failures || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// fate is what became of an attempt.
type fate int

const (
	sentIt fate = iota
	waits
	gaveUp
)

// attempt sends one message and notes what became of it. Only a store that
// fails is an error.
func (d *Dispatcher) attempt(ctx context.Context, m Outgoing, now time.Time) (fate, error) {
	if at, ok := d.confirmed.Load(m.ID); ok {
		return sentIt, d.note(ctx, m, at.(time.Time))
	}
	failure := d.send(ctx, m)
	switch {
	case failure == nil:
		d.confirmed.Store(m.ID, now)
		d.Metrics.confirmed(m.Channel, now.Sub(m.Created))
		return sentIt, d.note(ctx, m, now)
	case errors.Is(failure, ErrGone) && d.Gone != nil:
		if err := d.Gone(context.WithoutCancel(ctx), m, now); err != nil {
			return waits, fmt.Errorf("remove a contact that is no more: %w", err)
		}
		return gaveUp, d.giveUp(ctx, m, now, failure.Error())
	case errors.Is(failure, ErrUndeliverable):
		return gaveUp, d.giveUp(ctx, m, now, failure.Error())
	case !m.Again.IsZero() && now.Sub(m.Again) >= orElse(d.Patience, patience):
		return gaveUp, d.giveUp(ctx, m, now, fmt.Sprintf("not confirmed within %v, the last time: %v", orElse(d.Patience, patience), failure))
	}
	d.Metrics.attempted(m.Channel, "retried")
	next := now.Add(max(d.backOff(m.Attempts), asked(failure)))
	d.log().Warn("message not confirmed", "channel", m.Channel, "message", m.ID, "attempts", m.Attempts+1, "next", next, "error", failure)
	return waits, d.Store.Retry(context.WithoutCancel(ctx), m.ID, next, brief(failure.Error()))
}

func (d *Dispatcher) send(ctx context.Context, m Outgoing) error {
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), orElse(d.Timeout, timeout))
	defer cancel()
	stopping := context.AfterFunc(ctx, func() { time.AfterFunc(parting, cancel) })
	defer stopping()
	if d.Beside != nil {
		d.Beside(sending, &m)
	}
	return d.Channels[m.Channel].Send(sending, m)
}

// note records a confirmation, even when the service is stopping.
func (d *Dispatcher) note(ctx context.Context, m Outgoing, at time.Time) error {
	if err := d.Store.Sent(context.WithoutCancel(ctx), m.ID, at); err != nil {
		return err
	}
	d.confirmed.Delete(m.ID)
	return nil
}

func (d *Dispatcher) giveUp(ctx context.Context, m Outgoing, now time.Time, reason string) error {
	d.Metrics.attempted(m.Channel, "given-up")
	d.log().Error("message given up", "channel", m.Channel, "message", m.ID, "alert", m.Alert, "reason", reason)
	return d.Store.Refuse(context.WithoutCancel(ctx), m.ID, now, brief(reason))
}

// backOff is how long to wait after so many earlier attempts, between half and
// all of what the doubling says.
func (d *Dispatcher) backOff(attempts int) time.Duration {
	wait := lastRetry
	if attempts < 7 {
		wait = min(firstRetry<<attempts, lastRetry)
	}
	jitter := d.Jitter
	if jitter == nil {
		jitter = rand.Float64
	}
	return wait/2 + time.Duration(jitter()*float64(wait/2))
}

// asked is how long the other side asks to be left alone, up to lastRetry: a person
// waits for the message.
func asked(failure error) time.Duration {
	var later *NotBefore
	if !errors.As(failure, &later) {
		return 0
	}
	return min(later.Wait, lastRetry)
}

func (d *Dispatcher) log() *slog.Logger {
	if d.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Log
}

// brief keeps a reason to what is worth storing.
func brief(reason string) string {
	const longest = 300
	if len(reason) <= longest {
		return reason
	}
	end := longest
	for !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end] + "…"
}
