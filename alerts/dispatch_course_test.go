package alerts_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/alerts"
)

// TestWhateverBecomesOfMessages lets channels and the store fail, the service be killed
// and the clock step: every message is confirmed, or given up with its reason; one that
// was noted as confirmed is not sent again; only a kill between the two sends it twice.
func TestWhateverBecomesOfMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := newBox()
		for i := range rapid.IntRange(1, 12).Draw(t, "messages") {
			m := mail(fmt.Sprint("m-", i))
			m.Created = morning
			store.messages[m.ID] = &m
		}
		confirmed, kills := map[string]int{}, 0
		fails := rapid.IntRange(0, 3).Draw(t, "fails")
		line := &wire{}
		line.answer = func(m alerts.Outgoing) error {
			if !store.messages[m.ID].SentAt.IsZero() || !store.messages[m.ID].GivenUp.IsZero() {
				return fmt.Errorf("%s was done with", m.ID)
			}
			switch {
			case fails == 0 || len(line.carried)%(fails+1) == 0:
				confirmed[m.ID]++
				return nil
			case len(line.carried)%7 == 0:
				return alerts.ErrUndeliverable
			}
			return errors.New("not now")
		}
		d := dispatcher(store, map[string]alerts.Channel{alerts.Mail: line})
		now := morning
		for range rapid.IntRange(1, 20).Draw(t, "sweeps") {
			switch rapid.IntRange(0, 5).Draw(t, "event") {
			case 0:
				d = dispatcher(store, map[string]alerts.Channel{alerts.Mail: line})
				kills++
			case 1:
				store.sentFail = errors.New("disk full")
			case 2:
				store.sentFail = nil
			case 3:
				now = now.Add(-2 * time.Hour)
			default:
				now = now.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "seconds")) * time.Second)
			}
			if _, err := d.Dispatch(t.Context(), now); err != nil && store.sentFail == nil {
				t.Fatal(err)
			}
		}
		store.sentFail = nil
		for range 400 {
			now = now.Add(15 * time.Minute)
			if _, err := d.Dispatch(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
		for id, m := range store.messages {
			if m.SentAt.IsZero() == m.GivenUp.IsZero() {
				t.Fatalf("%s: sent at %v, given up at %v", id, m.SentAt, m.GivenUp)
			}
			if n := confirmed[id]; n > 1+kills || !m.SentAt.IsZero() && n == 0 {
				t.Fatalf("%s was confirmed %d times, with %d kills", id, n, kills)
			}
		}
	})
}
