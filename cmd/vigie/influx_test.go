package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest/stores/influx"
)

// influxLine runs `vigie influx …` or another command and returns what it printed.
func influxLine(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestWhatInfluxDBHasLostIsListedAndBroughtBack(t *testing.T) {
	t.Parallel()
	server := servers.Influx(t)
	client := influx.New(influx.Options{URL: server.URL, Org: server.Org, Token: server.Token, Bucket: server.Bucket})
	defer client.Close()
	folder := t.TempDir()
	keepReadings(t, folder, client)
	file := write(t, folder, "influx.yaml", fmt.Sprintf("data: %s\nlanguage: en\ninflux: {url: %q, org: %q, token: %q, bucket: %s}\n", folder, server.URL, server.Org, server.Token, server.Bucket))
	run := func(args ...string) (string, error) { return influxLine(t, append(args, "--config", file)...) }

	whole, err := run("readings", "--patient", "p-1", "--format", "json")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := run("influx", "compare"); err != nil || out != "1 patient compared, 0 days differ\n" {
		t.Errorf("%q, %v", out, err)
	}
	for _, measure := range []string{"weight", "blood-pressure", "weight.words", "blood-pressure.words"} {
		drop(t, server.URL, `DROP MEASUREMENT "`+measure+`"`)
	}
	if out, err := run("readings", "--patient", "p-1", "--format", "json"); err != nil || out != whole {
		t.Errorf("the store holds everything, and readings are another %d bytes, %v", len(out), err)
	}
	out, err := run("influx", "compare")
	if !errors.Is(err, notWhole) || strings.Count(out, "\n") != 1+14+1 || !strings.Contains(out, "2026-03-05      2         0") {
		t.Errorf("%s%v", out, err)
	}
	if out, err := run("influx", "feed", "--from", "2026-03-01"); err != nil || !strings.Contains(out, "1 patient, 28 readings sent, 0 refused") {
		t.Errorf("%s%v", out, err)
	}
	if out, err := run("influx", "compare", "--patient", "p-1"); err != nil {
		t.Errorf("%s%v", out, err)
	}

	// A patient whom the store does not know, from an older copy or another service.
	if err := client.Write(t.Context(), fmt.Sprintf("weight,device=scale-9,patient=p-9,source=device value=80,id_high=1i,id_low=2i %d", time.Date(2026, 3, 7, 8, 0, 0, 0, time.UTC).UnixNano())); err != nil {
		t.Fatal(err)
	}
	if out, err := run("influx", "compare"); !errors.Is(err, notWhole) || !strings.Contains(out, "2026-03-07      0         1               0            1          0") || !strings.HasSuffix(out, "2 patients compared, 1 day differs\n") {
		t.Errorf("%s%v", out, err)
	}
	drop(t, server.URL, `DROP SERIES FROM "weight" WHERE "patient" = 'p-9'`)

	// A second InfluxDB is filled from the store, and from the first one with what the
	// store has forgotten.
	fileAway(t, folder)
	forgetReadings(t, folder, client, time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC))
	other, err := server.Database("second")
	if err != nil {
		t.Fatal(err)
	}
	second := write(t, folder, "second.yaml", fmt.Sprintf("data: %s\nlanguage: en\ninflux: {url: %q, bucket: %s, former: {url: %q, bucket: %s}}\n", folder, server.URL, other, server.URL, server.Bucket))
	if out, err := influxLine(t, "influx", "feed", "--config", second); err != nil || !strings.HasSuffix(out, "done\n") {
		t.Errorf("%s%v", out, err)
	}
	if out, err := influxLine(t, "influx", "compare", "--config", second); err != nil {
		t.Errorf("%s%v", out, err)
	}
	if out, err := influxLine(t, "readings", "--patient", "p-1", "--format", "json", "--config", second); err != nil || out != whole {
		t.Errorf("readings out of the second are another %d bytes, %v", len(out), err)
	}
	if out, err := influxLine(t, "influx", "check", "--config", second); err != nil || !strings.Contains(out, "generation 1") || !strings.Contains(out, "for ever") {
		t.Errorf("%s%v", out, err)
	}
}
