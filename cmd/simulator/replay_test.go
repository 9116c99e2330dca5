package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"vigie/deploy/servers"
	"vigie/protocols"
	"vigie/seeds/devices"
)

// listener is a subscriber at a broker that remembers readings by id.
type listener struct {
	mu       sync.Mutex
	readings map[string]devices.Reading
	messages int
	changed  chan struct{}
}

func listen(t *testing.T, address string) *listener {
	t.Helper()
	l := &listener{readings: map[string]devices.Reading{}, changed: make(chan struct{}, 1)}
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + address).SetClientID("listener").SetCleanSession(false).SetOrderMatters(false))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	token := client.Subscribe("vigie/v1/+/readings", 1, func(_ paho.Client, m paho.Message) { l.hear(t, m.Payload()) })
	if token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { client.Disconnect(100) })
	return l
}

func (l *listener) hear(t *testing.T, payload []byte) {
	var several []devices.Reading
	if json.Unmarshal(payload, &several) != nil {
		several = make([]devices.Reading, 1)
		if err := json.Unmarshal(payload, &several[0]); err != nil {
			t.Errorf("%s: %v", payload, err)
			return
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages++
	for _, r := range several {
		l.readings[r.ID] = r
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// until waits until so many different readings have come.
func (l *listener) until(t *testing.T, n int) map[string]devices.Reading {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		l.mu.Lock()
		got := maps.Clone(l.readings)
		l.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-l.changed:
		case <-deadline:
			t.Fatalf("%d readings came, want %d", len(got), n)
		}
	}
}

// simulate runs the simulator with a command line and returns what it wrote.
func simulate(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	command := rootCommand()
	var out, errs bytes.Buffer
	command.SetOut(&out)
	command.SetErr(&errs)
	command.SetArgs(args)
	err = command.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

// replayed plays a series and returns its summary.
func replayed(t *testing.T, args ...string) summary {
	t.Helper()
	out, errs, err := simulate(t, append([]string{"replay", "--json", "--receipts-wait", "1ms"}, args...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	var s summary
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return s
}

// recordedData is a file of the recorded data, which lies outside the repository.
func recordedData(t *testing.T, name string) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			break
		}
	}
	file := filepath.Join(folder, "..", "shared", "data", name)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the recorded data is absent: %v", err)
	}
	return file
}

func table(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "series.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestGlucoseRecordingThroughMosquittoTwice(t *testing.T) {
	file := recordedData(t, "cgm-subject-1.csv")
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	l := listen(t, broker.Address)
	args := []string{"--csv", file, "--broker", "tcp://" + broker.Address, "--device", "cgm-1", "--measure", "glucose", "--specimen", "interstitial",
		"--column", "gl", "--time-column", "time", "--time-zone", "America/New_York"}
	for range 2 {
		s := replayed(t, args...)
		if s.Readings != 2915 || s.Acknowledged != 2915 || len(s.Skipped) != 0 {
			t.Errorf("%+v, want 2,915 readings", s)
		}
		if kept := l.until(t, 2915); len(kept) != 2915 {
			t.Errorf("%d different readings came", len(kept))
		}
	}
	for _, r := range l.until(t, 2915) {
		if r.Measure != "glucose" || r.Unit != "mg/dL" || r.Context["specimen"] != "interstitial" || r.Source != "device" {
			t.Fatalf("%+v", r)
		}
	}
}

func TestEveryUsableSampleOfTheOximeter(t *testing.T) {
	file := recordedData(t, "oximetry-bidmc-01.csv")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	usable, rows := 0, 0
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		rows++
		if last := strings.TrimSpace(line[strings.LastIndex(line, ",")+1:]); last != "" && last != "NaN" {
			usable++
		}
	}
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	l := listen(t, broker.Address)
	s := replayed(t, "--csv", file, "--broker", "tcp://"+broker.Address, "--device", "oximeter-1", "--measure", "oxygen-saturation",
		"--column", "SpO2", "--time-column", "Time [s]", "--start", "2026-11-21T08:00:00+01:00", "--batch", "10")
	if s.Rows != rows || s.Readings != usable || s.Acknowledged != usable || s.Skipped["no value was recorded"] != rows-usable || usable == rows {
		t.Errorf("%+v, want %d of %d rows", s, usable, rows)
	}
	if want := time.Date(2026, 11, 21, 7, 0, 0, 0, time.UTC); !s.First.Equal(want) {
		t.Errorf("the first sample is at %s, want %s", s.First, want)
	}
	l.until(t, usable)
}

