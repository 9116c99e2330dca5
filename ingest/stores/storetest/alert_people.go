package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

func peopleAct(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Orange, 0))
	a := b.only()
	b.acknowledge(a.ID, time.Minute)
	b.acknowledge(a.ID, 2*time.Minute)
	a = b.only()
	b.want(a, alerts.Acknowledged, protocols.Orange, true, 1)
	if a.AcknowledgedBy != "Dr Payet" || !a.AcknowledgedAt.Equal(Morning.Add(time.Minute)) || !a.AnswerBy.IsZero() {
		t.Errorf("acknowledged by %q at %v, answer by %v", a.AcknowledgedBy, a.AcknowledgedAt, a.AnswerBy)
	}
	b.resolve(a.ID, 3*time.Minute)
	a = b.only()
	if a.State != alerts.Resolved || a.ResolvedBy != "Dr Payet" || a.Outcome != "patient-called" || a.Note != "va mieux" || !a.ResolvedAt.Equal(Morning.Add(3*time.Minute)) {
		t.Errorf("resolved alert is %+v", a)
	}
	if a.Explanation == nil {
		t.Error("the explanation is gone")
	}
	b.wantKinds(a.ID, alerts.EventRaised, alerts.EventAcknowledged, alerts.EventResolved)
	events, err := b.store.Events(b.ctx, a.ID)
	if err != nil || events[1].Author != "Dr Payet" || events[0].Author != alerts.Service || events[2].Outcome != "patient-called" || events[2].Note != "va mieux" {
		t.Errorf("events %+v, %v; want each with its author, the last with outcome and note", events, err)
	}
}

func staleAct(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Orange, 0))
	id := b.only().ID
	asSeen := alerts.Seen{Level: protocols.Orange, Active: true}.In(b.store)
	b.found(Finding(protocols.Risen, "weight-fast", "ep-1", protocols.Red, time.Minute))
	b.wantRefused(alerts.Acknowledge(b.ctx, asSeen, id, "Dr Payet", "", Morning), alerts.WorseSince)
	b.wantRefused(alerts.Resolve(b.ctx, asSeen, id, "Dr Payet", "no-action", "", Morning), alerts.WorseSince)
	b.want(b.only(), alerts.Open, protocols.Red, true, 2)
	over := alerts.Seen{Level: protocols.Red}.In(b.store)
	b.wantRefused(alerts.Resolve(b.ctx, over, id, "Dr Payet", "measured-again", "", Morning), alerts.WorseSince)

	now := alerts.Seen{Level: protocols.Red, Active: true}.In(b.store)
	if err := alerts.Acknowledge(b.ctx, now, id, "Dr Payet", "", Morning); err != nil {
		t.Errorf("the alert is as it was read: %v", err)
	}
	if err := alerts.Resolve(b.ctx, now, id, "Dr Payet", "patient-called", "", Morning); err != nil {
		t.Errorf("the alert is as it was read: %v", err)
	}
	if err := alerts.Resolve(b.ctx, now, id, "Dr Payet", "patient-called", "", Morning); err != nil {
		t.Errorf("a second click says the same: %v", err)
	}
	b.wantKinds(id, alerts.EventRaised, alerts.EventRisen, alerts.EventAcknowledged, alerts.EventResolved)
}

