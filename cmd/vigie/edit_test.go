package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
)

// byHand runs a command line that changes the registry in a folder, as
// `vigie setting set …` does.
func byHand(t *testing.T, folder string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	open := func(command *cobra.Command) (registryStore, error) {
		c := config.Default()
		c.Data = folder
		return service.OpenTools(command.Context(), c)
	}
	root := &cobra.Command{Use: "vigie", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(patientCommand(open), enrolmentCommand(open), settingCommand(open), consentCommand(open), deviceCommand(open))
	var out, complaints bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&complaints)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), complaints.String(), err
}

// aWard is a folder whose registry holds one patient, whose prescription ends a month
// from now.
func aWard(t *testing.T) (folder string, ends time.Time) {
	t.Helper()
	folder = t.TempDir()
	began := time.Now().AddDate(0, -3, 0)
	ends = time.Now().AddDate(0, 1, 0)
	text := strings.NewReplacer("2026-01-02", began.AddDate(0, 0, -3).Format(time.DateOnly), "2026-01-05", began.Format(time.DateOnly), "2026-12-31", ends.Format(time.DateOnly)).Replace(oneWard)
	file := filepath.Join(folder, "ward.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, said, err := registryLine(t, folder, "import", "--author", "Op", "--passwords", filepath.Join(folder, "first.csv"), file); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return folder, ends
}

// holds runs a command line and looks for words in what it says.
func holds(t *testing.T, folder string, words []string, args ...string) {
	t.Helper()
	said, complaints, err := byHand(t, folder, args...)
	if err != nil {
		t.Fatalf("vigie %s: %v: %s", strings.Join(args, " "), err, complaints)
	}
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("vigie %s says nothing of %q:\n%s", strings.Join(args, " "), word, said)
		}
	}
}

// A week of an operator: nothing of it needs a file.
func TestAWeekOfAnOperatorByHand(t *testing.T) {
	t.Parallel()
	folder, ends := aWard(t)
	// Monday: Dr Aubry wants to be told sooner.
	holds(t, folder, []string{"fast-gain", "1,5", "Dr Aubry", "de 1 à"}, "setting", "list", "e-1")
	holds(t, folder, []string{"settings.fast-gain.value: 1.5 → 1.2", "C'est fait"},
		"setting", "set", "e-1", "fast-gain", "1,2", "--by", "Dr Aubry", "--reason", "sortie d'hôpital", "--author", "Op")
	holds(t, folder, []string{"fast-gain = 1,2 (Dr Aubry", "sortie d'hôpital"}, "patient", "show", "p-1")
	// Tuesday: she goes to hospital for a week, and is back sooner.
	until := time.Now().AddDate(0, 0, 7).Format(time.DateOnly)
	holds(t, folder, []string{"less is watched", "C'est fait"}, "enrolment", "pause", "e-1", "--until", until, "--reason", "hôpital", "--author", "Op")
	holds(t, folder, []string{"hôpital"}, "patient", "show", "p-1")
	holds(t, folder, []string{"C'est fait"}, "enrolment", "resume", "e-1", "--author", "Op")
	holds(t, folder, []string{"settings.fast-gain.value: 1.2 → —", "C'est fait"}, "setting", "unset", "e-1", "fast-gain", "--author", "Op")
	holds(t, folder, []string{"C'est fait"}, "setting", "set", "e-1", "fast-gain", "1,2", "--by", "Dr Aubry", "--reason", "sortie d'hôpital", "--author", "Op")
	// Wednesday: her scale is broken.
	passwords := filepath.Join(folder, "scale-2.csv")
	holds(t, folder, []string{"scale-1 → scale-2", "C'est fait"}, "device", "replace", "scale-1", "scale-2", "--serial", "B7", "--passwords", passwords, "--author", "Op")
	if written, err := os.ReadFile(passwords); err != nil || !strings.HasPrefix(string(written), "scale-2,") {
		t.Errorf("the password of the new scale: %q, %v", written, err)
	}
	rotated := filepath.Join(folder, "again.csv")
	holds(t, folder, []string{"secret"}, "device", "password", "scale-2", "--passwords", rotated, "--author", "Op")
	// Thursday: the prescription is renewed; the past goes on.
	later := ends.AddDate(0, 5, 0).Format(time.DateOnly)
	holds(t, folder, []string{"C'est fait"}, "enrolment", "renew", "e-1", "--until", later, "--as", "e-2", "--author", "Op")
	holds(t, folder, []string{"e-1  en cours", "e-2  à venir", "fast-gain = 1,2"}, "patient", "show", "p-1")
	// Friday: she withdraws her consent. It holds at once.
	holds(t, folder, []string{"C'est fait"}, "consent", "withdraw", "e-1", "--author", "Op")
	holds(t, folder, []string{"C'est fait"}, "consent", "withdraw", "e-2", "--author", "Op")
	holds(t, folder, []string{"e-1  finie", "retiré le"}, "patient", "show", "p-1")
}

