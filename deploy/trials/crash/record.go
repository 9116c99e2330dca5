package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

// record is what a store holds at the end, as far as it must be the same however
// often the service was killed.
type record struct {
	readings map[string]int    // how often each is kept, by device and id
	journal  map[string]int    // and how often it stands in the journal
	alerts   map[string]string // by id
	events   map[string]int    // by alert, kind and level
	messages map[string]letter // by id
}

// letter is a message to people.
type letter struct {
	about string // what it tells, and whom: the id of what is told again holds the moment
	sent  bool   // noted as sent
	later bool   // it waits for a later time, as a digest does
}

// keeper is a store of either kind.
type keeper interface {
	History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error
	ReadingsAfter(ctx context.Context, seq int64, limit int) ([]ingest.Kept, error)
	Alerts(ctx context.Context, filter alerts.Filter) ([]alerts.Alert, error)
	EventsAfter(ctx context.Context, seq int64, limit int) ([]alerts.Event, error)
}

// readRecord reads it.
func readRecord(ctx context.Context, w *ward, store *sqlite.Store) (*record, error) {
	r, err := recordOf(ctx, w, store)
	if err == nil {
		err = r.readMessages(ctx, store)
	}
	if err != nil {
		return nil, fmt.Errorf("read what is kept: %w", err)
	}
	return r, nil
}

// recordOf reads all but the messages.
func recordOf(ctx context.Context, w *ward, store keeper) (*record, error) {
	r := &record{readings: map[string]int{}, journal: map[string]int{}, alerts: map[string]string{}, events: map[string]int{}, messages: map[string]letter{}}
	return r, errors.Join(r.readReadings(ctx, w, store), r.readAlerts(ctx, store), r.readEvents(ctx, store))
}

func (r *record) readReadings(ctx context.Context, w *ward, store keeper) error {
	for _, patient := range w.registry.Patients {
		err := store.History(ctx, patient.ID, nil, time.Time{}, w.begin.AddDate(1, 0, 0), func(kept *protocols.Reading) bool {
			r.readings[kept.Device+"/"+kept.ID]++
			return true
		})
		if err != nil {
			return err
		}
	}
	for seq := int64(0); ; {
		kept, err := store.ReadingsAfter(ctx, seq, 10_000)
		if err != nil || len(kept) == 0 {
			return err
		}
		for i := range kept {
			r.journal[kept[i].Reading.Device+"/"+kept[i].Reading.ID]++
			seq = kept[i].Seq
		}
	}
}

func (r *record) readAlerts(ctx context.Context, store keeper) error {
	filter := alerts.Filter{Limit: alerts.MaxLimit}
	for {
		page, err := store.Alerts(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page {
			a := &page[i]
			r.alerts[a.ID] = fmt.Sprintf("%s %s %s, episode %s, %d occurrences, %s to %s, active %v, %s", a.Enrolment, a.Rule, a.Level, a.Episode,
				a.Occurrences, a.At.UTC().Format(time.RFC3339), a.LastAt.UTC().Format(time.RFC3339), a.Active, a.State)
			filter.After = alerts.After(a).String()
		}
		if len(page) < filter.Limit {
			return nil
		}
	}
}

func (r *record) readEvents(ctx context.Context, store keeper) error {
	for seq := int64(0); ; {
		events, err := store.EventsAfter(ctx, seq, 10_000)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			r.events[fmt.Sprintf("%s %s %s", e.Alert, e.Kind, e.Level)]++
			seq = e.Seq
		}
	}
}

func (r *record) readMessages(ctx context.Context, store *sqlite.Store) error {
	return store.Read(ctx, func(conn *zombiezen.Conn) error {
		return sqlitex.Execute(conn, "SELECT id, sent_at <> 0, not_until > ? AND attempts = 0, alert || ' ' || event || ' ' || level || ' ' || channel || ' ' || recipient FROM outbox", &sqlitex.ExecOptions{Args: []any{time.Now().UnixNano()}, ResultFunc: func(row *zombiezen.Stmt) error {
			r.messages[row.ColumnText(0)] = letter{about: row.ColumnText(3), sent: row.ColumnBool(1), later: row.ColumnBool(2)}
			return nil
		}})
	})
}

// kept is how many readings there are.
func (r *record) kept() (n int) {
	for _, times := range r.readings {
		n += times
	}
	return n
}

// waiting is how many messages are not noted as sent, of those whose time has come.
func (r *record) waiting() (n int) {
	for _, m := range r.messages {
		if !m.sent && !m.later {
			n++
		}
	}
	return n
}

// letters is how often each thing is told to each recipient.
func (r *record) letters() map[string]int {
	times := map[string]int{}
	for _, m := range r.messages {
		times[m.about]++
	}
	return times
}

// counts are what the table shows of a fault.
type counts struct{ acknowledged, lost, doubled, missed, repeated int }

func (c *counts) add(other counts) {
	c.acknowledged += other.acknowledged
	c.lost += other.lost
	c.doubled += other.doubled
	c.missed += other.missed
	c.repeated += other.repeated
}

func (c counts) clean() bool { return c.lost+c.doubled+c.missed+c.repeated == 0 }

