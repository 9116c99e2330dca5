package outside

import (
	"context"
	"sync"
)

// room bounds what has been received and is not done with, in messages and in
// bytes. One message always fits, however large.
type room struct {
	mu              sync.Mutex
	changed         sync.Cond
	messages, bytes int
	maxMessages     int
	maxBytes        int
	closed          bool
	drained         chan struct{} // closed once closed and empty
}

func newRoom(messages, bytes int) *room {
	r := &room{maxMessages: messages, maxBytes: bytes, drained: make(chan struct{})}
	r.changed.L = &r.mu
	return r
}

// take waits for room for a message, and reports false once the room is closed.
func (r *room) take(size int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.closed && r.messages > 0 && (r.messages >= r.maxMessages || r.bytes+size > r.maxBytes) {
		r.changed.Wait()
	}
	if r.closed {
		return false
	}
	r.messages++
	r.bytes += size
	return true
}

func (r *room) give(size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages--
	r.bytes -= size
	r.changed.Broadcast()
	r.notice()
}

func (r *room) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	r.changed.Broadcast()
	r.notice()
}

func (r *room) notice() {
	if r.closed && r.messages == 0 {
		close(r.drained)
	}
}

// empty waits until nothing is in a closed room.
func (r *room) empty(ctx context.Context) error {
	select {
	case <-r.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *room) inside() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.messages
}
