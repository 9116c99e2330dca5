package conformance_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/conformance"
	"vigie/ingest/formats/values"
	"vigie/protocols"
)

// sample is the example of a measure, which a test spoils.
type sample struct {
	ID      string                     `json:"id"`
	Age     int                        `json:"age"`
	Measure string                     `json:"measure"`
	Values  map[string]json.RawMessage `json:"values"`
	Unit    string                     `json:"unit"`
	Context map[string]string          `json:"context,omitempty"`
	Flags   []string                   `json:"flags,omitempty"`
}

func sampleOf(t *testing.T, m *protocols.Measure) *sample {
	t.Helper()
	var s sample
	if err := json.Unmarshal([]byte(conformance.Example(m, "a")), &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// send gives it to a bench, and returns what the service would answer.
func (s *sample) send(b *conformance.Bench) []ingest.Receipt {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	receipts, _ := b.Message(0, message(string(text)))
	return receipts
}

// first is the first component that the example has.
func (s *sample) first(m *protocols.Measure) *protocols.Component {
	for i := range m.Components {
		if _, has := s.Values[m.Components[i].Name]; has {
			return &m.Components[i]
		}
	}
	panic("an example without a component")
}

// The example of each measure is a reading with which nothing is wrong.
func TestTheExampleOfEachMeasureIsAccepted(t *testing.T) {
	for _, m := range protocols.Measures() {
		b := begin(conformance.Profile{Measures: []string{m.ID}})
		receipts := sampleOf(t, m).send(b)
		if len(receipts) != 1 || receipts[0].Verdict != ingest.Accepted || len(receipts[0].Warnings) > 0 {
			t.Errorf("%s: %+v", conformance.Example(m, "a"), receipts)
		}
		report := b.Report(now)
		for number, verdict := range verdicts(report) {
			base, of, _ := strings.Cut(number, "/")
			if of != "" && of != m.ID {
				t.Errorf("%s has %s", m.ID, number)
			}
			want := conformance.Pass
			switch {
			case of == "":
				continue
			case base == "M4" && len(values.Contradictions(m.ID)) == 0, base == "M5" && len(m.Variants) == 0, base == "M8",
				(base == "M6" || base == "M7") && len(conformance.FlagsOf(m)) == 0:
				want = conformance.NotApplicable
			case base == "M6", base == "M7":
				want = conformance.Inconclusive
			}
			if verdict != want {
				t.Errorf("%s: %s, want %s", number, verdict, want)
			}
		}
	}
}

// spoilt is something that is wrong with a reading of a measure.
type spoilt struct {
	number string
	what   string
	spoil  func(*sample, *protocols.Measure)
}

// wrong lists what can be wrong with any measure.
var wrong = []spoilt{
	{"M1", "a unit that it is not given in", func(s *sample, m *protocols.Measure) {
		for _, unit := range []string{"kg", "mm[Hg]", "Cel"} {
			suits := false
			for i := range m.Components {
				_, one := m.Convert(i, 1, unit)
				suits = suits || one
			}
			if !suits {
				s.Unit = unit
				return
			}
		}
	}},
	{"M2", "a number that no instrument shows", func(s *sample, m *protocols.Measure) {
		c := s.first(m)
		s.Values[c.Name] = json.RawMessage((c.High + 1000).String())
	}},
	{"M3", "a component that it does not have", func(s *sample, _ *protocols.Measure) { s.Values["another"] = json.RawMessage("1") }},
	{"M5", "a kind that it does not have", func(s *sample, m *protocols.Measure) {
		if len(m.Variants) > 0 {
			s.Context["specimen"] = "another"
		}
	}},
	{"M6", "a word for a low value", func(s *sample, m *protocols.Measure) { s.Values[s.first(m).Name] = json.RawMessage(`"LOW"`) }},
	{"M7", "the flag of another measure", func(s *sample, m *protocols.Measure) {
		suits := conformance.FlagsOf(m)
		for _, word := range protocols.FlagWords() {
			if len(suits) > 0 && !slices.Contains(suits, word) {
				s.Flags = []string{word}
				return
			}
		}
	}},
}

func TestEachFaultOfEachMeasureFailsItsRequirement(t *testing.T) {
	count := 0
	for _, m := range protocols.Measures() {
		good := fmt.Sprint(*sampleOf(t, m))
		for _, w := range wrong {
			s := sampleOf(t, m)
			if w.spoil(s, m); fmt.Sprint(*s) == good {
				continue // nothing of the kind can be wrong with it
			}
			count++
			b := begin(conformance.Profile{Measures: []string{m.ID}})
			s.send(b)
			report := b.Report(now)
			if got := report.Primary(); !slices.Equal(got, []string{w.number + "/" + m.ID}) {
				t.Errorf("%s of %s fails %v, want %s", w.what, m.ID, got, w.number)
			}
		}
	}
	if count < 4*len(protocols.Measures()) {
		t.Errorf("only %d faults", count)
	}
}

// What is wrong with some measures alone.
func TestFaultsOfSomeMeasures(t *testing.T) {
	fault := func(measure string, spoil func(*sample)) func(*testing.T, *conformance.Bench) {
		return func(t *testing.T, b *conformance.Bench) {
			s := sampleOf(t, protocols.MeasureByID(measure))
			spoil(s)
			s.send(b)
		}
	}
	values := func(pairs ...string) func(*sample) {
		return func(s *sample) {
			for i := 0; i < len(pairs); i += 2 {
				s.Values[pairs[i]] = json.RawMessage(pairs[i+1])
			}
		}
	}
	without := func(s *sample) { s.Context = nil }
	claims := map[string]conformance.Claim{
		"glucose":        {Every: 5 * time.Minute, Flags: []string{"control-solution"}, Shows: map[string]conformance.Scale{"value": {From: 40_000, To: 400_000}}},
		"blood-pressure": {Flags: []string{"irregular-pulse"}},
	}
	for what, c := range map[string]struct {
		number  string
		verdict conformance.Verdict
		do      func(*testing.T, *conformance.Bench)
	}{
		"pressures swapped":              {"M4/blood-pressure", conformance.Fail, fault("blood-pressure", values("systolic", "76", "diastolic", "128"))},
		"taken and missed at once":       {"M4/pill-dispenser", conformance.Fail, fault("pill-dispenser", values("taken", "1", "missed", "1"))},
		"swapped in a session":           {"M4/dialysis-session", conformance.Warning, fault("dialysis-session", values("systolic-start", "70", "diastolic-start", "120"))},
		"half of a pressure":             {"M3/blood-pressure", conformance.Fail, fault("blood-pressure", func(s *sample) { delete(s.Values, "diastolic") })},
		"glucose of an unsaid kind":      {"M5/glucose", conformance.Warning, fault("glucose", without)},
		"insulin of an unsaid kind":      {"M5/insulin-dose", conformance.Fail, fault("insulin-dose", without)},
		"a sensor's 39":                  {"M6/glucose", conformance.Fail, fault("glucose", values("value", "39"))},
		"a bound that is not its end":    {"M6/glucose", conformance.Fail, fault("glucose", values("value", `{"below":50}`))},
		"its end":                        {"M6/glucose", conformance.Pass, fault("glucose", values("value", `{"below":40}`))},
		"a flag that is not claimed":     {"M7/blood-pressure", conformance.Fail, fault("blood-pressure", func(s *sample) { s.Flags = []string{"cuff-fit"} })},
		"the flag that is claimed":       {"M7/blood-pressure", conformance.Pass, fault("blood-pressure", func(s *sample) { s.Flags = []string{"irregular-pulse"} })},
		"another flag than that claimed": {"M7/glucose", conformance.Fail, fault("glucose", func(s *sample) { s.Flags = []string{"motion"} })},
		"every quarter of an hour": {"M8/glucose", conformance.Fail, func(_ *testing.T, b *conformance.Bench) {
			for i := range 6 {
				at := now.Add(time.Duration(15*i) * time.Minute)
				m := message(fmt.Sprintf(`{"id":"g%d","time":%q,"measure":"glucose","values":{"value":112},"unit":"mg/dL","context":{"specimen":"interstitial"}}`, i, at.Format(time.RFC3339)))
				m.Received = at
				b.Message(0, m)
			}
		}},
	} {
		b := begin(conformance.Profile{Claims: claims})
		c.do(t, b)
		report := b.Report(now)
		if got := verdicts(report)[c.number]; got != c.verdict {
			t.Errorf("%s: %s is %s, want %s", what, c.number, got, c.verdict)
		}
		if primary := report.Primary(); c.verdict == conformance.Fail && !slices.Equal(primary, []string{c.number}) || c.verdict != conformance.Fail && len(primary) > 0 {
			t.Errorf("%s fails %v", what, primary)
		}
	}
}

// Each flag that goes with some measures goes with measures that there are.
func TestEachFlagGoesWithAMeasure(t *testing.T) {
	carried := map[string]int{}
	for _, m := range protocols.Measures() {
		for _, word := range conformance.FlagsOf(m) {
			carried[word]++
		}
	}
	for word, measures := range conformance.Suited() {
		if !slices.Contains(protocols.FlagWords(), word) || carried[word] != len(measures) {
			t.Errorf("%s is to go with %v, and goes with %d", word, measures, carried[word])
		}
	}
}

// A sensor that claims nothing of its scale is told that 39 is often a word.
func TestANumberThatStandsForAWord(t *testing.T) {
	b := begin(conformance.Profile{})
	s := sampleOf(t, protocols.MeasureByID("glucose"))
	s.Context["specimen"], s.Values["value"] = "interstitial", json.RawMessage("39")
	s.send(b)
	if got := verdicts(b.Report(now))["M6/glucose"]; got != conformance.Warning {
		t.Errorf("a sensor's 39: %s", got)
	}
}

// A flag that is claimed and has not come is named.
func TestAFlagThatIsClaimedHasToCome(t *testing.T) {
	b := begin(conformance.Profile{Claims: map[string]conformance.Claim{"blood-pressure": {Flags: []string{"irregular-pulse", "cuff-fit"}}}})
	sends(one)(b)
	for _, r := range b.Report(now).Results {
		if r.Requirement == "M7/blood-pressure" && (r.Verdict != conformance.Inconclusive || !slices.Equal(r.Evidence, []string{"cuff-fit"})) {
			t.Errorf("%+v", r)
		}
	}
}
