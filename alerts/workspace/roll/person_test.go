package roll

import (
	"testing"

	"vigie/ingest/registry"
)

func TestWhoseFileItIs(t *testing.T) {
	patient := &registry.Identity{BirthName: "LE GOFF", GivenNames: "ANNE MARIE", FirstGiven: "ANNE", BirthDate: "1977-07-04"}
	for _, c := range []struct {
		names []string
		born  string
		want  bool
	}{
		{[]string{"Anne Le Goff"}, "", true},
		{[]string{"ANNE-MARIE", "Le Goff"}, "04/07/1977", true},
		{[]string{"Anne Le Goff"}, "1977-07-05", false},
		{[]string{"Anne Martin"}, "", false}, // her married name, or somebody else: a person looks
		{[]string{"Jean Le Goff"}, "", false},
		{nil, "1977-07-04", true},
	} {
		if got := SamePerson(c.names, c.born, patient); got != c.want {
			t.Errorf("%q, born %q, is taken for the patient: %v", c.names, c.born, got)
		}
	}
	if SamePerson([]string{"Anne Le Goff"}, "", &registry.Identity{}) {
		t.Error("a patient without an identity is anybody")
	}
}
