package roll_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vigie/alerts/workspace/roll"
	"vigie/ingest/registry"
)

// ward is a registry that counts how often it was read.
type ward struct {
	faces   []registry.Face
	devices []registry.Device
	version int64
	read    int
	touched *registry.Touched // nil: everything
}

func (w *ward) Faces(context.Context) ([]registry.Face, error) {
	w.read++
	return w.faces, nil
}
func (w *ward) Devices(_ context.Context, after string, _ int) ([]registry.Device, error) {
	if after != "" {
		return nil, nil
	}
	return w.devices, nil
}
func (w *ward) FacesOf(_ context.Context, ids []string) (list []registry.Face, err error) {
	for _, f := range w.faces {
		if slices.Contains(ids, f.Patient) {
			list = append(list, f)
		}
	}
	return list, nil
}
func (w *ward) Device(_ context.Context, name string) (*registry.Assignment, error) {
	for _, d := range w.devices {
		if d.Name == name {
			return &registry.Assignment{Device: d}, nil
		}
	}
	return nil, registry.ErrNotFound
}
func (w *ward) Touched(_ context.Context, since registry.Mark) (registry.Touched, error) {
	if w.touched == nil || since == (registry.Mark{}) {
		return registry.Touched{Now: registry.Mark{Version: w.version}, All: true}, nil
	}
	touched := *w.touched
	touched.Now = registry.Mark{Version: w.version}
	return touched, nil
}
func (w *ward) RegistryVersion(context.Context) (int64, error) { return w.version, nil }

func everybody(*registry.Face) bool { return true }

func TestPatientsAreFoundAsPeopleTypeThem(t *testing.T) {
	w := &ward{devices: []registry.Device{{Name: "scale-0007", Serial: "AX-33Z"}}, faces: []registry.Face{
		{Patient: "p-0002", BirthName: "LE GOFF", FirstGiven: "Lœtitia", BirthDate: "1951-03-27", Followed: []registry.Followed{{Devices: []string{"scale-0007"}}}},
		{Patient: "p-0021", BirthName: "ROUX", FirstGiven: "Inès", BirthDate: "1951-03-27"},
		{Patient: "p-0210", BirthName: "D'ÉTÉ-ROUXEL", FirstGiven: "Anne-Marie"},
	}}
	r := roll.Of(w)
	for typed, want := range map[string]string{
		"ines": "[p-0021]", "ROUX": "[p-0021 p-0210]", "roux  inès": "[p-0021]", "P-0021": "[p-0021]", "0021": "[p-0021]", "021": "[p-0210]",
		"ete": "[p-0210]", "Ete": "[p-0210]", "marie rouxel": "[p-0210]", "loetitia": "[p-0002]", "legoff": "[]", "le goff": "[p-0002]", "personne": "[]", "1951-03-27": "[p-0002 p-0021]", "27/03/1951": "[p-0002 p-0021]", "roux 27/03/1951": "[p-0021]", "roux 28/03/1951": "[]",
		"scale-0007": "[p-0002]", "SCALE 0007": "[p-0002]", "scale": "[]", "ax-33z": "[p-0002]", "33z": "[p-0002]", "": "[]", " - ": "[]",
	} {
		found, more, err := r.Find(t.Context(), typed, "", 10, everybody)
		ids := []string{}
		for _, f := range found {
			ids = append(ids, f.Patient)
		}
		if got := fmt.Sprint(ids); got != want || more || err != nil {
			t.Errorf("%q finds %s, more: %v, %v; want %s", typed, got, more, err, want)
		}
	}
	if _, more, _ := r.Find(t.Context(), "roux", "", 1, everybody); !more {
		t.Error("a list that was cut does not say so")
	}
	if found, _, _ := r.Find(t.Context(), "roux", "", 9, func(f *registry.Face) bool { return f.Patient != "p-0021" }); len(found) != 1 {
		t.Errorf("%d are found, one of whom may not be seen", len(found)-1)
	}
}

func TestEverybodyIsListedInParts(t *testing.T) {
	r := roll.Of(&ward{faces: []registry.Face{{Patient: "p-1"}, {Patient: "p-2"}, {Patient: "p-3"}}})
	first, more, err := r.List(t.Context(), "", 2, everybody)
	if err != nil || !more || len(first) != 2 {
		t.Fatal(first, more, err)
	}
	rest, more, err := r.List(t.Context(), first[1].Patient, 2, everybody)
	if err != nil || more || len(rest) != 1 || rest[0].Patient != "p-3" {
		t.Error(rest, more, err)
	}
}

