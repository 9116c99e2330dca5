package seeds

import (
	"fmt"
	"time"

	"vigie/ingest/registry"
)

// crowdKinds says, for a measure, which kind of device takes it and which
// protocol of the library, in which version, looks at it.
var crowdKinds = map[string]struct{ kind, protocol, version string }{
	"blood-pressure":    {"blood-pressure-monitor", "heart-failure", "11"},
	"weight":            {"scale", "heart-failure", "11"},
	"heart-rate":        {"oximeter", "heart-failure", "11"},
	"oxygen-saturation": {"oximeter", "respiratory-failure", "9"},
	"glucose":           {"cgm", "diabetes", "10"},
}

// Crowd returns a registry of n patients who do not exist, each enrolled with
// one device that takes the measure: load for a bench. They are followed from 30
// days before start for a year. All devices have the same password, and
// CrowdDevice(i) as a name.
func Crowd(n int, start time.Time, measure, password string) (registry.Registry, error) {
	use, known := crowdKinds[measure]
	if !known {
		return registry.Registry{}, fmt.Errorf("no crowd takes the measure %q: use blood-pressure, weight, heart-rate, oxygen-saturation or glucose", measure)
	}
	from := start.UTC().Truncate(24*time.Hour).AddDate(0, 0, -30)
	secret := registry.HashSecret(password)
	reg := registry.Registry{
		Teams: []registry.Team{{ID: "crowd", Name: "Équipe de la foule", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00",
			Days: []string{"monday", "tuesday", "wednesday", "thursday", "friday"}}},
		Patients: make([]registry.Patient, n), Devices: make([]registry.Device, n), Enrolments: make([]registry.Enrolment, n),
	}
	for i := range n {
		patient := fmt.Sprintf("crowd-%07d", i)
		reg.Patients[i] = registry.Patient{ID: patient, Identity: crowdIdentity(i)}
		reg.Devices[i] = registry.Device{Name: CrowdDevice(i), Serial: fmt.Sprintf("LD%07d", i), Kind: use.kind, Brand: "Charge", Model: "1", Secret: secret}
		reg.Enrolments[i] = registry.Enrolment{
			ID: fmt.Sprintf("crowd-e-%07d", i), Patient: patient, Protocol: use.protocol, Version: use.version, Zone: "Europe/Paris", Team: "crowd",
			Physician: "10001234565", Devices: []string{CrowdDevice(i)}, From: from, Prescription: from.AddDate(1, 0, -1),
			Consent: registry.Consent{Given: true, Date: from, Scope: "charge"},
		}
	}
	return reg, nil
}

// CrowdDevice is the name of the i-th device of a crowd.
func CrowdDevice(i int) string { return fmt.Sprintf("load-%07d", i) }

// crowdIdentity is a synthetic identity with a matricule of its own.
func crowdIdentity(i int) registry.Identity {
	year, month, order := 30+i/1000%40, 1+i/40_000%12, i%1000
	place := 75101 + i/480_000
	matricule := fmt.Sprintf("1%02d%02d%05d%03d", year, month, place, order)
	key, _ := registry.INSKey(matricule) // 13 digits always have a key
	return registry.Identity{INS: matricule + key, OID: registry.OIDTest, BirthName: "FOULE", GivenNames: "JEAN", FirstGiven: "JEAN", Sex: "M",
		BirthDate: fmt.Sprintf("19%02d-%02d-15", year, month), BirthPlace: fmt.Sprintf("%05d", place)}
}
