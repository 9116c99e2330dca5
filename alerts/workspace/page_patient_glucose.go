package workspace

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/chart"
)

const (
	glucoseMeasure = "glucose"
	sensorVariant  = "interstitial"
)

// glucoseView is what a glucose sensor measured over the interval: the time in each range,
// the usual day, and the latest days one below the other.
type glucoseView struct {
	Source  string // where ranges and goals come from
	Caution string // why the figures may not stand for the patient; empty for none
	Ranges  []rangeRow
	Facts   []factRow
	Profile *drawing // nil where no hour was measured on enough days
	Hours   []hourRow
	Days    []dayRow
}

// sensed is a glucoseView in the language of its page.
type sensed struct {
	view
	*glucoseView
	Other bool // beside another interval
}

// Sensor is what a sensor measured for its template.
func (v patientView) Sensor(g *glucoseView) sensed { return sensed{v.view, g, v.Compared != nil} }

// rangeRow is the time in one range.
type rangeRow struct {
	ID, Name string
	Share    string
	Width    string // of its bar, of 100
	Goal     string
	Missed   bool
	Earlier  string // the share of the other period
}

// factRow is one figure.
type factRow struct{ Name, Value, Note, Earlier string }

// hourRow is one hour of the day in the table beside the profile.
type hourRow struct {
	Hour, Days string
	Values     []string // below which 5, 25, 50, 75 and 95 percent lie
}

// dayRow is one day of a sensor.
type dayRow struct {
	Name, Link, Text string
	Lines            []string
	Gaps             []gap
	Zone             *zone
}

// sensor draws what a glucose sensor measured; nil for nothing, and for a day or two.
func (p *album) sensor() *glucoseView {
	m := protocols.MeasureByID(glucoseMeasure)
	points := sensorPoints(p.measured[m])
	zone := p.v.Zone("")
	g := chart.GlucoseOf(p.ranges, points, p.from, p.to, zone)
	if g == nil || p.to.Sub(p.from) < hourDays*24*time.Hour {
		return nil
	}
	before := chart.GlucoseOf(p.ranges, sensorPoints(p.earlier[m]), p.otherFrom(), p.otherTo(), zone)
	c := &m.Components[0]
	v := &glucoseView{Ranges: p.v.rangeRows(g, before, c), Facts: p.v.glucoseFacts(g, before, c)}
	v.Source = p.v.T("glucose.source")
	if p.ruled {
		v.Source = p.v.T("glucose.source.protocol")
	}
	if g.Days < chart.FullDays || g.Worn < chart.FullShare {
		v.Caution = fmt.Sprintf(p.v.T("glucose.caution"), g.Days, p.v.percent(g.Worn), chart.FullDays, chart.FullShare)
	}
	if hours := chart.Profile(points, zone); len(hours) > 0 {
		v.Profile, v.Hours = p.v.profile(&p.ranges, hours, c)
	}
	v.Days = p.days(points, c)
	return v
}

// hourDays is over how many days, at least, a profile is drawn.
const hourDays = 3

// glucoseRanges are the ranges and goals of the patient: those that the rules of his protocol
// hold his time to, with his settings, and the consensus for the rest. It reports whether
// the protocol says any.
func (p *album) glucoseRanges() (ranges chart.GlucoseRanges, ruled bool) {
	type goal struct {
		below, above protocols.Value
		share        float64
	}
	var goals []goal
	ranges = chart.Adults
	for i := range p.enrolments {
		e := &p.enrolments[i]
		protocol := p.w.protocolOf(e)
		if protocol == nil || !e.Covers(p.v.now) {
			continue
		}
		value := func(o *protocols.Operand) protocols.Value {
			if o == nil {
				return 0
			}
			return protocol.Value(o, e.Settings)
		}
		for r := range protocol.Rules {
			for _, level := range protocol.Rules[r].Levels {
				level.When.Comparisons(func(c *protocols.Comparison) {
					if c.Measure != protocols.MeasureByID(glucoseMeasure) || c.Statistic != protocols.Share || c.Where == nil {
						return
					}
					g := goal{value(c.Where.Below), value(c.Where.Above), value(&c.Threshold).Float()}
					if from, to := value(c.Where.AtLeast), value(c.Where.AtMost); from > 0 && to > from {
						ranges, ruled = chart.RangesFor(from, to), true
						g = goal{to, from, g.share}
					}
					goals = append(goals, g)
				})
			}
		}
	}
	for _, g := range goals {
		ruled = ranges.SetGoal(g.below, g.above, g.share) || ruled
	}
	return ranges, ruled
}

// sensorPoints are the values of sensors, without those of finger pricks.
func sensorPoints(readings []*protocols.Reading) []chart.Point {
	own := make([]*protocols.Reading, 0, len(readings))
	for _, r := range readings {
		if v := int(r.Variant); v > 0 && v == r.Measure.Variant(sensorVariant) {
			own = append(own, r)
		}
	}
	return pointsOf(own, 0)
}

