package ingest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/ingest"
)

// TestTheOrderOfAWardHidesNoAlert has the devices of a ward send what they measured
// over some days in another order, in other messages, with sweeps and restarts
// between them, before one goes to another enrolment: every rule that rings when all
// comes in its order rings then too. A battery is what it was last.
func TestTheOrderOfAWardHidesNoAlert(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		te := &teller{r: r, now: start.Add(-6 * 24 * time.Hour), reg: firstDay()}
		type sent struct{ device, payload string }
		var all []sent
		count := rapid.IntRange(1, 16).Draw(r, "readings")
		for range count {
			te.count++
			te.now = te.now.Add(rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 5 * time.Hour, 11 * time.Hour}).Draw(r, "after"))
			if te.now.After(start) {
				break
			}
			device := rapid.SampledFrom(wardDevices).Draw(r, "device")
			all = append(all, sent{device, te.reading(device, te.now)})
		}
		hand := func(w *ward) {
			reg := firstDay()
			reg.Enrolments[0].Devices, reg.Enrolments[1].Devices = []string{"cuff"}, []string{"sensor", "balance-1"}
			w.enter(reg)
		}
		calm := newWard(t, r, 100)
		defer calm.close()
		for _, m := range all {
			calm.send(m.device, m.payload)
		}
		calm.live(event{sweep: true})
		hand(calm)
		calm.live(event{sweep: true})

		rough := newWard(t, r, rapid.SampledFrom([]int{1, 100}).Draw(r, "states"))
		defer rough.close()
		order := all
		if len(all) > 0 {
			order = rapid.Permutation(all).Draw(r, "order")
		}
		for len(order) > 0 {
			device := order[0].device
			n := 1
			for n < len(order) && order[n].device == device && n < 4 {
				n++
			}
			var payload []string
			for _, m := range order[:n] {
				payload = append(payload, m.payload)
			}
			if err := rough.publish(device, ingest.ReadingsTopic, "["+strings.Join(payload, ",")+"]"); err != nil {
				r.Fatal(err)
			}
			order = order[n:]
			switch rapid.IntRange(0, 9).Draw(r, "then") {
			case 0:
				rough.restart(rough.options...)
			case 1:
				rough.live(event{sweep: true})
			}
		}
		rough.live(event{sweep: true})
		hand(rough)
		rough.live(event{sweep: true})
		got := rough.raised()
		for _, rule := range calm.raised() {
			if !slices.Contains(got, rule) {
				r.Fatalf("%s rings in order, and not otherwise: %v", rule, got)
			}
		}
		if !slices.Equal(rough.kept(), calm.kept()) {
			r.Fatalf("kept otherwise: %v", without(calm.kept(), rough.kept()))
		}
	})
}
