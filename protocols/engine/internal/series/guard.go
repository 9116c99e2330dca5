package series

import (
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// Guard doubts gross errors of a weight: see protocols.Plausibility. It looks at the
// readings of the last days alone, so that what it says of one does not depend on how
// far back the history goes.
type Guard struct {
	*GuardFit
	samples  queue[Sample]
	sorted   sortedValues
	doubting bool           // the latest reading
	seedAt   moment.Instant // the start of the day on which the seed was set
	seeded   bool           // the seed has taken its place among the readings, or there is none
}

// GuardFit is a Plausibility with the patient's settings in place.
type GuardFit struct {
	Within, Agree protocols.Value
	Length        int64 // nanoseconds
	AtLeast       int
	Seed          protocols.Value // Missing for none
	SeedSet       time.Time
}

// NewGuard makes a guard that has heard no reading, of a patient who lives in a zone.
func NewGuard(fit *GuardFit, zone *time.Location) *Guard {
	g := &Guard{GuardFit: fit, seeded: fit.Seed == protocols.Missing}
	if !g.seeded {
		g.seedAt = protocols.DateOf(fit.SeedSet.In(zone)).At(zone, 0).UnixNano()
	}
	return g
}

// Reset forgets every reading.
func (g *Guard) Reset() {
	g.forget()
	g.seeded = g.Seed == protocols.Missing
}

func (g *Guard) forget() {
	g.samples.clear()
	g.sorted, g.doubting = g.sorted[:0], false
}

// plant forgets what came before the day of the seed, which is held against like a reading.
func (g *Guard) plant() {
	g.forget()
	g.samples.push(Sample{g.seedAt, g.Seed})
	g.sorted.insert(g.Seed)
	g.seeded = true
}

// Verdict is what a guard says of a reading.
type Verdict struct {
	Gap       protocols.Value // how far it lies from the usual while it is doubted; 0 for one that is believed
	Confirmed protocols.Value // the reading before, which was doubted and counts from now on; Missing for none
}

// Trusted is the verdict where nothing is doubted.
var Trusted = Verdict{Confirmed: protocols.Missing}

// Judge takes the next reading. A sure one is believed whatever its value.
func (g *Guard) Judge(at moment.Instant, v protocols.Value, sure bool) Verdict {
	if !g.seeded && at >= g.seedAt {
		g.plant()
	}
	now := Sample{at, v}
	for g.samples.length() > 0 && g.samples.at(g.samples.head).At <= now.At-g.Length {
		g.sorted.remove(g.samples.at(g.samples.head).value)
		g.samples.drop()
	}
	says := Trusted
	if n := g.samples.length(); n > 0 {
		before := g.samples.at(g.samples.tail - 1).value
		agrees := !beyond(now.value-before, g.Agree)
		from := now.value - g.sorted.middle().Value()
		switch {
		case n >= g.AtLeast && !sure && !agrees && beyond(from, g.Within):
			says.Gap = from
		case agrees && g.doubting:
			says.Confirmed = before
		}
	}
	g.doubting = says.Gap != 0
	g.samples.push(now)
	g.sorted.insert(now.value)
	return says
}

// beyond reports whether a difference is larger than a distance.
func beyond(difference, distance protocols.Value) bool {
	return difference > distance || -difference > distance
}
