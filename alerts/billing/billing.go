// Package billing counts by enrolment and civil month what was due, what was transmitted
// and by whom, the alerts, and what people did. It does not say what is paid.
//
//	Followed   an enrolment, from the registry
//	Sources    what is read
//	Month      the lines of a month
//	Columns    what each cell of a line means, in both languages
package billing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vigie/alerts"
	"vigie/alerts/figures"
	"vigie/alerts/reviews"
	"vigie/alerts/trail"
	"vigie/protocols"
)

// Followed is an enrolment as far as an extract needs it.
type Followed struct {
	Enrolment, Patient, Protocol, Version, Team, Physician string

	Zone     *time.Location
	Rules    *protocols.Protocol  // of that version; nil where it is not at hand
	Covers   func(time.Time) bool // whether the enrolment runs at a moment
	Consents func(time.Time) bool // whether the patient consents at a moment
	Pauses   []protocols.Pause
}

// Sources are what an extract is made of.
type Sources struct {
	Readings interface {
		History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error
	}
	Alerts interface {
		Alerts(ctx context.Context, f alerts.Filter) ([]alerts.Alert, error)
		Events(ctx context.Context, alert string) ([]alerts.Event, error)
	}
	Reviews interface {
		ReviewsOf(ctx context.Context, patient string, from, to time.Time) ([]reviews.Review, error)
	}
	Trail interface {
		Find(ctx context.Context, f trail.Filter) ([]trail.Row, error)
	}
}

// Column is a column with its definition.
type Column struct {
	Name string         `json:"name"`
	What protocols.Text `json:"what"`
}

func column(name, fr, en string) Column { return Column{name, protocols.Say(fr, en)} }

// Month is a line for each enrolment that ran in a civil month, up to now. first is any
// moment of the month's first day.
func Month(ctx context.Context, from Sources, followed []Followed, first, now time.Time) (lines []*Line, err error) {
	for i := range followed {
		b := &Line{e: &followed[i], month: first.Format("2006-01"), levels: map[protocols.Level]int{}}
		begins := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, b.e.Zone)
		ends := begins.AddDate(0, 1, 0)
		due := b.calendar(begins, ends, now)
		if b.followed == 0 {
			continue
		}
		for _, read := range []func() error{
			func() error { return b.readings(ctx, from, due, begins, ends) },
			func() error { return b.alerts(ctx, from, begins, ends) },
			func() error { return b.reviewed(ctx, from, begins, ends) },
			func() error { return b.traced(ctx, from, begins, ends) },
		} {
			if err := read(); err != nil {
				return nil, err
			}
		}
		lines = append(lines, b)
	}
	return lines, nil
}

// calendar counts days, and returns what is due: days or weeks, by name.
func (b *Line) calendar(from, to, now time.Time) map[string]bool {
	b.unit = cadence(b.e.Rules)
	due := map[string]bool{}
	for day := from; day.Before(to) && !day.After(now); day = day.AddDate(0, 0, 1) {
		noon := time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, day.Location())
		if !b.e.Covers(noon) || !b.e.Consents(noon) {
			continue
		}
		b.followed++
		if slices.ContainsFunc(b.e.Pauses, func(p protocols.Pause) bool { return !noon.Before(p.From) && noon.Before(p.Until) }) {
			b.paused++
			continue
		}
		due[b.period(day)] = true
	}
	b.due = len(due)
	return due
}

// period names the day or week of a moment.
func (b *Line) period(t time.Time) string {
	if b.unit == "week" {
		year, week := t.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	}
	return t.Format(time.DateOnly)
}

// cadence is the unit in which the mandatory measures of a protocol are due: a day where
// one is due each day, else a week; empty for neither.
func cadence(p *protocols.Protocol) (unit string) {
	if p == nil {
		return ""
	}
	for i := range p.Observations {
		switch o := &p.Observations[i]; {
		case o.Mandatory && (o.Cadence.Per == protocols.PerDay && o.Cadence.Times > 0 || o.Cadence.Every > 0):
			return "day"
		case o.Mandatory && o.Cadence.Per == protocols.PerWeek && o.Cadence.Times > 0:
			unit = "week"
		}
	}
	return unit
}

// readings counts what was transmitted of the mandatory measures.
func (b *Line) readings(ctx context.Context, kept Sources, due map[string]bool, from, to time.Time) error {
	p := b.e.Rules
	if p == nil {
		return nil
	}
	met := map[string]bool{}
	err := kept.Readings.History(ctx, b.e.Patient, nil, from, to, func(r *protocols.Reading) bool {
		mandatory := slices.ContainsFunc(p.Observations, func(o protocols.Observation) bool {
			return o.Mandatory && o.Measure == r.Measure && (o.Variant == 0 || o.Variant == r.Variant)
		})
		if mandatory && !r.Struck && b.e.Covers(r.Time) {
			b.sources[r.Source]++
			met[b.period(r.Time.In(from.Location()))] = true
		}
		return true
	})
	for name := range met {
		if due[name] {
			b.transmitted++
		}
	}
	return err
}

// alerts counts those raised in the month.
func (b *Line) alerts(ctx context.Context, kept Sources, from, to time.Time) error {
	filter := alerts.Filter{Patient: b.e.Patient, From: from, To: to, Newest: true, Limit: alerts.MaxLimit}
	for {
		page, err := kept.Alerts.Alerts(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page {
			a := &page[i]
			if a.Enrolment != b.e.Enrolment {
				continue
			}
			b.levels[a.Level]++
			events, err := kept.Alerts.Events(ctx, a.ID)
			if err != nil {
				return err
			}
			answer, escalated := (&figures.Course{Events: events}).Answered()
			if !answer.IsZero() || !escalated.IsZero() {
				b.waited++
			}
			if !answer.IsZero() && (escalated.IsZero() || answer.Before(escalated)) {
				b.inTime++
			}
		}
		if len(page) < filter.Limit {
			return nil
		}
		filter.After = alerts.After(&page[len(page)-1]).String()
	}
}

// traced counts what people did about the patient, and looked at.
func (b *Line) traced(ctx context.Context, kept Sources, from, to time.Time) error {
	rows, err := kept.Trail.Find(ctx, trail.Filter{Patient: b.e.Patient, From: from, To: to})
	if err != nil {
		return err
	}
	looked := map[string]bool{}
	for i := range rows {
		e, err := rows[i].Entry()
		if err != nil {
			return err
		}
		switch {
		case e.Account == "" || e.Token != "": // a command, or a program
		case e.Kind == trail.Act:
			b.acts++
		case e.Kind == trail.Read:
			looked[e.Name+" "+e.At.In(from.Location()).Format(time.DateOnly)] = true
		}
	}
	b.reviews = len(looked)
	return nil
}

// reviewed counts the reviews of the record that people signed.
func (b *Line) reviewed(ctx context.Context, kept Sources, from, to time.Time) error {
	list, err := kept.Reviews.ReviewsOf(ctx, b.e.Patient, from, to)
	for i := range list {
		b.signed++
		if list[i].Alerts == 0 {
			b.quiet++
		}
	}
	return err
}
