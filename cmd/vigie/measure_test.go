package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigie/protocols/library"
	"vigie/seeds/measure"
	"vigie/seeds/simulation"
)

func measureOf(t *testing.T, arguments ...string) *measure.Found {
	t.Helper()
	out, err := run(t, measureCommand(), append(arguments, "--format", "json")...)
	if err != nil {
		t.Fatal(err)
	}
	var m measure.Found
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatal(err)
	}
	return &m
}

func TestMeasureScoresEveryProtocolOfTheLibrary(t *testing.T) {
	m := measureOf(t, "--patients", "6", "--days", "40", "--seeds", "2")
	if !m.Simulation || len(m.Seeds) != 2 || m.World.ID != "reported" || len(m.World.Digest) != 64 {
		t.Fatalf("measured in %+v, seeds %v", m.World, m.Seeds)
	}
	measured := map[string]bool{}
	for _, p := range m.Protocols {
		measured[p.Protocol] = true
		if p.Patients != 12 || len(p.Seeds) != 2 || p.Rate < p.WithoutSilence || p.Minutes < 0 {
			t.Errorf("%s: %d patients, %d seeds, %.2f and %.2f alerts", p.Protocol, p.Patients, len(p.Seeds), p.Rate, p.WithoutSilence)
		}
		for _, k := range append(p.Clinical.Kinds, p.Silence.Kinds...) {
			if k.Caught > k.Events || k.InTime > k.Caught || k.Sensitivity > k.Likely.High || k.Sensitivity < k.Likely.Low {
				t.Errorf("%s: %+v", p.Protocol, k)
			}
		}
		if p.Clinical.False > p.Clinical.Alerts {
			t.Errorf("%s: %d false of %d alerts", p.Protocol, p.Clinical.False, p.Clinical.Alerts)
		}
		if len(p.Goals) == 0 {
			t.Errorf("no goal for %s", p.Protocol)
		}
		for _, g := range p.Goals {
			if g.Nobody && (g.Reached || g.Measured != 0) {
				t.Errorf("%s: reached on nobody: %+v", p.Protocol, g)
			}
			if better := g.Measured >= g.Wanted; !g.Nobody && g.Measured != g.Wanted && (better == (g.Figure == measure.SeenInTime)) != g.Reached {
				t.Errorf("%s: %+v", p.Protocol, g)
			}
			if goalSentences[g.Figure].FR == "" {
				t.Errorf("nothing says %s", g.Figure)
			}
		}
	}
	for _, name := range library.Names() {
		if !measured[name] {
			t.Errorf("%s was not measured", name)
		}
	}
}

// Two signs above what is usual for a patient are in the library because they see more than
// chance would, by more than 2 kg in 3 days does. The best detector shows what is left.
func TestTwoSignsAddMoreThanTwoKilogramsInThreeDays(t *testing.T) {
	p := measureOf(t, "--protocol", "heart-failure", "--seeds", "1", "--patients", "150").Protocols[0]
	rules := map[string]measure.Rule{}
	for _, r := range p.Rules {
		rules[r.Rule] = r
	}
	fast, signs := rules["weight-gain-fast"], rules["weight-with-signs"]
	adds := func(r measure.Rule) float64 { return r.Kinds[0].Sensitivity - r.Kinds[0].Chance }
	if adds(signs) <= adds(fast) {
		t.Errorf("two signs: %v %% above chance; fast: %v %%", adds(signs), adds(fast))
	}
	if p.Best == nil || p.Best.False > measure.FalseAllowed || p.Best.Seen.Sensitivity < 60 {
		t.Errorf("the best detector: %+v", p.Best)
	}
	phenotypes := map[string]bool{}
	for _, g := range p.Clinical.Kinds[0].Groups {
		phenotypes[g.Group] = true
	}
	for _, group := range []string{"slow-weight", "no-weight", simulation.Announced, simulation.QuietWhenIll} {
		if !phenotypes[group] {
			t.Errorf("nothing is said of %s: %v", group, phenotypes)
		}
	}
}

func TestMeasureSaysThatItIsASimulation(t *testing.T) {
	out, err := run(t, measureCommand(), "--patients", "12", "--days", "60", "--protocol", "heart-failure")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{
		"SIMULATION, monde des résultats", "ne prouvent rien", "21 %", "82 %", "13 647", "poids, lentement", "minutes par jour pour 100 patients",
		"ce qui limite : ", "poids : mesure sur ", "plus d'une alerte clinique", "le meilleur détecteur", "à qui rien n'arrive", "d'une graine à l'autre", "sans la non-transmission", "3 jours avant",
		"36 patients seulement : il en faut 200", "par une valeur au-delà de la table de danger", "autres (but pour les deux : au plus 0,5)",
	} {
		if !strings.Contains(out, words) {
			t.Errorf("the table does not say %q\n%s", words, out)
		}
	}
}

func TestMeasureTakesAnotherWorld(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	text := "id: mine\ntitle: {fr: le mien, en: mine}\nheart-failure:\n  decompensations: {is: 12}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	few := []string{"--protocol", "heart-failure", "--patients", "12", "--days", "60", "--seeds", "1"}
	mine, shipped := measureOf(t, append(few, "--world", file)...), measureOf(t, few...)
	if a, b := mine.Protocols[0].Clinical.Kinds[0].Events, shipped.Protocols[0].Clinical.Kinds[0].Events; a < b+5 || mine.World.ID != "mine" {
		t.Errorf("%d events in a world of twelve a year, %d in the shipped one", a, b)
	}
	if _, err := run(t, measureCommand(), append(few, "--world", file+".none")...); err == nil || !strings.Contains(err.Error(), "reported, choosing or a file") {
		t.Errorf("%v", err)
	}
}