// What a file may not do, a hand may not.
func TestAChangeByHandIsCheckedLikeAFile(t *testing.T) {
	t.Parallel()
	folder, _ := aWard(t)
	for name, refused := range map[string]struct {
		args []string
		says string
	}{
		"beyond its bounds": {[]string{"setting", "set", "e-1", "fast-gain", "99", "--by", "Dr Aubry", "--reason", "x"}, "erreur bounds: « fast-gain » se règle de 1 à 5 kg (settings.fast-gain.value)"},
		"an unknown one":    {[]string{"setting", "set", "e-1", "fast-gian", "2", "--by", "Dr Aubry", "--reason", "x"}, "fast-gian"},
		"no number":         {[]string{"setting", "set", "e-1", "fast-gain", "2 kg", "--by", "Dr Aubry", "--reason", "x"}, "without the unit"},
		"none to take away": {[]string{"setting", "unset", "e-1", "week-gain"}, "has no setting week-gain"},
		"nobody's decision": {[]string{"setting", "set", "e-1", "fast-gain", "2"}, "--by"},
		"another version":   {[]string{"enrolment", "migrate", "e-1", "--to", "99"}, "99"},
		"no end":            {[]string{"enrolment", "pause", "e-1", "--reason", "x"}, "--until"},
		"no pause":          {[]string{"enrolment", "resume", "e-1"}, "no pause"},
		"too long":          {[]string{"enrolment", "renew", "e-1", "--until", "2099-01-01"}, "un an au plus"},
		"no enrolment":      {[]string{"consent", "withdraw", "e-9"}, "e-9"},
		"no device":         {[]string{"device", "replace", "scale-9", "scale-2"}, "scale-9"},
		"no patient":        {[]string{"patient", "show", "p-9"}, "p-9"},
	} {
		args := refused.args
		if args[0] != "patient" {
			args = append(args, "--author", "Op")
		}
		said, complaints, err := byHand(t, folder, args...)
		if err == nil || !strings.Contains(complaints+err.Error(), refused.says) {
			t.Errorf("%s: %v %s%s", name, err, complaints, said)
		}
	}
	if _, _, err := byHand(t, folder, "consent", "withdraw", "e-1"); err == nil {
		t.Error("a change was kept under nobody's name")
	}
	holds(t, folder, []string{"Rien n'est changé"}, "consent", "withdraw", "e-1", "--dry-run")
	holds(t, folder, []string{"e-1  en cours"}, "patient", "show", "p-1")
}

// Who changed what of whom by hand, and who looked, stands in the trail.
func TestAChangeByHandLeavesATrace(t *testing.T) {
	folder, _ := aWard(t)
	typedWell(t, folder, "consent", "withdraw", "e-1", "--author", "Op")
	typedWell(t, folder, "patient", "show", "p-1")
	typedWell(t, folder, "explain", "--patient", "p-1", "--rule", "weight-gain-fast", "--at", time.Now().AddDate(0, 0, -1).Format(time.DateOnly))
	if said, err := typed(t, folder, "replay", "--protocol", "heart-failure", "--patient", "p-1"); err == nil || !strings.Contains(err.Error(), "no reading") {
		t.Errorf("a replay of nothing: %v %s", err, said)
	}
	typedWell(t, folder, "patient", "export", "p-1", "--author", "Op", "--reason", "demande", "--output", filepath.Join(t.TempDir(), "p-1.zip"))
	found := typedWell(t, folder, "audit", "search", "--patient", "p-1")
	for _, deed := range []string{"vigie consent withdraw", "vigie patient show", "vigie explain", "vigie replay", "vigie patient export"} {
		if !strings.Contains(found, deed) {
			t.Errorf("the trail of the patient says nothing of %q:\n%s", deed, found)
		}
	}
}

