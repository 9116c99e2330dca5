package influx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"vigie/alerts"
)

// What happens to an alert is a point of its own, so that a dashboard can draw what
// rang, and what people did:
//
//	measurement  alert
//	tags         event, level, patient (pseudonymous), protocol, rule, team: the level and
//	             the team are those of the event; a tag that has no value is left out
//	fields       seq      the number of the event, a whole number
//	             after_s  the seconds since the alert was raised, a float
//	time         the millisecond of the event, plus its number modulo 1,000,000 in ns
//
// Nothing of it ever changes, so that a point that is sent again overwrites itself.
const alertMeasurement = "alert"

const (
	fieldSeq   = "seq"
	fieldAfter = "after_s"
)

// AlertCursor is the name under which the forwarder keeps how far it has come with
// the events of alerts.
const AlertCursor = "influxdb-alerts"

// alertBatch is how many events one request carries.
const alertBatch = 1000

// Alerts is the part of a store that tells what happened to alerts: alerts.Store
// has it.
type Alerts interface {
	EventsAfter(ctx context.Context, seq int64, limit int) ([]alerts.Event, error)
	Events(ctx context.Context, alert string) ([]alerts.Event, error)
	Alert(ctx context.Context, id string) (*alerts.Alert, error)
}

// AlertsTogether is what Alerts offers beside where each question costs a way to another
// machine.
type AlertsTogether interface {
	// AlertsWithEvents returns those alerts that there are, without their explanation,
	// and then all their events, oldest first.
	AlertsWithEvents(ctx context.Context, ids []string) ([]alerts.Alert, []alerts.Event, error)
}

// Alerts has the forwarder tell what happens to alerts, too. It is called before Run.
func (f *Forwarder) Alerts(store Alerts) { f.alerts = store }

// tellAlerts sends what happened to alerts behind its cursor, as much as one request
// carries, and reports whether there may be more.
func (f *Forwarder) tellAlerts(ctx context.Context) (full bool, err error) {
	if f.alerts == nil {
		return false, nil
	}
	cursor, err := f.journal.Cursor(ctx, AlertCursor)
	if err != nil {
		return false, fmt.Errorf("find the place in the events of alerts: %w", err)
	}
	events, err := f.alerts.EventsAfter(ctx, cursor, alertBatch)
	if err != nil || len(events) == 0 {
		return false, err
	}
	told, err := f.told(ctx, events)
	if err != nil {
		return false, err
	}
	d := delivery{f: f, count: len(told), of: func(i int) Refused {
		return Refused{Device: told[i].alert.Device, Reading: told[i].alert.ID, Received: told[i].event.At}
	}}
	f.lines, f.ends = f.lines[:0], f.ends[:0]
	for i := range told {
		f.lines = append(told[i].appendLine(f.lines), '\n')
		f.ends = append(f.ends, len(f.lines))
	}
	if len(told) > 0 {
		if err := d.deliver(ctx, 0, len(told)); err != nil {
			return false, err
		}
	}
	if err := f.setAside(ctx, d.refused); err != nil {
		return false, err
	}
	if err := f.journal.SetCursor(ctx, AlertCursor, events[len(events)-1].Seq); err != nil {
		return false, fmt.Errorf("record the place in the events of alerts: %w", err)
	}
	f.note(func(g *Figures) {
		g.Alerts += int64(len(told) - len(d.refused))
		g.Refused += int64(len(d.refused))
	})
	f.worked()
	return len(events) == alertBatch, nil
}

// told is an event with what is told of its alert.
type told struct {
	event *alerts.Event
	alert *alerts.Alert
	team  string
}

// told finds what is to be told of events. Of an alert that the store no longer has,
// and of who was erased since, nothing is.
func (f *Forwarder) told(ctx context.Context, events []alerts.Event) (list []told, err error) {
	of, err := f.alertsOf(ctx, events)
	if err != nil {
		return nil, fmt.Errorf("read the alerts of events: %w", err)
	}
	for i := range events {
		e := &events[i]
		known := of[e.Alert]
		if known == nil {
			continue
		}
		gone, err := f.erasedBefore(ctx, known.alert.Patient, e.At)
		if err != nil {
			return nil, err
		}
		if !gone {
			list = append(list, told{event: e, alert: &known.alert, team: alerts.TeamAt(&known.alert, known.events, e.Seq)})
		}
	}
	return list, nil
}

// history is an alert with what happened to it.
type history struct {
	alert  alerts.Alert
	events []alerts.Event
}

// alertsOf reads the alerts of events, by their id: first the alert, then its events, so
// that a hand-over between the two is among them.
func (f *Forwarder) alertsOf(ctx context.Context, events []alerts.Event) (map[string]*history, error) {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].Alert
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	of := make(map[string]*history, len(ids))
	if together, ok := f.alerts.(AlertsTogether); ok {
		found, all, err := together.AlertsWithEvents(ctx, ids)
		for i := range found {
			of[found[i].ID] = &history{alert: found[i]}
		}
		for i := range all {
			if known := of[all[i].Alert]; known != nil {
				known.events = append(known.events, all[i])
			}
		}
		return of, err
	}
	for _, id := range ids {
		alert, err := f.alerts.Alert(ctx, id)
		if errors.Is(err, alerts.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		of[id] = &history{alert: *alert}
		if of[id].events, err = f.alerts.Events(ctx, id); err != nil && !errors.Is(err, alerts.ErrNotFound) {
			return nil, err
		}
	}
	return of, nil
}

// erasedBefore reports whether a patient was erased at that time or later.
func (f *Forwarder) erasedBefore(ctx context.Context, patient string, at time.Time) (bool, error) {
	if err := f.knowErased(ctx); err != nil || patient == "" {
		return false, err
	}
	erasure, erased := f.erased[patient]
	return erased && !at.After(erasure.At), nil
}

// appendLine appends an event in line protocol, without the end of line. The patient is
// not the last tag: what is set aside of one is found by it, see settleOf.
func (t *told) appendLine(dst []byte) []byte {
	dst = append(dst, alertMeasurement...)
	for _, tag := range [][2]string{
		{"event", string(t.event.Kind)}, {"level", t.event.Level.String()}, {"patient", t.alert.Patient},
		{"protocol", t.alert.Protocol}, {"rule", t.alert.Rule}, {"team", t.team},
	} {
		if tag[1] != "" { // line protocol has no empty one
			dst = appendTag(dst, tag[0], tag[1])
		}
	}
	dst = appendWhole(append(dst, ' '), fieldSeq, uint64(t.event.Seq))
	after := max(t.event.At.Sub(t.alert.RaisedAt), 0)
	dst = append(append(append(dst, ','), fieldAfter...), '=')
	dst = strconv.AppendFloat(dst, after.Round(time.Millisecond).Seconds(), 'f', -1, 64)
	at := bounded(t.event.At).Truncate(time.Millisecond).UnixNano() + t.event.Seq%int64(time.Millisecond)
	return strconv.AppendInt(append(dst, ' '), at, 10)
}
