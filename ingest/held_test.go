package ingest_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// longPast is a hypoglycaemia of long ago that is over, one from which nobody knows an end
// until the next day, and one of yesterday.
func longPast() []protocols.Reading {
	return slices.Concat(sensor(start.AddDate(0, 0, -100), twoHoursLow()...), sensor(start.AddDate(0, 0, -40), slices.Repeat([]float64{39}, 25)...),
		sensor(start.AddDate(0, 0, -39), 110, 112), sensor(start.Add(-20*time.Hour), twoHoursLow()...))
}

// rang lists what was found of episodes, but for each reading for which they hold.
func (s *service) rang() (list []string) {
	for _, f := range s.witness.Findings() {
		if f.Kind != protocols.Again {
			list = append(list, fmt.Sprint(f.Kind, " ", f.Rule, " ", f.Level, " ", f.Episode))
		}
	}
	slices.Sort(list)
	return list
}

func (s *service) enterPart(readings []protocols.Reading) ingest.Entered {
	s.t.Helper()
	entered, err := s.EnterPart(s.t.Context(), "sensor", slices.Clone(readings))
	if err != nil {
		s.t.Fatal(err)
	}
	return entered
}

func (s *service) enterLast(readings []protocols.Reading) ingest.Entered {
	s.t.Helper()
	entered, err := s.EnterLast(s.t.Context(), "sensor", slices.Clone(readings))
	if err != nil {
		s.t.Fatal(err)
	}
	return entered
}

// Wherever an import is cut, and although it is broken off there and begun again on a
// service that has started anew, it raises what one import raises.
func TestAnImportInPartsRaisesWhatOneImportRaises(t *testing.T) {
	all := longPast()
	for _, live := range []bool{false, true} {
		begin := func() *service {
			s := followedLong(t)
			if live { // the sensor tells of today, and what is imported comes behind it
				s.send("sensor", glucose("today", start.Add(-time.Hour), 110))
			}
			s.witness.Forget()
			return s
		}
		whole := begin()
		whole.enterReadings("sensor", all)
		want, kept := whole.rang(), whole.history("w1")
		if len(want) == 0 {
			t.Fatal("one import raised nothing")
		}
		for cut := 1; cut < len(all); cut += 7 {
			s := begin()
			s.enterPart(all[:cut])
			s.restart(func(c *ingest.Config) { c.Plans, c.Limits.Rate = wardPlans, 0 })
			if e := s.enterPart(all[:cut]); e.New != 0 || e.Known != cut {
				t.Fatalf("the first %d again: %+v", cut, e)
			}
			s.enterPart(all[cut : cut+1])
			if e := s.enterLast(all[cut+1:]); e.New != len(all)-cut-1 {
				t.Fatalf("the rest of %d: %+v", cut, e)
			}
			expect(t, fmt.Sprint("raised when cut after ", cut, ", live ", live), s.rang(), want)
			expect(t, "kept", s.history("w1"), kept)
		}
	}
}

// What still holds where an import was broken off is not silent for ever: the last part, an
// hour or a reading of today raises it, and a reading that ends it takes it away.
func TestWhatIsHeldIsRaisedAtLast(t *testing.T) {
	broken := func() *service {
		s := followedLong(t)
		s.enterPart(sensor(start.AddDate(0, 0, -40), slices.Repeat([]float64{39}, 25)...))
		expect(t, "raised within the import", s.rang(), []string(nil))
		return s
	}
	sweep := func(s *service) {
		t.Helper()
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	old := func(s *service) int { return len(s.raisedBetween(start.AddDate(0, 0, -41), start.AddDate(0, 0, -39))) }

	s := broken()
	s.enterLast(nil)
	if old(s) == 0 {
		t.Error("the import has ended, and nothing was raised of what still holds")
	}
	s = broken()
	s.move(59 * time.Minute)
	sweep(s)
	expect(t, "raised before the hour is over", old(s), 0)
	s.move(2 * time.Minute)
	sweep(s)
	raised := old(s)
	if raised == 0 {
		t.Error("nothing was raised an hour after the import was broken off")
	}
	s.enterLast(nil)
	expect(t, "raised once", old(s), raised)

	s = broken()
	s.send("sensor", glucose("low", start.Add(-time.Minute), 39))
	if len(s.rang()) == 0 {
		t.Error("a low of today raised nothing")
	}
	s = broken()
	for i := range 4 {
		s.send("sensor", glucose(fmt.Sprint("good", i), start.Add(time.Duration(i-60)*5*time.Minute), 110))
	}
	s.move(2 * time.Hour)
	sweep(s)
	expect(t, "raised of what a reading of today has ended", old(s), 0)
}

// Who withdraws while a file of his is entered gets nothing more entered, and is told of
// nothing that was held.
func TestWhoIsNoLongerFollowedGetsNothingOfTheRestOfAnImport(t *testing.T) {
	s := followedLong(t)
	all := longPast()
	s.enterPart(all[:40])
	reg := firstDay()
	for i := range reg.Enrolments {
		reg.Enrolments[i].From, reg.Enrolments[i].Consent.Date = start.AddDate(0, 0, -200), start.AddDate(0, 0, -200)
		reg.Enrolments[i].Consent.Withdrawn = start.Add(-time.Minute)
	}
	s.enter(reg)
	if e := s.enterLast(all[40:]); e.New != 0 || e.Refused[protocols.NoConsent] != len(all)-40 {
		t.Errorf("entered %+v", e)
	}
}

// An import of more readings than one transaction strikes out is struck out as one all the
// same, and comes back as one.
func TestALongImportIsStruckOutAsOne(t *testing.T) {
	s := followedLong(t)
	const parts, each = 3, 4_000
	origin := &protocols.Origin{Batch: "import 0011223344556677"}
	for part := range parts {
		readings := sensor(start.AddDate(0, 0, -120).Add(time.Duration(part*each)*5*time.Minute), slices.Repeat([]float64{110}, each)...)
		for i := range readings {
			readings[i].Origin = origin
		}
		s.enterPart(readings)
	}
	s.send("sensor", glucose("today", start.Add(-time.Hour), 110))
	about := ingest.Striking{Patient: "w1", Batch: origin.Batch, From: time.Unix(0, 0), To: start.AddDate(1, 0, 0), Author: "Mme Hoarau", Reason: "mg/dL, et non mmol/L"}
	if tried, err := s.TryStrike(t.Context(), about, false); err != nil || len(tried.Readings) != parts*each {
		t.Errorf("it would strike out %d: %v", len(tried.Readings), err)
	}
	struck, err := s.Strike(t.Context(), about)
	if err != nil || len(struck) != parts*each || !slices.IsSortedFunc(struck, func(a, b *protocols.Reading) int { return a.Time.Compare(b.Time) }) {
		t.Errorf("struck out %d: %v", len(struck), err)
	}
	if _, err := s.Strike(t.Context(), about); !errors.Is(err, ingest.ErrStruckBefore) {
		t.Errorf("again: %v", err)
	}
	back, err := s.Unstrike(t.Context(), about)
	if err != nil || len(back) != parts*each {
		t.Errorf("back came %d: %v", len(back), err)
	}
	about.Batch = ""
	if _, err := s.Strike(t.Context(), about); !errors.Is(err, ingest.ErrManyToStrike) {
		t.Errorf("as many by their time: %v", err)
	}
}
