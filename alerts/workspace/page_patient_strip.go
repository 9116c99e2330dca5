package workspace

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"vigie/alerts"
	"vigie/protocols"
	"vigie/protocols/chart"
)

// strip shows where the interval of the charts lies in the months around it: each day from
// its lowest to its highest value of the measure that is drawn first, and the alerts.
type strip struct {
	Width, Height, Top, Tall int
	Title, Label             string
	Days                     []stripDay
	Alerts                   []chartMark
	Chosen                   stripSpan // the interval of the charts
	Weeks                    []stripSpan
	Ticks                    []tick
}

// stripDay is one day with a value.
type stripDay struct{ X, Y, Width, Height string }

// stripSpan is some days, with what leads to them.
type stripSpan struct{ X, Width, Link, Text string }

// How far a strip goes, and its height in the units of a drawing.
const (
	stripDays   = 90
	stripHeight = 64
	stripTop    = 12
	stripTall   = 34
)

// strip is that of the interval, nil where the interval is as long itself or nothing was
// measured around it.
func (p *album) strip(ctx context.Context) *strip {
	if len(p.v.Charts) == 0 || p.to.Sub(p.from) >= stripDays*24*time.Hour {
		return nil
	}
	m := p.drawnFirst()
	zone, to := p.v.Zone(""), p.v.now
	if p.to.Before(to.AddDate(0, 0, -stripDays/2)) {
		to = p.to.AddDate(0, 0, stripDays/2)
	}
	local := to.In(zone)
	to = time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, zone)
	f := frame{from: to.AddDate(0, 0, -stripDays), to: to}
	var points []chart.Point
	err := p.w.records.readings(ctx, p.patient, m, f.from, f.to, func(r *protocols.Reading) bool {
		if !r.Struck && len(r.Values) > 0 && r.Values[0] != protocols.Missing {
			points = append(points, chart.Point{At: r.Time, Value: r.Values[0]})
		}
		return true
	})
	if err != nil {
		p.w.Log.Warn("a patient is shown without the months around", "error", err)
	}
	if len(points) == 0 {
		return nil
	}
	f.low, f.high = chart.Extent(points, nil)
	s := &strip{Width: chartWidth, Height: stripHeight, Top: stripTop, Tall: stripTall, Title: p.v.component(m.ID, m.Components[0].Name)}
	s.days(f, points)
	s.alerts(p.v.view, f, p.alerts)
	begin, end := later(f.from, p.from), earlier(f.to, p.to)
	s.Chosen = stripSpan{X: f.x(begin), Width: chart.Pixel(max(3, f.width(begin, end)))}
	p.weeks(s, f)
	s.Ticks = p.v.ticks(f, "")
	s.Label = fmt.Sprintf(p.v.T("strip.label"), s.Title, whole(p.v.Language, stripDays), whole(p.v.Language, len(s.Days)), whole(p.v.Language, len(s.Alerts)))
	return s
}

// drawnFirst is the measure of the first chart.
func (p *album) drawnFirst() *protocols.Measure {
	for _, m := range p.measures() {
		for i := range m.Components {
			if p.v.Charts[0].ID == "chart-"+m.ID+"-"+m.Components[i].Name {
				return m
			}
		}
	}
	return p.measures()[0]
}

// days draws each day on which something was measured, from its lowest to its highest value.
func (s *strip) days(f frame, points []chart.Point) {
	y := func(value protocols.Value) float64 {
		return stripTop + stripTall*(1-float64(value-f.low)/float64(f.high-f.low))
	}
	for from := f.from; from.Before(f.to); from = from.AddDate(0, 0, 1) {
		until := from.AddDate(0, 0, 1)
		var low, high protocols.Value
		n := 0
		for ; len(points) > 0 && points[0].At.Before(until); points = points[1:] {
			if low, high = min(low, points[0].Value), max(high, points[0].Value); n == 0 {
				low, high = points[0].Value, points[0].Value
			}
			n++
		}
		if n > 0 {
			top := min(y(high), stripTop+stripTall-2)
			s.Days = append(s.Days, stripDay{f.x(from), chart.Pixel(top), chart.Pixel(f.width(from, until) * .8), chart.Pixel(max(2, y(low)-top))})
		}
	}
}

func (s *strip) alerts(v view, f frame, list []alerts.Alert) {
	for i := range list {
		if a := &list[i]; !a.At.Before(f.from) && a.At.Before(f.to) && a.Level != protocols.Technical {
			s.Alerts = append(s.Alerts, chartMark{f.x(a.At), a.Level, v.heading(a) + ", " + v.Stamp(a.At, "").Exact})
		}
	}
}

// weeks lead to the charts of seven days each. Dates typed above do the same, by keyboard.
func (p *album) weeks(s *strip, f frame) {
	back := (int(f.from.Weekday()) + 6) % 7
	for monday := f.from.AddDate(0, 0, -back); monday.Before(f.to); monday = monday.AddDate(0, 0, 7) {
		begin, end := later(monday, f.from), earlier(monday.AddDate(0, 0, 7), f.to)
		query := url.Values{"from": {monday.Format(time.DateOnly)}, "to": {monday.AddDate(0, 0, 6).Format(time.DateOnly)}}
		s.Weeks = append(s.Weeks, stripSpan{
			X: f.x(begin), Width: chart.Pixel(f.width(begin, end)), Link: "/patients/" + url.PathEscape(p.patient) + "?" + query.Encode() + "#charts",
			Text: p.v.T("strip.week") + " " + date(p.v.Language, monday, p.v.now),
		})
	}
}
