package engine

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/plain"
)

// historySince is what a store holds from a moment on, among the readings
// received so far.
func historySince(received []*protocols.Reading, since time.Time) []*protocols.Reading {
	var kept []*protocols.Reading
	for _, r := range received {
		if !r.Time.Before(since) {
			kept = append(kept, r)
		}
	}
	slices.SortFunc(kept, func(a, b *protocols.Reading) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	return kept
}

func TestRestartRepeatsAndMissesNothing(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := drawCase(dice{t}, 40)
		want := plain.Evaluate(c.Protocol, c.Enrolment, c.History, c.End)
		plan := planOf(t, c.Protocol)
		s := freshState(t, plan, c.Enrolment)
		var found []protocols.Finding
		var kept []byte // the last snapshot that was written
		for i := 0; i <= len(c.History); i++ {
			next := c.End
			if i < len(c.History) {
				next = c.History[i].Time
			}
			if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				s = freshState(t, plan, c.Enrolment)
				since := s.Since(kept, next)
				if i == 0 {
					since = time.Time{} // a new enrolment has no readings older than those to come
				}
				if err := s.Load(kept, historySince(c.History[:i], since), since); err != nil {
					t.Fatal(err)
				}
			}
			if i == len(c.History) {
				break
			}
			if !s.InOrder(c.History[i]) {
				t.Fatalf("reading %d of an ordered history is not in order", i)
			}
			found = s.Add(c.History[i], c.End, found)
			if s.Dirty() {
				kept = s.Snapshot(nil)
			}
		}
		found = s.Advance(c.End, found)
		expectSame(t, found, want)
	})
}

// reported is an episode as findings tell it.
type reported struct {
	rule       string
	start, end time.Time
	level      protocols.Level
}

// overlaps reports whether two episodes have a moment in common. The end is not
// part of an episode, unless it is all of it.
func (r *reported) overlaps(other *reported) bool {
	if r.start.Equal(r.end) || other.start.Equal(other.end) {
		return !r.start.After(other.end) && !other.start.After(r.end)
	}
	return r.start.Before(other.end) && other.start.Before(r.end)
}

func episodesOf(t *rapid.T, found []protocols.Finding) []*reported {
	var all []*reported
	byName := map[string]*reported{}
	for _, f := range found {
		e := byName[f.Episode]
		switch {
		case f.Kind == protocols.Raised && e != nil:
			t.Fatalf("two episodes are named %s\n%s", f.Episode, told(found, time.UTC))
		case f.Kind == protocols.Raised:
			e = &reported{rule: f.Rule, start: f.At, end: moment.Time(moment.FarFuture - 1), level: f.Level}
			byName[f.Episode] = e
			all = append(all, e)
		case e == nil:
			t.Fatalf("%s of %s, which was never raised\n%s", f.Kind, f.Episode, told(found, time.UTC))
		case f.Kind == protocols.Risen:
			e.level = max(e.level, f.Level)
		case f.Kind == protocols.Withdrawn:
			delete(byName, f.Episode)
			all = slices.DeleteFunc(all, func(r *reported) bool { return r == e })
		case f.Kind == protocols.Revised:
			e.level = f.Level
		case f.Kind == protocols.Resumed:
			e.end = moment.Time(moment.FarFuture - 1)
		case f.Kind == protocols.Ended:
			e.end = f.At
		}
	}
	return all
}

// expectCovered fails when an episode that in-order delivery raises has no
// episode of its own, of the same rule, at least as grave, that overlaps it.
func expectCovered(t *rapid.T, got, want []protocols.Finding) {
	t.Helper()
	free := episodesOf(t, got)
	for _, w := range episodesOf(t, want) {
		best := -1
		for i, g := range free {
			if g.rule == w.rule && g.overlaps(w) && g.level >= w.level && (best < 0 || g.end.Before(free[best].end)) {
				best = i
			}
		}
		if best < 0 {
			t.Fatalf("nothing was raised for %s from %s to %s at %s\nfound %s\nexpected %s", w.rule, w.start, w.end, w.level, told(got, time.UTC), told(want, time.UTC))
		}
		free = slices.Delete(free, best, best+1)
	}
}

