package ingest_test

import (
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// clockAlerts are the findings about clocks: "raised technical", "risen red".
func (s *service) clockAlerts() (list []string) {
	for _, f := range s.witness.Findings() {
		if f.Rule == ingest.RuleClock {
			list = append(list, f.Kind.String()+" "+f.Level.String())
		}
	}
	return list
}

// TestAClockThatWasResetIsToldAndWhatIsRedRings sends what a scale says whose clock
// began anew in 2020: nothing of it can be used.
func TestAClockThatWasResetIsToldAndWhatIsRedRings(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("before", start, 82))
	s.move(12 * time.Hour)
	lag := 6*365*24*time.Hour + 17*time.Minute
	sent := func(id string, kg float64) { s.send("scale-1", weight(id, s.clock().Add(-lag), kg)) }
	sent("1", 82)
	expect(t, "one message", s.clockAlerts(), []string(nil))
	s.move(12 * time.Hour)
	sent("2", 82.5)
	expect(t, "a second of the same lag", s.clockAlerts(), []string{"raised technical"})
	s.move(12 * time.Hour)
	sent("3", 86) // 4 kg more than three days before
	expect(t, "a red one", s.clockAlerts(), []string{"raised technical", "risen red"})
	for _, f := range s.witness.Findings() {
		if f.Rule != ingest.RuleClock {
			continue
		}
		if !f.HidesValues || f.Patient != "p1" || f.Explanation == nil {
			t.Errorf("%+v does not say that values are hidden, or whose", f)
		}
		if f.Level == protocols.Red && !strings.HasPrefix(f.Explanation.Summary.FR, "Heure douteuse") {
			t.Errorf("the red one says %q", f.Explanation.Summary.FR)
		}
	}
	s.move(time.Hour)
	s.send("scale-1", weight("4", s.clock(), 82))
	expect(t, "set right", s.clockAlerts(), []string{"raised technical", "risen red", "ended technical"})
	expect(t, "kept", s.history("p1"), []string{"before", "4"})
}

func TestAClockThatWasNeverSetIsToldAtOnce(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("1", time.Date(1970, 1, 1, 0, 7, 0, 0, time.UTC), 82))
	expect(t, "found", s.clockAlerts(), []string{"raised technical"})
	expect(t, "set aside", s.setAside(), []string{"1 clock-not-set"})
	records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{})
	if err != nil || len(records) != 1 || !strings.Contains(records[0].Reasons[0].Message, "1970") {
		t.Errorf("set aside %+v (%v), want the reason to say what the clock says", records, err)
	}
}

func TestADayOfWhatCannotBeUsedIsTold(t *testing.T) {
	s := begin(t)
	for range 4 {
		s.send("scale-1", weight(s.clock().Format(time.RFC3339), s.clock(), 900))
		s.move(8 * time.Hour)
	}
	found := rules(s.found())
	if !found[ingest.RuleNothingUsed] {
		t.Errorf("found %v", found)
	}
	s.restart()
	s.send("scale-1", weight("good", s.clock(), 82))
	last := s.witness.Findings()
	if f := last[len(last)-1]; f.Rule != ingest.RuleNothingUsed || f.Kind != protocols.Ended {
		t.Errorf("the last finding is %+v, want the end of it", f)
	}
}

func TestANewPatientIsToldOfAnEmptyBattery(t *testing.T) {
	s := begin(t)
	low := func(id string) string {
		return strings.Replace(weight(id, s.clock(), 82), `"unit"`, `"battery":9,"unit"`, 1)
	}
	s.send("scale-1", low("a"))
	reg := cohort()
	reg.Enrolments[0].Devices = []string{"scale-0", "bp-1", "toaster-1"}
	second := reg.Enrolments[0]
	second.ID, second.Patient, second.Devices = "e9", "p9", []string{"scale-1"}
	reg.Patients = append(reg.Patients, registry.Patient{ID: "p9"})
	reg.Enrolments = append(reg.Enrolments, second)
	s.enter(reg)
	s.move(time.Hour)
	s.send("scale-1", low("b"))
	var told []string
	for _, f := range s.witness.Findings() {
		if f.Rule == ingest.RuleBattery {
			told = append(told, f.Kind.String()+" "+f.Enrolment)
		}
	}
	expect(t, "told", told, []string{"raised e1", "ended e1", "raised e9"})
}
