package ingest

import (
	"context"
	"errors"
	"sync"
	"time"
)

// queue holds the messages that wait to be committed, and makes devices wait
// when there is no room: for all when the queue is full, for one device when it
// has its share in flight or sends faster than it may. Memory is bounded by it.
type queue struct {
	limits Limits
	now    func() time.Time // the machine's: this is about load, not about what was measured when
	filled chan struct{}    // has one element when items may be waiting

	mu      sync.Mutex
	at      time.Time // when somebody last looked at the clock: each look costs as much as the rest
	lanes   lanes
	used    int // readings queued or being committed, but for those ahead
	ahead   int // readings of live devices that had no room among those
	waiters []*waiter
	crowded bool // somebody waits for room that all share, and nobody is to pass
	shares  map[string]*share
	closed  bool
	floods  []string // devices that went over their rate, not reported yet
	tidyAt  int      // number of shares at which idle ones are dropped
}

// share is what one device has in flight.
type share struct {
	device   string
	messages int
	waiting  int
	items    []*item   // those of its messages that are queued
	turn     int       // how many of these are left of its turn; 0 before it begins
	poured   time.Time // when it last sent more than a live device sends, or had to wait
	tokens   float64   // readings it may send before its rate counts
	counted  time.Time
	flooding bool // it went over its rate, and has not come back yet
}

// waiter is a message for which there is no room yet.
type waiter struct {
	item  *item
	ready chan struct{} // closed once it is queued, or turned away
	err   error         // why it was turned away; nil when it is queued
}

func newQueue(limits Limits) *queue {
	return &queue{limits: limits, now: time.Now, filled: make(chan struct{}, 1), shares: map[string]*share{}, tidyAt: 1024}
}

// put queues an item and waits for room as long as ctx allows.
func (q *queue) put(ctx context.Context, it *item) error {
	wait, err := q.offer(it)
	if err == nil && wait != nil {
		err = wait(ctx)
	}
	return err
}

// offer queues an item. Where it has to wait, it returns how: what it does is to be done
// before anything else of that device is offered.
func (q *queue) offer(it *item) (wait func(context.Context) error, err error) {
	if delay := q.spend(it); delay > 0 {
		return func(ctx context.Context) error {
			err := pause(ctx, delay)
			if err == nil {
				err = q.enter(ctx, it)
			}
			return q.refunded(it, err)
		}, nil
	}
	w, err := q.line(it)
	if w == nil {
		return nil, q.refunded(it, err)
	}
	return func(ctx context.Context) error { return q.refunded(it, q.wait(ctx, w)) }, nil
}

// refunded takes back what an item has cost its device when it was not taken.
func (q *queue) refunded(it *item, err error) error {
	if err != nil {
		q.refund(it)
	}
	return err
}

// enter queues what may be sent now.
func (q *queue) enter(ctx context.Context, it *item) error {
	w, err := q.line(it)
	if w == nil {
		return err
	}
	return q.wait(ctx, w)
}

// line queues an item, or returns its place among those that wait for room.
func (q *queue) line(it *item) (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, ErrClosed
	}
	if q.limits.Rate <= 0 { // else it was looked at just now
		q.at = q.now()
	}
	it.share = q.shareOf(it.sender)
	room := q.room(it)
	it.ahead = (!room || q.crowded) && q.goesAhead(it)
	if it.ahead || room && !q.crowded && it.share.waiting == 0 {
		q.admit(it)
		return nil, nil
	}
	if !room && it.share.messages < q.limits.PerDevice {
		q.crowded = true
	}
	w := &waiter{item: it, ready: make(chan struct{})}
	it.share.waiting++
	it.share.poured = q.at
	q.waiters = append(q.waiters, w)
	return w, nil
}

func (q *queue) wait(ctx context.Context, w *waiter) error {
	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.waiters {
		if q.waiters[i] == w {
			q.waiters = append(q.waiters[:i], q.waiters[i+1:]...)
			w.item.share.waiting--
			return ctx.Err()
		}
	}
	return w.err // it was queued, or turned away, just now
}

// room reports whether an item may be queued. One that is larger than the whole
// queue may when the queue is empty.
func (q *queue) room(it *item) bool {
	return it.share.messages < q.limits.PerDevice && (q.used == 0 || q.used+it.weight <= q.limits.Queue)
}

// goesAhead reports whether an item need not wait for room behind devices that pour:
// live devices have room of their own, a quarter of the queue.
func (q *queue) goesAhead(it *item) bool {
	s := it.share
	return it.message.Client != "" && it.weight <= liveReadings && s.messages < q.limits.PerDevice &&
		q.ahead+it.weight <= q.limits.Queue/4 && s.live(s.messages+1, q.at)
}

func (q *queue) admit(it *item) {
	it.share.messages++
	*q.heldBy(it) += it.weight
	q.lanes.add(it, q.at)
	q.signal()
}

