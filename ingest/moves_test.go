package ingest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// editions is a library with a second version of the heart-failure protocol,
// whose rules are as many, but other ones in another order.
func editions(id, version string) *protocols.Protocol {
	if id+"@"+version != "heart-failure@2" {
		return find(id, version)
	}
	p := find(id, "1")
	p.Version = version
	above := func(id string, limit protocols.Value) protocols.Rule {
		return protocols.Rule{ID: id, Levels: []protocols.RuleLevel{{Level: protocols.Orange, When: protocols.Condition{Compare: &protocols.Comparison{
			Measure: protocols.MeasureByID("weight"), Statistic: protocols.Last, MinusComponent: -1, PerComponent: -1, Operator: protocols.Above, Threshold: protocols.Operand{Value: limit},
		}}}}}
	}
	p.Rules = []protocols.Rule{above("very-heavy", 110_000), above("heavy", 100_000)}
	return p
}

func withEditions(c *ingest.Config) { c.Plans = ingest.Plans(editions) }

func TestAVersionDoesNotInheritWhereTheRulesOfAnotherStood(t *testing.T) {
	s := begin(t, withEditions)
	s.send("scale-1", weight("a", start, 105))
	expect(t, "found under version 1", s.found(), []string{"raised weight-high"})
	reg := cohort()
	reg.Enrolments[0].Version = "2"
	s.enter(reg)
	s.move(time.Minute)
	s.send("scale-1", weight("b", s.clock(), 120))
	expect(t, "found", s.found(), []string{"raised weight-high", "raised very-heavy", "raised heavy"})
}

func TestReadingsOfADeviceThatWentToAnotherPatientStillCount(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
	reg := &registry.Registry{Enrolments: cohort().Enrolments[:1]}
	reg.Enrolments[0].Devices = []string{"spare-1"}
	other := reg.Enrolments[0]
	other.ID, other.Patient, other.Devices = "e9", "p4", []string{"scale-1"}
	reg.Enrolments = append(reg.Enrolments, other)
	s.enter(reg)
	s.restart()
	s.send("spare-1", weight("b", start, 84.5))
	expect(t, "found: 2.5 kg in two days, over two scales", s.found(), []string{"raised weight-gain"})
}

// TestReadingsOfADeviceThatWentToAnotherEnrolmentStillCount has a patient get a new
// scale, and the former one go to another of the same patient's enrolments.
func TestReadingsOfADeviceThatWentToAnotherEnrolmentStillCount(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
	reg := &registry.Registry{Enrolments: cohort().Enrolments[:1]}
	reg.Enrolments[0].Devices = []string{"spare-1"}
	other := reg.Enrolments[0]
	other.ID, other.Protocol, other.Devices = "e9", "silence", []string{"scale-1"}
	reg.Enrolments = append(reg.Enrolments, other)
	s.enter(reg)
	s.move(time.Minute)
	s.send("scale-1", weight("of the other", s.clock(), 60))
	s.restart()
	s.send("spare-1", weight("b", s.clock(), 84.5))
	expect(t, "found: 2.5 kg in two days, over two scales", s.found(), []string{"raised weight-gain"})
}

// renewed is the first enrolment of the cohort, which ends at start, and the one that
// goes on from there.
func renewed(change func(former *registry.Enrolment)) *registry.Registry {
	reg := &registry.Registry{Enrolments: cohort().Enrolments[:1]}
	next := reg.Enrolments[0]
	next.ID, next.From = "e1-renewed", start
	former := &reg.Enrolments[0]
	former.Prescription = start
	change(former)
	reg.Enrolments = append(reg.Enrolments, next)
	return reg
}

func TestARenewalSeesWhatWasMeasuredBeforeIt(t *testing.T) {
	for name, restart := range map[string]bool{"while it runs": false, "after a restart": true} {
		s := begin(t)
		s.send("scale-1", weight("a", start.Add(-48*time.Hour), 80))
		s.enter(renewed(func(*registry.Enrolment) {}))
		s.move(time.Minute)
		if restart {
			s.restart()
		}
		s.send("scale-1", weight("b", s.clock(), 83.5))
		expect(t, "found, the prescription renewed "+name, s.found(), []string{"raised weight-gain"})
	}
}

