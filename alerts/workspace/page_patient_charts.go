package workspace

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/chart"
)

// album draws what a patient measured over an interval.
type album struct {
	w          *Workspace
	v          *patientView
	patient    string
	enrolments []registry.Enrolment
	alerts     []alerts.Alert
	from, to   time.Time
	heard      map[string]heard
	measured   map[*protocols.Measure][]*protocols.Reading // oldest first
	struck     map[*protocols.Measure][]*protocols.Reading // oldest first
	marked     []ingest.Mark                               // on what is struck out
	enters     bool                                        // who looks may strike readings out
}

// draw fills in the charts, each with its table, and the last values.
func (p *album) draw(ctx context.Context) {
	p.heard, p.measured = map[string]heard{}, map[*protocols.Measure][]*protocols.Reading{}
	p.struck = map[*protocols.Measure][]*protocols.Reading{}
	p.read(ctx, nil, p.from, p.to)
	if len(p.struck) > 0 {
		p.marked = p.w.marks(ctx, p.patient, p.from, p.to.Add(1))
	}
	p.enters = p.w.records.mayEnter(ctx, p.patient) == nil
	for _, m := range p.measures() {
		readings := p.measured[m]
		latest := readings
		if len(latest) == 0 || p.to.Before(p.v.now) {
			latest = p.before(ctx, m)
		}
		for i := range m.Components {
			if points := pointsOf(latest, i); len(points) > 0 {
				p.tile(m, i, points)
			}
			if points := pointsOf(readings, i); len(points) > 1 {
				p.v.Charts = append(p.v.Charts, p.chart(ctx, m, i, points, readings))
			}
		}
	}
	p.v.Empty = len(p.v.Charts) == 0
	p.listStruck()
}

// read takes in what was measured in [from, to]. What cannot be read is said on the page.
func (p *album) read(ctx context.Context, m *protocols.Measure, from, to time.Time) {
	err := p.w.records.readings(ctx, p.patient, m, from, to.Add(1), func(r *protocols.Reading) bool {
		if r.Struck {
			p.struck[r.Measure] = append(p.struck[r.Measure], r)
			return true
		}
		p.measured[r.Measure] = append(p.measured[r.Measure], r)
		p.hear(r)
		return true
	})
	var missing partial
	switch {
	case errors.As(err, &missing):
		p.v.Missing = p.v.missing(missing, "")
	case err != nil:
		p.w.Log.Error("a patient is shown without what he measured", "error", err)
		p.v.Missing = p.v.T("patient.unread")
	}
}

func (p *album) hear(r *protocols.Reading) {
	h, known := p.heard[r.Device]
	if !known || r.Time.After(h.at) {
		battery := r.Battery
		if battery < 0 && known {
			battery = h.battery
		}
		p.heard[r.Device] = heard{r.Time, battery}
	}
}

// before reads a measure up to now, for its last value.
func (p *album) before(ctx context.Context, m *protocols.Measure) (readings []*protocols.Reading) {
	err := p.w.records.readings(ctx, p.patient, m, p.v.now.Add(-lastBack), p.v.now.Add(1), func(r *protocols.Reading) bool {
		if !r.Struck {
			readings = append(readings, r)
			p.hear(r)
		}
		return true
	})
	if err != nil {
		p.w.Log.Warn("a patient is shown without a last value", "error", err)
	}
	return readings
}

