package series

import (
	"math"
	"math/bits"

	"vigie/protocols"
)

// Figure is a statistic as it came out: an exact fraction in thousandths of
// its unit. The zero figure is "not enough data".
type Figure struct{ numerator, denominator int64 }

// whole is one number as it was read.
func whole(v protocols.Value) Figure { return Figure{int64(v), 1} }

// Counted is a number of things.
func Counted(n int64) Figure { return Figure{1000 * n, 1} }

// Known reports whether there is enough data.
func (f Figure) Known() bool { return f.denominator > 0 }

// Value is f rounded to the thousandth, for people to read; Missing when there
// is not enough data. Comparisons use the fraction itself.
func (f Figure) Value() protocols.Value {
	if !f.Known() {
		return protocols.Missing
	}
	return protocols.Value(protocols.RoundedRatio(f.numerator, f.denominator))
}

// Compare tells on which side of v the figure is: −1, 0 or +1.
func (f Figure) Compare(v protocols.Value) int {
	limit := int64(v) * f.denominator
	switch {
	case f.numerator < limit:
		return -1
	case f.numerator > limit:
		return 1
	}
	return 0
}

// minus subtracts; what is not known stays so.
func (f Figure) minus(other Figure) Figure {
	if !f.Known() || !other.Known() {
		return Figure{}
	}
	if f.denominator == other.denominator {
		return Figure{f.numerator - other.numerator, f.denominator}
	}
	return Figure{f.numerator*other.denominator - other.numerator*f.denominator, f.denominator * other.denominator}
}

// evidence is what a window holds at one moment, ready for any statistic. A
// statistic looks at its own part; the others may not be filled in.
type evidence struct {
	totals
	matched  int64           // readings that satisfy Where
	streak   int64           // of them, the latest in a row
	events   int64           // that began in the window and have lasted enough
	previous protocols.Value // the reading before the last one; Missing when outside the window
	middle   Figure          // the median
	days     daySums         // over the daily means
	span     int64           // length of the window, in microseconds
	every    int64           // microseconds from one expected reading to the next
}

// daySums are the sums of a least-squares line through daily means.
type daySums struct{ n, x, y, xx, xy int64 }

func (s *daySums) add(x, y int64) {
	s.n++
	s.x, s.y, s.xx, s.xy = s.x+x, s.y+y, s.xx+x*x, s.xy+x*y
}

// form is a statistic as a number, by which computing one is found sooner than by its name.
type form uint8

const (
	last form = iota + 1
	mean
	median
	lowestOf
	highestOf
	sum
	counted
	share
	streak
	eventsIn
	change
	step
	rise
	fall
	risePercent
	fallPercent
	slopeOf
	spread
	indicator
	worn
	daysCovered
)

// compute computes a statistic. A window without any reading says nothing, except
// about wear and days covered.
func compute(f form, e *evidence) Figure {
	if e.count == 0 && f != worn && f != daysCovered {
		return Figure{}
	}
	switch f {
	case last:
		return whole(e.last)
	case mean:
		return Figure{e.sum, e.count}
	case median:
		return e.middle
	case lowestOf:
		return whole(e.low)
	case highestOf:
		return whole(e.high)
	case sum:
		return Figure{e.sum, 1}
	case counted:
		return Counted(e.matched)
	case share:
		return Figure{100_000 * e.matched, e.count}
	case streak:
		return Counted(e.streak)
	case eventsIn:
		return Counted(e.events)
	case change:
		return whole(e.last - e.first)
	case step:
		return stepOf(e)
	case rise:
		return whole(e.last - e.low)
	case fall:
		return whole(e.high - e.last)
	case risePercent:
		return percentOf(e.last-e.low, e.low)
	case fallPercent:
		return percentOf(e.high-e.last, e.high)
	case slopeOf:
		return slope(&e.days)
	case spread:
		return variation(&e.totals)
	case indicator:
		return glucoseIndicator(e)
	case worn:
		return wear(e)
	case daysCovered:
		return Counted(e.days.n)
	}
	panic("protocols: nothing computes a statistic")
}

// follows is a set of what a gauge follows for some statistics, beside the count,
// the sum, the first and the latest reading.
type follows uint8

const (
	squares follows = 1 << iota // of the values
	lowest
	highest
	middle // all values in order
	events
)

// has reports whether any of these is followed.
func (f follows) has(any follows) bool { return f&any != 0 }

// upkeep is what a gauge does for a statistic.
type upkeep struct {
	form    form
	latest  int // without a window: how many of the latest readings it looks at; 0 for all that are fresh
	follows follows
}

