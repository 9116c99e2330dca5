package figures_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/protocols/replay/figures"
)

var (
	glucose = protocols.MeasureByID("glucose")
	start   = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	span    = replay.Span{From: start, To: start.AddDate(0, 0, 7)}
	zone    = time.FixedZone("UTC+2", 2*3600)
)

func low(limit protocols.Value, level protocols.Level) protocols.RuleLevel {
	return protocols.RuleLevel{Level: level, When: protocols.Condition{Compare: &protocols.Comparison{
		Measure: glucose, Statistic: protocols.Last, MinusComponent: -1, PerComponent: -1, Operator: protocols.Below, Threshold: protocols.Operand{Value: limit},
	}}}
}

var protocol = &protocols.Protocol{
	ID: "d", Version: "3", Status: "example", Title: protocols.Text{FR: "Diabète <essai>"},
	Parameters: []protocols.Parameter{{Name: "high", Title: protocols.Text{FR: "seuil haut"}, Unit: "mg/dL", Default: 250_000}},
	Rules: []protocols.Rule{
		{ID: "low", Title: protocols.Text{FR: "Glucose bas"}, Levels: []protocols.RuleLevel{low(70_000, protocols.Orange), low(54_000, protocols.Red)}},
		{ID: "high", Title: protocols.Text{FR: "Glucose haut"}, Levels: []protocols.RuleLevel{{Level: protocols.Yellow, When: protocols.Condition{Compare: &protocols.Comparison{
			Measure: glucose, Statistic: protocols.Last, MinusComponent: -1, PerComponent: -1, Operator: protocols.Above, Threshold: protocols.Operand{Parameter: "high"},
		}}}}},
	},
}

func week() []*protocols.Reading {
	var all []*protocols.Reading
	for i := range 7 * 288 {
		if i > 900 && i < 1000 {
			continue // the sensor was being changed
		}
		hour := float64(i%288) / 12
		v, _ := protocols.Of(math.Round(140 + 60*math.Sin(hour/24*4*math.Pi) + 40*math.Sin(float64(i)/97)))
		all = append(all, &protocols.Reading{Time: start.Add(time.Duration(i) * 5 * time.Minute), Measure: glucose, Values: []protocols.Value{v}})
	}
	return all
}

func alert(rule string, level protocols.Level, hour int) replay.Alert {
	at := start.Add(time.Duration(hour) * time.Hour)
	return replay.Alert{
		Time: at, Patient: "p", Rule: rule, Level: level, Ended: at.Add(50 * time.Minute),
		Explanation: &protocols.Explanation{
			Summary:     protocols.Text{FR: "Le glucose est de 52 mg/dL, sous 54 mg/dL."},
			Comparisons: []protocols.Compared{{Measure: "glucose", Component: "value", Sentence: protocols.Text{FR: "Dernier glucose : 52 < 54 mg/dL."}}},
		},
	}
}

func page() *figures.Page {
	outcome := &replay.Outcome{}
	readings := week()
	outcome.Add(replay.Past{Readings: readings}, span, []replay.Alert{
		alert("low", protocols.Orange, 17), alert("high", protocols.Yellow, 30), alert("low", protocols.Red, 66), alert("low", protocols.Orange, 90), alert("high", protocols.Yellow, 100),
	})
	var statistics replay.Statistics
	statistics.Add(readings, span, 5*time.Minute)
	return &figures.Page{
		Protocol: protocol, Settings: protocols.Settings{"high": {Value: 220_000}}, Source: "Série enregistrée", Zone: zone, Span: span,
		Outcome: outcome, Totals: outcome.Totals(protocol.Rules), Statistics: statistics.ByMeasure(), Readings: readings,
	}
}