// A reading that a device kept over the renewal is the usual against which what was
// measured since is held: what it shows rings, whatever came first.
func TestARenewalSeesWhatIsToldLateOfBeforeIt(t *testing.T) {
	before := weight("a", start.Add(-48*time.Hour), 80)
	for name, live := range map[string]func(*service){
		"after the weight that it makes a gain": func(s *service) {
			s.send("scale-1", weight("b", s.clock(), 83.5))
			s.send("scale-1", before)
		},
		"before it": func(s *service) {
			s.send("scale-1", weight("c", s.clock(), 80.1))
			s.send("scale-1", before)
			s.move(time.Minute)
			s.send("scale-1", weight("b", s.clock(), 83.5))
		},
		"with it": func(s *service) {
			s.send("scale-1", "["+weight("b", s.clock(), 83.5)+","+before+"]")
		},
	} {
		s := begin(t)
		s.enter(renewed(func(*registry.Enrolment) {}))
		s.move(time.Minute)
		live(s)
		expect(t, "found, told "+name, s.found(), []string{"raised weight-gain"})
	}
}

// What an earlier enrolment rings for rings once: in its successor it is the past.
func TestWhatIsToldLateOfBeforeARenewalRingsOnce(t *testing.T) {
	s := begin(t)
	s.enter(renewed(func(*registry.Enrolment) {}))
	s.move(time.Minute)
	s.send("scale-1", weight("b", s.clock(), 80))
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 105))
	expect(t, "found", s.found(), []string{"raised weight-high"})
}

// What is struck out from before a renewal, and taken back, changes both enrolments as it
// changes one: what rested on it is withdrawn, what is over rings no second time.
func TestAReadingOfBeforeARenewalIsStruckOutAndTakenBack(t *testing.T) {
	usual, odd := start.Add(-48*time.Hour), start.Add(-60*time.Hour)
	for name, story := range map[string]struct {
		first float64
		gone  time.Time
		last  float64
		want  []string
		holds []string
	}{
		"the usual that makes a gain": {84, usual, 84, []string{"raised weight-gain", "withdrawn weight-gain", "raised weight-gain"}, []string{"weight-gain"}},
		"what was over before it":     {105, odd, 80, []string{"raised weight-high", "ended weight-high", "withdrawn weight-high", "raised weight-high", "ended weight-high"}, nil},
	} {
		s := begin(t)
		s.send("scale-1", weight("a", odd, story.first))
		s.send("scale-1", weight("b", usual, 80))
		s.enter(renewed(func(*registry.Enrolment) {}))
		s.move(time.Minute)
		s.send("scale-1", weight("c", s.clock(), story.last))
		if _, err := s.Strike(t.Context(), of(story.gone)); err != nil {
			t.Fatal(err)
		}
		if left := s.goesOn(); len(left) > 0 {
			t.Errorf("%s, struck out: %v goes on", name, left)
		}
		if _, err := s.Unstrike(t.Context(), of(story.gone)); err != nil {
			t.Fatal(err)
		}
		expect(t, name, s.found(), story.want)
		expect(t, name+", taken back, goes on", s.goesOn(), story.holds)
	}
}

// endToday imports, as an operator writes it, that the prescription of p1 lasts up to
// today included.
func (s *service) endToday(more ...string) {
	s.t.Helper()
	const enrolment = `  - {id: %s, patient: p1, protocol: heart-failure, version: "1", time_zone: Europe/Paris, team: team-1, physician: "10001234565",
     devices: [scale-0, scale-1, bp-1, toaster-1], from: %s, prescription_end: %s, consent: {given: true, date: 2026-11-01, scope: télésurveillance}}
`
	s.enter(&registry.Registry{Teams: []registry.Team{{ID: "team-1"}}})
	text := "enrolments:\n" + fmt.Sprintf(enrolment, "e1", "2026-11-01", "2026-11-21")
	for _, id := range more {
		text += fmt.Sprintf(enrolment, id, "2026-11-21", "2027-11-20")
	}
	doc, err := registry.ParseYAML([]byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
	reg, problems, err := registry.Check(s.t.Context(), doc, nil, s.store)
	if err != nil || len(problems) > 0 {
		s.t.Fatalf("%v %+v", err, problems)
	}
	s.enter(&reg)
}

// renewOnTheLastDay imports it together with the next prescription, which begins today.
func (s *service) renewOnTheLastDay() { s.endToday("e1-renewed") }

func TestARenewalOnTheLastDayIsEvaluatedAndRingsOnce(t *testing.T) {
	s := begin(t)
	s.renewOnTheLastDay()
	s.send("scale-1", weight("a", start, 105))
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, "set aside", s.setAside(), []string(nil))
	expect(t, "found", s.found(), []string{"raised weight-high"})
}

