package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// Go collects garbage when there is as much of it as memory in use. With few patients in
// memory that is little, and at full load the collector would run tens of times a second;
// with many it is more than what a steady load is worth. So the garbage that may pile up
// follows how often it has to be collected, and is given back when the load is over.
const (
	leastGarbage = 24 << 20
	mostGarbage  = 64 << 20 // beside as much as is in use
	// A collection takes some tens of milliseconds of processor with thousands of
	// patients. Twice in this time is too often, and not once in four times it is seldom.
	tooOften = 500 * time.Millisecond
	seldom   = 4 * time.Second
	// Memory goes back to the system once so much was allocated since it last did, and
	// within a second less than a hundredth of that.
	worthReturning = 32 << 20
)

// least is how much garbage may pile up in any case. With thousands of connections that
// only wait, what the broker's clock leaves behind every second would else be collected
// too often.
func least(used int64) int64 { return max(leastGarbage, used/4) }

// heap holds how much garbage may pile up.
type heap struct {
	mu       sync.Mutex
	garbage  int64     // bytes
	last     time.Time // when garbage was last collected, or a while without was noticed
	returned int64     // bytes that had been allocated when memory last went back
	before   int64     // and a second ago
}

// tend has the garbage follow the load until ctx ends.
func tend(ctx context.Context) {
	h := &heap{garbage: leastGarbage, last: time.Now()}
	h.set(inUse())
	h.watch(ctx)
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				h.idle(now)
			case <-ctx.Done():
				return
			}
		}
	}()
}

// watch is called again after each collection.
func (h *heap) watch(ctx context.Context) {
	type canary struct{ _ [64]byte }
	runtime.AddCleanup(new(canary), func(h *heap) {
		if ctx.Err() == nil {
			h.collected(time.Now(), inUse())
			h.watch(ctx)
		}
	}, h)
}

// collected lets twice as much garbage pile up when the last collection was a moment
// ago.
func (h *heap) collected(now time.Time, used int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.last) < tooOften {
		h.garbage = min(2*h.garbage, mostGarbage+used)
	}
	h.garbage, h.last = max(h.garbage, least(used)), now
	h.set(used)
}

// idle lets half as much garbage pile up when there was no collection for a while, and
// gives memory back after a load.
func (h *heap) idle(now time.Time) {
	h.mu.Lock()
	if used := inUse(); now.Sub(h.last) >= seldom && h.garbage > least(used) {
		h.garbage, h.last = max(h.garbage/2, least(used)), now
		h.set(used)
	}
	allocated := read("/gc/heap/allocs:bytes")
	over := allocated-h.returned > worthReturning && allocated-h.before < worthReturning/100
	if h.before = allocated; over {
		h.returned = allocated
	}
	h.mu.Unlock()
	if over {
		debug.FreeOSMemory()
	}
}

// set tells Go, which counts garbage in hundredths of what is in use.
func (h *heap) set(used int64) {
	debug.SetGCPercent(int(max(h.garbage*100/max(used, 1<<20), 5)))
}

// inUse is what the last collection found in use, in bytes, goroutines' stacks included.
func inUse() int64 {
	return read("/gc/heap/live:bytes") + read("/memory/classes/heap/stacks:bytes")
}

func read(metric string) int64 {
	sample := []metrics.Sample{{Name: metric}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
