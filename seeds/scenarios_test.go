package seeds

import (
	"testing"
	"time"

	"vigie/protocols"
)

func TestScenariosAreAboutTheCohort(t *testing.T) {
	lives, err := Lives()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	reg, err := Cohort(start)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, d := range reg.Devices {
		known[d.Name] = true
		if len(lives.Habits[d.Kind]) == 0 {
			t.Errorf("%s is a %s, a kind without habits", d.Name, d.Kind)
		}
	}
	for name, story := range lives.Devices {
		if !known[name] {
			t.Errorf("the story of %s is about no device of the cohort", name)
		}
		for _, shift := range story.Shifts {
			component := shift.Component
			if component == "" {
				component = "value"
			}
			if m := protocols.MeasureByID(shift.Measure); m == nil || m.Component(component) < 0 {
				t.Errorf("%s: %s has no component %q to shift", name, shift.Measure, component)
			}
			if !shift.From.In(start, time.UTC).Before(shift.Until.In(start, time.UTC)) {
				t.Errorf("%s: a shift of %s ends before it begins", name, shift.Measure)
			}
		}
		for measure := range story.Values {
			if protocols.MeasureByID(measure) == nil {
				t.Errorf("%s: no measure %q", name, measure)
			}
		}
	}
	for kind, habits := range lives.Habits {
		for _, h := range habits {
			m := protocols.MeasureByID(h.Measure)
			if m == nil {
				t.Errorf("%s: no measure %q", kind, h.Measure)
				continue
			}
			if !protocols.KnownUnit(protocols.Canonical(h.Unit)) {
				t.Errorf("%s: no unit %q", kind, h.Unit)
			}
			for component := range h.Values {
				if m.Component(component) < 0 {
					t.Errorf("%s: %s has no component %q", kind, h.Measure, component)
				}
			}
		}
	}
}

func TestMomentsCountFromTheStart(t *testing.T) {
	start := time.Date(2026, 11, 21, 22, 30, 0, 0, time.UTC)
	reunion, err := time.LoadLocation("Indian/Reunion") // already 22 November there
	if err != nil {
		t.Fatal(err)
	}
	for written, want := range map[string]string{
		"+90m":      "2026-11-22T00:00:00Z",
		"-2h":       "2026-11-21T20:30:00Z",
		"-3d":       "2026-11-18T20:00:00Z",
		"-3d 07:30": "2026-11-19T03:30:00Z",
		"+0d 07:30": "2026-11-22T03:30:00Z",
	} {
		var m Moment
		if err := m.UnmarshalYAML([]byte(written)); err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		if got := m.In(start, reunion).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s is %s, want %s", written, got, want)
		}
	}
	for _, written := range []string{"", "soon", "-xd", "-3d 7h30", "-3d 25:00"} {
		var m Moment
		if m.UnmarshalYAML([]byte(written)) == nil {
			t.Errorf("%q was taken for a moment", written)
		}
	}
}