// delivery gives readings to a state in the order in which they arrive, as the
// service does: in batches, those in order one by one, the late ones together;
// restarting and letting time pass now and then.
type delivery struct {
	plan     *Plan
	c        randomCase
	state    *State
	received []*protocols.Reading
	kept     []byte
	clock    time.Time // the latest measurement so far
	found    []protocols.Finding
}

func (d *delivery) load(t *rapid.T, moment time.Time) {
	d.state = freshState(t, d.plan, d.c.Enrolment)
	since := d.state.Since(d.kept, moment)
	if err := d.state.Load(d.kept, historySince(d.received, since), since); err != nil {
		t.Fatal(err)
	}
}

func (d *delivery) batch(t *rapid.T, batch []*protocols.Reading) {
	d.received = append(d.received, batch...)
	ordered := historySince(batch, time.Time{})
	var late []*protocols.Reading
	for _, r := range ordered {
		if d.state.InOrder(r) {
			d.found = d.state.Add(r, d.c.End, d.found)
		} else {
			late = append(late, r)
		}
		if r.Time.After(d.clock) {
			d.clock = r.Time
		}
	}
	if len(late) > 0 {
		history := historySince(d.received, d.state.Reach(late))
		d.found = d.state.Recompute(late, history, d.c.End, d.found)
	}
	if d.state.Dirty() {
		d.kept = d.state.Snapshot(nil)
	}
}

func TestNoOrderOfDeliveryHidesAnAlert(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := drawCase(dice{t}, 30)
		// What is older than the memory of a rule is beyond the promise.
		for n := len(c.History); n > 0 && c.End.Sub(c.History[0].Time) > lateness; n-- {
			c.History, c.End = c.History[:n-1], c.History[n-1].Time
		}
		want := plain.Evaluate(c.Protocol, c.Enrolment, c.History, c.End)
		d := &delivery{plan: planOf(t, c.Protocol), c: c, clock: c.Enrolment.From}
		d.state = freshState(t, d.plan, c.Enrolment)
		for rest := rapid.Permutation(c.History).Draw(t, "order"); len(rest) > 0; {
			n := rapid.IntRange(1, min(5, len(rest))).Draw(t, "batch")
			d.batch(t, rest[:n])
			rest = rest[n:]
			if rapid.IntRange(0, 4).Draw(t, "advance") == 0 {
				d.found = d.state.Advance(d.clock, d.found)
				if d.state.Dirty() {
					d.kept = d.state.Snapshot(nil)
				}
			}
			if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
				d.load(t, d.clock)
			}
		}
		d.found = d.state.Advance(c.End, d.found)
		expectCovered(t, d.found, want)
		expectSameStanding(t, d, c)
	})
}

// expectSameStanding fails when a rule does not stand where in-order delivery
// would have left it.
func expectSameStanding(t *rapid.T, d *delivery, c randomCase) {
	t.Helper()
	ordered := freshState(t, d.plan, c.Enrolment)
	for _, r := range c.History {
		ordered.Add(r, c.End, nil)
	}
	ordered.Advance(c.End, nil)
	told := episodesOf(t, d.found)
	for i := range ordered.rules {
		got, want := &d.state.rules[i], &ordered.rules[i]
		if got.standing != want.standing {
			t.Fatalf("%s stands at %v, in order it stands at %v", got.plan.Rule.ID, got.standing, want.standing)
		}
		if got.active() != (got.open >= 0) {
			t.Fatalf("%s is active: %v, but what was reported says otherwise", got.plan.Rule.ID, got.active())
		}
		goesOn := slices.ContainsFunc(told, func(e *reported) bool {
			return e.rule == got.plan.Rule.ID && e.end.Equal(moment.Time(moment.FarFuture-1))
		})
		if got.active() != goesOn {
			t.Fatalf("%s is active: %v, but its findings say otherwise", got.plan.Rule.ID, got.active())
		}
	}
}

