package alerts_test

import (
	"fmt"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// story tells a course of findings and acts about one patient, and prints what comes of
// it: the alerts with their states, and who is told.
type story struct {
	memory    *memory
	directory *directoryOf
	told      int
}

func newStory() *story {
	directory := &directoryOf{storetest.Care()}
	return &story{memory: newMemory(directory), directory: directory}
}

func (s *story) finds(at time.Duration, kind protocols.FindingKind, episode string, level protocols.Level, more ...func(*protocols.Finding)) {
	f := storetest.Finding(kind, "spo2-low", episode, level, at)
	f.Found = f.At
	for _, change := range more {
		change(&f)
	}
	if _, _, _, _, err := s.memory.find(f, s.directory); err != nil {
		panic(err)
	}
	s.tell(at, kind.String()+" "+level.String())
}

func (s *story) acts(at time.Duration, what string, act func(store alerts.Store, id string, now time.Time) error) {
	if err := act(s.memory, s.memory.alerts[len(s.memory.alerts)-1].ID, storetest.Morning.Add(at)); err != nil {
		what += ": " + err.Error()
	}
	s.tell(at, what)
}

func (s *story) passes(at time.Duration) {
	if _, err := (&alerts.Escalator{Store: s.memory}).Escalate(ctx, storetest.Morning.Add(at)); err != nil {
		panic(err)
	}
	s.tell(at, "time passes")
}

func (s *story) tell(at time.Duration, what string) {
	var states, told []string
	for _, a := range s.memory.alerts {
		state := string(a.State) + " " + a.Level.String()
		if !a.Active {
			state += ", over"
		}
		states = append(states, state)
	}
	for _, m := range s.memory.messages[s.told:] {
		if m.Channel == alerts.Mail {
			told = append(told, strings.TrimSuffix(m.To, "@example.org")+" ("+string(m.Event)+")")
		}
	}
	s.told = len(s.memory.messages)
	fmt.Printf("%s %s: %s", storetest.Morning.Add(at).In(time.FixedZone("", 3600)).Format("Mon 15:04"), what, strings.Join(states, " + "))
	if len(told) > 0 {
		fmt.Printf("; told %s", strings.Join(told, ", "))
	}
	fmt.Println()
}

func takesOn(s alerts.Store, id string, now time.Time) error {
	return alerts.Acknowledge(ctx, s, id, "Dr Payet", "", now)
}

func resolves(s alerts.Store, id string, now time.Time) error {
	return alerts.Resolve(ctx, s, id, "Dr Payet", "treatment-changed", "", now)
}

func Example_rule1() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	s.finds(hour, protocols.Ended, "ep-1", protocols.Orange)
	s.finds(2*hour, protocols.Raised, "ep-2", protocols.Orange)
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 ended orange: open orange, over
	// Mon 11:00 raised orange: open orange
}

func Example_rule2() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	s.acts(hour, "Dr Payet takes it on", takesOn)
	s.finds(2*hour, protocols.Risen, "ep-1", protocols.Red)
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 Dr Payet takes it on: acknowledged orange
	// Mon 11:00 risen red: open red; told equipe (risen)
}

func Example_rule3() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Red)
	s.finds(hour/2, protocols.Ended, "ep-1", protocols.Red)
	s.passes(hour)
	// Output:
	// Mon 09:00 raised red: open red; told equipe (raised)
	// Mon 09:30 ended red: open red, over
	// Mon 10:00 time passes: open red, over; told cadre (escalated)
}

func Example_rule4() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Red)
	s.acts(hour/2, "Dr Payet resolves it", resolves)
	s.finds(hour, protocols.Again, "ep-1", protocols.Red)
	s.passes(4*hour + hour/2)
	// Output:
	// Mon 09:00 raised red: open red; told equipe (raised)
	// Mon 09:30 Dr Payet resolves it: resolved red
	// Mon 10:00 again red: resolved red
	// Mon 13:30 time passes: resolved red + open red; told equipe (raised)
}

func Example_rule5() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange, figure(86)) // below 88, clear 90
	s.acts(hour, "Dr Payet resolves it", resolves)
	s.finds(2*hour, protocols.Again, "ep-1", protocols.Orange, figure(85))
	s.finds(3*hour, protocols.Again, "ep-1", protocols.Orange, figure(84))
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 Dr Payet resolves it: resolved orange
	// Mon 11:00 again orange: resolved orange
	// Mon 12:00 again orange: resolved orange + open orange; told equipe (raised)
}

