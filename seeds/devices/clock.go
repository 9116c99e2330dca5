package devices

import (
	"context"
	"sync"
	"time"
)

// Clock is the time that simulated devices live by.
type Clock interface {
	Now() time.Time
	// Until waits until the clock shows t. It returns the error of ctx when
	// that ends first.
	Until(ctx context.Context, t time.Time) error
}

// Accelerated is a clock that runs faster than real time. It stands at its
// first instant until Start. It is safe for concurrent use.
type Accelerated struct {
	first   time.Time
	speed   float64
	once    sync.Once
	started chan struct{}
	real    time.Time // when it was started; readable once started is closed
}

// NewAccelerated returns a clock that stands at first and, from Start on, runs
// speed times as fast as real time.
func NewAccelerated(first time.Time, speed float64) *Accelerated {
	return &Accelerated{first: first, speed: speed, started: make(chan struct{})}
}

// Start lets the clock run. Later calls change nothing.
func (c *Accelerated) Start() {
	c.once.Do(func() {
		c.real = time.Now()
		close(c.started)
	})
}

// Now returns what the clock shows.
func (c *Accelerated) Now() time.Time {
	select {
	case <-c.started:
		return c.first.Add(time.Duration(float64(time.Since(c.real)) * c.speed))
	default:
		return c.first
	}
}

// Until waits until the clock shows t.
func (c *Accelerated) Until(ctx context.Context, t time.Time) error {
	if !t.After(c.first) {
		return ctx.Err()
	}
	select {
	case <-c.started:
	case <-ctx.Done():
		return ctx.Err()
	}
	left := time.Duration(float64(t.Sub(c.first))/c.speed) - time.Since(c.real)
	if left <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
