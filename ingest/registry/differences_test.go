package registry

import (
	"context"
	"testing"
	"time"

	"vigie/protocols"
)

// counted counts what a store is asked.
type counted struct {
	Known
	asked int
}

func (c *counted) Enrolment(ctx context.Context, id string) (*Enrolment, error) {
	c.asked++
	return c.Known.Enrolment(ctx, id)
}

func TestWhatLoosensTheWatchIsMarked(t *testing.T) {
	reg, _ := check(t, ward, nil)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		change func(*Enrolment)
		field  string
		want   bool
	}{
		"consent withdrawn":    {func(e *Enrolment) { e.Consent.Withdrawn = e.From.Add(30 * day) }, "consent.withdrawn", true},
		"consent refused":      {func(e *Enrolment) { e.Consent.Given = false }, "consent.given", true},
		"a longer pause":       {func(e *Enrolment) { e.Pauses[0].Until = e.Pauses[0].Until.Add(day) }, "pauses[0].until", true},
		"a shorter pause":      {func(e *Enrolment) { e.Pauses[0].Until = e.Pauses[0].Until.Add(-day) }, "pauses[0].until", false},
		"a device less":        {func(e *Enrolment) { e.Devices = nil }, "devices", true},
		"a device more":        {func(e *Enrolment) { e.Devices = append(e.Devices, "scale-9") }, "devices", false},
		"it ends sooner":       {func(e *Enrolment) { e.Prescription = e.Prescription.Add(-day) }, "prescription_end", true},
		"it ends later":        {func(e *Enrolment) { e.Prescription = e.Prescription.Add(day) }, "prescription_end", false},
		"another physician":    {func(e *Enrolment) { e.Physician = "10001234599" }, "physician", false},
		"nothing, told by all": {func(*Enrolment) {}, "", false},
	} {
		next := reg.Enrolments[0]
		next.Pauses = append([]protocols.Pause(nil), next.Pauses...)
		next.Devices = append([]string(nil), next.Devices...)
		c.change(&next)
		found, err := differing(nil, "enrolment e-1", &reg.Enrolments[0], &next, nil)
		if err != nil {
			t.Fatal(err)
		}
		loosening(&reg.Enrolments[0], &next, found)
		if c.field == "" {
			if len(found) > 0 {
				t.Errorf("%s: %+v", name, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Field != c.field || found[0].Loosens != c.want {
			t.Errorf("%s: %+v, want %s, loosens %v", name, found, c.field, c.want)
		}
	}
}

func TestAnItemIsAskedForOnce(t *testing.T) {
	store := &counted{Known: nothing{}}
	known := Remembering(store)
	for range 3 {
		if _, err := known.Enrolment(t.Context(), "e-1"); err != ErrNotFound {
			t.Fatal(err)
		}
	}
	if store.asked != 1 {
		t.Errorf("asked %d times", store.asked)
	}
}