func TestRecomputeOfWhatIsKnownFindsNothing(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := drawCase(dice{t}, 30)
		if len(c.History) == 0 {
			return
		}
		s := freshState(t, planOf(t, c.Protocol), c.Enrolment)
		for _, r := range c.History {
			s.Add(r, c.End, nil)
		}
		before := s.Snapshot(nil)
		again := rapid.SampledFrom(c.History).Draw(t, "again")
		if again.Time.Before(c.End.Add(-lateness)) {
			return
		}
		history := historySince(c.History, s.Reach([]*protocols.Reading{again}))
		for _, f := range s.Recompute([]*protocols.Reading{again}, history, c.End, nil) {
			if f.Kind != protocols.Again {
				t.Fatalf("found %s", fmt.Sprint(f.Kind, f.Rule, f.At))
			}
		}
		if after := s.Snapshot(nil); !bytes.Equal(before, after) {
			t.Fatalf("the snapshot has changed from %x to %x", before, after)
		}
	})
}

// Readings that come later, but all at once and after those known, are found to
// say exactly what they would have said one by one.
func TestRecomputeAddsWhatAddWouldHave(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := drawCase(dice{t}, 30)
		want := plain.Evaluate(c.Protocol, c.Enrolment, c.History, c.End)
		s := freshState(t, planOf(t, c.Protocol), c.Enrolment)
		known := rapid.IntRange(0, len(c.History)).Draw(t, "known")
		var found []protocols.Finding
		for _, r := range c.History[:known] {
			found = s.Add(r, c.End, found)
		}
		if late := c.History[known:]; len(late) > 0 {
			found = s.Recompute(late, historySince(c.History, s.Reach(late)), c.End, found)
		}
		found = s.Advance(c.End, found)
		expectSame(t, found, want)
	})
}

// Late readings join an episode that is over with one that goes on: the one that
// goes on stands for both, and each further late reading leaves it at that.
func TestLateReadingsLeaveAloneWhatGoesOn(t *testing.T) {
	l := timelineOf(t, enrolled(), rule("pouls", level(protocols.Orange, of("heart-rate", "value", protocols.Mean, protocols.Window{Length: time.Hour}, protocols.Above, 100))))
	received := []*protocols.Reading{
		l.add("heart-rate", "02/03 08:00", 110), l.add("heart-rate", "02/03 08:10", 80), l.add("heart-rate", "02/03 09:05", 130),
	}
	for _, when := range []string{"02/03 07:50", "02/03 07:45", "02/03 07:40"} {
		late := reading("heart-rate", l.time(when), 200)
		received = append(received, late)
		l.found = l.state.Recompute([]*protocols.Reading{late}, historySince(received, time.Time{}), l.time("02/03 10:00"), l.found)
	}
	expectTold(t, l.found,
		"pouls raised orange 02/03 08:00", "pouls ended orange 02/03 08:10", "pouls raised orange 02/03 09:05",
		"pouls again orange 02/03 07:50", "pouls again orange 02/03 07:45", "pouls again orange 02/03 07:40")
}

// An alert resolved at yellow learns from late readings that it was red meanwhile,
// and is over: whoever is told of the rise is told of the end as well.
func TestRiseFoundAfterTheEndComesWithTheEnd(t *testing.T) {
	l := timelineOf(t, enrolled(), rule("pouls",
		level(protocols.Yellow, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 100)), level(protocols.Red, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 130))))
	received := []*protocols.Reading{
		l.add("heart-rate", "02/03 08:00", 110), l.add("heart-rate", "02/03 09:00", 80),
	}
	late := reading("heart-rate", l.time("02/03 08:30"), 140)
	l.found = l.state.Recompute([]*protocols.Reading{late}, historySince(append(received, late), time.Time{}), l.time("02/03 10:00"), l.found)
	expectTold(t, l.found, "pouls raised yellow 02/03 08:00", "pouls ended yellow 02/03 09:00",
		"pouls risen red 02/03 08:30", "pouls ended red 02/03 09:00")
}

