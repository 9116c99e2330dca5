package service

import (
	"testing"
	"time"
)

func TestWhatMetAFaultIsTriedAgainLaterAndLater(t *testing.T) {
	now := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	var r retried
	if !r.due(1, now) {
		t.Fatal("a first version is not due")
	}
	r.note(1, true, now)
	for _, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour} {
		if r.due(1, now.Add(wait-time.Nanosecond)) {
			t.Fatalf("due sooner than %s after the last try", wait)
		}
		if now = now.Add(wait); !r.due(1, now) {
			t.Fatalf("not due %s after the last try", wait)
		}
		r.note(1, true, now)
	}
	if !r.due(2, now) {
		t.Error("a change of the registry has to wait")
	}
	r.note(2, true, now)
	if !r.due(2, now.Add(time.Minute)) {
		t.Error("after a change of the registry the waits do not begin anew")
	}
	r.note(2, false, now)
	if r.due(2, now.Add(24*time.Hour)) {
		t.Error("due although nothing failed")
	}
}