func undoneAct(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Orange, 0))
	before := *b.alert(b.only().ID)
	at := Morning.Add(time.Minute + 123_456_789*time.Nanosecond) // a store may keep less than a clock gives
	if err := alerts.Close(b.ctx, b.store, before.ID, "Dr Payet", []string{"patient-called", "appointment"}, "vu", at); err != nil {
		t.Fatal(err)
	}
	b.wantRefused(alerts.TakeBack(b.ctx, b.store, before.ID, "Mme Hoarau", at), alerts.TooLateToUndo)
	for range 2 { // the second is a double click
		if err := alerts.TakeBack(b.ctx, b.store, before.ID, "Dr Payet", at.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	after := *b.alert(before.ID)
	after.Undo = nil
	if !reflect.DeepEqual(before, after) {
		t.Errorf("an act that was undone made of\n%+v\nthis:\n%+v", before, after)
	}
	b.wantKinds(before.ID, alerts.EventRaised, alerts.EventResolved, alerts.EventUndone)
}

func noteLater(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Orange, 0))
	id := b.only().ID
	for _, note := range []string{"", "rappeler à midi", "rappeler à midi", ""} {
		if err := alerts.Acknowledge(b.ctx, b.store, id, "Dr Payet", note, Morning.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	b.wantKinds(id, alerts.EventRaised, alerts.EventAcknowledged, alerts.EventAcknowledged)
	if events, err := b.store.Events(b.ctx, id); err != nil || events[2].Note != "rappeler à midi" || b.only().Note != "rappeler à midi" {
		t.Errorf("what was noted is gone: %+v, %v", events, err)
	}
}

func refusedAct(_ *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Orange, 0))
	id := b.only().ID
	b.wantRefused(alerts.Acknowledge(b.ctx, b.store, id, "  ", "", Morning), alerts.NoAuthor)
	b.wantRefused(alerts.Resolve(b.ctx, b.store, id, "Dr Payet", "", "", Morning), alerts.NoOutcome)
	b.acknowledge(id, time.Minute)
	b.wantRefused(alerts.Acknowledge(b.ctx, b.store, id, "Mme Hoarau", "", Morning), alerts.AlreadyAcknowledged)
	b.resolve(id, 2*time.Minute)
	b.wantRefused(alerts.Resolve(b.ctx, b.store, id, "Dr Payet", "no-action", "", Morning), alerts.AlreadyResolved)
	b.wantRefused(alerts.Acknowledge(b.ctx, b.store, id, "Dr Payet", "", Morning), alerts.AlreadyResolved)
	b.wantKinds(id, alerts.EventRaised, alerts.EventAcknowledged, alerts.EventResolved)
}

