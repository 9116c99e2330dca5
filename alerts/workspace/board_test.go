package workspace_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// What pages read of the board is what the store holds, whatever was found and done
// since it was read, and no more than who asks may see.
func TestTheBoardIsWhatTheStoreHolds(t *testing.T) {
	w := open(t)
	draw := rand.New(rand.NewPCG(1, 2))
	everybody := access.With(t.Context(), access.Program("all", []access.Right{access.SeePatients}))
	theirs := access.With(t.Context(), access.Who{Account: "a", Name: "A", Roles: []access.Role{access.Nurse}, Teams: []string{"team-b"}})
	for step := range 300 {
		w.now = w.now.Add(time.Duration(draw.IntN(3000)) * time.Millisecond)
		switch patient := fmt.Sprint("p-", draw.IntN(40)); draw.IntN(5) {
		case 0, 1:
			level := []protocols.Level{protocols.Yellow, protocols.Orange, protocols.Red}[draw.IntN(3)]
			w.care.Team.ID = []string{"team-a", "team-b"}[draw.IntN(2)]
			f := storetest.Finding([]protocols.FindingKind{protocols.Raised, protocols.Risen, protocols.Ended}[draw.IntN(3)], "weight-fast", "ep-1", level, time.Duration(step)*time.Second)
			f.Patient, f.Enrolment = patient, "e-"+patient
			w.found(f)
		default:
			list, err := w.store.Alerts(t.Context(), alerts.Filter{Patient: patient, States: []alerts.State{alerts.Open, alerts.Acknowledged}})
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				continue
			}
			if draw.IntN(2) == 0 {
				err = alerts.Resolve(t.Context(), w.store, list[0].ID, "A", "patient-called", "vu", w.now)
			} else {
				err = alerts.CallBack(t.Context(), w.store, list[0].ID, "A", "vu", w.now.Add(time.Hour), w.now)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		want, err := alerts.Unresolved(t.Context(), w.store.Alerts, alerts.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.space.Unresolved(everybody, alerts.Filter{})
		if err != nil || !slices.Equal(told(got), told(want)) {
			t.Fatalf("step %d, %v:\n got %v\nwant %v", step, err, told(got), told(want))
		}
		got, err = w.space.Unresolved(theirs, alerts.Filter{})
		if err != nil || slices.ContainsFunc(got, func(a alerts.Alert) bool { return a.Team != "team-b" }) {
			t.Fatalf("a team sees %v, %v", told(got), err)
		}
	}
}

// told is what a worklist says of alerts.
func told(list []alerts.Alert) (lines []string) {
	for _, a := range list {
		lines = append(lines, fmt.Sprint(a.ID, a.State, a.Level, a.Active, a.Deadline().UTC(), a.Note))
	}
	return lines
}
