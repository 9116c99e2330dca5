package main

import (
	"runtime/debug"
	"testing"
	"time"
)

func TestGarbageFollowsTheLoad(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	const used = 40 << 20
	now := time.Now()
	h := &heap{garbage: leastGarbage, last: now}
	for range 20 {
		now = now.Add(2 * time.Second)
		h.collected(now, used)
	}
	if h.garbage != leastGarbage {
		t.Errorf("at a steady load, %d MiB pile up", h.garbage>>20)
	}
	for range 20 {
		now = now.Add(tooOften / 5)
		h.collected(now, used)
	}
	if h.garbage != mostGarbage+used {
		t.Errorf("at full load, %d MiB pile up", h.garbage>>20)
	}
	for range 20 {
		now = now.Add(time.Second)
		h.idle(now)
	}
	if h.garbage >= mostGarbage {
		t.Errorf("20 s after the load, %d MiB may still pile up", h.garbage>>20)
	}
	for range 40 {
		now = now.Add(time.Second)
		h.idle(now)
	}
	if h.garbage != leastGarbage {
		t.Errorf("a minute after the load, %d MiB may still pile up", h.garbage>>20)
	}
}
