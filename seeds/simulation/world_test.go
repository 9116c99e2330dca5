package simulation_test

import (
	"reflect"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols/library"
	"vigie/seeds/simulation"
)

// The worlds are frozen, adherence included: figures of two versions of a protocol compare
// only in the same world. Whoever must change one measures the library anew, and writes
// the new digest here.
func TestTheWorldsAreFrozen(t *testing.T) {
	for world, digest := range map[*simulation.World]string{
		simulation.Reported(): "3e3d7e78137b7ef6daf4da8ad44b5d30fef2f34625defe84959a83f2a9dd375a",
		simulation.Choosing(): "8c574079d25ed14e80609e8e1af3fd51c63fb2ea8e5c4457e617a8b9cce5e66f",
	} {
		if world.Digest() != digest {
			t.Errorf("the world %s has the digest %s, not %s", world.ID, world.Digest(), digest)
		}
	}
}

// Every number says where it is from, or its block does.
func TestEveryNumberOfAWorldHasAnOrigin(t *testing.T) {
	count := 0
	var walk func(path string, v reflect.Value, origin string)
	walk = func(path string, v reflect.Value, origin string) {
		switch v.Kind() {
		case reflect.Struct:
			if o := v.FieldByName("Origin"); o.IsValid() && o.String() != "" {
				origin = o.String()
			}
			if _, number := v.Interface().(simulation.Number); number {
				if count++; origin == "" {
					t.Errorf("%s has no origin", path)
				}
				return
			}
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() {
					walk(path+"."+f.Name, v.Field(i), origin)
				}
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(path+"."+key.String(), v.MapIndex(key), origin)
			}
		}
	}
	walk("world", reflect.ValueOf(*simulation.Reported()), "")
	if count < 150 {
		t.Errorf("%d numbers were found", count)
	}
}

func TestTheTwoWorldsShareNoPatient(t *testing.T) {
	reported := simulation.Cohort{Patients: 1, Days: 30, Seed: 1}
	choosing := reported
	choosing.World = simulation.Choosing()
	if reported.Patient(0).Readings[0].Values[0] == choosing.Patient(0).Readings[0].Values[0] {
		t.Error("the first patient of one is that of the other")
	}
	if a, b := simulation.Reported().Heart.Salt.Is, simulation.Choosing().Heart.Salt.Is; a == b {
		t.Errorf("salt %v in both: where a number is our assumption, the worlds differ", a)
	}
	if a, b := simulation.Reported().Heart.Decompensation, simulation.Choosing().Heart.Decompensation; a != b {
		t.Errorf("%v and %v: what is published is the same in both", a, b)
	}
}

func TestAWorldOfOnesOwnSaysInWhatItDiffers(t *testing.T) {
	w, err := simulation.ReadWorld([]byte("id: mine\nheart-failure:\n  decompensations: {is: 3}\n"))
	if err != nil || w.Heart.Decompensation.Is != 3 || w.Heart.Weight != simulation.Reported().Heart.Weight || w.ID != "mine" {
		t.Errorf("%+v, %v", w, err)
	}
	for text, says := range map[string]string{
		"heart-failure:\n  decompensation: {is: 3}\n":                                    "decompensation",
		"phenotypes:\n  decompensation:\n    flash: {share: 0.5}\n":                      "sum to 1.45",
		"phenotypes:\n  decompensation:\n    flash: {signs: {gait: {from: 0, to: 1}}}\n": "gait",
	} {
		if _, err := simulation.ReadWorld([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestEveryProtocolOfTheLibraryHasPatients(t *testing.T) {
	all, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range all {
		conditions := simulation.Followed(p)
		if len(conditions) == 0 {
			t.Errorf("nobody follows %s", name)
		}
		for _, condition := range conditions {
			patient := simulation.Cohort{Patients: 1, Days: 20, Seed: 1, Of: condition}.Patient(0)
			if len(patient.Readings) < 5 {
				t.Errorf("%s: %d readings", condition, len(patient.Readings))
			}
		}
	}
}