func TestAPatientIsFollowedOnTheLastDay(t *testing.T) {
	s := begin(t)
	s.endToday()
	s.send("scale-1", weight("a", start, 105))
	expect(t, "set aside", s.setAside(), []string(nil))
	expect(t, "found", s.found(), []string{"raised weight-high"})
	s.move(18 * time.Hour)
	s.send("scale-1", weight("b", s.clock(), 105))
	expect(t, "set aside on the next day", s.setAside(), []string{"b not-enrolled"})
}

func TestAnotherProtocolIsNoPastOfARenewal(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 80))
	s.enter(renewed(func(former *registry.Enrolment) { former.Protocol = "silence" }))
	s.move(time.Minute)
	s.send("scale-1", weight("b", s.clock(), 83.5))
	expect(t, "found", s.found(), []string(nil))
}

// troubled makes one enrolment impossible to follow: its settings do not fit, or
// a fault of the program ends its evaluation.
type troubled struct {
	ingest.Plan
	refuses, panics bool
}

func (p troubled) For(e protocols.Enrolment) (protocols.Evaluator, error) {
	if e.ID == "e1" && p.refuses {
		return nil, errors.New("a setting is out of its bounds")
	}
	evaluator, err := p.Plan.For(e)
	if e.ID == "e1" && p.panics {
		return panicking{evaluator}, err
	}
	return evaluator, err
}

type panicking struct{ protocols.Evaluator }

func (panicking) Listen(time.Time, protocols.OnItsWay, []protocols.Finding) ([]protocols.Finding, time.Time) {
	panic("a fault of the program")
}

func TestOneEnrolmentInTroubleHoldsNobodyBack(t *testing.T) {
	for name, trouble := range map[string]troubled{"settings that do not fit": {refuses: true}, "a fault of the program": {panics: true}} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, func(c *ingest.Config) {
				c.Plans = func(protocol, version string) (ingest.Plan, error) {
					plan, err := ingest.Plans(find)(protocol, version)
					if err != nil {
						return nil, err
					}
					troubled := trouble
					troubled.Plan = plan
					return troubled, nil
				}
			})
			reg := &registry.Registry{Enrolments: cohort().Enrolments[1:2]}
			silent := &reg.Enrolments[0]
			silent.ID, silent.Protocol, silent.Devices, silent.From = "e9", "silence", []string{"spare-1"}, start.Add(-time.Hour)
			s.enter(reg)
			for range 2 {
				if _, err := s.Sweep(t.Context()); (err != nil) != trouble.panics {
					t.Errorf("the sweep says: %v", err)
				}
				s.move(72 * time.Hour)
			}
			if _, err := s.Sweep(t.Context()); (err != nil) != trouble.panics {
				t.Errorf("the sweep says: %v", err)
			}
			expect(t, "found for another patient", s.found(), []string{"raised no-weight"})
			if trouble.panics {
				return
			}
			s.send("scale-1", weight("a", s.clock(), 82))
			expect(t, "set aside", s.setAside(), []string{"a not-enrolled"})
		})
	}
}

