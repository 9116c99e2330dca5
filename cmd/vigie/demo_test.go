package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/cmd/vigie/service"
	"vigie/protocols"
)

// demonstrated is what a demonstration said, line by line.
type demonstrated struct {
	started demoStarted
	alerts  []demoAlert
	summary demoSummary
}

func demonstrate(t *testing.T, arguments ...string) demonstrated {
	t.Helper()
	var out bytes.Buffer
	root := rootCommand()
	root.SetOut(&out)
	root.SetArgs(append([]string{"demo", "--json"}, arguments...))
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var said demonstrated
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, line := range lines {
		var event struct{ Event string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("line %d is not JSON: %v", i+1, err)
		}
		var err error
		switch {
		case event.Event == "started" && i == 0:
			err = json.Unmarshal([]byte(line), &said.started)
		case event.Event == "alert":
			said.alerts = append(said.alerts, demoAlert{})
			err = json.Unmarshal([]byte(line), &said.alerts[len(said.alerts)-1])
		case event.Event == "summary" && i == len(lines)-1:
			err = json.Unmarshal([]byte(line), &said.summary)
		default:
			t.Fatalf("line %d is a %q out of place", i+1, event.Event)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return said
}

// shapes are those of the rule that rang.
func shapes(rule *protocols.Rule) []string {
	if rule.Absence != nil {
		return []string{"absence"}
	}
	var found []string
	var look func(c protocols.Condition)
	look = func(c protocols.Condition) {
		for _, part := range append(append([]protocols.Condition{}, c.All...), c.Any...) {
			look(part)
		}
		if c.Not != nil {
			look(*c.Not)
		}
		if c.Compare == nil {
			return
		}
		switch c.Compare.Statistic {
		case protocols.Last:
			found = append(found, "level")
		case protocols.Count, protocols.Events, protocols.Streak:
			found = append(found, "count")
		case protocols.Change, protocols.Rise, protocols.Fall, protocols.Slope, protocols.Step:
			found = append(found, "change")
		}
		if c.Compare.Minus != nil {
			found = append(found, "change")
		}
	}
	for _, level := range rule.Levels {
		look(level.When)
	}
	return found
}

func TestADayOfTheDemonstrationShowsEveryKindOfAlert(t *testing.T) {
	shelf, err := service.NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	said := demonstrate(t, "--speed", "2400", "--duration", "20s", "--data", t.TempDir())
	if said.started.Patients < 40 || said.summary.Accepted < 10_000 || len(said.summary.SetAside) < 5 {
		t.Errorf("%d patients, %d readings accepted, %d codes of set-asides: too little to see", said.started.Patients, said.summary.Accepted, len(said.summary.SetAside))
	}
	seen := map[string]bool{}
	for _, a := range said.alerts {
		if a.Kind == alerts.EventEscalated {
			seen["an escalation"] = true
		}
		if a.Level == protocols.Technical && a.Device != "" {
			seen["a technical alert"] = true
		}
		p := shelf.Protocol(a.Protocol, "1")
		if p == nil || a.Late {
			continue
		}
		seen[p.Pathology.ICD10[:3]] = true
		for i := range p.Rules {
			if p.Rules[i].ID == a.Rule {
				for _, shape := range shapes(&p.Rules[i]) {
					seen[shape] = true
				}
			}
		}
	}
	pathologies := []string{}
	for _, id := range []string{"heart-failure", "diabetes", "respiratory-failure", "kidney-failure", "cardiac-implant"} {
		pathologies = append(pathologies, shelf.Protocol(id, "1").Pathology.ICD10[:3])
	}
	for _, want := range append(pathologies, "level", "count", "change", "absence", "a technical alert", "an escalation") {
		if !seen[want] {
			t.Errorf("the demonstration showed no alert for %s", want)
		}
	}
}

func TestTheDemonstrationCanBeTakenUpAgain(t *testing.T) {
	folder := t.TempDir()
	first := demonstrate(t, "--speed", "600", "--duration", "4s", "--data", folder)
	again := demonstrate(t, "--speed", "600", "--duration", "4s", "--data", folder)
	if again.summary.Accepted > first.summary.Accepted/10 {
		t.Errorf("%d readings were new the second time, of %d the first: the devices sent them again, and they count once", again.summary.Accepted, first.summary.Accepted)
	}
	if again.summary.Duplicates < first.summary.Accepted/2 {
		t.Errorf("%d duplicates, of %d readings sent again", again.summary.Duplicates, first.summary.Accepted)
	}
}

func TestTheDemonstrationBeginsWhenCareTeamsWork(t *testing.T) {
	for _, today := range []string{"2026-11-21", "2026-05-02", "2026-12-27", "2027-01-02"} {
		day, err := time.Parse(time.DateOnly, today)
		if err != nil {
			t.Fatal(err)
		}
		start := demoStart(day)
		if wd := start.Weekday(); wd == time.Saturday || wd == time.Sunday || !start.Before(day) || day.Sub(start) > 8*24*time.Hour {
			t.Errorf("on %s it begins at %s", today, start)
		}
	}
}

func TestTheDemonstrationSpeaksBothLanguages(t *testing.T) {
	verbs := regexp.MustCompile(`%[.0-9]*[a-z]`)
	for _, text := range []protocols.Text{demoGreeting, demoOld, demoNow, demoTotal} {
		if fr, en := verbs.FindAllString(text.FR, -1), verbs.FindAllString(text.EN, -1); !slices.Equal(fr, en) {
			t.Errorf("French takes %v and English %v:\n%s", fr, en, text.EN)
		}
	}
	for language, want := range map[string]string{"fr": "▲ à traiter en priorité  p-1      nouvelle · shocks", "en": "▲ to handle first        p-1      new · shocks"} {
		var out bytes.Buffer
		report := &textReport{out: &out, language: language, zone: time.UTC}
		report.started(demoStarted{Patients: 1, Devices: 2, Speed: 600})
		report.alert(demoAlert{Kind: alerts.EventRaised, Level: protocols.Red, Patient: "p-1", Rule: "shocks"})
		report.summary(demoSummary{})
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "%!") {
			t.Errorf("it says\n%s\nwant %q in it", out.String(), want)
		}
	}
	if err := vigie(t, "demo", "--language", "de"); err == nil || !strings.Contains(err.Error(), "neither fr nor en") {
		t.Errorf("a language it does not speak: %v", err)
	}
}
