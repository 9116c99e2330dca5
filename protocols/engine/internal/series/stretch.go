package series

import "vigie/protocols/engine/internal/moment"

// StretchSpec is one length of time over one series. Gauges that look at the same stretch
// share it: readings enter and leave it once, whatever is computed of them.
type StretchSpec struct {
	Series  int
	length  int64 // nanoseconds
	squares bool  // some gauge needs the sum of the squares
	sums    bool  // some gauge needs more than the first and the latest readings, and how many there are
	leaving []int // the gauges that count something of their own, see GaugeSpec.counts
}

// StretchOf is the stretch that a gauge looks at, and whether it looks at one.
func StretchOf(s *GaugeSpec) (StretchSpec, bool) {
	return StretchSpec{Series: s.Series, length: s.length}, s.days == 0 && !s.single
}

// Same reports whether two are the same stretch.
func (s *StretchSpec) Same(other *StretchSpec) bool {
	return s.Series == other.Series && s.length == other.length
}

// Join makes the stretch follow what one more gauge needs of it.
func (s *StretchSpec) Join(gauge int, spec *GaugeSpec) {
	s.sums = s.sums || !spec.ends
	s.squares = s.squares || spec.follows.has(squares)
	if spec.leaves() {
		s.leaving = append(s.leaving, gauge)
	}
}

// Stretch holds the readings of the latest while: from the place of the first of them to
// the latest one of its series.
type Stretch struct {
	spec    *StretchSpec
	series  *Series
	gauges  []Gauge        // all of them
	from    uint64         // the place of the first single reading
	until   moment.Instant // it stays until then; farFuture when there is none
	sum     int64
	squares wide
}

// NewStretch makes a stretch over one of all the series, for some of all the gauges.
func NewStretch(spec *StretchSpec, series []Series, gauges []Gauge) Stretch {
	return Stretch{spec: spec, series: &series[spec.Series], gauges: gauges}
}

// Reset forgets every reading.
func (s *Stretch) Reset() { s.from, s.until, s.sum, s.squares = 0, moment.FarFuture, 0, wide{} }

// Add takes the reading that the series has just taken, after the gauges have.
func (s *Stretch) Add(now Sample) {
	if !s.spec.sums {
		return
	}
	s.sum += int64(now.value)
	if s.spec.squares {
		s.squares.add(square(now.value))
	}
	s.until = min(s.until, now.At+s.spec.length)
	s.slide(now.At)
}

// slide lets readings leave a stretch that ends at that moment.
func (s *Stretch) slide(at moment.Instant) {
	if at >= s.until || !s.spec.sums { // only now, and so the series may have dropped some
		s.drop(at - s.spec.length)
	}
}

// drop lets the readings up to a moment leave.
func (s *Stretch) drop(oldest moment.Instant) {
	samples := s.series.samples
	for s.from = max(s.from, samples.head); s.from < samples.tail; s.from++ {
		left := samples.at(s.from)
		if left.At > oldest {
			s.until = left.At + s.spec.length
			return
		}
		if s.spec.sums {
			s.leave(left)
		}
	}
	s.until = moment.FarFuture
}

// leave takes a reading off what is followed.
func (s *Stretch) leave(left *Sample) {
	s.sum -= int64(left.value)
	if s.spec.squares {
		s.squares.subtract(square(left.value))
	}
	for _, i := range s.spec.leaving {
		s.gauges[i].leave(left)
	}
}

// count is how many readings it holds.
func (s *Stretch) count() int64 { return int64(s.series.samples.tail - s.from) }