// Patients and devices are added, found and moved together without a file.
func TestARegistryIsFilledAndSearchedByHand(t *testing.T) {
	t.Parallel()
	folder, ends := aWard(t)
	typedWell(t, folder, "patient", "add", "p-2", "--ins", "151032A00412341", "--oid", "1.2.250.1.213.1.4.10", "--birth-name", "ROUX", "--given-names", "INÈS JEANNE",
		"--sex", "M", "--birth-date", "1951-03-27", "--birth-place", "2A004", "--author", "Op")
	typedWell(t, folder, "device", "add", "scale-2", "--serial", "B7-44", "--kind", "scale", "--passwords", filepath.Join(folder, "two.csv"), "--author", "Op")
	for words, want := range map[string]string{"ines": "p-2", "27/03/1951": "p-2", "durand": "p-1", "A1": "p-1", "": "p-1 p-2"} {
		line := append([]string{"patient", "list"}, strings.Fields(words)...)
		var found []string
		for row := range strings.Lines(typedWell(t, folder, line...)) {
			found = append(found, strings.Fields(row)[0])
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("vigie patient list %s: %s, want %s", words, got, want)
		}
	}
	for _, twice := range [][]string{{"patient", "add", "p-2"}, {"device", "add", "scale-2"}} {
		if said, err := typed(t, folder, append(twice, "--author", "Op")...); err == nil || !strings.Contains(said+err.Error(), "there already") {
			t.Errorf("%v again: %v %s", twice, err, said)
		}
	}
	if said := typedWell(t, folder, "device", "list", "--silent", "3"); !strings.Contains(said, "scale-1") || !strings.Contains(said, "p-1") || strings.Contains(said, "scale-2") {
		t.Errorf("the silent devices: %s", said)
	}
	if said := typedWell(t, folder, "device", "list"); !strings.Contains(said, "scale-2") {
		t.Errorf("the devices: %s", said)
	}
	if said := typedWell(t, folder, "enrolment", "list", "--ending", "40"); !strings.Contains(said, "e-1") || !strings.Contains(said, ends.Format(time.DateOnly)) {
		t.Errorf("what ends: %s", said)
	}
	typedWell(t, folder, "enrolment", "renew", "e-1", "--until", ends.AddDate(0, 5, 0).Format(time.DateOnly), "--as", "e-2", "--author", "Op")
	if said := typedWell(t, folder, "enrolment", "list", "--ending", "40"); strings.TrimSpace(said) != "" {
		t.Errorf("what is renewed ends: %s", said)
	}
}

// Whoever is followed under a version moves at once, or nobody.
func TestAllOfAVersionMoveTogether(t *testing.T) {
	folder, ends := aWard(t)
	typedWell(t, folder, "enrolment", "renew", "e-1", "--until", ends.AddDate(0, 5, 0).Format(time.DateOnly), "--as", "e-2", "--author", "Op")
	shelf, err := service.NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	added := t.TempDir()
	next := strings.Replace(shelf.Text("heart-failure", "11"), `version: "11"`, `version: "12"`, 1)
	if err := os.WriteFile(filepath.Join(added, "heart-failure-12.yaml"), []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	move := func(args ...string) (string, error) {
		open := func(command *cobra.Command) (registryStore, error) {
			c := config.Default()
			c.Data, c.Protocols.Folders = folder, []string{added}
			return service.OpenTools(command.Context(), c)
		}
		command := enrolmentCommand(open)
		var out bytes.Buffer
		command.SetOut(&out)
		command.SetErr(&out)
		command.SetArgs(append([]string{"migrate", "--all", "heart-failure@11"}, args...))
		err := command.ExecuteContext(t.Context())
		return out.String(), err
	}
	if said, err := move("--to", "99", "--author", "Op"); err == nil {
		t.Errorf("moved to a version that is not there: %s", said)
	}
	if said, err := move("--to", "12", "--dry-run"); err != nil || strings.Count(said, "version: 11 → 12") != 2 {
		t.Errorf("what would move: %v %s", err, said)
	}
	if said, err := move("--to", "12", "--author", "Op"); err != nil {
		t.Errorf("moved: %v %s", err, said)
	}
	if said := typedWell(t, folder, "enrolment", "list", "--protocol", "heart-failure@12"); !strings.Contains(said, "e-1") || !strings.Contains(said, "e-2") {
		t.Errorf("moved: %s", said)
	}
	if said, err := move("--to", "12", "--author", "Op"); err == nil || !strings.Contains(said+err.Error(), "nobody is followed") {
		t.Errorf("moved again: %v %s", err, said)
	}
}

func TestAPatientRefusesOtherTeams(t *testing.T) {
	folder, _ := aWard(t)
	holds(t, folder, []string{"consent.team_only:", "true", "C'est fait"}, "consent", "team-only", "e-1", "--author", "Op")
	holds(t, folder, []string{"C'était déjà ainsi"}, "consent", "team-only", "e-1", "--author", "Op")
	holds(t, folder, []string{"C'était déjà ainsi"}, "consent", "give", "e-1", "--author", "Op") // which lifts nothing
	holds(t, folder, []string{"consent.research", "C'est fait"}, "consent", "purpose", "e-1", "research", "--with", "OSICAT", "--author", "Op")
	holds(t, folder, []string{"consent.research", "C'est fait"}, "consent", "purpose", "e-1", "research", "--refuse", "--author", "Op")
	holds(t, folder, []string{"consent.notice", "C'est fait"}, "consent", "give", "e-1", "--notice", "3", "--how", "oral", "--author", "Op")
	holds(t, folder, []string{"consent.team_only: true", "C'est fait"}, "consent", "team-only", "e-1", "--lift", "--author", "Op")
}
