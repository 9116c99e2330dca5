package series

import (
	"slices"

	"vigie/protocols"
)

// usual is a baseline: the figure itself, and how far the daily means behind it spread.
type usual struct {
	Figure
	days   int64 // daily means behind it
	spread wide  // days × the sum of their squares − the square of their sum
	seed   seed
}

// seed is the value that stands for a baseline from a day on, until enough days hold a
// reading; Missing for none.
type seed struct {
	value protocols.Value
	from  protocols.CivilDay
}

// holds reports whether the seed counts on a day.
func (s seed) holds(today protocols.CivilDay) bool {
	return s.value != protocols.Missing && today >= s.from
}

// baselineOf computes a baseline from daily means on the day that today is.
func baselineOf(b *protocols.Baseline, s *Series, today protocols.CivilDay, seed seed) usual {
	last := today - protocols.CivilDay(b.Ago)
	first := last - protocols.CivilDay(b.Days) + 1
	if seed.holds(today) {
		first = max(first, seed.from)
	}
	var room [32]protocols.Value // baselines of up to a month allocate nothing
	means := room[:0]
	for day := first; day <= last; day++ {
		if on := s.meanOn(day); on.known {
			means = append(means, on.mean)
		}
	}
	switch {
	case len(means) > 0 && len(means) >= b.AtLeast:
	case seed.holds(today):
		return usual{Figure: whole(seed.value), days: protocols.LeastDays, seed: seed} // whose days do not spread
	default:
		return usual{seed: seed}
	}
	u := usual{days: int64(len(means)), seed: seed}
	if b.As == protocols.InDeviations {
		u.spread = spreadOf(means)
	}
	u.Figure = middleOf(b.Statistic, means)
	return u
}

// middleOf is the statistic of daily means, which it may put in order.
func middleOf(s protocols.Statistic, means []protocols.Value) Figure {
	switch s {
	case protocols.Last:
		return whole(means[len(means)-1])
	case protocols.Mean:
		return meanOfAll(means)
	case protocols.Min:
		return whole(slices.Min(means))
	case protocols.Max:
		return whole(slices.Max(means))
	case protocols.Median:
		slices.Sort(means)
		return sortedValues(means).middle()
	}
	panic("protocols: nothing computes the baseline " + string(s))
}

func meanOfAll(values []protocols.Value) Figure {
	sum := int64(0)
	for _, v := range values {
		sum += int64(v)
	}
	return Figure{sum, int64(len(values))}
}

func spreadOf(means []protocols.Value) wide {
	var t totals
	for _, v := range means {
		t.add(v)
	}
	spread, sum := t.squares.times(t.count), square(protocols.Value(t.sum))
	spread.subtract(sum)
	return spread
}

// held is how far f lies from the baseline.
func (u *usual) held(f Figure, as protocols.BaselineScale, fit *GaugeFit) Figure {
	away := f.minus(u.Figure)
	switch {
	case as == protocols.InUnits || !away.Known():
		return away
	case as == protocols.InPercent:
		return u.percent(away)
	}
	return u.deviations(away, fit)
}

// percent is a distance in per cent of the baseline, rounded to the thousandth.
func (u *usual) percent(away Figure) Figure {
	if u.numerator <= 0 {
		return Figure{}
	}
	// away/denominator × 100 000 over numerator/denominator.
	top := hugeOf(square(1)).times(uint64(max(away.numerator, -away.numerator))).times(100_000).times(uint64(u.denominator))
	bottom := hugeOf(square(1)).times(uint64(away.denominator)).times(uint64(u.numerator))
	return signed(rounded(top, bottom), away)
}

// deviations is a distance in sample standard deviations of the daily means, in most where
// they spread more, or in least where they spread less, rounded to the thousandth.
func (u *usual) deviations(away Figure, fit *GaugeFit) Figure {
	if u.days < protocols.LeastDays {
		return Figure{}
	}
	pairs := u.days * (u.days - 1) // the variance is spread / pairs
	unit := u.spread
	if most := square(max(fit.most, 0)).times(pairs); fit.most != protocols.Missing && most.less(unit) {
		unit = most
	}
	if least := square(max(fit.least, 0)).times(pairs); unit.less(least) {
		unit = least
	}
	if unit == (wide{}) {
		return Figure{}
	}
	top := hugeOf(square(protocols.Value(away.numerator))).times(1_000_000).times(uint64(pairs))
	bottom := hugeOf(unit).times(uint64(away.denominator)).times(uint64(away.denominator))
	return signed(roundedRoot(top, bottom), away)
}

// signed gives a number of thousandths the sign of a distance.
func signed(number int64, away Figure) Figure {
	if away.numerator < 0 {
		number = -number
	}
	return Figure{number, 1}
}

func (w wide) less(other wide) bool {
	return w.high < other.high || w.high == other.high && w.low < other.low
}

// rounded divides, halves up.
func rounded(top, bottom huge) int64 {
	near := uint64(top.float() / bottom.float())
	top = top.times(2)
	for near > 0 && top.less(bottom.times(2*near-1)) {
		near--
	}
	for !top.less(bottom.times(2*near + 1)) {
		near++
	}
	return int64(near)
}
