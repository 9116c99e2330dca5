package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/library"
)

// vigieProtocols runs `vigie protocols …` and returns what it printed and its
// error.
func vigieProtocols(args ...string) (string, error) {
	var out bytes.Buffer
	command := protocolsCommand()
	command.SilenceUsage, command.SilenceErrors = true, true
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs(args)
	err := command.Execute()
	return out.String(), err
}

// copyOf puts a protocol of the library, and its tests, into a folder of its own
// after a change.
func copyOf(t *testing.T, id string, change ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{id + ".yaml", id + ".test.yaml"} {
		data, err := library.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(change...).Replace(string(data))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, id+".yaml")
}

func TestProtocolsCheckNamesThePlaceAndTheWayOut(t *testing.T) {
	file := copyOf(t, "heart-failure", "above: fast-gain, margin: 0.5 kg} # today", "above: fast-gian, margin: 0.5 kg} # today")
	for _, c := range []struct {
		arguments []string
		says      []string
	}{
		{nil, []string{"erreur unknown-parameter: il n'y a pas de paramètre « fast-gian »", "vouliez-vous dire « fast-gain » ?", "1 protocole : 1 erreur,"}},
		{[]string{"--language", "en"}, []string{`error unknown-parameter: there is no parameter "fast-gian"`, `did you mean "fast-gain"?`, "1 protocol checked: 1 error,"}},
		{[]string{"--format", "sarif"}, []string{"il n'y a pas de paramètre « fast-gian »"}},
		{[]string{"--format", "sarif", "--language", "en"}, []string{"there is no parameter"}},
		{[]string{"--format", "json"}, []string{`"message": "il n'y a pas de paramètre`}},
		{[]string{"--format", "json", "--language", "en"}, []string{`"message": "there is no parameter`}},
	} {
		out, err := vigieProtocols(append([]string{"check", file}, c.arguments...)...)
		if !errors.Is(err, exitStatus(1)) {
			t.Errorf("%v: the exit status is %v; want 1", c.arguments, err)
		}
		for _, want := range append(c.says, file) {
			if !strings.Contains(out, want) {
				t.Errorf("%v: %q is not in\n%s", c.arguments, want, out)
			}
		}
	}
}

