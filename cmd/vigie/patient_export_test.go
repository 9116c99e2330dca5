package main

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/workspace/archive"
	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/ingest/formats/native"
	"vigie/protocols"
)

// relive lives readings again in a folder, as on a day.
func relive(t *testing.T, folder string, day time.Time, readings map[string][]protocols.Reading) {
	t.Helper()
	c := config.Default()
	c.Data = folder
	options := service.Options{Config: c, Now: func() time.Time { return day }, Log: slog.New(slog.DiscardHandler)}
	entered, err := service.Relive(t.Context(), options, readings)
	if err != nil || entered.New != len(readings["scale-1"]) {
		t.Fatalf("%+v %v", entered, err)
	}
}

// lived is a folder with a patient who gained weight, and then no longer weighed herself.
func lived(t *testing.T, today time.Time) string {
	t.Helper()
	folder, _ := aWard(t)
	livedIn(t, folder, today)
	return folder
}

func livedIn(t *testing.T, folder string, today time.Time) {
	t.Helper()
	var weights []protocols.Reading
	for day := range 25 {
		grams, _ := protocols.Of(80 + 0.9*max(0, float64(day-12)))
		weights = append(weights, protocols.Reading{
			ID: fmt.Sprint("w-", day), Device: "scale-1", Patient: "p-1", Measure: protocols.MeasureByID("weight"), Battery: -1,
			Time: today.UTC().Truncate(time.Hour).AddDate(0, 0, day-40), Values: []protocols.Value{grams}, Origin: &protocols.Origin{Batch: "test"},
		})
	}
	relive(t, folder, today, map[string][]protocols.Reading{"scale-1": weights})
}

