package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/figures"
	"vigie/ingest"
	"vigie/protocols"
)

// Alerts is a store that takes findings.
type Alerts interface {
	ingest.Store
	alerts.Store
	figures.Store
}

// RunAlerts runs every test of a store of alerts against stores that open gives:
// empty ones, whose findings reach the people in the directory.
func RunAlerts(t *testing.T, open func(*testing.T, alerts.Directory) Alerts) {
	alerts.Register(alerts.Kind{Name: alerts.Mail, Shown: func(address string) string { return address }})
	alerts.Register(alerts.Kind{Name: alerts.Webhook, System: true, Shown: func(address string) string { return strings.Split(address, "/")[2] }})
	for _, c := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"a finding becomes an alert that explains itself", findingBecomesAlert},
		{"a finding that comes again changes nothing", replayChangesNothing},
		{"further readings are counted", furtherReadings},
		{"an episode that began before is found after", earlierEpisodeFoundLater},
		{"what is found too late rings once it goes on", lateThenTimely},
		{"what was found too late and resolved as past rings once it goes on", resolvedThenTimely},
		{"an end that late readings undo is taken back", endUndone},
		{"what was resolved as over and goes on rings again", resolvedAsOver},
		{"a new episode joins an open alert", newEpisodeJoins},
		{"after acknowledging, an end and a new episode: counted within the rest time, then a new alert", newAlertAfterAcknowledgedEnd},
		{"after resolving, the same episode stays quiet unless it gets worse", quietAfterResolve},
		{"technical alerts of two devices are two alerts", twoDevices},
		{"findings of one transaction build on one another", oneTransaction},
		{"a finding nobody is in charge of is shown", nobodyInCharge},
		{"a directory that fails undoes everything", directoryFails},
		{"people acknowledge and resolve", peopleAct},
		{"an act that is undone leaves the alert as it was", undoneAct},
		{"a note that comes later is kept", noteLater},
		{"an act that is refused leaves no trace", refusedAct},
		{"nobody acts on what has got worse since they read it", staleAct},
		{"an alert that does not exist", unknownAlert},
		{"a worklist is gravest first, then oldest", worklistOrder},
		{"a list can begin with what is newest", newestFirst},
		{"filters narrow a worklist", filters},
		{"what a strike has closed is found by when", closedByStrike},
		{"filters may reach to the ends of time", farFilters},
		{"pages follow one another without gap or repetition", pages},
		{"a cursor nobody gave out is refused", badCursor},
		{"events are numbered over all alerts", eventNumbers},
		{"overdue alerts escalate step by step", overdue},
		{"a list holds what some teams are in charge of, and nobody", within},
		{"alerts follow their patient to another team", followPatient},
		{"missing readings call nobody at first, and escalate", missingReadings},
		{"messages leave the outbox once confirmed", outbox},
		{"a notice is sent once, at the opening", notices},
		{"what waits for the opening is told once, at its gravest", heldBack},
		{"a message that is refused for good is seen", refusedMessage},
		{"only messages that were sent are forgotten", forgetSent},
		{"a summary counts what is left to do", summary},
		{"when the service last worked is known", alive},
		{"figures follow an alert from its call to its outcome", courses},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{T: t, ctx: context.Background()}
			b.directory = &directory{care: Care()}
			b.store = open(t, b.directory)
			c.test(t, b)
		})
	}
	t.Run("any story ends as Apply says", func(t *testing.T) { sameAsApply(t, open) })
}

