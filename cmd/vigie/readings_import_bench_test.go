package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkImportedReadings enters a million rows of a glucose sensor, nine years of one,
// from a file into an embedded store, by the command that an operator types. The store is
// new, or it holds what the sensor told of the last days, behind which the past comes late.
//
//	go test ./cmd/vigie -run '^$' -bench ImportedReadings -benchtime 1x
func BenchmarkImportedReadings(b *testing.B) {
	const rows, recent = 1_000_000, 1000
	folder := b.TempDir()
	file, latest := filepath.Join(folder, "sensor.csv"), filepath.Join(folder, "latest.csv")
	first := time.Now().UTC().Truncate(time.Minute).Add(-rows * 5 * time.Minute)
	writeSensor(b, file, first, rows)
	writeSensor(b, latest, first.Add((rows-recent)*5*time.Minute), recent)
	enter := func(b *testing.B, data, file string, want int) {
		b.Helper()
		out, err := readingsLine(b, "import", file, "--data", data, "--device", "cgm-1", "--measure", "glucose", "--column", "mg/dL", "--time-column", "time", "--format", "json")
		var report importReport
		if err != nil || json.Unmarshal([]byte(out), &report) != nil || report.Entered == nil || report.Entered.New != want {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	for _, known := range []int{0, recent} {
		b.Run(fmt.Sprintf("behind-%d", known), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				data := followedWithASensor(b, first)
				if known > 0 {
					enter(b, data, latest, known)
				}
				b.StartTimer()
				enter(b, data, file, rows-known)
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// writeSensor writes a file with a value of a sensor every five minutes.
func writeSensor(tb testing.TB, file string, first time.Time, rows int) {
	tb.Helper()
	f, err := os.Create(file)
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "time,mg/dL")
	for i := range rows {
		at := first.Add(time.Duration(i) * 5 * time.Minute)
		fmt.Fprintf(w, "%s,%d\n", at.Format(time.RFC3339), 90+int(at.Unix()/300)*37%120)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}

// followedWithASensor is a folder with a patient whose consent names a past.
func followedWithASensor(tb testing.TB, past time.Time) (folder string) {
	tb.Helper()
	folder = tb.TempDir()
	day := func(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly) }
	diabetes, err := readProtocol("diabetes")
	if err != nil {
		tb.Fatal(err)
	}
	list := filepath.Join(folder, "registry.yaml")
	registry := strings.NewReplacer("FROM", day(-30), "END", day(200), "GIVEN", day(-31), "VERSION", diabetes.Version).Replace(`
teams:
  - { id: diab, name: Diabétologie, time_zone: Europe/Paris, opens: "08:30", closes: "18:00", days: [monday], mail: [equipe@example.org] }
patients:
  - id: p-1
    identity: { ins: "277076322082910", oid: 1.2.250.1.213.1.4.10, birth_name: DURAND, given_names: ANNE MARIE, first_given_name: ANNE, sex: F, birth_date: 1977-07-04, birth_place: "63220" }
devices:
  - { name: cgm-1, serial: A1, kind: cgm, brand: Exemple, model: M }
enrolments:
  - id: e-1
    patient: p-1
    protocol: diabetes
    version: "VERSION"
    time_zone: Europe/Paris
    team: diab
    physician: "10001234565"
    devices: [cgm-1]
    from: FROM
    prescription_end: END
    consent: { given: true, date: GIVEN, scope: télésurveillance du diabète }
`)
	if err := os.WriteFile(list, []byte(registry), 0o600); err != nil {
		tb.Fatal(err)
	}
	for _, line := range [][]string{
		{"registry", "import", "--author", "a test", "--passwords", filepath.Join(folder, "new.csv"), "--data", folder, list},
		{"consent", "give", "e-1", "--author", "a test", "--history", past.Format(time.DateOnly), "--data", folder},
	} {
		if err := vigie(tb, line...); err != nil {
			tb.Fatal(err)
		}
	}
	return folder
}
