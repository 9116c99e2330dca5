package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"html"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// run runs one command as from the command line.
func run(t *testing.T, command *cobra.Command, arguments ...string) (string, error) {
	t.Helper()
	var out, said bytes.Buffer
	command.SetArgs(arguments)
	command.SetOut(&out)
	command.SetErr(&said)
	command.SilenceErrors, command.SilenceUsage = true, true
	err := command.ExecuteContext(context.Background())
	return out.String(), err
}

func noStore(*cobra.Command) (pastStore, error) {
	return nil, errors.New("this test has no store")
}

func replayOf(t *testing.T, arguments ...string) *replayReport {
	t.Helper()
	out, err := run(t, replayCommand(noStore), append(arguments, "--format", "json")...)
	if err != nil {
		t.Fatal(err)
	}
	var report replayReport
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	return &report
}

// file writes a file of a test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// weighed is a fortnight of weights, 80 kg and then up by 0.8 kg a day.
func weighed(t *testing.T) string { return risen(t, 0.8) }

// risen is a fortnight of weights, 80 kg and then up by so much a day.
func risen(t *testing.T, daily float64) string {
	var b strings.Builder
	b.WriteString("when,kg\n")
	day := time.Date(2026, 5, 1, 7, 30, 0, 0, time.UTC)
	for d := range 20 {
		kilos := 80 + daily*math.Max(0, float64(d-9))
		b.WriteString(day.AddDate(0, 0, d).Format("2006-01-02T15:04:05") + "," + protocols.Value(math.Round(kilos*1000)).String() + "\n")
	}
	return file(t, "weights.csv", b.String())
}

var weights = []string{"--protocol", "heart-failure", "--measure", "weight", "--column", "kg", "--time-column", "when"}

func TestReplayTellsWhenAWeightGainWouldHaveRung(t *testing.T) {
	report := replayOf(t, append(weights, "--csv", weighed(t))...)
	var fast *protocols.Explanation
	for _, a := range report.Alerts {
		if a.Rule == "weight-gain-fast" {
			fast = a.Explanation
		}
	}
	if fast == nil {
		t.Fatalf("a gain of 0.8 kg a day rang only %+v", report.Alerts)
	}
	if len(fast.Comparisons) == 0 || len(fast.Readings) == 0 || fast.Summary.FR == "" {
		t.Errorf("the alert does not explain itself: %+v", fast)
	}
	if report.PatientDays < 18.9 || report.PatientDays > 19.1 || report.Readings != 20 {
		t.Errorf("%v patient-days with %d readings", report.PatientDays, report.Readings)
	}
	if report.Totals.Alerts != len(report.Alerts) || len(report.Totals.ByRule) < 5 {
		t.Errorf("totals are %+v", report.Totals)
	}
}

func TestReplayComparesWithOtherSettings(t *testing.T) {
	report := replayOf(t, append(weights, "--csv", risen(t, 0.6), "--against", "week-gain=5")...)
	if report.Against == nil {
		t.Fatal("there is no comparison")
	}
	for _, rule := range report.Against.ByRule {
		if rule.Rule == "weight-gain-fast" && (rule.OnlyFirst != 1 || rule.Both != 0 || rule.OnlySecond != 0) {
			t.Errorf("a threshold of 5 kg changes %+v", rule)
		}
	}
}

