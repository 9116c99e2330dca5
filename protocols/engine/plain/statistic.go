package plain

import (
	"math/big"
	"slices"
	"time"

	"vigie/protocols"
)

// ratio is an exact fraction.
func ratio(a, b int64) *big.Rat { return big.NewRat(a, b) }

// whole is a number as it was read.
func whole(v protocols.Value) *big.Rat { return ratio(int64(v), 1) }

// rounded is a fraction to the thousandth, halves away from zero.
func rounded(r *big.Rat) protocols.Value {
	doubled := new(big.Int).Mul(new(big.Int).Abs(r.Num()), big.NewInt(2))
	doubled.Add(doubled, r.Denom())
	v := protocols.Value(doubled.Quo(doubled, new(big.Int).Mul(r.Denom(), big.NewInt(2))).Int64())
	if r.Sign() < 0 {
		return -v
	}
	return v
}

// statistic computes what a comparison compares, in thousandths; nil when there
// is not enough data.
func (w view) statistic(c *protocols.Comparison) *big.Rat {
	all := w.samples(c, coarse(c))
	inside := w.inWindow(c, all)
	if c.Floor > 0 && w.wear(c, inside).Cmp(ratio(int64(c.Floor), 1)) < 0 {
		return nil
	}
	number := w.bare(c, all, inside)
	switch {
	case number == nil:
		return nil
	case c.Beside != nil:
		return w.besides(c, all[len(all)-1])
	case c.Minus == nil:
		return number
	}
	return w.away(c, number)
}

// other is the latest reading of another measure that is subtracted; nil for none.
func (w view) other(c *protocols.Comparison) *sample {
	if c.Beside == nil {
		return nil
	}
	all := w.samples(c.Beside.Compare(), false)
	if len(all) == 0 {
		return nil
	}
	return &all[len(all)-1]
}

// besides is how far a reading lies from that of another measure; nil where they are too
// far apart in time.
func (w view) besides(c *protocols.Comparison, own sample) *big.Rat {
	other := w.other(c)
	if other == nil || own.at.Sub(other.at).Abs() > c.Beside.Within {
		return nil
	}
	distance := whole(own.value - other.value)
	switch {
	case c.Beside.As == protocols.InUnits:
		return distance
	case other.value <= 0:
		return nil
	}
	return whole(rounded(distance.Mul(distance, ratio(100_000, 1)).Quo(distance, whole(other.value))))
}

// bare computes the statistic without floor and baseline.
func (w view) bare(c *protocols.Comparison, all, inside []sample) *big.Rat {
	n := len(inside)
	switch {
	case c.Statistic == protocols.Wear:
		return w.wear(c, inside)
	case c.Statistic == protocols.DaysCovered:
		return ratio(int64(1000*len(dailyMeans(inside))), 1)
	case n == 0:
		return nil
	}
	values := make([]protocols.Value, n)
	for i := range inside {
		values[i] = inside[i].value
	}
	first, last := values[0], values[n-1]
	switch c.Statistic {
	case protocols.Last, protocols.Improbable:
		return ratio(int64(last), 1)
	case protocols.Mean:
		return mean(values)
	case protocols.Median:
		return median(values)
	case protocols.Min:
		return ratio(int64(slices.Min(values)), 1)
	case protocols.Max:
		return ratio(int64(slices.Max(values)), 1)
	case protocols.Sum:
		return new(big.Rat).Mul(mean(values), ratio(int64(n), 1))
	case protocols.Count:
		return ratio(int64(1000*len(w.counted(c, all))), 1)
	case protocols.Share:
		return ratio(100_000*w.matching(c, values), int64(n))
	case protocols.Streak:
		return ratio(1000*w.streak(c, values), 1)
	case protocols.Events:
		return ratio(int64(1000*len(w.events(c, all))), 1)
	case protocols.Change:
		return ratio(int64(last-first), 1)
	case protocols.Step:
		if n < 2 {
			return nil
		}
		return ratio(int64(last-values[n-2]), 1)
	case protocols.Rise:
		return ratio(int64(last-slices.Min(values)), 1)
	case protocols.Fall:
		return ratio(int64(slices.Max(values)-last), 1)
	case protocols.RisePercent:
		low := slices.Min(values)
		return percentOf(last-low, low)
	case protocols.FallPercent:
		high := slices.Max(values)
		return percentOf(high-last, high)
	case protocols.Slope:
		return w.slope(c, inside)
	case protocols.CV:
		return coefficientOfVariation(values)
	case protocols.GMI: // 3.31 + 0.02392 × mean
		return new(big.Rat).Add(ratio(3310, 1), new(big.Rat).Mul(ratio(2392, 100_000), mean(values)))
	}
	panic("plain: nothing computes the statistic " + string(c.Statistic) + " the plain way")
}

