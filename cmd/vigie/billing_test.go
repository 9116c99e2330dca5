package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/alerts/reviews"
	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
)

// wardOf2026 is a folder with a patient who is followed through 2026.
func wardOf2026(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	file := filepath.Join(folder, "ward.yaml")
	if err := os.WriteFile(file, []byte(oneWard), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, said, err := registryLine(t, folder, "import", "--author", "Op", "--passwords", filepath.Join(folder, "first.csv"), file); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return folder
}

// What was due, what was transmitted and what rang in a month come out in numbers, each
// with its definition.
func TestTheExtractForBillingCountsDays(t *testing.T) {
	today := time.Date(2026, 6, 15, 10, 0, 0, 0, time.UTC)
	folder := wardOf2026(t)
	livedIn(t, folder, today) // weighed on the 25 days from 6 to 30 May
	typedWell(t, folder, "enrolment", "pause", "e-1", "--author", "Op", "--from", "2026-05-28", "--until", "2026-06-02", "--reason", "vacances")
	c := config.Default()
	c.Data = folder
	tools, err := service.OpenTools(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Close()
	for i, waiting := range []int{0, 2, 0} { // the last one in June
		at := time.Date(2026, 5, 20+6*i, 9, 0, 0, 0, time.UTC)
		if err := tools.Reviews.AddReview(t.Context(), reviews.Review{Patient: "p-1", By: "Lea Nurse", At: at, Alerts: waiting}); err != nil {
			t.Fatal(err)
		}
	}
	extract := func(month time.Month, now time.Time) map[string]string {
		t.Helper()
		lines, err := billed(t.Context(), tools, time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC), now)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := billingCSV(&text, lines); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&text).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatalf("%v %v", rows, err)
		}
		row := map[string]string{}
		for i, name := range rows[0] {
			row[name] = rows[1][i]
		}
		return row
	}
	for name, want := range map[string]string{
		"enrolment": "e-1", "month": "2026-05", "days_followed": "31", "days_paused": "4", "unit": "day", "due": "27", "transmitted": "22",
		"share": "0.815", "readings_device": "25", "readings_patient": "0", "readings_professional": "0", "alerts_red": "0",
		"signed_reviews": "2", "quiet_reviews": "1",
	} {
		if got := extract(time.May, today)[name]; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if row := extract(time.June, today); row["days_followed"] != "15" || row["transmitted"] != "0" || row["share"] != "0.000" {
		t.Errorf("a month that runs counts its days so far: %v", row)
	}
	if row := extract(time.May, today); row["alerts_orange"] == "0" && row["alerts_yellow"] == "0" {
		t.Errorf("nothing rang: %v", row)
	}
}

func TestEveryColumnOfTheExtractIsDefined(t *testing.T) {
	folder := wardOf2026(t)
	said := typedWell(t, folder, "billing", "--month", "2026-05", "--format", "json")
	var whole struct {
		Columns []struct {
			Name string
			What struct{ FR, EN string }
		}
		Rows []map[string]string
	}
	if err := json.Unmarshal([]byte(said), &whole); err != nil || len(whole.Rows) == 0 {
		t.Fatalf("%v %s", err, said)
	}
	for _, c := range whole.Columns {
		if _, there := whole.Rows[0][c.Name]; !there || c.What.FR == "" || c.What.EN == "" {
			t.Errorf("the column %s is not there, or not defined", c.Name)
		}
	}
	if len(whole.Rows[0]) != len(whole.Columns) {
		t.Errorf("%d cells and %d definitions", len(whole.Rows[0]), len(whole.Columns))
	}
	if _, err := typed(t, folder, "billing", "--month", "mai"); err == nil || !strings.Contains(err.Error(), "2026-10") {
		t.Errorf("a month that is none: %v", err)
	}
}