func Example_rule6() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	s.acts(hour, "Dr Payet takes it on", takesOn)
	s.finds(20*days, protocols.Again, "ep-1", protocols.Orange)
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 Dr Payet takes it on: acknowledged orange
	// Sun 09:00 again orange: acknowledged orange + open orange; told equipe (raised)
}

func Example_rule7() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Red)
	s.finds(hour/2, protocols.Ended, "ep-1", protocols.Red)
	s.finds(3*hour, protocols.Raised, "ep-2", protocols.Red)
	s.finds(3*hour+hour/2, protocols.Ended, "ep-2", protocols.Red)
	s.finds(12*hour, protocols.Raised, "ep-3", protocols.Red)
	// Output:
	// Mon 09:00 raised red: open red; told equipe (raised)
	// Mon 09:30 ended red: open red, over
	// Mon 12:00 raised red: open red
	// Mon 12:30 ended red: open red, over
	// Mon 21:00 raised red: open red; told equipe (recurred)
}

func Example_rule8() {
	s := newStory()
	s.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Silence: true}}
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	s.acts(hour, "Dr Payet resolves it", resolves)
	s.passes(7*days + hour)
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 Dr Payet resolves it: resolved orange
	// Mon 10:00 time passes: resolved orange + open orange; told equipe (raised)
}

func Example_rule9() {
	s := newStory()
	s.directory.care.Rules = map[string]alerts.Traits{"spo2-low": {Silence: true}}
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange, tooLate)
	s.passes(4 * hour)
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (digest)
	// Mon 13:00 time passes: open orange; told cadre (escalated)
}

func Example_rule10() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Red, tooLate)
	s.finds(hour, protocols.Again, "ep-1", protocols.Red)
	// Output:
	// Mon 09:00 raised red: open red; told equipe (digest)
	// Mon 10:00 again red: open red; told equipe (recurred)
}

func Example_rule11() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Red)
	s.acts(hour/2, "Dr Payet takes it on", takesOn)
	s.passes(24*hour + hour/2)
	s.passes(26 * hour)
	// Output:
	// Mon 09:00 raised red: open red; told equipe (raised)
	// Mon 09:30 Dr Payet takes it on: acknowledged red
	// Tue 09:30 time passes: acknowledged red; told equipe (follow-up)
	// Tue 11:00 time passes: acknowledged red; told cadre (escalated)
}

func Example_rule12() {
	s := newStory()
	s.directory.care.Team.Chain = [][]string{{"direction@example.org"}}
	s.directory.care.Admin = []string{"exploitant@example.org"}
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	for _, at := range []time.Duration{4 * hour, 8 * hour, 27 * hour, 60 * hour} {
		s.passes(at)
	}
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 13:00 time passes: open orange; told cadre (escalated)
	// Mon 17:00 time passes: open orange; told direction (escalated)
	// Tue 12:00 time passes: open orange; told exploitant (escalated)
	// Wed 21:00 time passes: open orange
}

func Example_rule13() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	other := func(f *protocols.Finding) { f.Rule = "weight-fast" }
	s.finds(hour, protocols.Raised, "ep-2", protocols.Orange, other)
	s.finds(2*hour, protocols.Risen, "ep-2", protocols.Red, other)
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 raised orange: open orange + open orange
	// Mon 11:00 risen red: open orange + open red; told equipe (risen)
}

func Example_rule14() {
	s := newStory()
	s.directory.care.Team.OutOfHours = map[protocols.Level]alerts.OutOfHours{protocols.Red: alerts.OnCall}
	s.finds(12*hour, protocols.Raised, "ep-1", protocols.Red)
	s.acts(12*hour+hour/2, "Dr Payet takes it on", takesOn)
	// Output:
	// Mon 21:00 raised red: open red; told cadre (raised)
	// Mon 21:30 Dr Payet takes it on: acknowledged red; told cadre (acknowledged)
}

func Example_rule15() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	s.acts(hour, "Dr Payet snoozes it for two days", func(store alerts.Store, id string, now time.Time) error {
		return alerts.Snooze(ctx, store, id, "Dr Payet", "", now.Add(2*days), now)
	})
	s.passes(49 * hour)
	s.acts(50*hour, "Dr Payet snoozes it for a week", func(store alerts.Store, id string, now time.Time) error {
		return alerts.Snooze(ctx, store, id, "Dr Payet", "", now.Add(7*days), now)
	})
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 Dr Payet snoozes it for two days: acknowledged orange
	// Wed 10:00 time passes: open orange; told equipe (woken)
	// Wed 11:00 Dr Payet snoozes it for a week: An alert of this level can be snoozed for 72 h at most.: open orange
}

