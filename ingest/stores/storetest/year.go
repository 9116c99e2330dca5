package storetest

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigie/alerts/erasure"
	"vigie/alerts/trail"
	"vigie/ingest/registry"
)

// patientsOfAYear is how many live the year: go test ./ingest/stores/sqlite
// -run Erasure/year -year-patients 500 -v.
var patientsOfAYear = flag.Int("year-patients", 8, "patients who live a year of enrolments")

// followedOnce is what the model of a year knows of an enrolment.
type followedOnce struct {
	from, ends time.Time
	device     string
	research   bool
}

// year is a year of a ward, beside a model of it that knows nothing of a store.
type year struct {
	*testing.T
	store Erasable
	rand  *rand.Rand
	now   time.Time

	// The model: by patient, the enrolments by their ids. Who is erased has a nil entry.
	model   map[string]map[string]followedOnce
	devices int
	acts    map[string]int
}

// runYear has patients enrolled, renewed, given other devices, withdrawn and erased for a
// year, and holds the store against a model at the end of each month. It makes the same
// changes as the interface for programs and the commands.
func runYear(t *testing.T, store Erasable) {
	y := &year{T: t, store: store, rand: rand.New(rand.NewPCG(2026, 500)), now: noon.AddDate(-1, 0, 0), model: map[string]map[string]followedOnce{}, acts: map[string]int{}}
	y.keep(&registry.Registry{Teams: ward().Teams})
	for day := range 365 {
		for len(y.model) < *patientsOfAYear && y.rand.IntN(365) < max(1, *patientsOfAYear/2) {
			y.enrol()
		}
		for _, patient := range slices.Sorted(maps.Keys(y.model)) {
			y.live(patient)
		}
		if day%30 == 29 {
			y.compare()
		}
		y.now = y.now.AddDate(0, 0, 1)
	}
	y.compare()
	for _, act := range []string{"enrol", "renew", "swap", "withdraw", "research", "erase"} {
		if y.acts[act] == 0 {
			t.Errorf("nobody had: %s", act)
		}
	}
	t.Logf("%d patients, %v", len(y.model), y.acts)
}

// keep makes a change as a person makes it: what loosens the watch is named.
func (y *year) keep(reg *registry.Registry) {
	y.Helper()
	if _, err := y.store.Import(y.Context(), reg, "a nurse", y.now); err != nil {
		y.Fatal(err)
	}
}

func (y *year) did(act string) { y.acts[act]++ }

// another is a device that nobody has had.
func (y *year) another() registry.Device {
	y.devices++
	name := fmt.Sprintf("scale-%04d", y.devices)
	return registry.Device{Name: name, Serial: "S-" + name, Kind: "scale", Brand: "B", Model: "M", Password: "a password long enough"}
}

func (y *year) enrol() {
	y.did("enrol")
	shipped, n := ward(), len(y.model)+1
	patient, e := shipped.Patients[0], shipped.Enrolments[0]
	device := y.another()
	patient.ID, e.ID = fmt.Sprintf("p-%04d", n), fmt.Sprintf("e-%04d", n)
	e.Patient, e.Devices, e.From, e.Prescription, e.Pauses, e.Settings = patient.ID, []string{device.Name}, y.now, y.now.AddDate(0, 2+y.rand.IntN(5), 0), nil, nil
	e.Consent = registry.Consent{Given: true, Date: y.now, Scope: "weight"}
	y.keep(&registry.Registry{Patients: []registry.Patient{patient}, Devices: []registry.Device{device}, Enrolments: []registry.Enrolment{e}})
	y.model[patient.ID] = map[string]followedOnce{e.ID: {y.now, e.Prescription, device.Name, false}}
}

// last is the enrolment of a patient that ends last.
func (y *year) last(patient string) (id string, last followedOnce) {
	for _, other := range slices.Sorted(maps.Keys(y.model[patient])) {
		if e := y.model[patient][other]; id == "" || e.ends.After(last.ends) {
			id, last = other, e
		}
	}
	return id, last
}

