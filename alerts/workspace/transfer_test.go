package workspace_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// nurseOf logs a nurse of a team in and returns the cookie.
func (w *ward) nurseOf(team, login string) string {
	w.Helper()
	link, err := w.people.Add(w.Context(), access.Account{Login: login, Name: login, Roles: []access.Role{access.Nurse}, Teams: []string{team}})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.people.Choose(w.Context(), link, password); err != nil {
		w.Fatal(err)
	}
	cookie, _, _ := strings.Cut(w.enter(login, password, "/").Header.Get("Set-Cookie"), ";")
	return cookie
}

// The team that an alert is transferred to reads what it is about for as long as the alert
// is there, and nothing else; the patient's own team goes on seeing it.
func TestATransferredAlertIsReadByTheTeamItCameTo(t *testing.T) {
	w := open(t, func(o *workspace.Options) {
		teams := o.Teams()
		o.Teams = func() []workspace.Team { return append(teams, workspace.Team{ID: "team-b", Name: "Oxygène"}) }
	})
	id := w.raise("weight-fast", protocols.Orange)
	ours, theirs := w.nurseOf("team-a", "lea"), w.nurseOf("team-b", "marc")
	sees := func(cookie string, status int, paths ...string) {
		t.Helper()
		for _, path := range paths {
			if got := w.ask("GET", path, "", "Authorization", "", "Cookie", cookie); got.StatusCode != status {
				t.Errorf("GET %s: %s, want %d", path, got.Status, status)
			}
		}
	}
	mine := []string{"/alerts/" + id, "/patients/p-1", "/api/v1/patients/p-1/readings"}
	sees(theirs, http.StatusNotFound, mine...)
	if got := w.post("/alerts/"+id+"/transfer", theirs, url.Values{"team": {"team-b"}, "note": {"je la prends"}}); got.StatusCode != http.StatusNotFound {
		t.Errorf("another team takes it: %s", got.Status)
	}

	w.wantText(w.page("/alerts/"+id, ours), `<option value="team-b">Oxygène</option>`)
	w.wantText(w.post("/alerts/"+id+"/transfer", ours, url.Values{"team": {"team-b"}}).body, "pourquoi vous transmettez", `<option value="team-b" selected>`)
	if got := w.post("/alerts/"+id+"/transfer", ours, url.Values{"team": {"team-b"}, "note": {"suit l'oxygène"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("transferred: %s %s", got.Status, got.body)
	}
	sees(theirs, http.StatusOK, mine...)
	sees(ours, http.StatusOK, mine...)
	w.wantText(w.page("/alerts/"+id, ours), "Cardiologie, Saint-Denis → Oxygène", "suit l&#39;oxygène")
	if got := w.ask("GET", "/api/v1/alerts?patient=p-1", "", "Authorization", "", "Cookie", ours); !strings.Contains(got.body, id) {
		t.Error("the patient's team does not see what another team has in hand")
	}
	if got := w.ask("GET", "/api/v1/alerts?state=open", "", "Authorization", "", "Cookie", theirs); !strings.Contains(got.body, id) {
		t.Error("it is not on the list of the team that it came to")
	}

	// Who transfers it back sees what they did, and then no more of the patient.
	got := w.ask("POST", "/api/v1/alerts/"+id+"/transfer", `{"to":"team-a","note":"pas pour nous"}`, "Authorization", "", "Cookie", theirs)
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"team":"team-a"`) {
		t.Errorf("transferred back: %s %s", got.Status, got.body)
	}
	sees(theirs, http.StatusNotFound, mine...)
}

func TestAPatientWhoRefusesOtherTeamsKeepsTheAlertWithHisOwn(t *testing.T) {
	w := open(t, func(o *workspace.Options) {
		o.Enrolments = func(context.Context, string) ([]registry.Enrolment, error) {
			return []registry.Enrolment{{ID: "e-1", Patient: "p-1", Team: "team-a", Consent: registry.Consent{Given: true, TeamOnly: true}}}, nil
		}
	})
	id := w.raise("weight-fast", protocols.Orange)
	got := w.ask("POST", "/api/v1/alerts/"+id+"/transfer", `{"to":"team-b","note":"suit l'oxygène"}`)
	w.wantProblem(got, http.StatusConflict, alerts.Code(access.Blocked), "refusé")
}

// twoTeams is the care around every patient of team-a, beside which there is team-b.
type twoTeams map[string]alerts.Team

func (t twoTeams) Care(string) (alerts.Care, error) {
	care := storetest.Care()
	care.Team = t["team-a"]
	return care, nil
}

func (t twoTeams) Team(id string) (alerts.Team, error) { return t[id], nil }

func TestATransferredAlertSaysWhoIsReallyNext(t *testing.T) {
	teams := twoTeams{}
	for _, id := range []string{"team-a", "team-b"} {
		team := storetest.Care().Team
		team.ID, team.Escalate = id, []string{id + "@example.org"}
		teams[id] = team
	}
	w := open(t, func(o *workspace.Options) { o.Care = teams })
	id, nurse := w.raise("weight-fast", protocols.Orange), w.login("Lea Nurse")
	next := func(want string) {
		t.Helper()
		_, told, _ := strings.Cut(w.page("/alerts/"+id, nurse), `id="told"`)
		if told, _, _ = strings.Cut(told, "</section>"); !strings.Contains(told, "Ensuite\u202f: "+want) {
			t.Errorf("next is %s, the page says %s", want, told)
		}
	}
	next("team-a@example.org")
	if err := alerts.Transfer(t.Context(), w.store, id, "Dr Payet", "team-b", "suit le poids", w.now); err != nil {
		t.Fatal(err)
	}
	next("team-b@example.org")
}
