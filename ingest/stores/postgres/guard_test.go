package postgres

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// TestWhatIsDamagedIsLeftOutAndItsPatientNamed changes rows behind the back of those who
// write them, in each kind of table.
func TestWhatIsDamagedIsLeftOutAndItsPatientNamed(t *testing.T) {
	s := open(t, database(t), Options{Log: slog.New(slog.DiscardHandler), Care: func(*Store) alerts.Directory { return everyone{} }})
	keep(t, s, weight("a", "scale-1", "p1", noon), weight("b", "scale-1", "p1", noon.Add(time.Hour)), weight("c", "scale-2", "p2", noon))
	reg := respiratory(1)
	if _, err := s.Import(t.Context(), reg, "a nurse", noon); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(tx ingest.Tx) error {
		_, version, err := tx.LoadState("e0")
		return errors.Join(err, tx.SaveStates([]ingest.StateRecord{{Enrolment: "e0", Version: version, Snapshot: []byte("state"), Due: noon}}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := found(s, storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Orange, 0)); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Verify(t.Context()); err != nil || len(list) > 0 {
		t.Fatalf("before: %v (%v)", list, err)
	}
	for _, sql := range []string{
		"UPDATE readings SET amounts = '82101' WHERE id = 'a'",
		"UPDATE states SET snapshot = 'stat\x65s' WHERE enrolment = 'e0'",
		"ALTER TABLE alerts ALTER COLUMN sum DROP EXPRESSION",
		"UPDATE alerts SET summary_fr = 'Tout va bien.'",
		"ALTER TABLE registry_enrolments ALTER COLUMN sum DROP EXPRESSION",
		"UPDATE registry_enrolments SET body = replace(body #>> '{}', '\"consent\":{\"given\":true', '\"consent\":{\"given\":false')::json",
	} {
		if _, err := s.pool.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	var ids []string
	err = s.History(t.Context(), "p1", nil, noon, noon.AddDate(0, 0, 1), func(r *protocols.Reading) bool { ids = append(ids, r.ID); return true })
	if !errors.Is(err, ingest.ErrDamaged) || fmt.Sprint(ids) != "[b]" {
		t.Errorf("the history: %v (%v)", ids, err)
	}
	if err := s.History(t.Context(), "p2", nil, noon, noon.AddDate(0, 0, 1), func(*protocols.Reading) bool { return true }); err != nil {
		t.Errorf("of another patient: %v", err)
	}
	kept, err := s.ReadingsAfter(t.Context(), 0, 10)
	if err != nil || len(kept) != 2 {
		t.Errorf("the journal: %d readings (%v)", len(kept), err)
	}
	err = s.Update(t.Context(), func(tx ingest.Tx) error { _, _, err := tx.LoadState("e0"); return err })
	if !errors.Is(err, ingest.ErrDamaged) {
		t.Errorf("the state: %v", err)
	}
	list, err := s.Alerts(t.Context(), alerts.Filter{States: []alerts.State{alerts.Open}})
	if err != nil || len(list) != 1 || list[0].Title.FR != "Alerte abîmée dans la base" || list[0].Summary.FR == "Tout va bien." {
		t.Errorf("the alerts: %+v (%v)", list, err)
	}
	// The last version in the history takes its place.
	e, err := s.Enrolment(t.Context(), "e0")
	if err != nil || !e.Consent.Given {
		t.Errorf("the enrolment: %+v (%v)", e, err)
	}
	found, err := s.Verify(t.Context())
	tables := map[string]string{}
	for _, d := range found {
		tables[d.Table] = d.Patient
	}
	if err != nil || len(found) != 4 || tables["readings"] != "p1" || tables["alerts"] != "p-1" || tables["registry_enrolments"] != "p0" || tables["states"] != "p0" {
		t.Errorf("verified: %v (%v)", found, err)
	}
	if len(s.Damaged()) != 4 {
		t.Errorf("met: %v", s.Damaged())
	}
	if err := alerts.Acknowledge(t.Context(), s, list[0].ID, "Dr Payet", "vu", storetest.Morning); err != nil {
		t.Fatal(err)
	}
}