// percentOf is nil where it began at zero or below.
func percentOf(difference, of protocols.Value) *big.Rat {
	if of <= 0 {
		return nil
	}
	return new(big.Rat).Mul(ratio(100_000, 1), ratio(int64(difference), int64(of)))
}

func mean(values []protocols.Value) *big.Rat {
	sum := new(big.Rat)
	for _, v := range values {
		sum.Add(sum, ratio(int64(v), 1))
	}
	return sum.Quo(sum, ratio(int64(len(values)), 1))
}

func median(values []protocols.Value) *big.Rat {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return ratio(int64(sorted[(n-1)/2]+sorted[n/2]), 2)
}

func (w view) admits(c *protocols.Comparison, v protocols.Value) bool {
	return w.passes(c.Where, v)
}

func (w view) passes(f *protocols.Filter, v protocols.Value) bool {
	for _, side := range f.Sides() {
		if !side.Operator.Numbers(w.run.protocol.Value(side.Limit, w.run.enrolment.Settings)).Holds(v) {
			return false
		}
	}
	return true
}

func (w view) matching(c *protocols.Comparison, values []protocols.Value) int64 {
	n := int64(0)
	for _, v := range values {
		if w.admits(c, v) {
			n++
		}
	}
	return n
}

// counted are the readings of the window that satisfy where; as many of them as lie apart
// from each other, where they have to, each with the gravest value up to the next.
func (w view) counted(c *protocols.Comparison, all []sample) []sample {
	var found []sample
	for _, s := range w.inWindow(c, all) {
		if !w.admits(c, s.value) {
			continue
		}
		if n := len(found); n == 0 || s.at.Sub(found[n-1].at) >= c.Apart {
			found = append(found, s)
		} else {
			found[n-1].value = gravest(c, found[n-1].value, s.value)
		}
	}
	return found
}

// thoseInWindow are the samples that lie in the window, each looked at alone.
func (w view) thoseInWindow(c *protocols.Comparison, all []sample) (inside []sample) {
	for _, s := range all {
		inside = append(inside, w.inWindow(c, []sample{s})...)
	}
	return inside
}

// gravest is the lowest of values that are low, and the highest of others.
func gravest(c *protocols.Comparison, values ...protocols.Value) protocols.Value {
	if c.Where != nil && (c.Where.Below != nil || c.Where.AtMost != nil) {
		return slices.Min(values)
	}
	return slices.Max(values)
}

// each is what counts, one by one, where a sentence tells it.
func (w view) each(c *protocols.Comparison) []protocols.Counted {
	if !c.Each {
		return nil
	}
	all := w.samples(c, coarse(c))
	found := w.inWindow(c, all)
	switch c.Statistic {
	case protocols.Count:
		found = w.counted(c, all)
	case protocols.Events:
		found = w.events(c, all)
	case protocols.Sum:
		found = slices.DeleteFunc(found, func(s sample) bool { return s.value <= 0 })
	case protocols.Streak:
		for i, s := range slices.Backward(found) {
			if !w.admits(c, s.value) {
				found = found[i+1:]
				break
			}
		}
	}
	var told []protocols.Counted
	for _, s := range found[max(0, len(found)-maxCited):] {
		told = append(told, protocols.Counted{Time: s.at.UTC(), Value: s.value})
	}
	return told
}

func (w view) streak(c *protocols.Comparison, values []protocols.Value) int64 {
	n := int64(0)
	for i := len(values) - 1; i >= 0 && w.admits(c, values[i]); i-- {
		n++
	}
	return n
}

// events counts the events that began in the window, looking at all that is
// known so as to tell which began before it.
func (w view) events(c *protocols.Comparison, all []sample) []sample {
	shape := c.Event
	inside := func(i int) bool { return w.admits(c, all[i].value) }
	silent := func(i int) bool { return all[i].at.Sub(all[i-1].at) > shape.Silence() }
	var begun []sample
	for i := 0; i < len(all); {
		if !inside(i) {
			i++
			continue
		}
		next := i + 1
		for next < len(all) && inside(next) && !silent(next) {
			next++
		}
		if all[next-1].at.Sub(all[i].at) >= shape.Lasting {
			event := all[i]
			back := func(i int) bool { return !inside(i) && w.passes(c.Until, all[i].value) }
			next = w.eventEnd(c, all, next, back, silent)
			for ; i < next; i++ {
				if inside(i) {
					event.value = gravest(c, event.value, all[i].value)
				}
			}
			begun = append(begun, event)
		}
		i = next
	}
	return w.thoseInWindow(c, begun)
}