func TestTheRegistryIsReadAgainOnceItHasChanged(t *testing.T) {
	w := &ward{}
	r := roll.Of(w)
	for range 3 {
		if _, known, err := r.Face(t.Context(), "p-1"); known || err != nil {
			t.Fatal(known, err)
		}
	}
	w.faces, w.version = []registry.Face{{Patient: "p-1", BirthName: "ROUX"}}, 1
	if face, known, err := r.Face(t.Context(), "p-1"); !known || face.BirthName != "ROUX" || err != nil {
		t.Errorf("%+v, %v, %v", face, known, err)
	}
	if w.read != 2 {
		t.Errorf("the registry was read %d times", w.read)
	}
}

// A ward in which patients and devices come, change and go is found as if it were read anew
// each time, and is read once.
func TestOnlyWhatChangedIsReadAgain(t *testing.T) {
	chance := rand.New(rand.NewPCG(12, 1))
	w := &ward{version: 1, faces: []registry.Face{{Patient: "p-05", BirthName: "ROUX"}}, touched: &registry.Touched{}}
	r := roll.Of(w)
	find := func(r *roll.Roll, typed string) string {
		found, _, err := r.Find(t.Context(), typed, "", 1000, everybody)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(found)
	}
	find(r, "roux")
	for range 400 {
		w.version++
		w.touched = &registry.Touched{}
		for range 1 + chance.IntN(3) {
			id, name := fmt.Sprintf("p-%02d", chance.IntN(12)), fmt.Sprintf("s-%d", chance.IntN(6))
			i := slices.IndexFunc(w.faces, func(f registry.Face) bool { return f.Patient == id })
			switch chance.IntN(4) {
			case 0: // comes or changes
				f := registry.Face{Patient: id, BirthName: []string{"ROUX", "VIDAL", "FABRE"}[chance.IntN(3)], Followed: []registry.Followed{{Devices: []string{name}}}}
				if w.faces = slices.Clone(w.faces); i >= 0 {
					w.faces[i] = f
				} else {
					w.faces = append(w.faces, f)
					slices.SortFunc(w.faces, func(a, b registry.Face) int { return strings.Compare(a.Patient, b.Patient) })
				}
				w.touched.Patients = append(w.touched.Patients, id)
			case 1: // goes
				if w.faces = slices.Clone(w.faces); i >= 0 {
					w.faces = slices.Delete(w.faces, i, i+1)
				}
				w.touched.Patients = append(w.touched.Patients, id)
			default: // a device has another number, or goes
				w.devices = slices.DeleteFunc(slices.Clone(w.devices), func(d registry.Device) bool { return d.Name == name })
				if chance.IntN(3) > 0 {
					w.devices = append(w.devices, registry.Device{Name: name, Serial: fmt.Sprintf("X%d", chance.IntN(9))})
				}
				w.touched.Devices = append(w.touched.Devices, name)
			}
		}
		for _, typed := range []string{"p", "roux", "x3", "s-2", "vidal"} {
			if got, want := find(r, typed), find(roll.Of(w), typed); got != want {
				t.Fatalf("%q, version %d: %s\nread anew: %s", typed, w.version, got, want)
			}
		}
	}
	read := w.read
	if find(r, "roux"); w.read != read {
		t.Error("the registry was read anew")
	}
}

// A patient is searched for among 100,000, each time after somebody's registry changed.
func BenchmarkFindAmongAHundredThousandAfterAChange(b *testing.B) {
	w := manyFaces()
	w.version, w.touched = 1, &registry.Touched{Patients: []string{"p-050000"}}
	r := roll.Of(w)
	if _, _, err := r.Find(b.Context(), "x", "", 50, everybody); err != nil { // reads all of them, once
		b.Fatal(err)
	}
	for b.Loop() {
		w.version++
		if _, _, err := r.Find(b.Context(), "zzz prenom", "", 50, everybody); err != nil {
			b.Fatal(err)
		}
	}
}

func manyFaces() *ward {
	w := &ward{}
	for i := range 100_000 {
		w.faces = append(w.faces, registry.Face{Patient: fmt.Sprintf("p-%06d", i), BirthName: fmt.Sprintf("NOM%d", i%5000), FirstGiven: "Prénom"})
	}
	return w
}

func BenchmarkFindAmongAHundredThousand(b *testing.B) {
	r := roll.Of(manyFaces())
	if _, _, err := r.Find(b.Context(), "x", "", 50, everybody); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := r.Find(b.Context(), "zzz prenom", "", 50, everybody); err != nil {
			b.Fatal(err)
		}
	}
}
