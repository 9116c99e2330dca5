package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// Registry is a store that holds the registry and answers ingest.
type Registry interface {
	registry.Store
	ingest.Directory
}

// RunRegistry holds a store to the contract of registry.Store. open returns a
// new, empty store; it closes it when the test ends.
func RunRegistry(t *testing.T, open func(t *testing.T) Registry) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Registry)
	}{
		{"what was imported is found", imported},
		{"the same import again changes nothing", importedAgain},
		{"what is not there is said to be so", notThere},
		{"an enrolment is read back as it was at any time", enrolmentAt},
		{"a setting changes with a new signature only, and one refusal undoes the import", unsignedSetting},
		{"an enrolment never goes to another patient", otherPatient},
		{"an older file brings nothing back that was withdrawn or replaced", olderFile},
		{"a device feeds the enrolments that name it", feeds},
		{"what a document names is told at once", holding},
		{"a device that went from one patient to another is the other's from then on", handedOn},
		{"passwords are kept as hashes and generated once", passwords},
		{"every reading of an identity is logged", identities},
		{"an identity is kept with its history, and other traits are not validated unchecked", identityStatus},
		{"faces are listed by name, without the matricule and without a trace", faces},
		{"what has changed since is listed, patient by patient", touched},
		{"an import is signed", signed},
		{"what has changed since it was read is not changed", changedSince},
		{"what no enrolment names is taken out, and stays in the history", takenOut},
		{"devices and enrolments are listed in parts, patients found by matricule", listedInParts},
		{"two records of one person are merged, and the merge is taken back", mergedRecords},
		{"a protocol version stays as it was first used", usedProtocols},
		{"what is exported can be imported", exported},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// ward is a team with two patients, who have a scale each.
func ward() *registry.Registry {
	reg := &registry.Registry{Teams: []registry.Team{{ID: "cardio", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday"}}}}
	for i := range 2 {
		reg.Patients = append(reg.Patients, registry.Patient{ID: fmt.Sprintf("p-%d", i+1), Identity: registry.Identity{
			INS: fmt.Sprintf("27707632208%d", i), OID: registry.OIDTest, BirthName: "DURAND", GivenNames: "ANNE MARIE", FirstGiven: "ANNE", Sex: "F", BirthDate: "1977-07-04", BirthPlace: "63220"}})
		reg.Devices = append(reg.Devices, registry.Device{Name: fmt.Sprintf("scale-%d", i+1), Serial: "A", Kind: "scale", Brand: "B", Model: "M", Password: "a password long enough"})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{
			ID: fmt.Sprintf("e-%d", i+1), Patient: fmt.Sprintf("p-%d", i+1), Protocol: "heart-failure", Version: "1", Zone: "Indian/Reunion", Team: "cardio",
			Physician: "10001234565", Devices: []string{fmt.Sprintf("scale-%d", i+1)}, From: noon.AddDate(0, -1, 0), Prescription: noon.AddDate(0, 10, 0),
			Consent:  registry.Consent{Given: true, Date: noon.AddDate(0, -1, 0), Scope: "weight"},
			Settings: protocols.Settings{"fast-gain": {Value: 1500, Author: "Dr Aubry", Date: noon.AddDate(0, -1, 0), Reason: "small build"}},
			Pauses:   []protocols.Pause{{From: noon, Until: noon.AddDate(0, 0, 3), Author: "Dr Aubry", Reason: "hospital"}},
		})
	}
	reg.Patients[0].Identity.Contact = &registry.Contact{Phone: "02 61 91 00 12", Hours: "après 17 h", Measures: []string{"device", "phone"}}
	return reg
}

// asJSON writes what holds pointers so that it can be compared.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func importWard(t *testing.T, s Registry, reg *registry.Registry, author string, at time.Time) registry.Changes {
	t.Helper()
	changes, err := s.Import(t.Context(), reg, author, at)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func imported(t *testing.T, s Registry) {
	reg := ward()
	changes := importWard(t, s, reg, "admin", noon)
	expect(t, "added, changed, unchanged", [3]int{changes.Added, changes.Changed, changes.Unchanged}, [3]int{7, 0, 0})

	a, err := s.Device(t.Context(), "scale-2")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "the device", a.Device.Kind, "scale")
	expect(t, "its enrolments", a.Enrolments, []registry.Enrolment{reg.Enrolments[1]})
	e, err := s.Enrolment(t.Context(), "e-1")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "the enrolment", *e, reg.Enrolments[0])
	team, err := s.Team(t.Context(), "cardio")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "the team", *team, reg.Teams[0])
	known, err := s.HasPatient(t.Context(), "p-1")
	expect(t, "the patient is known", fmt.Sprint(known, err), "true <nil>")
	of, err := s.EnrolmentsOf(t.Context(), "p-1")
	expect(t, "the patient's enrolments", fmt.Sprint(len(of), err), "1 <nil>")
}

