package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
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
		out, err := readingsLine(b, "import", file, "--data", data, "--device", "cgm-durand", "--measure", "glucose", "--column", "mg/dL", "--time-column", "time", "--format", "json")
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

// BenchmarkLiveReadingsBesideAnImport enters the same rows into a service that runs, while the
// sensor tells it twenty readings a second, which come after those of the file. It reports
// how long a reading waits for its acknowledgement, alone and beside the import.
//
//	go test ./cmd/vigie -run '^$' -bench BesideAnImport -benchtime 1x
func BenchmarkLiveReadingsBesideAnImport(b *testing.B) {
	const rows = 1_000_000
	file := filepath.Join(b.TempDir(), "sensor.csv")
	first := time.Now().UTC().Truncate(time.Minute).Add(-time.Hour - rows*5*time.Minute)
	writeSensor(b, file, first, rows)
	for b.Loop() {
		folder := followedWithASensor(b, first)
		s := serveOn(b, folder)
		alone, beside := &waits{}, &waits{}
		ctx, stop := context.WithTimeout(b.Context(), 5*time.Second)
		alone.live(ctx, s.Pipeline())
		stop()
		ctx, stop = context.WithCancel(b.Context())
		done := make(chan struct{})
		go func() { defer close(done); beside.live(ctx, s.Pipeline()) }()
		began := time.Now()
		out, err := readingsLine(b, "import", file, "--service", s.Page(), "--token-file", tokenOf(b, folder), "--patient", "p-durand", "--device", "cgm-durand", "--measure", "glucose", "--column", "mg/dL", "--time-column", "time", "--format", "json")
		took := time.Since(began)
		stop()
		<-done
		if err != nil || !strings.Contains(out, fmt.Sprintf(`"new": %d`, rows)) {
			b.Fatalf("%v\n%s", err, out)
		}
		b.ReportMetric(rows/took.Seconds(), "rows/s")
		b.ReportMetric(alone.at(50), "alone-p50-ms")
		b.ReportMetric(alone.at(99), "alone-p99-ms")
		b.ReportMetric(beside.at(50), "beside-p50-ms")
		b.ReportMetric(beside.at(99), "beside-p99-ms")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// waits are how long readings waited for their acknowledgement.
type waits []time.Duration

// live has the sensor tell twenty readings a second until ctx is done.
func (w *waits) live(ctx context.Context, p *ingest.Pipeline) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		at, done := time.Now(), make(chan error, 1)
		payload := fmt.Sprintf(`{"id":"live-%d","time":%q,"measure":"glucose","values":{"value":110},"unit":"mg/dL"}`, at.UnixNano(), at.Format(time.RFC3339Nano))
		p.Submit(context.Background(), ingest.Message{Topic: "vigie/v1/cgm-durand/readings", Device: "cgm-durand", Client: "cgm-durand", Payload: []byte(payload), Received: at, Done: func(err error) { done <- err }})
		if <-done == nil {
			*w = append(*w, time.Since(at))
		}
	}
}

// at is a percentile of them, in milliseconds.
func (w *waits) at(percent int) float64 {
	if len(*w) == 0 {
		return 0
	}
	slices.Sort(*w)
	return float64((*w)[(len(*w)-1)*percent/100].Microseconds()) / 1000
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
  - id: p-durand
    identity: { ins: "277076322082910", oid: 1.2.250.1.213.1.4.10, birth_name: DURAND, given_names: ANNE MARIE, first_given_name: ANNE, sex: F, birth_date: 1977-07-04, birth_place: "63220" }
devices:
  - { name: cgm-durand, serial: A1, kind: cgm, brand: Exemple, model: M }
enrolments:
  - id: e-durand
    patient: p-durand
    protocol: diabetes
    version: "VERSION"
    time_zone: Europe/Paris
    team: diab
    physician: "10001234565"
    devices: [cgm-durand]
    from: FROM
    prescription_end: END
    consent: { given: true, date: GIVEN, scope: télésurveillance du diabète }
`)
	if err := os.WriteFile(list, []byte(registry), 0o600); err != nil {
		tb.Fatal(err)
	}
	for _, line := range [][]string{
		{"registry", "import", "--author", "a test", "--passwords", filepath.Join(folder, "new.csv"), "--data", folder, list},
		{"consent", "give", "e-durand", "--author", "a test", "--history", past.Format(time.DateOnly), "--data", folder},
	} {
		if err := vigie(tb, line...); err != nil {
			tb.Fatal(err)
		}
	}
	return folder
}
