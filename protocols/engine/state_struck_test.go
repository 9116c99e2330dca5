package engine

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/protocols"
	"vigie/protocols/engine/plain"
)

// drawSome picks some of the readings, in canonical order, and gives those and the others.
func drawSome(t *rapid.T, from []*protocols.Reading, label string) (some, others []*protocols.Reading) {
	for _, r := range from {
		if rapid.IntRange(0, 3).Draw(t, label) == 0 {
			some = append(some, r)
		} else {
			others = append(others, r)
		}
	}
	return some, others
}

// strike has readings struck out, as the service does.
func (d *delivery) strike(struck []*protocols.Reading) {
	if len(struck) == 0 {
		return
	}
	history := historySince(d.received, d.state.ReachStruck(struck))
	d.found = d.state.Strike(struck, history, d.c.End, d.found)
	d.received = without(d.received, struck)
	d.kept = d.state.Snapshot(nil)
}

// Readings that came in order and were struck out at the end leave, of every rule, the
// episodes and levels that there would be without them, neither more nor fewer.
func TestStruckReadingsAreAsIfTheyHadNeverBeen(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := drawCase(dice{t}, 30)
		d := &delivery{plan: planOf(t, c.Protocol), c: c, clock: c.Enrolment.From}
		d.state = freshState(t, d.plan, c.Enrolment)
		for _, r := range c.History {
			d.batch(t, []*protocols.Reading{r})
		}
		d.found = d.state.Advance(c.End, d.found)
		d.kept = d.state.Snapshot(nil)
		struck, left := drawSome(t, c.History, "struck")
		for rest := struck; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "at once")
			d.strike(rest[:n])
			rest = rest[n:]
			if rapid.IntRange(0, 2).Draw(t, "restart") == 0 {
				d.load(t, c.End)
			}
		}
		d.found = d.state.Advance(c.End, d.found) // what they had answered falls due
		want := plain.Evaluate(c.Protocol, c.Enrolment, left, c.End)
		expectCovered(t, d.found, want)
		expectNothingElse(t, d.found, want)
		c.History = left
		expectSameStanding(t, d, c)
	})
}

// expectNothingElse fails when an episode stays that no episode of in-order delivery
// overlaps, or that is graver than those that do.
func expectNothingElse(t *rapid.T, got, want []protocols.Finding) {
	t.Helper()
	wanted := episodesOf(t, want)
	for _, g := range episodesOf(t, got) {
		if !slices.ContainsFunc(wanted, func(w *reported) bool { return w.rule == g.rule && w.overlaps(g) && w.level >= g.level }) {
			t.Fatalf("%s at %s from %s to %s stays, and nothing holds it\nfound %s\nexpected %s", g.rule, g.level, g.start, g.end, told(got, time.UTC), told(want, time.UTC))
		}
	}
}

// Readings are struck out and taken back, come in any order, and the service restarts.
// Nothing that holds goes unreported, and every rule stands where it would by what is left.
func TestNoStrikeHidesAnAlert(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		c := drawCase(dice{t}, 20)
		for n := len(c.History); n > 0 && c.End.Sub(c.History[0].Time) > lateness; n-- {
			c.History, c.End = c.History[:n-1], c.History[n-1].Time
		}
		d := &delivery{plan: planOf(t, c.Protocol), c: c, clock: c.Enrolment.From}
		d.state = freshState(t, d.plan, c.Enrolment)
		var away []*protocols.Reading
		for rest := rapid.Permutation(c.History).Draw(t, "order"); len(rest) > 0 || len(away) > 0; {
			if len(rest) > 0 {
				n := rapid.IntRange(1, min(5, len(rest))).Draw(t, "batch")
				d.batch(t, rest[:n])
				rest = rest[n:]
			}
			switch rapid.IntRange(0, 5).Draw(t, "then") {
			case 0:
				d.found = d.state.Advance(d.clock, d.found)
				d.kept = d.state.Snapshot(nil)
			case 1:
				d.load(t, d.clock)
			case 2:
				struck, _ := drawSome(t, historySince(d.received, time.Time{}), "struck")
				d.strike(struck)
				away = append(away, struck...)
			}
			if len(rest) == 0 {
				back, _ := drawSome(t, away, "back") // the others stay away
				d.batch(t, back)
				break
			}
		}
		d.found = d.state.Advance(c.End, d.found)
		c.History = historySince(d.received, time.Time{})
		expectCovered(t, d.found, plain.Evaluate(c.Protocol, c.Enrolment, c.History, c.End))
		expectSameStanding(t, d, c)
	})
}

// An alert that ended weeks ago, and is no longer known, goes on without the reading that ended
// it: that is told under its own name, and it is not raised a second time.
func TestWhatAStruckReadingEndedWeeksAgoKeepsItsName(t *testing.T) {
	l := timelineOf(t, enrolled(), rule("pouls", level(protocols.Yellow, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 100))))
	received := []*protocols.Reading{l.add("heart-rate", "02/03 08:00", 110), l.add("heart-rate", "02/03 09:00", 80), l.add("heart-rate", "25/03 08:00", 80), l.add("heart-rate", "20/04 08:00", 110)}
	l.found = l.state.Strike(received[1:2], received, l.time("20/04 09:00"), l.found)
	expectTold(t, l.found, "pouls raised yellow 02/03 08:00", "pouls ended yellow 02/03 09:00", "pouls raised yellow 20/04 08:00", "pouls revised yellow 02/03 08:00", "pouls ended yellow 25/03 08:00")
	if first, later := l.found[0].Episode, l.found[3].Episode; first != later {
		t.Errorf("what began as %s goes on as %s", first, later)
	}
}