func version(t *testing.T, s Registry) int64 {
	t.Helper()
	v, err := s.RegistryVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func importedAgain(t *testing.T, s Registry) {
	expect(t, "the version of nothing", version(t, s), 0)
	importWard(t, s, ward(), "admin", noon)
	first := version(t, s)
	if first == 0 {
		t.Error("an import left the version as it was: caches would never hear of it")
	}
	changes := importWard(t, s, ward(), "admin", noon.Add(time.Hour))
	expect(t, "added, changed, unchanged", [3]int{changes.Added, changes.Changed, changes.Unchanged}, [3]int{0, 0, 7})
	expect(t, "the version", version(t, s), first)
	versions, err := s.Versions(t.Context(), "e-1")
	expect(t, "versions of the enrolment", fmt.Sprint(len(versions), err), "1 <nil>")
}

func notThere(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	_, noDevice := s.Device(t.Context(), "scale-9")
	_, noEnrolment := s.Enrolment(t.Context(), "e-9")
	_, noTeam := s.Team(t.Context(), "neuro")
	_, noIdentity := s.Identity(t.Context(), "p-9", registry.Access{Author: "Dr Aubry", Reason: "call", At: noon})
	_, tooEarly := s.EnrolmentAt(t.Context(), "e-1", noon.Add(-time.Second))
	for what, err := range map[string]error{"device": noDevice, "enrolment": noEnrolment, "team": noTeam, "identity": noIdentity, "earlier version": tooEarly} {
		if !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", what, err)
		}
	}
	if known, err := s.HasPatient(t.Context(), "p-9"); known || err != nil {
		t.Errorf("patient: %t, %v", known, err)
	}
}

func enrolmentAt(t *testing.T, s Registry) {
	reg := ward()
	importWard(t, s, reg, "admin", noon)
	reg.Enrolments[0].Version = "2"
	reg.Enrolments[0].Settings["fast-gain"] = protocols.Setting{Value: 2500, Author: "Dr Roux", Date: noon.AddDate(0, 0, 1), Reason: "false alerts"}
	importWard(t, s, reg, "Dr Roux", noon.AddDate(0, 0, 1))
	for at, want := range map[time.Time]string{
		noon: "1 1.5", noon.AddDate(0, 0, 1).Add(-time.Millisecond): "1 1.5", noon.AddDate(0, 0, 1): "2 2.5", noon.AddDate(1, 0, 0): "2 2.5",
	} {
		e, err := s.EnrolmentAt(t.Context(), "e-1", at)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "the enrolment at "+at.String(), e.Version+" "+e.Settings["fast-gain"].Value.String(), want)
	}
	versions, err := s.Versions(t.Context(), "e-1")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "its versions", len(versions), 2)
	expect(t, "the author of the second", versions[1].Author, "Dr Roux")
	others, err := s.Versions(t.Context(), "e-2")
	expect(t, "versions of the other enrolment", fmt.Sprint(len(others), err), "1 <nil>")
}

func unsignedSetting(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	before := version(t, s)
	reg := ward()
	reg.Teams[0].Name = "Cardiologie et rythmologie"
	setting := reg.Enrolments[1].Settings["fast-gain"]
	setting.Value = 3000
	reg.Enrolments[1].Settings["fast-gain"] = setting
	_, err := s.Import(t.Context(), reg, "admin", noon.Add(time.Hour))
	if err == nil || !strings.Contains(err.Error(), "fast-gain") || !strings.Contains(err.Error(), "e-2") {
		t.Errorf("a setting changed under its old signature: %v", err)
	}
	team, err := s.Team(t.Context(), "cardio")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "the team of the refused import", team.Name, "Cardiologie")
	expect(t, "the version", version(t, s), before)
}

func otherPatient(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	reg := ward()
	reg.Enrolments[0].Patient = "p-2"
	if _, err := s.Import(t.Context(), reg, "admin", noon); err == nil {
		t.Error("the history of one patient was given to another")
	}
}