func unknownAlert(t *testing.T, b *bench) {
	if _, err := b.store.Alert(b.ctx, "nothing"); !errors.Is(err, alerts.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	b.wantRefused(alerts.Acknowledge(b.ctx, b.store, "nothing", "Dr Payet", "", Morning), alerts.Unknown)
}

// ward raises n alerts of all levels over several patients, teams and rules.
func (b *bench) ward(n int) {
	b.Helper()
	levels := []protocols.Level{protocols.Yellow, protocols.Red, protocols.Orange, protocols.Technical}
	for i := range n {
		b.directory.care.Team.ID = fmt.Sprintf("team-%d", i%3)
		f := Finding(protocols.Raised, fmt.Sprintf("rule-%d", i%5), "ep", levels[i%4], time.Duration(i/8)*time.Minute)
		f.Enrolment, f.Patient, f.Protocol = fmt.Sprintf("e-%d", i), fmt.Sprintf("p-%d", i%7), fmt.Sprintf("protocol-%d", i%2)
		b.found(f)
	}
}

func worklistOrder(t *testing.T, b *bench) {
	b.ward(40)
	list := b.list(alerts.Filter{})
	ordered := slices.IsSortedFunc(list, func(x, y alerts.Alert) int {
		if x.Level != y.Level {
			return int(y.Level) - int(x.Level)
		}
		if c := x.RaisedAt.Compare(y.RaisedAt); c != 0 {
			return c
		}
		return map[bool]int{true: -1, false: 1}[x.ID < y.ID]
	})
	if len(list) != 40 || !ordered {
		t.Errorf("%d alerts, in order: %v", len(list), ordered)
	}
}

func newestFirst(t *testing.T, b *bench) {
	b.ward(40)
	want := b.list(alerts.Filter{})
	for i, a := range want {
		if i%3 == 0 {
			b.resolve(a.ID, time.Hour)
		}
	}
	for name, states := range map[string][]alerts.State{"all": nil, "open": {alerts.Open}, "resolved": {alerts.Resolved}} {
		want := b.list(alerts.Filter{States: states})
		slices.SortFunc(want, func(x, y alerts.Alert) int {
			return cmp.Or(y.RaisedAt.Compare(x.RaisedAt), strings.Compare(y.ID, x.ID))
		})
		paged := []alerts.Alert{}
		for filter := (alerts.Filter{States: states, Newest: true, Limit: 7}); ; {
			page := b.list(filter)
			paged = append(paged, page...)
			if len(page) < 7 {
				break
			}
			filter.After = alerts.After(&page[6]).String()
		}
		if !reflect.DeepEqual(paged, want) {
			t.Errorf("%s: pages hold %d alerts, want the same %d, newest first", name, len(paged), len(want))
		}
	}
}

// closedByStrike closes two of three alerts by a strike, an hour apart.
func closedByStrike(t *testing.T, b *bench) {
	for i, rule := range []string{"a", "b", "c"} {
		b.found(Finding(protocols.Raised, rule, "ep-1", protocols.Orange, time.Duration(i)*time.Minute))
	}
	for i, rule := range []string{"a", "b"} {
		f := Finding(protocols.Withdrawn, rule, "ep-1", protocols.Orange, time.Duration(i)*time.Minute)
		f.Found, f.Author, f.Reason = Morning.Add(time.Duration(i+1)*time.Hour), "Mme Hoarau", "son mari"
		b.found(f)
	}
	for after, want := range map[time.Duration]int{0: 2, time.Hour: 2, 61 * time.Minute: 1, 3 * time.Hour: 0} {
		got := b.list(alerts.Filter{States: []alerts.State{alerts.Resolved}, StruckSince: Morning.Add(after)})
		if len(got) != want || want > 0 && got[0].Outcome != alerts.StruckOut {
			t.Errorf("closed by a strike since %s: %d alerts, want %d", after, len(got), want)
		}
	}
	if got := b.list(alerts.Filter{States: []alerts.State{alerts.Resolved}, StruckSince: Morning, Within: []string{"team-9"}}); len(got) != 0 {
		t.Errorf("another team finds %d of them", len(got))
	}
}

func filters(t *testing.T, b *bench) {
	b.ward(60)
	all := b.list(alerts.Filter{})
	for i, a := range all {
		switch i % 6 {
		case 0:
			b.acknowledge(a.ID, time.Hour)
		case 1:
			b.resolve(a.ID, time.Hour)
		}
	}
	all = b.list(alerts.Filter{})
	from, to := Morning.Add(2*time.Minute), Morning.Add(5*time.Minute)
	for name, c := range map[string]struct {
		filter alerts.Filter
		keeps  func(a alerts.Alert) bool
	}{
		"open":        {alerts.Filter{States: []alerts.State{alerts.Open}}, func(a alerts.Alert) bool { return a.State == alerts.Open }},
		"unresolved":  {alerts.Filter{States: []alerts.State{alerts.Open, alerts.Acknowledged}}, func(a alerts.Alert) bool { return a.State != alerts.Resolved }},
		"resolved":    {alerts.Filter{States: []alerts.State{alerts.Resolved}}, func(a alerts.Alert) bool { return a.State == alerts.Resolved }},
		"levels":      {alerts.Filter{Levels: []protocols.Level{protocols.Red, protocols.Technical}}, func(a alerts.Alert) bool { return a.Level == protocols.Red || a.Level == protocols.Technical }},
		"team":        {alerts.Filter{Team: "team-1"}, func(a alerts.Alert) bool { return a.Team == "team-1" }},
		"patient":     {alerts.Filter{Patient: "p-3"}, func(a alerts.Alert) bool { return a.Patient == "p-3" }},
		"protocol":    {alerts.Filter{Protocol: "protocol-1"}, func(a alerts.Alert) bool { return a.Protocol == "protocol-1" }},
		"rule":        {alerts.Filter{Rule: "rule-2"}, func(a alerts.Alert) bool { return a.Rule == "rule-2" }},
		"from and to": {alerts.Filter{From: from, To: to}, func(a alerts.Alert) bool { return !a.RaisedAt.Before(from) && a.RaisedAt.Before(to) }},
		"together": {alerts.Filter{States: []alerts.State{alerts.Open}, Levels: []protocols.Level{protocols.Red}, Team: "team-0"},
			func(a alerts.Alert) bool {
				return a.State == alerts.Open && a.Level == protocols.Red && a.Team == "team-0"
			}},
	} {
		want := []alerts.Alert{}
		for _, a := range all {
			if c.keeps(a) {
				want = append(want, a)
			}
		}
		got := b.list(c.filter)
		if len(want) == 0 || len(want) == len(all) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d alerts of %d, want %d", name, len(got), len(all), len(want))
		}
	}
}

// Dates are what a program may ask for that no clock of ours will show.
var farDates = []time.Time{
	time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC),
	time.Date(2250, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
}

