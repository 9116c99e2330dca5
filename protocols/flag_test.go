package protocols

import "testing"

func TestAFlagIsTheSameHoweverItIsSpelled(t *testing.T) {
	for written, want := range map[string]string{
		"control-solution": "control-solution", "control_solution": "control-solution", "Control-Solution": "control-solution",
		"controlSolution": "control-solution", "CONTROL SOLUTION": "control-solution", "Solution de contrôle": "control-solution",
		"IrregularHeartBeat": "irregular-pulse", "motion": "motion", "Moved": "motion", "étalonnage": "calibration",
	} {
		if got := FlagOf(written); got == nil || got.Word != want {
			t.Errorf("%q is %v, want %s", written, got, want)
		}
	}
	for _, written := range []string{"", "-", "controls", "after-meal", "solution"} {
		if got := FlagOf(written); got != nil {
			t.Errorf("%q is taken for %s", written, got.Word)
		}
	}
	for _, f := range Flags() {
		if FlagOf(f.Word) == nil || f.Title.FR == "" || f.Title.EN == "" {
			t.Errorf("%s is not complete", f.Word)
		}
	}
}
