package workspace

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	held       []held                                      // how the enrolments stood in the interval
	ranges     chart.GlucoseRanges                         // of the patient
	ruled      bool                                        // his protocol says some of them
	other      time.Time                                   // when the interval to compare with begins; zero for none
	earlier    map[*protocols.Measure][]*protocols.Reading // what was measured in it, oldest first
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
	p.held = p.holding(ctx)
	p.readOther(ctx)
	p.ranges, p.ruled = p.glucoseRanges()
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
	p.v.Strip = p.strip(ctx)
	p.v.Glucose, p.v.Compared = p.sensor(), p.compare()
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
	p.unread(err)
}

// unread says on the page what could not be read, where something could not.
func (p *album) unread(err error) {
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
		Value: p.v.latest(points, &m.Components[i]),
		Age:   ago(p.v.Language, last.At, p.v.now),
	}
	few := points[max(0, len(points)-60):]
	t.Spark = chart.SparkOf(few, nil, few[0].At, last.At)
	p.v.Tiles = append(p.v.Tiles, t)
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
	last := points[len(points)-1]
	d := f.drawing()
	d.ID, d.Title, d.X, d.Y = "chart-"+m.ID+"-"+c.Name, p.v.component(m.ID, c.Name), f.x(last.At), f.y(last.Value)
	d.High, d.Low, d.First, d.Last = say(high), say(low), p.v.Stamp(p.from, ""), p.v.Stamp(p.to, "")
	d.Now = p.v.latest(points, c) + ", " + ago(p.v.Language, last.At, p.v.now)
	d.Label = p.v.T("chart.patient") + p.v.T("colon") + d.Title + ", " + say(low) + " – " + say(high)
	d.Ticks = p.v.ticks(f, "")
	if m == protocols.MeasureByID(glucoseMeasure) {
		d.Wanted = f.zone(p.ranges.Target())
	}
	p.thresholds(d, f, lines, say)
	p.drawOther(d, f, m, i)
	p.silences(d, f, points)
	p.marks(d, f, m)
	p.written(d, f)
	d.Acts = p.enters
	if len(points) > chart.Most {
		p.binned(d, f, chart.Bins(points, p.from, p.to, p.v.Zone("")), c)
		p.crosses(d, f, m, i)
		return d
	}
	p.v.along(d, f, points, c, "")
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
func (p *album) binned(d *drawing, f frame, bins []chart.Bin, c *protocols.Component) {
	d.Binned = true
	say := func(point chart.Point) string { return p.v.read(point, c) }
	var stops []stop
	for begin := 0; begin < len(bins); {
		end := begin + 1
		for end < len(bins) && !bins[end].From.After(bins[end-1].To) {
			end++
		}
		var middle, upper strings.Builder
		lower := make([]string, 0, end-begin)
		for _, b := range bins[begin:end] {
			at := b.From.Add(b.To.Sub(b.From) / 2)
			x := f.x(at)
			middle.WriteString(x + "," + f.y(b.Median.Value) + " ")
			upper.WriteString(x + "," + f.y(b.High.Value) + " ")
			lower = append(lower, x+","+f.y(b.Low.Value))
			text := p.v.short(b.From, "") + p.v.T("colon") + say(b.Median) + ", " + fmt.Sprintf(p.v.T("chart.between"), say(b.Low), say(b.High))
			stops = append(stops, stop{at, b.Median.Value, text})
			for _, point := range []chart.Point{b.Low, b.High} {
				d.beyond(f, at, point, text)
			}
		}
		slices.Reverse(lower)
		d.Lines = append(d.Lines, middle.String())
		d.Bands = append(d.Bands, upper.String()+strings.Join(lower, " "))
		begin = end
	}
	d.Values = f.values(stops)
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

// treatmentChanged is the outcome that is marked in the charts without a note as well.
const treatmentChanged = "treatment-changed"

// mostWritten bounds the notes and changes that a chart marks.
const mostWritten = 50

// written marks when people wrote a note about an alert, changed a treatment or a setting.
// The life of the patient tells the same in words.
func (p *album) written(d *drawing, f frame) {
	seen := map[string]bool{}
	add := func(at time.Time, text string) {
		key := at.String() + text
		if at.Before(p.from) || at.After(p.to) || seen[key] || len(d.Written) == mostWritten {
			return
		}
		seen[key] = true
		d.Written = append(d.Written, dot{X: f.x(at), Text: p.v.short(at, "") + p.v.T("colon") + text})
	}
	for i := range p.alerts {
		a := &p.alerts[i]
		switch {
		case a.State == alerts.Resolved && (a.Note != "" || slices.Contains(a.Outcomes, treatmentChanged)):
			add(a.ResolvedAt, joined(p.v.Closed(p.v.row(a)), a.ResolvedBy, a.Note))
		case a.State == alerts.Acknowledged && a.Note != "":
			add(a.AcknowledgedAt, joined(a.AcknowledgedBy, a.Note))
		}
	}
	for _, h := range p.held {
		protocol := p.w.protocolOf(h.Enrolment)
		for _, name := range slices.Sorted(maps.Keys(h.Settings)) {
			s := h.Settings[name]
			title, unit, decimals := p.v.parameter(protocol, name)
			add(s.Date, joined(title+" "+p.v.Say(s.Value, decimals, unit), s.Author, s.Reason))
		}
	}
}

// joined writes what is not empty, with commas.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
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
		rule.Levels[i].When.Comparisons(func(c *protocols.Comparison) { looks = looks || c.Measure == m })
	}
	return looks
}
