package protocols_test

import (
	"strings"
	"testing"

	"vigie/protocols"
)

// Nobody at a bedside reads UCUM: whatever a measure is given in has the word of people.
func TestEveryUnitOfAMeasureIsSpokenAsANurseWritesIt(t *testing.T) {
	for _, m := range protocols.Measures() {
		for i, c := range m.Components {
			for _, unit := range append(m.UnitsFor(i), c.Unit+"/d") {
				for _, language := range []string{"fr", "en"} {
					if said := protocols.InUnit("2", unit, language, " "); strings.ContainsAny(said, "[]{}*") || strings.HasSuffix(said, "/d") {
						t.Errorf("%s %s in %s reads %q", m.ID, c.Name, language, said)
					}
				}
			}
		}
	}
}

func TestANumberAgreesWithItsUnit(t *testing.T) {
	for _, c := range []struct{ number, unit, language, want string }{
		{"0,4", "10*9/L", "fr", "0,4 G/L"}, {"0.4", "10*9/L", "en", "0.4 ×10⁹/L"}, {"13", "mL/h/kg", "fr", "13 mL/kg/h"},
		{"0,2", "kg/d", "fr", "0,2 kg par jour"}, {"0.2", "kg/d", "en", "0.2 kg a day"}, {"0,2", "{score}/d", "fr", "0,2 par jour"},
		{"1", "d", "fr", "1 jour"}, {"3", "d", "en", "3 days"}, {"1", protocols.Points, "en", "1 point"}, {"0,2", protocols.Points, "fr", "0,2 point"}, {"0.2", protocols.Points, "en", "0.2 points"}, {"1,5", "d", "fr", "1,5 jour"},
		{"86", "/min", "fr", "86/min"}, {"2", "{score}", "fr", "2"}, {"102", "Cel", "en", "102 °C"}, {"120", "mm[Hg]", "en", "120 mmHg"},
		{"96", "%", "en", "96%"}, {"96", "%", "fr", "96 %"},
	} {
		if got := protocols.InUnit(c.number, c.unit, c.language, " "); got != c.want {
			t.Errorf("%s %s reads %q, not %q", c.number, c.unit, got, c.want)
		}
	}
}
