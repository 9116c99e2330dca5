package influx

import (
	"slices"
	"testing"

	"vigie/protocols"
)

// The names of fields beside the components are nobody else's, nor are those of
// tags and columns.
func TestNoComponentBearsAReservedName(t *testing.T) {
	reserved := []string{
		fieldIDHigh, fieldIDLow, fieldBattery, fieldDateOnly, fieldSubMS, fieldStruck, fieldID, fieldFlags, fieldContext, formerDayOnly,
		"device", "patient", "source", "variant", "time",
	}
	for _, m := range protocols.Measures() {
		for _, component := range m.Components {
			if slices.Contains(reserved, component.Name) {
				t.Errorf("the component %s of %s has the name of something else", component.Name, m.ID)
			}
		}
		if protocols.MeasureByID(m.ID+words) != nil {
			t.Errorf("the words of %s would stand among another measure's numbers", m.ID)
		}
	}
	for _, field := range ourFields() {
		if slices.Contains(reserved[10:], field) {
			t.Errorf("the field %s has the name of a tag", field)
		}
	}
}

func FuzzUUIDs(f *testing.F) {
	for _, id := range []string{"018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", "018F6F2C-5B1E-7CC3-9D2F-3A61C7A0E101", "018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e1-1", "42", ""} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		high, low, ok := halves(id)
		if ok && uuid(high, low) != id {
			t.Errorf("%q comes back as %q", id, uuid(high, low))
		}
	})
}