// heldBy is the room that an item is counted in.
func (q *queue) heldBy(it *item) *int {
	if it.ahead {
		return &q.ahead
	}
	return &q.used
}

// leave gives back what an item has held.
func (q *queue) leave(it *item) {
	it.share.messages--
	*q.heldBy(it) -= it.weight
}

// signal tells who commits that items wait.
func (q *queue) signal() {
	select {
	case q.filled <- struct{}{}:
	default:
	}
}

func (q *queue) shareOf(device string) *share {
	s := q.shares[device]
	if s == nil {
		q.tidy()
		s = &share{device: device, tokens: float64(q.limits.Burst)}
		q.shares[device] = s
	}
	return s
}

// tidy drops the shares of devices that have been idle long enough to be owed
// nothing.
func (q *queue) tidy() {
	if len(q.shares) < q.tidyAt {
		return
	}
	now := q.now()
	for device, s := range q.shares {
		if s.messages == 0 && s.waiting == 0 && s.refilled(q.limits, now) >= float64(q.limits.Burst) {
			delete(q.shares, device)
		}
	}
	q.tidyAt = 2*len(q.shares) + 1024
}

// refilled is how many readings a device may send at once now.
func (s *share) refilled(limits Limits, now time.Time) float64 {
	return min(float64(limits.Burst), s.tokens+now.Sub(s.counted).Seconds()*limits.Rate)
}

// pause waits for so long, or until ctx ends.
func pause(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// spend counts an item against the rate of its device and returns how long that device,
// and it alone, has to wait when it sends faster than it may.
func (q *queue) spend(it *item) time.Duration {
	if q.limits.Rate <= 0 {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.at = q.now()
	s := q.shareOf(it.sender)
	s.tokens = s.refilled(q.limits, q.at) - float64(it.weight)
	s.counted = q.at
	if s.tokens >= 0 {
		s.flooding = s.flooding && s.tokens < float64(q.limits.Burst)/2
		return 0
	}
	s.poured = q.at
	if !s.flooding {
		s.flooding = true
		q.floods = append(q.floods, it.sender)
	}
	return time.Duration(-s.tokens / q.limits.Rate * float64(time.Second))
}

// refund takes back what spend has counted, for an item that was not taken: it will
// be sent again. Counted each time, a device that gives up sooner than it would have
// to wait would have to wait longer and longer.
func (q *queue) refund(it *item) {
	if q.limits.Rate <= 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.shareOf(it.sender)
	s.tokens = min(float64(q.limits.Burst), s.tokens+float64(it.weight))
}

// flooding returns the devices that went over their rate since the last call.
func (q *queue) flooding() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	floods := q.floods
	q.floods = nil
	return floods
}

// waiting is how many readings there are, between two commits.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.used + q.ahead
}

// take returns the items that are next, up to so many readings but at least one item. What
// was taken before is released by then.
func (q *queue) take(readings int) []*item {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.at = q.now()
	taken := q.lanes.take(readings, q.used+q.ahead, q.at)
	if !q.lanes.empty() {
		q.signal()
	}
	return taken
}

// release makes room again after a commit, and queues whom it serves, those
// first that have waited longest.
func (q *queue) release(items []*item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, it := range items {
		q.leave(it)
	}
	q.serve()
}

// withdraw takes out of the queue what the senders of items, which are not to be
// committed, have sent behind them, so that nothing overtakes those. Whoever waits
// for room is turned away.
func (q *queue) withdraw(items []*item) (withdrawn []*item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	held := map[*share]bool{}
	for _, it := range items {
		held[it.share] = true
	}
	withdrawn = q.lanes.withdraw(held)
	for _, it := range withdrawn {
		q.leave(it)
	}
	var still []*waiter
	for _, w := range q.waiters {
		if held[w.item.share] {
			w.turnAway(errHeld)
		} else {
			still = append(still, w)
		}
	}
	q.waiters = still
	q.serve()
	return withdrawn
}

// errHeld is what a message gets that may not overtake one of the same device.
var errHeld = errors.New("a message that the device sent before could not be committed")

// turnAway ends the wait of a message that is not queued.
func (w *waiter) turnAway(err error) {
	w.item.share.waiting--
	w.err = err
	close(w.ready)
}

// serve queues those that wait, in their order, as far as there is room. A
// device that waits for itself holds up nobody behind it.
func (q *queue) serve() {
	q.crowded = false
	still := q.waiters[:0]
	for i, w := range q.waiters {
		if q.room(w.item) {
			w.item.share.waiting--
			q.admit(w.item)
			close(w.ready)
			continue
		}
		if w.item.share.messages < q.limits.PerDevice {
			q.crowded = true
			still = append(still, q.waiters[i:]...)
			break
		}
		still = append(still, w)
	}
	clear(q.waiters[len(still):])
	q.waiters = still
}

// close turns away whoever waits, and whoever comes.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, w := range q.waiters {
		w.turnAway(ErrClosed)
	}
	q.waiters = nil
}
