package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest/conformance"
	"vigie/protocols"
	"vigie/seeds/devices"
	"vigie/seeds/scenario"
)

// screen is what a bench prints, which a test reads while it runs.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// onTheBench runs a bench until what plays with it has sent so many readings, or has
// ended where they are "0". It returns what it printed, its report and its error.
func onTheBench(t *testing.T, readings string, play func(broker, password string), args ...string) (string, conformance.Report, error) {
	t.Helper()
	folder := t.TempDir()
	out := &screen{}
	root := rootCommand()
	root.SetOut(out)
	root.SetArgs(append([]string{"bench", "--listen", "127.0.0.1:0", "--password", "a-password-of-a-test", "--page", "127.0.0.1:0", "--readings", readings, "--report", folder}, args...))
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { ended <- root.ExecuteContext(ctx) }()
	address := regexp.MustCompile(`(tcp|tls)://\S+:\d+`)
	for begun := time.Now(); !address.MatchString(out.String()); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("no bench after 20 s:\n%s", out.String())
		}
	}
	play(address.FindString(out.String()), "a-password-of-a-test")
	if readings == "0" {
		stop()
	}
	err := <-ended
	var report conformance.Report
	text, failed := os.ReadFile(filepath.Join(folder, "report.json"))
	if failed != nil || json.Unmarshal(text, &report) != nil {
		t.Fatalf("%v: no report\n%s", failed, out.String())
	}
	for _, name := range []string{"report.html", "junit.xml"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	return out.String(), report, err
}