func farFilters(t *testing.T, b *bench) {
	b.ward(6)
	all := len(b.list(alerts.Filter{}))
	for _, far := range farDates {
		before, after := all, 0
		if far.Before(Morning) {
			before, after = 0, all
		}
		if got := len(b.list(alerts.Filter{To: far})); got != before {
			t.Errorf("%d alerts raised before %s, want %d", got, far, before)
		}
		if got := len(b.list(alerts.Filter{From: far})); got != after {
			t.Errorf("%d alerts raised from %s, want %d", got, far, after)
		}
	}
}

func pages(t *testing.T, b *bench) {
	b.ward(50)
	all := b.list(alerts.Filter{})
	var paged []alerts.Alert
	filter := alerts.Filter{Limit: 7}
	for {
		page := b.list(filter)
		paged = append(paged, page...)
		if len(page) < 7 {
			break
		}
		filter.After = alerts.After(&page[6]).String()
	}
	if !reflect.DeepEqual(paged, all) {
		t.Errorf("pages hold %d alerts, want the same %d in the same order", len(paged), len(all))
	}
}

func badCursor(t *testing.T, b *bench) {
	for _, cursor := range []string{"x", "////", "MTIz", alerts.Cursor{Level: 200}.String()} {
		if _, err := b.store.Alerts(b.ctx, alerts.Filter{After: cursor}); !errors.Is(err, alerts.ErrCursor) {
			t.Errorf("cursor %q: got %v, want ErrCursor", cursor, err)
		}
	}
}

func eventNumbers(t *testing.T, b *bench) {
	if seq, err := b.store.LastSeq(b.ctx); err != nil || seq != 0 {
		t.Fatalf("an empty store is at event %d, %v", seq, err)
	}
	b.ward(10)
	var seen []int64
	for after := int64(0); ; {
		events, err := b.store.EventsAfter(b.ctx, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			seen = append(seen, e.Seq)
			after = e.Seq
		}
	}
	last, err := b.store.LastSeq(b.ctx)
	if err != nil || len(seen) != 10 || !slices.IsSorted(seen) || last != seen[9] {
		t.Errorf("events %v, last %d, %v", seen, last, err)
	}
}

func overdue(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, 0))
	id := b.only().ID
	escalator := &alerts.Escalator{Store: b.store}
	sweep := func(after time.Duration, want int) {
		t.Helper()
		if got, err := escalator.Escalate(b.ctx, Morning.Add(after)); err != nil || got != want {
			t.Fatalf("after %v: %d escalated, %v; want %d", after, got, err, want)
		}
	}
	sweep(time.Hour, 0)
	sweep(time.Hour+time.Second, 1)
	sweep(2*time.Hour, 0)
	b.wantKinds(id, alerts.EventRaised, alerts.EventEscalated)
	b.wantMessages(4)
	sweep(2*time.Hour+time.Second, 1) // the step is told again, see repeats
	sweep(100*time.Hour, 0)
	sweep(900*time.Hour, 0)

	b.acknowledge(id, 900*time.Hour)
	a := b.only()
	sweep(a.FollowUpBy.Add(-time.Second).Sub(Morning), 0)
	sweep(a.FollowUpBy.Sub(Morning), 1)
	if kinds := b.kinds(id); kinds[len(kinds)-1] != alerts.EventFollowUp {
		t.Errorf("events %v, want whoever took it on to be asked again", kinds)
	}
}

func missingReadings(t *testing.T, b *bench) {
	b.directory.care.Answer[protocols.Technical] = 2 * time.Hour
	b.found(Finding(protocols.Raised, "no-weight", "since monday", protocols.Technical, 0))
	missing := b.only()
	b.wantMessages(0)
	fault := Finding(protocols.Raised, "battery-low", "ep-1", protocols.Technical, 0)
	fault.Protocol, fault.Version, fault.Device = "", "", "scale-1"
	b.found(fault)

	escalator := &alerts.Escalator{Store: b.store}
	for after, want := range map[time.Duration]int{time.Hour: 0, 3 * time.Hour: 1} {
		due, err := b.store.Due(b.ctx, Morning.Add(after), 10)
		if err != nil || len(due) != want {
			t.Fatalf("after %v: %d overdue, %v; want %d", after, len(due), err, want)
		}
	}
	if n, err := escalator.Escalate(b.ctx, Morning.Add(300*time.Hour)); err != nil || n != 1 {
		t.Fatalf("%d escalated, %v; want the missing readings only", n, err)
	}
	b.wantKinds(missing.ID, alerts.EventRaised, alerts.EventEscalated)
	b.wantMessages(2)
}