// live is one day of a patient.
func (y *year) live(patient string) {
	id, last := y.last(patient)
	if id == "" {
		return // erased
	}
	if y.now.After(last.ends) {
		if y.now.Sub(last.ends) > 30*24*time.Hour && y.rand.IntN(60) == 0 {
			y.erase(patient)
		}
		return
	}
	former, err := y.store.Enrolment(y.Context(), id)
	if err != nil {
		y.Fatal(err)
	}
	change := func(act string, next registry.Enrolment, devices ...registry.Device) {
		y.did(act)
		y.keep(&registry.Registry{Enrolments: []registry.Enrolment{next}, Devices: devices})
	}
	switch chance := y.rand.IntN(200); {
	case last.ends.Sub(y.now) < 20*24*time.Hour && chance < 12:
		next := former.Renewed(id+"-x", former.Prescription.AddDate(0, 3, 0))
		y.model[patient][next.ID] = followedOnce{last.ends, next.Prescription, last.device, last.research}
		change("renew", next)
	case chance == 20:
		device := y.another()
		next, had := former.Replacing(last.device, device.Name)
		if !had {
			y.Fatalf("%s has %v, the model %s", id, former.Devices, last.device)
		}
		last.device = device.Name
		y.model[patient][id] = last
		change("swap", next, device)
	case chance == 21 && y.rand.IntN(4) == 0 && last.from.Before(y.now):
		last.ends = y.now
		y.model[patient][id] = last
		change("withdraw", former.Withdrawn(y.now))
	case chance == 22 && last.from.Before(y.now):
		next, _ := former.Allowing("research", registry.Purpose{Given: !last.research, With: "OSICAT"}, y.now)
		last.research = !last.research
		y.model[patient][id] = last
		change("research", next)
	}
}

func (y *year) erase(patient string) {
	y.did("erase")
	subject, err := y.store.Subject(y.Context(), patient, y.now)
	if err != nil {
		y.Fatal(err)
	}
	record, words := erasure.NewRecord(patient, "Ida", "asked for", y.now), subject.Words()
	gone, err := trail.Plan(y.Context(), y.store.Trail, record.ID, trail.Told{Patient: patient, Is: words.Is, Of: words.Of})
	if err == nil {
		_, err = y.store.Erase(y.Context(), erasure.Order{Subject: subject, Record: record, Trail: gone})
	}
	if err != nil {
		y.Fatal(err)
	}
	y.store, y.model[patient] = y.store.Again(), nil
}

// compare holds the store against the model.
func (y *year) compare() {
	y.Helper()
	for _, patient := range slices.Sorted(maps.Keys(y.model)) {
		known, err := y.store.HasPatient(y.Context(), patient)
		if err != nil || known != (y.model[patient] != nil) {
			y.Fatalf("%v: %s is known: %v, %v", y.now, patient, known, err)
		}
		list, err := y.store.EnrolmentsOf(y.Context(), patient)
		if err != nil {
			y.Fatal(err)
		}
		found := map[string]followedOnce{}
		for i := range list {
			e := &list[i]
			found[e.ID] = followedOnce{e.From.UTC(), e.Ends().UTC(), e.Devices[0], e.Consent.Research.At(y.now)}
			assigned, err := y.store.Device(y.Context(), e.Devices[0])
			if err != nil || !slices.ContainsFunc(assigned.Enrolments, func(fed registry.Enrolment) bool { return fed.Patient == patient }) {
				y.Fatalf("%v: %s feeds not %s: %v", y.now, e.Devices[0], patient, err)
			}
		}
		want := y.model[patient]
		if want == nil {
			want = map[string]followedOnce{}
		}
		if !maps.Equal(found, want) {
			y.Fatalf("%v: %s has %+v, the model %+v", y.now, patient, found, want)
		}
		for id := range want {
			versions, err := y.store.Versions(y.Context(), id)
			if err != nil || len(versions) == 0 {
				y.Fatalf("%s has no history: %v", id, err)
			}
		}
	}
	if _, err := y.store.Enrolment(y.Context(), "e-none"); !errors.Is(err, registry.ErrNotFound) {
		y.Fatalf("an enrolment that nobody made: %v", err)
	}
}