// judge compares what is kept with what devices were told and with what an
// undisturbed run over the same readings keeps. It explains each difference to
// out.
type judge struct {
	counts
	alarms, letters int // alerts and messages there must be
	again           int // messages that came again because the sender was killed before it could note them
	out             io.Writer
	told            int // differences that were explained
	// wrongClock tells that the service's clock was put forward and back. Whether a
	// further episode of an open alert calls again is a matter of how long ago people were
	// called, by that clock.
	wrongClock bool
	// movedClock tells that it was put at all: there is a digest for each opening that it was
	// put across, and the trial without faults knows of one.
	movedClock bool
}

func (j *judge) says(format string, args ...any) {
	const most = 10
	if j.told++; j.told <= most {
		fmt.Fprintf(j.out, "  "+format+"\n", args...)
	}
}

// readings counts what was acknowledged and is not kept, and what is kept more often than
// it was measured: twice, where the counter of a device began anew.
func (j *judge) readings(c *crowd, got *record) {
	acknowledged := map[string]int{}
	c.acknowledged(func(device, id string) {
		j.acknowledged++
		acknowledged[device+"/"+id]++
	})
	for key, times := range acknowledged {
		if kept := min(got.readings[key], got.journal[key]); kept < times {
			j.lost += times - kept
			j.says("%s was acknowledged %d times and is kept %d times", key, times, kept)
		}
	}
	measured := c.ward.measured()
	for key, times := range got.readings {
		if times = max(times, got.journal[key]); times > measured[key] {
			j.doubled++
			j.says("%s is kept %d times, and was measured %d times", key, times, measured[key])
		}
	}
}

// alerts compares with an undisturbed run.
func (j *judge) alerts(got, want *record) {
	j.alarms, j.letters = len(want.alerts), len(want.messages)
	for id, line := range want.alerts {
		if got.alerts[id] != line {
			j.missed++
			j.says("alert %s: %q instead of %q", id, got.alerts[id], line)
		}
	}
	for id, line := range got.alerts {
		if want.alerts[id] == "" {
			j.repeated++
			j.says("alert %s is there, and nothing says why: %s", id, line)
		}
	}
	for event, times := range want.events {
		if got.events[event] < times {
			j.missed++
			j.says("event %q is noted %d times instead of %d", event, got.events[event], times)
		}
	}
	for event, times := range got.events {
		if times > want.events[event] {
			j.repeated++
			j.says("event %q is noted %d times instead of %d", event, times, want.events[event])
		}
	}
}

// rang compares, with an undisturbed run, which rules rang for whom and how gravely. Where
// readings come out of order, that is what must be the same.
func (j *judge) rang(got, want *record) {
	is, was := got.gravest(), want.gravest()
	j.alarms, j.letters = len(was), len(want.messages)
	for rule, level := range was {
		if is[rule] < level {
			j.missed++
			j.says("%s rang %s instead of %s", rule, is[rule], level)
		}
	}
	for rule := range is {
		if _, known := was[rule]; !known {
			j.repeated++
			j.says("%s rang, and nothing says why", rule)
		}
	}
}

// gravest is the highest level of each enrolment and rule.
func (r *record) gravest() map[string]protocols.Level {
	levels := map[string]protocols.Level{}
	for _, line := range r.alerts {
		words := strings.Fields(strings.ReplaceAll(line, ",", " "))
		rule := words[0] + " " + words[1]
		if level, err := protocols.ParseLevel(words[2]); err == nil {
			levels[rule] = max(levels[rule], level)
		}
	}
	return levels
}

// messages holds what came to people to what was written for them.
func (j *judge) messages(p *people, got, want *record) {
	written, expected := got.letters(), want.letters()
	if j.wrongClock {
		calls := func(about string, _ int) bool { return strings.Contains(about, " "+string(alerts.EventRecurred)+" ") }
		maps.DeleteFunc(written, calls)
		maps.DeleteFunc(expected, calls)
	}
	for about, times := range expected {
		if j.movedClock && strings.HasPrefix(about, " "+string(alerts.EventDigest)+" ") {
			written[about] = min(written[about], times)
		}
	}
	for about, times := range expected {
		if written[about] < times {
			j.missed++
			j.says("message %q is written %d times instead of %d", about, written[about], times)
		}
	}
	for about, times := range written {
		if times > expected[about] {
			j.repeated++
			j.says("message %q is written %d times instead of %d", about, times, expected[about])
		}
	}
	for id, m := range got.messages {
		if m.later {
			continue
		}
		came, inexcusable, again := p.deliveries(id)
		j.again += again
		if came == 0 {
			j.missed++
			j.says("message %s never came (sent, says the store: %v)", id, m.sent)
		}
		if inexcusable > 0 {
			j.repeated++
			j.says("message %s came %d times", id, came)
		}
	}
	for _, id := range p.strangers(got.messages) {
		j.repeated++
		j.says("message %s came, and nobody was to be told", id)
	}
}

// meant returns an error when there was nothing to lose: a trial of nothing shows
// nothing.
func (j *judge) meant() error {
	if j.acknowledged == 0 || j.alarms == 0 || j.letters == 0 {
		return fmt.Errorf("%d readings were acknowledged, there were %d alerts and %d messages: this shows nothing", j.acknowledged, j.alarms, j.letters)
	}
	return nil
}

// atStake says how much there was to lose.
func (j *judge) atStake() string {
	note := fmt.Sprintf("%d alerts, %d messages", j.alarms, j.letters)
	if j.again > 0 {
		note += fmt.Sprintf(", %d came again: killed before they were noted", j.again)
	}
	return note
}
