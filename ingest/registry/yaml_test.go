package registry

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
)

// nation is a registry whose document is longer than yaml.Parse reads.
func nation() *Registry {
	reg := &Registry{Teams: []Team{{ID: "cardio", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday"}}}}
	from := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	scope := strings.Repeat("weight, blood pressure and symptoms, as explained on the day; ", 100)
	for i := range 1500 {
		matricule := fmt.Sprintf("27707632%05d", i)
		key, _ := INSKey(matricule)
		patient, device := fmt.Sprintf("p-%05d", i), fmt.Sprintf("scale-%05d", i)
		reg.Patients = append(reg.Patients, Patient{ID: patient, Identity: Identity{INS: matricule + key, OID: OIDTest, BirthName: "DURAND",
			GivenNames: "ANNE MARIE", FirstGiven: "ANNE", Sex: "F", BirthDate: "1977-07-04", BirthPlace: matricule[5:10]}})
		reg.Devices = append(reg.Devices, Device{Name: device, Serial: "A", Kind: "scale", Brand: "Balancia", Model: "B-200"})
		reg.Enrolments = append(reg.Enrolments, Enrolment{ID: fmt.Sprintf("e-%05d", i), Patient: patient, Protocol: "heart-failure", Version: "1",
			Zone: "Indian/Reunion", Team: "cardio", Physician: "10001234565", Devices: []string{device}, From: from, Prescription: from.AddDate(1, 0, 0),
			Consent:  Consent{Given: true, Date: from, Scope: scope},
			Settings: protocols.Settings{"fast-gain": {Value: 1500, Author: "Dr Aubry", Date: from, Reason: "small build"}}})
	}
	return reg
}

func TestLongDocumentIsReadWhole(t *testing.T) {
	reg := nation()
	var written strings.Builder
	if err := Write(&written, reg); err != nil {
		t.Fatal(err)
	}
	text := written.String()
	if len(text) <= yaml.MaxBytes {
		t.Fatalf("%d bytes are not long", len(text))
	}
	doc, err := ParseYAML([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	again, problems, err := Check(t.Context(), doc, heart, nil)
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %+v", err, problems[:min(3, len(problems))])
	}
	if fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", *reg) {
		t.Error("it does not say the same as what was written")
	}

	// A mistake far down is found on its own line.
	at := strings.LastIndex(text, "physician: \"10001234565\"")
	line := 1 + strings.Count(text[:at], "\n")
	doc, err = ParseYAML([]byte(text[:at] + "physician: \"10001234566\"" + text[at+len("physician: \"10001234565\""):]))
	if err != nil {
		t.Fatal(err)
	}
	_, problems, err = Check(t.Context(), doc, heart, nil)
	if err != nil || len(problems) != 1 || problems[0].Line != line {
		t.Errorf("%v, %+v: want one problem on line %d", err, problems, line)
	}
	_, err = ParseYAML([]byte(text[:at] + "\t{" + text[at:]))
	if bad := new(yaml.Error); !errors.As(err, &bad) || bad.Line < line-1 || bad.Line > line+1 {
		t.Errorf("%v: want an error about line %d", err, line)
	}
}