// upkeeps lists the statistics. The series of Improbable holds how far readings are from
// the usual.
var upkeeps = map[protocols.Statistic]upkeep{
	protocols.Last: {form: last, latest: 1}, protocols.Improbable: {form: last, latest: 1}, protocols.Step: {form: step, latest: 2},
	protocols.Mean: {form: mean}, protocols.Median: {form: median, follows: middle}, protocols.Sum: {form: sum}, protocols.Slope: {form: slopeOf},
	protocols.Min: {form: lowestOf, follows: lowest}, protocols.Max: {form: highestOf, follows: highest},
	protocols.Count: {form: counted}, protocols.Share: {form: share}, protocols.Streak: {form: streak}, protocols.Events: {form: eventsIn, follows: events},
	protocols.Change: {form: change}, protocols.Rise: {form: rise, follows: lowest}, protocols.Fall: {form: fall, follows: highest},
	protocols.RisePercent: {form: risePercent, follows: lowest}, protocols.FallPercent: {form: fallPercent, follows: highest},
	protocols.CV: {form: spread, follows: squares}, protocols.GMI: {form: indicator}, protocols.Wear: {form: worn}, protocols.DaysCovered: {form: daysCovered},
}

// upkeepOf is the upkeep of a statistic, which must be one of the list.
func upkeepOf(s protocols.Statistic) upkeep {
	u, known := upkeeps[s]
	if !known {
		panic("protocols: nothing computes the statistic " + string(s))
	}
	return u
}

// glucoseIndicator is 3.31 + 0.02392 × mean glucose in mg/dL (Bergenstal 2018).
func glucoseIndicator(e *evidence) Figure {
	return Figure{331_000_000*e.count + 2392*e.sum, 100_000 * e.count}
}

func stepOf(e *evidence) Figure {
	if e.previous == protocols.Missing {
		return Figure{}
	}
	return whole(e.last - e.previous)
}

// percentOf is a difference in per cent of where it began, which must lie above zero.
func percentOf(difference, of protocols.Value) Figure {
	if of <= 0 {
		return Figure{}
	}
	return Figure{100_000 * int64(difference), int64(of)}
}

// slope needs two days.
func slope(s *daySums) Figure {
	if s.n < 2 {
		return Figure{}
	}
	return Figure{s.n*s.xy - s.x*s.y, s.n*s.xx - s.x*s.x}
}

// wear never says more than 100 %: some sensors send more often than they need.
func wear(e *evidence) Figure {
	span := max(e.span, e.every)
	return Figure{100_000 * min(e.count*e.every, span), span}
}

// variation is the sample standard deviation as a share of the mean, rounded to
// the thousandth of a per cent before anything is compared with it. It needs
// two readings and a mean above zero.
func variation(t *totals) Figure {
	if t.count < 2 || t.sum <= 0 {
		return Figure{}
	}
	// With n readings of sum S and sum of squares Q, the variance is
	// (nQ − S²) / n(n−1) and the mean S/n.
	spread := t.squares.times(t.count)
	high, low := bits.Mul64(uint64(t.sum), uint64(t.sum))
	spread.subtract(wide{high, low})
	near := 1e5 * math.Sqrt(spread.float()*float64(t.count)/(wide{high, low}.float()*float64(t.count-1)))
	if root := math.Round(near); math.Abs(near-root) < 0.5-nearly*max(near, 1) {
		return Figure{int64(root), 1}
	}
	top := hugeOf(spread).times(1e10).times(uint64(t.count))
	bottom := hugeOf(wide{high, low}).times(uint64(t.count - 1))
	return Figure{roundedRoot(top, bottom), 1}
}

// nearly is more, as a share, than a dozen operations in floating point are wrong by:
// some 10⁻¹⁵. What lies as near to a half is left to whole numbers.
const nearly = 1e-12

// roundedRoot is the square root of a fraction, rounded to the nearest whole
// number, halves up. Floating point finds it to within one; whole numbers
// decide.
func roundedRoot(top, bottom huge) int64 {
	root := uint64(math.Round(math.Sqrt(top.float() / bottom.float())))
	top = top.times(4)
	if root > 0 && top.less(bottom.times(2*root-1).times(2*root-1)) {
		root--
	} else if next := bottom.times(2*root + 1).times(2*root + 1); !top.less(next) {
		root++
	}
	return int64(root)
}

// huge is an unsigned number of 256 bits, lowest first.
type huge [4]uint64

func hugeOf(w wide) huge { return huge{w.low, w.high} }

func (h huge) times(n uint64) huge {
	var carry uint64
	for i, limb := range h {
		high, low := bits.Mul64(limb, n)
		var c uint64
		h[i], c = bits.Add64(low, carry, 0)
		carry = high + c
	}
	return h
}

func (h huge) less(other huge) bool {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i] != other[i] {
			return h[i] < other[i]
		}
	}
	return false
}

func (h huge) float() float64 {
	f := 0.0
	for i := len(h) - 1; i >= 0; i-- {
		f = f*(1<<64) + float64(h[i])
	}
	return f
}
