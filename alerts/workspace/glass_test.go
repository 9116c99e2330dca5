package workspace_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/protocols"
)

// member gives a nurse of a team an account and logs her in.
func (w *ward) member(login, name string, teams ...string) (session string) {
	w.Helper()
	link, err := w.people.Add(w.Context(), access.Account{Login: login, Name: name, Roles: []access.Role{access.Nurse}, Teams: teams})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.people.Choose(w.Context(), link, password); err != nil {
		w.Fatal(err)
	}
	session, _, _ = strings.Cut(w.enter(login, password, "/").Header.Get("Set-Cookie"), ";")
	return session
}

func TestTheGlassIsBrokenForAReasonAndTheTeamIsTold(t *testing.T) {
	var told []string
	w := open(t, func(o *workspace.Options) {
		o.TeamsOf = func(_ context.Context, patient string) ([]string, error) {
			if patient != "p-1" {
				return nil, nil
			}
			return []string{"team-a"}, nil
		}
		o.Tell = func(_ context.Context, kind alerts.EventKind, teams []string, key string) error {
			if key == "" {
				t.Error("a message without a key is sent each time")
			}
			told = append(told, string(kind)+" "+strings.Join(teams, ","))
			return errors.New("no channel answers") // which holds up nobody
		}
	})
	id := w.raise("weight-fast", protocols.Orange)
	ours, theirs := w.member("lea", "Léa Morel", "team-a"), w.member("max", "Max Payet", "team-b")
	try := func(patient, reason string) answer {
		return w.post("/glass", theirs, url.Values{"patient": {patient}, "reason": {reason}})
	}
	w.wantText(try("p-1", " ").body, "Dites en une phrase pourquoi", `value="p-1"`)
	w.wantText(try("p-7", "appel de la famille").body, "Aucun patient suivi")
	if got := w.ask("GET", "/alerts/"+id, "", "Authorization", "", "Cookie", theirs); got.StatusCode != http.StatusNotFound {
		t.Fatalf("before: %s", got.Status)
	}
	if page := w.page("/", ours); strings.Contains(page, "Une autre équipe a ouvert") {
		t.Error("the team is told of nothing")
	}
	if got := try("p-1", "appel de la famille, <b>équipe fermée</b>"); got.Header.Get("Location") != "/alerts?patient=p-1" {
		t.Fatalf("with a reason: %s", got.Status)
	}
	if got := strings.Join(told, "; "); got != "glass team-a" {
		t.Errorf("told by message: %q", got)
	}
	w.page("/alerts/"+id, theirs)
	w.wantText(w.page("/", ours), "Une autre équipe a ouvert le dossier")
	w.wantText(w.page("/glass", ours), "Max Payet", "p-1", "appel de la famille, &lt;b&gt;équipe fermée")
	if page := w.page("/glass", theirs); strings.Contains(page, "<td>Max Payet") || strings.Contains(page, "Une autre équipe a ouvert") {
		t.Error("who opened it is told of it")
	}
	if !slices.ContainsFunc(w.traced(), func(line string) bool { return line == "Max Payet: act break-glass [p-1]" }) {
		t.Errorf("the trail: %v", w.traced())
	}
	again := try("p-1", "") // it is open: nothing more is asked, nor told
	if got, err := w.people.Store.GrantsSince(t.Context(), w.now); again.StatusCode != http.StatusSeeOther || err != nil || len(got) != 1 {
		t.Errorf("once more: %s, %d grants, %v", again.Status, len(got), err)
	}
	w.now = w.now.Add(8 * 24 * time.Hour)
	ours, _, _ = strings.Cut(w.enter("lea", password, "/").Header.Get("Set-Cookie"), ";")
	if page := w.page("/", ours); strings.Contains(page, "Une autre équipe a ouvert") {
		t.Error("the team is told for more than a week")
	}
}

// Who has refused that others look is not looked at, and what stands open closes.
func TestAPatientKeepsTheGlassWhole(t *testing.T) {
	w := open(t, func(o *workspace.Options) {
		o.TeamsOf = func(context.Context, string) ([]string, error) { return []string{"team-a"}, nil }
	})
	closed := false
	w.people.Closed = func(_ context.Context, patient string) (bool, error) { return closed && patient == "p-1", nil }
	id := w.raise("weight-fast", protocols.Orange)
	theirs := w.member("max", "Max Payet", "team-b")
	try := func() answer {
		return w.post("/glass", theirs, url.Values{"patient": {"p-1"}, "reason": {"appel de la famille"}})
	}
	try()
	w.page("/alerts/"+id, theirs)
	closed = true
	if got := w.ask("GET", "/alerts/"+id, "", "Authorization", "", "Cookie", theirs); got.StatusCode != http.StatusNotFound {
		t.Errorf("what stands open: %s", got.Status)
	}
	w.wantText(try().body, "Le patient a refusé", "15")
	closed = false
	try()
	w.page("/alerts/"+id, theirs)
}
