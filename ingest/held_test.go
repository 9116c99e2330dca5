package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

// longPast is a hypoglycaemia of long ago that is over, one from which nobody knows an end
// until the next day, and one of yesterday.
func longPast() []protocols.Reading {
	return slices.Concat(sensor(start.AddDate(0, 0, -100), twoHoursLow()...), sensor(start.AddDate(0, 0, -40), slices.Repeat([]float64{39}, 25)...),
		sensor(start.AddDate(0, 0, -39), 110, 112), sensor(start.Add(-20*time.Hour), twoHoursLow()...))
}

// good are readings that are none to speak of. They vary: a sensor that stands still is told of.
func good(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(110 + i%7)
	}
	return values
}

// rang lists what was found of episodes, but for each reading for which they hold. That
// nothing was measured is another matter.
func (s *service) rang() (list []string) {
	for _, f := range s.witness.Findings() {
		if f.Kind != protocols.Again && f.Rule != "no-glucose" {
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

// What a part seems to hold behind its last reading, and a reading of today has ended, waits
// for the next part: it is told where nothing comes, or what comes is later.
func TestWhatSilenceBehindAPartTellsWaitsForTheNextPart(t *testing.T) {
	fallen := start.Add(-20 * time.Hour)
	begin := func() *service {
		s := followedLong(t)
		s.send("sensor", glucose("today", start.Add(-time.Hour), 110))
		s.witness.Forget()
		s.enterPart(sensor(fallen, 39, 38))
		expect(t, "told amid the import", s.rang(), []string(nil))
		return s
	}
	want := []string{"ended hypoglycaemia-scan red", "raised hypoglycaemia-scan red"}
	told := func(s *service) (list []string) {
		for _, line := range s.rang() {
			if strings.Contains(line, "hypoglycaemia") {
				list = append(list, line[:strings.LastIndex(line, " ")])
			}
		}
		return list
	}
	s := begin()
	s.enterLast(nil)
	expect(t, "told at the end", told(s), want)
	s.enterLast(nil)
	expect(t, "told once", told(s), want)

	s = begin()
	s.enterLast(sensor(fallen.Add(5*time.Hour), good(20)...))
	expect(t, "told as the rest is of later", told(s), want)

	s = begin()
	s.enterLast(sensor(fallen.Add(10*time.Minute), good(20)...))
	expect(t, "told as the rest says that it rose", told(s), []string(nil))

	s = begin()
	s.move(61 * time.Minute)
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, "told an hour after it was broken off", told(s), want)
}

// Between two parts of an import the service looks at the clock, or a reading of today comes
// by itself: what lies between is no silence, and the alerts are those of one import.
func TestNothingRingsBetweenTwoPartsOfAnImport(t *testing.T) {
	lows := func(s *service) (list []string) {
		for _, line := range s.rang() {
			if strings.Contains(line, "hypoglycaemia") {
				list = append(list, line)
			}
		}
		return list
	}
	look := func(s *service) {
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	today := func(s *service) { s.send("sensor", glucose("today", start.Add(-time.Hour), 110)) }
	for _, ago := range []time.Duration{20 * time.Hour, 100 * 24 * time.Hour} {
		all := sensor(start.Add(-ago), append(append(good(2), twoHoursLow()...), good(2)...)...)
		for name, between := range map[string]func(*service){"a look at the clock": look, "a reading of today": func(s *service) { today(s); look(s) }} {
			whole := followedLong(t)
			whole.enterReadings("sensor", all)
			between(whole)
			want := lows(whole)
			for _, cut := range []int{1, 3, 4, 8, 27} {
				s := followedLong(t)
				s.enterPart(all[:cut])
				s.restart(func(c *ingest.Config) { c.Plans, c.Limits.Rate = wardPlans, 0 })
				between(s)
				s.enterLast(all[cut:])
				look(s)
				expect(t, fmt.Sprint(name, " after ", cut, " of ", len(all), ", ", ago, " ago"), lows(s), want)
			}
		}
	}
	s := followedLong(t)
	s.enterPart(sensor(start.Add(-20*time.Hour), 39, 38))
	s.move(59 * time.Minute)
	look(s)
	expect(t, "told before the hour is over", lows(s), []string(nil))
	s.move(2 * time.Minute)
	look(s)
	if rang := lows(s); len(rang) != 1 || !strings.HasPrefix(rang[0], "raised hypoglycaemia-scan red") {
		t.Errorf("an hour after the import was broken off, %q", rang)
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
	for i := range 5 {
		s.send("sensor", glucose(fmt.Sprint("low", i), start.Add(time.Duration(i-5)*5*time.Minute), 39))
	}
	if old(s) == 0 {
		t.Error("lows of today raised nothing of what is held")
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
	s.enterPart(all[:40]) // a low of long ago goes on there
	reg := firstDay()
	for i := range reg.Enrolments {
		reg.Enrolments[i].From, reg.Enrolments[i].Consent.Date = start.AddDate(0, 0, -200), start.AddDate(0, 0, -200)
		reg.Enrolments[i].Consent.Withdrawn = start.Add(-time.Minute)
	}
	s.enter(reg)
	if e := s.enterLast(all[40:]); e.New != 0 || e.Refused[protocols.NoConsent] != len(all)-40 {
		t.Errorf("entered %+v", e)
	}
	s.move(2 * time.Hour)
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.witness.Findings() {
		if f.Rule == "deep-hypoglycaemia" {
			t.Errorf("told %s of %s, which was held", f.Kind, f.At)
		}
	}
}

// imported marks readings as those of one import.
func imported(readings []protocols.Reading) []protocols.Reading {
	origin := &protocols.Origin{Batch: "import 0011223344556677"}
	for i := range readings {
		readings[i].Origin = origin
	}
	return readings
}

// theImport is what a person says of that import.
func theImport() ingest.Striking {
	return ingest.Striking{Patient: "w1", Batch: "import 0011223344556677", From: time.Unix(0, 0), To: start.AddDate(1, 0, 0), Author: "Mme Hoarau", Reason: "mg/dL, et non mmol/L"}
}

// An import is struck out and comes back, and one reading amid it too: what was over long
// ago is told no more than when it came.
func TestAStrikeTellsNothingOfWhatWasOverLongAgo(t *testing.T) {
	s := followedLong(t)
	s.enterReadings("sensor", imported(longPast()))
	told := s.rang()
	if len(told) == 0 {
		t.Fatal("the import raised nothing")
	}
	s.witness.Forget()
	if _, err := s.Strike(t.Context(), theImport()); err != nil {
		t.Fatal(err)
	}
	if rang := s.rang(); len(rang) == 0 || slices.ContainsFunc(rang, func(f string) bool { return !strings.HasPrefix(f, "withdrawn") }) {
		t.Errorf("struck out, it tells %q", rang)
	}
	s.witness.Forget()
	if _, err := s.Unstrike(t.Context(), theImport()); err != nil {
		t.Fatal(err)
	}
	expect(t, "told as it comes back", s.rang(), told)

	s.witness.Forget()
	amid := theImport()
	amid.From = start.AddDate(0, 0, -100).Add(time.Hour)
	amid.To = amid.From.Add(1)
	if _, err := s.Strike(t.Context(), amid); err != nil {
		t.Fatal(err)
	}
	// A revision is for the alert that stands for its episode, and there is none.
	if rang := slices.DeleteFunc(s.rang(), func(f string) bool { return strings.HasPrefix(f, "revised") }); len(rang) > 0 {
		t.Errorf("as one reading of long ago is struck out, it tells %q", rang)
	}
}

// What one that was told turns into stays in front of somebody, however long ago it began.
func TestAnOpenAlertOfLongAgoOutlivesTheStrikeOfItsFirstReading(t *testing.T) {
	s := followedLong(t)
	for i, value := range twoHoursLow() {
		at := start.Add(-20*time.Hour + time.Duration(i)*5*time.Minute)
		s.send("sensor", glucose(at.Format("15:04"), at, value))
	}
	if len(s.rang()) == 0 {
		t.Fatal("a night's hypoglycaemia raised nothing")
	}
	s.move(60 * 24 * time.Hour)
	s.witness.Forget()
	first := theImport()
	first.Batch, first.From, first.To = "", start.Add(-20*time.Hour), start.Add(-20*time.Hour+1)
	if _, err := s.Strike(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	withdrawn, again := map[string]bool{}, map[string]bool{}
	for _, f := range s.witness.Findings() {
		switch f.Kind {
		case protocols.Withdrawn:
			withdrawn[f.Rule] = true
		case protocols.Raised, protocols.Revised:
			again[f.Rule] = true
		}
	}
	for rule := range withdrawn {
		if !again[rule] {
			t.Errorf("%s is gone: %q", rule, s.rang())
		}
	}
}

// Where a long import is struck out in parts, what seems to go on amid it is told nobody;
// what does go on behind the last of it is.
func TestNothingRingsAmidTheStrikeOfALongImport(t *testing.T) {
	begin := start.AddDate(0, 0, -120)
	values := good(ingest.MostStruck + 2_000)
	for _, border := range []int{2_000, ingest.MostStruck} { // where a strike, and where its undo, has its parts
		for i := border - 10; i < border+10; i++ {
			values[i] = 39
		}
	}
	s := followedLong(t)
	for part := range slices.Chunk(imported(sensor(begin, values...)), 4_000) {
		s.enterPart(part)
	}
	s.enterLast(nil)
	expect(t, "told of it", s.rang(), []string(nil))
	for _, undo := range []bool{false, true} {
		act := s.Strike
		if undo {
			act = s.Unstrike
		}
		if done, err := act(t.Context(), theImport()); err != nil || len(done) != len(values) {
			t.Fatalf("undo %v: %d, %v", undo, len(done), err)
		}
		expect(t, fmt.Sprint("told amid it, undo ", undo), s.rang(), []string(nil))
	}

	s.enterReadings("sensor", sensor(begin.Add(5_000*5*time.Minute+time.Minute), slices.Repeat([]float64{39}, 25)...))
	s.witness.Forget()
	if _, err := s.Strike(t.Context(), theImport()); err != nil {
		t.Fatal(err)
	}
	if len(s.rang()) == 0 {
		t.Error("what goes on once the import is gone is told nobody")
	}
}

// While a file is entered in parts, another of the same patient is struck out in parts, and
// comes back: neither raises what the other holds. The last of them does.
func TestAnImportAndAStrikeDoNotRaiseWhatTheOtherHolds(t *testing.T) {
	s := followedLong(t)
	s.enterPart(imported(sensor(start.AddDate(0, 0, -120), good(ingest.MostStruck+100)...)))
	s.enterLast(nil)
	low := slices.Repeat([]float64{39}, 25)
	first, second := start.AddDate(0, 0, -60), start.AddDate(0, 0, -50)
	s.enterPart(sensor(first, low...))
	if _, err := s.Strike(t.Context(), theImport()); err != nil {
		t.Fatal(err)
	}
	expect(t, "told amid the import, as the strike ends", s.rang(), []string(nil))
	s.enterPart(slices.Concat(sensor(first.Add(25*5*time.Minute), good(5)...), sensor(second, low...)))
	if _, err := s.Unstrike(t.Context(), theImport()); err != nil {
		t.Fatal(err)
	}
	expect(t, "told amid the import, as the strike is undone", s.rang(), []string(nil))
	s.enterLast(nil)
	if rang := s.raisedBetween(second, second.AddDate(0, 0, 1)); len(rang) == 0 {
		t.Error("what still holds as the last of them ends is told nobody")
	}
}

// forgot is a store that has forgotten what was measured before a time.
type forgot struct {
	*sqlite.Store
	before *time.Time
}

func (f forgot) Forgotten(context.Context, string, *protocols.Measure, time.Time, time.Time) (ingest.Forgotten, error) {
	return ingest.Forgotten{Unrecorded: *f.before}, nil
}

// Where the store has forgotten what came before the earliest readings of a long import,
// none of it is struck out, and not the latest part alone.
func TestALongImportThatCannotBeStruckOutAsAWholeStays(t *testing.T) {
	s := followedLong(t)
	begin, before := start.AddDate(0, 0, -150), time.Time{}
	s.restart(func(c *ingest.Config) {
		c.Plans, c.Limits.Rate, c.Store = wardPlans, 0, forgot{s.store, &before}
	})
	const early = 2_000 // a week
	s.enterPart(imported(sensor(begin, slices.Repeat([]float64{110}, ingest.MostStruck+early)...)))
	s.enterLast(nil)
	latest := theImport()
	latest.From = begin.Add(early * 5 * time.Minute)
	for before = latest.From; ; before = before.AddDate(0, 0, -1) { // until the latest part alone could be
		if _, err := s.TryStrike(t.Context(), latest, false); err == nil {
			break
		} else if !errors.Is(err, ingest.ErrOnlyBeyond) {
			t.Fatal(err)
		}
	}
	if struck, err := s.Strike(t.Context(), theImport()); !errors.Is(err, ingest.ErrOnlyBeyond) || len(struck) > 0 {
		t.Errorf("%d are struck out, then: %v", len(struck), err)
	}
	before = time.Time{}
	if struck, err := s.Strike(t.Context(), theImport()); err != nil || len(struck) != ingest.MostStruck+early {
		t.Errorf("where nothing is forgotten, %d are struck out: %v", len(struck), err)
	}
}

// An import of more readings than one transaction strikes out is struck out as one all the
// same, and comes back as one.
func TestALongImportIsStruckOutAsOne(t *testing.T) {
	s := followedLong(t)
	const parts, each = 3, 4_000
	for part := range parts {
		s.enterPart(imported(sensor(start.AddDate(0, 0, -120).Add(time.Duration(part*each)*5*time.Minute), slices.Repeat([]float64{110}, each)...)))
	}
	s.send("sensor", glucose("today", start.Add(-time.Hour), 110))
	about := theImport()
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
