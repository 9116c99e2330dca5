package alerts_test

import (
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// TestAWorklistIsInTheOrderThatANurseRecites has alerts of five patients in it: the
// level, what still holds before what has ended, what is due first, the oldest
// measurement; what was put aside or is only to be read comes last.
func TestAWorklistIsInTheOrderThatANurseRecites(t *testing.T) {
	at := func(h int) time.Time { return storetest.Morning.Add(time.Duration(h) * time.Hour) }
	list := []alerts.Alert{
		{ID: "yellow", Patient: "p-1", Level: protocols.Yellow, State: alerts.Open, Active: true, At: at(0)},
		{ID: "read", Patient: "p-5", Level: protocols.Red, State: alerts.Open, TooLate: true, At: at(-90)},
		{ID: "asleep", Patient: "p-4", Level: protocols.Red, State: alerts.Acknowledged, Active: true, At: at(0), Life: alerts.Life{SnoozedUntil: at(1)}},
		{ID: "ended", Patient: "p-2", Level: protocols.Orange, State: alerts.Open, AnswerBy: at(1), At: at(0)},
		{ID: "no deadline", Patient: "p-3", Level: protocols.Orange, State: alerts.Open, Active: true, At: at(-9)},
		{ID: "later", Patient: "p-3", Level: protocols.Orange, State: alerts.Open, Active: true, AnswerBy: at(4), At: at(0)},
		{ID: "call back", Patient: "p-2", Level: protocols.Orange, State: alerts.Acknowledged, Active: true, At: at(0), Life: alerts.Life{FollowUpBy: at(30), CallBackAt: at(2)}},
		{ID: "older", Patient: "p-1", Level: protocols.Orange, State: alerts.Open, Active: true, AnswerBy: at(4), At: at(-2)},
		{ID: "past, ended", Patient: "p-6", Level: protocols.Red, State: alerts.Open, AnswerBy: at(1), At: at(0)},
	}
	alerts.ByDue(list)
	var order []string
	for _, a := range list {
		order = append(order, a.ID)
	}
	if got, want := strings.Join(order, " | "), "past, ended | call back | older | later | no deadline | ended | yellow | asleep | read"; got != want {
		t.Errorf("the order is\n%s, want\n%s", got, want)
	}
	var rows []string
	for _, row := range alerts.ByPatient(list) {
		ids := []string{}
		for _, a := range row.Alerts {
			ids = append(ids, a.ID)
		}
		rows = append(rows, row.Patient+": "+strings.Join(ids, ", "))
	}
	want := "p-6: past, ended | p-2: call back, ended | p-1: older, yellow | p-3: later, no deadline | p-4: asleep | p-5: read"
	if got := strings.Join(rows, " | "); got != want {
		t.Errorf("by patient it is\n%s, want\n%s", got, want)
	}
}

// TestOnePersonHasOneRow has two records of one person, one merged into the other.
func TestOnePersonHasOneRow(t *testing.T) {
	rows := alerts.ByPatient([]alerts.Alert{{ID: "a", Patient: "p-2", Person: "p-1"}, {ID: "b", Patient: "p-3"}, {ID: "c", Patient: "p-1"}})
	if len(rows) != 2 || rows[0].Patient != "p-1" || len(rows[0].Alerts) != 2 || rows[0].Alerts[0].Patient != "p-2" {
		t.Errorf("the rows are %+v", rows)
	}
}

// TestWhatBelongsToNobodyIsNotGrouped has two devices that nobody is enrolled with.
func TestWhatBelongsToNobodyIsNotGrouped(t *testing.T) {
	if rows := alerts.ByPatient([]alerts.Alert{{ID: "a", Device: "scale-1"}, {ID: "b", Device: "scale-2"}}); len(rows) != 2 {
		t.Errorf("%d rows, want one each", len(rows))
	}
}

// TestWhoeverIsGivenAnAlertIsTold has the rota know how to reach the person.
func TestWhoeverIsGivenAnAlertIsTold(t *testing.T) {
	l := newTimeline(t)
	l.directory.care.Team.Rota.People = map[string]alerts.Person{"hoarau": {ID: "hoarau", Name: "Mme Hoarau", Contacts: []string{"hoarau@example.org"}}}
	l.found(protocols.Raised, "ep-1", protocols.Orange, 0, 0)
	for note, said := range map[string]string{"": "→ Mme Hoarau", "je pars en visite": "je pars en visite"} {
		before := len(l.memory.messages)
		if err := alerts.Assign(ctx, l.memory, l.latest().ID, "Dr Payet", "Mme Hoarau", note, storetest.Morning.Add(hour+time.Duration(len(note)))); err != nil {
			t.Fatal(err)
		}
		last := l.memory.events[len(l.memory.events)-1]
		if last.Kind != alerts.EventAssigned || last.Author != "Dr Payet" || last.Note != said {
			t.Errorf("the event is %+v", last)
		}
		if m := l.memory.messages[before:]; len(m) != 1 || m[0].To != "hoarau@example.org" {
			t.Errorf("told %+v", m)
		}
	}
	if a := l.latest(); a.AcknowledgedBy != "Mme Hoarau" {
		t.Errorf("it is with %s", a.AcknowledgedBy)
	}
}

// TestNobodySettlesAFigureThatTheyHaveNotRead has the figure get worse while a page is
// open.
func TestNobodySettlesAFigureThatTheyHaveNotRead(t *testing.T) {
	l := newTimeline(t)
	l.found(protocols.Raised, "ep-1", protocols.Red, 0, 0, figure(53))
	l.found(protocols.Again, "ep-1", protocols.Red, hour, hour, figure(40))
	worse := l.latest().Worse
	if worse == nil || *worse != 40000 {
		t.Fatalf("worse is %v", worse)
	}
	seen := protocols.Value(45000)
	for name, c := range map[string]struct {
		seen    *protocols.Value
		refused bool
	}{"another figure": {&seen, true}, "this figure": {worse, false}, "no figure": {nil, false}} {
		store := alerts.Seen{Level: protocols.Red, Active: true, Worse: c.seen}.In(l.memory)
		err := alerts.Note(ctx, store, l.latest().ID, "Dr Payet", name, storetest.Morning.Add(2*hour))
		if (err != nil) != c.refused {
			t.Errorf("who saw %s is told %v", name, err)
		}
	}
}
