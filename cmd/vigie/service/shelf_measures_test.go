package service

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigie/cmd/vigie/config"
	"vigie/protocols"
)

const lactate = `version: "1"
measures:
  lactate-of-the-ward:
    title: {fr: lactate, en: lactate}
    unit: mmol/L
    units: {mg/dL: 1000/9008}
    decimals: 1
    from: 0
    to: 30
  walk-of-the-ward:
    title: {fr: marche, en: walk}
    components:
      before: {title: {fr: avant, en: before}, grades: [{fr: bien, en: well}, {fr: mal, en: badly}]}
      after: {title: {fr: après, en: after}, grades: [{fr: bien, en: well}, {fr: mal, en: badly}]}
      score: {title: {fr: score, en: score}, sum_of: [before, after]}
`

func folderWith(t *testing.T, name, text string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// A measure of the operator is one like those that ship: protocols may name it, and it
// converts its units and adds up its scores.
func TestAMeasureOfTheOperatorIsThere(t *testing.T) {
	folder := folderWith(t, "ward.measures.yaml", lactate)
	text := strings.NewReplacer("id: heart-failure", "id: of-lactate", "\n  - measure: heart-rate\n", "\n  - measure: lactate-of-the-ward\n  - measure: heart-rate\n",
		"{measure: heart-rate, above: pulse-high, margin: 10 /min}", "{measure: lactate-of-the-ward, above: 36.032 mg/dL}").Replace(shipped(t))
	if err := os.WriteFile(filepath.Join(folder, "ward.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	shelf, err := NewShelf(folder)
	if err != nil {
		t.Fatal(err)
	}
	p := shelf.Protocol("of-lactate", shelf.Latest("of-lactate"))
	if p == nil {
		t.Fatal("the protocol about it is not on the shelf")
	}
	if got := p.Rule("pulse-fast").Levels[0].When.Compare.Threshold.Value; got != 4000 {
		t.Errorf("36.032 mg/dL is %s mmol/L, want 4", got)
	}
	m := protocols.MeasureByID("walk-of-the-ward")
	values := []protocols.Value{1000, 1000, protocols.Missing}
	if m.Complete(values); values[2] != 2000 || m.Components[2].High != 2000 || m.Components[0].Grades[1].EN != "badly" {
		t.Errorf("the questionnaire is %+v, its score %s", m, values[2])
	}
	if _, err := NewShelf(folder); err != nil {
		t.Errorf("read again: %v", err)
	}
}

func TestAMeasureThatReadingsAreKeptOfStaysAsItIs(t *testing.T) {
	const former = `version: "1"
measures:
  grip-of-the-ward:
    title: {fr: force, en: grip}
    components:
      left: {title: {fr: gauche, en: left}, unit: kg, decimals: 1, from: 0, to: 100}
`
	data := t.TempDir()
	start := func(folders ...string) error {
		return started(t, func(c *config.Config) { c.Data, c.Protocols.Folders = data, folders })
	}
	if err := start(folderWith(t, "grip.measures.yaml", former)); err != nil {
		t.Fatal(err)
	}
	if err := start(folderWith(t, "grip.measures.yaml", former)); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	if err := start(folderWith(t, "grip.measures.yaml", former+"# looked through\n")); err == nil || !strings.Contains(err.Error(), "version 1 has changed since it was first used") {
		t.Errorf("another text under the same version: %v", err)
	}
	if err := start(); err != nil {
		t.Errorf("the measure is still known to this process, and not refused: %v", err)
	}
	m := protocols.MeasureByID("grip-of-the-ward")
	for name, c := range map[string]struct {
		change func(*protocols.Measure)
		same   bool
	}{
		"in pounds":             {func(m *protocols.Measure) { m.Components[0].Unit = "[lb_av]" }, false},
		"with a further number": {func(m *protocols.Measure) { m.Components = append(m.Components, protocols.Component{Name: "right"}) }, false},
		"with one that may lack": {func(m *protocols.Measure) {
			m.Components = append(m.Components, protocols.Component{Name: "right", Optional: true})
		}, true},
		"with one before": {func(m *protocols.Measure) {
			m.Components = append([]protocols.Component{{Name: "right", Optional: true}}, m.Components...)
		}, false},
		"with other words":          {func(m *protocols.Measure) { m.Title.FR = "préhension" }, true},
		"with variants, new or not": {func(m *protocols.Measure) { m.Variants = []string{"seated"} }, true},
	} {
		changed := *m
		changed.Components = append([]protocols.Component(nil), m.Components...)
		c.change(&changed)
		if changed.Continues(m) != c.same {
			t.Errorf("%s: it continues the former: %v", name, !c.same)
		}
	}
}

func TestANewMeasureAsksForARestart(t *testing.T) {
	s, c := running(t)
	c.Protocols.Folders = []string{folderWith(t, "late.measures.yaml", strings.ReplaceAll(lactate, "of-the-ward", "that-came-late"))}
	if err := s.Reload(t.Context(), c); err == nil || !strings.Contains(err.Error(), "restart the service") {
		t.Errorf("got %v", err)
	}
	if protocols.MeasureByID("lactate-that-came-late") != nil {
		t.Error("the running service knows it")
	}
}

func TestAMeasureThatSaysSomethingElseIsRefused(t *testing.T) {
	for says, text := range map[string]string{
		"there is a measure weight already": "version: \"1\"\nmeasures:\n  weight: {title: {fr: poids, en: weight}, unit: g, from: 0, to: 1}\n",
		"3:63: to must lie above from":      "version: \"1\"\nmeasures:\n  grip: {title: {fr: force, en: grip}, unit: kg, from: 3, to: 1}\n",
		"grades in words":                   "version: \"1\"\nmeasures:\n  grip: {title: {fr: force, en: grip}, from: 0, to: 1}\n",
	} {
		if _, err := NewShelf(folderWith(t, "a.measures.yaml", text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
}
