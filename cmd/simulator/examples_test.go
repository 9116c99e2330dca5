package main

import (
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vigie/cmd/vigie/service"
	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/conformance"
)

const examples = "../../deploy/examples/"

// tool is the path of a program that an example needs; the test is skipped where this
// machine does not have it. deploy/test installs all of them.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := servers.Find(name)
	if errors.Is(err, servers.ErrMissing) {
		t.Skipf("needs a real client: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// python is one that has paho: Debian's, where the first in PATH has not.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{tool(t, "python3"), "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import paho.mqtt.client").Run() == nil {
			return name
		}
	}
	t.Skip("needs paho: deploy/test installs it")
	return ""
}

// ran runs a program to its end.
func ran(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(name), err, out)
	}
	return string(out)
}

// The examples of a device, with the clients that they are written for: each logs in,
// listens to its receipts, and sends again what was not acknowledged.
func TestTheExamplesOfADevicePassTheBench(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T) []string{
		"Python": func(t *testing.T) []string { return []string{python(t), examples + "device.py"} },
		"Node": func(t *testing.T) []string {
			modules := tool(t, "mqttjs") // the folder node_modules that holds it
			folder := t.TempDir()
			source, err := os.ReadFile(examples + "device.mjs")
			if err = errors.Join(err, os.Symlink(modules, filepath.Join(folder, "node_modules")), os.WriteFile(filepath.Join(folder, "device.mjs"), source, 0o600)); err != nil {
				t.Fatal(err)
			}
			return []string{tool(t, "node"), filepath.Join(folder, "device.mjs")}
		},
		"C": func(t *testing.T) []string {
			if _, err := os.Stat("/usr/include/mosquitto.h"); err != nil {
				t.Skip("needs libmosquitto-dev")
			}
			program := filepath.Join(t.TempDir(), "device")
			ran(t, tool(t, "cc"), "-Wall", "-Werror", examples+"device.c", "-lmosquitto", "-o", program)
			return []string{program}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := prepare(t)
			out, report, err := onTheBench(t, "0", func(broker, password string) {
				at, err := url.Parse(broker)
				if err != nil {
					t.Fatal(err)
				}
				said := ran(t, command[0], append(command[1:], at.Hostname(), "bench-1", password, "82.10", at.Port())...)
				if !strings.Contains(said, `"verdict":"duplicate"`) {
					t.Errorf("it was told %s", said)
				}
			}, "--measure", "weight", "--receipts")
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			for _, r := range report.Results {
				if strings.Contains("C1 C2 C3 C7 C8 P1 P2 P3 L1 B2 B3 B5 B11", r.Requirement) && r.Verdict != conformance.Pass {
					t.Errorf("%s: %s %s", r.Requirement, r.Verdict, r.Reason.EN)
				}
			}
		})
	}
}

// The example of the guide, which sends one message and goes.
func TestMosquittoPubOnTheBench(t *testing.T) {
	program := tool(t, "mosquitto_pub")
	out, report, err := onTheBench(t, "1", func(broker, password string) {
		at, err := url.Parse(broker)
		if err != nil {
			t.Fatal(err)
		}
		ran(t, program, "-h", at.Hostname(), "-p", at.Port(), "-i", "bench-1", "-u", "bench-1", "-P", password, "-q", "1", "-t", "vigie/v1/bench-1/readings", "-m", `{"id":"1","age":0,"measure":"weight","values":{"value":82.1},"unit":"kg"}`)
	}, "--trial", "none", "--clock", "none")
	if err != nil || report.Readings != 1 {
		t.Errorf("%v\n%s", err, out)
	}
}

// The sketch is compiled against a stub, whose first reading has no PUBACK.
func TestTheSketchOfADevice(t *testing.T) {
	program := filepath.Join(t.TempDir(), "sketch")
	ran(t, tool(t, "g++"), "-std=c++17", "-Wall", "-Werror", "-I", examples, "-I", "testdata/arduino", "testdata/arduino/main.cpp", "-o", program)
	var payloads []string
	said := ran(t, program)
	for line := range strings.Lines(said) {
		if payload, ok := strings.CutPrefix(strings.TrimSpace(line), "publish 0 1 vigie/v1/bench-1/readings "); ok {
			payloads = append(payloads, payload)
		}
	}
	if len(payloads) != 2 || payloads[0] != payloads[1] {
		t.Fatalf("the reading is to be sent, and again:\n%s", said)
	}
	var batch ingest.Batch
	service.Formats()[ingest.ReadingsTopic].Decode("", "", []byte(payloads[0]), &batch)
	if len(batch.Readings) != 1 || len(batch.Warnings) != 0 || batch.Readings[0].Values[0] != 82_100 {
		t.Errorf("%s gives %+v", payloads[0], batch)
	}
	for _, want := range []string{"clean 0", "keep-alive 60", `will 1 1 vigie/v1/bench-1/status {"online":false}`, "connect bench-1 bench-1", "subscribe 1 vigie/v1/bench-1/receipts", `publish 1 1 vigie/v1/bench-1/status {"online":true}`} {
		if !strings.Contains(said, want+"\n") {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
}
