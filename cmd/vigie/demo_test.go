package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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

// demonstrate runs the demonstration, and ends it as Ctrl-C does once enough has
// been said, or in any case after some minutes.
func demonstrate(t *testing.T, enough func(demonstrated) bool, arguments ...string) (said demonstrated) {
	t.Helper()
	ctx, end := context.WithTimeout(t.Context(), 3*time.Minute)
	defer end()
	lines, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		root := rootCommand()
		root.SetOut(out)
		root.SetArgs(append([]string{"demo", "--json"}, arguments...))
		err := root.ExecuteContext(ctx)
		ended <- errors.Join(err, out.Close())
	}()
	scanner := bufio.NewScanner(lines)
	for n := 1; scanner.Scan(); n++ {
		if err := said.hear(scanner.Bytes(), n); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		if enough(said) {
			end()
		}
	}
	if err := <-ended; err != nil || said.summary.Event != "summary" {
		t.Fatalf("it ended with %v, the summary %+v", err, said.summary)
	}
	return said
}

// hear takes one line of what it says.
func (d *demonstrated) hear(line []byte, n int) error {
	var event struct{ Event string }
	if err := json.Unmarshal(line, &event); err != nil {
		return err
	}
	switch {
	case d.summary.Event != "":
		return errors.New("it comes after the summary")
	case event.Event == "started" && n == 1:
		return json.Unmarshal(line, &d.started)
	case event.Event == "alert" && n > 1:
		d.alerts = append(d.alerts, demoAlert{})
		return json.Unmarshal(line, &d.alerts[len(d.alerts)-1])
	case event.Event == "summary":
		return json.Unmarshal(line, &d.summary)
	}
	return fmt.Errorf("a %q is out of place", event.Event)
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
	missing := map[string]bool{"level": true, "count": true, "change": true, "absence": true, "a technical alert": true, "an escalation": true}
	for _, pathology := range []string{"I50", "E10", "J96", "N18", "Z95"} {
		missing[pathology] = true
	}
	see := func(a demoAlert) {
		if a.Kind == alerts.EventEscalated {
			delete(missing, "an escalation")
		}
		if a.Level == protocols.Technical && a.Device != "" {
			delete(missing, "a technical alert")
		}
		p := shelf.Protocol(a.Protocol, a.Version)
		if p == nil || a.Late {
			return
		}
		delete(missing, p.Pathology.ICD10[:3])
		for i := range p.Rules {
			if p.Rules[i].ID == a.Rule {
				for _, shape := range shapes(&p.Rules[i]) {
					delete(missing, shape)
				}
			}
		}
	}
	said := demonstrate(t, func(said demonstrated) bool {
		if len(said.alerts) > 0 {
			see(said.alerts[len(said.alerts)-1])
		}
		return len(missing) == 0 && said.moved(4*time.Hour)
	}, "--speed", "2400", "--data", t.TempDir())
	if said.started.Patients < 40 || said.summary.Accepted < 10_000 || len(said.summary.SetAside) < 5 {
		t.Errorf("%d patients, %d readings accepted, %d codes of set-asides: too little to see", said.started.Patients, said.summary.Accepted, len(said.summary.SetAside))
	}
	for what := range missing {
		t.Errorf("the demonstration showed no alert for %s", what)
	}
}

// TestADemonstrationTakesThePortsOfTheEnvironment gives it two, beside keys of a service.
func TestADemonstrationTakesThePortsOfTheEnvironment(t *testing.T) {
	c, err := demoConfig([]string{"VIGIE_HTTP_LISTEN=127.0.0.1:18080", "VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1:11883", "VIGIE_STORE_POSTGRES_URL=postgres://there", "VIGIE_NOTHING=x"})
	if err != nil || c.HTTP.Listen != "127.0.0.1:18080" || c.Broker.Inside.Listen != "127.0.0.1:11883" || c.Store.Postgres.URL != "" {
		t.Errorf("%v: %s, %s, %q", err, c.HTTP.Listen, c.Broker.Inside.Listen, string(c.Store.Postgres.URL))
	}
	if _, err := demoConfig([]string{"VIGIE_HTTP_LISTEN=here"}); err == nil || !strings.Contains(err.Error(), "VIGIE_HTTP_LISTEN") {
		t.Errorf("an address that is none: %v", err)
	}
}

// moved reports whether an alert was told so long after the start: the devices
// have uploaded what they had measured before.
func (d *demonstrated) moved(by time.Duration) bool {
	return len(d.alerts) > 0 && d.alerts[len(d.alerts)-1].Time.After(d.started.Time.Add(by))
}

func TestTheDemonstrationCanBeTakenUpAgain(t *testing.T) {
	folder := t.TempDir()
	first := demonstrate(t, func(said demonstrated) bool { return said.moved(time.Minute) }, "--data", folder)
	again := demonstrate(t, func(demonstrated) bool { return false }, "--duration", "4s", "--data", folder)
	if again.summary.Accepted > first.summary.Accepted/10 {
		t.Errorf("%d readings were new the second time, of %d the first: the devices sent them again, and they count once", again.summary.Accepted, first.summary.Accepted)
	}
	if again.summary.Duplicates == 0 {
		t.Error("no reading was sent again")
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

func TestTheDemonstrationRefusesTimesThatAreNone(t *testing.T) {
	for _, flag := range []string{"--speed=0", "--speed=-1", "--speed=NaN", "--speed=Inf", "--duration=-3s"} {
		name, _, _ := strings.Cut(flag, "=")
		if err := vigie(t, "demo", flag); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", flag, err)
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
	for language, want := range map[string]string{"fr": "▲ à traiter en priorité  p-1      nouvelle · shocks", "en": "▲ to deal with first     p-1      new · shocks"} {
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

// A line of the demonstration says what happened to an alert, whatever that is.
func TestEachEventOfAnAlertHasWords(t *testing.T) {
	source, err := os.ReadFile("../../alerts/alert.go")
	if err != nil {
		t.Fatal(err)
	}
	ofNone := []string{"digest", "renewal", "unsubscribed", "glass", "undelivered"} // about no alert, or told elsewhere
	kinds := regexp.MustCompile(`EventKind = "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 20 {
		t.Fatalf("%d kinds of events are found", len(kinds))
	}
	for _, kind := range kinds {
		if words := kindWords[alerts.EventKind(kind[1])]; !slices.Contains(ofNone, kind[1]) && (words.FR == "" || words.EN == "") {
			t.Errorf("%s has no words", kind[1])
		}
	}
}
