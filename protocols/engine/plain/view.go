package plain

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/words"
)

// truth is the outcome of a condition, in the order of Kleene's logic: "all" is
// the lowest of its parts, "any" the highest, "not" the opposite.
type truth int

const (
	no      truth = -1
	unknown truth = 0
	yes     truth = 1
)

func (t truth) public() protocols.Truth {
	return [...]protocols.Truth{protocols.False, protocols.NotEnough, protocols.True}[t+1]
}

func truthOf(holds bool) truth {
	if holds {
		return yes
	}
	return no
}

// mode is which of its two conditions a level is asked for: enter, which uses the
// thresholds, or stay, which uses the clear thresholds.
type mode bool

const (
	entering mode = false
	staying  mode = true
)

// view is the history as it looks at one moment: nothing later is known.
type view struct {
	run     *run
	at      time.Time
	today   protocols.CivilDay // the last day of windows of civil days
	closed  protocols.CivilDay // the latest day that is over
	seen    []*protocols.Reading
	reading *protocols.Reading // that causes the evaluation; nil for the end of a day or a deadline
}

func (run *run) viewAt(at time.Time) view {
	at = at.UTC()
	today := protocols.DateOf(at.In(run.enrolment.Zone))
	return view{run: run, at: at, today: today, closed: today - 1, seen: run.readings[:run.seen]}
}

// asOf is the view from a reading seen before.
func (w view) asOf(place int) view {
	earlier := w.run.viewAt(w.seen[place].Time)
	earlier.seen = w.seen[:place+1]
	return earlier
}

// atEndOf is the view from the end of a day that is over.
func (w view) atEndOf(day protocols.CivilDay) view {
	end := w.run.midnight(day + 1)
	seen := 0
	for seen < len(w.seen) && w.seen[seen].Time.Before(end) {
		seen++
	}
	return view{run: w.run, at: end, today: day, closed: day, seen: w.seen[:seen]}
}

// sample is one number and where its reading stands in view.seen.
type sample struct {
	at    time.Time
	day   protocols.CivilDay
	value protocols.Value
	place int
}

// numberOf is the number that a comparison takes from a reading, and whether it
// takes one. A reading that names another event of the same measure says that this
// one did not happen.
func numberOf(c *protocols.Comparison, r *protocols.Reading) (protocols.Value, bool) {
	if r.Measure != c.Measure || c.Variant != 0 && c.Variant != r.Variant || c.Component >= len(r.Values) {
		return protocols.Missing, false
	}
	if c.Flag != "" {
		return protocols.Value(1000 * min(1, strings.Count("|"+strings.Join(r.Flags, "|")+"|", "|"+c.Flag+"|"))), true
	}
	v := r.Values[c.Component]
	if v == protocols.Missing && c.Measure.Components[c.Component].Event {
		for i, other := range r.Values {
			if other != protocols.Missing && c.Measure.Components[i].Event {
				v = 0
			}
		}
	}
	part := func(component int) (protocols.Value, bool) {
		known := component < len(r.Values) && r.Values[component] != protocols.Missing
		if !known {
			return protocols.Missing, false
		}
		return r.Values[component], true
	}
	takes := v != protocols.Missing
	if takes && c.MinusComponent >= 0 {
		var less protocols.Value
		if less, takes = part(c.MinusComponent); takes {
			v -= less
		}
	}
	if takes && c.PerComponent >= 0 {
		var divisor protocols.Value
		if divisor, takes = part(c.PerComponent); takes && divisor > 0 {
			quotient := big.NewRat(int64(v), int64(divisor))
			if c.Unit() == "%" {
				quotient.Mul(quotient, whole(100))
			}
			return rounded(quotient.Mul(quotient, whole(1000))), true
		}
		takes = false
	}
	if !takes {
		return protocols.Missing, false
	}
	return v, true
}

// coarse reports whether readings of which only the day is known count: only
// windows of civil days take them.
func coarse(c *protocols.Comparison) bool { return c.Window.Days > 0 || c.Daily() }

// feeds reports whether a reading counts in a comparison.
func (w view) feeds(c *protocols.Comparison, r *protocols.Reading) bool {
	_, takes := w.takes(c, r, coarse(c))
	if !takes && c.Beside != nil {
		_, takes = w.takes(c.Beside.Compare(), r, false)
	}
	return takes
}