func TestReplaySpeaksEnglish(t *testing.T) {
	for format, wanted := range map[string][]string{
		"text": {"Recorded series, from 2026-05-01 07:30 to", "times of Europe/Paris", "1 patient, 19.0 patient-days, 20 readings", "per 100 patient-days", "body weight: 20 readings, mean 82.20, from 80.0 to 88.0 kg", "Compared with fast-gain=5", "Fast weight gain: + 2.4 kg in 3 days (80 kg → 82.4 kg). Rings beyond + 2 kg."},
		"html": {`<html lang="en">`, "Readings, thresholds and alerts", "What this protocol would have raised", "1 May 2026", "By hour of the patient", "Body weight", "In comparison", ">Each alert, and why<"},
	} {
		out, err := run(t, replayCommand(noStore), append(weights, "--csv", weighed(t), "--against", "fast-gain=5", "--language", "en", "--format", format)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range wanted {
			if !strings.Contains(out, words) {
				t.Errorf("%s does not say %q:\n%s", format, words, out)
			}
		}
		if french := frenchWord.FindString(out); french != "" {
			t.Errorf("%q is French in\n%s", french, out)
		}
	}
}

func TestReplayRefusesASettingOutOfBounds(t *testing.T) {
	_, err := run(t, replayCommand(noStore), append(weights, "--csv", weighed(t), "--settings", "fast-gain=50")...)
	if err == nil || !strings.Contains(err.Error(), "fast-gain lies between") {
		t.Errorf("got %v", err)
	}
}

func TestReplayReadsSettingsFromAFile(t *testing.T) {
	settings := file(t, "settings.yaml", "fast-gain: 4.5\nslow-gain: {value: 3, author: Dr Martin, reason: essai}\n")
	report := replayOf(t, append(weights, "--csv", weighed(t), "--settings", settings)...)
	if report.Settings["fast-gain"] != 4500 || report.Settings["slow-gain"] != 3000 {
		t.Errorf("settings in place are %v", report.Settings)
	}
}

func TestReplayTakesTheDayGivenToToAsIncluded(t *testing.T) {
	report := replayOf(t, append(weights, "--csv", weighed(t), "--from", "2026-05-03", "--to", "2026-05-04")...)
	if report.PatientDays != 2 || report.Readings != 2 {
		t.Errorf("%v patient-days, %d readings: want the two days", report.PatientDays, report.Readings)
	}
}

func TestReplaySaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		arguments []string
		says      string
	}{
		{nil, "--protocol"},
		{[]string{"--protocol", "diabetes"}, "--csv, --patient and --cohort"},
		{[]string{"--protocol", "nothing"}, "heart-failure"},
		{[]string{"--protocol", "diabetes", "--csv", "x.csv"}, "x.csv"},
		{[]string{"--protocol", "diabetes", "--csv", "x.csv", "--measure", "sugar", "--column", "a"}, `"sugar" is not a measure`},
		{[]string{"--protocol", "diabetes", "--cohort", "some"}, "simulated or all"},
		{[]string{"--protocol", "diabetes", "--cohort", "simulated", "--format", "pdf"}, "text, json or html"},
		{[]string{"--protocol", "diabetes", "--cohort", "simulated", "--from", "2026-03-01", "--to", "2026-02-01"}, "before"},
	} {
		_, err := run(t, replayCommand(noStore), c.arguments...)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: got %v, want a sentence with %q", c.arguments, err, c.says)
		}
	}
}

// A diary gives the day and no hour: it is known for its day, and rings as it would
// have.
func TestReplayOfASeriesThatHasDaysOnly(t *testing.T) {
	series := "when,kg\n2026-05-01,80\n2026-05-02,80.7\n2026-05-03,81.4\n2026-05-04,82.1\n"
	report := replayOf(t, append(weights, "--csv", file(t, "days.csv", series))...)
	if len(report.Alerts) != 1 || report.Alerts[0].Rule != "weight-gain-fast" {
		t.Errorf("four days of 0.7 kg each raise %+v", report.Alerts)
	}
	if report.PatientDays != 4 {
		t.Errorf("four days are %v patient-days", report.PatientDays)
	}
}

// A reading without an hour is not seen by a rule that looks at the latest one: the report
// says which rules those are, and an hour that is known lets them see it.
func TestReplaySaysWhatItCannotJudgeWithoutAnHour(t *testing.T) {
	series := file(t, "days.csv", "date,gl\n2026-01-01,30\n2026-01-02,450\n2026-01-03,200\n")
	asked := []string{"--protocol", "diabetes", "--csv", series, "--measure", "glucose", "--variant", "capillary", "--column", "gl", "--time-column", "date"}
	report := replayOf(t, asked...)
	if len(report.Alerts) > 0 || report.DaysOnly == nil || report.DaysOnly.Readings != 3 || !slices.Contains(report.DaysOnly.Rules, "very-high-capillary") {
		t.Errorf("without an hour: %d alerts, %+v", len(report.Alerts), report.DaysOnly)
	}
	for format, language := range map[string]string{"text": "fr", "html": "en"} {
		said, err := run(t, replayCommand(noStore), append(asked, "--format", format, "--language", language)...)
		want := map[string]string{"fr": "3 mesures n'ont que leur date", "en": "3 readings have only their date"}[language]
		if err != nil || !strings.Contains(html.UnescapeString(said), want) || !strings.Contains(said, "very-high-capillary") {
			t.Errorf("%s does not say %q: %v\n%s", format, want, err, said)
		}
	}
	report = replayOf(t, append(asked, "--hour", "08:00")...)
	if report.DaysOnly != nil || !slices.ContainsFunc(report.Alerts, func(a replay.Alert) bool { return a.Rule == "very-high-capillary" && a.Time.UTC().Hour() == 7 }) {
		t.Errorf("at eight: %+v", report.Alerts)
	}
	if _, err := run(t, replayCommand(noStore), append(asked, "--hour", "8h")...); err == nil || !strings.Contains(err.Error(), "08:00") {
		t.Errorf("--hour 8h: %v", err)
	}
}

