package ingest

import (
	"strings"
	"testing"
	"time"

	"vigie/protocols"
)

// Whoever reads that a device has trouble reads what to do next, or for whom it is.
func TestEveryRuleAboutDevicesAdvises(t *testing.T) {
	if len(TechnicalRules()) < 11 {
		t.Fatalf("only %d rules", len(TechnicalRules()))
	}
	d := &device{name: "b-0012", takes: protocols.KindByID("scale")}
	for _, rule := range TechnicalRules() {
		words := technicalTitles[rule]
		for name, text := range map[string]protocols.Text{"title": words.title, "advice": words.advice} {
			if text.FR == "" || text.EN == "" {
				t.Errorf("%s has no %s: %+v", rule, name, text)
			}
		}
		c := committer{}
		f := c.finding(protocols.Raised, rule, d, "day", time.Time{}, time.Time{})
		if f.Explanation.Advice != words.advice || !strings.HasPrefix(f.Explanation.Summary.FR, "Balance (b-0012) : ") {
			t.Errorf("%s is found as %q, %q", rule, f.Explanation.Summary.FR, f.Explanation.Advice.FR)
		}
	}
}

// What is said of a device names it, the measure, the value in people's units, and the time.
func TestWhatIsSaidOfADeviceNamesWhatItKnows(t *testing.T) {
	at := time.Date(2026, 11, 20, 5, 55, 0, 0, time.UTC)
	scale := &device{name: "b-0012", takes: protocols.KindByID("scale")}
	meter := &device{name: "g-7", takes: protocols.KindByID("glucometer")}
	cuff := &device{name: "t-1", takes: protocols.KindByID("blood-pressure-monitor")}
	of := func(measure string, values ...protocols.Value) *protocols.Reading {
		return &protocols.Reading{Measure: protocols.MeasureByID(measure), Time: at, Values: values}
	}
	heavy, sugar := of("weight", 1_800_000), of("glucose", 7_200)
	broken := func(r *protocols.Reading) []protocols.Compared { return outOfRange(r, "values.value") }
	for _, c := range []struct {
		said   protocols.Text
		fr, en string
	}{
		{impossible(scale, heavy, broken(heavy), nil, at), "Balance (b-0012) : poids 1800 kg le 20 nov. à 05:55, impossible. Valeur écartée.", "Scale (b-0012): body weight 1800 kg on 20 Nov at 05:55, impossible. The value was set aside."},
		{impossible(meter, sugar, broken(sugar), []string{"mmol/L"}, at), "Lecteur de glycémie (g-7) : glucose 7,2 mg/dL le 20 nov. à 05:55, impossible ; en mmol/L ce serait 129,7 mg/dL. Valeur écartée.",
			"Glucose meter (g-7): glucose 7.2 mg/dL on 20 Nov at 05:55, impossible; in mmol/L it would be 129.7 mg/dL. The value was set aside."},
		{impossible(scale, &protocols.Reading{}, nil, nil, at), "Balance (b-0012) : valeur impossible le 20 nov. à 05:55, écartée.", "Scale (b-0012): impossible value on 20 Nov at 05:55, set aside."},
		{setUnit(protocols.MeasureByID("temperature")), "Faire régler l'appareil en °C, puis refaire la mesure.", "Have the device set to °C, then have it measured again."},
		{weak(scale, 12), "Balance (b-0012) : batterie à 12 %.", "Scale (b-0012): battery at 12%."},
		{silentSince(scale, at, 30*time.Minute), "Balance (b-0012) : hors ligne depuis le 20 nov. à 05:55, rien reçu pendant 30 min.", "Scale (b-0012): offline since 20 Nov at 05:55, nothing received for 30 min."},
		{differing(cuff, of("blood-pressure", 120_000, 80_000, protocols.Missing, 70_000), of("blood-pressure", 150_000, 80_000, protocols.Missing, protocols.Missing)),
			"Tensiomètre (t-1) : la mesure du 20 nov. à 05:55 est venue deux fois, systolique 120 mmHg puis 150 mmHg, pouls 70/min puis rien. La première est gardée, l'autre mise de côté.",
			"Blood-pressure monitor (t-1): the measurement of 20 Nov at 05:55 came twice, systolic 120 mmHg then 150 mmHg, pulse 70/min then none. The first is kept, the other is set aside."},
		{inDoubt(meter, of("glucose", 25_000), of("glucose", 450_390), "mmol/L"), "Lecteur de glycémie (g-7) : glucose 25 mg/dL le 20 nov. à 05:55, mais d'autres de ses valeurs ne sont possibles qu'en mmol/L. Si celle-ci l'est aussi, elle vaut 450,4 mg/dL.",
			"Glucose meter (g-7): glucose 25 mg/dL on 20 Nov at 05:55, but others of its values are possible in mmol/L only. If this one is in that unit too, it is 450.4 mg/dL."},
	} {
		if c.said.FR != c.fr || c.said.EN != c.en {
			t.Errorf("it says\n%s\n%s, not\n%s\n%s", c.said.FR, c.said.EN, c.fr, c.en)
		}
	}
}
