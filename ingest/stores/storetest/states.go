package storetest

import (
	"errors"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

func save(t *testing.T, s ingest.Store, records ...ingest.StateRecord) {
	t.Helper()
	update(t, s, func(tx ingest.Tx) error { return tx.SaveStates(records) })
}

func expectState(t *testing.T, s ingest.Store, enrolment, snapshot string, version int64) {
	t.Helper()
	update(t, s, func(tx ingest.Tx) error {
		gotSnapshot, gotVersion, err := tx.LoadState(enrolment)
		expect(t, "snapshot of "+enrolment, string(gotSnapshot), snapshot)
		expect(t, "version of "+enrolment, gotVersion, version)
		return err
	})
}

func states(t *testing.T, s ingest.Store) {
	expectState(t, s, "e1", "", 0)
	save(t, s, ingest.StateRecord{Enrolment: "e1", Snapshot: []byte("one")}, ingest.StateRecord{Enrolment: "e2", Snapshot: []byte{0, 1, 2}})
	expectState(t, s, "e1", "one", 1)
	expectState(t, s, "e2", "\x00\x01\x02", 1)
	save(t, s, ingest.StateRecord{Enrolment: "e1", Version: 1, Snapshot: []byte("two")})
	expectState(t, s, "e1", "two", 2)
}

func stateMoves(t *testing.T, s ingest.Store) {
	save(t, s, ingest.StateRecord{Enrolment: "e1", Snapshot: []byte("one"), Due: noon})
	save(t, s, ingest.StateRecord{Enrolment: "e1", Version: 1})
	update(t, s, func(tx ingest.Tx) error {
		snapshot, _, err := tx.LoadState("e1")
		expect(t, "snapshot", string(snapshot), "one")
		return err
	})
	enrolments, err := s.DueEnrolments(t.Context(), noon, 10)
	expect(t, "due", enrolments, []string{"e1"})
	expect(t, "error", err, nil)
}

func due(t *testing.T, s ingest.Store) {
	save(t, s,
		ingest.StateRecord{Enrolment: "later", Snapshot: []byte("x"), Due: noon.Add(time.Millisecond)},
		ingest.StateRecord{Enrolment: "second", Snapshot: []byte("x"), Due: noon},
		ingest.StateRecord{Enrolment: "never", Snapshot: []byte("x")},
		ingest.StateRecord{Enrolment: "first", Snapshot: []byte("x"), Due: noon.Add(-time.Hour)})
	for _, c := range []struct {
		now   time.Time
		limit int
		want  []string
	}{
		{noon, 10, []string{"first", "second"}},
		{noon, 1, []string{"first"}},
		{noon.Add(-2 * time.Hour), 10, nil},
		{noon.Add(time.Hour), 10, []string{"first", "second", "later"}},
	} {
		got, err := s.DueEnrolments(t.Context(), c.now, c.limit)
		expect(t, "due", got, c.want)
		expect(t, "error", err, nil)
	}
	save(t, s, ingest.StateRecord{Enrolment: "first", Version: 1, Snapshot: []byte("x")})
	got, err := s.DueEnrolments(t.Context(), noon, 10)
	expect(t, "due once the first is done", got, []string{"second"})
	expect(t, "error", err, nil)
}

// dueByRegistry holds for stores that keep the registry as well.
func dueByRegistry(t *testing.T, s ingest.Store) {
	known, ok := s.(registry.Store)
	if !ok {
		t.Skip("this store does not keep the registry")
	}
	enrolment := registry.Enrolment{ID: "e1", Patient: "p1", Protocol: "heart-failure", Version: "1", Zone: "Europe/Paris", From: noon}
	enter := func() {
		t.Helper()
		reg := registry.Registry{Patients: []registry.Patient{{ID: "p1"}}, Enrolments: []registry.Enrolment{enrolment}}
		if _, err := known.Import(t.Context(), &reg, "a nurse", noon); err != nil {
			t.Fatal(err)
		}
	}
	dueNow := func(want ...string) {
		t.Helper()
		got, err := s.DueEnrolments(t.Context(), noon, 10)
		expect(t, "due", got, want)
		expect(t, "error", err, nil)
	}
	enter()
	dueNow("e1")
	save(t, s, ingest.StateRecord{Enrolment: "e1", Snapshot: []byte("x"), Due: noon.Add(time.Hour)})
	dueNow()
	enter()
	dueNow()
	enrolment.Pauses = []protocols.Pause{{From: noon, Until: noon.Add(time.Hour), Author: "a nurse", Reason: "hospital"}}
	enter()
	dueNow("e1")
	update(t, s, func(tx ingest.Tx) error { // its version may have moved: what was evaluated before is out of date
		snapshot, _, err := tx.LoadState("e1")
		expect(t, "snapshot of e1", string(snapshot), "x")
		return err
	})
}

// record is something of scale-1, refused with those codes.
func record(reading string, codes ...protocols.Code) ingest.SetAsideRecord {
	r := ingest.SetAsideRecord{
		Device: "scale-1", Topic: "vigie/v1/scale-1/readings", Reading: reading, Received: noon, Payload: []byte(`{"id":"` + reading + `"}`),
	}
	for _, code := range codes {
		r.Reasons = append(r.Reasons, protocols.Reason{Code: code, Path: "values.value", Message: "a sentence"})
	}
	return r
}

func setAsides(t *testing.T, s ingest.Store, filter ingest.SetAsideFilter) []ingest.SetAsideRecord {
	t.Helper()
	records, err := s.SetAsides(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// put sets records aside and returns which were new.
func put(t *testing.T, s ingest.Store, records ...ingest.SetAsideRecord) (fresh []bool) {
	t.Helper()
	update(t, s, func(tx ingest.Tx) (err error) {
		fresh, err = tx.SetAside(records)
		return err
	})
	return fresh
}

func setAside(t *testing.T, s ingest.Store) {
	without := record("b", protocols.NoConsent)
	without.Payload = nil
	given := []ingest.SetAsideRecord{record("a", protocols.Implausible, protocols.UnknownUnit), without}
	expect(t, "fresh", put(t, s, given...), []bool{true, true})
	got := setAsides(t, s, ingest.SetAsideFilter{})
	if len(got) != 2 {
		t.Fatalf("got %d records, want 2", len(got))
	}
	for i := range got {
		want := given[1-i]
		want.ID = got[i].ID
		expect(t, "record", got[i], want)
	}
	if got[0].ID <= got[1].ID {
		t.Errorf("ids do not grow: %d then %d", got[1].ID, got[0].ID)
	}
}

func setAsideTwice(t *testing.T, s ingest.Store) {
	a, otherCode, otherPayload := record("a", protocols.Malformed), record("a", protocols.NotEnrolled), record("a", protocols.Malformed)
	otherPayload.Payload = []byte("other")
	expect(t, "at first", put(t, s, a, a, otherCode, otherPayload), []bool{true, false, true, true})
	a.Received = noon.Add(time.Hour)
	expect(t, "again", put(t, s, a), []bool{false})
	expect(t, "records", len(setAsides(t, s, ingest.SetAsideFilter{})), 3)
}

// setAsideDismissed has a person decide that one of two records is not to be used.
func setAsideDismissed(t *testing.T, s ingest.Store) {
	a := record("a", protocols.Malformed)
	put(t, s, a, record("b", protocols.Malformed))
	id := setAsides(t, s, ingest.SetAsideFilter{})[1].ID
	for _, want := range []bool{true, false} {
		update(t, s, func(tx ingest.Tx) error {
			open, err := tx.Dismiss(id, "Mme Hoarau", "essai du fabricant", noon.Add(time.Hour))
			expect(t, "was open", open, want)
			return err
		})
	}
	got := setAsides(t, s, ingest.SetAsideFilter{ID: id})
	if len(got) != 1 || got[0].DismissedBy != "Mme Hoarau" || got[0].DismissedWhy != "essai du fabricant" || !got[0].Settled.Equal(noon.Add(time.Hour)) {
		t.Errorf("dismissed: %+v", got)
	}
	expect(t, "open", len(setAsides(t, s, ingest.SetAsideFilter{Open: true})), 1)
	expect(t, "the same again", put(t, s, a), []bool{false})
}

func setAsideFilter(t *testing.T, s ingest.Store) {
	other, late := record("b", protocols.Malformed), record("c", protocols.UnknownUnit, protocols.Implausible)
	other.Device = "scale-2"
	late.Received = noon.Add(time.Hour)
	put(t, s, record("a", protocols.UnknownUnit), other, late)
	newest := setAsides(t, s, ingest.SetAsideFilter{})[0].ID
	for name, c := range map[string]struct {
		filter ingest.SetAsideFilter
		want   []string
	}{
		"by device":      {ingest.SetAsideFilter{Device: "scale-2"}, []string{"b"}},
		"by code":        {ingest.SetAsideFilter{Code: protocols.UnknownUnit}, []string{"c", "a"}},
		"by second code": {ingest.SetAsideFilter{Code: protocols.Implausible}, []string{"c"}},
		"part of a code": {ingest.SetAsideFilter{Code: "unknown"}, nil},
		"from":           {ingest.SetAsideFilter{From: noon.Add(time.Minute)}, []string{"c"}},
		"to":             {ingest.SetAsideFilter{To: noon.Add(time.Hour)}, []string{"b", "a"}},
		"limit":          {ingest.SetAsideFilter{Limit: 1}, []string{"c"}},
		"next page":      {ingest.SetAsideFilter{Before: newest, Limit: 1}, []string{"b"}},
		"several":        {ingest.SetAsideFilter{Device: "scale-1", Code: protocols.UnknownUnit, To: noon.Add(time.Minute)}, []string{"a"}},
	} {
		var got []string
		for _, r := range setAsides(t, s, c.filter) {
			got = append(got, r.Reading)
		}
		expect(t, name, got, c.want)
	}
}

func settle(t *testing.T, s ingest.Store) {
	put(t, s, record("a", protocols.NotEnrolled), record("b", protocols.NotEnrolled))
	id := setAsides(t, s, ingest.SetAsideFilter{})[1].ID
	update(t, s, func(tx ingest.Tx) error { return tx.Settle(id, noon.Add(time.Hour)) })
	open := setAsides(t, s, ingest.SetAsideFilter{Open: true})
	expect(t, "open", len(open), 1)
	expect(t, "still open", open[0].Reading, "b")
	all := setAsides(t, s, ingest.SetAsideFilter{})
	expect(t, "settled at", all[1].Settled, noon.Add(time.Hour))
	expect(t, "refused again later", put(t, s, record("a", protocols.NotEnrolled)), []bool{true})
}

func deviceStatus(t *testing.T, s ingest.Store) {
	for _, status := range []ingest.DeviceStatus{
		{Device: "scale-1", Online: true, Battery: 50, At: noon.Add(-time.Hour), Trouble: troubled()},
		{Device: "scale-1", Online: true, Battery: 87, Firmware: "1.4.2", At: noon},
		{Device: "scale-1", Online: false, Battery: -1, At: noon.Add(time.Hour), OfflineSince: noon.Add(time.Minute), OfflineFor: "e1", Due: noon.Add(30 * time.Hour)},
		{Device: "scale-1", Online: true, Battery: 9, At: noon.Add(2 * time.Hour), BatteryAt: noon.Add(90 * time.Minute), LowSince: noon.Add(-time.Hour), LowFor: "e2"},
	} {
		update(t, s, func(tx ingest.Tx) error { return tx.SetDeviceStatus(status) })
		update(t, s, func(tx ingest.Tx) error {
			got, known, err := tx.DeviceStatus("scale-1")
			expect(t, "status", got, status)
			expect(t, "known", known, true)
			return err
		})
	}
	update(t, s, func(tx ingest.Tx) error {
		_, known, err := tx.DeviceStatus("scale-2")
		expect(t, "another is known", known, false)
		return err
	})
}

func deviceStatuses(t *testing.T, s ingest.Store) {
	scale := ingest.DeviceStatus{Device: "scale-1", Online: true, Battery: 9, Firmware: "1.4.2", At: noon, BatteryAt: noon.Add(-time.Minute), LowSince: noon.Add(-time.Hour), LowFor: "e2"}
	pen := ingest.DeviceStatus{Device: "pen-1", Battery: -1, At: noon, OfflineSince: noon, OfflineFor: "e1", Due: noon.Add(time.Hour), Trouble: troubled()}
	update(t, s, func(tx ingest.Tx) error {
		return errors.Join(tx.SetDeviceStatus(scale), tx.SetDeviceStatus(pen), tx.SetDeviceStatus(ingest.DeviceStatus{Device: "other", Battery: -1, At: noon}))
	})
	for what, c := range map[string]struct{ asked, want []string }{
		"several, one twice and one unknown": {[]string{"scale-1", "never", "pen-1", "scale-1"}, []string{"pen-1", "scale-1"}},
		"nobody":                             {},
	} {
		got, err := s.DeviceStatuses(t.Context(), c.asked)
		expect(t, what+": error", err, nil)
		var want []ingest.DeviceStatus
		for _, name := range c.want {
			want = append(want, map[string]ingest.DeviceStatus{"scale-1": scale, "pen-1": pen}[name])
		}
		expect(t, what, got, want)
	}
}

func dueDevices(t *testing.T, s ingest.Store) {
	tell := func(device string, due time.Time) {
		t.Helper()
		update(t, s, func(tx ingest.Tx) error {
			return tx.SetDeviceStatus(ingest.DeviceStatus{Device: device, Battery: -1, At: noon, Due: due})
		})
	}
	expectDue := func(now time.Time, limit int, want ...string) {
		t.Helper()
		got, err := s.DueDevices(t.Context(), now, limit)
		expect(t, "due", got, want)
		expect(t, "error", err, nil)
	}
	tell("later", noon.Add(time.Millisecond))
	tell("second", noon)
	tell("online", time.Time{})
	tell("first", noon.Add(-time.Hour))
	expectDue(noon, 10, "first", "second")
	expectDue(noon, 1, "first")
	expectDue(noon.Add(-2*time.Hour), 10)
	tell("first", time.Time{})
	expectDue(noon, 10, "second")
}

func unknown(t *testing.T, s ingest.Store) {
	if _, err := s.Device(t.Context(), "nothing"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("Device returned %v, want registry.ErrNotFound", err)
	}
	if _, err := s.Enrolment(t.Context(), "nothing"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("Enrolment returned %v, want registry.ErrNotFound", err)
	}
	if _, err := s.RegistryVersion(t.Context()); err != nil {
		t.Errorf("RegistryVersion returned %v", err)
	}
}

// troubled is what few devices have.
func troubled() (t ingest.DeviceTrouble) {
	t.Clock.Lag, t.Clock.At, t.Clock.Since, t.Clock.For = 25*time.Hour, noon.Add(-12*time.Hour), noon, "e1"
	t.Aside.Since = noon.Add(-time.Minute)
	return t
}
