package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/language"
	"vigie/seeds"
	"vigie/seeds/simulation"
)

// home is one patient at home.
type home struct {
	patient    *simulation.Patient
	protocol   *protocols.Protocol
	settings   protocols.Settings
	deliveries []language.Delivery // as the service gets them
}

// upload is what one device sends in one message.
type upload struct {
	at       time.Time
	device   string
	readings []*protocols.Reading
}

// Devices send what they measured at the next of these: those of an interstitial
// sensor when its phone is near, the others soon.
const (
	sensorSends = time.Hour
	othersSend  = 5 * time.Minute
)

func sendsAt(r *protocols.Reading) time.Time {
	every := othersSend
	if r.Measure.ID == "glucose" && r.Variant > 0 && r.Measure.Variants[r.Variant-1] == "interstitial" {
		every = sensorSends
	}
	at := r.Time.Truncate(every)
	if at.Before(r.Time) {
		at = at.Add(every)
	}
	return at
}

// enrol enrols the cohort.
func (w *ward) enrol() error {
	lives, err := seeds.Lives()
	if err != nil {
		return err
	}
	reg := registry.Registry{Teams: w.Staff.Teams}
	for i := range w.Cohort.Patients {
		p := w.Cohort.Patient(i)
		h := &home{patient: p}
		if h.protocol, err = w.followedBy(i); err != nil {
			return err
		}
		h.settings = p.Settings(h.protocol)
		w.homes = append(w.homes, h)
		for _, r := range p.Readings {
			h.deliveries = append(h.deliveries, language.Delivery{Reading: *r, Received: sendsAt(r)})
		}
		slices.SortStableFunc(h.deliveries, func(a, b language.Delivery) int { return a.Received.Compare(b.Received) })
		w.figures.Readings += len(p.Readings)
		reg.Patients = append(reg.Patients, registry.Patient{ID: p.ID, Identity: identity(i)})
		devices, err := h.devices(lives)
		if err != nil {
			return err
		}
		e := registry.Enrolment{
			ID: "e-" + p.ID, Patient: p.ID, Protocol: h.protocol.ID, Version: h.protocol.Version, Zone: p.Zone.String(),
			Team: w.Staff.Teams[i%len(w.Staff.Teams)].ID, Physician: "10001234565", Settings: h.settings, Pauses: p.Pauses,
			From: p.From.UTC(), Prescription: p.To.UTC(), Consent: registry.Consent{Given: true, Date: p.From.UTC(), Scope: "simulation"},
		}
		for _, d := range devices {
			e.Devices = append(e.Devices, d.Name)
		}
		reg.Devices = append(reg.Devices, devices...)
		reg.Enrolments = append(reg.Enrolments, e)
	}
	if _, err := w.service.Registry().Import(w.ctx, &reg, "simulation", w.now); err != nil {
		return fmt.Errorf("enrol the cohort: %w", err)
	}
	return w.service.Step(w.ctx)
}

// followedBy is the latest version of the protocol that follows a patient.
func (w *ward) followedBy(place int) (*protocols.Protocol, error) {
	for _, p := range w.shelf.LatestOfAll() {
		if slices.Contains(w.Cohort.For(p), place) {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no protocol follows the condition %s", w.Cohort.Condition(place))
}

func identity(place int) registry.Identity {
	matricule := fmt.Sprintf("2500175056%03d", place+1)
	key, _ := registry.INSKey(matricule) // of thirteen digits
	return registry.Identity{
		INS: matricule + key, OID: registry.OIDTest, BirthName: "FICTIF", GivenNames: "CAMILLE", FirstGiven: "CAMILLE",
		Sex: "F", BirthDate: "1950-01-15", BirthPlace: "75056",
	}
}

// devices are those that the readings of a patient name, each of a kind that measures
// them and that the protocol admits.
func (h *home) devices(lives seeds.Scenarios) ([]registry.Device, error) {
	var list []registry.Device
	for _, r := range h.patient.Readings {
		if slices.ContainsFunc(list, func(d registry.Device) bool { return d.Name == r.Device }) {
			continue
		}
		d := registry.Device{Name: r.Device, Serial: r.Device, Password: registry.NewPassword()}
		for _, class := range h.protocol.Eligibility.Devices {
			if !protocols.KindByID(class.Kind).Takes(r.Measure) {
				continue
			}
			if d.Kind == "" || lives.Measures(class.Kind, r) && !lives.Measures(d.Kind, r) {
				d.Kind, d.Brand, d.Model = class.Kind, class.Brand, class.Model
			}
		}
		list = append(list, d)
	}
	return list, nil
}

// uploads are all messages of all devices, in the order of time.
func (w *ward) uploads() []upload {
	var all []upload
	type key struct {
		device string
		at     time.Time
	}
	for _, h := range w.homes {
		known := map[key]int{}
		for i := range h.deliveries {
			d := &h.deliveries[i]
			k := key{d.Reading.Device, d.Received}
			place, ok := known[k]
			if !ok {
				place = len(all)
				known[k] = place
				all = append(all, upload{at: d.Received, device: d.Reading.Device})
			}
			all[place].readings = append(all[place].readings, &d.Reading)
		}
	}
	slices.SortStableFunc(all, func(a, b upload) int { return a.at.Compare(b.at) })
	return all
}

// published is a reading as a device publishes it.
type published struct {
	ID      string             `json:"id"`
	Time    string             `json:"time"`
	Measure string             `json:"measure"`
	Values  map[string]float64 `json:"values"`
	Unit    map[string]string  `json:"unit"`
	Flags   []string           `json:"flags,omitempty"`
	Context map[string]string  `json:"context,omitempty"`
}

// deliver hands one message to the service, and waits until it is kept.
func (w *ward) deliver(u upload) error {
	list := make([]published, len(u.readings))
	for i, r := range u.readings {
		p := published{ID: r.ID, Time: r.Time.Format(time.RFC3339), Measure: r.Measure.ID, Values: map[string]float64{}, Unit: map[string]string{}, Flags: r.Flags}
		for j, v := range r.Values {
			if v != protocols.Missing {
				c := &r.Measure.Components[j]
				p.Values[c.Name], p.Unit[c.Name] = v.Float(), c.Unit
			}
		}
		if r.Variant > 0 {
			p.Context = map[string]string{"specimen": r.Measure.Variants[r.Variant-1]}
		}
		list[i] = p
	}
	payload, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	var kept sync.WaitGroup
	var failed error
	kept.Add(1)
	w.service.Pipeline().Submit(w.ctx, ingest.Message{
		Topic: ingest.Topic(w.service.Config.Topics.Prefix, u.device, ingest.ReadingsTopic), Device: u.device, Client: u.device, Payload: payload, Received: w.now,
		Done: func(err error) { failed = err; kept.Done() },
	})
	kept.Wait()
	if failed != nil {
		return errors.Join(fmt.Errorf("a message of %s is not kept", u.device), failed)
	}
	return nil
}