// What late readings made of one stretch, others part in two again: the part that
// was told under the other's name is told under its own.
func TestRiseIsToldOfTheEpisodeItBelongsTo(t *testing.T) {
	hour := protocols.Window{Length: time.Hour}
	l := timelineOf(t, enrolled(), rule("pouls",
		level(protocols.Yellow, of("heart-rate", "value", protocols.Mean, hour, protocols.Above, 100)), level(protocols.Red, of("heart-rate", "value", protocols.Mean, hour, protocols.Above, 130))))
	received := []*protocols.Reading{
		l.add("heart-rate", "02/03 08:00", 110), l.add("heart-rate", "02/03 09:00", 80), l.add("heart-rate", "02/03 10:00", 110),
	}
	for _, late := range [][]*protocols.Reading{
		{reading("heart-rate", l.time("02/03 07:30"), 60), reading("heart-rate", l.time("02/03 08:20"), 160), reading("heart-rate", l.time("02/03 08:40"), 290)},
		{reading("heart-rate", l.time("02/03 09:50"), 95)},
	} {
		received = append(received, late...)
		l.found = l.state.Recompute(late, historySince(received, time.Time{}), l.time("02/03 11:00"), l.found)
	}
	first := l.found[0].Episode
	if !slices.ContainsFunc(l.found, func(f protocols.Finding) bool {
		return f.Episode == first && f.Kind == protocols.Risen && f.Level == protocols.Red
	}) {
		t.Errorf("%s was red at 08:40, and that is not said:\n%s", first, told(l.found, paris))
	}
}

// onDevice is a reading of another device: of one moment, the canonical order is
// that of their names.
func onDevice(name string, r *protocols.Reading) *protocols.Reading {
	r.Device = name
	return r
}

// Two scales are used at the same moment, and only the first one's weight is too
// high: an episode without length, which is told once.
func TestEpisodeOfOneMomentIsToldOnce(t *testing.T) {
	l := timelineOf(t, enrolled(), rule("poids", level(protocols.Orange, of("weight", "value", protocols.Mean, protocols.Window{Length: 24 * time.Hour}, protocols.Above, 80))))
	received := []*protocols.Reading{l.add("weight", "05/03 12:00", 82), l.add("weight", "06/03 12:00", 82)}
	for _, late := range [][]*protocols.Reading{
		{reading("weight", l.time("05/03 11:00"), 60), onDevice("d2", reading("weight", l.time("06/03 12:00"), 70))},
		{reading("weight", l.time("05/03 10:00"), 75)},
	} {
		received = append(received, late...)
		l.found = l.state.Recompute(late, historySince(received, time.Time{}), l.time("06/03 13:00"), l.found)
	}
	expectTold(t, l.found, "poids raised orange 05/03 12:00", "poids again orange 06/03 12:00", "poids ended orange 06/03 12:00")
}

// Of two episodes that begin at one moment the first is over at once; that one is
// told does not say that the other is.
func TestEpisodeIsToldBesideOneThatBeganAtTheSameMoment(t *testing.T) {
	l := timelineOf(t, enrolled(), rule("poids", level(protocols.Orange, of("weight", "value", protocols.Last, protocols.Window{Days: 7}, protocols.Above, 80))))
	received := []*protocols.Reading{l.add("weight", "08/03 12:00", 82)}
	noon := l.time("05/03 12:00")
	for _, late := range [][]*protocols.Reading{
		{reading("weight", noon, 81), onDevice("d2", reading("weight", noon, 79)), onDevice("d3", reading("weight", noon, 82))},
		{reading("weight", l.time("07/03 12:00"), 79)},
	} {
		received = append(received, late...)
		l.found = l.state.Recompute(late, historySince(received, time.Time{}), l.time("08/03 13:00"), l.found)
	}
	missing := map[string]bool{"poids@2026-03-05T11:00:00Z": true, "poids@2026-03-05T11:00:00Z+1": true, "poids@2026-03-08T11:00:00Z": true}
	for _, f := range l.found {
		if f.Kind == protocols.Raised {
			delete(missing, f.Episode)
		}
	}
	if len(missing) > 0 {
		t.Errorf("%v were not raised:\n%s", missing, told(l.found, paris))
	}
}