func outbox(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, 0))
	due := func(channel string, at time.Time, want int) []alerts.Outgoing {
		t.Helper()
		list, err := b.store.Outbox(b.ctx, channel, at, 10)
		if err != nil || len(list) != want {
			t.Fatalf("%d messages due by %s at %v, %v; want %d", len(list), channel, at, err, want)
		}
		return list
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := Morning.Add(time.Second)
	due(alerts.Mail, Morning, 1) // also by a clock that was put back meanwhile
	mail, hook := due(alerts.Mail, now, 1)[0], due(alerts.Webhook, now, 1)[0]
	if mail.To != "equipe@example.org" || mail.Level != protocols.Red || mail.Event != alerts.EventRaised || mail.Alert != b.only().ID || !mail.Created.Equal(now) {
		t.Errorf("mail %+v", mail)
	}
	must(b.store.Sent(b.ctx, mail.ID, now))
	must(b.store.Retry(b.ctx, hook.ID, now.Add(time.Minute), "connection refused"))
	due(alerts.Mail, now.Add(time.Hour), 0)
	due(alerts.Webhook, now, 0)
	again := due(alerts.Webhook, now.Add(time.Minute), 1)[0]
	if again.ID != hook.ID || again.Attempts != 1 || again.Error != "connection refused" {
		t.Fatalf("due %+v; want the webhook again", again)
	}
	forgotten, err := b.store.ForgetSent(b.ctx, now.Add(time.Hour))
	if err != nil || forgotten != 1 {
		t.Fatalf("%d messages forgotten, %v; want the mail that was sent", forgotten, err)
	}
	b.wantMessages(1)
}

// The team has chosen to hear nothing before the opening. An alert that gets graver
// meanwhile is one message; that of another alert, and the webhook, stay.
func heldBack(t *testing.T, b *bench) {
	b.directory.care.Team.OutOfHours = map[protocols.Level]alerts.OutOfHours{protocols.Orange: alerts.Wait, protocols.Red: alerts.Wait}
	night := 12 * time.Hour
	other := Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Red, night)
	other.Patient, other.Enrolment = "p-2", "e-2"
	b.found(Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Orange, night), other)
	b.found(Finding(protocols.Risen, "spo2-low", "ep-1", protocols.Red, night+time.Hour))
	opening := Morning.Add(24 * time.Hour)
	mails, err := b.store.Outbox(b.ctx, alerts.Mail, opening, 10)
	if err != nil || len(mails) != 2 {
		t.Fatalf("%d mails at the opening, %v; want one an alert: %+v", len(mails), err, mails)
	}
	for _, m := range mails {
		if m.Level != protocols.Red {
			t.Errorf("%s is told at %s, want red", m.Alert, m.Level)
		}
	}
	if hooks, err := b.store.Outbox(b.ctx, alerts.Webhook, opening, 10); err != nil || len(hooks) != 3 {
		t.Errorf("%d webhooks, %v; want each of the three", len(hooks), err)
	}
}

