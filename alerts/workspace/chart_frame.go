package workspace

import (
	"time"

	"vigie/protocols"
	"vigie/protocols/chart"
)

// The place of a drawing, in its units.
const (
	chartWidth   = 640
	chartHeight  = 180
	chartMargin  = 14
	chartLeft    = 84
	chartLetters = 10 // the height of a line of text
	closeLetters = 20 // its height on a telephone
)

// frame places times and values in a drawing.
type frame struct {
	from, to  time.Time
	low, high protocols.Value
}

// drawing is an empty one with its scale.
func (f frame) drawing() *drawing {
	return &drawing{Width: chartWidth, Height: chartHeight, Left: chartLeft, Top: chartMargin, Bottom: chartHeight - chartMargin, Tall: chartHeight - 2*chartMargin}
}

// share is how far a moment lies between the ends, from 0 to 1.
func (f frame) share(t time.Time) float64 { return float64(t.Sub(f.from)) / float64(f.to.Sub(f.from)) }

func (f frame) width(from, to time.Time) float64 {
	return float64(to.Sub(from)) / float64(f.to.Sub(f.from)) * (chartWidth - chartLeft - 2*chartMargin)
}

func (f frame) across(t time.Time) float64 { return chartLeft + chartMargin + f.width(f.from, t) }

func (f frame) x(t time.Time) string { return chart.Pixel(f.across(t)) }

func (f frame) y(value protocols.Value) string { return chart.Pixel(f.place(value)) }

func (f frame) place(value protocols.Value) float64 {
	return chartHeight - chartMargin - float64(value-f.low)/float64(f.high-f.low)*(chartHeight-2*chartMargin)
}

// zone is a range of values; nil where it lies outside the scale.
func (f frame) zone(from, to protocols.Value) *zone {
	from, to = max(from, f.low), min(to, f.high)
	if from >= to {
		return nil
	}
	return &zone{f.y(to), chart.Pixel(f.place(from) - f.place(to))}
}

// zone is a range of values in a drawing.
type zone struct{ Y, Height string }

// stop is a value that a drawing tells when it is pointed at.
type stop struct {
	at    time.Time
	value protocols.Value
	text  string
}

// drawnValue is a stop in a drawing: the stretch in which it answers, and its place.
type drawnValue struct {
	From, Width string
	X, Y        string
	Text        string
	Ends        bool // the text stands before its place, not behind
}

// values shares the width out among stops, oldest first: each answers from halfway to the
// one before up to halfway to the next.
func (f frame) values(stops []stop) []drawnValue {
	list := make([]drawnValue, len(stops))
	edge := f.across(f.from)
	for i, s := range stops {
		at, next := f.across(s.at), f.across(f.to)
		if i+1 < len(stops) {
			next = (at + f.across(stops[i+1].at)) / 2
		}
		list[i] = drawnValue{chart.Pixel(edge), chart.Pixel(max(0, next-edge)), chart.Pixel(at), f.y(s.value), s.text, f.share(s.at) > .5}
		edge = next
	}
	return list
}

// tick is a moment that is named below a drawing.
type tick struct{ X, Text string }

// ticks names moments on the clock of the patient, or of a team.
func (v view) ticks(f frame, team string) (list []tick) {
	zone := v.Zone(team)
	for _, t := range chart.Ticks(f.from, f.to, zone) {
		local := t.At.In(zone)
		text := local.Format("15:04")
		if !t.Hours || text == "00:00" {
			text = date(v.Language, local, v.now)
		}
		list = append(list, tick{f.x(t.At), text})
	}
	return list
}

// short writes a moment without its offset, on the clock of the patient or of a team.
func (v view) short(t time.Time, team string) string {
	return moment(v.Language, t.In(v.Zone(team)), v.now)
}

// read writes a value as the instrument showed it: "< 40 mg/dL".
func (v view) read(p chart.Point, c *protocols.Component) string {
	return p.Limit.Sign() + v.Say(p.Value, c.Decimals, c.Unit)
}

// along tells each value of a course when it is pointed at; of very many only every second
// one, or third, and so on.
func (v view) along(d *drawing, f frame, points []chart.Point, c *protocols.Component, team string) {
	every := 1 + (len(points)-1)/chart.Most
	var stops []stop
	for i, p := range points {
		if i%every != 0 && i+1 != len(points) && p.Limit == protocols.Measured {
			continue
		}
		text := v.short(p.At, team) + v.T("colon") + v.read(p, c)
		stops = append(stops, stop{p.At, p.Value, text})
		d.beyond(f, p.At, p, text)
	}
	d.Values = f.values(stops)
}

// beyond marks a value that the instrument could only say to lie below or above.
func (d *drawing) beyond(f frame, at time.Time, p chart.Point, text string) {
	if p.Limit != protocols.Measured {
		d.Beyond = append(d.Beyond, beyond{dot{f.x(at), f.y(p.Value), text}, p.Limit == protocols.MoreThan})
	}
}

// beyond is a value that lies below or above its place.
type beyond struct {
	dot
	Above bool
}

// LastValue is the place of the last one among the values of a drawing.
func (d *drawing) LastValue() int { return len(d.Values) - 1 }