// percent writes a share with one decimal.
func (v view) percent(share float64) string {
	text := strconv.FormatFloat(share, 'f', 1, 64)
	if v.Language == "fr" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text + "\u202f%"
}

// rangeRows writes the time in each range, the highest first.
func (v view) rangeRows(g, before *chart.Glucose, c *protocols.Component) (rows []rangeRow) {
	for i, r := range slices.Backward(g.Ranges[:]) {
		row := rangeRow{
			ID: r.ID, Name: v.rangeName(&g.Ranges, i, c), Share: v.percent(g.Share[i]), Width: chart.Pixel(g.Share[i]),
			Goal: "—", Missed: !g.Met(i),
		}
		if r.Goal > 0 {
			row.Goal = fmt.Sprintf(v.T("glucose.goal."+r.ID), strings.Replace(strconv.FormatFloat(r.Goal, 'f', -1, 64), ".", v.T("decimal"), 1))
		}
		if before != nil {
			row.Earlier = v.percent(before.Share[i])
		}
		rows = append(rows, row)
	}
	return rows
}

// rangeName writes a range with its ends, as instruments show them: in whole numbers.
func (v view) rangeName(ranges *chart.GlucoseRanges, i int, c *protocols.Component) string {
	const one = 1000
	say := func(value protocols.Value) string { return v.Say(value, c.Decimals, c.Unit) }
	plain := func(value protocols.Value) string { return number(v.Language, value, c.Decimals) }
	word := v.T("glucose." + ranges[i].ID)
	switch low, high := ranges.Target(); {
	case i == 0:
		return fmt.Sprintf(word, say(ranges[1].From))
	case i == len(ranges)-1:
		return fmt.Sprintf(word, say(ranges[i].From-1))
	case ranges[i].From < low:
		return fmt.Sprintf(word, plain(ranges[i].From), say(ranges[i+1].From-one))
	case ranges[i].From > high:
		return fmt.Sprintf(word, plain(ranges[i].From-1+one), say(ranges[i+1].From-1))
	default:
		return fmt.Sprintf(word, plain(low), say(high))
	}
}

// glucoseFacts writes the figures that stand beside the time in ranges.
func (v view) glucoseFacts(g, before *chart.Glucose, c *protocols.Component) []factRow {
	mean := func(g *chart.Glucose) string {
		value, _ := protocols.Of(math.Round(g.Mean))
		return v.Say(value, c.Decimals, c.Unit)
	}
	facts := []struct {
		name string
		say  func(*chart.Glucose) string
		note []any // the numbers in its note
	}{
		{"mean", mean, nil},
		{"gmi", func(g *chart.Glucose) string { return v.percent(g.GMI) }, nil},
		{"variation", func(g *chart.Glucose) string { return v.percent(g.Variation) }, []any{chart.StableVariation}},
		{"worn", func(g *chart.Glucose) string { return v.percent(g.Worn) }, []any{chart.FullShare, chart.FullDays}},
	}
	rows := make([]factRow, len(facts))
	for i, f := range facts {
		rows[i] = factRow{Name: v.T("glucose." + f.name), Value: f.say(g), Note: fmt.Sprintf(v.T("glucose."+f.name+".note"), f.note...)}
		if before != nil {
			rows[i].Earlier = f.say(before)
		}
	}
	return rows
}

// The scale of a drawing of glucose, so that one day can be held against another: what
// sensors measure at the low end, and somewhat above the highest range.
const (
	glucoseLow  = 40_000
	glucoseHigh = 300_000
)

