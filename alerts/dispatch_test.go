package alerts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

var morning = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// box is an outbox in memory; the rest of the store is not there.
type box struct {
	alerts.Store
	mu       sync.Mutex
	messages map[string]*alerts.Outgoing
	sentFail error       // what Sent returns
	pruned   []time.Time // what ForgetSent was asked
}

func newBox(messages ...alerts.Outgoing) *box {
	b := &box{messages: map[string]*alerts.Outgoing{}}
	for _, m := range messages {
		if m.Created.IsZero() {
			m.Created = morning
		}
		b.messages[m.ID] = &m
	}
	return b
}

func (b *box) Outbox(_ context.Context, channel string, now time.Time, limit int) ([]alerts.Outgoing, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var due []alerts.Outgoing
	for _, m := range b.messages {
		if m.Channel == channel && m.SentAt.IsZero() && m.GivenUp.IsZero() && !m.NotUntil.After(now) && len(due) < limit {
			due = append(due, *m)
		}
	}
	return due, nil
}

func (b *box) Sent(_ context.Context, id string, at time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sentFail != nil {
		return b.sentFail
	}
	b.messages[id].SentAt = at
	return nil
}

func (b *box) Retry(_ context.Context, id string, at time.Time, reason string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.messages[id]
	if m.Again.IsZero() {
		m.Again = at
	}
	m.NotUntil, m.Error, m.Attempts = at, reason, m.Attempts+1
	return nil
}

func (b *box) Refuse(_ context.Context, id string, now time.Time, reason string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages[id].GivenUp, b.messages[id].Error = now, reason
	return nil
}

func (b *box) ForgetSent(_ context.Context, sentBefore time.Time) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pruned = append(b.pruned, sentBefore)
	return 0, nil
}

// wire is a channel that answers as told and remembers what it carried.
type wire struct {
	mu      sync.Mutex
	answer  func(alerts.Outgoing) error
	carried []string
}

func (w *wire) Send(_ context.Context, m alerts.Outgoing) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.carried = append(w.carried, m.ID)
	if w.answer == nil {
		return nil
	}
	return w.answer(m)
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.carried)
}

func mail(id string) alerts.Outgoing {
	return alerts.Outgoing{ID: id, Channel: alerts.Mail, To: "a@example.org", Alert: "a-1", Event: alerts.EventRaised, Level: protocols.Red}
}

func dispatcher(store alerts.Store, channels map[string]alerts.Channel) *alerts.Dispatcher {
	return &alerts.Dispatcher{Store: store, Channels: channels, Jitter: func() float64 { return 0.5 }}
}

func sweep(t *testing.T, d *alerts.Dispatcher, after time.Duration, want int) {
	t.Helper()
	if got, err := d.Dispatch(t.Context(), morning.Add(after)); err != nil || got != want {
		t.Fatalf("after %v: %d sent, %v; want %d", after, got, err, want)
	}
}

// A receiver that is busy says for how long; it is not pressed, and is not let off for
// longer than any other failure.
func TestMessageIsNotTriedAgainBeforeTheOtherSideAskedFor(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		time.Second: 7500 * time.Millisecond, // what the first failure costs in any case
		time.Minute: time.Minute, 24 * time.Hour: 15 * time.Minute,
	} {
		busy := fmt.Errorf("call: %w", &alerts.NotBefore{Wait: asked, Err: errors.New("429")})
		store, line := newBox(mail("m-1")), &wire{answer: func(alerts.Outgoing) error { return busy }}
		d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: line})
		sweep(t, d, 0, 0)
		sweep(t, d, want-time.Millisecond, 0)
		if line.count() != 1 {
			t.Errorf("asked for %v: tried %d times within %v", asked, line.count(), want)
		}
		line.answer = nil
		sweep(t, d, want, 1)
	}
}

// TestClockThatIsPutBackHoldsUpNoMessage holds that a message which is to be tried
// again does not wait for the clock to come back to where it was.
func TestClockThatIsPutBackHoldsUpNoMessage(t *testing.T) {
	store := newBox(mail("m-1"))
	channel := &wire{answer: func(alerts.Outgoing) error { return errors.New("not now") }}
	d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: channel})
	sweep(t, d, 2*time.Hour, 0)
	channel.answer = nil
	sweep(t, d, 2*time.Hour+time.Second, 0)
	sweep(t, d, time.Second, 1)
	sweep(t, d, 2*time.Second, 0)
}

