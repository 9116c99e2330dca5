package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/protocols"
)

// followedWithAFile is a folder with a patient who has been followed for 90 days, and a file of
// their weights of 60 of them.
func followedWithAFile(t *testing.T) (folder, file string) {
	t.Helper()
	folder = t.TempDir()
	sample, err := os.ReadFile("../../deploy/registry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	day := func(days int) string { return now.AddDate(0, 0, days).Format(time.DateOnly) }
	registry := strings.NewReplacer("from: 2026-11-01", "from: "+day(-90), "prescription_end: 2027-10-31", "prescription_end: "+day(200), "date: 2026-10-28", "date: "+day(-95),
		"date: 2026-11-01", "date: "+day(-90), "from: 2026-12-20, until: 2026-12-27", "from: "+day(20)+", until: "+day(27)).Replace(string(sample))
	list := filepath.Join(folder, "registry.yaml")
	if err := os.WriteFile(list, []byte(registry), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := vigie(t, "registry", "import", "--author", "a test", "--passwords", filepath.Join(folder, "new.csv"), "--data", folder, list); err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	rows.WriteString("when,Poids (kg)\n")
	for i := range 60 {
		fmt.Fprintf(&rows, "%s,%.1f\n", now.AddDate(0, 0, i-60).Format(time.RFC3339), 80+float64(i%5)/10)
	}
	rows.WriteString(now.Add(-time.Hour).Format(time.RFC3339) + ",n/a\n")
	file = filepath.Join(folder, "poids.csv")
	if err := os.WriteFile(file, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder, file
}

func TestARecordedFileIsEnteredOnceHoweverOftenItIsImported(t *testing.T) {
	t.Parallel()
	folder, file := followedWithAFile(t)
	enter := func(more ...string) importReport {
		t.Helper()
		out, err := readingsLine(t, append([]string{"import", file, "--data", folder, "--measure", "weight", "--column", "Poids (kg)", "--time-column", "when", "--format", "json"}, more...)...)
		var report importReport
		if err != nil || json.Unmarshal([]byte(out), &report) != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return report
	}
	dry := enter("--device", "scale-1", "--dry-run")
	if dry.Entered != nil || dry.Readings != 60 || dry.Files[0].LeftAside[0].Rows != 1 || dry.Files[0].Distribution[0].At[0].String() != "80" || dry.Files[0].Distribution[0].At[4].String() != "80.4" {
		t.Errorf("a dry run: %+v", dry)
	}
	if e := enter("--device", "scale-1").Entered; e == nil || e.New != 60 || e.Past < 28 || e.Known != 0 {
		t.Errorf("entered %+v", e)
	}
	if e := enter("--patient", "p-0001").Entered; e == nil || e.New != 0 || e.Known != 60 {
		t.Errorf("entered again %+v", e)
	}
	out, err := readingsLine(t, "--data", folder, "--patient", "p-0001")
	if err != nil || strings.Count(out, "weight,value") != 60 {
		t.Errorf("%v: kept\n%s", err, out)
	}
}

func TestAnImportSaysInWordsWhatWasReadAndWhatBecameOfIt(t *testing.T) {
	folder, file := followedWithAFile(t)
	line := []string{"import", file, "--data", folder, "--measure", "weight", "--column", "Poids (kg)", "--time-column", "when", "--device"}
	out, err := readingsLine(t, append(line, "scale-1")...)
	if err != nil || !strings.Contains(out, "60 mesures de l'appareil scale-1") || !strings.Contains(out, "60 mesures gardées, dont ") || !strings.Contains(out, "1 ligne laissée de côté, ligne 62, colonne Poids (kg) : ") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := readingsLine(t, append(line, "bp-1")...); err != nil || !strings.Contains(out, "60 refusées, measure-mismatch") {
		t.Errorf("weights of a blood-pressure monitor: %v\n%s", err, out)
	}
	if _, err := readingsLine(t, append(line, "scale-9")...); err == nil || !strings.Contains(err.Error(), "registry import") {
		t.Errorf("an unknown device: %v", err)
	}
	if _, err := readingsLine(t, line[:len(line)-1]...); err == nil || !strings.Contains(err.Error(), "--device") {
		t.Errorf("nobody's readings: %v", err)
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte("when,Poids (kg)\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := readingsLine(t, append(line, "scale-1")...); !errors.Is(err, exitStatus(1)) || !strings.Contains(out, "aucune mesure") {
		t.Errorf("an empty file: %v\n%s", err, out)
	}
}

const importToken = "a-token-of-some-length"

// serveOn starts a service on a folder, for a program that bears importToken.
func serveOn(t testing.TB, folder string, change ...func(*service.Options)) *service.Service {
	t.Helper()
	c := config.Default()
	c.Data = folder
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.HTTP.Tokens = map[string]config.Secret{"import": importToken}
	o := service.Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&o)
	}
	s, err := service.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tokenOf is a file that holds importToken.
func tokenOf(t testing.TB, folder string) string {
	t.Helper()
	token := filepath.Join(folder, "import-token")
	if err := os.WriteFile(token, []byte(importToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return token
}

// A service that runs enters a file itself, in the name of who may enter readings.
func TestAServiceThatRunsEntersARecordedFile(t *testing.T) {
	folder, file := followedWithAFile(t)
	s := serveOn(t, folder)
	defer s.Close()
	token := tokenOf(t, folder)
	line := []string{"import", file, "--measure", "weight", "--column", "Poids (kg)", "--time-column", "when"}
	if _, err := readingsLine(t, append(line, "--data", folder, "--device", "scale-1")...); err == nil || !strings.Contains(err.Error(), "--service") {
		t.Errorf("into the store of a service that runs: %v", err)
	}
	line = append(line, "--service", s.Page()+"/", "--token-file", token, "--patient", "p-0001", "--format", "json")
	if _, err := readingsLine(t, line...); err == nil || !strings.Contains(err.Error(), "--device") {
		t.Errorf("of a patient with several devices: %v", err)
	}
	line = append(line, "--device", "scale-1")
	for round, want := range []ingest.Entered{{New: 60}, {Known: 60}} {
		out, err := readingsLine(t, line...)
		var report importReport
		if err != nil || json.Unmarshal([]byte(out), &report) != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if e := report.Entered; e.New != want.New || e.Known != want.Known || len(e.Refused) != 0 || !strings.HasPrefix(report.Batch, "import 2") {
			t.Errorf("round %d: %+v, batch %q", round+1, e, report.Batch)
		}
	}
	batches := map[string]int{}
	err := s.Store().History(t.Context(), "p-0001", nil, everything.From, everything.To, func(r *protocols.Reading) bool {
		batches[r.Origin.Batch]++
		return true
	})
	if err != nil || len(batches) != 1 {
		t.Errorf("kept in the batches %v: %v", batches, err)
	}
	if err := os.WriteFile(token, []byte("another-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readingsLine(t, line...); err == nil || !strings.Contains(err.Error(), "no-token") {
		t.Errorf("with another token: %v", err)
	}
}

// An export that is known is entered in one line, and a file of somebody else is not.
func TestAnExportThatNamesSomebodyElseIsRefusedUntilAPersonHasLooked(t *testing.T) {
	t.Parallel()
	folder, _ := followedWithAFile(t)
	now := time.Now().UTC().AddDate(0, 0, -20)
	write := func(name string) string {
		text := name + "Date,\"Weight (kg)\"\n"
		for i := range 12 {
			text += fmt.Sprintf("%s,%d.5\n", now.AddDate(0, 0, i).Format(time.DateTime), 80+i%3)
		}
		file := filepath.Join(folder, "weight.csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	line := func(name string, more ...string) (string, error) {
		return readingsLine(t, append([]string{"import", write(name), "--data", folder, "--patient", "p-0001"}, more...)...)
	}
	other, own := "Poids,Généré par,MARTIN Zoé\n", "Poids,Généré par,Anne Durand\n"
	if out, err := line(other); !errors.Is(err, errAnotherPerson) || strings.Contains(out, "MARTIN") || strings.Contains(err.Error(), "MARTIN") {
		t.Errorf("a file of somebody else: %v\n%s", err, out)
	}
	if out, err := line("Last Name,First Name,Device\nMARTIN,Zoé,MiniMed\n"); !errors.Is(err, errAnotherPerson) || strings.Contains(out, "MARTIN") {
		t.Errorf("a file of somebody else, whose name stands in columns: %v\n%s", err, out)
	}
	if out, err := line(other, "--dry-run"); !errors.Is(err, errAnotherPerson) {
		t.Errorf("a dry run of it: %v\n%s", err, out)
	}
	if out, err := line("", "--dry-run"); err != nil || !strings.Contains(out, "12 mesures") {
		t.Errorf("a file that names nobody: %v\n%s", err, out)
	}
	if out, err := line(own, "--dry-run"); err != nil || !strings.Contains(out, "12 mesures") {
		t.Errorf("a file of the patient: %v\n%s", err, out)
	}
	if out, err := line(other, "--same-person"); err != nil || !strings.Contains(out, "12 mesures") {
		t.Errorf("looked at by a person: %v\n%s", err, out)
	}
}
