package engine

import (
	"time"

	"vigie/protocols"
)

// guard doubts gross errors of a weight: see protocols.Plausibility. It looks at the
// readings of the last days alone, so that what it says of one does not depend on how
// far back the history goes.
type guard struct {
	*guardFit
	samples  queue[sample]
	sorted   sortedValues
	doubting bool // the latest reading
}

// guardFit is a Plausibility with the patient's settings in place.
type guardFit struct {
	within, agree protocols.Value
	length        int64 // nanoseconds
	atLeast       int
}

func (g *guard) reset() {
	g.samples.clear()
	g.sorted, g.doubting = g.sorted[:0], false
}

// verdict is what a guard says of a reading.
type verdict struct {
	gap       protocols.Value // how far it lies from the usual while it is doubted; 0 for one that is believed
	confirmed protocols.Value // the reading before, which was doubted and counts from now on; Missing for none
}

// trusted is the verdict where nothing is doubted.
var trusted = verdict{confirmed: protocols.Missing}

// judge takes the next reading. A sure one is believed whatever its value.
func (g *guard) judge(now sample, sure bool) verdict {
	for g.samples.length() > 0 && g.samples.at(g.samples.head).at <= now.at-g.length {
		g.sorted.remove(g.samples.at(g.samples.head).value)
		g.samples.drop()
	}
	says := trusted
	if n := g.samples.length(); n > 0 {
		before := g.samples.at(g.samples.tail - 1).value
		agrees := !beyond(now.value-before, g.agree)
		from := now.value - g.sorted.middle().value()
		switch {
		case n >= g.atLeast && !sure && !agrees && beyond(from, g.within):
			says.gap = from
		case agrees && g.doubting:
			says.confirmed = before
		}
	}
	g.doubting = says.gap != 0
	g.samples.push(now)
	g.sorted.insert(now.value)
	return says
}

// beyond reports whether a difference is larger than a distance.
func beyond(difference, distance protocols.Value) bool {
	return difference > distance || -difference > distance
}

// guardOf fits the guard of a measure; nil where no observation has one.
func (f *fitted) guardOf(m *measurePlan) *guardFit {
	spec := m.plausible
	if spec == nil {
		return nil
	}
	p := f.plan.protocol
	return &guardFit{
		within: p.Value(&spec.Within, f.settings), agree: p.Value(&spec.Agree, f.settings),
		length: int64(time.Duration(spec.Days) * 24 * time.Hour), atLeast: spec.AtLeast,
	}
}

// judge is what the guard of a measure says of a reading.
func (s *State) judge(place int, r *protocols.Reading, at instant) verdict {
	g := s.guards[place]
	if g == nil || r.DayOnly || len(r.Values) == 0 || r.Values[0] == protocols.Missing {
		return trusted
	}
	return g.judge(sample{at, r.Values[0]}, r.Source == protocols.FromProfessional)
}