// TestWhatAnImportWakesStaysAwake has an import come while a reading of the same
// patient is on its way to the store.
func TestWhatAnImportWakesStaysAwake(t *testing.T) {
	var store *faulty
	s := begin(t, func(c *ingest.Config) {
		store = &faulty{Store: c.Store}
		c.Store = store
	})
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	reg := &registry.Registry{Enrolments: cohort().Enrolments[:1]}
	reg.Enrolments[0].Version, reg.Enrolments[0].Protocol = "1", "silence"
	meanwhile := func() error {
		store.fault.Store(nil)
		s.enter(reg)
		return nil
	}
	store.fault.Store(&meanwhile)
	s.send("scale-1", weight("a", start, 130))
	expect(t, "found: the protocol is another one by now", s.found(), []string(nil))
	due, err := s.store.DueEnrolments(t.Context(), start.Add(72*time.Hour), 10)
	expect(t, "error", err, nil)
	if !slices.Contains(due, "e1") {
		t.Error("the silence of the patient will never be looked for")
	}
}

// TestWhatAFormerPatientMeasuredIsNotTheNextOnes has a scale that kept readings go
// from p1 to p4 and send them there.
func TestWhatAFormerPatientMeasuredIsNotTheNextOnes(t *testing.T) {
	s := begin(t)
	reg := &registry.Registry{Enrolments: []registry.Enrolment{cohort().Enrolments[0], cohort().Enrolments[3]}}
	former, next := &reg.Enrolments[0], &reg.Enrolments[1]
	former.Devices, next.Protocol, next.Devices = nil, "heart-failure", []string{"scale-4", "scale-1"}
	s.enter(reg)
	s.send("scale-1", "["+weight("a", start.Add(-time.Hour), 82)+","+weight("b", start.Add(time.Minute), 75)+"]")
	s.send("scale-1", strings.Replace(weight("c", start, 82), start.Format(time.RFC3339Nano), start.Format(time.DateOnly), 1))
	expect(t, "kept of the former patient", s.history("p1"), []string(nil))
	expect(t, "kept of the next", s.history("p4"), []string{"b"})
	expect(t, "set aside", s.setAside(), []string{"a not-enrolled", "c not-enrolled"})
	if _, err := s.Retry(t.Context(), ingest.SetAsideFilter{}); err != nil {
		t.Fatal(err)
	}
	expect(t, "kept of the next, tried again", s.history("p4"), []string{"b"})
}

func TestADayIsThatOfThePatientWhoHasTheDevice(t *testing.T) {
	s := begin(t)
	reg := &registry.Registry{Enrolments: []registry.Enrolment{cohort().Enrolments[0], cohort().Enrolments[3]}}
	former, next := &reg.Enrolments[0], &reg.Enrolments[1]
	former.Zone, former.Prescription = "Pacific/Tahiti", start.AddDate(0, 0, -5)
	next.Protocol, next.Zone, next.From, next.Devices = "heart-failure", "Pacific/Noumea", start.AddDate(0, 0, -4), []string{"scale-1"}
	s.enter(reg)
	s.send("scale-1", strings.Replace(weight("a", start, 82), start.Format(time.RFC3339Nano), "2026-11-19", 1))
	err := s.store.History(t.Context(), "p4", nil, time.Time{}, start.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
		if want := time.Date(2026, 11, 19, 1, 0, 0, 0, time.UTC); !r.Time.Equal(want) {
			t.Errorf("the day is kept as %v, want %v: noon in Nouméa", r.Time, want)
		}
		return true
	})
	expect(t, "error", err, nil)
	expect(t, "kept", s.history("p4"), []string{"a"})
}

func TestConsentOfAFormerPatientIsNotTheNextOnes(t *testing.T) {
	s := begin(t)
	reg := &registry.Registry{Enrolments: []registry.Enrolment{cohort().Enrolments[0], cohort().Enrolments[2]}}
	reg.Enrolments[0].Prescription = start.AddDate(0, 0, -5)
	reg.Enrolments[1].From, reg.Enrolments[1].Devices = start.AddDate(0, 0, -5), []string{"scale-1"}
	s.enter(reg)
	s.send("scale-1", weight("a", start, 999))
	records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{})
	expect(t, "error", err, nil)
	expect(t, "payload kept", string(records[0].Payload), "")
}

