package influx

import (
	"slices"
	"strings"
	"testing"

	"vigie/protocols"
)

// The names of fields beside the components are nobody else's, nor are those of
// tags and columns.
func TestNoComponentBearsAReservedName(t *testing.T) {
	reserved := []string{
		fieldIDHigh, fieldIDLow, fieldShortIDHigh, fieldShortIDLow, fieldBattery, fieldDateOnly, fieldSubMS, fieldStruck, fieldID, fieldFlags, fieldContext, formerDayOnly,
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
		if slices.Contains(reserved[12:], field) {
			t.Errorf("the field %s has the name of a tag", field)
		}
	}
}

// An id is kept in numbers where it fits, and as itself where it does not.
func FuzzIDs(f *testing.F) {
	for _, id := range []string{"1", "0123456789abcdef", "0123456789abcdef0", "\xff", "é", "a\x00", "018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e101", "018F6F2C-5B1E-7CC3-9D2F-3A61C7A0E101", "018f6f2c-5b1e-7cc3-9d2f-3a61c7a0e1-1", "42", ""} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		p := packed(id)
		switch {
		case p.fields == nil && len(id) > 0 && len(id) <= 16 && !strings.Contains(id, "\x00"):
			t.Errorf("%q needs a point of words", id)
		case p.fields == &uuidFields && uuid(p.high, p.low) != id:
			t.Errorf("%q comes back as %q", id, uuid(p.high, p.low))
		case p.fields == &shortFields && shortID(p.high, p.low) != id:
			t.Errorf("%q comes back as %q", id, shortID(p.high, p.low))
		}
	})
}