// Morning is when the timelines of these tests begin: a Monday at nine in Paris.
var Morning = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// Care is the care around every enrolment of these tests: a team that opens from
// nine to six on weekdays and answers red within an hour.
func Care() alerts.Care {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return alerts.Care{
		Team: alerts.Team{
			ID: "team-a",
			Calendar: alerts.Calendar{
				Zone: zone, Opens: 9 * time.Hour, Closes: 18 * time.Hour,
				Days: [7]bool{time.Monday: true, time.Tuesday: true, time.Wednesday: true, time.Thursday: true, time.Friday: true},
			},
			Contacts: []string{"equipe@example.org"}, Escalate: []string{"cadre@example.org"}, Systems: []string{"webhook:https://example.org/hook"},
		},
		Answer: map[protocols.Level]time.Duration{protocols.Red: time.Hour, protocols.Orange: 4 * time.Hour, protocols.Yellow: 18 * time.Hour},
	}
}

// directory answers with one care for all.
type directory struct {
	care alerts.Care
	err  error
}

func (d *directory) Care(string) (alerts.Care, error) { return d.care, d.err }

// bench is a store under test with the words to write a timeline.
type bench struct {
	*testing.T
	ctx       context.Context
	store     Alerts
	directory *directory
}

// Finding is one about patient P1, at a time of the timeline.
func Finding(kind protocols.FindingKind, rule, episode string, level protocols.Level, after time.Duration) protocols.Finding {
	at := Morning.Add(after)
	f := protocols.Finding{
		Kind: kind, Enrolment: "e-1", Patient: "p-1", Protocol: "icc", Version: "1",
		Rule: rule, Level: level, Episode: episode, At: at, Found: at.Add(time.Second),
	}
	if kind == protocols.Raised || kind == protocols.Risen {
		f.Explanation = &protocols.Explanation{
			Protocol: "icc", Version: "1", Rule: rule, Level: level, At: at,
			Title:    protocols.Text{FR: "Prise de poids", EN: "Weight gain"},
			Summary:  protocols.Text{FR: "Le poids a augmenté.", EN: "The weight went up."},
			Readings: []protocols.Cited{{ID: "r-1", Device: "scale-1", Time: at, Measure: "weight", Values: map[string]protocols.Value{"value": 82100}}},
			Comparisons: []protocols.Compared{{
				Measure: "weight", Component: "value", Statistic: protocols.Change, Operator: protocols.AtLeast,
				Value: 2100, Threshold: 2000, Clear: protocols.Missing, Unit: "kg", Truth: protocols.True,
			}},
		}
	}
	return f
}

// apply commits findings, or leaves nothing behind.
func (b *bench) apply(findings []protocols.Finding) error {
	return b.store.Update(b.ctx, func(tx ingest.Tx) error { return tx.Apply(findings) })
}

func (b *bench) found(findings ...protocols.Finding) {
	b.Helper()
	if err := b.apply(findings); err != nil {
		b.Fatalf("apply: %v", err)
	}
}

func (b *bench) list(filter alerts.Filter) []alerts.Alert {
	b.Helper()
	list, err := b.store.Alerts(b.ctx, filter)
	if err != nil {
		b.Fatalf("list alerts: %v", err)
	}
	return list
}

// only returns the one alert there is, with its explanation.
func (b *bench) only() *alerts.Alert {
	b.Helper()
	list := b.list(alerts.Filter{})
	if len(list) != 1 {
		b.Fatalf("there are %d alerts, want 1", len(list))
	}
	return b.alert(list[0].ID)
}

func (b *bench) alert(id string) *alerts.Alert {
	b.Helper()
	alert, err := b.store.Alert(b.ctx, id)
	if err != nil {
		b.Fatalf("read alert %s: %v", id, err)
	}
	return alert
}

