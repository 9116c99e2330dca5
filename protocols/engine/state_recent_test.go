package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigie/protocols"
)

func TestExplanationCitesReadingsAsTheyWereSent(t *testing.T) {
	ids := []string{
		"018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", "018F6F2C-5B1E-7CC3-9D2F-3A61C7A0E101", "018f6f2c5b1e-7cc3-9d2f-3a61-c7a0e101",
		"018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e1g1", "------------------------------------", "relevé n° 7", strings.Repeat("é", 128), "x",
	}
	counted := of("blood-pressure", "systolic", protocols.Count, protocols.Window{Length: time.Hour}, protocols.AtLeast, float64(len(ids)))
	s := stateOf(t, protocolOf(rule("pression", level(protocols.Red, counted))), enrolled())
	start := at("2026-03-05T08:00:00+01:00")
	var found []protocols.Finding
	for i, id := range ids {
		r := reading("blood-pressure", start.Add(time.Duration(i)*time.Minute), 120+float64(i))
		r.ID, r.Device, r.Values[1] = id, "tensiomètre "+id, v(-0.001)
		found = s.Add(r, r.Time, found)
	}
	if len(found) != 1 {
		t.Fatalf("%d findings, want the alert", len(found))
	}
	cited := found[0].Explanation.Readings
	if len(cited) != len(ids) {
		t.Fatalf("%d readings cited, want %d", len(cited), len(ids))
	}
	for i, c := range cited {
		when := start.Add(time.Duration(i) * time.Minute)
		if c.ID != ids[i] || c.Device != "tensiomètre "+ids[i] || !c.Time.Equal(when) {
			t.Errorf("cited %q of %q at %s, sent %q at %s", c.ID, c.Device, c.Time, ids[i], when)
		}
		if len(c.Values) != 2 || c.Values["systolic"] != v(120+float64(i)) || c.Values["diastolic"] != v(-0.001) {
			t.Errorf("%q is cited with %v", c.ID, c.Values)
		}
	}
}

func TestWhatCountedIsToldAsTheInstrumentShowedIt(t *testing.T) {
	lows := of("glucose", "value", protocols.Count, protocols.Window{Length: time.Hour}, protocols.AtLeast, 1)
	lows.Where = &protocols.Filter{Below: clearAt(54)}
	hypo := rule("hypo", level(protocols.Red, lows))
	hypo.Sentence = protocols.Text{FR: "{each}"}
	hypo.TellEach()
	s := stateOf(t, protocolOf(hypo), enrolled())
	r := reading("glucose", at("2026-03-05T08:00:00+01:00"), 39.999)
	r.Limits = []protocols.Limit{protocols.LessThan}
	found := s.Add(r, r.Time, nil)
	if len(found) != 1 || found[0].Explanation.Said().FR != "08:00 (< 40)" {
		t.Errorf("it is told as %+v", found[0].Explanation.Said())
	}
}

func TestExplanationTellsWhatAnInstrumentCouldNotShow(t *testing.T) {
	lowest := of("glucose", "value", protocols.Min, protocols.Window{Length: time.Hour}, protocols.Below, 40)
	s := stateOf(t, protocolOf(rule("hypo", level(protocols.Red, lowest))), enrolled())
	start := at("2026-03-05T08:00:00+01:00")
	r := reading("glucose", start, 39.999)
	r.Limits = []protocols.Limit{protocols.LessThan}
	found := s.Add(r, start, nil)
	if len(found) != 1 {
		t.Fatalf("%d findings, want the alert", len(found))
	}
	e := found[0].Explanation
	if c := e.Comparisons[0]; c.Value != v(40) || c.Shown() != v(40) || c.Limit != protocols.LessThan {
		t.Errorf("compared %v, limit %q", c.Value, c.Limit)
	}
	if c := e.Readings[0]; c.Values["value"] != v(40) || c.Limits["value"] != protocols.LessThan {
		t.Errorf("cited %+v", c)
	}
	if text := e.Summary.FR + e.Comparisons[0].Sentence.FR; !strings.Contains(text, "< 40") || strings.Contains(text, "39,999") {
		t.Errorf("it is told as %q", text)
	}
}

func TestExplanationCitesTheLatestReadingsOnly(t *testing.T) {
	counted := of("heart-rate", "value", protocols.Count, protocols.Window{Length: 24 * time.Hour}, protocols.AtLeast, 50)
	s := stateOf(t, protocolOf(rule("pouls", level(protocols.Red, counted))), enrolled())
	start := at("2026-03-05T08:00:00+01:00")
	var found []protocols.Finding
	for i := range 50 {
		found = s.Add(reading("heart-rate", start.Add(time.Duration(i)*time.Minute), float64(60+i)), start, found)
	}
	cited := found[0].Explanation.Readings
	if len(cited) != maxCited || cited[0].Values["value"] != v(60+50-maxCited) || cited[maxCited-1].Values["value"] != v(109) {
		t.Errorf("%d readings cited, from %v to %v", len(cited), cited[0].Values, cited[len(cited)-1].Values)
	}
}

// A measure may have many kinds: each is cited as it was sent, with all that is said beside it.
func TestExplanationCitesEveryVariant(t *testing.T) {
	for _, variants := range []int{17, 40, 255} {
		m := *protocols.MeasureByID("glucose")
		m.Variants = nil
		for i := range variants {
			m.Variants = append(m.Variants, fmt.Sprint("kind-", i+1))
		}
		counted := of("glucose", "value", protocols.Count, protocols.Window{Length: time.Hour}, protocols.AtLeast, 2)
		counted.Measure, counted.Variant = &m, uint8(variants)
		s := stateOf(t, protocolOf(rule("sorte", level(protocols.Red, counted))), enrolled())
		start := at("2026-03-05T08:00:00+01:00")
		var found []protocols.Finding
		for i := range 2 {
			r := reading("glucose", start.Add(time.Duration(i)*time.Minute), 119.999+float64(i))
			r.ID, r.Device, r.Measure, r.Variant = fmt.Sprint("relevé ", i), "lecteur", &m, uint8(variants)
			r.Limits = []protocols.Limit{protocols.LessThan}
			found = s.Add(r, r.Time, found)
		}
		if len(found) != 1 || len(found[0].Explanation.Readings) != 2 {
			t.Fatalf("%d variants: found %+v, want an alert with two readings", variants, found)
		}
		for i, c := range found[0].Explanation.Readings {
			if c.ID != fmt.Sprint("relevé ", i) || c.Device != "lecteur" || c.Values["value"] != v(120+float64(i)) || c.Limits["value"] != protocols.LessThan {
				t.Errorf("%d variants: cited %+v", variants, c)
			}
		}
	}
}