// takes is numberOf for readings that no flag keeps out. With byDay, readings of
// which only the day is known count.
func (w view) takes(c *protocols.Comparison, r *protocols.Reading, byDay bool) (protocols.Value, bool) {
	v, takes := numberOf(c, r)
	gap, doubted := w.run.gaps[r]
	if c.Statistic == protocols.Improbable {
		v, doubted = gap, false // it is 0 for what is not doubted
	}
	return v, takes && !doubted && (byDay || !r.DayOnly) && (!w.run.silentAbout(r) || w.run.adds(c, r)) && w.atTheHours(c, r) && byTheMeal(c, r)
}

// atTheHours reports whether a reading was measured at the hours that a comparison looks at:
// so many minutes after From as there are minutes from From to To, at most.
func (w view) atTheHours(c *protocols.Comparison, r *protocols.Reading) bool {
	if c.Hours == (protocols.Hours{}) {
		return true
	}
	const day = 24 * 60
	local := r.Time.In(w.run.enrolment.Zone)
	minutes := func(later, earlier int) int { return (later - earlier + day) % day }
	from, to := int(c.Hours.From.Minutes()), int(c.Hours.To.Minutes())
	return !r.DayOnly && minutes(local.Hour()*60+local.Minute(), from) < minutes(to, from)
}

// byTheMeal reports whether a reading says that it is of the moment by a meal that a
// comparison looks at.
func byTheMeal(c *protocols.Comparison, r *protocols.Reading) bool {
	counts := map[protocols.Meal][]protocols.Meal{
		protocols.Fasting: {protocols.Fasting}, protocols.Before: {protocols.Fasting, protocols.Before},
		protocols.After: {protocols.After, protocols.AfterHour, protocols.AfterTwo}, protocols.AfterHour: {protocols.AfterHour},
		protocols.AfterTwo: {protocols.AfterTwo}, protocols.Bedtime: {protocols.Bedtime},
		protocols.BeforeOrUnsaid: {"", protocols.Fasting, protocols.Before},
		protocols.AfterOrUnsaid:  {"", protocols.After, protocols.AfterHour, protocols.AfterTwo},
	}
	return c.Meal == "" || slices.Contains(counts[c.Meal], protocols.MealOf(r.Context["meal"]))
}

func (run *run) ignores(r *protocols.Reading) bool {
	for i := range run.protocol.Observations {
		o := &run.protocol.Observations[i]
		if o.Measure != r.Measure || o.Variant != 0 && o.Variant != r.Variant {
			continue
		}
		if slices.ContainsFunc(r.Flags, func(flag string) bool { return slices.Contains(o.IgnoreFlags, flag) }) {
			return true
		}
	}
	return false
}

// samples are all the numbers that a comparison knows of, in order.
func (w view) samples(c *protocols.Comparison, byDay bool) []sample {
	var found []sample
	for i, r := range w.seen {
		if value, takes := w.takes(c, r, byDay); takes {
			day := protocols.DateOf(r.Time.In(w.run.enrolment.Zone))
			if doubted, confirms := w.run.confirmed[r]; confirms && c.Statistic != protocols.Improbable {
				found = append(found, sample{r.Time, day, doubted, i})
			}
			found = append(found, sample{r.Time, day, value, i})
		}
	}
	return found
}

// inWindow are the numbers that the statistic is computed from.
func (w view) inWindow(c *protocols.Comparison, all []sample) []sample {
	first, days := w.at.Add(-c.Window.Length), c.Window.Days
	if c.Daily() {
		days = 1
	}
	latest := c.Window == (protocols.Window{}) && !c.Daily()
	if latest {
		first = w.at.Add(-protocols.Freshness)
	}
	var inside []sample
	for _, s := range all {
		if days > 0 && s.day > w.today-protocols.CivilDay(days) && s.day <= w.today || days == 0 && s.at.After(first) {
			inside = append(inside, s)
		}
	}
	switch n := len(inside); {
	case latest && (c.Statistic == protocols.Last || c.Statistic == protocols.Improbable) && n > 1:
		return inside[n-1:]
	case latest && c.Statistic == protocols.Step && n > 2:
		return inside[n-2:]
	}
	return inside
}