func TestBrokerKilledInTheMiddleLosesNothing(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	var series strings.Builder
	fmt.Fprintln(&series, "t,sys,dia")
	const rows = 400
	for i := range rows {
		fmt.Fprintf(&series, "%d,%d,80\n", i, 120+i%20)
	}
	played := make(chan summary, 1)
	go func() {
		played <- replayed(t, "--csv", table(t, series.String()), "--broker", "tcp://"+broker.Address, "--device", "bp-1", "--measure", "blood-pressure",
			"--component", "systolic=sys", "--component", "diastolic=dia", "--time-column", "t", "--start", "2026-11-21T08:00:00Z", "--speed", "400")
	}()
	l := listen(t, broker.Address)
	l.until(t, 50)
	if err := broker.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	if s := <-played; s.Acknowledged != rows || s.Reconnects == 0 {
		t.Errorf("%+v: want %d acknowledged over more than one connection", s, rows)
	}
}

func TestReadingThatIsAnsweredTwiceIsCountedOnce(t *testing.T) {
	r := &replay{csv: table(t, "when,kg\n0,70\n60,71\n120,720\n"), device: "scale-1", measure: "weight", column: "kg", timeColumn: "when", start: "2026-11-21T08:00:00Z"}
	series, err := r.read()
	if err != nil {
		t.Fatal(err)
	}
	p := newPlayer(r, series, newProgress(io.Discard))
	first, second := published(&series.Readings[0], time.UTC).ID, published(&series.Readings[1], time.UTC).ID
	for _, id := range []string{first, first, "of somebody else"} { // it was sent again
		p.receipt(devices.Receipt{ID: id, Verdict: "accepted"})
	}
	select {
	case <-p.done:
		t.Error("a receipt is still to come")
	default:
	}
	p.receipt(devices.Receipt{ID: second, Verdict: "duplicate"})
	<-p.done
	p.receipt(devices.Receipt{ID: second, Verdict: "duplicate"})
	p.receipt(devices.Receipt{Verdict: "set-aside", Reasons: []protocols.Reason{{Code: protocols.TooLarge}}})
	if p.sum.Accepted != 1 || p.sum.Duplicate != 1 || p.sum.SetAside[protocols.TooLarge] != 1 {
		t.Errorf("%+v", p.sum)
	}
}

func TestTimesOfASeries(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{})
	for name, c := range map[string]struct {
		rows  string
		flags []string
		times []string
	}{
		"local, the hour that comes twice": {
			"2026-10-25T01:30:00,70\n2026-10-25T02:30:00,71\n2026-10-25T02:45:00,72\n2026-10-25T02:15:00,73\n2026-10-25T03:30:00,74\n", []string{"--time-zone", "Europe/Paris"},
			[]string{"2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z", "2026-10-25T02:30:00Z"}},
		"local, moved to a start": {
			"2015-06-06T21:50:27,70\n2015-06-06T21:55:27,71\n", []string{"--time-zone", "Europe/Paris", "--start", "2026-11-21T08:00:00+01:00"},
			[]string{"2026-11-21T07:00:00Z", "2026-11-21T07:05:00Z"}},
		"instants":                         {"2026-11-21T08:00:00+01:00,70\n2026-11-21T08:00:00Z,71\n", nil, []string{"2026-11-21T07:00:00Z", "2026-11-21T08:00:00Z"}},
		"seconds, the first of them blank": {"0,\n1.5,71\n", []string{"--start", "2026-11-21T08:00:00Z"}, []string{"2026-11-21T08:00:01.5Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, broker.Address)
			device := "scale-" + fmt.Sprint(len(name))
			replayed(t, append([]string{"--csv", table(t, "when, kg\n"+c.rows), "--broker", "tcp://" + broker.Address, "--device", device, "--measure", "weight",
				"--column", "kg", "--time-column", "when"}, c.flags...)...)
			came := map[string]bool{}
			for _, r := range l.until(t, len(c.times)) {
				came[r.Time] = true
			}
			for _, want := range c.times {
				if !came[want] {
					t.Errorf("no reading at %s: %v", want, came)
				}
			}
		})
	}
}

func TestMistakesAreExplained(t *testing.T) {
	file := table(t, "when,kg\n2026-11-21T08:00:00,70\n")
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no zone":        {[]string{"--measure", "weight", "--column", "kg", "--time-column", "when"}, "no zone"},
		"no such column": {[]string{"--measure", "weight", "--column", "poids", "--time-column", "when"}, `"kg"`},
		"no measure":     {[]string{"--measure", "wieght", "--column", "kg", "--time-column", "when"}, "blood-pressure"},
		"bad zone":       {[]string{"--measure", "weight", "--column", "kg", "--time-column", "when", "--time-zone", "Paris"}, "Europe/Paris"},
		"no column":      {[]string{"--measure", "weight", "--time-column", "when"}, "--column"},
		"bad specimen":   {[]string{"--measure", "weight", "--specimen", "capillary", "--column", "kg", "--time-column", "when"}, "specimen"},
	} {
		_, _, err := simulate(t, append([]string{"replay", "--csv", file, "--device", "d"}, c.args...)...)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v does not say %q", name, err, c.says)
		}
	}
}