// session is our own simulated device on a bench.
func session(t *testing.T, broker, password string) *devices.Session {
	t.Helper()
	s, err := devices.Dial(t.Context(), devices.Connection{
		Broker: broker, Device: "bench-1", Password: password, Window: 1, Status: devices.Status{Online: true}, Receipt: func(devices.Receipt) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func weighed(id, unit string, at time.Time) []byte {
	text, err := json.Marshal(devices.Reading{ID: id, Time: at.Format(time.RFC3339), Measure: "weight", Values: map[string]devices.Given{"value": {Number: 82.1, Limit: protocols.Measured}}, Unit: unit})
	if err != nil {
		panic(err)
	}
	return text
}

// What a bench prints to try it with is about what the profile claims.
func TestTheExampleOfABenchFollowsTheProfile(t *testing.T) {
	for measure, want := range map[string][]string{
		"":               {`"measure":"weight"`, "run the same line once more", "run steady --days 28 --now --as"},
		"blood-pressure": {`"measure":"blood-pressure","values":{"systolic":128,"diastolic":76,"pulse":68},"unit":"mm[Hg]"`, " run steady --days 28 --now --measure blood-pressure --as"},
		"glucose":        {`"measure":"glucose","values":{"value":112},"unit":"mg/dL","context":{"specimen":"capillary"}`, "--measure glucose"},
	} {
		args := []string{}
		if measure != "" {
			args = append(args, "--measure", measure)
		}
		out, report, err := onTheBench(t, "0", func(string, string) {}, append(args, "--language", "en")...)
		for _, line := range want {
			if !strings.Contains(out, line) {
				t.Errorf("%s: %q is not in\n%s", measure, line, out)
			}
		}
		if measure != "" && strings.Contains(out, `"weight"`) {
			t.Errorf("%s: it speaks of a weight:\n%s", measure, out)
		}
		if err == nil || !strings.Contains(err.Error(), "nothing was tried") || report.Messages != 0 {
			t.Errorf("nothing came, and the bench ends with %v", err)
		}
	}
	for called, want := range map[string]string{"/tmp/go-build42/b001/exe/simulator": "go run ./cmd/simulator", "./simulator": "./simulator", "simulator": "simulator"} {
		if got := ownName(called); got != want {
			t.Errorf("called %s, it calls itself %s", called, got)
		}
	}
}

// Our own devices speak well: they reconnect, and send again what was not acknowledged.
func TestOurSimulatedDevicesPassTheBench(t *testing.T) {
	out, report, err := onTheBench(t, "2", func(broker, password string) {
		s := session(t, broker, password)
		for i, id := range []string{"a", "b"} {
			if err := s.Publish(t.Context(), weighed(id, "kg", time.Now().Add(time.Duration(i-2)*time.Minute)), 1); err != nil {
				t.Error(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := s.Flush(ctx); err != nil {
			t.Log(err) // the bench may have ended
		}
	}, "--measure", "weight", "--receipts")
	if err != nil || report.Failed() {
		t.Errorf("%v\n%s", err, out)
	}
	for _, r := range report.Results {
		if strings.Contains("C1 C2 P1 P2 L1 M1/weight M2/weight M3/weight B3 B5", r.Requirement) && r.Verdict != conformance.Pass {
			t.Errorf("%s: %s %s", r.Requirement, r.Verdict, r.Reason.EN)
		}
	}
}

// A simulated device whose network breaks bears a server that misbehaves in every way that
// needs a message: nothing is lost, and nothing counts twice.
func TestASimulatedDeviceBearsWhatTheBenchDoes(t *testing.T) {
	truths := filepath.Join(t.TempDir(), "truth.json")
	var told played
	args := []string{"--receipts", "--measure", "weight", "--patience", "1s", "--late", "100ms", "--gone", "100ms"}
	for _, trial := range []conformance.Trial{conformance.Broken, conformance.LateAck, conformance.DoubledAck, conformance.WithheldAck, conformance.Refused, conformance.Takeover, conformance.Restart} {
		args = append(args, "--trial", string(trial))
	}
	out, report, err := onTheBench(t, "0", func(broker, password string) {
		var said bytes.Buffer
		root := rootCommand()
		root.SetOut(&said)
		root.SetArgs([]string{"run", "patchy-network", "--days", "28", "--now", "--measure", "weight", "--as", "bench-1", "--password", password, "--broker", broker, "--window", "1", "--truth", truths})
		if err := root.ExecuteContext(t.Context()); err != nil || json.Unmarshal(said.Bytes(), &told) != nil {
			t.Errorf("%v\n%s", err, said.String())
		}
	}, args...)
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	var truth scenario.Truth
	text, err := os.ReadFile(truths)
	if err != nil || json.Unmarshal(text, &truth) != nil || truth.Cuts == 0 || told.Cut != truth.Cuts || told.Acknowledged != truth.Readings {
		t.Errorf("%v: %+v of %+v", err, told, truth)
	}
	for _, r := range report.Results {
		if strings.Contains("C1 C2 C3 C7 C8 C10 C11 C12 P1 P2 P3 L1 M1/weight M2/weight M3/weight B1 B2 B3 B5 B6 B7 B8 B9", r.Requirement) && r.Verdict != conformance.Pass {
			t.Errorf("%s: %s %s", r.Requirement, r.Verdict, r.Reason.EN)
		}
	}
}

// A late acknowledgement takes the receipt with it: a device that waits for its receipt gets
// one all the same.
func TestALateAcknowledgementHasItsReceiptBehind(t *testing.T) {
	receipts := make(chan devices.Receipt, 10)
	out, _, err := onTheBench(t, "0", func(broker, password string) {
		s, err := devices.Dial(t.Context(), devices.Connection{Broker: broker, Device: "bench-1", Password: password, Window: 1, Receipt: func(r devices.Receipt) { receipts <- r }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Publish(t.Context(), weighed("a", "kg", time.Now()), 1); err != nil {
			t.Error(err)
		}
		select {
		case r := <-receipts:
			if r.ID != "a" || r.Verdict != "accepted" {
				t.Errorf("told %+v", r)
			}
		case <-time.After(20 * time.Second):
			t.Error("no receipt within 20 s")
		}
	}, "--measure", "weight", "--receipts", "--trial", "late", "--late", "100ms")
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Whoever connects again and again while the broker still holds the former connection, as
// after broken ones, has published nothing wrong by it.
func TestADeviceThatConnectsAgainAndAgainIsNotToldOfAMessage(t *testing.T) {
	out, report, err := onTheBench(t, "0", func(broker, password string) {
		for i := range 7 {
			w, err := devices.DialWire(t.Context(), devices.Connection{Broker: broker, Device: "bench-1", Password: password, Window: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := w.PublishTo(t.Context(), "vigie/v1/bench-1/readings", weighed(strconv.Itoa(i), "kg", time.Now().Add(time.Duration(i-7)*time.Minute)), devices.NoCut); err != nil {
				t.Error(err)
			}
			if err := w.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}, "--measure", "weight", "--trial", "none")
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, r := range report.Results {
		if (r.Requirement == "P1" || r.Requirement == "P2") && r.Verdict != conformance.Pass {
			t.Errorf("%s: %s %s", r.Requirement, r.Verdict, r.Reason.EN)
		}
	}
}

// The network is away for a moment, which is a week by the clock of the bench: what was
// measured meanwhile comes with its time.
func TestAWeekWithoutANetwork(t *testing.T) {
	out, report, err := onTheBench(t, "0", func(broker, password string) {
		w, err := devices.DialWire(t.Context(), devices.Connection{Broker: broker, Device: "bench-1", Password: password, Window: 1, Receipt: func(devices.Receipt) {}})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for i, id := range []string{"before", "meanwhile", "afterwards"} { // a second between each
			at := time.Now().Add(time.Duration(i-1) * time.Second)
			if err := w.PublishTo(t.Context(), "vigie/v1/bench-1/readings", weighed(id, "kg", at), devices.NoCut); err != nil {
				t.Error(err)
			}
			if err := w.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}, "--measure", "weight", "--receipts", "--buffers", "--trial", "offline", "--offline", "400ms", "--offline-as", "168h")
	if err != nil || report.Ended.Sub(report.Began) < 6*24*time.Hour {
		t.Errorf("%v: from %s to %s\n%s", err, report.Began, report.Ended, out)
	}
	for _, r := range report.Results {
		if (r.Requirement == "B10" || r.Requirement == "L13") && r.Verdict != conformance.Pass {
			t.Errorf("%s: %s %s", r.Requirement, r.Verdict, r.Reason.EN)
		}
	}
}

func TestABenchNamesWhatADeviceDoesWrong(t *testing.T) {
	out, report, err := onTheBench(t, "1", func(broker, password string) {
		s := session(t, broker, password)
		if err := s.Publish(t.Context(), weighed("a", "stone", time.Now()), 1); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := s.Flush(ctx); err != nil {
			t.Log(err)
		}
	}, "--language", "en")
	if err == nil || !strings.Contains(err.Error(), "not met: L6") || !report.Failed() || !strings.Contains(out, "unknown-unit unit:") || !strings.Contains(out, "→ use its UCUM code") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := func() error {
		c := rootCommand()
		c.SetArgs([]string{"bench", "--measure", "love"})
		return c.Execute()
	}(); err == nil || !strings.Contains(err.Error(), "love") {
		t.Errorf("an unknown measure: %v", err)
	}
}

// In every format that they speak, our devices fail nothing.
func TestOurSimulatedDevicesPassInEveryFormat(t *testing.T) {
	for i := range devices.Speeches {
		speech := &devices.Speeches[i]
		t.Run(speech.Name, func(t *testing.T) {
			reading := devices.Reading{Measure: "weight", Unit: "kg"}
			if speech.Name == "nightscout" {
				reading = devices.Reading{Measure: "glucose", Unit: "mg/dL", Context: map[string]string{"specimen": "interstitial"}}
			}
			args := []string{"--trial", "none", "--measure", reading.Measure}
			if speech.At != nil {
				args = append(args, "--gateway", speech.Name, "--clock", "none")
			}
			out, report, err := onTheBench(t, "2", func(broker, password string) {
				s := session(t, broker, password)
				for n, number := range []float64{82, 83} {
					reading.ID, reading.Time = "w"+strconv.Itoa(n), time.Now().Add(time.Duration(n-2)*time.Minute).Format(time.RFC3339)
					reading.Values = map[string]devices.Given{"value": {Number: number, Limit: protocols.Measured}}
					payload, able := speech.Say(reading)
					if !able {
						t.Fatalf("it cannot say a %s", reading.Measure)
					}
					if err := s.PublishTo(t.Context(), speech.Topic(devices.DefaultPrefix, "bench-1"), payload, 1); err != nil {
						t.Error(err)
					}
				}
			}, args...)
			if err != nil || report.Failed() || report.Readings != 2 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// A file says what the device claims, and the bench stands before a broker of the
// vendor's, by TLS.
func TestABenchBeforeABrokerOfTheVendors(t *testing.T) {
	_, behind := servers.Hooked(t, &kept{}, nil)
	folder := t.TempDir()
	plan, authority := filepath.Join(folder, "profile.yaml"), filepath.Join(folder, "ca.pem")
	if err := os.WriteFile(plan, []byte("measures: [weight]\nbuffers: true\nevery: 24h\ntrials: [broken]\nreadings: 1\neach: {weight: {flags: [unstable], shows: {value: [5000, 200000]}, unit: g}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, report, err := onTheBench(t, "1", func(broker, password string) {
		trusted, err := trust(authority)
		if err != nil {
			t.Fatal(err)
		}
		s, err := devices.Dial(t.Context(), devices.Connection{Broker: broker, Device: "bench-1", Password: password, Window: 1, TLS: trusted})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Publish(t.Context(), weighed("a", "kg", time.Now()), 1); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := s.Flush(ctx); err != nil {
			t.Error(err)
		}
	}, "--proxy", "tcp://"+behind, "--tls", "--ca-out", authority, "--plan", plan)
	if err != nil || report.Plan != conformance.Version || !report.Profile.Buffers || report.Profile.Every != 24*time.Hour || report.Profile.Claims["weight"].Shows["value"].To != 200_000 {
		t.Errorf("%v %+v\n%s", err, report, out)
	}
	for _, r := range report.Results {
		if strings.Contains("C1 C4 C5 C6 C7 C8 P1 L1 B3", r.Requirement) && r.Verdict != conformance.Pass {
			t.Errorf("%s: %s %s", r.Requirement, r.Verdict, r.Reason.EN)
		}
	}
	for text, want := range map[string]string{"measure: [weight]": "measure", "measures: [love]": "love", "clock: wrong": "clock", "trials: [fire]": "fire",
		"each: {love: {every: 5m}}": "love", "each: {weight: {flags: [cuff-fit]}}": "cuff-fit", "each: {weight: {shows: {height: [1, 2]}}}": "height",
		"each: {weight: {shows: {value: [200, 5]}}}": "lowest", "each: {weight: {shows: {value: [5, 200]}, unit: mm}}": `"mm"`} {
		if err := os.WriteFile(plan, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		root := rootCommand()
		root.SetArgs([]string{"bench", "--plan", plan})
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
