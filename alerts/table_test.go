package alerts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// The table says what becomes of an orange alert in every state when anything is found,
// done or due: testdata/life.txt holds a row for each thing that happens and a column
// for each state. A cell says the state that follows, with "over" where the condition
// has ended, then what else happens:
//
//	rings      people are called
//	new        another alert is raised; the one there was stays as it was
//	deadline   its deadline is another
//	-          nothing changes
//	no (code)  the act is refused
//
// A change of the specification is a change of that file, to be read as one.

// situation brings a timeline to one state of the table.
type situation struct {
	name string
	come func(*timeline)
}

var situations = []situation{
	{"nothing", func(*timeline) {}},
	{"open", func(l *timeline) { l.begin() }},
	{"open-over", func(l *timeline) { l.begin(); l.end() }},
	{"taken", func(l *timeline) { l.begin(); l.acknowledge(2 * hour) }},
	{"taken-over", func(l *timeline) { l.begin(); l.acknowledge(2 * hour); l.end() }},
	{"snoozed", func(l *timeline) { l.begin(); l.does(alerts.Snooze, 60*hour, 2*hour) }},
	{"resolved", func(l *timeline) { l.begin(); l.resolve(2 * hour) }},
	{"resolved-over", func(l *timeline) { l.begin(); l.end(); l.resolve(2 * hour) }},
	{"past", func(l *timeline) {
		l.found(protocols.Raised, "ep-1", protocols.Orange, -80*hour, 0, figure(86), tooLate)
	}},
}

func (l *timeline) begin() { l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0, figure(86)) }

func (l *timeline) end() { l.found(protocols.Ended, "ep-1", protocols.Orange, hour, hour) }

// does has Dr Payet do an act that names a moment.
func (l *timeline) does(act func(context.Context, alerts.Store, string, string, string, time.Time, time.Time) error, until, at time.Duration) error {
	return act(ctx, l.memory, l.latest().ID, "Dr Payet", "", storetest.Morning.Add(until), storetest.Morning.Add(at))
}

// happening is one row of the table. What it returns is why it was refused.
type happening struct {
	name string
	do   func(*timeline) error
}

func finds(kind protocols.FindingKind, episode string, level protocols.Level, after time.Duration, more ...func(*protocols.Finding)) func(*timeline) error {
	return func(l *timeline) error {
		l.found(kind, episode, level, after, after, more...)
		return nil
	}
}

var happenings = []happening{
	{"a further reading", finds(protocols.Again, "ep-1", protocols.Orange, 4*hour, figure(86))},
	{"a graver figure", finds(protocols.Again, "ep-1", protocols.Orange, 4*hour, figure(84))},
	{"a reading after the rest", finds(protocols.Again, "ep-1", protocols.Orange, 30*hour, figure(86))},
	{"a reading after the lapse", finds(protocols.Again, "ep-1", protocols.Orange, 20*days, figure(86))},
	{"a rise to red", finds(protocols.Risen, "ep-1", protocols.Red, 4*hour, figure(79))},
	{"its end", finds(protocols.Ended, "ep-1", protocols.Orange, 4*hour)},
	{"it had not ended", finds(protocols.Resumed, "ep-1", protocols.Orange, 4*hour, figure(86))},
	{"the next episode, soon", finds(protocols.Raised, "ep-2", protocols.Orange, 5*hour, figure(86))},
	{"the next episode, later", finds(protocols.Raised, "ep-2", protocols.Orange, 30*hour, figure(86))},
	{"the next episode, red", finds(protocols.Raised, "ep-2", protocols.Red, 5*hour, figure(79))},
	{"the next episode, yellow", finds(protocols.Raised, "ep-2", protocols.Yellow, 30*hour, figure(89))},
	{"the next episode, too late", finds(protocols.Raised, "ep-2", protocols.Orange, 5*hour, figure(86), tooLate)},
	{"another version finds it", finds(protocols.Raised, "ep-2", protocols.Orange, 5*hour, figure(86), version("2"))},
	{"a backfill", finds(protocols.Again, "ep-1", protocols.Orange, -2*hour, figure(86))},
	{"the same finding", func(l *timeline) error { l.begin(); return nil }},
	{"its reading is struck out", func(l *timeline) error { l.struck("ep-1", protocols.Orange, 4*hour); return nil }},
	{"the strike is undone", func(l *timeline) error {
		l.struck("ep-1", protocols.Orange, 4*hour)
		l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 5*hour, figure(86))
		return nil
	}},
	{"one of several is", func(l *timeline) error {
		l.found(protocols.Revised, "ep-1", protocols.Yellow, 0, 4*hour, figure(89), byMmeHoarau)
		return nil
	}},
	{"a day passes", func(l *timeline) error { l.pass(26 * hour); return nil }},
	{"two weeks pass", func(l *timeline) error { l.pass(14 * days); return nil }},
	{"another team", func(l *timeline) error {
		l.directory.care.Team.ID, l.directory.care.Team.Contacts = "team-b", []string{"autre@example.org"}
		_, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(3*hour))
		return err
	}},
	{"the patient is away", func(l *timeline) error {
		l.directory.care.Pauses = []protocols.Pause{{From: storetest.Morning.Add(3 * hour), Until: storetest.Morning.Add(9 * days), Author: "Dr Payet", Reason: "hôpital"}}
		_, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(4*hour))
		return err
	}},
	{"consent is withdrawn", func(l *timeline) error {
		l.directory.care.Until = storetest.Morning.Add(3 * hour)
		_, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(4*hour))
		return err
	}},
	{"the patient is merged", func(l *timeline) error {
		l.directory.care.Same = []string{"p-9"}
		_, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(3*hour))
		return err
	}},
	{"take on", func(l *timeline) error {
		return alerts.Acknowledge(ctx, l.memory, l.latest().ID, "Mme Hoarau", "", storetest.Morning.Add(3*hour))
	}},
	{"release", func(l *timeline) error {
		return alerts.Release(ctx, l.memory, l.latest().ID, "Dr Payet", "", storetest.Morning.Add(3*hour))
	}},
	{"assign", func(l *timeline) error {
		return alerts.Assign(ctx, l.memory, l.latest().ID, "Dr Payet", "Mme Hoarau", "", storetest.Morning.Add(3*hour))
	}},
	{"transfer", func(l *timeline) error {
		return alerts.Transfer(ctx, l.memory, l.latest().ID, "Dr Payet", "team-b", "suit l'oxygène", storetest.Morning.Add(3*hour))
	}},
	{"transfer to nobody", func(l *timeline) error {
		return alerts.Transfer(ctx, l.memory, l.latest().ID, "Dr Payet", "team-c", "suit l'oxygène", storetest.Morning.Add(3*hour))
	}},
	{"note", func(l *timeline) error {
		return alerts.Note(ctx, l.memory, l.latest().ID, "Dr Payet", "a rappelé", storetest.Morning.Add(3*hour))
	}},
	{"call back", func(l *timeline) error { return l.does(alerts.CallBack, 5*hour, 3*hour) }},
	{"snooze", func(l *timeline) error { return l.does(alerts.Snooze, 50*hour, 3*hour) }},
	{"snooze too long", func(l *timeline) error { return l.does(alerts.Snooze, 90*hour, 3*hour) }},
	{"close", func(l *timeline) error {
		return alerts.Resolve(ctx, l.memory, l.latest().ID, "Mme Hoarau", "patient-called", "", storetest.Morning.Add(3*hour))
	}},
	{"undo at once", func(l *timeline) error {
		return alerts.TakeBack(ctx, l.memory, l.latest().ID, "Dr Payet", storetest.Morning.Add(2*hour+time.Minute))
	}},
	{"undo later", func(l *timeline) error {
		return alerts.TakeBack(ctx, l.memory, l.latest().ID, "Dr Payet", storetest.Morning.Add(2*hour+61*time.Second))
	}},
	{"another undoes it", func(l *timeline) error {
		return alerts.TakeBack(ctx, l.memory, l.latest().ID, "Mme Hoarau", storetest.Morning.Add(2*hour+time.Second))
	}},
}

