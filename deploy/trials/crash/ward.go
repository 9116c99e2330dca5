package main

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"vigie/ingest/registry"
)

//go:embed nights.yaml
var nights []byte

// password is that of every device of the ward.
const password = "the password of a device that does not exist"

// lasts is how long the life of the ward is, whatever the number of readings.
const lasts = 10 * time.Hour

// ward is a number of patients with an oximeter each, and what these measure.
// The same ward measures the same: its alerts can be foretold.
type ward struct {
	registry registry.Registry
	prefix   string
	begin    time.Time
	devices  []string
	life     [][]publication // by device, in the order of time
}

// publication is one message with one reading.
type publication struct {
	id      string
	battery bool // it tells that of the device, too
	payload []byte
}

// newWard makes a ward whose last readings are measured at end. Its team is told
// by mail and by webhook. Each patient falls ill at a time of their own, so that
// alerts are raised all along.
func newWard(patients, readings int, end time.Time, webhook string) *ward {
	w := &ward{prefix: "vigie/v1", begin: end.Add(-lasts).UTC().Truncate(time.Minute)}
	w.registry.Teams = []registry.Team{{
		ID: "ward", Name: "Service", Zone: "Europe/Paris", Opens: "00:00", Closes: "23:59",
		Days: []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"},
		Mail: []string{"team@example.org"}, Webhook: webhook,
	}}
	secret := registry.HashSecret(password)
	life := rand.New(rand.NewPCG(1, 2))
	for i := range patients {
		patient, device := fmt.Sprintf("p-%03d", i), fmt.Sprintf("oximeter-%03d", i)
		w.registry.Patients = append(w.registry.Patients, registry.Patient{ID: patient})
		w.registry.Devices = append(w.registry.Devices, registry.Device{Name: device, Serial: "A", Kind: "oximeter", Secret: secret})
		w.registry.Enrolments = append(w.registry.Enrolments, registry.Enrolment{
			ID: "e-" + patient, Patient: patient, Protocol: "nights", Version: "1", Zone: "Europe/Paris", Team: "ward", Physician: "10001234565",
			Devices: []string{device}, From: w.begin.Add(-time.Hour), Prescription: w.begin.AddDate(0, 6, 0),
			Consent: registry.Consent{Given: true, Date: w.begin.Add(-time.Hour), Scope: "test"},
		})
		w.devices = append(w.devices, device)
		w.life = append(w.life, w.measures(life, readings, readings*i/patients))
	}
	return w
}

// measures are the readings of one patient, who is well until onset.
func (w *ward) measures(life *rand.Rand, readings, onset int) (all []publication) {
	step := lasts / time.Duration(max(1, readings))
	bad := 0
	for n := range readings {
		if n >= onset && life.IntN(max(10, readings/20)) == 0 {
			bad = 3 + life.IntN(12)
		}
		saturation := 94 + life.IntN(4)
		if bad > 0 {
			bad--
			saturation = 81 + life.IntN(12)
		}
		p := publication{id: fmt.Sprintf("%06d", n), battery: n%7 == 0}
		battery := ""
		if p.battery {
			battery = `,"battery":87`
		}
		p.payload = fmt.Appendf(nil, `{"id":"%s","time":%q,"measure":"oxygen-saturation","values":{"value":%d},"unit":"%%"%s}`,
			p.id, w.begin.Add(time.Duration(n)*step).Format(time.RFC3339Nano), saturation, battery)
		all = append(all, p)
	}
	return all
}

// readings is how many the ward measures.
func (w *ward) readings() (n int) {
	for _, life := range w.life {
		n += len(life)
	}
	return n
}

// measured is how often the ward measures under each name.
func (w *ward) measured() map[string]int {
	times := map[string]int{}
	for i, life := range w.life {
		for n := range life {
			times[w.devices[i]+"/"+life[n].id]++
		}
	}
	return times
}

func (w *ward) topic(device string) string { return w.prefix + "/" + device + "/readings" }

// protocolFolder writes the protocol of the ward into a folder.
func protocolFolder(parent string) (string, error) {
	folder := filepath.Join(parent, "protocols")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(folder, "nights.yaml"), nights, 0o644)
}
