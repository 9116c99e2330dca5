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
	"vigie/ingest/registry"
)

// A team asks who is on duty and who is next, now or at another moment; what another
// team does is not shown.
func TestATeamAsksWhoIsOnDuty(t *testing.T) {
	var asked time.Time
	w := open(t, func(o *workspace.Options) {
		o.Duty = func(_ context.Context, team string, at time.Time) (alerts.Duty, error) {
			asked = at
			if team != "team-a" {
				return alerts.Duty{}, registry.ErrNotFound
			}
			petit := alerts.Person{ID: "petit", Name: "Infirmière Petit", Contacts: []string{"petit@example.org"}}
			return alerts.Duty{OnDuty: []alerts.Person{petit}, Next: at.Add(time.Hour), Then: nil}, nil
		}
	})
	got := w.ask("GET", "/api/v1/teams/team-a/duty", "")
	if got.StatusCode != http.StatusOK || !asked.Equal(w.now) || !strings.Contains(got.body, `"on_duty":[{"id":"petit","name":"Infirmière Petit","mail":["petit@example.org"]}],"next":{"at":`) {
		t.Errorf("%s at %s: %s", got.Status, asked, got.body)
	}
	w.ask("GET", "/api/v1/teams/team-a/duty?at=2026-12-24T23:00:00%2B01:00", "")
	if !asked.Equal(time.Date(2026, 12, 24, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("asked for %s", asked)
	}
	w.wantProblem(w.ask("GET", "/api/v1/teams/team-a/duty?at=ce%20soir", ""), http.StatusBadRequest, "bad-parameter", "at")
	w.wantProblem(w.ask("GET", "/api/v1/teams/team-z/duty", ""), http.StatusNotFound, alerts.Unknown, "équipe")
	other := w.colleague("other", "Autre", access.Nurse, "team-b")
	w.wantProblem(w.ask("GET", "/api/v1/teams/team-a/duty", "", other...), http.StatusNotFound, alerts.Unknown, "équipe")
}