// kinds lists what happened to an alert, in order.
func (b *bench) kinds(id string) []alerts.EventKind {
	b.Helper()
	events, err := b.store.Events(b.ctx, id)
	if err != nil {
		b.Fatalf("list events: %v", err)
	}
	kinds := []alerts.EventKind{}
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (b *bench) wantKinds(id string, want ...alerts.EventKind) {
	b.Helper()
	if got := b.kinds(id); !reflect.DeepEqual(got, want) {
		b.Fatalf("events %v, want %v", got, want)
	}
}

// waiting lists the messages about alerts in the outbox, however far their time is.
func (b *bench) waiting() []alerts.Outgoing {
	b.Helper()
	return slices.DeleteFunc(b.outbox(), func(m alerts.Outgoing) bool { return m.Event == alerts.EventDigest })
}

func (b *bench) outbox() []alerts.Outgoing {
	b.Helper()
	var all []alerts.Outgoing
	for _, channel := range []string{alerts.Mail, alerts.Webhook} {
		list, err := b.store.Outbox(b.ctx, channel, Morning.AddDate(1, 0, 0), 1000)
		if err != nil {
			b.Fatalf("list messages: %v", err)
		}
		all = append(all, list...)
	}
	return all
}

func (b *bench) wantMessages(want int) {
	b.Helper()
	if got := b.waiting(); len(got) != want {
		b.Fatalf("%d messages wait, want %d: %+v", len(got), want, got)
	}
}

func (b *bench) acknowledge(id string, after time.Duration) {
	b.Helper()
	if err := alerts.Acknowledge(b.ctx, b.store, id, "Dr Payet", "", Morning.Add(after)); err != nil {
		b.Fatalf("acknowledge: %v", err)
	}
}

func (b *bench) resolve(id string, after time.Duration) {
	b.Helper()
	if err := alerts.Resolve(b.ctx, b.store, id, "Dr Payet", "patient-called", "va mieux", Morning.Add(after)); err != nil {
		b.Fatalf("resolve: %v", err)
	}
}

// want compares what matters of an alert.
func (b *bench) want(a *alerts.Alert, state alerts.State, level protocols.Level, active bool, occurrences int) {
	b.Helper()
	got := fmt.Sprintf("%s %s active=%v occurrences=%d", a.State, a.Level, a.Active, a.Occurrences)
	want := fmt.Sprintf("%s %s active=%v occurrences=%d", state, level, active, occurrences)
	if got != want {
		b.Fatalf("alert is %s, want %s", got, want)
	}
}

func (b *bench) wantRefused(err error, code alerts.Code) {
	b.Helper()
	var refused *alerts.Refused
	if !errors.As(err, &refused) || refused.Code != code {
		b.Fatalf("got %v, want a refusal %s", err, code)
	}
	if refused.Text.FR == "" || refused.Text.EN == "" {
		b.Fatalf("refusal %s has no sentence", code)
	}
}

func notices(t *testing.T, b *bench) {
	evening := Morning.Add(12 * time.Hour)
	opening := Morning.Add(24 * time.Hour)
	for _, key := range []string{"2026-11-23", "2026-11-23", "2026-11-24"} {
		if err := b.store.Post(b.ctx, alerts.Notice(alerts.EventRenewal, Care().Team, key, evening)); err != nil {
			b.Fatal(err)
		}
	}
	if err := b.store.Post(b.ctx, nil); err != nil {
		b.Fatal(err)
	}
	waiting := func(at time.Time) []alerts.Outgoing {
		list, err := b.store.Outbox(b.ctx, alerts.Mail, at, 10)
		if err != nil {
			b.Fatal(err)
		}
		return list
	}
	if early := waiting(evening); len(early) != 0 {
		b.Errorf("a team is told while it is closed: %+v", early)
	}
	due := waiting(opening)
	if len(due) != 2 || due[0].To != "equipe@example.org" || due[0].Alert != "" || due[0].Event != alerts.EventRenewal {
		b.Errorf("at the opening: %+v", due)
	}
	for _, m := range due {
		if err := b.store.Sent(b.ctx, m.ID, opening); err != nil {
			b.Fatal(err)
		}
	}
	if err := b.store.Post(b.ctx, alerts.Notice(alerts.EventRenewal, Care().Team, "2026-11-24", evening)); err != nil {
		b.Fatal(err)
	}
	if again := waiting(opening.Add(time.Hour)); len(again) != 0 {
		b.Errorf("told twice: %+v", again)
	}
}
