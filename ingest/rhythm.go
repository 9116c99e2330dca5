package ingest

import (
	"math"
	"time"
)

// rhythm says how long a batch waits for more. A lone reading is committed at once. Of
// a stream, what comes while one batch is committed makes the next, and that waits the
// longer the faster the stream is: one sync of the disk then serves more readings, and
// so does the writing of every page that they share.
//
// The times are the machine's: this is about load, not about what was measured when.
type rhythm struct {
	most  time.Duration // to wait; 0 for not at all
	timer *time.Timer
	rate  float64   // messages a second, of late
	last  time.Time // when the last batch was begun
	alone bool      // one device sent all of it
}

const (
	// streamFrom is the rate, in messages a second, from which batches wait. Below it the
	// commits of all messages one by one take a tenth of a processor.
	streamFrom = 500
	// lingerFor is how long a batch waits for each message a second: 2 ms at 5,000/s. A
	// wait doubles what an alert takes before it doubles what a commit serves.
	lingerFor = 400 * time.Nanosecond
	// Beyond so many messages in a batch, what a commit costs in itself no longer counts
	// beside what each message costs. A fast stream waits for them, and somewhat longer,
	// as its devices send the next only when they are answered.
	plenty    = 256
	plentyFor = 2 * time.Millisecond
	// recently is over which time the rate counts.
	recently = 50 * time.Millisecond
)

func newRhythm(most time.Duration) *rhythm {
	timer := time.NewTimer(0)
	timer.Stop()
	return &rhythm{most: most, timer: timer}
}

// begin notes that a batch is begun.
func (r *rhythm) begin(now time.Time, items []*item) {
	since := now.Sub(r.last)
	r.last = now
	if len(items) == 0 || since <= 0 {
		return
	}
	// Each batch counts for the time since the one before, fading away over time.
	kept := faded(since)
	r.rate = r.rate*kept + float64(len(items))/since.Seconds()*(1-kept)
	r.alone = true
	for _, it := range items[1:] {
		r.alone = r.alone && it.sender == items[0].sender
	}
}

// faded is what is left of the rate after a while.
func faded(since time.Duration) float64 { return math.Exp(-float64(since) / float64(recently)) }

// wait is how long the next batch waits for more. A device that alone sends, and waits
// for each acknowledgement, is not made to wait longer.
func (r *rhythm) wait(now time.Time) time.Duration {
	rate := r.rate * faded(now.Sub(r.last))
	if r.alone || rate < streamFrom {
		return 0
	}
	enough := max(plentyFor, time.Duration(plenty/rate*float64(time.Second)))
	return min(r.most, enough, time.Duration(rate*float64(lingerFor)))
}

// rest gives a batch the time to grow, unless closing ends it.
func (r *rhythm) rest(closing <-chan struct{}) {
	wait := r.wait(time.Now())
	if wait <= 0 {
		return
	}
	r.timer.Reset(wait)
	select {
	case <-r.timer.C:
	case <-closing:
		r.timer.Stop()
	}
}