func TestProtocolsCheckInTheFormatsOfMachines(t *testing.T) {
	file := copyOf(t, "heart-failure", "too_late: 24h", "to_late: 24h")
	out, err := vigieProtocols("check", "--format", "json", file)
	if !errors.Is(err, exitStatus(1)) {
		t.Errorf("the exit status is %v; want 1", err)
	}
	var report struct {
		Files    []string
		Problems []struct {
			File, Code   string
			Line, Column int
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Files) != 1 || len(report.Problems) != 2 || report.Problems[1].Code != "unknown-key" || report.Problems[1].Line < 200 {
		t.Errorf("got %+v", report)
	}
	out, _ = vigieProtocols("check", "--format", "sarif", file)
	var sarif struct {
		Version string
		Runs    []struct {
			Results []struct {
				RuleID    string `json:"ruleId"`
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &sarif); err != nil {
		t.Fatal(err)
	}
	if sarif.Version != "2.1.0" || len(sarif.Runs) != 1 || len(sarif.Runs[0].Results) != 2 {
		t.Fatalf("got %+v", sarif)
	}
	result := sarif.Runs[0].Results[1]
	if result.RuleID != "unknown-key" || result.Level != "error" || result.Locations[0].PhysicalLocation.ArtifactLocation.URI != file || result.Locations[0].PhysicalLocation.Region.StartLine < 200 {
		t.Errorf("got %+v", result)
	}
}

func TestProtocolsCheckOfWhatIsNoYAMLOrNotThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(file, []byte("id: [1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := vigieProtocols("check", file)
	if !errors.Is(err, exitStatus(1)) || !strings.Contains(out, "not-yaml") {
		t.Errorf("got %v and\n%s", err, out)
	}
	if _, err := vigieProtocols("check", "nowhere"); err == nil || !strings.Contains(err.Error(), "heart-failure") {
		t.Errorf("got %v; want a sentence that lists what ships", err)
	}
	if _, err := vigieProtocols("check", "--format", "xml", "heart-failure"); err == nil || !strings.Contains(err.Error(), "sarif") {
		t.Errorf("got %v; want a sentence that lists the formats", err)
	}
}

func TestEveryToolWorksOnEveryShippedProtocol(t *testing.T) {
	t.Parallel()
	for _, id := range library.Names() {
		for _, args := range [][]string{
			{"check", id}, {"test", id}, {"show", id}, {"show", id, "--language", "en"}, {"show", id, "--format", "html"}, {"diff", "heart-failure", id},
		} {
			if out, err := vigieProtocols(args...); err != nil || out == "" {
				t.Errorf("vigie protocols %s: %v\n%s", strings.Join(args, " "), err, out)
			}
		}
	}
	out, err := vigieProtocols("list")
	if err != nil || strings.Count(out, "\n") != len(library.Names()) {
		t.Errorf("list: %v\n%s", err, out)
	}
}

func TestProtocolsTestTellsWhatCameOutDifferently(t *testing.T) {
	file := copyOf(t, "heart-failure", "    default: 2\n    min: 1\n    max: 5\n", "    default: 3\n    min: 1\n    max: 5\n")
	junit := filepath.Join(t.TempDir(), "report.xml")
	out, err := vigieProtocols("test", file, "--junit", junit, "--language", "en")
	if !errors.Is(err, exitStatus(1)) {
		t.Errorf("the exit status is %v; want 1", err)
	}
	for _, want := range []string{"FAILED Plus de 2 kg en trois jours", "expected weight-gain-fast orange at day 4 07:30; it did not come"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	french, _ := vigieProtocols("test", file)
	for _, want := range []string{"ÉCHEC Plus de 2 kg en trois jours", "alerte attendue : weight-gain-fast orange à « day 4 07:30 » ; elle n'est pas venue"} {
		if !strings.Contains(french, want) {
			t.Errorf("%q is not in\n%s", want, french)
		}
	}
	data, err := os.ReadFile(junit)
	if err != nil {
		t.Fatal(err)
	}
	var report junitSuites
	if err := xml.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Suites) != 1 || report.Suites[0].Failures == 0 || report.Suites[0].Failures == report.Suites[0].Tests || len(report.Suites[0].Cases) != report.Suites[0].Tests {
		t.Errorf("the report holds %+v", report)
	}
}

func TestProtocolsTestWithoutTestsFails(t *testing.T) {
	file := copyOf(t, "copd")
	if err := os.Remove(strings.TrimSuffix(file, ".yaml") + ".test.yaml"); err != nil {
		t.Fatal(err)
	}
	if out, err := vigieProtocols("test", file); !errors.Is(err, exitStatus(1)) || !strings.Contains(out, "no-tests") {
		t.Errorf("got %v and\n%s", err, out)
	}
}

// Nothing that was played is no success: no count of it is printed, and no failure is left
// out of one.
func TestProtocolsTestCountsOnlyWhatWasPlayed(t *testing.T) {
	t.Parallel()
	for tests, want := range map[string][2]string{
		"protocol: copd\ntests: [\n": {"aucun essai n'a été joué", "no test was played"},
		"protocol: copd\ntests:\n  - name: one\n    readings: 3\n    expect: []\n":           {"aucun essai n'a été joué", "no test was played"},
		"protocol: heart-failure\ntests:\n  - name: one\n    readings: []\n    expect: []\n": {"aucun essai n'a été joué", "no test was played"},
	} {
		file := copyOf(t, "copd")
		if err := os.WriteFile(strings.TrimSuffix(file, ".yaml")+".test.yaml", []byte(tests), 0o600); err != nil {
			t.Fatal(err)
		}
		for i, language := range []string{"fr", "en"} {
			out, err := vigieProtocols("test", file, "--language", language)
			if !errors.Is(err, exitStatus(1)) || !strings.Contains(out, want[i]) || strings.Contains(out, "0 ") {
				t.Errorf("%q: got %v and\n%s", tests, err, out)
			}
		}
	}
}

func TestProtocolsShowIsToPrintAndSign(t *testing.T) {
	out, err := vigieProtocols("show", "heart-failure")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Télésurveillance de l'insuffisance cardiaque", "### Prise de poids rapide", "plus de 2 kg", "signature :"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	page, err := vigieProtocols("show", "heart-failure", "--format", "html", "--language", "en")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page, `<html lang="en">`) || !strings.Contains(page, "<h3>Fast weight gain</h3>") || strings.Contains(page, "<script") || strings.Contains(page, "http") {
		t.Errorf("this is no self-contained page in English:\n%s", page)
	}
}

func TestProtocolsShowPutsSettingsInPlace(t *testing.T) {
	out, err := vigieProtocols("show", "heart-failure", "--settings", "fast-gain=1.5")
	if err != nil || !strings.Contains(out, "plus de 1,5 kg (proposé)") {
		t.Errorf("got %v and\n%s", err, out)
	}
	if _, err := vigieProtocols("show", "heart-failure", "--settings", "fast-gain=9"); err == nil || !strings.Contains(err.Error(), "5 kg") {
		t.Errorf("got %v; want a sentence with the bounds", err)
	}
}

func TestProtocolsShowOfAPatientOfTheStore(t *testing.T) {
	patient := registry.Enrolment{
		ID: "e1", Patient: "p-1", Protocol: "heart-failure", Version: "11",
		Settings: protocols.Settings{"fast-gain": {Value: 1200, Author: "Dr Martin", Date: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Reason: "petit gabarit"}},
	}
	show := func(id string) (string, error) {
		var out bytes.Buffer
		command := protocolsShowCommand(func(*cobra.Command) (pastStore, error) { return &singleEnrolment{patient, nil}, nil })
		command.SetOut(&out)
		command.SetArgs([]string{id, "--patient", "p-1"})
		command.SilenceUsage, command.SilenceErrors = true, true
		err := command.ExecuteContext(t.Context())
		return out.String(), err
	}
	if _, err := show("copd"); err == nil || !strings.Contains(err.Error(), "p-1 is under heart-failure version 11") {
		t.Errorf("got %v; want a sentence that says under what the patient is", err)
	}
	out, err := show("heart-failure")
	if err != nil || !strings.Contains(out, "Réglé par Dr Martin le 01/03/2026 : petit gabarit") || !strings.Contains(out, "plus de 1,2 kg (réglé pour ce patient)") {
		t.Errorf("got %v and\n%s", err, out)
	}
}

func TestAPatientUnderAFormerVersionIsShownAndExplainedUnderIt(t *testing.T) {
	former, err := readProtocol(copyOf(t, "heart-failure", `version: "11"`, `version: "0.9"`, "    default: 2\n    min: 1\n    max: 5\n", "    default: 1.7\n    min: 1\n    max: 5\n"))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	patient := registry.Enrolment{ID: "e1", Patient: "p-1", Protocol: "heart-failure", Version: "0.9", Zone: "Europe/Paris", From: begun}
	open := func(*cobra.Command) (pastStore, error) { return &singleEnrolment{patient, former}, nil }

	out, err := run(t, protocolsShowCommand(open), "heart-failure", "--patient", "p-1")
	if err != nil || !strings.Contains(out, "version 0.9") || !strings.Contains(out, "1,7 kg par défaut") {
		t.Errorf("got %v and\n%s", err, out)
	}
	a := explanationOf(t, open, "--patient", "p-1", "--rule", "weight-gain-fast", "--at", "2026-03-14")
	if a.Version != "0.9" || a.Levels[0].Comparisons[0].Threshold != 1700 {
		t.Errorf("explained under version %s: %+v", a.Version, a.Levels[0].Comparisons)
	}
}

// singleEnrolment is a store with a single enrolment, the version it is followed
// under where it was used, and no readings.
type singleEnrolment struct {
	enrolment registry.Enrolment
	used      *protocols.Protocol
}

func (s *singleEnrolment) Protocol(id, version string) *protocols.Protocol {
	if s.used == nil || s.used.ID != id || s.used.Version != version {
		return nil
	}
	return s.used
}

func (s *singleEnrolment) EnrolmentsOf(context.Context, string) ([]registry.Enrolment, error) {
	return []registry.Enrolment{s.enrolment}, nil
}

func (s *singleEnrolment) EnrolmentsUnder(context.Context, string) ([]registry.Enrolment, error) {
	return []registry.Enrolment{s.enrolment}, nil
}

func (s *singleEnrolment) History(context.Context, string, *protocols.Measure, time.Time, time.Time, func(*protocols.Reading) bool) error {
	return nil
}

func (s *singleEnrolment) Close() error { return nil }

func TestProtocolsDiffOfTwoVersions(t *testing.T) {
	file := copyOf(t, "heart-failure", `version: "11"`, `version: "12"`, "    default: 2\n    min: 1\n    max: 5\n", "    default: 1.5\n    min: 1\n    max: 5\n")
	out, err := vigieProtocols("diff", "heart-failure", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# De heart-failure version 11 à heart-failure version 12", "Changé : Prise de poids rapide : 1,5 kg"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestProtocolsSchemaIsJSON(t *testing.T) {
	for _, args := range [][]string{{"schema"}, {"schema", "--tests"}} {
		out, err := vigieProtocols(args...)
		if err != nil || !json.Valid([]byte(out)) {
			t.Errorf("got %v and\n%s", err, out)
		}
	}
}

// A comma is how a French hand writes decimals: one complaint, and the right one.
func TestACommaInANumberIsOneErrorThatSaysWhatToWrite(t *testing.T) {
	for name, change := range map[string][]string{
		"on a line of its own": {"    default: 2.5\n    min: 1.5\n", "    default: 2,5\n    min: 1.5\n"},
		"between braces":       {"above: week-gain, margin: 0.5 kg}\n            - any: # one odd", "above: 2,5, margin: 0.5 kg}\n            - any: # one odd"},
		"twice in one pair":    {"above: week-gain, margin: 0.5 kg}\n            - any: # one odd", "above: 2,5, margin: 0,5}\n            - any: # one odd"},
	} {
		out, err := vigieProtocols("check", copyOf(t, "heart-failure", change...), "--language", "en")
		if !errors.Is(err, exitStatus(1)) || strings.Count(out, "error ") != 1 || !strings.Contains(out, "decimals after a point") {
			t.Errorf("%s: got %v and\n%s", name, err, out)
		}
	}
}

func TestOneValueOfABloodPressureIsToldHowToWriteBoth(t *testing.T) {
	for written, wanted := range map[string]string{
		"value: 165":    "write values: {systolic: 165, diastolic: …}",
		"values: 165":   "write values: {systolic: 165, diastolic: …}",
		"value: 165/95": "write values: {systolic: 165, diastolic: 95}",
	} {
		file := copyOf(t, "hypertension")
		tests := "protocol: hypertension\ntests:\n  - name: one value\n    readings:\n      - {at: day 1 08:00, measure: blood-pressure, " + written + "}\n    expect: []\n"
		if err := os.WriteFile(strings.Replace(file, ".yaml", ".test.yaml", 1), []byte(tests), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"check", "test"} {
			out, err := vigieProtocols(command, file, "--language", "en")
			if !errors.Is(err, exitStatus(1)) || !strings.Contains(out, wanted) {
				t.Errorf("%s of %s: got %v, and %q is not in\n%s", command, written, err, wanted, out)
			}
		}
	}
}

func TestAFileWithoutATestIsNoSuccess(t *testing.T) {
	file := copyOf(t, "hypertension")
	if err := os.WriteFile(strings.Replace(file, ".yaml", ".test.yaml", 1), []byte("protocol: hypertension\ntests: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"check", "test"} {
		if out, err := vigieProtocols(command, file); !errors.Is(err, exitStatus(1)) || !strings.Contains(out, "aucun essai : rien n'a été montré") {
			t.Errorf("%s: got %v and\n%s", command, err, out)
		}
	}
}

// Measures beside a protocol are a part of what is checked: what is wrong with them is told
// with the rest, in the person's language, and does not hide what is wrong with the protocol.
func TestProtocolsCheckTellsOfTheMeasuresBesideAProtocol(t *testing.T) {
	protocol := copyOf(t, "heart-failure", "above: fast-gain, margin: 0.5 kg} # today", "above: fast-gian, margin: 0.5 kg} # today")
	folder := filepath.Dir(protocol)
	write := func(name, measures string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("version: \"1\"\nmeasures:\n"+measures), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const spasm = "  spasm-of-two: {title: {fr: spasme, en: spasm}, unit: kg, from: 0, to: "
	first, second := write("a.measures.yaml", "  pain: {title: {fr: force, en: force}, unit: kg, from: 0, to: 10}\n"), write("b.measures.yaml", "  own: {title: {fr: seul}, unit: kg, from: 0, to: 10}\n")
	out, err := vigieProtocols("check", protocol)
	for _, says := range []string{
		"a.measures.yaml:3:9: erreur measure-taken: il y a déjà une mesure « pain » (douleur), et elle dit autre chose",
		"b.measures.yaml:3:16: erreur missing-translation: ce texte n'est pas traduit en anglais",
		"erreur unknown-parameter: il n'y a pas de paramètre « fast-gian »", "vérification de 1 protocole : 3 erreurs",
	} {
		if !errors.Is(err, exitStatus(1)) || !strings.Contains(out, says) {
			t.Errorf("%q is not in\n%s", says, out)
		}
	}
	write("a.measures.yaml", "  own-of-three: {title: {fr: seul, en: alone}, unit: kg, from: 0, to: 0,5}\n")
	text, err := os.ReadFile(protocol)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(protocol, []byte(strings.Replace(string(text), "  - measure: weight\n", "  - measure: own-of-three\n  - measure: weight\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = vigieProtocols("check", protocol)
	if !errors.Is(err, exitStatus(1)) || strings.Count(out, " erreur ") != 3 || strings.Contains(out, "unknown-measure") {
		t.Errorf("a measure that cannot be read is also unknown: %v\n%s", err, out)
	}
	write("a.measures.yaml", spasm+"10}\n")
	write("b.measures.yaml", spasm+"20}\n")
	out, err = vigieProtocols("check", first, second)
	if !errors.Is(err, exitStatus(1)) || !strings.Contains(out, "b.measures.yaml:3:17: erreur measure-taken: il y a déjà une mesure « spasm-of-two »") || !strings.Contains(out, "vérification de 2 fichiers : 1 erreur") {
		t.Errorf("two that say otherwise: %v\n%s", err, out)
	}
}