// eventEnd is the first place after an event that has lasted up to before next:
// where readings are no longer back after having been so for long enough, or come after
// a silence.
func (w view) eventEnd(c *protocols.Comparison, all []sample, next int, back, silent func(int) bool) int {
	left := time.Time{}
	for ; next < len(all) && !silent(next); next++ {
		switch {
		case back(next) && left.IsZero():
			left = all[next].at
		case !back(next) && !left.IsZero() && all[next].at.Sub(left) >= c.Event.Ending:
			return next
		case !back(next):
			left = time.Time{}
		}
	}
	return next
}

// dailyMean is the mean of one civil day, to the thousandth.
type dailyMean struct {
	day   protocols.CivilDay
	value protocols.Value
}

// dailyMeans computes the mean of each day that has readings, in order.
func dailyMeans(samples []sample) []dailyMean {
	byDay := map[protocols.CivilDay][]protocols.Value{}
	for _, s := range samples {
		byDay[s.day] = append(byDay[s.day], s.value)
	}
	var means []dailyMean
	for day, values := range byDay {
		means = append(means, dailyMean{day, rounded(mean(values))})
	}
	slices.SortFunc(means, func(a, b dailyMean) int { return int(a.day - b.day) })
	return means
}

// slope is that of the least-squares line through the daily means.
func (w view) slope(c *protocols.Comparison, inside []sample) *big.Rat {
	means := dailyMeans(inside)
	if len(means) < 2 {
		return nil
	}
	n := ratio(int64(len(means)), 1)
	middleX, middleY := new(big.Rat), new(big.Rat)
	for _, m := range means {
		middleX.Add(middleX, ratio(int64(m.day), 1))
		middleY.Add(middleY, ratio(int64(m.value), 1))
	}
	middleX.Quo(middleX, n)
	middleY.Quo(middleY, n)
	top, bottom := new(big.Rat), new(big.Rat)
	for _, m := range means {
		x := new(big.Rat).Sub(ratio(int64(m.day), 1), middleX)
		y := new(big.Rat).Sub(ratio(int64(m.value), 1), middleY)
		top.Add(top, y.Mul(y, x))
		bottom.Add(bottom, x.Mul(x, x))
	}
	return top.Quo(top, bottom)
}

// coefficientOfVariation is the sample standard deviation as a share of the
// mean, to the thousandth of a per cent.
func coefficientOfVariation(values []protocols.Value) *big.Rat {
	middle := mean(values)
	if len(values) < 2 || middle.Sign() <= 0 {
		return nil
	}
	square := variance(values)
	square.Quo(square, middle.Mul(middle, middle))
	return whole(roundedRoot(square.Mul(square, ratio(10_000_000_000, 1))))
}

// variance is that of a sample; nil of fewer than two numbers.
func variance(values []protocols.Value) *big.Rat {
	if len(values) < 2 {
		return nil
	}
	middle, sum := mean(values), new(big.Rat)
	for _, v := range values {
		d := new(big.Rat).Sub(ratio(int64(v), 1), middle)
		sum.Add(sum, d.Mul(d, d))
	}
	return sum.Quo(sum, ratio(int64(len(values)-1), 1))
}

// roundedRoot is the square root to the nearest whole number, halves up.
func roundedRoot(square *big.Rat) protocols.Value {
	// The square times four: half of a whole number becomes whole.
	four := new(big.Rat).Mul(square, ratio(4, 1))
	doubled := new(big.Int).Sqrt(new(big.Int).Quo(four.Num(), four.Denom()))
	return protocols.Value((doubled.Int64() + 1) / 2)
}

// wear is the share of expected readings that the window holds.
func (w view) wear(c *protocols.Comparison, inside []sample) *big.Rat {
	length := c.Window.Length
	if days := max(c.Window.Days, 1); coarse(c) {
		length = w.at.Sub(w.run.midnight(w.today - protocols.CivilDay(days) + 1))
	}
	every := w.run.protocol.UsualStep(c.Measure, c.Variant, w.run.enrolment.Settings)
	expected := ratio(int64(max(length, every)/time.Microsecond), int64(every/time.Microsecond))
	share := new(big.Rat).Quo(ratio(100_000*int64(len(inside)), 1), expected)
	if share.Cmp(ratio(100_000, 1)) > 0 {
		return ratio(100_000, 1)
	}
	return share
}