// cell plays one cell of the table and says what came of it.
func cell(t *testing.T, s situation, h happening) string {
	l := newTimeline(t)
	l.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Lapse: 7 * days}}
	s.come(l)
	if len(l.memory.alerts) == 0 {
		if strings.Contains("take on release assign transfer to nobody note call back snooze snooze too long close the same finding undo at once undo later another undoes it", h.name) {
			return "."
		}
	}
	var before alerts.Alert
	if len(l.memory.alerts) > 0 {
		before = *l.latest()
	}
	count, messages := len(l.memory.alerts), len(l.memory.messages)
	err := h.do(l)
	var refused *alerts.Refused
	switch {
	case errors.As(err, &refused):
		return "no (" + string(refused.Code) + ")"
	case err != nil:
		t.Fatal(err)
	case len(l.memory.alerts) == 0:
		return "-"
	}
	now := l.latest()
	if len(l.memory.alerts) == count && fmt.Sprintf("%+v", *now) == fmt.Sprintf("%+v", before) {
		return "-"
	}
	said := []string{string(now.State)}
	if !now.SnoozedUntil.IsZero() {
		said[0] = "snoozed"
	}
	if !now.Active {
		said = append(said, "over")
	}
	if now.Level != protocols.Orange {
		said = append(said, now.Level.String())
	}
	if len(l.memory.alerts) > count {
		said = append(said, "new")
	}
	if slices.ContainsFunc(l.memory.messages[messages:], func(m alerts.Outgoing) bool { return m.Channel == alerts.Mail && m.Event != alerts.EventDigest }) {
		said = append(said, "rings")
	}
	if !now.Deadline().Equal(before.Deadline()) && count == len(l.memory.alerts) {
		said = append(said, "deadline")
	}
	return strings.Join(said, " ")
}

func TestTheTableHolds(t *testing.T) {
	const path = "testdata/life.txt"
	var b strings.Builder
	row := func(cells []string) {
		for i, c := range cells {
			cells[i] = fmt.Sprintf("%-26s", c)
		}
		b.WriteString(strings.TrimRight(strings.Join(cells, " | "), " ") + "\n")
	}
	head := []string{""}
	for _, s := range situations {
		head = append(head, s.name)
	}
	row(head)
	for _, h := range happenings {
		cells := []string{h.name}
		for _, s := range situations {
			cells = append(cells, cell(t, s, h))
		}
		row(cells)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(b.String(), "\n")
	for i, line := range strings.Split(string(want), "\n") {
		if i >= len(got) || got[i] != line {
			t.Errorf("line %d of %s\n  says  %s\n  it is %s", i+1, path, line, got[min(i, len(got)-1)])
		}
	}
	if t.Failed() {
		t.Logf("all of it, as it is now:\n%s", b.String())
	}
}