func TestReplayOfASeriesThatHoldsNothingShowsAWayOut(t *testing.T) {
	for name, c := range map[string]struct {
		text      string
		arguments []string
		says      string
	}{
		"no use":         {"when,kg\nsoon,80\n", nil, "--time-format"},
		"another unit":   {"when,kg\n2026-05-01 07:30,80\n", []string{"--unit", "stone"}, "not given in stone"},
		"another time":   {"when,kg\n2026-05-01 07:30,80\n", []string{"--from", "2027-01-01"}, "change --from and --to"},
		"no such column": {"when;kilos\n2026-05-01 07:30;80\n", nil, `its columns are "when", "kilos"`},
		"no line":        {"when,kg\n", nil, "holds no usable reading"},
		"nothing":        {"", nil, "the file is empty"},
	} {
		_, err := run(t, replayCommand(noStore), append(append(weights, "--csv", file(t, "w.csv", c.text)), c.arguments...)...)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want a sentence with %q", name, err, c.says)
		}
	}
}

// The answers were published by the authors of the series.
func TestReplayOfTwoWeeksOfRealGlucose(t *testing.T) {
	series := filepath.Join("..", "..", "..", "shared", "data", "cgm-subject-1.csv")
	if _, err := os.Stat(series); err != nil {
		t.Skipf("the recorded series is not here: %v", err)
	}
	report := replayOf(t, "--protocol", "diabetes", "--csv", series, "--measure", "glucose", "--column", "gl", "--time-column", "time", "--time-zone", "America/New_York")
	glucose, ok := report.Statistics["glucose"].(map[string]any)
	if !ok || report.Readings != 2915 {
		t.Fatalf("%d readings, statistics %v", report.Readings, report.Statistics)
	}
	for name, want := range map[string]string{
		"mean": "123.67", "time_in_range": "91.66", "below_70": "0.14", "above_250": "0.38", "cv": "26.90", "gmi": "6.268",
	} {
		decimals := len(want) - strings.Index(want, ".") - 1
		if got := tongue("en").number(glucose[name].(float64), decimals); got != want {
			t.Errorf("%s is %s, published as %s", name, got, want)
		}
	}
	for _, a := range report.Alerts {
		if a.Explanation == nil || a.Explanation.Summary.FR == "" {
			t.Errorf("the alert of %v does not explain itself", a.Time)
		}
	}
}

// TestAValueBelowWhatTheSensorShowsRingsLikeALowOne holds the word to the number that
// is just below the bound.
func TestAValueBelowWhatTheSensorShowsRingsLikeALowOne(t *testing.T) {
	series := func(low string) string {
		var b strings.Builder
		b.WriteString("time,mg/dL\n")
		begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for i := range 144 {
			value := "110"
			if i >= 60 && i < 87 {
				value = low
			}
			b.WriteString(begin.Add(time.Duration(i)*5*time.Minute).Format("2006-01-02T15:04:05") + "," + value + "\n")
		}
		return file(t, "lows.csv", b.String())
	}
	rung := func(csv string, more ...string) []string {
		report := replayOf(t, append([]string{"--protocol", "diabetes", "--csv", csv, "--measure", "glucose", "--column", "mg/dL"}, more...)...)
		var rules []string
		for _, a := range report.Alerts {
			rules = append(rules, a.Rule+" "+a.Time.String())
		}
		return rules
	}
	number := rung(series("39"))
	if word, sign := rung(series("Low"), "--low", "40"), rung(series("<40")); len(number) == 0 || !slices.Equal(word, number) || !slices.Equal(sign, number) {
		t.Errorf("39 rings %v, Low rings %v, <40 rings %v", number, word, sign)
	}
}
