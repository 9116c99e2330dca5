package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"vigie/ingest/registry"
)

// RunLastDay holds a store of an older version to its migration. A date that was typed as
// the end of a prescription was the first day without it. It becomes the last day with it. older brings a store that holds the enrolments back to what the version before wrote,
// and opens it with this one.
func RunLastDay(t *testing.T, open func(t *testing.T) Registry, older func(t *testing.T, s Registry) Registry) {
	zone, err := time.LoadLocation("Indian/Reunion")
	if err != nil {
		t.Fatal(err)
	}
	day := func(year, day int) time.Time { return time.Date(year, 12, day, 0, 0, 0, 0, zone).UTC() }
	typed := day(2100, 4)
	cases := []struct {
		id, patient, device string
		from, end, want     time.Time
	}{
		{"typed as a date", "p-1", "scale-1", day(2100, 1), typed, day(2100, 5)},
		{"typed with an hour", "p-2", "scale-2", day(2100, 1), typed.Add(10 * time.Hour), typed.Add(10 * time.Hour)},
		{"over for years", "p-3", "scale-3", day(2019, 5), day(2020, 4), day(2020, 4)},
		{"renewed on that day", "p-4", "scale-4", day(2100, 1), typed, typed},
		{"the renewal", "p-4", "scale-4", typed, day(2101, 4), day(2101, 5)},
		{"its device goes to another patient", "p-5", "scale-5", day(2100, 1), typed, typed},
		{"who gets that device", "p-6", "scale-5", typed, day(2101, 4), day(2101, 5)},
		{"renewed weeks before", "p-7", "scale-7", day(2100, 1), typed, typed},
		{"that early renewal", "p-7", "scale-7", day(2100, 2), day(2101, 4), day(2101, 5)},
		{"followed by another disease's", "p-8", "scale-8", day(2100, 1), typed, day(2100, 5)},
	}
	reg := &registry.Registry{}
	for _, c := range cases {
		if !slices.ContainsFunc(reg.Devices, func(d registry.Device) bool { return d.Name == c.device }) {
			reg.Devices = append(reg.Devices, registry.Device{Name: c.device, Kind: "scale"})
		}
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{ID: c.id, Patient: c.patient, Protocol: "heart-failure", Version: "1", Zone: "Indian/Reunion",
			Devices: []string{c.device}, From: c.from, Prescription: c.end, Consent: registry.Consent{Given: true, Date: c.from, Scope: "<weight> & more"}})
	}
	other := reg.Enrolments[len(reg.Enrolments)-1]
	other.ID, other.Protocol, other.From, other.Prescription = "another disease", "diabetes", typed.Add(time.Hour), day(2101, 5).Add(time.Hour)
	reg.Enrolments = append(reg.Enrolments, other)

	s := open(t)
	importWard(t, s, reg, "admin", noon)
	before := version(t, s)
	s = older(t, s)
	if version(t, s) <= before {
		t.Error("nodes that run never hear of it")
	}
	due, err := s.(interface {
		DueEnrolments(ctx context.Context, now time.Time, limit int) ([]string, error)
	}).DueEnrolments(t.Context(), noon, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		e, err := s.Enrolment(t.Context(), c.id)
		if err != nil {
			t.Fatal(err)
		}
		if !e.Prescription.Equal(c.want) {
			t.Errorf("%s: ends %s, want %s", c.id, e.Prescription, c.want)
		}
		moved := !c.want.Equal(c.end)
		versions, err := s.Versions(t.Context(), c.id)
		if err != nil {
			t.Fatal(err)
		}
		if moved != (len(versions) == 2) || moved && (versions[1].Author == "" || !versions[0].Enrolment.Prescription.Equal(c.end)) {
			t.Errorf("%s: the history says %+v", c.id, versions)
		}
		if moved && !slices.Contains(due, c.id) {
			t.Errorf("%s: its last day is not looked at", c.id)
		}
		reg.Enrolments[i].Prescription = c.want
	}
	changes := importWard(t, s, reg, "admin", noon.Add(time.Hour))
	expect(t, "the same in the new meaning changes", changes.Added+changes.Changed, 0)
}
