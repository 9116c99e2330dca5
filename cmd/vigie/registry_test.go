package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/ingest/registry"
	"vigie/ingest/stores/sqlite"
)

// registryLine runs `vigie registry …` on the store in a folder.
func registryLine(t *testing.T, folder string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	command := registryCommand(func(command *cobra.Command) (registryStore, error) {
		c := config.Default()
		c.Data = folder
		return service.OpenTools(command.Context(), c)
	})
	var out, complaints bytes.Buffer
	command.SetOut(&out)
	command.SetErr(&complaints)
	command.SetArgs(args)
	command.SilenceErrors, command.SilenceUsage = true, true
	err = command.ExecuteContext(t.Context())
	return out.String(), complaints.String(), err
}

const oneWard = `teams:
  - {id: cardio, name: Cardiologie, time_zone: Europe/Paris, opens: "08:30", closes: "18:00", days: [monday]}
patients:
  - id: p-1
    identity: {ins: "277076322082910", oid: 1.2.250.1.213.1.4.10, birth_name: DURAND, given_names: ANNE MARIE,
      first_given_name: ANNE, sex: F, birth_date: 1977-07-04, birth_place: "63220"}
devices:
  - {name: scale-1, serial: A1, kind: scale, brand: B, model: M}
enrolments:
  - id: e-1
    patient: p-1
    protocol: heart-failure
    version: "11"
    time_zone: Europe/Paris
    team: cardio
    physician: "10001234565"
    devices: [scale-1]
    consent: {given: true, date: 2026-01-02, scope: weight}
    from: 2026-01-05
    prescription_end: 2026-12-31
    settings:
      fast-gain: {value: 1.5, author: Dr Aubry, date: 2026-01-05, reason: petit gabarit}
`

