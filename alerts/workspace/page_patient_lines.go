package workspace

import (
	"cmp"
	"context"
	"slices"
	"time"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/chart"
)

// line is a threshold of a rule over the time in which it held, or the usual value.
type line struct {
	value    protocols.Value
	level    protocols.Level // NoLevel for the usual value
	text     string
	from, to time.Time
}

// held is an enrolment as it was over a stretch of time.
type held struct {
	*registry.Enrolment
	from, to time.Time
}

// holding lists how the enrolments of the patient stood in the interval, oldest first.
func (p *album) holding(ctx context.Context) (list []held) {
	for i := range p.enrolments {
		versions := p.versions(ctx, &p.enrolments[i])
		for n := range versions {
			e := &versions[n].Enrolment
			h := held{e, later(p.from, e.From), earlier(e.Ends(), p.to)}
			if n > 0 {
				h.from = later(h.from, versions[n].At)
			}
			if n+1 < len(versions) {
				h.to = earlier(h.to, versions[n+1].At)
			}
			if h.from.Before(h.to) {
				list = append(list, h)
			}
		}
	}
	return list
}

// versions lists an enrolment as it was, oldest first. Where that cannot be read, it is
// taken to have been always as it is now.
func (p *album) versions(ctx context.Context, e *registry.Enrolment) []registry.Version {
	if p.w.Versions != nil {
		versions, err := p.w.Versions(ctx, e.ID)
		if err == nil && len(versions) > 0 {
			return versions
		}
		if err != nil {
			p.w.Log.Warn("thresholds are drawn as they are now", "error", err)
		}
	}
	return []registry.Version{{At: e.From, Enrolment: *e}}
}

// lines are the thresholds that the rules of the patient held a component to, each over
// the time in which it did, and the usual value that they compare it with now.
func (p *album) lines(ctx context.Context, m *protocols.Measure, component int, points []chart.Point) []line {
	var lines []line
	usual := false
	for _, h := range p.held {
		protocol := p.w.protocolOf(h.Enrolment)
		if protocol == nil {
			continue
		}
		found := map[protocols.Value]line{}
		for r := range protocol.Rules {
			for _, level := range protocol.Rules[r].Levels {
				level.When.Comparisons(func(c *protocols.Comparison) {
					if c.Measure != m || c.Component != component {
						return
					}
					for _, o := range bounds(c) {
						l := p.threshold(protocol, h, o, level.Level, m, component)
						if known, ok := found[l.value]; !ok || l.level > known.level {
							found[l.value] = l
						}
					}
					if c.Minus != nil && !usual && h.Covers(p.v.now) {
						if value, ok := p.usual(ctx, m, component, c.Minus); ok {
							usual = true
							lines = append(lines, line{value, protocols.NoLevel, p.v.T("chart.usual"), p.from, p.to})
						}
					}
				})
			}
		}
		for _, l := range found {
			lines = lengthen(lines, l)
		}
	}
	low, high := chart.Extent(points, nil)
	room := max(high-low, (high+low)/10)
	far := func(l line) bool { return l.value < low-room || l.value > high+room } // it would flatten the course
	lines = slices.DeleteFunc(lines, far)
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.value, b.value), a.from.Compare(b.from), cmp.Compare(a.level, b.level), cmp.Compare(a.text, b.text))
	})
	return lines
}

// lengthen adds a threshold, to a former stretch of the same where there is one that ends
// where it begins.
func lengthen(lines []line, l line) []line {
	for i := range lines {
		if k := &lines[i]; k.value == l.value && k.level == l.level && k.text == l.text && !k.to.Before(l.from) && !l.to.Before(k.from) {
			k.from, k.to = earlier(k.from, l.from), later(k.to, l.to)
			return lines
		}
	}
	return append(lines, l)
}

// threshold is one bound with who set it.
func (p *album) threshold(protocol *protocols.Protocol, h held, o *protocols.Operand, level protocols.Level, m *protocols.Measure, component int) line {
	c := &m.Components[component]
	value := protocol.Value(o, h.Settings)
	text := quantity(p.v.Language, value, c.Decimals, c.Unit)
	if s, set := h.Settings[o.Parameter]; set && o.Parameter != "" {
		text += ", " + s.Author
	}
	return line{value, level, text, h.from, h.to}
}

// thresholds draws lines with their names. Names that lie close together are stacked, from
// the lowest up.
func (p *album) thresholds(d *drawing, f frame, lines []line, say func(protocols.Value) string) {
	above, shown := float64(chartHeight), float64(2*chartHeight)
	for _, l := range lines {
		b := bound{Y: f.y(l.value), Text: l.text, Level: l.level, From: f.x(l.from), To: f.x(l.to), X: f.x(l.from)}
		if l.level != protocols.NoLevel {
			b.Text = p.v.T("chart.limit") + " " + l.text
		} else {
			b.Text += " " + say(l.value)
		}
		if b.Ends = f.share(l.from) > .6; b.Ends {
			b.X = b.To
		}
		at := f.place(l.value)
		above = min(at-4, above-chartLetters)
		b.Beside = int(above - at)
		if above < chartMargin { // there is no room above
			b.Beside = chartLetters
		}
		if b.Close = shown-above < closeLetters; !b.Close {
			shown = above
		}
		d.Bounds = append(d.Bounds, b)
	}
}

// bounds are the numbers of a comparison that lie on the scale of its readings.
func bounds(c *protocols.Comparison) (list []*protocols.Operand) {
	if c.Where != nil {
		for _, o := range []*protocols.Operand{c.Where.Above, c.Where.AtLeast, c.Where.Below, c.Where.AtMost} {
			if o != nil {
				list = append(list, o)
			}
		}
	}
	row := c.Statistic.Row()
	if row != nil && row.Gives == protocols.GivesLevel && c.Minus == nil && c.Bare() {
		list = append(list, &c.Threshold)
	}
	return list
}

// usual is the value that a rule compares with: a statistic of daily means over the days
// that its baseline names.
func (p *album) usual(ctx context.Context, m *protocols.Measure, component int, b *protocols.Baseline) (protocols.Value, bool) {
	zone := p.v.Zone("")
	year, month, day := p.v.now.In(zone).Date()
	from := time.Date(year, month, day-b.Ago-b.Days+1, 0, 0, 0, 0, zone)
	to := time.Date(year, month, day-b.Ago+1, 0, 0, 0, 0, zone)
	readings := p.measured[m]
	if from.Before(p.from) || to.After(p.to) {
		readings = p.before(ctx, m)
	}
	sums, counts := map[string]protocols.Value{}, map[string]protocols.Value{}
	for _, point := range pointsOf(readings, component) {
		if !point.At.Before(from) && point.At.Before(to) {
			day := point.At.In(zone).Format(time.DateOnly)
			sums[day] += point.Value
			counts[day]++
		}
	}
	if len(sums) < max(1, b.AtLeast) {
		return 0, false
	}
	days := make([]string, 0, len(sums))
	for day := range sums {
		days = append(days, day)
	}
	slices.Sort(days)
	means := make([]protocols.Value, len(days))
	total := protocols.Value(0)
	for i, day := range days {
		means[i] = sums[day] / counts[day]
		total += means[i]
	}
	last := means[len(means)-1]
	slices.Sort(means)
	switch b.Statistic {
	case protocols.Last:
		return last, true
	case protocols.Median:
		return (means[(len(means)-1)/2] + means[len(means)/2]) / 2, true
	case protocols.Min:
		return means[0], true
	case protocols.Max:
		return means[len(means)-1], true
	}
	return total / protocols.Value(len(means)), true
}