// truth is the outcome of a condition.
func (w view) truth(c *protocols.Condition, m mode) truth {
	switch {
	case c.Compare != nil && m == entering:
		return w.enters(c.Compare)
	case c.Compare != nil:
		return w.stays(c.Compare)
	case c.Not != nil:
		return -w.truth(c.Not, !m)
	case c.All != nil:
		result := yes
		for i := range c.All {
			result = min(result, w.truth(&c.All[i], m))
		}
		return result
	case c.Of != nil:
		// The truest of them in order: as many as it takes are at least as true as the last one.
		var truths []truth
		for i := range c.Of {
			truths = append(truths, w.truth(&c.Of[i], m))
		}
		slices.Sort(truths)
		return truths[len(truths)-c.AtLeast]
	case c.Score != nil:
		return w.score(c.Score, m)
	}
	result := no
	for i := range c.Any {
		result = max(result, w.truth(&c.Any[i], m))
	}
	return result
}

// score holds the points of what is true, and of what is true or open, against what it takes.
func (w view) score(s *protocols.Score, m mode) truth {
	takes := w.run.protocol.Value(&s.From, w.run.enrolment.Settings)
	if m == staying {
		takes -= s.Margin
	}
	adds := func(from truth) protocols.Value {
		return s.Sum(func(i int) bool { return w.truth(&s.Parts[i].When, m) >= from })
	}
	switch {
	case adds(yes) >= takes:
		return yes
	case adds(unknown) >= takes:
		return unknown
	}
	return no
}

func (w view) enters(c *protocols.Comparison) truth {
	switch {
	case c.Daily():
		result := yes
		for day := w.closed - w.wanted(c) + 1; day <= w.closed; day++ {
			result = min(result, w.onDay(c, day, entering))
		}
		return result
	case c.Lasting > 0:
		return w.lasts(c)
	}
	return w.compared(c, entering)
}

func (w view) stays(c *protocols.Comparison) truth {
	if c.Daily() {
		return w.onDay(c, w.closed, staying)
	}
	return w.compared(c, staying)
}

// wanted is how many days in a row a comparison asks for.
func (w view) wanted(c *protocols.Comparison) protocols.CivilDay {
	return protocols.CivilDay(w.run.protocol.Value(&c.Days, w.run.enrolment.Settings) / 1000)
}

// onDay compares the statistic of one day that is over. A day without readings
// says nothing.
func (w view) onDay(c *protocols.Comparison, day protocols.CivilDay, m mode) truth {
	then := w.atEndOf(day)
	if len(then.inWindow(c, then.samples(c, true))) == 0 {
		return unknown
	}
	return then.compared(c, m)
}

// compared compares the statistic as it is now.
func (w view) compared(c *protocols.Comparison, m mode) truth {
	number := w.statistic(c)
	if number == nil {
		return unknown
	}
	threshold, clear := w.run.protocol.Limits(c, w.run.enrolment.Settings)
	if m == staying && clear != protocols.Missing {
		side := number.Cmp(whole(clear))
		if c.Upward() {
			return truthOf(side >= 0)
		}
		return truthOf(side <= 0)
	}
	side := number.Cmp(whole(threshold))
	switch c.Operator {
	case protocols.Above:
		return truthOf(side > 0)
	case protocols.AtLeast:
		return truthOf(side >= 0)
	case protocols.Below:
		return truthOf(side < 0)
	case protocols.AtMost:
		return truthOf(side <= 0)
	}
	panic("plain: there is no operator " + string(c.Operator))
}

// lasts looks back from the latest reading for how long the comparison has held
// on every one.
func (w view) lasts(c *protocols.Comparison) truth {
	if now := w.compared(c, entering); now != yes {
		return now
	}
	gap := c.Gap
	if gap == 0 {
		gap = c.Lasting
	}
	var begun, latest time.Time
	samples := w.samples(c, coarse(c))
	for i := len(samples) - 1; i >= 0; i-- {
		is := w.asOf(samples[i].place).compared(c, entering)
		if is == no || is == yes && !begun.IsZero() && begun.Sub(samples[i].at) > gap {
			break
		}
		if is == unknown {
			continue
		}
		begun = samples[i].at
		if latest.IsZero() {
			latest = begun
		}
	}
	if latest.IsZero() || w.at.Sub(latest) > gap {
		return unknown
	}
	return truthOf(latest.Sub(begun) >= c.Lasting)
}

// outcome is how one comparison came out.
type outcome struct {
	number   *big.Rat // nil for not enough data
	count    int      // readings in the window
	from, to time.Time
	cites    span
	truth    truth
}

// fill puts it into an explanation.
func (o *outcome) fill(c *protocols.Compared) {
	c.From, c.To, c.Count, c.Truth = o.from.UTC(), o.to.UTC(), o.count, o.truth.public()
	if o.number != nil {
		c.Value = rounded(o.number)
	}
}