func olderFile(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	withdrawn := ward()
	withdrawn.Enrolments[0].Consent.Withdrawn = noon.Add(time.Hour)
	withdrawn.Enrolments[1].Settings["fast-gain"] = protocols.Setting{Value: 2000, Author: "Dr Aubry", Date: noon, Reason: "grew"}
	importWard(t, s, withdrawn, "admin", noon.Add(2*time.Hour))
	for enrolment, says := range map[int]string{0: "withdrawn", 1: "fast-gain"} {
		older := &registry.Registry{Enrolments: ward().Enrolments[enrolment : enrolment+1]}
		if _, err := s.Import(t.Context(), older, "admin", noon.Add(3*time.Hour)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("an older file was imported: %v", err)
		}
	}
	named := &registry.Registry{Enrolments: ward().Enrolments, Loosening: []string{"settings.fast-gain:e-2", "consent:e-1"}}
	if _, err := s.Import(t.Context(), named, "admin", noon.Add(3*time.Hour)); err == nil || !strings.Contains(err.Error(), "withdrawn") {
		t.Errorf("a consent was brought back by its name: %v", err)
	}
	named.Enrolments = named.Enrolments[1:]
	importWard(t, s, named, "admin", noon.Add(3*time.Hour))
	anew := &registry.Registry{Enrolments: withdrawn.Enrolments[:1]}
	anew.Enrolments[0].Consent = registry.Consent{Given: true, Date: noon.Add(4 * time.Hour), Scope: "weight"}
	importWard(t, s, anew, "admin", noon.Add(4*time.Hour))
}

func holding(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	asked := ward()
	asked.Devices = append(asked.Devices, registry.Device{Name: "scale-9"})
	asked.Enrolments = append(asked.Enrolments, registry.Enrolment{ID: "e-9", Devices: []string{"scale-8"}})
	twin := asked.Patients[0]
	twin.ID = "p-9"
	asked.Patients = append(asked.Patients, twin)
	held, err := s.Holding(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "the devices and enrolments that are known", [2]int{len(held.Devices), len(held.Enrolments)}, [2]int{2, 2})
	for _, name := range []string{"scale-1", "scale-2"} {
		one, err := s.Device(t.Context(), name)
		if err != nil || held.Devices[name] == nil {
			t.Fatalf("%s: %v, held %+v", name, err, held.Devices[name])
		}
		expect(t, name, *held.Devices[name], *one)
	}
	for _, id := range []string{"e-1", "e-2"} {
		one, err := s.Enrolment(t.Context(), id)
		if err != nil || held.Enrolments[id] == nil {
			t.Fatalf("%s: %v, held %+v", id, err, held.Enrolments[id])
		}
		expect(t, id, *held.Enrolments[id], *one)
	}
	expect(t, "who has the INS of another patient", held.Twins, map[string]string{"p-9": "p-1"})
	accesses, err := s.Accesses(t.Context(), "p-1")
	expect(t, "accesses to the identity", fmt.Sprint(len(accesses), err), "0 <nil>")
}

func feeds(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	reg := ward()
	reg.Enrolments[0].Devices = []string{"scale-1", "scale-2"}
	reg.Enrolments[1].Devices = nil
	importWard(t, s, reg, "admin", noon.Add(time.Hour))
	for device, want := range map[string]string{"scale-1": "e-1", "scale-2": "e-1"} {
		a, err := s.Device(t.Context(), device)
		if err != nil {
			t.Fatal(err)
		}
		var fed []string
		for _, e := range a.Enrolments {
			fed = append(fed, e.ID)
		}
		expect(t, device+" feeds", strings.Join(fed, " "), want)
	}
}

