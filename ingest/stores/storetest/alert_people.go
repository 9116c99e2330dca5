package storetest

import (
	"errors"
	"reflect"
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

// Dates are what a program may ask for that no clock of ours will show.
var farDates = []time.Time{
	time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC),
	time.Date(2250, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
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
	if again.ID != hook.ID || again.Attempts != 1 || again.Error != "connection refused" || !hook.Again.IsZero() || !again.Again.Equal(now.Add(time.Minute)) {
		t.Fatalf("due %+v; want the webhook again", again)
	}
	must(b.store.Retry(b.ctx, hook.ID, now.Add(time.Hour), "connection refused"))
	if later := due(alerts.Webhook, now.Add(time.Hour), 1)[0]; !later.Again.Equal(again.Again) || later.Attempts != 2 {
		t.Fatalf("due %+v; want when it was first to be tried again kept", later)
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
	told, err := b.store.Told(b.ctx, message.Alert, "", 10)
	if err != nil || len(told) != 2 || !told[0].Created.Equal(message.Created) || told[0].GivenUp.IsZero() || told[1].GivenUp.IsZero() {
		t.Errorf("of the alert was told %+v, %v", told, err)
	}
	for team, want := range map[string]int{message.Team: 1, "nobody": 0} {
		if told, err = b.store.Told(b.ctx, "", team, 1); err != nil || len(told) != want {
			t.Errorf("team %q was told %+v, %v; want %d, as many as were asked for", team, told, err, want)
		}
	}
	b.resolve(message.Alert, time.Hour)
	count(0) // somebody has dealt with it: the warning does not stay for ever
	if list, err := b.store.Undelivered(b.ctx, 10); err != nil || len(list) != 2 {
		t.Errorf("%d messages are listed as undelivered, %v; want it still", len(list), err)
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

	b.directory.care.Team.ID, b.directory.care.Team.Contacts = "team-b", []string{"autre@example.org"}
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
