package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// followedLong is a service whose one patient has been followed for 200 days.
func followedLong(t *testing.T) *service {
	s := begin(t, func(c *ingest.Config) { c.Plans, c.Limits.Rate = wardPlans, 0 })
	reg := firstDay()
	for i := range reg.Enrolments {
		reg.Enrolments[i].From, reg.Enrolments[i].Consent.Date = start.AddDate(0, 0, -200), start.AddDate(0, 0, -200)
	}
	s.enter(reg)
	return s
}

// sensor is a reading of glucose every five minutes.
func sensor(from time.Time, values ...float64) (readings []protocols.Reading) {
	for i, value := range values {
		at := from.Add(time.Duration(i) * 5 * time.Minute)
		v, _ := protocols.Of(value)
		readings = append(readings, protocols.Reading{ID: "glucose-" + at.Format(time.RFC3339), Device: "sensor", Time: at, Measure: protocols.MeasureByID("glucose"), Values: []protocols.Value{v}, Battery: -1})
	}
	return readings
}

func (s *service) enterReadings(device string, readings []protocols.Reading) ingest.Entered {
	s.t.Helper()
	entered, err := s.Enter(s.t.Context(), device, slices.Clone(readings), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return entered
}

func (s *service) raisedBetween(from, to time.Time) (list []string) {
	for _, f := range s.witness.Findings() {
		if f.Kind == protocols.Raised && !f.At.Before(from) && f.At.Before(to) {
			list = append(list, fmt.Sprint(f.Rule, " ", f.Level, " ", f.At.Format(time.RFC3339)))
		}
	}
	return list
}

// twoHoursLow is a night's hypoglycaemia, and its end.
func twoHoursLow() []float64 { return append(slices.Repeat([]float64{39}, 25), 110, 112, 115) }

func TestAnImportSaysHowFarItIs(t *testing.T) {
	s := followedLong(t)
	var told []string
	readings := sensor(start.AddDate(0, 0, -100), slices.Repeat([]float64{110}, ingest.MaxReadings+2000)...)
	entered, err := s.Enter(t.Context(), "sensor", readings, func(done, of int) { told = append(told, fmt.Sprint(done, "/", of)) })
	if err != nil || entered.New != len(readings) {
		t.Fatalf("%v: %+v", err, entered)
	}
	if got := strings.Join(told, " "); got != "5000/12000 6000/12000 11000/12000 12000/12000" {
		t.Errorf("told %s", got)
	}
}

func TestWhatWasOverLongAgoEntersAsHistoryAndRaisesNothing(t *testing.T) {
	s := followedLong(t)
	old, recent := start.AddDate(0, 0, -100), start.Add(-20*time.Hour)
	entered := s.enterReadings("sensor", append(sensor(old, twoHoursLow()...), sensor(recent, twoHoursLow()...)...))
	if entered.New != 56 || entered.Past != 28 || entered.Known != 0 || len(entered.Refused) != 0 || entered.Findings == 0 {
		t.Errorf("entered %+v", entered)
	}
	expect(t, "raised of what was over", s.raisedBetween(old, start.AddDate(0, 0, -31)), []string(nil))
	alone := followedLong(t)
	alone.enterReadings("sensor", sensor(recent, twoHoursLow()...))
	expect(t, "raised of the day before", s.raisedBetween(recent, start), alone.raisedBetween(recent, start))
	if len(alone.raisedBetween(recent, start)) == 0 {
		t.Error("a hypoglycaemia of yesterday raised nothing")
	}
	expect(t, "kept", len(s.history("w1")), 56)
}

func TestEnteringAgainChangesNothing(t *testing.T) {
	s := followedLong(t)
	readings := append(sensor(start.AddDate(0, 0, -100), twoHoursLow()...), sensor(start.Add(-20*time.Hour), twoHoursLow()...)...)
	s.enterReadings("sensor", readings)
	found, kept := s.found(), s.history("w1")
	if entered := s.enterReadings("sensor", readings); entered.New != 0 || entered.Known != 56 || entered.Findings != 0 {
		t.Errorf("entered again: %+v", entered)
	}
	expect(t, "found", s.found(), found)
	expect(t, "kept", s.history("w1"), kept)
}

// A hypoglycaemia from which nobody knows an end is not over because it is old.
func TestWhatStillHoldsRingsHoweverLongAgoItBegan(t *testing.T) {
	s := followedLong(t)
	s.enterReadings("sensor", sensor(start.AddDate(0, 0, -40), slices.Repeat([]float64{39}, 25)...))
	if raised := s.raisedBetween(start.AddDate(0, 0, -41), start); len(raised) == 0 {
		t.Error("nothing was raised")
	}
}

func TestWhatIsEnteredNeedsAnEnrolmentConsentAndATimeThatHasCome(t *testing.T) {
	s := followedLong(t)
	day := []float64{110}
	readings := slices.Concat(sensor(start.AddDate(0, 0, -300), day...), sensor(start.Add(time.Hour), day...), sensor(start.Add(-time.Hour), day...))
	entered := s.enterReadings("sensor", readings)
	if entered.New != 1 || entered.Refused[protocols.NotEnrolled] != 1 || entered.Refused[protocols.FutureTime] != 1 {
		t.Errorf("entered %+v", entered)
	}
	expect(t, "set aside", s.setAside(), []string(nil))
	if entered := s.enterReadings("nobody's", sensor(start.Add(-time.Hour), day...)); entered.Refused[protocols.UnknownDevice] != 1 {
		t.Errorf("entered %+v", entered)
	}
	other := sensor(start.Add(-time.Hour), 90)
	if entered := s.enterReadings("sensor", other); entered.Refused[protocols.Contradiction] != 1 || entered.New != 0 {
		t.Errorf("a second value of one moment: %+v", entered)
	}
}

// What was recorded before the patient was enrolled needs a consent that names it. It is
// known to the rules, and raises nothing that was over by the inclusion.
func TestWhatWasBeforeTheInclusionEntersUnderAConsentThatNamesIt(t *testing.T) {
	inclusion := start.AddDate(0, 0, -2)
	included := func(consent func(*registry.Consent)) *service {
		s := begin(t, func(c *ingest.Config) { c.Plans, c.Limits.Rate = wardPlans, 0 })
		reg := firstDay()
		for i := range reg.Enrolments {
			e := &reg.Enrolments[i]
			e.From, e.Consent.Date = inclusion, inclusion
			consent(&e.Consent)
		}
		s.enter(reg)
		return s
	}
	before := sensor(inclusion.AddDate(0, 0, -5), twoHoursLow()...)
	refused := included(func(*registry.Consent) {})
	if e := refused.enterReadings("sensor", before); e.New != 0 || e.Refused[protocols.NotEnrolled] != 28 {
		t.Errorf("without such a consent: %+v", e)
	}
	s := included(func(c *registry.Consent) { c.History = inclusion.AddDate(0, 0, -4) })
	if e := s.enterReadings("sensor", before); e.New != 0 || e.Refused[protocols.NotEnrolled] != 28 {
		t.Errorf("before what the consent names: %+v", e)
	}
	s = included(func(c *registry.Consent) { c.History = inclusion.AddDate(0, 0, -30) })
	if e := s.enterReadings("sensor", before); e.New != 28 || len(e.Refused) != 0 {
		t.Errorf("entered %+v", e)
	}
	expect(t, "raised of what was over", s.raisedBetween(inclusion.AddDate(0, 0, -30), inclusion), []string(nil))
	expect(t, "kept", len(s.history("w1")), 28)
	s.send("sensor", `{"id":"late","time":"`+inclusion.AddDate(0, 0, -3).Format(time.RFC3339)+`","measure":"glucose","values":{"value":110},"unit":"mg/dL"}`)
	if aside := s.setAside(); len(aside) != 1 || !strings.Contains(aside[0], "not-enrolled") {
		t.Errorf("what a device sends of then: %q", aside)
	}
	if e := s.enterReadings("sensor", sensor(inclusion.Add(-3*time.Hour), slices.Repeat([]float64{39}, 25)...)); e.New != 25 {
		t.Errorf("entered %+v", e)
	}
	if len(s.raisedBetween(inclusion.AddDate(0, 0, -1), start)) == 0 {
		t.Error("a hypoglycaemia from which nobody knows an end raised nothing")
	}
	withdrawn := included(func(c *registry.Consent) {
		c.History, c.Withdrawn = inclusion.AddDate(0, 0, -30), start.Add(-time.Hour)
	})
	if e := withdrawn.enterReadings("sensor", before); e.New != 0 || e.Refused[protocols.NoConsent] != 28 {
		t.Errorf("once the consent is withdrawn: %+v", e)
	}
}

func TestAFileOfOnePatientDoesNotEnterTheRecordOfAnother(t *testing.T) {
	s := followedLong(t)
	readings := sensor(start.Add(-time.Hour), 110)
	readings[0].Patient = "w9"
	if e := s.enterReadings("sensor", readings); e.New != 0 || e.Refused[protocols.NotEnrolled] != 1 {
		t.Errorf("entered %+v", e)
	}
	readings[0].Patient = "w1"
	if e := s.enterReadings("sensor", readings); e.New != 1 {
		t.Errorf("entered %+v", e)
	}
}

// The rules know what was entered as if devices had told it in time: it is the usual
// weight against which a new one is held.
func TestTheRulesKnowWhatWasEntered(t *testing.T) {
	weighed := func(i int) (time.Time, float64) {
		return start.AddDate(0, 0, -60+i).Add(time.Hour), 80 + float64(i%3)/10 + max(0, float64(i-57))*1.3
	}
	send := func(s *service, i int) {
		at, kg := weighed(i)
		s.mu.Lock()
		s.now = at.Add(time.Minute)
		s.mu.Unlock()
		s.send("balance-1", weight(fmt.Sprint("w", i), at, kg))
	}
	lived := followedLong(t)
	for i := range 60 {
		send(lived, i)
	}
	entered := followedLong(t)
	var past []protocols.Reading
	for i := range 55 {
		at, kg := weighed(i)
		v, _ := protocols.Of(kg)
		past = append(past, protocols.Reading{ID: fmt.Sprint("w", i), Device: "balance-1", Time: at, Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{v}, Battery: -1})
	}
	entered.move(-5 * 24 * time.Hour)
	entered.enterReadings("balance-1", past)
	for i := 55; i < 60; i++ {
		send(entered, i)
	}
	from := start.AddDate(0, 0, -6)
	want := lived.raisedBetween(from, start.AddDate(0, 0, 1))
	expect(t, "raised", entered.raisedBetween(from, start.AddDate(0, 0, 1)), want)
	if len(want) == 0 {
		t.Error("a weight that rises by more than a kilogram a day raised nothing")
	}
}