// handedOn gives a scale from one patient to another and on to a third.
func handedOn(t *testing.T, s Registry) {
	since := func(device string) string {
		t.Helper()
		a, err := s.Device(t.Context(), device)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for i := range a.Enrolments {
			at := "always"
			if !a.Since[i].IsZero() {
				at = a.Since[i].Sub(noon).String()
			}
			list = append(list, a.Enrolments[i].ID+" "+at)
		}
		return strings.Join(list, ", ")
	}
	until := func(device, enrolment string) string {
		t.Helper()
		at, err := s.FedUntil(t.Context(), device, enrolment)
		expect(t, "error", err, nil)
		if at.IsZero() {
			return "never"
		}
		return at.Sub(noon).String()
	}
	importWard(t, s, ward(), "admin", noon)
	expect(t, "at first", since("scale-2"), "e-2 always")
	expect(t, "no longer, at first", until("scale-2", "e-2"), "never")
	reg := ward()
	reg.Enrolments[0].Devices = []string{"scale-1", "scale-2", "scale-2"}
	reg.Enrolments[1].Devices = nil
	importWard(t, s, reg, "admin", noon.Add(time.Hour))
	expect(t, "from one enrolment to another that runs", since("scale-2"), "e-1 1h0m0s")
	expect(t, "of a device that stays", since("scale-1"), "e-1 always")
	expect(t, "no longer", until("scale-2", "e-2"), "1h0m0s")
	expect(t, "no longer, of a device that never did", until("scale-1", "e-2"), "never")
	fed, err := s.PatientsFed(t.Context(), "scale-2")
	expect(t, "error", err, nil)
	expect(t, "patients of the device, of before too", fed, []string{reg.Enrolments[0].Patient, reg.Enrolments[1].Patient})
	fed, err = s.PatientsFed(t.Context(), "nowhere")
	expect(t, "error", err, nil)
	expect(t, "patients of no device", len(fed), 0)
	reg.Enrolments[0].Pauses = nil
	importWard(t, s, reg, "admin", noon.Add(2*time.Hour))
	expect(t, "after another change of the enrolment", since("scale-2"), "e-1 1h0m0s")

	reg.Enrolments[0].Devices = []string{"scale-1"}
	importWard(t, s, reg, "admin", noon.Add(3*time.Hour))
	expect(t, "while nobody has it", since("scale-2"), "")
	third := reg.Enrolments[1]
	third.ID, third.Patient, third.Devices = "e-3", "p-3", []string{"scale-2"}
	patient := reg.Patients[1]
	patient.ID, patient.Identity.INS = "p-3", "277076322082"
	importWard(t, s, &registry.Registry{Patients: []registry.Patient{patient}, Enrolments: []registry.Enrolment{third}}, "admin", noon.Add(4*time.Hour))
	expect(t, "to an enrolment that is new", since("scale-2"), "e-3 3h0m0s")

	spare := reg.Devices[0]
	spare.Name = "spare"
	reg.Enrolments[1].Devices = []string{"spare"}
	importWard(t, s, &registry.Registry{Devices: []registry.Device{spare}, Enrolments: reg.Enrolments[1:2]}, "admin", noon.Add(5*time.Hour))
	expect(t, "of a device that nobody had", since("spare"), "e-2 always")
}

func passwords(t *testing.T, s Registry) {
	reg := ward()
	reg.Devices[1].Password = ""
	changes := importWard(t, s, reg, "admin", noon)
	expect(t, "passwords generated", len(changes.Passwords), 1)
	expect(t, "for the device", changes.Passwords[0].Device, "scale-2")
	expect(t, "the password the caller gave is still the caller's", reg.Devices[0].Password, "a password long enough")
	for device, password := range map[string]string{"scale-1": "a password long enough", "scale-2": changes.Passwords[0].Password} {
		a, err := s.Device(t.Context(), device)
		if err != nil {
			t.Fatal(err)
		}
		if !registry.CheckSecret(a.Device.Secret, password) || a.Device.Password != "" {
			t.Errorf("%s: its password does not open it, or is kept", device)
		}
	}
	again := importWard(t, s, reg, "admin", noon.Add(time.Hour))
	expect(t, "passwords generated the second time", len(again.Passwords), 0)
}

func identities(t *testing.T, s Registry) {
	reg := ward()
	importWard(t, s, reg, "admin", noon)
	reading := registry.Access{Author: "Dr Aubry", Reason: "calls the patient", At: noon.Add(time.Hour)}
	identity, err := s.Identity(t.Context(), "p-1", reading)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "the identity", asJSON(t, identity), asJSON(t, reg.Patients[0].Identity))
	for what, bad := range map[string]registry.Access{"nobody": {Reason: "because", At: noon}, "no reason": {Author: "Dr Aubry", At: noon}} {
		if _, err := s.Identity(t.Context(), "p-1", bad); err == nil {
			t.Errorf("%s read an identity", what)
		}
	}
	accesses, err := s.Accesses(t.Context(), "p-1")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "who read it", accesses, []registry.Access{reading})
	export := registry.Access{Author: "admin", Reason: "backup", At: noon.Add(2 * time.Hour)}
	if _, err := s.Export(t.Context(), export); err != nil {
		t.Fatal(err)
	}
	accesses, err = s.Accesses(t.Context(), "p-1")
	expect(t, "who read it, exports included", fmt.Sprint(accesses, err), fmt.Sprint([]registry.Access{reading, export}, error(nil)))
}