// Whoever reads the JSON keeps reading it.
func TestTheKeysOfAMeasureStay(t *testing.T) {
	out, err := run(t, measureCommand(), "--protocol", "heart-failure", "--patients", "12", "--days", "60", "--seeds", "1", "--format", "json")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"simulation", "world", "digest", "patients", "days", "seeds", "protocols", "protocol", "version", "condition", "readings", "clinical",
		"non_transmission", "rules", "technical_alerts", "alerts_of_any_kind_per_100_patient_days", "alerts_but_non_transmission_per_100_patient_days",
		"people_minutes_a_day_for_100_patients", "stable_patients", "by_seed", "best_detector", "goals", "kinds", "groups", "levels", "events", "caught",
		"sensitivity", "sensitivity_95", "in_time", "in_time_share", "in_time_share_95", "warning_days", "warning_days_95", "by_chance",
		"in_time_by_chance", "false_alerts", "false_per_100_patient_days", "predictive_value", "predictive_value_95", "wanted", "measured", "reached", "limits", "days_measured", "share", "mostly", "days_of_several_clinical_alerts",
		"warning_days_by_chance", "too_few_patients", "beyond_danger_per_100_patient_days", "other_per_100_patient_days",
	} {
		if !strings.Contains(out, `"`+key+`":`) {
			t.Errorf("there is no key %s", key)
		}
	}
}

func TestMeasureSpeaksEnglish(t *testing.T) {
	out, err := run(t, measureCommand(), "--patients", "12", "--days", "60", "--protocol", "heart-failure", "--language", "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"prove nothing about patients", "heart failure: ", "clinical alerts", "13,647", "confidence interval of 95 %", "the best detector", "goal: at most 1.0 false clinical alert"} {
		if !strings.Contains(out, words) {
			t.Errorf("the table does not say %q", words)
		}
	}
	if strings.Contains(out, "mesures") || strings.Contains(out, "décompensation") {
		t.Errorf("there is French in\n%s", out)
	}
}

// What no protocol can see stands beside the goal: of most lows that a meter misses,
// nobody has measured a value while they lasted.
func TestMeasureSaysWhatLimitsAGoal(t *testing.T) {
	for _, p := range measureOf(t, "--protocol", "diabetes", "--seeds", "1", "--patients", "25", "--days", "40").Protocols {
		events := map[string]measure.LimitedEvents{}
		for _, e := range p.Limits.Events {
			events[e.Group] = e
		}
		shown := map[string]float64{}
		for _, g := range p.Clinical.Kinds[0].Groups {
			shown[g.Group] = g.InTimeShare
		}
		unshown := events[simulation.Unshown]
		if meter := p.Condition == simulation.Capillary; meter && unshown.Share < 30 || !meter && unshown.Share > 20 {
			t.Errorf("%s: of %.0f %% of the lows no value below 54 was sent", p.Condition, unshown.Share)
		}
		if shown[simulation.Shown] < 90 || unshown.InTime > shown[simulation.Shown] {
			t.Errorf("%s: %.0f %% of the lows that were sent are seen, %.0f %% of the others", p.Condition, shown[simulation.Shown], unshown.InTime)
		}
		if d := p.Limits.Days; len(d) == 0 || d[0].Measure != "glucose" || d[0].Share < 50 || d[0].Share > 100 {
			t.Errorf("%s: days measured %+v", p.Condition, d)
		}
	}
	for _, g := range measureOf(t, "--protocol", "heart-failure", "--seeds", "1", "--patients", "12", "--days", "60").Protocols[0].Goals {
		if g.Figure == measure.AllAlerts && (len(g.Mostly) != 3 || g.Mostly[0].Rate < g.Mostly[2].Rate) {
			t.Errorf("most of the alerts are of %+v", g.Mostly)
		}
	}
}

// In home dialysis something happens to everybody: no patient is stable, so the goal about
// stable patients is neither reached nor missed.
func TestAGoalIsNotReachedOnNobody(t *testing.T) {
	few := []string{"--protocol", "kidney-failure", "--patients", "12", "--days", "180", "--seeds", "1"}
	for _, p := range measureOf(t, few...).Protocols {
		for _, g := range p.Goals {
			if g.Figure == measure.StableLoad && (p.Stable.Patients > 0 || !g.Nobody || g.Reached) {
				t.Errorf("%d stable patients: %+v", p.Stable.Patients, g)
			}
		}
	}
	out, err := run(t, measureCommand(), few...)
	if err != nil || !strings.Contains(out, "stables ; personne à mesurer") || strings.Contains(out, ", atteint") {
		t.Errorf("%v\n%s", err, out)
	}
}

// What the table of danger forces stands apart: a pressure of 88 in heart failure, not a
// weight.
func TestTheLoadOfStablePatientsIsPartedByTheTableOfDanger(t *testing.T) {
	for _, p := range measureOf(t, "--protocol", "heart-failure", "--patients", "60", "--days", "90", "--seeds", "1").Protocols {
		s := p.Stable
		if sum := s.Danger + s.Other - s.Rate; sum > 1e-9 || sum < -1e-9 {
			t.Errorf("%s: %+v: the two parts are not the whole", p.Protocol, s)
		}
		if s.Danger <= 0 || s.Other <= 0 || !p.TooFew {
			t.Errorf("%s: %+v: both kinds ring in this world", p.Protocol, s)
		}
	}
}

func TestMeasureRefusesSettingsForSeveralProtocols(t *testing.T) {
	_, err := run(t, measureCommand(), "--settings", "fast-gain=1")
	if err == nil || !strings.Contains(err.Error(), "exactly one --protocol") {
		t.Errorf("got %v", err)
	}
}
