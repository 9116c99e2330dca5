package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/deploy/servers"
	"vigie/ingest/registry"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
	"vigie/protocols/replay"
)

// recordings are real series, kept beside the project and not in it.
const recordings = "../../../shared/data"

// outpost is a service with a broker and an InfluxDB outside, as an operator
// runs it, and the devices that play recordings.
type outpost struct {
	t         *testing.T
	service   *service.Service
	broker    string
	simulator string
	begin     time.Time // of the recordings
	config    config.Config
}

func newOutpost(t *testing.T) *outpost {
	if _, err := os.Stat(recordings); err != nil {
		t.Skipf("the recordings are not beside the project: %v", err)
	}
	broker := servers.Mosquitto(t, servers.MosquittoConf{
		Users: map[string]string{"vigie": "service", "cgm-1": "sensor", "oximeter-1": "probe"},
		ACL:   "pattern write vigie/v1/%u/readings\npattern write vigie/v1/%u/status\npattern read vigie/v1/%u/receipts\n\nuser vigie\ntopic readwrite vigie/v1/#\n",
		Extra: "max_inflight_messages 1000\n",
	})
	database := servers.Influx(t)
	r := &outpost{t: t, broker: "tcp://" + broker.Address, simulator: filepath.Join(t.TempDir(), "simulator"), begin: time.Now().UTC().AddDate(0, 0, -20).Truncate(time.Minute)}
	if out, err := exec.Command("go", "build", "-o", r.simulator, "../simulator").CombinedOutput(); err != nil {
		t.Fatalf("build the simulator: %v: %s", err, out)
	}
	c := config.Default()
	c.Data = t.TempDir()
	c.HTTP.Listen = "127.0.0.1:0"
	c.Broker.Inside.Enabled = false
	c.Broker.Outside.URL, c.Broker.Outside.User, c.Broker.Outside.Password = r.broker, "vigie", "service"
	c.Influx.URL, c.Influx.Bucket, c.Influx.Org, c.Influx.Token = database.URL, database.Bucket, database.Org, config.Secret(database.Token)
	r.config = c
	var err error
	r.service, err = service.Start(t.Context(), service.Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.service.Close(); err != nil {
			t.Error(err)
		}
	})
	r.enrol()
	return r
}

// enrol follows two patients from before the recordings begin.
func (r *outpost) enrol() {
	enrolment := func(id, patient, protocol, version, device string) registry.Enrolment {
		return registry.Enrolment{
			ID: id, Patient: patient, Protocol: protocol, Version: version, Zone: "Europe/Paris", Team: "night", Physician: "10001234565",
			Devices: []string{device}, From: r.begin.AddDate(0, 0, -1), Prescription: r.begin.AddDate(0, 6, 0),
			Consent: registry.Consent{Given: true, Date: r.begin.AddDate(0, 0, -1), Scope: "télésurveillance"},
		}
	}
	reg := registry.Registry{
		Teams:    []registry.Team{{ID: "night", Name: "Équipe", Zone: "Europe/Paris", Opens: "08:00", Closes: "18:00", Days: []string{"monday"}}},
		Patients: []registry.Patient{{ID: "p-cgm"}, {ID: "p-oximetry"}},
		Devices: []registry.Device{
			{Name: "cgm-1", Serial: "1", Kind: "cgm", Brand: "Exemple", Model: "1", Password: "sensor"},
			{Name: "oximeter-1", Serial: "2", Kind: "oximeter", Brand: "Exemple", Model: "1", Password: "probe"},
		},
		Enrolments: []registry.Enrolment{enrolment("e-cgm", "p-cgm", "diabetes", "10", "cgm-1"), enrolment("e-oximetry", "p-oximetry", "respiratory-failure-oxygen", "9", "oximeter-1")},
	}
	if _, err := r.service.Registry().Import(r.t.Context(), &reg, "test", r.begin); err != nil {
		r.t.Fatal(err)
	}
}

// played is what the simulator says at the end.
type played struct {
	Rows                              int
	Acknowledged, Accepted, Duplicate int
	Skipped                           map[string]int
}

// play replays one recording over MQTT and returns the counts.
func (r *outpost) play(arguments ...string) played {
	r.t.Helper()
	command := exec.CommandContext(r.t.Context(), r.simulator, append([]string{"replay", "--json", "--broker", r.broker, "--receipts-wait", "20s", "--window", "200"}, arguments...)...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		r.t.Fatalf("replay: %v: %s", err, out)
	}
	var counts played
	if err := json.Unmarshal(out, &counts); err != nil {
		r.t.Fatalf("%v: %s", err, out)
	}
	return counts
}

