package alerts_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// meanwhile are things that happen between an act and its end.
var meanwhile = []happening{
	{"nothing", func(*timeline) error { return nil }},
	{"a further reading", finds(protocols.Again, "ep-1", protocols.Orange, 3*hour+soon, figure(86))},
	{"a graver figure", finds(protocols.Again, "ep-1", protocols.Orange, 3*hour+soon, figure(84))},
	{"a rise to red", finds(protocols.Risen, "ep-1", protocols.Red, 3*hour+soon, figure(79))},
	{"its end", finds(protocols.Ended, "ep-1", protocols.Orange, 3*hour+soon)},
	{"it had not ended", finds(protocols.Resumed, "ep-1", protocols.Orange, 3*hour+soon, figure(86))},
	{"the next episode", finds(protocols.Raised, "ep-2", protocols.Orange, 3*hour+soon, figure(86))},
	{"the next episode, red", finds(protocols.Raised, "ep-2", protocols.Red, 3*hour+soon, figure(79))},
	{"the next episode, too late", finds(protocols.Raised, "ep-2", protocols.Orange, 3*hour+soon, figure(86), tooLate)},
	{"a backfill", finds(protocols.Again, "ep-1", protocols.Orange, -2*hour, figure(86))},
	{"time passes", func(l *timeline) error { l.pass(3*hour + soon); return nil }},
	{"another team", func(l *timeline) error {
		l.directory.care.Team.ID, l.directory.care.Team.Contacts = "team-b", []string{"autre@example.org"}
		_, err := alerts.HandOver(ctx, l.memory, l.directory, storetest.Morning.Add(3*hour+soon))
		return err
	}},
}

const soon = 20 * time.Second

// mistakes are acts that somebody undoes.
var mistakes = []happening{
	{"take on", func(l *timeline) error {
		return alerts.Acknowledge(ctx, l.memory, l.memory.alerts[0].ID, "Dr Payet", "lu", storetest.Morning.Add(3*hour))
	}},
	{"close", func(l *timeline) error {
		return alerts.Close(ctx, l.memory, l.memory.alerts[0].ID, "Dr Payet", []string{"patient-called", "appointment"}, "vu", storetest.Morning.Add(3*hour))
	}},
	{"release", func(l *timeline) error {
		return alerts.Release(ctx, l.memory, l.memory.alerts[0].ID, "Dr Payet", "", storetest.Morning.Add(3*hour))
	}},
	{"assign", func(l *timeline) error {
		return alerts.Assign(ctx, l.memory, l.memory.alerts[0].ID, "Dr Payet", "Mme Hoarau", "", storetest.Morning.Add(3*hour))
	}},
	{"call back", func(l *timeline) error {
		return alerts.CallBack(ctx, l.memory, l.memory.alerts[0].ID, "Dr Payet", "", storetest.Morning.Add(5*hour), storetest.Morning.Add(3*hour))
	}},
	{"snooze", func(l *timeline) error {
		return alerts.Snooze(ctx, l.memory, l.memory.alerts[0].ID, "Dr Payet", "", storetest.Morning.Add(9*hour), storetest.Morning.Add(3*hour))
	}},
	{"note", func(l *timeline) error {
		return alerts.Note(ctx, l.memory, l.memory.alerts[0].ID, "Dr Payet", "a rappelé", storetest.Morning.Add(3*hour))
	}},
}

// TestWhatIsUndoneHadNotBeen plays every act on an alert in every state, with everything
// that may happen before it is undone, beside a course without the act. Either it is too
// late to undo, because something else moved the alert, or both end alike.
func TestWhatIsUndoneHadNotBeen(t *testing.T) {
	undone := map[string]int{}
	for _, s := range situations[1:] {
		for _, mistake := range mistakes {
			for _, then := range meanwhile {
				with, without := newTimeline(t), newTimeline(t)
				for _, l := range []*timeline{with, without} {
					l.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Lapse: 7 * days}}
					s.come(l)
				}
				if mistake.do(with) != nil || len(with.memory.events) == len(without.memory.events) {
					continue // refused, or nothing to undo
				}
				for _, l := range []*timeline{with, without} {
					if err := then.do(l); err != nil {
						t.Fatal(err)
					}
				}
				for range 2 { // the second is a double click
					err := alerts.TakeBack(ctx, with.memory, with.memory.alerts[0].ID, "Dr Payet", storetest.Morning.Add(3*hour+2*soon))
					var refused *alerts.Refused
					if errors.As(err, &refused) {
						goto next
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				undone[mistake.name]++
				if got, want := standing(with), standing(without); !reflect.DeepEqual(got, want) {
					t.Errorf("%s, %s, then %s, and undone:\n got %+v\nwant %+v", s.name, mistake.name, then.name, got, want)
				}
			next:
			}
		}
	}
	for _, mistake := range mistakes {
		if undone[mistake.name] < 10 {
			t.Errorf("%s was undone %d times only", mistake.name, undone[mistake.name])
		}
	}
}

// standing lists the alerts of a timeline without what is kept to undo acts.
func standing(l *timeline) (list []string) {
	for _, a := range l.memory.alerts {
		plain := *a
		plain.Undo, plain.Explanation = nil, nil
		if !plain.Active {
			plain.EndedAt = time.Time{} // a closed alert hears of its end, not of a later one
		}
		list = append(list, fmt.Sprintf("%+v", plain))
	}
	return list
}

// The trail keeps the act and its end, and whoever heard of the one hears of the other.
func TestAnActThatIsUndoneStaysInTheTrail(t *testing.T) {
	l := newTimeline(t)
	l.begin()
	due := l.latest().AnswerBy
	l.pass(30 * hour) // nobody answers, and the next person is called
	messages := len(l.memory.messages)
	id := l.latest().ID
	step := l.latest().StepAt
	if err := alerts.Acknowledge(ctx, l.memory, id, "Dr Payet", "", storetest.Morning.Add(31*hour)); err != nil {
		t.Fatal(err)
	}
	if err := alerts.TakeBack(ctx, l.memory, id, "Dr Payet", storetest.Morning.Add(31*hour+soon)); err != nil {
		t.Fatal(err)
	}
	a := l.latest()
	if a.State != alerts.Open || !a.AnswerBy.Equal(due) || !a.StepAt.Equal(step) || a.Undo.Act != alerts.EventUndone {
		t.Errorf("the alert is %s, due %v, next %v; want open, %v, %v", a.State, a.AnswerBy, a.StepAt, due, step)
	}
	kinds := l.kinds()
	if n := len(kinds); n < 2 || kinds[n-2] != alerts.EventAcknowledged || kinds[n-1] != alerts.EventUndone {
		t.Errorf("the trail is %v", kinds)
	}
	var told []string
	for _, m := range l.memory.messages[messages:] {
		told = append(told, string(m.Event)+" "+m.To)
	}
	if len(told) != 2 || told[0] != "acknowledged cadre@example.org" || told[1] != "undone cadre@example.org" {
		t.Errorf("told %v", told)
	}
}