func TestATechnicalAlertIsAboutWhoHasTheDevice(t *testing.T) {
	s := begin(t)
	reg := &registry.Registry{Enrolments: []registry.Enrolment{cohort().Enrolments[0], cohort().Enrolments[3]}}
	former, next := &reg.Enrolments[0], &reg.Enrolments[1]
	former.Prescription = start.AddDate(0, 0, -5)
	next.Protocol, next.From, next.Devices = "heart-failure", start.AddDate(0, 0, -4), []string{"scale-1"}
	s.enter(reg)
	s.send("scale-1", strings.Replace(weight("a", start, 999), `"unit"`, `"battery":5,"unit"`, 1))
	s.send("scale-1", strings.Replace(weight("b", start, 82), `"unit"`, `"battery":5,"unit"`, 1))
	enrolments := map[string]string{}
	for _, f := range s.witness.Findings() {
		enrolments[f.Rule] = f.Enrolment
	}
	expect(t, "found about", enrolments, map[string]string{ingest.RuleImplausible: "e4", ingest.RuleBattery: "e4"})

	if err := s.publish("scale-1", "status", `{"online":false}`); err != nil {
		t.Fatal(err)
	}
	s.move(20 * time.Hour)
	s.send("scale-1", weight("c", s.clock(), 82))
	s.move(11 * time.Hour)
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(s.found(), "raised "+ingest.RuleOffline) {
		t.Error("a device whose readings of the next patient come is said to be offline")
	}
}

// TestTheEndOfATechnicalAlertIsAboutWhoItWasRaisedFor hands devices on while one is
// offline and another's battery is low.
func TestTheEndOfATechnicalAlertIsAboutWhoItWasRaisedFor(t *testing.T) {
	s := sleeper{begin(t)}
	s.says(false)
	if err := s.publish("bp-1", "status", `{"online":true,"battery":9}`); err != nil {
		t.Fatal(err)
	}
	s.after(ingest.OfflineGrace, raised)
	reg := &registry.Registry{Enrolments: []registry.Enrolment{cohort().Enrolments[0], cohort().Enrolments[3]}}
	former, next := &reg.Enrolments[0], &reg.Enrolments[1]
	former.Devices, next.Protocol, next.Devices = nil, "heart-failure", []string{"scale-1", "bp-1"}
	s.enter(reg)
	s.move(time.Hour)
	s.says(true)
	if err := s.publish("bp-1", "status", `{"online":true,"battery":95}`); err != nil {
		t.Fatal(err)
	}
	about := map[string][]string{}
	for _, f := range s.witness.Findings() {
		about[f.Rule+" "+f.Episode] = append(about[f.Rule+" "+f.Episode], f.Kind.String()+" "+f.Enrolment)
	}
	both := []string{"raised e1", "ended e1"}
	expect(t, "found about", about, map[string][]string{"device-offline scale-1 2026-11-21T06:00:00Z": both, "battery-low bp-1 2026-11-21T06:00:00Z": both})
}

// TestWhatWaitsToBeConfirmedOutlivesAMoveToAnotherVersion has a patient fall silent
// after a reading that the next one was to confirm.
func TestWhatWaitsToBeConfirmedOutlivesAMoveToAnotherVersion(t *testing.T) {
	confirming := func(c *ingest.Config) {
		c.Plans = ingest.Plans(func(id, version string) *protocols.Protocol {
			p := find(id, "1")
			if id == "heart-failure" {
				p.Version = version
				p.Rules[0].Levels[0].Confirm = 24 * time.Hour
			}
			return p
		})
	}
	s := begin(t, confirming)
	s.send("scale-1", weight("a", start, 105))
	s.move(time.Hour)
	reg := cohort()
	reg.Enrolments[0].Version = "2"
	s.enter(reg)
	sweep := func() {
		t.Helper()
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	expect(t, "found when the patient was moved", s.found(), []string(nil))
	s.restart(confirming)
	s.move(24 * time.Hour)
	sweep()
	expect(t, "found when nothing came", s.found(), []string{"raised weight-high"})
	s.move(240 * time.Hour)
	sweep()
	expect(t, "found in all", s.found(), []string{"raised weight-high"})
}