func TestMessageLeavesOnce(t *testing.T) {
	store, line := newBox(mail("m-1"), mail("m-2")), &wire{}
	d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: line})
	sweep(t, d, 0, 2)
	sweep(t, d, time.Hour, 0)
	if line.count() != 2 {
		t.Errorf("carried %v", line.carried)
	}
}

func TestServerAwayForHours(t *testing.T) {
	away := errors.New("connection refused")
	store, line := newBox(mail("m-1")), &wire{answer: func(alerts.Outgoing) error { return away }}
	d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: line})
	var gaps []time.Duration
	at := time.Duration(0)
	for range 12 {
		sweep(t, d, at, 0)
		next := store.messages["m-1"].NotUntil.Sub(morning)
		gaps = append(gaps, next-at)
		sweep(t, d, next-time.Millisecond, 0)
		at = next
	}
	if line.count() != 12 {
		t.Errorf("%d attempts, want 12: none before its time", line.count())
	}
	for i := 1; i < len(gaps); i++ {
		if gaps[i] < gaps[i-1] || gaps[i] > 15*time.Minute {
			t.Errorf("waits %v: want them to grow up to 15 minutes", gaps)
			break
		}
	}
	line.answer = nil
	sweep(t, d, at, 1)
	if m := store.messages["m-1"]; m.SentAt.IsZero() || m.Attempts != 12 {
		t.Errorf("the server is back, the message is %+v", m)
	}
}

func TestMessageIsGivenUpAfterDays(t *testing.T) {
	store, line := newBox(mail("m-1")), &wire{answer: func(alerts.Outgoing) error { return errors.New("connection refused") }}
	d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: line})
	sweep(t, d, 0, 0)
	sweep(t, d, 71*time.Hour, 0)
	if m := store.messages["m-1"]; !m.GivenUp.IsZero() {
		t.Fatalf("given up after 71 hours: %+v", m)
	}
	sweep(t, d, 73*time.Hour, 0)
	if m := store.messages["m-1"]; m.GivenUp.IsZero() || !strings.Contains(m.Error, "connection refused") {
		t.Errorf("after 73 hours: %+v", m)
	}
	sweep(t, d, 100*time.Hour, 0)
	if line.count() != 3 {
		t.Errorf("%d attempts, want 3", line.count())
	}
}

// A message waited for the opening after a long weekend, or for the service to start again:
// only then it is tried, and its patience begins.
func TestWhatWasHeldBackForDaysIsTriedForDays(t *testing.T) {
	held := mail("m-1")
	held.NotUntil = morning.Add(84 * time.Hour)
	store, line := newBox(held), &wire{answer: func(alerts.Outgoing) error { return errors.New("connection refused") }}
	d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: line})
	sweep(t, d, 90*time.Hour, 0)
	sweep(t, d, 161*time.Hour, 0)
	if m := store.messages["m-1"]; !m.GivenUp.IsZero() || m.Attempts != 2 {
		t.Fatalf("tried for 71 hours: %+v", m)
	}
	sweep(t, d, 163*time.Hour, 0)
	if m := store.messages["m-1"]; m.GivenUp.IsZero() {
		t.Errorf("tried for 73 hours: %+v", m)
	}
}

func TestAddressThatIsRefusedForGood(t *testing.T) {
	store := newBox(mail("m-1"))
	line := &wire{answer: func(alerts.Outgoing) error { return fmt.Errorf("%w: 550 no such user", alerts.ErrUndeliverable) }}
	d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: line})
	sweep(t, d, 0, 0)
	sweep(t, d, time.Hour, 0)
	if m := store.messages["m-1"]; m.GivenUp.IsZero() || !strings.Contains(m.Error, "550") || line.count() != 1 {
		t.Errorf("after %d attempts: %+v", line.count(), m)
	}
}

func TestConfirmedIsNotSentAgainThoughTheStoreFailed(t *testing.T) {
	store, line := newBox(mail("m-1")), &wire{}
	store.sentFail = errors.New("disk full")
	d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: line})
	for range 3 {
		if _, err := d.Dispatch(t.Context(), morning); !errors.Is(err, store.sentFail) {
			t.Fatalf("got %v, want the failure of the store", err)
		}
	}
	store.sentFail = nil
	sweep(t, d, time.Minute, 1)
	if line.count() != 1 || !store.messages["m-1"].SentAt.Equal(morning) {
		t.Errorf("sent %d times, noted as sent at %v", line.count(), store.messages["m-1"].SentAt)
	}
}

