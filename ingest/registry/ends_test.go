package registry_test

import (
	"testing"
	"time"

	"vigie/ingest/registry"
)

func TestNothingIsExpectedAfterTheEnd(t *testing.T) {
	march, june := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name                          string
		prescription, withdrawn, want time.Time
	}{
		{"prescription alone", june, time.Time{}, june},
		{"consent withdrawn before", june, march, march},
		{"consent withdrawn after", march, june, march},
		{"no prescription end, consent withdrawn", time.Time{}, march, march},
		{"neither", time.Time{}, time.Time{}, time.Time{}},
	} {
		e := registry.Enrolment{Prescription: c.prescription, Consent: registry.Consent{Withdrawn: c.withdrawn}}
		if got := e.Ends(); !got.Equal(c.want) {
			t.Errorf("%s: ends %s, want %s", c.name, got, c.want)
		}
	}
}
