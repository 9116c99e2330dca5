package workspace

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/chart"
)

// comparison is the interval beside another one of the same length.
type comparison struct {
	First, Last *stamp // of the other one
	Rows        []comparedPeriods
	Begins      string // the date on which the other one begins
}

// comparedPeriods is one component in both intervals.
type comparedPeriods struct {
	Name      string
	Now, Then []string // how many readings, the lowest, middle and highest
	Change    string   // of the middle value
}

// period is what was measured in one interval, in the language of its page.
type period struct {
	view
	Figures []string
}

// Both is one of two intervals for its template.
func (v view) Both(figures []string) period { return period{v, figures} }

// comparedFrom is when the other interval begins: right before the one that is shown, or on
// a day; the zero time for no comparison.
func comparedFrom(query url.Values, zone *time.Location, from, to time.Time) (time.Time, error) {
	switch asked := query.Get("compare"); asked {
	case "":
		return time.Time{}, nil
	case "before":
		return from.Add(-to.Sub(from)), nil
	default:
		day, err := time.ParseInLocation(time.DateOnly, asked, zone)
		if err != nil || day.Year() < 1900 || day.After(to) {
			return day, badParameter("compare", "donnez une date comme 2026-10-01, ou « before » pour la période d'avant", "give a date such as 2026-10-01, or “before” for the period before")
		}
		return day, nil
	}
}

// otherFrom and otherTo are the ends of the other interval.
func (p *album) otherFrom() time.Time { return p.other }
func (p *album) otherTo() time.Time   { return p.other.Add(p.to.Sub(p.from)) }

// readOther reads what was measured in the other interval.
func (p *album) readOther(ctx context.Context) {
	p.earlier = map[*protocols.Measure][]*protocols.Reading{}
	if p.other.IsZero() {
		return
	}
	err := p.w.records.readings(ctx, p.patient, nil, p.otherFrom(), p.otherTo(), func(r *protocols.Reading) bool {
		if !r.Struck {
			p.earlier[r.Measure] = append(p.earlier[r.Measure], r)
		}
		return true
	})
	p.unread(err)
}

// drawOther draws the course of the other interval under that of this one, as if it had
// begun at the same moment.
func (p *album) drawOther(d *drawing, f frame, m *protocols.Measure, i int) {
	points := pointsOf(p.earlier[m], i)
	if len(points) == 0 {
		return
	}
	shift := p.from.Sub(p.other)
	if len(points) > chart.Most {
		bins := chart.Bins(points, p.otherFrom(), p.otherTo(), p.v.Zone(""))
		points = points[:0]
		for _, b := range bins {
			points = append(points, chart.Point{At: b.From.Add(b.To.Sub(b.From) / 2), Value: b.Median.Value})
		}
	}
	for _, run := range chart.Runs(points) {
		var text strings.Builder
		for _, point := range run {
			value := min(max(point.Value, f.low), f.high)
			text.WriteString(f.x(point.At.Add(shift)) + "," + f.y(value) + " ")
		}
		d.Earlier = append(d.Earlier, text.String())
	}
}

// compare writes both intervals side by side, for each component that was measured in one.
func (p *album) compare() *comparison {
	if p.other.IsZero() {
		return nil
	}
	zone := p.v.Zone("")
	c := &comparison{First: p.v.Stamp(p.otherFrom(), ""), Last: p.v.Stamp(p.otherTo(), ""), Begins: p.other.In(zone).Format(time.DateOnly)}
	for _, m := range p.measures() {
		for i := range m.Components {
			now, then := pointsOf(p.measured[m], i), pointsOf(p.earlier[m], i)
			if len(now)+len(then) == 0 {
				continue
			}
			row := comparedPeriods{Name: p.v.component(m.ID, m.Components[i].Name), Now: p.v.inShort(now, &m.Components[i]), Then: p.v.inShort(then, &m.Components[i])}
			if len(now) > 0 && len(then) > 0 {
				row.Change = p.v.change(middle(now)-middle(then), &m.Components[i])
			}
			c.Rows = append(c.Rows, row)
		}
	}
	return c
}

func middle(points []chart.Point) protocols.Value {
	sorted := slices.SortedFunc(slices.Values(points), chart.ByValue)
	return sorted[len(sorted)/2].Value
}

// inShort writes how many readings there are, and the lowest, middle and highest; nothing
// for none.
func (v view) inShort(points []chart.Point, c *protocols.Component) []string {
	if len(points) == 0 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(points), chart.ByValue)
	return []string{whole(v.Language, len(points)), v.read(sorted[0], c), v.read(sorted[len(sorted)/2], c), v.read(sorted[len(sorted)-1], c)}
}

// change writes a difference with its sign.
func (v view) change(by protocols.Value, c *protocols.Component) string {
	text := quantity(v.Language, by, c.Decimals, c.Unit)
	if by > 0 {
		text = "+" + text
	}
	return strings.Replace(text, "-", "−", 1)
}