func Example_rule16() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Red)
	s.acts(hour/4, "Dr Payet takes it on", takesOn)
	s.acts(hour/2, "Mme Hoarau resolves it", func(store alerts.Store, id string, now time.Time) error {
		return alerts.Resolve(ctx, store, id, "Mme Hoarau", "patient-called", "", now)
	})
	// Output:
	// Mon 09:00 raised red: open red; told equipe (raised)
	// Mon 09:15 Dr Payet takes it on: acknowledged red
	// Mon 09:30 Mme Hoarau resolves it: Dr Payet has taken this red alert on: write why you close it.: acknowledged red
}

func Example_rule17() {
	s := newStory()
	s.finds(4*hour, protocols.Raised, "ep-1", protocols.Orange)
	s.finds(2*hour, protocols.Again, "ep-1", protocols.Orange)
	fmt.Println("it began at", s.memory.alerts[0].At.In(time.FixedZone("", 3600)).Format("15:04"))
	// Output:
	// Mon 13:00 raised orange: open orange; told equipe (raised)
	// Mon 11:00 again orange: open orange
	// it began at 11:00
}

func Example_rule18() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 09:00 raised orange: open orange
}

func Example_rule20() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	s.finds(hour, protocols.Withdrawn, "ep-1", protocols.Orange, byMmeHoarau)
	a := s.memory.alerts[0]
	fmt.Println("by", a.ResolvedBy+":", a.Note)
	s.finds(2*hour, protocols.Raised, "ep-1", protocols.Orange)
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 withdrawn orange: resolved orange, over
	// by Mme Hoarau: son mari
	// Mon 11:00 raised orange: open orange; told equipe (resumed)
}

func Example_rule21() {
	s := newStory()
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	s.acts(hour, "Dr Payet takes it on", takesOn)
	s.acts(2*hour, "Dr Payet transfers it", func(store alerts.Store, id string, now time.Time) error {
		return alerts.Transfer(ctx, store, id, "Dr Payet", "team-b", "suit l'oxygène", now)
	})
	s.passes(7 * hour)
	s.acts(8*hour, "Mme Hoarau transfers it to a team without anybody", func(store alerts.Store, id string, now time.Time) error {
		return alerts.Transfer(ctx, store, id, "Mme Hoarau", "team-c", "s'en occupe", now)
	})
	s.acts(8*hour, "Mme Hoarau transfers it back", func(store alerts.Store, id string, now time.Time) error {
		return alerts.Transfer(ctx, store, id, "Mme Hoarau", "team-a", "ce n'est pas l'oxygène", now)
	})
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 Dr Payet takes it on: acknowledged orange
	// Mon 11:00 Dr Payet transfers it: open orange; told autre (handed-over)
	// Mon 16:00 time passes: open orange; told cadre-autre (escalated)
	// Mon 17:00 Mme Hoarau transfers it to a team without anybody: Nobody reads the alerts of the team team-c now: your team keeps the alert. Call the other team.: open orange
	// Mon 17:00 Mme Hoarau transfers it back: open orange; told cadre-autre (acknowledged), equipe (handed-over)
}

func Example_rule22() {
	s := newStory()
	other := func(f *protocols.Finding) { f.Patient, f.Enrolment, f.Rule = "p-2", "e-2", "weight-fast" }
	s.finds(0, protocols.Raised, "ep-1", protocols.Orange)
	s.directory.care.Same = []string{"p-1"} // of p-2, as this finding asks
	s.finds(hour, protocols.Raised, "ep-2", protocols.Orange, other)
	s.directory.care.Same = nil
	s.finds(2*hour, protocols.Raised, "ep-3", protocols.Orange, other, func(f *protocols.Finding) { f.Patient, f.Enrolment = "p-3", "e-3" })
	// Output:
	// Mon 09:00 raised orange: open orange; told equipe (raised)
	// Mon 10:00 raised orange: open orange + open orange
	// Mon 11:00 raised orange: open orange + open orange + open orange; told equipe (raised)
}
