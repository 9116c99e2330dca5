package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/figures"
	"vigie/protocols"
)

// courses lists what figures are made of, as "patient rule level state: kinds of events".
func (b *bench) courses(f alerts.Filter) (list []string) {
	b.Helper()
	err := b.store.Courses(b.ctx, f, func(c *figures.Course) error {
		said := fmt.Sprint(c.Patient, " ", c.Rule, " ", c.Level, " ", c.State, ":")
		for _, e := range c.Events {
			said += " " + string(e.Kind)
		}
		list = append(list, strings.TrimSpace(said))
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return list
}

func courses(t *testing.T, b *bench) {
	of := func(patient, rule string, level protocols.Level, after time.Duration) string {
		f := Finding(protocols.Raised, rule, "ep-1", level, after)
		f.Patient, f.Enrolment = patient, "e-"+patient
		b.found(f)
		return b.list(alerts.Filter{Patient: patient, Rule: rule})[0].ID
	}
	red := of("p-1", "spo2-low", protocols.Red, 0)
	false1 := of("p-2", "weight-fast", protocols.Orange, time.Hour)
	b.directory.care.Team.ID = "team-b"
	of("p-3", "no-weight", protocols.Technical, 2*time.Hour)
	if _, err := (&alerts.Escalator{Store: b.store}).Escalate(b.ctx, Morning.Add(time.Hour+time.Second)); err != nil {
		t.Fatal(err)
	}
	b.acknowledge(red, 2*time.Hour)
	outcomes := []string{"patient-called", alerts.FalseAlarm}
	if err := alerts.Close(b.ctx, b.store, false1, "Dr Payet", outcomes, "capteur décollé", Morning.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}

	first, second := "p-1 spo2-low red acknowledged: escalated acknowledged", "p-2 weight-fast orange resolved: resolved"
	third := "p-3 no-weight technical open:"
	raised := func(after time.Duration) time.Time { return Morning.Add(after + time.Second) }
	for _, c := range []struct {
		name   string
		filter alerts.Filter
		want   []string
	}{
		{"all", alerts.Filter{}, []string{first, second, third}},
		{"from the second on", alerts.Filter{From: raised(time.Hour)}, []string{second, third}},
		{"before the second", alerts.Filter{To: raised(time.Hour)}, []string{first}},
		{"one team", alerts.Filter{Team: "team-b"}, []string{third}},
		{"within one team", alerts.Filter{Within: []string{"team-a"}}, []string{first, second}},
		{"within no team", alerts.Filter{Within: []string{}}, nil},
		{"a protocol", alerts.Filter{Protocol: "icc"}, []string{first, second, third}},
		{"another protocol", alerts.Filter{Protocol: "bpco"}, nil},
	} {
		if got := b.courses(c.filter); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}

	err := b.store.Courses(b.ctx, alerts.Filter{Team: "team-a", From: raised(time.Hour)}, func(c *figures.Course) error {
		want := figures.Course{
			ID: false1, Patient: "p-2", Team: "team-a", Protocol: "icc", Version: "1", Rule: "weight-fast", Title: protocols.Text{FR: "Prise de poids", EN: "Weight gain"},
			Level: protocols.Orange, State: alerts.Resolved, RaisedAt: raised(time.Hour), Closed: Morning.Add(3 * time.Hour), Outcomes: outcomes,
			AnswerBy: c.AnswerBy,
			Events:   []alerts.Event{{Kind: alerts.EventResolved, At: Morning.Add(3 * time.Hour), Author: "Dr Payet", Note: "capteur décollé"}},
		}
		if !reflect.DeepEqual(*c, want) {
			t.Errorf("the course is %+v, want %+v", *c, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	enough := errors.New("enough")
	if err := b.store.Courses(b.ctx, alerts.Filter{}, func(*figures.Course) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("an error of who takes them: %v", err)
	}
	b.messages()
}

// messages tries how messages are counted.
func (b *bench) messages() {
	b.Helper()
	counts := func(f alerts.Filter) []figures.Messages {
		list, err := b.store.Messages(b.ctx, f)
		if err != nil {
			b.Fatal(err)
		}
		return list
	}
	want := map[string]*figures.Messages{}
	for i, m := range b.outbox() {
		if want[m.Channel] == nil {
			want[m.Channel] = &figures.Messages{Channel: m.Channel}
		}
		err := error(nil)
		switch i % 3 {
		case 0:
			want[m.Channel].Sent++
			err = b.store.Sent(b.ctx, m.ID, Morning.Add(time.Hour))
		case 1:
			want[m.Channel].GivenUp++
			err = b.store.Refuse(b.ctx, m.ID, Morning.Add(time.Hour), "unknown")
		default:
			want[m.Channel].Waiting++
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	got := counts(alerts.Filter{})
	if len(got) != len(want) || len(got) < 2 {
		b.Errorf("messages %+v, want those of %d channels", got, len(want))
	}
	for _, m := range got {
		if want[m.Channel] == nil || m != *want[m.Channel] {
			b.Errorf("messages %+v, want %+v", m, want[m.Channel])
		}
	}
	for name, f := range map[string]alerts.Filter{"another team": {Team: "team-c"}, "later": {From: Morning.AddDate(0, 0, 9)}, "within no team": {Within: []string{}}} {
		if got := counts(f); len(got) != 0 {
			b.Errorf("%s: %+v", name, got)
		}
	}
}
