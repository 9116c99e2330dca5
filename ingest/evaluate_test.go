package ingest_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	sqlitelib "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"pgregory.net/rapid"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

func TestRulesLookAtWhatIsKept(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
	s.send("scale-1", weight("b", start.Add(-24*time.Hour), 83))
	expect(t, "found", s.found(), []string(nil))
	s.send("scale-1", weight("c", start, 84.5))
	expect(t, "found", s.found(), []string{"raised weight-gain"})
	s.send("scale-1", weight("c", start, 84.5))
	expect(t, "found after a repetition", s.found(), []string{"raised weight-gain"})
}

func TestEvaluationGoesOnAfterARestart(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
	s.restart()
	s.send("scale-1", weight("b", start.Add(-24*time.Hour), 84.5))
	s.restart()
	s.send("scale-1", weight("c", start, 84.6))
	s.restart()
	s.send("scale-1", weight("c", start, 84.6))
	expect(t, "kept", s.history("p1"), []string{"a", "b", "c"})
	expect(t, "found", s.found(), []string{"raised weight-gain", "again weight-gain"})
}

func TestLateReadingDoesNotHideAnAlert(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("c", start, 84.5))
	s.send("scale-1", weight("b", start.Add(-24*time.Hour), 83))
	expect(t, "found", s.found(), []string(nil))
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
	expect(t, "found", s.found(), []string{"raised weight-gain"})
}

func TestLateReadingAfterARestart(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("c", start, 84.5))
	s.restart()
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
	expect(t, "found", s.found(), []string{"raised weight-gain"})
}

func TestLateAndTimelyReadingsInOneMessage(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("b", start.Add(-24*time.Hour), 83))
	s.send("scale-1", "["+weight("c", start, 84.5)+","+weight("a", start.Add(-48*time.Hour), 82)+"]")
	expect(t, "found", s.found(), []string{"raised weight-gain"})
}

func TestSilenceIsFoundByTheSweep(t *testing.T) {
	s := begin(t)
	reg := &registry.Registry{Enrolments: cohort().Enrolments[:1]}
	reg.Enrolments[0].ID, reg.Enrolments[0].Protocol, reg.Enrolments[0].From = "e9", "silence", start.Add(-time.Hour)
	s.enter(reg)
	sweep := func() {
		t.Helper()
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	expect(t, "on the first day", s.found(), []string(nil))
	s.move(72 * time.Hour)
	sweep()
	expect(t, "after two days without a weight", s.found(), []string{"raised no-weight"})
	sweep()
	swept, err := s.Sweep(t.Context())
	if err != nil || swept != 0 {
		t.Errorf("%d enrolments are still due (%v)", swept, err)
	}
	expect(t, "once", s.found(), []string{"raised no-weight"})
	s.restart()
	sweep()
	expect(t, "once, after a restart", s.found(), []string{"raised no-weight"})
	s.send("scale-1", weight("a", s.clock(), 82))
	expect(t, "when it comes", s.found(), []string{"raised no-weight", "ended no-weight"})
}

func TestEnrolmentThatCannotBeEvaluatedDoesNotStopTheSweep(t *testing.T) {
	s := begin(t)
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	due, err := s.store.DueEnrolments(t.Context(), s.clock(), 10)
	expect(t, "still due", due, []string(nil))
	expect(t, "error", err, nil)
	s.move(2 * time.Hour)
	due, err = s.store.DueEnrolments(t.Context(), s.clock(), 10)
	expect(t, "due later, when its protocol may have come", due, []string{"e4"})
	expect(t, "error", err, nil)
}

func TestChangedSettingCountsFromTheNextReading(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start, 90))
	reg := cohort()
	reg.Enrolments[0].Settings = protocols.Settings{"limit": {Value: 85_000, Author: "a physician", Date: start, Reason: "after the visit"}}
	s.enter(reg)
	expect(t, "found", s.found(), []string(nil))
	s.send("scale-1", weight("b", start.Add(time.Second), 90))
	expect(t, "found", s.found(), []string{"raised weight-high"})
}