func (r *outpost) glucose() played {
	return r.play("--csv", filepath.Join(recordings, "cgm-subject-1.csv"), "--device", "cgm-1", "--password", "sensor", "--measure", "glucose",
		"--specimen", "interstitial", "--column", "gl", "--time-column", "time", "--time-zone", "Europe/Paris", "--start", r.begin.Format(time.RFC3339))
}

func (r *outpost) oximetry() played {
	return r.play("--csv", filepath.Join(recordings, "oximetry-bidmc-01.csv"), "--device", "oximeter-1", "--password", "probe", "--measure", "oxygen-saturation",
		"--column", "SpO2", "--time-column", "Time [s]", "--start", r.begin.Format(time.RFC3339))
}

// points waits until InfluxDB holds that many readings of a patient.
func (r *outpost) points(patient string, want int) []protocols.Reading {
	r.t.Helper()
	client := influx.New(influx.Options{URL: r.config.Influx.URL, Org: r.config.Influx.Org, Token: string(r.config.Influx.Token), Bucket: r.config.Influx.Bucket})
	defer client.Close()
	for deadline := time.NewTimer(time.Minute); ; {
		var found []protocols.Reading
		err := client.History(r.t.Context(), patient, nil, r.begin.AddDate(0, 0, -1), r.begin.AddDate(0, 1, 0), func(reading *protocols.Reading) bool {
			found = append(found, *reading)
			return true
		})
		if err == nil && len(found) == want {
			return found
		}
		select {
		case <-deadline.C:
			r.t.Fatalf("InfluxDB holds %d readings of %s, want %d (%v)", len(found), patient, want, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (r *outpost) alerts() []alerts.Alert {
	r.t.Helper()
	list, err := r.service.Alerts().Alerts(r.t.Context(), alerts.Filter{Limit: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

// alertsOf waits until each of these rules has raised an alert; what silence
// raises comes with the next sweep.
func (r *outpost) alertsOf(rules ...string) []alerts.Alert {
	r.t.Helper()
	for deadline := time.NewTimer(time.Minute); ; {
		list := r.alerts()
		missing := slices.DeleteFunc(slices.Clone(rules), func(rule string) bool {
			return slices.ContainsFunc(list, func(a alerts.Alert) bool { return a.Rule == rule })
		})
		if len(missing) == 0 {
			return list
		}
		select {
		case <-deadline.C:
			r.t.Fatalf("no alert of %v among %d", missing, len(list))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestRecordedSeriesGoThroughMosquittoIntoInfluxDB(t *testing.T) {
	r := newOutpost(t)
	glucose, oximetry := r.glucose(), r.oximetry()
	if glucose.Accepted != 2915 || glucose.Acknowledged != 2915 {
		t.Errorf("of the glucose series %+v, want 2915 acknowledged and accepted", glucose)
	}
	skipped := 0
	for _, n := range oximetry.Skipped {
		skipped += n
	}
	if oximetry.Accepted+skipped != 481 || oximetry.Accepted < 400 {
		t.Errorf("of the oximetry series %+v, want all 481 rows accepted or skipped for lack of a value", oximetry)
	}
	r.points("p-cgm", 2915)
	r.points("p-oximetry", oximetry.Accepted)

	// Both persons are well: by the library's thresholds, the one thing to tell is
	// that their devices have fallen silent since.
	raised := r.alertsOf("no-glucose", "no-oxygen")
	for _, a := range raised {
		full, err := r.service.Alerts().Alert(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if full.Explanation == nil || full.Explanation.Summary.FR == "" || full.Explanation.Version == "" {
			t.Errorf("the alert %s of rule %s does not explain itself: %+v", a.ID, a.Rule, full.Explanation)
			continue
		}
		t.Logf("%s %s %s: %s", a.At.Format(time.DateTime), a.Level, a.Rule, full.Explanation.Summary.FR)
	}

	r.sameHistoryFromBoth()
	r.replays()

	// The same once more changes nothing.
	if again := r.glucose(); again.Duplicate != 2915 || again.Accepted != 0 {
		t.Errorf("the second time the glucose series gave %+v, want 2915 duplicates", again)
	}
	if again := r.oximetry(); again.Duplicate != oximetry.Accepted || again.Accepted != 0 {
		t.Errorf("the second time the oximetry series gave %+v, want %d duplicates", again, oximetry.Accepted)
	}
	r.points("p-cgm", 2915)
	r.points("p-oximetry", oximetry.Accepted)
	after := r.alerts()
	if len(after) != len(raised) {
		t.Errorf("%d alerts after the second time, %d after the first", len(after), len(raised))
	}
	for i := range min(len(after), len(raised)) {
		if after[i].ID != raised[i].ID || after[i].Occurrences != raised[i].Occurrences {
			t.Errorf("the second time changed the alert %s: %d occurrences, then %d", raised[i].Rule, raised[i].Occurrences, after[i].Occurrences)
		}
	}
}

// tool runs a command of vigie on the service's store and returns what it printed.
func (r *outpost) tool(arguments ...string) []byte {
	r.t.Helper()
	var out bytes.Buffer
	root := rootCommand()
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs(append(arguments, "--data", r.config.Data))
	if err := root.ExecuteContext(r.t.Context()); err != nil {
		r.t.Fatalf("vigie %v: %v", arguments, err)
	}
	return out.Bytes()
}

// sameHistoryFromBoth reads the glucose back from InfluxDB and from the store.
func (r *outpost) sameHistoryFromBoth() {
	r.t.Helper()
	client := influx.New(influx.Options{URL: r.config.Influx.URL, Org: r.config.Influx.Org, Token: string(r.config.Influx.Token), Bucket: r.config.Influx.Bucket})
	defer client.Close()
	for _, format := range []string{"csv", "json"} {
		asked := askedReadings{patient: "p-cgm", measure: protocols.MeasureByID("glucose"), span: replay.Span{From: r.begin.AddDate(0, 0, -1), To: r.begin.AddDate(0, 1, 0)}, format: format}
		var outside, inside bytes.Buffer
		if err := errors.Join(asked.write(r.t.Context(), &outside, io.Discard, client), asked.write(r.t.Context(), &inside, io.Discard, r.service.Store())); err != nil {
			r.t.Fatal(err)
		}
		if !bytes.Equal(outside.Bytes(), inside.Bytes()) || bytes.Count(outside.Bytes(), []byte("\n")) < 2915 {
			r.t.Errorf("%s: %d bytes from InfluxDB and %d from the store differ, or are too few", format, outside.Len(), inside.Len())
		}
	}
}

// replays holds a replay of what was kept to the published figures of the series.
func (r *outpost) replays() {
	r.t.Helper()
	out := r.tool("replay", "--protocol", "diabetes", "--patient", "p-cgm", "--from", r.begin.Format(time.RFC3339), "--to", r.begin.AddDate(0, 1, 0).Format(time.RFC3339), "--format", "json")
	var said struct {
		Statistics map[string]struct {
			Mean        float64 `json:"mean"`
			TimeInRange float64 `json:"time_in_range"`
			GMI         float64 `json:"gmi"`
		} `json:"statistics"`
	}
	if err := json.Unmarshal(out, &said); err != nil {
		r.t.Fatalf("%v: %.200s", err, out)
	}
	glucose := said.Statistics["glucose"]
	got := fmt.Sprintf("%.2f %.2f %.3f", glucose.Mean, glucose.TimeInRange, glucose.GMI)
	if want := "123.67 91.66 6.268"; got != want {
		r.t.Errorf("mean, time in range and GMI are %s, published are %s", got, want)
	}
}

// A flash sensor tells a value every fifteen minutes: one that sent them all was worn all
// the time, whatever the protocol expects of other sensors.
func TestTheStepOfASensorIsSeenInItsFile(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("time,gl\n")
	for i := range 15 * 96 {
		fmt.Fprintf(&rows, "%s,%d\n", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i)*15*time.Minute).Format(time.RFC3339), 150+i%2*50)
	}
	line := []string{"--protocol", "diabetes", "--csv", file(t, "flash.csv", rows.String()), "--measure", "glucose", "--column", "gl", "--time-column", "time"}
	report := replayOf(t, line...)
	var rang []string
	for _, a := range report.Alerts {
		rang = append(rang, a.Rule)
	}
	slices.Sort(rang)
	if wear := report.Statistics["glucose"].(map[string]any)["wear"]; wear != 100.0 || !slices.Equal(rang, []string{"time-above-range", "time-in-range-low"}) {
		t.Errorf("worn %v %%, rang %v", wear, rang)
	}
	report = replayOf(t, append(line, "--settings", "sensor-step=5")...)
	if wear := report.Statistics["glucose"].(map[string]any)["wear"]; wear == 100.0 {
		t.Error("a person decides otherwise, and is not heard")
	}
}
