package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"vigie/ingest/registry"
)

// tagOf is the tag of an item as somebody has just read it.
func tagOf(t *testing.T, s Registry, kind, id string) string {
	t.Helper()
	item, err := registry.Find(t.Context(), s, registry.Item{Kind: kind, ID: id}, registry.Access{Author: "test", Reason: "test", At: noon})
	if err != nil {
		t.Fatal(err)
	}
	return registry.Tag(item)
}

func changedSince(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	next := ward()
	next.Teams[0].Name, next.Patients[0].Identity.BirthName, next.Devices[0].Serial, next.Enrolments[0].Version = "Neuf", "DUPONT", "B", "2"
	for _, c := range []struct {
		kind, id string
		only     registry.Registry
	}{
		{registry.KindTeam, "cardio", registry.Registry{Teams: next.Teams[:1]}},
		{registry.KindPatient, "p-1", registry.Registry{Patients: next.Patients[:1]}},
		{registry.KindDevice, "scale-1", registry.Registry{Devices: next.Devices[:1]}},
		{registry.KindEnrolment, "e-1", registry.Registry{Enrolments: next.Enrolments[:1]}},
	} {
		seen := tagOf(t, s, c.kind, c.id)
		for _, other := range []string{"", "0123456789abcdef"} {
			c.only.Seen = map[string]string{c.kind + " " + c.id: other}
			if _, err := s.Import(t.Context(), &c.only, "Dr Roux", noon); !errors.Is(err, registry.ErrChanged) {
				t.Errorf("%s read as %q: %v, want ErrChanged", c.kind, other, err)
			}
		}
		expect(t, c.kind+" after that", tagOf(t, s, c.kind, c.id), seen)
		c.only.Seen[c.kind+" "+c.id] = seen
		if _, err := s.Import(t.Context(), &c.only, "Dr Roux", noon); err != nil {
			t.Errorf("%s as it was read: %v", c.kind, err)
		}
		if tagOf(t, s, c.kind, c.id) == seen {
			t.Errorf("%s has the tag of before", c.kind)
		}
	}
	fresh := registry.Registry{Devices: []registry.Device{{Name: "scale-3", Serial: "C", Kind: "scale"}}, Seen: map[string]string{"device scale-3": ""}}
	if _, err := s.Import(t.Context(), &fresh, "Dr Roux", noon); err != nil {
		t.Errorf("one that is new: %v", err)
	}
}

func takenOut(t *testing.T, s Registry) {
	reg := ward()
	reg.Teams = append(reg.Teams, registry.Team{ID: "neuro", Name: "Neuro", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday"}})
	reg.Patients = append(reg.Patients, registry.Patient{ID: "p-3", Identity: reg.Patients[0].Identity})
	reg.Devices = append(reg.Devices, registry.Device{Name: "scale-3", Serial: "A", Kind: "scale", Password: "a password long enough"})
	importWard(t, s, reg, "admin", noon)
	before := version(t, s)
	gone := func(kind, id, seen string) error {
		item := registry.Item{Kind: kind, ID: id}
		_, err := s.Import(t.Context(), &registry.Registry{Gone: []registry.Item{item}, Seen: map[string]string{item.String(): seen}}, "Op", noon)
		return err
	}
	for _, used := range [][2]string{{registry.KindTeam, "cardio"}, {registry.KindPatient, "p-1"}, {registry.KindDevice, "scale-1"}, {registry.KindEnrolment, "e-1"}} {
		if err := gone(used[0], used[1], tagOf(t, s, used[0], used[1])); !errors.Is(err, registry.ErrUsed) {
			t.Errorf("%s %s: %v, want ErrUsed", used[0], used[1], err)
		}
	}
	expect(t, "the version after what was refused", version(t, s), before)
	for _, free := range [][2]string{{registry.KindTeam, "neuro"}, {registry.KindPatient, "p-3"}, {registry.KindDevice, "scale-3"}} {
		if err := gone(free[0], free[1], "0123456789abcdef"); !errors.Is(err, registry.ErrChanged) {
			t.Errorf("%s %s as it was not read: %v, want ErrChanged", free[0], free[1], err)
		}
		if err := gone(free[0], free[1], tagOf(t, s, free[0], free[1])); err != nil {
			t.Errorf("%s %s: %v", free[0], free[1], err)
		}
		_, err := registry.Find(t.Context(), s, registry.Item{Kind: free[0], ID: free[1]}, registry.Access{Author: "test", Reason: "test", At: noon})
		if !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s %s is still there: %v", free[0], free[1], err)
		}
		if err := gone(free[0], free[1], ""); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s %s again: %v, want ErrNotFound", free[0], free[1], err)
		}
	}
	if version(t, s) == before {
		t.Error("the version is that of before: caches would never hear of it")
	}
	importWard(t, s, reg, "admin", noon) // they come back
	if known, err := s.HasPatient(t.Context(), "p-3"); !known || err != nil {
		t.Errorf("the patient who came back: %v, %v", known, err)
	}
}

func listedInParts(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	var names []string
	for after := ""; ; {
		devices, err := s.Devices(t.Context(), after, 1)
		enrolments, failed := s.Enrolments(t.Context(), strings.Replace(after, "scale", "e", 1), 1)
		if err != nil || failed != nil || len(devices) != len(enrolments) {
			t.Fatal(err, failed, len(devices), len(enrolments))
		}
		if len(devices) == 0 {
			break
		}
		after = devices[0].Name
		names = append(names, after, enrolments[0].ID)
	}
	expect(t, "the devices and the enrolments", strings.Join(names, " "), "scale-1 e-1 scale-2 e-2")
	for ins, want := range map[string]string{"277076322081": "[p-2]", "27707632208": "[]", "": "[]"} {
		ids, err := s.PatientsWithINS(t.Context(), ins)
		expect(t, "patients with "+ins, fmt.Sprint(ids, err), want+" <nil>")
	}
}
