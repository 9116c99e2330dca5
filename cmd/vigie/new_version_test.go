package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/replay"
)

// formerHypertension is the text of version 1 of hypertension, as it was released.
func formerHypertension(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/hypertension-1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.ReplaceAll(string(text), "\r\n", "\n"))
	table, err := os.ReadFile("../../protocols/library/released.txt")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	if line := "hypertension 1 " + hex.EncodeToString(sum[:]); !strings.Contains(string(table), line) {
		t.Fatalf("the table of what was released lacks %s", line)
	}
	return string(text)
}

// A site goes on under the version that it used, is offered the one that came since, and
// its patients are then watched for what the new one watches for.
func TestASiteIsOfferedTheNewVersionAndHearsWhatItHears(t *testing.T) {
	former := formerHypertension(t)
	folder := hypertensionWard(t, former)

	tools := opened(t, folder)
	if notes := strings.Join(tools.Shelf.Notes, "\n"); !strings.Contains(notes, "vigie enrolment migrate --all hypertension@1 --dry-run") {
		t.Errorf("the operator is not told of the new version: %s", notes)
	}
	if rings := twoDaysAt106(t, tools); rings["pressure-high-days"] {
		t.Fatal("version 1 rings for a diastolic pressure of 106 already: the case shows nothing")
	}
	if text := tools.Shelf.Text("hypertension", "1"); text != former {
		t.Error("version 1 is not what was used")
	}
	tools.Close()

	newest := tools.Latest("hypertension")
	highFortnightAgo(t, folder)
	said := byHandWell(t, folder, "enrolment", "migrate", "--all", "hypertension@1", "--dry-run")
	for _, want := range []string{`version: 1 → ` + newest, `e-1 +pressure-high-days +\w+ +0 → 1\n`, `in all\) +pressure-high-days +\w+ +0 → 1\n`, `\d → \d alertes en tout`, "nothing was changed"} {
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("what would change lacks %s:\n%s", want, said)
		}
	}
	byHandWell(t, folder, "enrolment", "migrate", "--all", "hypertension@1", "--author", "Op")

	tools = opened(t, folder)
	defer tools.Close()
	if rings := twoDaysAt106(t, tools); !rings["pressure-high-days"] {
		t.Errorf("under version %s a diastolic pressure of 106 for two days rings only %v", newest, rings)
	}
}

// highFortnightAgo has the monitor of the ward's patient measure 155 over 106, morning and
// evening of two days, two weeks ago.
func highFortnightAgo(t *testing.T, folder string) {
	t.Helper()
	c := config.Default()
	c.Data = folder
	today := time.Now()
	var measured []protocols.Reading
	for half := range 4 {
		at := today.UTC().Truncate(24*time.Hour).AddDate(0, 0, -14).Add(7*time.Hour + time.Duration(half)*12*time.Hour)
		measured = append(measured, protocols.Reading{
			ID: fmt.Sprint("bp-", half), Device: "bp-1", Patient: "p-1", Measure: protocols.MeasureByID("blood-pressure"), Battery: -1,
			Time: at, Values: []protocols.Value{155_000, 106_000}, Origin: &protocols.Origin{Batch: "test"},
		})
	}
	options := service.Options{Config: c, Now: func() time.Time { return today }, Log: slog.New(slog.DiscardHandler)}
	if entered, err := service.Relive(t.Context(), options, map[string][]protocols.Reading{"bp-1": measured}); err != nil || entered.New != len(measured) {
		t.Fatalf("%+v %v", entered, err)
	}
}

// hypertensionWard is the store of a site whose one patient is followed under a version.
func hypertensionWard(t *testing.T, text string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	tools := opened(t, folder)
	defer tools.Close()
	begun := time.Now().AddDate(0, -3, 0)
	if err := tools.UseProtocol(t.Context(), registry.UsedProtocol{ID: "hypertension", Version: "1", Text: text, First: begun}); err != nil {
		t.Fatal(err)
	}
	reg := &registry.Registry{
		Teams:    []registry.Team{{ID: "team", Name: "Équipe", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday"}}},
		Patients: []registry.Patient{{ID: "p-1"}},
		Devices:  []registry.Device{{Name: "bp-1", Serial: "T1", Kind: "blood-pressure-monitor", Brand: "Tensia", Model: "T3"}},
		Enrolments: []registry.Enrolment{{
			ID: "e-1", Patient: "p-1", Devices: []string{"bp-1"}, Protocol: "hypertension", Version: "1", Zone: "Europe/Paris", Team: "team", Physician: "10001234565",
			Consent: registry.Consent{Given: true, Date: begun, Scope: "pressure"}, From: begun, Prescription: begun.AddDate(1, 0, 0),
		}},
	}
	if _, err := tools.Import(t.Context(), reg, "Op", begun); err != nil {
		t.Fatal(err)
	}
	return folder
}

func opened(t *testing.T, folder string) *service.Tools {
	t.Helper()
	c := config.Default()
	c.Data = folder
	tools, err := service.OpenTools(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return tools
}

func byHandWell(t *testing.T, folder string, args ...string) string {
	t.Helper()
	said, complaints, err := byHand(t, folder, args...)
	if err != nil {
		t.Fatalf("vigie %s: %v: %s", strings.Join(args, " "), err, complaints)
	}
	return said
}

// twoDaysAt106 is which rules ring, under the version that the patient is followed under,
// for a blood pressure of 155 over 106, morning and evening of two days.
func twoDaysAt106(t *testing.T, tools *service.Tools) map[string]bool {
	t.Helper()
	under, err := tools.EnrolmentsUnder(t.Context(), "hypertension")
	if err != nil || len(under) != 1 {
		t.Fatalf("followed are %v: %v", under, err)
	}
	plan, err := engine.NewPlan(tools.Protocol("hypertension", under[0].Version))
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC)
	var readings []*protocols.Reading
	for _, after := range []time.Duration{0, 12 * time.Hour, 24 * time.Hour, 36 * time.Hour} {
		readings = append(readings, &protocols.Reading{
			ID: after.String(), Patient: "p-1", Measure: protocols.MeasureByID("blood-pressure"), Time: day.Add(after),
			Values: []protocols.Value{155_000, 106_000},
		})
	}
	past := replay.Past{Enrolment: protocols.Enrolment{ID: "e-1", Patient: "p-1", Zone: time.UTC, From: day}, Readings: readings}
	raised, err := replay.Alerts(func(e protocols.Enrolment) (protocols.Evaluator, error) { return plan.For(e) }, past, replay.Span{From: day, To: day.AddDate(0, 0, 3)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rings := map[string]bool{}
	for i := range raised {
		rings[raised[i].Rule] = true
	}
	return rings
}