// span is a stretch of time, its end included and its beginning as well, unless
// open.
type span struct {
	from, to time.Time
	open     bool
}

func (s span) holds(t time.Time) bool {
	return !t.After(s.to) && (t.After(s.from) || !s.open && t.Equal(s.from))
}

// window is what an explanation rests on: the readings of a comparison in a span.
type window struct {
	comparison *protocols.Comparison
	span       span
}

// compare tells how the comparisons of some conditions come out, condition by condition,
// and the readings they rest on.
func (w view) compare(conditions ...*protocols.Condition) ([][]protocols.Compared, []protocols.Cited) {
	var windows []window
	for _, condition := range conditions {
		condition.Comparisons(func(c *protocols.Comparison) {
			windows = append(windows, window{c, w.outcome(c).cites})
			if other := w.other(c); other != nil {
				windows = append(windows, window{c.Beside.Compare(), span{from: other.at, to: other.at}})
			}
		})
	}
	cited := w.cite(windows)
	shown := make([][]protocols.Compared, len(conditions))
	for i, condition := range conditions {
		condition.Comparisons(func(c *protocols.Comparison) { shown[i] = append(shown[i], w.shown(c, cited)) })
	}
	return shown, cited
}

// shown is how one comparison came out.
func (w view) shown(c *protocols.Comparison, cited []protocols.Cited) protocols.Compared {
	run, out := w.run, w.outcome(c)
	compared := run.protocol.Compared(c, run.enrolment.Settings)
	out.fill(&compared)
	if out.number != nil {
		compared.Moved = w.moved(c)
		compared.Each = w.each(c)
	}
	compared.LimitBy(cited)
	compared.Sentence = words.Comparison(run.protocol, run.enrolment, c, &compared)
	return compared
}

// An explanation shows at most so many readings.
const maxCited = 20

// cite copies the latest readings that lie in one of the windows: of the latest of
// each measure, and then of all of them.
func (w view) cite(windows []window) []protocols.Cited {
	var inside []*protocols.Reading
	count := map[*protocols.Measure]int{}
	for _, r := range slices.Backward(w.seen) {
		used := slices.ContainsFunc(windows, func(in window) bool { return in.comparison.Measure == r.Measure })
		if !used || count[r.Measure] == maxCited || w.run.silentAbout(r) {
			continue
		}
		count[r.Measure]++
		if len(inside) < maxCited && slices.ContainsFunc(windows, func(in window) bool {
			_, takes := w.takes(in.comparison, r, coarse(in.comparison))
			return takes && in.span.holds(r.Time)
		}) {
			inside = append(inside, r)
		}
	}
	shown := make([]protocols.Cited, 0, len(inside))
	for _, r := range slices.Backward(inside) {
		shown = append(shown, r.Cite())
	}
	return shown
}

func (w view) outcome(c *protocols.Comparison) outcome {
	out := outcome{truth: w.enters(c)}
	samples := w.samples(c, coarse(c))
	if c.Daily() {
		first := w.closed - w.wanted(c) + 1
		for _, s := range samples {
			if first <= s.day && s.day <= w.closed {
				out.count++
			}
		}
		if w.onDay(c, w.closed, entering) != unknown {
			out.number = w.atEndOf(w.closed).statistic(c)
		}
		out.from, out.to = w.run.midnight(first), w.run.midnight(w.closed+1)
		out.cites = span{from: out.from, to: out.to.Add(-1)}
		return out
	}
	out.number = w.statistic(c)
	inside := w.inWindow(c, samples)
	out.count = len(inside)
	out.cites = w.span(c, inside)
	out.from, out.to = out.cites.from, out.cites.to
	return out
}

// span is where a comparison looked; zero, which holds no reading, when there is
// none.
func (w view) span(c *protocols.Comparison, inside []sample) span {
	switch {
	case c.Window.Days > 0:
		return span{from: w.run.midnight(w.today - protocols.CivilDay(c.Window.Days) + 1), to: w.at}
	case c.Window.Length > 0:
		return span{from: w.at.Add(-c.Window.Length), to: w.at, open: true}
	case c.Statistic == protocols.Streak:
		return span{from: w.at.Add(-protocols.Freshness), to: w.at, open: true}
	case len(inside) == 0:
		return span{}
	}
	return span{from: inside[0].at, to: inside[len(inside)-1].at}
}