// measures are those that the protocols of the patient look at, in their order, then
// those that were measured beside.
func (p *album) measures() (list []*protocols.Measure) {
	add := func(m *protocols.Measure) {
		if m != nil && !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	for i := len(p.enrolments) - 1; i >= 0; i-- {
		if protocol := p.w.protocolOf(&p.enrolments[i]); protocol != nil {
			for _, o := range protocol.Observations {
				add(o.Measure)
			}
		}
	}
	for _, m := range protocols.Measures() {
		if len(p.measured[m]) > 0 {
			add(m)
		}
	}
	return list
}

func pointsOf(readings []*protocols.Reading, component int) (points []chart.Point) {
	points = make([]chart.Point, 0, len(readings))
	for _, r := range readings {
		if component < len(r.Values) && r.Values[component] != protocols.Missing {
			shown, limit := r.Shown(component)
			points = append(points, chart.Point{At: r.Time, Value: shown, Limit: limit})
		}
	}
	return points
}

func (p *album) tile(m *protocols.Measure, i int, points []chart.Point) {
	last := points[len(points)-1]
	t := tile{
		Name:  p.v.component(m.ID, m.Components[i].Name),
		Value: last.Limit.Sign() + p.v.Say(last.Value, m.Components[i].Decimals, m.Components[i].Unit) + trend(points),
		Age:   ago(p.v.Language, last.At, p.v.now),
	}
	few := points[max(0, len(points)-60):]
	t.Spark = chart.SparkOf(few, nil, few[0].At, last.At)
	p.v.Tiles = append(p.v.Tiles, t)
}

// line is a threshold of a rule, or the usual value.
type line struct {
	value protocols.Value
	level protocols.Level // NoLevel for the usual value
	text  string
}

// lines are the thresholds that the rules of the patient hold a component to, and the
// usual value that they compare it with.
func (p *album) lines(ctx context.Context, m *protocols.Measure, component int, points []chart.Point) []line {
	found := map[protocols.Value]line{}
	keep := func(l line) {
		if known, ok := found[l.value]; !ok || l.level > known.level {
			found[l.value] = l
		}
	}
	usual := false
	for i := range p.enrolments {
		e := &p.enrolments[i]
		protocol := p.w.protocolOf(e)
		if protocol == nil || !e.Covers(p.v.now) {
			continue
		}
		for r := range protocol.Rules {
			for _, level := range protocol.Rules[r].Levels {
				compares(&level.When, func(c *protocols.Comparison) {
					if c.Measure != m || c.Component != component {
						return
					}
					for _, o := range bounds(c) {
						keep(p.threshold(protocol, e, o, level.Level, m, component))
					}
					if c.Minus != nil && !usual {
						if value, ok := p.usual(ctx, m, component, c.Minus); ok {
							usual = true
							keep(line{value, protocols.NoLevel, p.v.T("chart.usual")})
						}
					}
				})
			}
		}
	}
	low, high := chart.Extent(points, nil)
	room := max(high-low, (high+low)/10)
	lines := make([]line, 0, len(found))
	for _, l := range found {
		if l.value >= low-room && l.value <= high+room { // one that is far away would flatten the course
			lines = append(lines, l)
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.value, b.value) })
	return lines
}

// threshold is one bound with who set it.
func (p *album) threshold(protocol *protocols.Protocol, e *registry.Enrolment, o *protocols.Operand, level protocols.Level, m *protocols.Measure, component int) line {
	c := &m.Components[component]
	value := protocol.Value(o, e.Settings)
	text := quantity(p.v.Language, value, c.Decimals, c.Unit)
	if s, set := e.Settings[o.Parameter]; set && o.Parameter != "" {
		text += ", " + s.Author
	}
	return line{value, level, text}
}