func faces(t *testing.T, s Registry) {
	reg := ward()
	importWard(t, s, reg, "admin", noon)
	list, err := s.Faces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	followed := func(device string) []registry.Followed {
		return []registry.Followed{{Protocol: "heart-failure", Version: "1", Team: "cardio", Zone: "Indian/Reunion", From: noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 10, 0), Devices: []string{device}, Enrolment: strings.Replace(device, "scale", "e", 1)}}
	}
	expect(t, "the faces", asJSON(t, list), asJSON(t, []registry.Face{
		{Patient: "p-1", BirthName: "DURAND", FirstGiven: "ANNE", Sex: "F", BirthDate: "1977-07-04", Contact: reg.Patients[0].Identity.Contact, Followed: followed("scale-1")},
		{Patient: "p-2", BirthName: "DURAND", FirstGiven: "ANNE", Sex: "F", BirthDate: "1977-07-04", Followed: followed("scale-2")},
	}))
	accesses, err := s.Accesses(t.Context(), "p-1")
	expect(t, "who read an identity", fmt.Sprint(accesses, err), fmt.Sprint([]registry.Access(nil), error(nil)))
}

func touched(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	start, err := s.Touched(t.Context(), registry.Mark{})
	if err != nil || !start.All || start.Now.Version != version(t, s) {
		t.Fatalf("from the beginning: %+v, %v", start, err)
	}
	mark := start.Now
	since := func(patients, devices string) {
		t.Helper()
		got, err := s.Touched(t.Context(), mark)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "everything", got.All, false)
		expect(t, "patients", strings.Join(got.Patients, " "), patients)
		expect(t, "devices", strings.Join(got.Devices, " "), devices)
		mark = got.Now
	}
	since("", "")
	reg := ward()
	reg.Patients[0].Identity.BirthName = "MARTIN"
	importWard(t, s, reg, "admin", noon.Add(time.Minute))
	since("p-1", "")
	list, err := s.FacesOf(t.Context(), []string{"p-1", "p-9"})
	if err != nil || len(list) != 1 || list[0].BirthName != "MARTIN" || len(list[0].Followed) != 1 {
		t.Errorf("the face that changed: %+v, %v", list, err)
	}
	reg.Devices[1].Serial = "S-1"
	reg.Enrolments[1].Prescription = reg.Enrolments[1].Prescription.AddDate(0, 1, 0)
	importWard(t, s, reg, "admin", noon.Add(2*time.Minute))
	since("p-2", "scale-2")
	// Two imports of one moment and one author cannot be told apart from one and a change
	// that left no row.
	for _, name := range []string{"A", "B"} {
		reg.Patients[0].Identity.BirthName = name
		importWard(t, s, reg, "admin", noon.Add(3*time.Minute))
	}
	if got, err := s.Touched(t.Context(), mark); err != nil || !got.All {
		t.Errorf("two versions with the rows of one: %+v, %v", got, err)
	}
}

func signed(t *testing.T, s Registry) {
	if _, err := s.Import(t.Context(), ward(), "", noon); err == nil {
		t.Error("nobody imported a registry")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Import(ctx, ward(), "admin", noon); err == nil {
		t.Error("a cancelled import went through")
	}
	expect(t, "the version", version(t, s), 0)
}

func exported(t *testing.T, s Registry) {
	importWard(t, s, ward(), "admin", noon)
	reg, err := s.Export(t.Context(), registry.Access{Author: "admin", Reason: "backup", At: noon})
	if err != nil {
		t.Fatal(err)
	}
	want := ward()
	expect(t, "teams", reg.Teams, want.Teams)
	expect(t, "patients", asJSON(t, reg.Patients), asJSON(t, want.Patients))
	expect(t, "enrolments", reg.Enrolments, want.Enrolments)
	changes := importWard(t, s, &reg, "admin", noon.Add(time.Hour))
	expect(t, "unchanged", changes.Unchanged, 7)
}
