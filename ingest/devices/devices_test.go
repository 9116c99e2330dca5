package devices

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// say writes episodes: "began low-battery", "ended clock e1".
func say(episodes []Episode) string {
	names := map[Rule]string{LowBattery: "low-battery", Offline: "offline", WrongClock: "clock", NothingUsed: "nothing-used"}
	var list []string
	for _, e := range episodes {
		if e.Ended {
			list = append(list, strings.TrimSpace("ended "+names[e.Rule]+" "+e.For))
		} else {
			list = append(list, "began "+names[e.Rule])
		}
	}
	return strings.Join(list, ", ")
}

func TestABatteryIsLowUntilItIsFineAndForWhoeverHasTheDevice(t *testing.T) {
	s := Silent("d")
	for i, step := range []struct {
		level  int
		holder string
		want   string
		kept   bool
	}{
		{50, "e1", "", true}, {48, "e1", "", false}, {15, "e1", "began low-battery", true}, {14, "e1", "", false}, {20, "e1", "", true},
		{19, "e2", "ended low-battery e1, began low-battery", true}, {18, "e2", "", false}, {21, "e2", "ended low-battery e2", true}, {16, "e2", "", true},
		{3, "", "began low-battery", true}, {3, "e3", "ended low-battery, began low-battery", true},
	} {
		at := noon.Add(time.Duration(i) * time.Hour)
		next, episodes, changed := s.BatteryTold(at, step.level, step.holder, at)
		if got := say(episodes); got != step.want || changed != step.kept {
			t.Errorf("step %d, %d %%: %q, worth keeping %v; want %q, %v", i, step.level, got, changed, step.want, step.kept)
		}
		s = next
	}
	if _, episodes, changed := s.BatteryTold(noon, 90, "e3", noon.Add(24*time.Hour)); changed || len(episodes) > 0 {
		t.Error("a reading older than what is known says something")
	}
}

func TestAClockIsWrongWhenMessagesHoursApartHaveOneLag(t *testing.T) {
	type sent struct {
		at, lag time.Duration
		want    string
	}
	const h, m = time.Hour, time.Minute
	for name, story := range map[string][]sent{
		"right":                           {{0, 0, ""}, {8 * h, 2 * m, ""}, {20 * h, -4 * m, ""}},
		"25 hours behind":                 {{0, 25 * h, ""}, {h, 25 * h, ""}, {12 * h, 25*h + 30*time.Second, "began clock"}, {24 * h, 25 * h, ""}, {36 * h, m, "ended clock e"}, {48 * h, m, ""}},
		"an hour ahead":                   {{0, -h, ""}, {12 * h, -h, "began clock"}},
		"reset to 2020":                   {{0, 60000 * h, ""}, {12 * h, 60000 * h, "began clock"}},
		"never set":                       {{0, 400_000 * h, "began clock"}, {h, 400_000 * h, ""}},
		"sends in the evening":            {{0, 12 * h, ""}, {24 * h, 11*h + 47*m, ""}, {48 * h, 12*h + 12*m, ""}, {72 * h, 13 * h, ""}},
		"an upload of an old memory":      {{0, 2000 * h, ""}, {m, 1990 * h, ""}, {2 * m, 1980 * h, ""}, {3 * m, m, ""}},
		"the same upload again":           {{0, 25 * h, ""}, {m, 25 * h, ""}, {h, 25 * h, ""}},
		"in between it is right":          {{0, 25 * h, ""}, {6 * h, 0, ""}, {12 * h, 25 * h, ""}},
		"through a slow gateway":          {{0, 15 * m, ""}, {12 * h, 15 * m, ""}},
		"another lag, hours apart":        {{0, 25 * h, ""}, {12 * h, 26 * h, ""}, {24 * h, 26 * h, "began clock"}},
		"a lag among others of an upload": {{0, 25 * h, ""}, {m, 30 * h, ""}, {12 * h, 25 * h, ""}, {24 * h, 25 * h, "began clock"}},
	} {
		s := Silent("d")
		for i, one := range story {
			at := noon.Add(one.at)
			next, episodes, changed := s.Sent(at, at.Add(-one.lag), "e")
			if got := say(episodes); got != one.want {
				t.Errorf("%s, message %d: %q, want %q", name, i, got, one.want)
			}
			if !changed && next != s {
				t.Errorf("%s, message %d: changed without saying so", name, i)
			}
			s = next
			if s.Trouble.Clock.For == "" && !s.Trouble.Clock.Since.IsZero() {
				t.Errorf("%s: it is not known for whom it was raised", name)
			}
		}
	}
}