func written(t *testing.T, p *figures.Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := figures.Write(&b, p); err != nil {
		t.Fatal(err)
	}
	if file := os.Getenv("VIGIE_FIGURES"); file != "" {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestThePageStandsAlone(t *testing.T) {
	html := written(t, page())
	for _, foreign := range []string{"http:", "https:", "<script", "<link", "@import", "url("} {
		if strings.Contains(html, foreign) {
			t.Errorf("the page refers to something outside: %q", foreign)
		}
	}
	if strings.Contains(html, "<essai>") {
		t.Error("a title of the protocol is not escaped")
	}
}

func TestEveryDrawingHasATitleADescriptionAndATable(t *testing.T) {
	html := written(t, page())
	drawings := strings.Count(html, "<svg")
	if drawings < 2 || strings.Count(html, "</title><desc") != drawings || strings.Count(html, `role="img"`) != drawings {
		t.Errorf("%d drawings, not all with a title and a description", drawings)
	}
	if !strings.Contains(html, "jour par jour") || strings.Count(html, "<time datetime=") != 5 {
		t.Error("the readings or the alerts are not in a table")
	}
}

func TestTheDrawingsAreWellFormed(t *testing.T) {
	html := written(t, page())
	for rest := html; ; {
		_, after, found := strings.Cut(rest, "<svg")
		if !found {
			return
		}
		body, next, _ := strings.Cut(after, "</svg>")
		decoder := xml.NewDecoder(strings.NewReader("<svg" + body + "</svg>"))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a drawing is not XML: %v", err)
			}
		}
		rest = next
	}
}

func TestThresholdsAreThoseOfThePatient(t *testing.T) {
	html := written(t, page())
	if !strings.Contains(html, ">220 ●<") || strings.Contains(html, ">250 ●<") {
		t.Error("the high threshold is not the one that was set")
	}
	if !strings.Contains(html, ">54 ▲<") || !strings.Contains(html, ">70 ◆<") {
		t.Error("a low threshold is missing, or has no sign beside its colour")
	}
}

func TestTheBoundsOfWhatIsCountedAreDrawn(t *testing.T) {
	p := page()
	often := low(3_000, protocols.Red)
	often.When.Compare.Statistic, often.When.Compare.Where = protocols.Count, &protocols.Filter{Below: &protocols.Operand{Value: 60_000}}
	counting := *protocol
	counting.Rules = []protocols.Rule{{ID: "often", Title: protocols.Text{FR: "Souvent bas"}, Levels: []protocols.RuleLevel{often}}}
	p.Protocol = &counting
	if html := written(t, p); !strings.Contains(html, ">60 ▲<") || strings.Contains(html, ">3 ▲<") {
		t.Error("of readings below 60 that are counted, 60 is not drawn, or their number is")
	}
}

func TestACohortIsDrawnPatientByPatient(t *testing.T) {
	p := page()
	p.Readings = nil
	html := written(t, p)
	if !strings.Contains(html, "Alertes par patient") || !strings.Contains(html, `<th scope="col">Patient</th>`) {
		t.Error("the alerts of a cohort do not tell the patients apart")
	}
}

func TestAQuietReplaySaysSo(t *testing.T) {
	p := page()
	p.Outcome.Alerts = nil
	p.Totals = p.Outcome.Totals(protocol.Rules)
	if html := written(t, p); !strings.Contains(html, "Aucune alerte sur cette période") {
		t.Error("the page does not say that nothing was raised")
	}
}

func TestEveryWordOfThePageIsInBothLanguages(t *testing.T) {
	for name, text := range figures.Catalogue {
		if text.FR == "" || text.EN == "" || strings.Count(text.FR, "%") != strings.Count(text.EN, "%") {
			t.Errorf("%s is %q and %q", name, text.FR, text.EN)
		}
	}
	used := regexp.MustCompile(`(?:T|word\(|some\([^()]*,|share\() ?"([^"]+)"`)
	for _, file := range []string{"page.html", "page.go", "chart.go", "cohort.go", "words.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(source), -1) {
			if figures.Catalogue[m[1]].FR == "" {
				t.Errorf("%s uses %q, which the catalogue lacks", file, m[1])
			}
		}
	}
}

func TestThePageSpeaksEnglish(t *testing.T) {
	p := page()
	p.Language = "en"
	html := written(t, p)
	for _, words := range []string{`<html lang="en">`, "Readings, thresholds and alerts", "▲ to deal with first", "Time in range, 70 to 180 mg/dL", "1 Jun 2026", "5 alerts", "Each alert, and why"} {
		if !strings.Contains(html, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if !strings.Contains(html, ">71.4<") || !strings.Contains(written(t, page()), ">71,4<") {
		t.Error("decimals stand after a point in English and after a comma in French")
	}
}