// compares visits every comparison of a condition.
func compares(c *protocols.Condition, visit func(*protocols.Comparison)) {
	for i := range c.All {
		compares(&c.All[i], visit)
	}
	for i := range c.Any {
		compares(&c.Any[i], visit)
	}
	if c.Not != nil {
		compares(c.Not, visit)
	}
	if c.Compare != nil {
		visit(c.Compare)
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
	if row != nil && row.Gives == protocols.GivesLevel && c.Minus == nil && c.MinusComponent < 0 && c.PerComponent < 0 {
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

// tableRow is one row of the table beside a chart: a reading, or a stretch of them.
type tableRow struct {
	At          *stamp
	Count       string
	Values      []string // one, or lowest, middle and highest
	Device      string
	Struck      bool
	Mark        string // who struck it out, and why
	Link, Leads string // to strike it out, or to see more closely
	when        time.Time
}

// chart draws one component over the interval, with the same figures as a table.
func (p *album) chart(ctx context.Context, m *protocols.Measure, i int, points []chart.Point, readings []*protocols.Reading) *drawing {
	c := &m.Components[i]
	lines := p.lines(ctx, m, i, points)
	limits := make([]protocols.Value, len(lines))
	for n, l := range lines {
		limits[n] = l.value
	}
	low, high := chart.Extent(points, limits)
	f := frame{p.from, p.to, low, high}
	say := func(value protocols.Value) string { return quantity(p.v.Language, value, c.Decimals, c.Unit) }
	inFull := func(value protocols.Value) string { return p.v.Say(value, c.Decimals, c.Unit) }
	last := points[len(points)-1]
	d := &drawing{
		ID: "chart-" + m.ID + "-" + c.Name, Width: chartWidth, Height: chartHeight, Left: chartLeft, Top: chartMargin, Bottom: chartHeight - chartMargin, Tall: chartHeight - 2*chartMargin,
		High: say(high), Low: say(low), First: p.v.Stamp(p.from, ""), Last: p.v.Stamp(p.to, ""),
		Title: p.v.component(m.ID, c.Name), X: f.x(last.At), Y: f.y(last.Value),
		Now: last.Limit.Sign() + p.v.Say(last.Value, c.Decimals, c.Unit) + trend(points) + ", " + ago(p.v.Language, last.At, p.v.now),
	}
	d.Label = p.v.T("chart.patient") + p.v.T("colon") + d.Title + ", " + say(low) + " – " + say(high)
	above := float64(chartHeight)
	for _, l := range lines {
		b := bound{Y: f.y(l.value), Text: l.text, Level: l.level}
		if l.level != protocols.NoLevel {
			b.Text = p.v.T("chart.limit") + " " + l.text
		} else {
			b.Text += " " + say(l.value)
		}
		// Names of thresholds that lie close together are stacked, from the lowest up.
		at := f.place(l.value)
		above = min(at-4, above-chartLetters)
		b.Beside = int(above - at)
		if above < chartMargin { // there is no room above
			b.Beside = chartLetters
		}
		d.Bounds = append(d.Bounds, b)
	}
	p.silences(d, f, points)
	p.marks(d, f, m)
	d.Acts = p.enters
	if len(points) > chart.Most {
		p.binned(d, f, chart.Bins(points, p.from, p.to, p.v.Zone("")), inFull)
		p.crosses(d, f, m, i)
		return d
	}
	for _, run := range chart.Runs(points) {
		var text strings.Builder
		for _, point := range run {
			text.WriteString(f.x(point.At) + "," + f.y(point.Value) + " ")
		}
		d.Lines = append(d.Lines, text.String())
	}
	for n := len(readings) - 1; n >= 0; n-- {
		r := readings[n]
		if i < len(r.Values) && r.Values[i] != protocols.Missing {
			d.Table = append(d.Table, p.row(r, i))
		}
	}
	p.crosses(d, f, m, i)
	return d
}

// row writes a reading for a table, with the page that strikes it out.
func (p *album) row(r *protocols.Reading, i int) tableRow {
	row := tableRow{At: p.v.Stamp(r.Time, ""), Values: []string{p.shown(r, i)}, Device: r.Device, Struck: r.Struck, Leads: "strike.row", when: r.Time}
	if r.Struck {
		row.Mark, row.Leads = p.mark(r), "strike.row.undo"
	}
	if p.enters {
		row.Link = strikeAddress(p.patient, r.Device, r.ID, r.Measure.ID, r.Time, p.v.Here)
	}
	return row
}

// mark says who struck a reading out, when and why.
func (p *album) mark(r *protocols.Reading) string {
	text := p.v.T("strike.mark")
	if m := markOf(p.marked, r); m != nil {
		text += ", " + m.Author + ", " + p.v.Stamp(m.At, "").Clock + p.v.T("colon") + m.Reason
	}
	return text
}

// crosses marks in a drawing, and in the table beside it, what was struck out.
func (p *album) crosses(d *drawing, f frame, m *protocols.Measure, i int) {
	for _, r := range p.struck[m] {
		if i >= len(r.Values) || r.Values[i] == protocols.Missing || len(d.Struck) >= chart.Most {
			continue
		}
		row := p.row(r, i)
		value := min(max(r.Values[i], f.low), f.high)
		d.Struck = append(d.Struck, dot{f.x(r.Time), f.y(value), row.Values[0] + ", " + row.At.Exact + ", " + row.Mark})
		if d.Binned {
			row.Values = []string{row.Values[0], "", ""}
		}
		d.Table = append(d.Table, row)
	}
	slices.SortStableFunc(d.Table, func(a, b tableRow) int { return b.when.Compare(a.when) })
}

// mostStruckOut is how many readings that were struck out a page lists.
const mostStruckOut = 50

// listStruck lists what was struck out in the interval, the latest first.
func (p *album) listStruck() {
	var all []*protocols.Reading
	for _, list := range p.struck {
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b *protocols.Reading) int {
		if b.Before(a) {
			return -1
		}
		return 1
	})
	for _, r := range all[:min(len(all), mostStruckOut)] {
		row := p.row(r, 0)
		row.Count, row.Values = p.v.In(r.Measure.Title), []string{p.v.values(r)}
		p.v.Struck = append(p.v.Struck, row)
	}
}

// shown writes one value of a reading, as its instrument showed it.
func (p *album) shown(r *protocols.Reading, i int) string {
	value, limit := r.Shown(i)
	return limit.Sign() + p.v.Say(value, r.Measure.Components[i].Decimals, r.Measure.Components[i].Unit)
}

// binned draws the middle value of each stretch and the range around it.
func (p *album) binned(d *drawing, f frame, bins []chart.Bin, say func(protocols.Value) string) {
	d.Binned = true
	for begin := 0; begin < len(bins); {
		end := begin + 1
		for end < len(bins) && !bins[end].From.After(bins[end-1].To) {
			end++
		}
		var middle, upper strings.Builder
		lower := make([]string, 0, end-begin)
		for _, b := range bins[begin:end] {
			x := f.x(b.From.Add(b.To.Sub(b.From) / 2))
			middle.WriteString(x + "," + f.y(b.Median) + " ")
			upper.WriteString(x + "," + f.y(b.High) + " ")
			lower = append(lower, x+","+f.y(b.Low))
		}
		slices.Reverse(lower)
		d.Lines = append(d.Lines, middle.String())
		d.Bands = append(d.Bands, upper.String()+strings.Join(lower, " "))
		begin = end
	}
	for n := len(bins) - 1; n >= 0; n-- {
		b := bins[n]
		d.Table = append(d.Table, tableRow{
			At: p.v.Stamp(b.From, ""), Count: whole(p.v.Language, b.Count), Values: []string{say(b.Low), say(b.Median), say(b.High)},
			Link: p.v.dayAddress(p.patient, b.From), Leads: "table.day", when: b.From,
		})
	}
}

// silences shades where nothing was measured, and where the patient was away.
func (p *album) silences(d *drawing, f frame, points []chart.Point) {
	least := p.to.Sub(p.from) / 60
	shade := func(from, to time.Time) (gap, bool) {
		from, to = later(p.from, from), earlier(p.to, to)
		return gap{X: f.x(from), Width: chart.Pixel(f.width(from, to))}, to.Sub(from) > least
	}
	runs := chart.Runs(points)
	before := p.from
	for _, run := range runs {
		if g, long := shade(before, run[0].At); long && before != p.from {
			d.Gaps = append(d.Gaps, g)
		}
		before = run[len(run)-1].At
	}
	if g, long := shade(before, p.to); long && p.to.Sub(before) > p.to.Sub(p.from)/20 {
		d.Gaps = append(d.Gaps, g)
	}
	for i := range p.enrolments {
		for _, pause := range p.enrolments[i].Pauses {
			if g, long := shade(pause.From, pause.Until); long {
				g.Text = p.v.T("pause") + p.v.T("colon") + pause.Reason
				d.Pauses = append(d.Pauses, g)
			}
		}
	}
}

// marks shows when alerts about a measure were raised.
func (p *album) marks(d *drawing, f frame, m *protocols.Measure) {
	for i := range p.alerts {
		a := &p.alerts[i]
		if a.At.Before(p.from) || a.At.After(p.to) || !about(p.w.rule(a), m) {
			continue
		}
		d.Marks = append(d.Marks, chartMark{f.x(a.At), a.Level, p.v.heading(a) + ", " + p.v.Stamp(a.At, "").Exact})
	}
}

// about reports whether a rule looks at a measure.
func about(rule *protocols.Rule, m *protocols.Measure) (looks bool) {
	if rule == nil {
		return false
	}
	if rule.Absence != nil && rule.Absence.Measure == m {
		return true
	}
	for i := range rule.Levels {
		compares(&rule.Levels[i].When, func(c *protocols.Comparison) { looks = looks || c.Measure == m })
	}
	return looks
}

// frame places times and values in a drawing.
type frame struct {
	from, to  time.Time
	low, high protocols.Value
}

func (f frame) width(from, to time.Time) float64 {
	return float64(to.Sub(from)) / float64(f.to.Sub(f.from)) * (chartWidth - chartLeft - 2*chartMargin)
}

func (f frame) x(t time.Time) string {
	return chart.Pixel(chartLeft + chartMargin + f.width(f.from, t))
}

func (f frame) y(value protocols.Value) string { return chart.Pixel(f.place(value)) }

func (f frame) place(value protocols.Value) float64 {
	return chartHeight - chartMargin - float64(value-f.low)/float64(f.high-f.low)*(chartHeight-2*chartMargin)
}

// chartLetters is the height of a line of text in a drawing.
const chartLetters = 10