func TestADayOfNothingButWhatIsSetAsideIsTold(t *testing.T) {
	s := Silent("d")
	aside := func(after time.Duration, want string) {
		t.Helper()
		next, episodes, _ := s.NothingUsed(noon.Add(after), "e")
		if got := say(episodes); got != want {
			t.Errorf("after %v: %q, want %q", after, got, want)
		}
		s = next
	}
	used := func(after time.Duration, want string) {
		t.Helper()
		next, episodes, changed := s.Used(noon.Add(after))
		if got := say(episodes); got != want {
			t.Errorf("used after %v: %q, want %q", after, got, want)
		}
		if !changed && next != s {
			t.Error("changed without saying so")
		}
		s = next
	}
	aside(0, "")
	aside(23*time.Hour, "")
	used(23*time.Hour, "")
	aside(24*time.Hour, "")
	aside(47*time.Hour, "")
	aside(48*time.Hour, "began nothing-used")
	aside(72*time.Hour, "")
	used(73*time.Hour, "ended nothing-used e")
	used(74*time.Hour, "")
	if s.Trouble != (Trouble{}) {
		t.Errorf("left %s", fmt.Sprint(s.Trouble))
	}
}

// What was kept for ten hours comes within a minute, and the clock here is put forward
// by two hours meanwhile: some lag comes again, and shows nothing.
func TestABacklogWithAStepOfTheClockHereIsNoWrongClock(t *testing.T) {
	begin := time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)
	received := begin.Add(13 * time.Hour)
	var s State
	for i := range 200 {
		at := received.Add(time.Duration(i) * time.Millisecond)
		if i >= 40 {
			at = at.Add(2 * time.Hour)
		}
		next, episodes, _ := s.Sent(at, begin.Add(time.Duration(i)*3*time.Minute), "e-1")
		if len(episodes) > 0 {
			t.Fatalf("reading %d: %+v", i, episodes)
		}
		s = next
	}
}

func TestAUnitIsInDoubtForAMonthAfterAValueThatFitsAnother(t *testing.T) {
	s := Silent("d")
	if got := s.Doubted("glucose", noon); got != "" {
		t.Errorf("a device that never sent an impossible value is doubted: %s", got)
	}
	s, changed := s.Misfit("glucose", "mmol/L", noon)
	if _, again := s.Misfit("glucose", "mmol/L", noon.Add(time.Hour)); !changed || again || s.Calm() {
		t.Errorf("kept: %v, again within the day: %v, calm: %v", changed, again, s.Calm())
	}
	if _, changed = s.Misfit("glucose", "mmol/L", noon.AddDate(0, 0, 2)); !changed {
		t.Error("what comes again days later is not kept")
	}
	for at, want := range map[time.Time]string{noon: "mmol/L", noon.AddDate(0, 0, 29): "mmol/L", noon.AddDate(0, 0, 30): ""} {
		if got := s.Doubted("glucose", at); got != want {
			t.Errorf("%s: doubted in %q, want %q", at, got, want)
		}
	}
	if got := s.Doubted("weight", noon); got != "" {
		t.Errorf("another measure is doubted: %s", got)
	}
	if s = s.Fitted(); s.Doubted("glucose", noon) != "" || !s.Calm() {
		t.Errorf("after a value that only the named unit fits: %+v", s.Trouble)
	}
}
