// Package workload measures what a way of alerting asks of a care team, and what the
// team gets to see: a simulated cohort measures itself, a simulated team acts by its
// habits, on the whole service with its clock moved. It compares two versions of
// Vigie; it says nothing about real patients.
package workload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"vigie/alerts"
	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/trial"
	"vigie/seeds"
	"vigie/seeds/simulation"
)

// Options are what is simulated.
type Options struct {
	Cohort simulation.Cohort
	Staff  seeds.Staff
	// Progress is called once a day of the story; may be nil.
	Progress func(day, days int)
}

// Figures are what came of it.
type Figures struct {
	Simulation bool   `json:"simulation"` // always true: nobody here exists
	Patients   int    `json:"patients"`
	Days       int    `json:"days"`
	Seed       uint64 `json:"seed"`
	Readings   int    `json:"readings"`
	Alerts     int    `json:"alerts"`
	// Messages counts mails per patient and week, by the level they carry.
	Messages map[string]float64 `json:"messages_per_patient_week"`
	// Why counts mails by what they tell of.
	Why map[string]int `json:"mails_by_why"`
	// Mails counts them all, and Repeats those about an alert of which somebody had
	// been told before.
	Mails   int `json:"mails"`
	Repeats int `json:"repeats"`
	// Reds counts what evaluation found at red, or rising to it, in time to act. It is
	// counted before any alert is made of it. The last days are left out: they are
	// there for people to see what came before.
	Reds int `json:"reds"`
	// RedSeen is how long it took until somebody of the team had it before them, in
	// hours; RedNever counts those that nobody ever had.
	RedSeen  Spread `json:"red_seen_after_hours"`
	RedNever int    `json:"reds_never_seen"`
}

// Spread is a spread of durations, in hours.
type Spread struct {
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
}

// ward is a simulation under way.
type ward struct {
	Options
	ctx     context.Context
	now     time.Time
	service *service.Service
	shelf   *service.Shelf
	people  people
	homes   []*home
	figures Figures
}

