package protocols_test

import (
	"testing"
	"time"

	"vigie/protocols"
)

// TestATimeOfDayThatTheClockJumpsOver has a deadline at 02:30 on the day on which the
// clock goes from 02:00 to 03:00: it is the moment of the jump, on either side of
// Greenwich, and never an hour before.
func TestATimeOfDayThatTheClockJumpsOver(t *testing.T) {
	for name, c := range map[string]struct {
		day  time.Time
		want string
	}{
		"America/Miquelon": {time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC), "2026-03-08T05:00:00Z"},
		"Europe/Paris":     {time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), "2026-03-29T01:00:00Z"},
		"America/New_York": {time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC), "2026-03-08T07:00:00Z"},
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		day := protocols.CivilDay(c.day.Unix() / (24 * 60 * 60))
		if got := day.At(zone, 2*time.Hour+30*time.Minute).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("02:30 in %s is %s, want %s", name, got, c.want)
		}
		if got := day.At(zone, 3*time.Hour).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("03:00 in %s is %s, want %s", name, got, c.want)
		}
	}
}
