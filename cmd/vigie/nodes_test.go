package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest/registry"
)

// TestThreeNodesAreAsGoodAsOne publishes the same readings through a real
// Mosquitto to one node and to three that share a real PostgreSQL, each a process
// of its own. The three are killed, stopped and cut off while the readings come,
// and their database is killed. Nothing is lost or doubled, the alerts are those
// of the one node, and people are told once.
//
// It takes twenty seconds of faults, or what VIGIE_TEST_FAULTS says (10m).
func TestThreeNodesAreAsGoodAsOne(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	lasts := 20 * time.Second
	if asked := os.Getenv("VIGIE_TEST_FAULTS"); asked != "" {
		var err error
		if lasts, err = time.ParseDuration(asked); err != nil {
			t.Fatalf("VIGIE_TEST_FAULTS: %v", err)
		}
	}
	w := newWorld(t)
	w.late = func(string) bool { return true } // seconds of a fault are hours of a patient's life here
	lone := w.site("alone", w.program, w.program)
	w.database = servers.Postgres(t) // the one node is not to be disturbed
	many := w.site("many", w.program, w.program, w.program, w.program)

	life := readingsOf(w.begin)
	done := make(chan struct{})
	published := make(chan error, 1)
	go func() {
		defer close(done)
		published <- w.publish(life, lasts, lone, many)
	}()
	faults := many.suffer(done, rand.New(rand.NewPCG(5, 6)))
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, f := range faults {
		counts[f.what]++
	}
	t.Logf("%d readings published, meanwhile %v", len(life), counts)
	if len(faults) < 5 {
		t.Errorf("only %d things went wrong: this test shows little", len(faults))
	}
	many.equals(lone, len(life), faults)
}

// nights is a protocol whose rules ask for no second reading: how long one is
// waited for is a matter of the clock, and the readings of hours come in seconds.
const nights = `id: nights
version: "1"
status: example
title: {fr: Nuits, en: Nights}
pathology: {icd10: J44, title: {fr: BPCO, en: COPD}}
origin: this test
eligibility:
  patient: {fr: Tous, en: All}
  devices: [{kind: oximeter}]
observations:
  - {measure: oxygen-saturation, mandatory: true, cadence: {times: 4, per: day}}
rules:
  - id: low
    title: {fr: Basse, en: Low}
    origin: this test
    levels:
      - level: yellow
        when: {measure: oxygen-saturation, at_most: 91 %, clear: 93 %}
      - level: orange
        when: {measure: oxygen-saturation, at_most: 87 %, clear: 90 %}
      - level: red
        when: {measure: oxygen-saturation, at_most: 83 %, clear: 86 %}
  - id: often
    title: {fr: Souvent basse, en: Often low}
    origin: this test
    levels:
      - level: orange
        when: {measure: oxygen-saturation, statistic: count, where: {at_most: 88 %}, window: 2h, at_least: 8}
  - id: falling
    title: {fr: En baisse, en: Falling}
    origin: this test
    levels:
      - level: yellow
        when: {measure: oxygen-saturation, statistic: fall, window: 1h, at_least: 15 %}
  - id: silent
    title: {fr: Silence, en: Silence}
    origin: this test
    absence: {measure: oxygen-saturation, missing: [{level: technical, periods: 2}]}
answer: {red: 1h, orange: 8h, yellow: 24h, technical: 24h}
too_late: 24h
patient: {fr: Bonjour, en: Hello}
`

const patients = 30

// wardOf is a ward of patients with an oximeter each.
func wardOf(begin time.Time, webhook string) *registry.Registry {
	reg := &registry.Registry{Teams: []registry.Team{{
		ID: "ward", Name: "Service", Zone: "Europe/Paris", Opens: "00:00", Closes: "23:59",
		Days: []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}, Webhook: webhook,
	}}}
	for i := range patients {
		enrol(reg, begin, i, "nights", "oximeter")
	}
	return reg
}

// enrol adds patient number i with a device of a kind, under a protocol.
func enrol(reg *registry.Registry, begin time.Time, i int, protocol, kind string) {
	patient, device := fmt.Sprintf("p-%02d", i), fmt.Sprintf("%s-%02d", kind, i)
	reg.Patients = append(reg.Patients, registry.Patient{ID: patient, Identity: nobody(i)})
	reg.Devices = append(reg.Devices, registry.Device{Name: device, Serial: "A", Kind: kind, Secret: formerSecret("a device's password")})
	reg.Enrolments = append(reg.Enrolments, registry.Enrolment{
		ID: "e-" + patient, Patient: patient, Protocol: protocol, Version: "1", Zone: "Europe/Paris", Team: "ward", Physician: "10001234565",
		Devices: []string{device}, From: begin.Add(-time.Hour), Prescription: begin.AddDate(0, 5, 0),
		Consent: registry.Consent{Given: true, Date: begin.Add(-time.Hour), Scope: "test"},
	})
}

// formerSecret is the secret of a device as older versions write it, which every version
// reads.
func formerSecret(password string) string {
	salt := []byte("salt of the ward")
	sum := sha256.Sum256(append(salt, password...))
	return "sha256$" + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// nobody is the identity of a patient who does not exist.
func nobody(i int) registry.Identity {
	number := 1_500_175_056_001 + int64(i)
	return registry.Identity{
		INS: fmt.Sprintf("%d%02d", number, 97-number%97), OID: "1.2.250.1.213.1.4.10",
		BirthName: "PERSONNE", GivenNames: "JEAN", FirstGiven: "JEAN", Sex: "M", BirthDate: "1950-01-01", BirthPlace: "75056",
	}
}

// publication is one reading of one device.
type publication struct{ device, payload string }

// readingsOf are eight hours of the ward, in the order of time: a saturation
// every five minutes, with bad stretches.
func readingsOf(begin time.Time) (all []publication) {
	life := rand.New(rand.NewPCG(1, 2))
	bad := make([]int, patients)
	for minute := 0; minute < 8*60; minute += 5 {
		for i := range patients {
			if life.IntN(60) == 0 {
				bad[i] = 2 + life.IntN(9)
			}
			saturation := 94 + life.IntN(4)
			if bad[i] > 0 {
				bad[i]--
				saturation = 81 + life.IntN(12)
			}
			all = append(all, publication{fmt.Sprintf("oximeter-%02d", i), fmt.Sprintf(
				`{"id":"%04d","time":%q,"measure":"oxygen-saturation","values":{"value":%d},"unit":"%%"}`,
				minute, begin.Add(time.Duration(minute)*time.Minute).Format(time.RFC3339), saturation)})
		}
	}
	return all
}
