package inside

import (
	"context"
	"sync"
	"time"
)

// largeRoom is the room that large publications share, so that memory is bounded
// however many devices send them at once. One device has a share of it. While others
// wait, a publication that has been under way for largeHolds gives its place up: slow
// senders of large messages cannot keep the room, and a message of a few dozen kilobytes
// has come by then over the poorest link.
type largeRoom struct {
	mu      sync.Mutex
	free    int
	devices map[string]int // bytes held by a device
	held    map[*holding]struct{}
	waiting []*wish // in the order of their coming
}

const (
	largeBytes = 64 << 20
	largeShare = 2 << 20 // of a device: a full message, or several smaller ones
	largeHolds = 2 * time.Minute
	largeLook  = time.Second // how often who waits looks for somebody who has held too long
)

// holding is the room of one publication.
type holding struct {
	c     *connection
	bytes int
	since time.Time // when it began to come; zero once it is there
}

// wish is a publication that waits for room.
type wish struct {
	c     *connection
	bytes int
	given chan *holding
}

func newLargeRoom(bytes int) *largeRoom {
	return &largeRoom{free: bytes, devices: map[string]int{}, held: map[*holding]struct{}{}}
}

// take waits for so many bytes, until ctx ends.
func (r *largeRoom) take(ctx context.Context, c *connection, bytes int) (*holding, error) {
	w := &wish{c, bytes, make(chan *holding, 1)}
	r.mu.Lock()
	r.waiting = append(r.waiting, w)
	r.giveOut()
	r.mu.Unlock()
	look := time.NewTicker(largeLook)
	defer look.Stop()
	for {
		select {
		case h := <-w.given:
			return h, nil
		case <-look.C:
			r.hurry(w)
		case <-ctx.Done():
			r.withdraw(w)
			return nil, ctx.Err()
		}
	}
}

// came notes that a publication is there as a whole: the sender is no longer to blame
// for the room that it holds.
func (r *largeRoom) came(h *holding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h.since = time.Time{}
}

// give takes the room of a publication back. Nil held none.
func (r *largeRoom) give(h *holding) {
	if h == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free += h.bytes
	delete(r.held, h)
	if r.devices[h.c.device] -= h.bytes; r.devices[h.c.device] <= 0 {
		delete(r.devices, h.c.device)
	}
	r.giveOut()
}

// giveOut serves who waits, in their order, but for those whose device has its share,
// under the lock.
func (r *largeRoom) giveOut() {
	rest := r.waiting[:0]
	full := false
	for _, w := range r.waiting {
		mine := r.devices[w.c.device]
		switch {
		case full || mine > 0 && mine+w.bytes > largeShare:
			rest = append(rest, w)
		case w.bytes > r.free:
			full = true // nobody overtakes whoever waits for room alone
			rest = append(rest, w)
		default:
			h := &holding{w.c, w.bytes, time.Now()}
			r.free -= w.bytes
			r.devices[w.c.device] += w.bytes
			r.held[h] = struct{}{}
			w.given <- h
		}
	}
	clear(r.waiting[len(rest):])
	r.waiting = rest
}

// hurry gives up the connection whose publication has been under way for longest, when
// a wish waits for room and that is too long.
func (r *largeRoom) hurry(w *wish) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.bytes <= r.free {
		return // it waits for its own device
	}
	var oldest *holding
	for h := range r.held {
		if !h.since.IsZero() && (oldest == nil || h.since.Before(oldest.since)) {
			oldest = h
		}
	}
	if oldest != nil && time.Since(oldest.since) > largeHolds {
		oldest.c.giveUp(errHoldsRoom)
	}
}

// withdraw forgets a wish, and gives back what it was given meanwhile.
func (r *largeRoom) withdraw(w *wish) {
	r.mu.Lock()
	for i := range r.waiting {
		if r.waiting[i] == w {
			r.waiting = append(r.waiting[:i], r.waiting[i+1:]...)
			break
		}
	}
	r.mu.Unlock()
	select {
	case h := <-w.given:
		r.give(h)
	default:
	}
}