func write(t testing.TB, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRegistryGoesInAndComesOutAgain(t *testing.T) {
	folder := t.TempDir()
	file, passwords := write(t, folder, "ward.yaml", oneWard), filepath.Join(folder, "passwords.csv")
	_, complaints, err := registryLine(t, folder, "import", file, "--author", "admin")
	if err == nil || !strings.Contains(err.Error(), "--passwords") {
		t.Fatalf("passwords would have been lost: %v %s", err, complaints)
	}
	said, complaints, err := registryLine(t, folder, "import", file, "--author", "admin", "--passwords", passwords)
	if err != nil || !strings.Contains(said, "4 added") {
		t.Fatalf("%v\n%s%s", err, said, complaints)
	}
	line, err := os.ReadFile(passwords)
	if err != nil {
		t.Fatal(err)
	}
	_, password, _ := strings.Cut(strings.TrimSpace(string(line)), ",")

	exported, complaints, err := registryLine(t, folder, "export", "--author", "admin", "--reason", "sauvegarde")
	if err != nil {
		t.Fatalf("%v %s", err, complaints)
	}
	if strings.Contains(exported, password) || !strings.Contains(exported, "from: 2026-01-05\n") || !strings.Contains(exported, "value: 1.5") {
		t.Errorf("exported:\n%s", exported)
	}
	said, complaints, err = registryLine(t, folder, "import", write(t, folder, "again.yaml", exported), "--author", "admin")
	if err != nil || !strings.Contains(said, "0 added, 0 changed, 4 unchanged") {
		t.Errorf("importing the export: %v\n%s%s", err, said, complaints)
	}
	again, complaints, err := registryLine(t, folder, "export", "--author", "admin", "--reason", "sauvegarde")
	if err != nil || again != exported {
		t.Errorf("a second export differs: %v %s\n%s", err, complaints, again)
	}
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	scale, err := store.Device(t.Context(), "scale-1")
	if err != nil || !registry.CheckSecret(scale.Device.Secret, password) {
		t.Errorf("the password that was handed out does not open: %v", err)
	}
}

func TestDryRunListsEveryProblemAndImportsNothing(t *testing.T) {
	folder := t.TempDir()
	bad := strings.NewReplacer("277076322082910", "277076322082911", "team: cardio", "team: cardoi", "value: 1.5", "value: 9",
		"10001234565", "10001234567", "scale-1, serial", "scale-1, seriel").Replace(oneWard)
	file := write(t, folder, "ward.yaml", bad)
	_, complaints, err := registryLine(t, folder, "import", file, "--dry-run")
	if err == nil {
		t.Error("a file with problems was taken")
	}
	for _, want := range []string{
		file + ":5:21: erreur bad-ins: ce n'est pas un INS : 13 caractères, et la clé de 2 chiffres qui leur va (patients[0].identity.ins)\n    relire l'INS",
		"unknown-key: ", "vouliez-vous dire « serial » ?",
		"unknown-team: ", "vouliez-vous dire « cardio » ?",
		"bounds: ", "se règle de",
		"bad-rpps: ",
	} {
		if !strings.Contains(complaints, want) {
			t.Errorf("nothing says %q in:\n%s", want, complaints)
		}
	}
	if _, complaints, err := registryLine(t, folder, "import", file, "--dry-run", "--language", "en"); err == nil || !strings.Contains(complaints, file+":5:21: error bad-ins: this is not an INS") {
		t.Errorf("in English: %v\n%s", err, complaints)
	}
	said, _, err := registryLine(t, folder, "import", write(t, folder, "good.yaml", oneWard), "--dry-run")
	if err != nil || !strings.Contains(said, "1 would get a password") {
		t.Errorf("%v %s", err, said)
	}
	if exported, _, err := registryLine(t, folder, "export", "--author", "a", "--reason", "r"); err != nil || exported != "" {
		t.Errorf("a dry run left something behind: %v\n%s", err, exported)
	}
}

func TestAnImportShowsWhatItChanges(t *testing.T) {
	folder := t.TempDir()
	if said, complaints, err := registryLine(t, folder, "import", write(t, folder, "ward.yaml", oneWard), "--author", "admin", "--passwords", filepath.Join(folder, "passwords.csv")); err != nil || strings.Contains(said, "→") {
		t.Fatalf("%v %s%s", err, said, complaints)
	}
	other := strings.NewReplacer("prescription_end: 2026-12-31", "prescription_end: 2026-06-30\n    pauses:\n      - {from: 2026-03-01, until: 2026-03-10, author: Dr Serre, reason: hospital}",
		"value: 1.5, author: Dr Aubry, date: 2026-01-05", "value: 2, author: Dr Serre, date: 2026-02-01", "serial: A1", "serial: A7").Replace(oneWard)
	file := write(t, folder, "other.yaml", other)
	want := []string{
		"device scale-1: serial: A1 → A7\n",
		"enrolment e-1: settings.fast-gain.value: 1.5 → 2\n", "enrolment e-1: settings.fast-gain.author: Dr Aubry → Dr Serre\n",
		"enrolment e-1: pauses[0].reason: — → hospital  ! less is watched\n",
		"enrolment e-1: pauses[0].from: — → 2026-03-01  ! less is watched\n", "enrolment e-1: settings.fast-gain.date: 2026-01-05 → 2026-02-01\n",
	}
	for _, run := range [][]string{{"--dry-run"}, {"--author", "Dr Serre", "--allow-loosening", "pauses:e-1,prescription_end:e-1"}} {
		said, complaints, err := registryLine(t, folder, append([]string{"import", file}, run...)...)
		if err != nil {
			t.Fatalf("%v %s", err, complaints)
		}
		for _, line := range want {
			if !strings.Contains(said, line) {
				t.Errorf("%v lacks %q in:\n%s", run, line, said)
			}
		}
		if !regexp.MustCompile(`(?m)^enrolment e-1: prescription_end: \S+ → \S+  ! less is watched$`).MatchString(said) {
			t.Errorf("%v does not say that the watch ends sooner:\n%s", run, said)
		}
		if strings.Contains(said, "277076322082910") || strings.Contains(said, "secret") || strings.Contains(said, "fast-gain.date: —") {
			t.Errorf("%v says too much:\n%s", run, said)
		}
	}
	if said, _, err := registryLine(t, folder, "import", file, "--dry-run"); err != nil || strings.Contains(said, "→") {
		t.Errorf("the same again changes:\n%s%v", said, err)
	}
}

// TestWhatLoosensTheWatchIsNamed imports changes after each of which less is watched.
func TestWhatLoosensTheWatchIsNamed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if _, complaints, err := registryLine(t, folder, "import", write(t, folder, "ward.yaml", oneWard), "--author", "admin", "--passwords", filepath.Join(folder, "passwords.csv")); err != nil {
		t.Fatalf("%v %s", err, complaints)
	}
	const settings = "\n    settings:\n      fast-gain: {value: 1.5, author: Dr Aubry, date: 2026-01-05, reason: petit gabarit}"
	for _, c := range []struct{ former, next, name string }{
		{"prescription_end: 2026-12-31", "prescription_end: 2026-12-30", "prescription_end:e-1"},
		{"scope: weight}", "scope: weight, withdrawn: 2026-02-01}", "consent:e-1"},
		{settings, settings + "\n    pauses: [{from: 2026-03-01, until: 2026-03-10, author: Dr Serre, reason: hospital}]", "pauses:e-1"},
		{"devices: [scale-1]", "devices: []", "devices:e-1"},
		{"value: 1.5, author: Dr Aubry, date: 2026-01-05", "value: 2, author: Dr Aubry, date: 2026-01-03", "settings.fast-gain:e-1"},
	} {
		file := write(t, folder, "changed.yaml", strings.Replace(oneWard, c.former, c.next, 1))
		if said, complaints, err := registryLine(t, folder, "import", file, "--author", "Dr Serre", "--allow-loosening", "consent:e-2"); err == nil || !strings.Contains(fmt.Sprint(err, complaints), "--allow-loosening "+c.name) {
			t.Errorf("%s, not named: %v\n%s%s", c.name, err, said, complaints)
		}
		if said, complaints, err := registryLine(t, folder, "import", file, "--dry-run", "--allow-loosening", c.name); err != nil || !strings.Contains(said, "may be imported:") {
			t.Errorf("%s, named: %v\n%s%s", c.name, err, said, complaints)
		}
	}
	// An older file is refused as a whole, and one that is named takes effect.
	file := write(t, folder, "changed.yaml", strings.Replace(oneWard, "prescription_end: 2026-12-31", "prescription_end: 2026-12-30", 1))
	if said, complaints, err := registryLine(t, folder, "import", file, "--author", "Dr Serre", "--allow-loosening", "prescription_end:e-1"); err != nil || !strings.Contains(said, "1 changed") {
		t.Errorf("%v %s%s", err, said, complaints)
	}
}