func TestOneChannelDoesNotHoldBackTheOther(t *testing.T) {
	hook := alerts.Outgoing{ID: "h-1", Channel: alerts.Webhook, To: "https://example.org"}
	store := newBox(mail("m-1"), hook)
	carried := make(chan struct{})
	hangs := &wire{answer: func(alerts.Outgoing) error {
		select {
		case <-carried:
			return nil
		case <-time.After(20 * time.Second):
			return errors.New("the webhook waited for the mail")
		}
	}}
	quick := &wire{answer: func(alerts.Outgoing) error { close(carried); return nil }}
	sweep(t, dispatcher(store, map[string]alerts.Channel{alerts.Mail: hangs, alerts.Webhook: quick}), 0, 2)
}

func TestAChannelThatIsAwayIsNotAskedForEveryMessage(t *testing.T) {
	var messages []alerts.Outgoing
	for i := range 100 {
		messages = append(messages, mail(fmt.Sprint("m-", i)))
	}
	store, line := newBox(messages...), &wire{answer: func(alerts.Outgoing) error { return errors.New("timed out") }}
	sweep(t, dispatcher(store, map[string]alerts.Channel{alerts.Mail: line}), 0, 0)
	if line.count() > 8 {
		t.Errorf("%d messages tried on a server that is away", line.count())
	}
}

func TestNobodyInChargeFallsBackToThoseWhoAre(t *testing.T) {
	service := alerts.Care{Team: alerts.Team{ID: "service"}}
	for name, c := range map[string]struct {
		directory alerts.Directory
		want      string
	}{
		"somebody in charge": {only{"e-1": {Team: alerts.Team{ID: "team-a"}}, "": service}, "team-a"},
		"of the rest":        {only{"": service}, "service"},
		"nobody":             {only{}, ""},
	} {
		care, err := alerts.CareFor(c.directory, "e-1")
		if err != nil || care.Team.ID != c.want {
			t.Errorf("%s: team %q, %v; want %q", name, care.Team.ID, err, c.want)
		}
	}
}

type only map[string]alerts.Care

func (o only) Care(enrolment string) (alerts.Care, error) {
	care, ok := o[enrolment]
	if !ok {
		return care, alerts.ErrNoCare
	}
	return care, nil
}

func TestOldMessagesAreForgottenAndThoseWithoutAChannelGivenUp(t *testing.T) {
	hook := alerts.Outgoing{ID: "h-1", Channel: alerts.Webhook, To: "https://example.org"}
	store := newBox(hook)
	d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: &wire{}})
	for minutes := range 70 {
		sweep(t, d, 70*time.Hour+time.Duration(minutes)*time.Minute, 0)
	}
	if len(store.pruned) != 2 || !store.pruned[0].Equal(morning.Add(70*time.Hour).AddDate(0, 0, -30)) {
		t.Errorf("pruned %v, want once an hour what is 30 days old", store.pruned)
	}
	if m := store.messages["h-1"]; !m.GivenUp.IsZero() {
		t.Errorf("given up too early: %+v", m)
	}
	sweep(t, d, 73*time.Hour, 0)
	if m := store.messages["h-1"]; m.GivenUp.IsZero() || !strings.Contains(m.Error, "webhook") {
		t.Errorf("nobody has configured webhooks, the message is %+v", m)
	}
}

// sendFunc is a channel.
type sendFunc func(ctx context.Context) error

func (s sendFunc) Send(ctx context.Context, _ alerts.Outgoing) error { return s(ctx) }

// TestServiceThatStopsHearsTheAnswerToWhatIsUnderWay has a service stop between the
// confirmation of a message and the moment it hears of it, and while a server hangs.
func TestServiceThatStopsHearsTheAnswerToWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answers := range []bool{true, false} {
			ctx, stop := context.WithCancel(t.Context())
			store := newBox(mail("m1"))
			d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: sendFunc(func(sending context.Context) error {
				stop()
				synctest.Wait()
				if answers {
					return sending.Err()
				}
				<-sending.Done()
				return sending.Err()
			})})
			began := time.Now()
			sent, _ := d.Dispatch(ctx, morning)
			if want := map[bool]int{true: 1}[answers]; sent != want {
				t.Errorf("the server answers %v: %d messages confirmed, want %d", answers, sent, want)
			}
			if waited := time.Since(began); waited > 5*time.Second {
				t.Errorf("the service took %v to stop", waited)
			}
		}
	})
}
