package workspace_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/protocols"
)

// striker takes down what is asked of it.
type striker struct{ asked []workspace.Striking }

func (s *striker) strike(_ context.Context, about workspace.Striking) ([]*protocols.Reading, error) {
	s.asked = append(s.asked, about)
	return []*protocols.Reading{{
		ID: "r-9", Device: "scale-1", Patient: about.Patient, Time: about.From, Battery: -1,
		Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{65_100},
	}}, nil
}

func TestReadingsAreStruckOutByWhoMayEnterThem(t *testing.T) {
	s := &striker{}
	w := open(t, func(o *workspace.Options) { o.Strike = s.strike })
	nurse := w.login("Mme Hoarau", access.Nurse)
	body := `{"patient":"p-1","time":"2026-11-23T06:02:00Z","reason":"son mari"}`
	for path, struck := range map[string]bool{"/api/v1/readings/strike": true, "/api/v1/readings/unstrike": false} {
		got := w.ask("POST", path, body, "Authorization", "", "Cookie", nurse)
		if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"r-9"`) || strings.Contains(got.body, `"struck":true`) != struck {
			t.Errorf("%s: %s %s", path, got.Status, got.body)
		}
		at := time.Date(2026, 11, 23, 6, 2, 0, 0, time.UTC)
		if asked := s.asked[len(s.asked)-1]; asked != (workspace.Striking{Patient: "p-1", From: at, To: at.Add(1), Author: "Mme Hoarau", Reason: "son mari", Undo: !struck}) {
			t.Errorf("%s asks for %+v", path, asked)
		}
	}
	asked := len(s.asked)
	for _, c := range []struct {
		body   string
		status int
		code   alerts.Code
		says   string
	}{
		{`{"patient":"p-1","time":"2026-11-23T06:02:00Z"}`, http.StatusUnprocessableEntity, alerts.NoReason, "pourquoi"},
		{`{"patient":"p-1","reason":"x"}`, http.StatusBadRequest, "malformed", "quand"},
		{`{"patient":"p-1","from":"2026-11-23T06:02:00Z","to":"2026-11-23T06:02:00Z","reason":"x"}`, http.StatusBadRequest, "malformed", "quand"},
		{`{"time":"2026-11-23T06:02:00Z","reason":"x"}`, http.StatusBadRequest, "malformed", "patient"},
		{`{"patient":"p-1","time":"2026-11-23T06:02:00Z","measure":"love","reason":"x"}`, http.StatusBadRequest, "malformed", "mesure"},
		{`{"patient":"p-1","time":"2026-11-23T06:02:00Z","reason":"x","author":"Dr Payet"}`, http.StatusUnprocessableEntity, "author-given", "compte"},
	} {
		w.wantProblem(w.ask("POST", "/api/v1/readings/strike", c.body, "Authorization", "", "Cookie", nurse), c.status, c.code, c.says)
	}
	if len(s.asked) != asked {
		t.Errorf("what was refused was done: %+v", s.asked[asked:])
	}
}