// Run simulates, and measures.
func Run(ctx context.Context, options Options) (figures Figures, err error) {
	w := &ward{Options: options, ctx: ctx, now: options.Cohort.Span().From}
	w.figures = Figures{Simulation: true, Patients: options.Cohort.Patients, Days: options.Cohort.Days, Seed: options.Cohort.Seed, Messages: map[string]float64{}, Why: map[string]int{}}
	folder, err := os.MkdirTemp("", "vigie-workload-")
	if err != nil {
		return figures, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := w.open(folder); err != nil {
		return figures, err
	}
	defer func() { err = errors.Join(err, w.service.Close()) }()
	if err := w.enrol(); err != nil {
		return figures, err
	}
	if err := w.live(); err != nil {
		return figures, err
	}
	return w.sumUp()
}

// Now is the clock.
func (w *ward) Now() time.Time { return w.now }

func (w *ward) open(folder string) (err error) {
	c := config.Default()
	c.Data = folder
	c.Broker.Inside.Enabled, c.Broker.Inside.Listen, c.HTTP.Listen = true, "127.0.0.1:0", "127.0.0.1:0"
	c.Limits.Linger = 0
	c.Limits.DeviceRate = 1e9 // the clock runs fast, and the rate is by the clock on the wall
	w.people = newPeople(w)
	w.service, err = service.Start(w.ctx, service.Options{
		Config: c, Now: w.Now, Log: slog.New(slog.DiscardHandler), Stepped: true, Channels: map[string]alerts.Channel{alerts.Mail: &w.people},
	})
	if err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	w.shelf = w.service.Shelf
	return nil
}

// live lets the cohort and the team live to the end.
func (w *ward) live() error {
	span := w.Cohort.Span()
	end := span.To
	uploads := w.uploads()
	for w.now.Before(end) {
		next := end
		if len(uploads) > 0 && uploads[0].at.Before(next) {
			next = uploads[0].at
		}
		if at := w.people.next(); !at.IsZero() && at.Before(next) {
			next = at
		}
		if err := w.advance(next); err != nil {
			return err
		}
		for len(uploads) > 0 && !uploads[0].at.After(w.now) {
			if err := w.deliver(uploads[0]); err != nil {
				return err
			}
			uploads = uploads[1:]
		}
		if err := w.people.act(); err != nil {
			return err
		}
		if err := w.service.Step(w.ctx); err != nil {
			return err
		}
	}
	return nil
}

// advance moves the clock, and stops wherever something is due before.
func (w *ward) advance(to time.Time) error {
	for {
		due := time.Time{}
		if until := to.Add(-time.Second); until.After(w.now) {
			var err error
			if due, err = w.service.Due(w.ctx, until); err != nil {
				return err
			}
		}
		if due.IsZero() {
			break
		}
		w.tick(due)
		if err := w.service.Step(w.ctx); err != nil {
			return err
		}
		// Somebody may have been told, and act before then.
		if at := w.people.next(); !at.IsZero() && at.Before(to) {
			to = at
		}
	}
	if to.After(w.now) {
		w.tick(to)
	}
	return nil
}

// tick sets the clock.
func (w *ward) tick(to time.Time) {
	if day := to.Sub(w.Cohort.Span().From) / (24 * time.Hour); w.Progress != nil && day > w.now.Sub(w.Cohort.Span().From)/(24*time.Hour) {
		w.Progress(int(day), w.Cohort.Days)
	}
	w.now = to
}

// lastDays are the days at the end in which no red is counted.
const lastDays = 4 * 24 * time.Hour

// sumUp holds what evaluation found at red against what people had before them.
func (w *ward) sumUp() (Figures, error) {
	f := &w.figures
	weeks := float64(f.Patients) * float64(f.Days) / 7
	for level := range f.Messages {
		f.Messages[level] /= weeks
	}
	all, err := w.all(alerts.Filter{Newest: true})
	if err != nil {
		return *f, err
	}
	f.Alerts = len(all)
	var after []time.Duration
	for _, h := range w.homes {
		reds, err := h.reds()
		if err != nil {
			return *f, err
		}
		for _, red := range reds {
			if red.Found.After(w.Cohort.Span().To.Add(-lastDays)) {
				continue
			}
			f.Reds++
			seen := w.people.sawAfter(h.patient.ID, red.Rule, red.Found)
			if seen.IsZero() {
				f.RedNever++
				continue
			}
			after = append(after, seen.Sub(red.Found))
		}
	}
	f.RedSeen = spread(after)
	return *f, nil
}

// all lists every alert that fits.
func (w *ward) all(filter alerts.Filter) ([]alerts.Alert, error) {
	var all []alerts.Alert
	filter.Limit = alerts.MaxLimit
	for {
		list, err := w.service.Alerts().Alerts(w.ctx, filter)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if len(list) < filter.Limit {
			return all, nil
		}
		filter.After = alerts.After(&list[len(list)-1]).String()
	}
}

// reds are what evaluation finds at red, in time to act: a pure function of what was
// delivered.
func (h *home) reds() ([]protocols.Finding, error) {
	plan, err := engine.NewPlan(h.protocol)
	if err != nil {
		return nil, err
	}
	timeline := language.Timeline{Zone: h.patient.Zone, Start: h.patient.From, Settings: h.settings, Pauses: h.patient.Pauses, Readings: h.deliveries, Until: h.patient.To}
	findings, err := trial.Play(&timeline, plan)
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", h.patient.ID, err)
	}
	var reds []protocols.Finding
	for _, f := range findings {
		if f.Level == protocols.Red && !f.TooLate && (f.Kind == protocols.Raised || f.Kind == protocols.Risen) {
			reds = append(reds, f)
		}
	}
	return reds, nil
}