func forgetSent(t *testing.T, b *bench) {
	rules := []string{"sent early", "sent late", "refused", "waiting"}
	for _, rule := range rules {
		f := Finding(protocols.Raised, rule, "ep-1", protocols.Red, 0)
		f.Patient = "p-" + rule
		b.found(f)
	}
	far := Morning.AddDate(1, 0, 0)
	messages := b.waiting()
	for _, m := range messages {
		var err error
		switch b.alert(m.Alert).Rule {
		case "sent early":
			err = b.store.Sent(b.ctx, m.ID, Morning.Add(time.Minute))
		case "sent late":
			err = b.store.Sent(b.ctx, m.ID, far)
		case "refused":
			err = b.store.Refuse(b.ctx, m.ID, Morning.Add(time.Minute), "550 no such user")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	each := len(messages) / len(rules)
	for _, want := range []int{each, 0} {
		if forgotten, err := b.store.ForgetSent(b.ctx, far); err != nil || forgotten != want {
			t.Fatalf("%d messages forgotten, %v; want %d", forgotten, err, want)
		}
	}
	b.wantMessages(each)
	if list, err := b.store.Undelivered(b.ctx, 10); err != nil || len(list) != each {
		t.Errorf("%d messages are shown as undelivered, %v; want %d", len(list), err, each)
	}
	if list := b.list(alerts.Filter{}); len(list) != len(rules) {
		t.Errorf("%d alerts are left, want all %d", len(list), len(rules))
	}
}

func refusedMessage(t *testing.T, b *bench) {
	b.found(Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, 0))
	message := b.waiting()[0]
	for range 2 {
		if err := b.store.Refuse(b.ctx, message.ID, Morning.Add(time.Minute), "550 no such user"); err != nil {
			t.Fatal(err)
		}
	}
	b.wantMessages(1)
	b.wantKinds(message.Alert, alerts.EventRaised, alerts.EventUndelivered)
	list, err := b.store.Undelivered(b.ctx, 10)
	if err != nil || len(list) != 1 || list[0].ID != message.ID || list[0].Error != "550 no such user" || list[0].GivenUp.IsZero() {
		t.Errorf("undelivered %+v, %v", list, err)
	}
	count := func(want int) {
		t.Helper()
		if summary, err := b.store.Summary(b.ctx, alerts.Filter{}); err != nil || summary.Undelivered != want {
			t.Errorf("%d messages undelivered, %v; want %d", summary.Undelivered, err, want)
		}
	}
	count(1)
	for _, m := range b.waiting() {
		if err := b.store.Refuse(b.ctx, m.ID, Morning.Add(time.Minute), "gone"); err != nil {
			t.Fatal(err)
		}
	}
	events, err := b.store.Events(b.ctx, message.Alert)
	if err != nil || len(events) != 3 || events[1].Note != "mail → equipe@example.org" || events[2].Note != "webhook → example.org" {
		t.Errorf("events %+v, %v; want who was not told, and no more of an address than its host", events, err)
	}
	b.resolve(message.Alert, time.Hour)
	count(0) // somebody has dealt with it: the warning does not stay for ever
	if list, err := b.store.Undelivered(b.ctx, 10); err != nil || len(list) != 2 {
		t.Errorf("%d messages are listed as undelivered, %v; want it still", len(list), err)
	}
}

func summary(t *testing.T, b *bench) {
	b.ward(12)
	list := b.list(alerts.Filter{Levels: []protocols.Level{protocols.Red}})
	b.acknowledge(list[0].ID, time.Hour)
	b.resolve(list[1].ID, time.Hour)
	message := b.waiting()[0]
	if err := b.store.Refuse(b.ctx, message.ID, Morning, "gone"); err != nil {
		t.Fatal(err)
	}
	got, err := b.store.Summary(b.ctx, alerts.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	want := alerts.Summary{
		Unresolved: map[alerts.State]map[protocols.Level]int{
			alerts.Open:         {protocols.Red: 1, protocols.Orange: 3, protocols.Yellow: 3, protocols.Technical: 3},
			alerts.Acknowledged: {protocols.Red: 1},
		},
		Waiting: 17, Undelivered: 1, OldestWaiting: message.Created,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("summary\n%+v, want\n%+v", got, want)
	}
	if got.Count(alerts.Open) != 10 {
		t.Errorf("%d open alerts, want 10", got.Count(alerts.Open))
	}
	if one, err := b.store.Summary(b.ctx, alerts.Filter{Team: "team-1"}); err != nil || one.Count(alerts.Open)+one.Count(alerts.Acknowledged) < 3 || one.Count(alerts.Open) >= 10 {
		t.Errorf("summary of one team %+v, %v", one, err)
	}
}

// within holds that lists and counts show what some teams, and nobody, are in charge of.
func within(t *testing.T, b *bench) {
	for _, team := range []string{"team-a", "team-b", ""} {
		b.directory.care.Team.ID = team
		b.found(Finding(protocols.Raised, "rule-"+team, "ep-1", protocols.Red, 0))
	}
	for _, c := range []struct {
		teams []string
		want  string
	}{
		{nil, "rule- rule-team-a rule-team-b"},
		{[]string{}, "rule-"},
		{[]string{"team-a"}, "rule- rule-team-a"},
		{[]string{"team-a", "team-b", "team-c"}, "rule- rule-team-a rule-team-b"},
	} {
		for _, f := range []alerts.Filter{{Within: c.teams}, {Within: c.teams, States: []alerts.State{alerts.Open}}, {Within: c.teams, Newest: true}} {
			var rules []string
			for _, a := range b.list(f) {
				rules = append(rules, a.Rule)
			}
			slices.Sort(rules)
			if got := strings.Join(rules, " "); got != c.want {
				t.Errorf("within %q: got %q, want %q", c.teams, got, c.want)
			}
		}
		summary, err := b.store.Summary(b.ctx, alerts.Filter{Within: c.teams})
		if want := len(strings.Fields(c.want)); err != nil || summary.Count(alerts.Open) != want {
			t.Errorf("within %q: %d are counted, %v; want %d", c.teams, summary.Count(alerts.Open), err, want)
		}
	}
	if got := b.list(alerts.Filter{Within: []string{"team-a"}, Team: "team-b"}); len(got) != 0 {
		t.Errorf("another team's are listed: %+v", got)
	}
}

func followPatient(t *testing.T, b *bench) {
	handOver := func(after time.Duration, want int) {
		t.Helper()
		moved, err := alerts.HandOver(b.ctx, b.store, b.directory, Morning.Add(after))
		if err != nil || moved != want {
			t.Fatalf("handed over %d alerts, %v; want %d", moved, err, want)
		}
	}
	b.found(
		Finding(protocols.Raised, "open", "ep-1", protocols.Red, 0),
		Finding(protocols.Raised, "taken", "ep-1", protocols.Red, 0),
		Finding(protocols.Raised, "settled", "ep-1", protocols.Red, 0),
	)
	id := map[string]string{}
	for _, a := range b.list(alerts.Filter{}) {
		id[a.Rule] = a.ID
	}
	b.acknowledge(id["taken"], time.Minute)
	b.resolve(id["settled"], time.Minute)
	handOver(time.Minute, 0)
	due := b.alert(id["open"]).AnswerBy

	b.directory.care.Team.ID, b.directory.care.Team.Mail = "team-b", []string{"autre@example.org"}
	handOver(2*time.Minute, 2)
	handOver(3*time.Minute, 0)
	if got := len(b.list(alerts.Filter{Team: "team-b"})); got != 2 {
		t.Errorf("team-b is shown %d alerts, want the two that nobody has resolved", got)
	}
	if got := b.list(alerts.Filter{Team: "team-a"}); len(got) != 1 || got[0].ID != id["settled"] {
		t.Errorf("team-a is shown %+v, want only what it has settled", got)
	}
	if summary, err := b.store.Summary(b.ctx, alerts.Filter{Team: "team-b"}); err != nil || summary.Count(alerts.Open) != 1 || summary.Count(alerts.Acknowledged) != 1 {
		t.Errorf("summary of team-b %+v, %v", summary, err)
	}
	b.wantKinds(id["open"], alerts.EventRaised, alerts.EventHandedOver)
	b.wantKinds(id["taken"], alerts.EventRaised, alerts.EventAcknowledged, alerts.EventHandedOver)
	b.wantMessages(6) // one to the team for the patient, one to the system for each alert, and two to the new team for the open one
	if a := b.alert(id["open"]); !a.AnswerBy.Equal(due) {
		t.Errorf("the answer was due by %v and is now due by %v", due, a.AnswerBy)
	}
	if events, err := b.store.Events(b.ctx, id["open"]); err != nil || events[1].Note != "team-a → team-b" {
		t.Errorf("the events do not tell who had it: %+v, %v", events, err)
	}

	b.directory.care.Team = alerts.Team{} // nobody is in charge any more
	handOver(4*time.Minute, 0)
}

func alive(t *testing.T, b *bench) {
	for _, want := range []time.Time{{}, Morning, Morning.Add(time.Minute)} {
		if !want.IsZero() {
			if err := b.store.NoteAlive(b.ctx, want); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := b.store.LastAlive(b.ctx); err != nil || !got.Equal(want) {
			t.Errorf("it last worked at %v, %v; want %v", got, err, want)
		}
	}
}
