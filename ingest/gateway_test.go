package ingest_test

import (
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/gateway"
)

// throughGateways is a service that reads two kinds of gateway. The hall's gateway may
// publish for scale-1, and for nobody else.
func throughGateways(t *testing.T) *service {
	t.Helper()
	var formats []ingest.Gateway
	for _, id := range []string{"esphome", "thingsboard", "thingsboard-gateway"} {
		text, _ := gateway.Shipped(id)
		f, problems := gateway.Parse(text, "")
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		formats = append(formats, f)
	}
	s := begin(t, func(c *ingest.Config) { c.Plans, c.Gateways = wardPlans, formats })
	reg := firstDay()
	reg.Devices[0].Gateway = "hall"
	s.enter(reg)
	return s
}

func (s *service) through(client, topic, payload string) {
	s.t.Helper()
	m := ingest.Message{Topic: topic, Client: client, Payload: []byte(payload), Received: s.clock()}
	if err := s.submit(m); err != nil {
		s.t.Fatal(err)
	}
}

func TestAGatewayPublishesForTheDevicesThatAreEntrustedToIt(t *testing.T) {
	s := throughGateways(t)
	const topic = "esphome/balance-1/sensor/weight_kg/state"
	s.through("hall", topic, "82.1")
	expect(t, "receipts", len(s.receipts.whole(t, 1)), 1)
	expect(t, "kept", len(s.history("w1")), 1)
	s.through("kitchen", topic, "82.2")
	s.through("hall", "esphome/balance-2/sensor/weight_kg/state", "82.3")
	s.through("hall", "esphome/neighbour/sensor/weight_kg/state", "82.4")
	s.through("hall", topic, "nan")
	s.through("hall", "esphome/balance-1/sensor/uptime/state", "12345")
	aside := s.setAside()
	if len(aside) != 3 || !strings.HasSuffix(aside[0], " wrong-topic") || !strings.HasSuffix(aside[1], " wrong-topic") || !strings.HasSuffix(aside[2], " unknown-device") {
		t.Errorf("set aside: %q", aside)
	}
	expect(t, "kept of others", len(s.history("w1"))+len(s.history("w2")), 1)
	s.through("balance-1", topic, "82.5") // a device speaks for itself
	expect(t, "kept of its own", len(s.history("w1")), 2)
}

// A hub serves a household in one message. Each device's readings are its own, and the
// message is acknowledged once, when all of them are kept.
func TestOneMessageOfSeveralDevices(t *testing.T) {
	s := throughGateways(t)
	reg := firstDay()
	reg.Devices[0].Gateway, reg.Devices[1].Gateway = "hall", "hall"
	s.enter(reg)
	const payload = `{"balance-1":{"weight_kg":82.1},"balance-2":[{"weight_kg":71.4},{"weight_kg":714}],"neighbour":{"weight_kg":64}}`
	done := make(chan error, 4)
	s.Submit(t.Context(), ingest.Message{Topic: "v1/gateway/telemetry", Client: "hall", Payload: []byte(payload), Received: s.clock(), Done: func(err error) { done <- err }})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	expect(t, "further acknowledgements", len(done), 0)
	expect(t, "kept of one", len(s.history("w1")), 1)
	expect(t, "kept of the other", len(s.history("w2")), 1)
	if aside := strings.Join(s.setAside(), "|"); strings.Count(aside, " implausible") != 1 || strings.Count(aside, " unknown-device") != 1 {
		t.Errorf("set aside: %q", aside)
	}
	s.through("hall", "v1/gateway/telemetry", payload) // sent again
	expect(t, "kept of both", len(s.history("w1"))+len(s.history("w2")), 2)
	s.through("hall", "v1/gateway/telemetry", `{"":{"weight_kg":82.1}}`)
	if aside := s.setAside(); len(aside) != 3 || strings.Count(strings.Join(aside, ""), " unknown-device") != 2 {
		t.Errorf("of nobody: %q", aside)
	}
}

// A gateway tells the same measurement with every advertisement that it hears.
func TestTheSameMessageWithinTenMinutesIsOneReading(t *testing.T) {
	s := throughGateways(t)
	const topic = "esphome/balance-1/sensor/weight_kg/state"
	for range 5 {
		s.through("hall", topic, "82.1")
		s.move(2 * time.Minute)
	}
	expect(t, "kept", len(s.history("w1")), 1)
	s.move(30 * time.Minute)
	s.through("hall", topic, "82.1")
	expect(t, "kept half an hour later", len(s.history("w1")), 2)
}

// A device that logs in itself needs no name in its topic. An outside broker, which
// checks who publishes, does not tell who has.
func TestTelemetryIsOfWhoHasLoggedIn(t *testing.T) {
	s := throughGateways(t)
	s.through("balance-1", "v1/devices/me/telemetry", `{"weight_kg":82.1}`)
	expect(t, "kept", len(s.history("w1")), 1)
	s.through("cuff", "v1/devices/me/telemetry", `{"weight_kg":82.1}`)
	s.through("", "v1/devices/me/telemetry", `{"weight_kg":82.1}`)
	s.through("", "esphome/balance-1/sensor/weight_kg/state", "83")
	expect(t, "kept from a broker outside", len(s.history("w1")), 2)
	if aside := s.setAside(); len(aside) != 2 || !strings.HasSuffix(aside[0], " measure-mismatch") || !strings.HasSuffix(aside[1], "unknown-device") {
		t.Errorf("set aside: %q", aside)
	}
}

// What came before its device was registered is tried again with the correction.
func TestWhatAGatewayToldTooEarlyIsTriedAgain(t *testing.T) {
	s := throughGateways(t)
	s.through("hall", "esphome/balance-2/sensor/weight_kg/state", "82.3")
	expect(t, "set aside", len(s.setAside()), 1)
	reg := firstDay()
	reg.Devices[0].Gateway, reg.Devices[1].Gateway = "hall", "hall"
	s.enter(reg)
	if _, err := s.Retry(t.Context(), ingest.SetAsideFilter{}); err != nil {
		t.Fatal(err)
	}
	expect(t, "set aside after a correction", len(s.setAside()), 0)
	expect(t, "kept", len(s.history("w2")), 1)
}