// baseline computes the older value that is held against; nil for not enough data.
func (w view) baseline(c *protocols.Comparison) *big.Rat {
	if value, seeded := w.seeded(c); seeded {
		return ratio(int64(value), 1)
	}
	values := w.baselineDays(c)
	if len(values) == 0 || len(values) < c.Minus.AtLeast {
		return nil
	}
	switch c.Minus.Statistic {
	case protocols.Last:
		return ratio(int64(values[len(values)-1]), 1)
	case protocols.Min:
		return ratio(int64(slices.Min(values)), 1)
	case protocols.Max:
		return ratio(int64(slices.Max(values)), 1)
	case protocols.Mean:
		return mean(values)
	case protocols.Median:
		return median(values)
	}
	panic("plain: nothing computes the baseline " + string(c.Minus.Statistic) + " the plain way")
}

// baselineDays are the daily means behind a baseline, in order.
func (w view) baselineDays(c *protocols.Comparison) (values []protocols.Value) {
	last := w.today - protocols.CivilDay(c.Minus.Ago)
	_, from, seeded := w.seed(c)
	for _, m := range dailyMeans(w.samples(c, true)) {
		if last-protocols.CivilDay(c.Minus.Days) < m.day && m.day <= last && (!seeded || m.day >= from) {
			values = append(values, m.value)
		}
	}
	return values
}

// seed is the patient's own usual value, from which day on it counts, and whether it does.
func (w view) seed(c *protocols.Comparison) (protocols.Value, protocols.CivilDay, bool) {
	setting, set := w.run.enrolment.Settings[c.Minus.Seed.Parameter]
	from := protocols.DateOf(setting.Date.In(w.run.enrolment.Zone))
	return setting.Value, from, set && w.today >= from
}

// seeded reports whether too few days hold a reading, so that the seed stands for them.
func (w view) seeded(c *protocols.Comparison) (protocols.Value, bool) {
	value, _, holds := w.seed(c)
	return value, holds && len(w.baselineDays(c)) < max(1, c.Minus.AtLeast)
}

// away is how far a number lies from its baseline.
func (w view) away(c *protocols.Comparison, number *big.Rat) *big.Rat {
	baseline := w.baseline(c)
	if number == nil || baseline == nil {
		return nil
	}
	distance := new(big.Rat).Sub(number, baseline)
	switch c.Minus.As {
	case protocols.InUnits:
		return distance
	case protocols.InPercent:
		if baseline.Sign() <= 0 {
			return nil
		}
		return whole(rounded(distance.Mul(distance, ratio(100_000, 1)).Quo(distance, baseline)))
	case protocols.InDeviations:
		unit := variance(w.baselineDays(c))
		if c.Minus.Most != (protocols.Operand{}) {
			most := whole(max(0, w.run.protocol.Value(&c.Minus.Most, w.run.enrolment.Settings)))
			if most.Mul(most, most); unit != nil && unit.Cmp(most) > 0 {
				unit = most
			}
		}
		least := whole(max(0, w.run.protocol.Value(&c.Minus.Least, w.run.enrolment.Settings)))
		if least.Mul(least, least); unit == nil || unit.Cmp(least) < 0 {
			unit = least
		}
		_, seeded := w.seeded(c)
		if seeded {
			unit = least
		}
		if unit.Sign() == 0 || !seeded && len(w.baselineDays(c)) < 3 {
			return nil
		}
		square := new(big.Rat).Mul(distance, distance)
		root := roundedRoot(square.Quo(square, unit).Mul(square, ratio(1_000_000, 1)))
		return whole(root * protocols.Value(distance.Sign()))
	}
	panic("plain: nothing counts in " + string(c.Minus.As))
}

// moved are the two values that a comparison holds against each other.
func (w view) moved(c *protocols.Comparison) *protocols.Moved {
	if !c.Moves() {
		return nil
	}
	all := w.samples(c, coarse(c))
	inside := w.inWindow(c, all)
	if c.Minus != nil {
		return &protocols.Moved{From: rounded(w.baseline(c)), To: rounded(w.bare(c, all, inside))}
	}
	values := make([]protocols.Value, len(inside))
	for i := range inside {
		values[i] = inside[i].value
	}
	from := values[0]
	if c.Beside != nil {
		return &protocols.Moved{From: w.other(c).value, To: values[len(values)-1]}
	}
	switch c.Statistic {
	case protocols.Improbable:
		read := w.seen[inside[len(inside)-1].place].Values[c.Component]
		return &protocols.Moved{From: read - values[len(values)-1], To: read}
	case protocols.Step:
		from = values[len(values)-2]
	case protocols.Rise, protocols.RisePercent:
		from = slices.Min(values)
	case protocols.Fall, protocols.FallPercent:
		from = slices.Max(values)
	}
	return &protocols.Moved{From: from, To: values[len(values)-1]}
}