// profile draws the usual day, with the same figures as a table.
func (v view) profile(ranges *chart.GlucoseRanges, hours []chart.Hour, c *protocols.Component) (*drawing, []hourRow) {
	midnight := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // any day: only its hours are shown
	f := frame{midnight, midnight.Add(24 * time.Hour), glucoseLow, glucoseHigh}
	for _, h := range hours {
		f.low, f.high = min(f.low, h.P5.Value), max(f.high, h.P95.Value)
	}
	say := func(value protocols.Value) string { return quantity(v.Language, value, c.Decimals, c.Unit) }
	d := f.drawing()
	d.ID, d.Title, d.High, d.Low = "profile", v.T("glucose.profile"), say(f.high), say(f.low)
	d.Wanted = f.zone(ranges.Target())
	d.Label = d.Title + ", " + say(f.low) + " – " + say(f.high)
	d.Legend = []string{"▇ " + v.T("glucose.half"), "░ " + v.T("glucose.most"), "— " + v.T("glucose.middle")}
	for h := 3; h < 24; h += 3 {
		d.Ticks = append(d.Ticks, tick{f.x(midnight.Add(time.Duration(h) * time.Hour)), fmt.Sprintf("%02d:00", h)})
	}
	low, high := ranges.Target()
	for _, value := range []protocols.Value{low, high} {
		d.Bounds = append(d.Bounds, bound{Y: f.y(value), Text: say(value), From: f.x(f.from), To: f.x(f.to), X: f.x(f.from), Beside: -4})
	}
	var rows []hourRow
	var stops []stop
	for begin := 0; begin < len(hours); {
		end := begin + 1
		for end < len(hours) && hours[end].Hour == hours[end-1].Hour+1 {
			end++
		}
		run := hours[begin:end]
		middle := func(h *chart.Hour) time.Time { return midnight.Add(time.Duration(h.Hour)*time.Hour + 30*time.Minute) }
		place := func(pick func(*chart.Hour) chart.Point) (list []string) {
			for i := range run {
				list = append(list, f.x(middle(&run[i]))+","+f.y(pick(&run[i]).Value))
			}
			return list
		}
		band := func(low, high func(*chart.Hour) chart.Point) {
			under := place(low)
			slices.Reverse(under)
			d.Bands = append(d.Bands, strings.Join(append(place(high), under...), " "))
		}
		band(func(h *chart.Hour) chart.Point { return h.P5 }, func(h *chart.Hour) chart.Point { return h.P95 })
		band(func(h *chart.Hour) chart.Point { return h.P25 }, func(h *chart.Hour) chart.Point { return h.P75 })
		d.Lines = append(d.Lines, strings.Join(place(func(h *chart.Hour) chart.Point { return h.Median }), " "))
		for i := range run {
			h := &run[i]
			row := hourRow{Hour: fmt.Sprintf("%02d:00–%02d:00", h.Hour, h.Hour+1), Days: whole(v.Language, h.Days)}
			for _, p := range []chart.Point{h.P5, h.P25, h.Median, h.P75, h.P95} {
				row.Values = append(row.Values, p.Limit.Sign()+say(p.Value))
			}
			rows = append(rows, row)
			stops = append(stops, stop{middle(h), h.Median.Value, row.Hour + v.T("colon") + row.Values[2] + ", " + fmt.Sprintf(v.T("glucose.spread"), row.Values[1], row.Values[3], row.Values[0], row.Values[4])})
		}
		begin = end
	}
	d.Values = f.values(stops)
	return d, rows
}

// shownDays is how many days stand one below the other.
const shownDays = 14

// The size of the drawing of a day, in its units.
const (
	dayWidth  = 288
	dayHeight = 44
)

// days draws the latest days on one scale, the latest first.
func (p *album) days(points []chart.Point, c *protocols.Component) (rows []dayRow) {
	zone := p.v.Zone("")
	for end := len(points); end > 0 && len(rows) < shownDays; {
		year, month, day := points[end-1].At.In(zone).Date()
		from, to := time.Date(year, month, day, 0, 0, 0, 0, zone), time.Date(year, month, day+1, 0, 0, 0, 0, zone)
		begin := end - 1
		for begin > 0 && !points[begin-1].At.Before(from) {
			begin--
		}
		rows = append(rows, p.day(points[begin:end], from, to, c))
		end = begin
	}
	return rows
}

func (p *album) day(points []chart.Point, from, to time.Time, c *protocols.Component) dayRow {
	x := func(t time.Time) float64 { return float64(t.Sub(from)) / float64(to.Sub(from)) * dayWidth }
	y := func(v protocols.Value) float64 {
		v = min(max(v, glucoseLow), glucoseHigh)
		return dayHeight - float64(v-glucoseLow)/float64(glucoseHigh-glucoseLow)*dayHeight
	}
	row := dayRow{Name: dayName(p.v.Language, from, p.v.now), Link: p.v.dayAddress(p.patient, from)}
	low, high := p.ranges.Target()
	row.Zone = &zone{chart.Pixel(y(high)), chart.Pixel(y(low) - y(high))}
	lowest, highest := points[0], points[0]
	until := earlier(p.v.now, to)
	before := from
	for _, run := range chart.Runs(points) {
		var line strings.Builder
		for _, point := range run {
			line.WriteString(chart.Pixel(x(point.At)) + "," + chart.Pixel(y(point.Value)) + " ")
			if chart.ByValue(point, lowest) < 0 {
				lowest = point
			}
			if chart.ByValue(point, highest) > 0 {
				highest = point
			}
		}
		row.Lines = append(row.Lines, line.String())
		row.silent(before, run[0].At, x)
		before = run[len(run)-1].At
	}
	row.silent(before, until, x)
	g := chart.GlucoseOf(p.ranges, points, from, until, p.v.Zone(""))
	row.Text = fmt.Sprintf(p.v.T("glucose.day"), p.v.percent(g.InTarget()), p.v.read(lowest, c), p.v.read(highest, c))
	return row
}

// silent shades a stretch of more than half an hour.
func (row *dayRow) silent(from, to time.Time, x func(time.Time) float64) {
	if to.Sub(from) > 30*time.Minute {
		row.Gaps = append(row.Gaps, gap{X: chart.Pixel(x(from)), Width: chart.Pixel(x(to) - x(from))})
	}
}
