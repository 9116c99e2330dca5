package ingest

import (
	"fmt"
	"testing"
	"time"
)

// stream has messages of many devices come at a rate, in batches that each hold what
// came since the one before was begun, and returns how long the next one would wait.
func (r *rhythm) stream(rate float64, senders int) time.Duration {
	const commit = 700 * time.Microsecond
	now := time.Unix(1_800_000_000, 0)
	next := 0
	for range 500 {
		takes := commit + r.wait(now)
		items := make([]*item, max(1, int(rate*takes.Seconds())))
		for i := range items {
			items[i] = &item{sender: fmt.Sprint(next % senders)}
			next++
		}
		now = now.Add(max(takes, time.Duration(float64(len(items))/rate*float64(time.Second))))
		r.begin(now, items)
	}
	return r.wait(now)
}

func TestABatchWaitsAsItsRateSays(t *testing.T) {
	most := DefaultLimits().Linger
	for _, c := range []struct {
		name       string
		rate       float64
		senders    int
		most       time.Duration
		from, upTo time.Duration
	}{
		{"now and then a reading", 100, 100, most, 0, 0},
		{"a device that waits for each acknowledgement", 1_400, 1, most, 0, 0},
		{"5,000 a second", 5_000, 2_500, most, 1500 * time.Microsecond, 2500 * time.Microsecond},
		{"10,000 a second", 10_000, 5_000, most, 3 * time.Millisecond, most},
		{"as fast as it goes", 150_000, 50, most, plentyFor, plentyFor},
		{"never, as configured", 10_000, 5_000, 0, 0, 0},
	} {
		if got := newRhythm(c.most).stream(c.rate, c.senders); got < c.from || got > c.upTo {
			t.Errorf("%s: waits %v, want %v to %v", c.name, got, c.from, c.upTo)
		}
	}
}

// A stream that has ended leaves nothing behind: the next lone reading is committed
// at once.
func TestAfterAStreamALoneReadingDoesNotWait(t *testing.T) {
	r := newRhythm(DefaultLimits().Linger)
	if r.stream(10_000, 5_000) == 0 {
		t.Fatal("a stream does not wait")
	}
	if got := r.wait(r.last.Add(time.Second)); got != 0 {
		t.Errorf("a second later, a batch waits %v", got)
	}
}