// rang is what rang in a folder, oldest first.
func rang(t *testing.T, folder string) (list []string) {
	t.Helper()
	c := config.Default()
	c.Data = folder
	tools, err := service.OpenTools(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Close()
	all, err := tools.Alerts.Alerts(t.Context(), alerts.Filter{Newest: true, Limit: alerts.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		a := &all[i]
		list = append(list, fmt.Sprint(a.ID, " ", a.Rule, " ", a.Level, " at ", a.At.UTC(), " to ", a.LastAt.UTC(), " ", a.Occurrences, " times, active ", a.Active, ": ", a.Summary.FR))
	}
	slices.Reverse(list)
	return list
}

// All that is kept of a patient goes into an archive, and what rang comes of it again.
func TestAPatientIsCarriedFromOneVigieToAnother(t *testing.T) {
	t.Parallel()
	today := time.Now()
	folder := lived(t, today)
	before := rang(t, folder)
	if len(before) < 2 {
		t.Fatalf("only that rang: %v", before)
	}
	file := filepath.Join(folder, "p-1.zip")
	said := typedWell(t, folder, "patient", "export", "p-1", "--author", "Op", "--reason", "demande du patient", "--requested", "2026-11-20", "--output", file)
	if !strings.Contains(said, "2026-11-28") {
		t.Errorf("the clock of the law: %s", said)
	}
	in, err := archive.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, f := range in.Files {
		text, err := in.Read(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(string(text), "\n"); strings.HasSuffix(f.Name, ".csv") {
			var names []string
			for _, c := range f.Columns {
				names = append(names, c.Name)
				if c.What.FR == "" || c.What.EN == "" {
					t.Errorf("%s: the column %s is not described", f.Name, c.Name)
				}
			}
			if first != strings.Join(names, ",") {
				t.Errorf("%s has the columns %s, and describes %v", f.Name, first, names)
			}
		}
		if strings.Contains(string(text), "277076322082910") {
			t.Errorf("%s holds the INS of an identity that is not qualified", f.Name)
		}
		if strings.Contains(string(text), "sha256$") || strings.Contains(string(text), "$7$1$") {
			t.Errorf("%s holds the secret of a device", f.Name)
		}
	}
	shelf, err := service.NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	for name, words := range map[string][]string{
		"LISEZMOI.txt": {"DURAND ANNE", "2026-11-20", "CSP L1111-7", "poids : 25"}, "identity.csv": {"durand,anne marie,anne"}, "readings.csv": {"w-24"},
		"alerts.csv": {"weight-gain-fast"}, "accesses.csv": {"vigie patient export"}, "enrolment-versions.json": {"petit gabarit"},
		"protocols/heart-failure-" + shelf.Latest("heart-failure") + ".yaml": {"heart-failure"},
	} {
		text, err := in.Read(name)
		for _, word := range words {
			if err != nil || !strings.Contains(strings.ToLower(string(text)), strings.ToLower(word)) {
				t.Errorf("%s says nothing of %s: %v\n%.600s", name, word, err, text)
			}
		}
	}

	elsewhere, registryFile := t.TempDir(), filepath.Join(t.TempDir(), "registry.yaml")
	text, err := in.Read("registry.yaml")
	if err == nil {
		err = os.WriteFile(registryFile, text, 0o600)
	}
	readings, _, failed := in.Readings(native.Decoder{}, today)
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	typedWell(t, elsewhere, "registry", "import", registryFile, "--author", "Op", "--passwords", filepath.Join(elsewhere, "passwords.csv"))
	relive(t, elsewhere, today, readings)
	if after := rang(t, elsewhere); !slices.Equal(after, before) {
		t.Errorf("there rang\n%s\nwant\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}

	elsewhere = t.TempDir() // the same by one command, as of now
	line := []string{"patient", "import", file, "--author", "Op", "--relive", "--passwords"}
	typedWell(t, elsewhere, append(line, filepath.Join(elsewhere, "passwords.csv"))...)
	if after := rang(t, elsewhere); len(after) < len(before) {
		t.Errorf("there rang\n%s", strings.Join(after, "\n"))
	}
	if out, err := typed(t, elsewhere, append(line, filepath.Join(elsewhere, "again.csv"))...); err == nil || !strings.Contains(err.Error()+out, "alerts already") {
		t.Errorf("lived twice: %v %s", err, out)
	}

	quiet := t.TempDir()
	said = typedWell(t, quiet, "patient", "import", file, "--author", "Op", "--passwords", filepath.Join(quiet, "passwords.csv"))
	if !strings.Contains(said, "25 mesures entrées") {
		t.Errorf("as a past: %s", said)
	}
}

// An archive that somebody has changed is not read.
func TestAnArchiveThatWasChangedIsRefused(t *testing.T) {
	folder, _ := aWard(t)
	file := filepath.Join(folder, "p-1.zip")
	typedWell(t, folder, "patient", "export", "p-1", "--author", "Op", "--reason", "essai", "--output", file)
	for name, change := range map[string]func(name string, text []byte) (string, []byte){
		"another identity": func(name string, text []byte) (string, []byte) {
			return name, []byte(strings.ReplaceAll(string(text), "DURAND", "DUPONT"))
		},
		"a file less": func(name string, text []byte) (string, []byte) {
			return strings.Replace(name, "readings.json", "other.json", 1), text
		},
		"another format": func(name string, text []byte) (string, []byte) {
			return name, []byte(strings.ReplaceAll(string(text), archive.Format, "vigie-patient/9"))
		},
	} {
		changed := filepath.Join(folder, "changed.zip")
		rewrite(t, file, changed, change)
		if out, err := typed(t, t.TempDir(), "patient", "import", changed, "--author", "Op"); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
	for _, c := range [][]string{{"p-1", "--output", "x.zip"}, {"p-1", "--author", "Op", "--reason", "x"}, {"p-9", "--author", "Op", "--reason", "x", "--output", filepath.Join(folder, "x.zip")}} {
		if out, err := typed(t, folder, append([]string{"patient", "export"}, c...)...); err == nil {
			t.Errorf("exported with %v: %s", c, out)
		}
	}
}

// rewrite copies an archive, each file changed.
func rewrite(t *testing.T, from, to string, change func(name string, text []byte) (string, []byte)) {
	t.Helper()
	in, err := zip.OpenReader(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := zip.NewWriter(out)
	for _, f := range in.File {
		text, err := fs.ReadFile(in, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		name, text := change(f.Name, text)
		file, err := w.Create(name)
		if err == nil {
			_, err = file.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