func TestStateThatCannotBeReadIsComputedAgain(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
	s.send("scale-1", weight("b", start.Add(-24*time.Hour), 84.5))
	err := s.store.Write(t.Context(), func(conn *sqlitelib.Conn) error {
		return sqlitex.Execute(conn, "UPDATE states SET snapshot = x'ff00ff' WHERE enrolment = 'e1'", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.restart()
	s.send("scale-1", weight("c", start, 84.6))
	expect(t, "found: what was known is found again under the same name", s.found(), []string{"raised weight-gain", "raised weight-gain", "again weight-gain"})
	expect(t, "episodes", len(s.episodes()), 1)
}

// episodes names the episodes that were raised, without repetition.
func (s *service) episodes() []string {
	s.t.Helper()
	names := map[string]bool{}
	for _, f := range s.witness.Findings() {
		if f.Kind == protocols.Raised {
			names[f.Rule+" "+f.Episode] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// TestOrderAndRestartsDoNotMatter holds that readings in whatever order, split
// into messages, repeated, with restarts between them, raise every rule that they
// raise when they come one by one, and are kept once.
func TestOrderAndRestartsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		count := rapid.IntRange(1, 12).Draw(r, "count")
		var readings []string
		for i := range count {
			kg := rapid.SampledFrom([]float64{80, 81, 82.5, 99, 101}).Draw(r, "kg")
			readings = append(readings, weight(fmt.Sprintf("r%02d", i), start.Add(time.Duration(i-count)*7*time.Hour), kg))
		}
		folder, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			r.Fatal(err)
		}
		inOrder := prepare(t, folder)
		defer inOrder.stop()
		for _, reading := range readings {
			inOrder.send("scale-1", reading)
		}
		want := rules(inOrder.found())

		if folder, err = os.MkdirTemp(t.TempDir(), ""); err != nil {
			r.Fatal(err)
		}
		shuffled := prepare(t, folder)
		defer func() { shuffled.stop() }()
		left := rapid.Permutation(append(slices.Clone(readings), readings[0])).Draw(r, "order")
		for len(left) > 0 {
			n := rapid.IntRange(1, len(left)).Draw(r, "in one message")
			shuffled.send("scale-1", "["+strings.Join(left[:n], ",")+"]")
			left = left[n:]
			if rapid.Bool().Draw(r, "restart") {
				shuffled.restart()
			}
		}
		if got := shuffled.history("p1"); len(got) != count {
			r.Fatalf("%d readings were kept, want %d: %v", len(got), count, got)
		}
		got := rules(shuffled.found())
		for rule := range want {
			if !got[rule] {
				r.Fatalf("%s was raised in order and is missing: %v", rule, shuffled.found())
			}
		}
	})
}

func rules(found []string) map[string]bool {
	raised := map[string]bool{}
	for _, f := range found {
		if rule, ok := strings.CutPrefix(f, "raised "); ok {
			raised[rule] = true
		}
	}
	return raised
}

func TestTechnicalFindings(t *testing.T) {
	s := begin(t)
	status := func(payload string) {
		t.Helper()
		if err := s.publish("scale-1", "status", payload); err != nil {
			t.Fatal(err)
		}
		s.move(time.Minute)
	}
	next := func(want ...string) {
		t.Helper()
		expect(t, "found", s.found(), want)
		s.witness.Forget()
	}
	battery := func(id string, level int) string {
		return strings.Replace(weight(id, s.clock(), 82), `"unit"`, fmt.Sprintf(`"battery":%d,"unit"`, level), 1)
	}
	status(`{"online":true,"battery":87,"firmware":"1.4.2"}`)
	next()
	status(`{"online":true,"battery":15}`)
	next("raised battery-low")
	s.restart()
	s.send("scale-1", battery("a", 14))
	s.move(time.Minute)
	s.send("scale-1", battery("b", 19))
	next()
	s.move(time.Minute)
	s.send("scale-1", battery("c", 95))
	next("ended battery-low")
	s.send("scale-1", strings.Replace(battery("d", 3), s.clock().Format(time.RFC3339Nano), s.clock().Add(-time.Hour).Format(time.RFC3339Nano), 1))
	next()
	s.move(time.Minute)
	s.send("scale-1", battery("e", 12))
	next("raised battery-low")
}

func TestImplausibleReadingIsFoundOnceADay(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start, 820))
	expect(t, "found", s.found(), []string{"raised implausible-reading", "again implausible-reading"})
	s.send("scale-1", weight("a", start, 820))
	expect(t, "found when it is sent again", len(s.found()), 2)
	s.move(time.Hour)
	s.send("scale-1", weight("b", s.clock(), 830))
	expect(t, "episodes on one day", len(s.episodes()), 1)
	s.send("scale-1", weight("good", s.clock(), 82))
	s.move(24 * time.Hour)
	s.send("scale-1", weight("c", s.clock(), 830))
	expect(t, "episodes on two days", len(s.episodes()), 2)
	s.send("spare-1", weight("d", s.clock(), 830))
	expect(t, "episodes of two devices", len(s.episodes()), 3)
}

func TestAnImplausibleReadingIsNotDatedByAClockThatIsWrong(t *testing.T) {
	s := begin(t)
	for id, at := range map[string]time.Time{"ahead": time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "behind": time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), "right": start.Add(-25 * time.Hour)} {
		s.send("scale-1", weight(id, at, 999))
	}
	expect(t, "episodes", s.episodes(), []string{"implausible-reading scale-1 weight 2026-11-20", "implausible-reading scale-1 weight 2026-11-21"})
}

func TestManyEnrolmentsThanStatesAreKeptInMemory(t *testing.T) {
	s := begin(t, func(c *ingest.Config) { c.Limits.States = 1 })
	for i := range 5 {
		at := start.Add(time.Duration(i) * time.Second)
		s.send("scale-1", weight(fmt.Sprint("w", i), at, []float64{90, 101, 102, 90, 103}[i]))
		s.send("cgm-2", glucose(fmt.Sprint("g", i), at, []float64{260, 100, 270, 100, 100}[i]))
	}
	got := map[string]int{}
	for _, f := range s.found() {
		got[f]++
	}
	expect(t, "found", got, map[string]int{
		"raised weight-gain": 2, "again weight-gain": 1, "ended weight-gain": 1,
		"raised weight-high": 2, "again weight-high": 1, "ended weight-high": 1, "raised glucose-high": 2, "ended glucose-high": 2,
	})
}