// A team that nobody can reach at some hour is said at import, which goes on.
func TestATeamThatNobodyReachesIsSaid(t *testing.T) {
	const line = `teams:
  - {id: cardio, name: Cardiologie, time_zone: Europe/Paris, opens: "08:30", closes: "18:00", days: [monday, tuesday, wednesday, thursday, friday], mail: [equipe@cardio.example]%s}
`
	for more, said := range map[string]string{
		``: "",
		`, escalate: [astreinte@cardio.example], out_of_hours: {red: on-call}`: "",
		`, out_of_hours: {red: on-call}`:                                       ":2:5: avertissement unreachable: personne n'est de garde dans l'équipe cardio le ",
	} {
		file := filepath.Join(t.TempDir(), "team.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, line, more), 0o600); err != nil {
			t.Fatal(err)
		}
		out, complaints, err := registryLine(t, t.TempDir(), "import", "--author", "Dr Martin", file)
		if err != nil || !strings.Contains(out, "1 added") || !strings.Contains(complaints, said) || said == "" && complaints != "" {
			t.Errorf("%s: %v, %s, %s", more, err, out, complaints)
		}
	}
}

func TestASettingOfTheFutureIsRefused(t *testing.T) {
	folder := t.TempDir()
	file := write(t, folder, "ward.yaml", strings.Replace(oneWard, "author: Dr Aubry, date: 2026-01-05", "author: Dr Aubry, date: 2126-01-05", 1))
	for _, dry := range [][]string{{"--dry-run"}, {"--author", "Dr Aubry"}} {
		_, said, err := registryLine(t, folder, append([]string{"import", file}, dry...)...)
		if err == nil || !strings.Contains(said, "future-setting: ") {
			t.Errorf("%v: %q, %v", dry, said, err)
		}
	}
}

func TestTheHistoryOfAnEnrolmentReadsBackWhoSetWhat(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(t.TempDir(), "ward.yaml")
	imported := func(text, author string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, complaints, err := registryLine(t, folder, "import", "--author", author, "--passwords", filepath.Join(t.TempDir(), "new.csv"), file); err != nil {
			t.Fatalf("%v: %s", err, complaints)
		}
	}
	imported(oneWard, "Dr Aubry")
	imported(strings.Replace(oneWard, "{value: 1.5, author: Dr Aubry, date: 2026-01-05, reason: petit gabarit}", "{value: 2.5, author: Dr Serre, date: 2026-02-01, reason: œdèmes}", 1), "Dr Serre")
	out, _, err := registryLine(t, folder, "history", "e-1")
	if !strings.Contains(out, "consentement donné le ") {
		t.Errorf("the history says nothing of the consent: %q", out)
	}
	if err != nil || !strings.Contains(out, "Dr Aubry") || !strings.Contains(out, "fast-gain = 2,5 (Dr Serre, le 01/02/2026 : œdèmes)") {
		t.Errorf("the history says %q, %v: want both authors", out, err)
	}
	out, _, err = registryLine(t, folder, "history", "e-1", "--at", "2001-01-01T00:00:00Z")
	if err == nil {
		t.Errorf("before the enrolment there was %q, want nothing", out)
	}
	if _, _, err := registryLine(t, folder, "history", "e-9"); err == nil {
		t.Error("an enrolment that is not there has a history")
	}
}
