package workspace_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/erasure"
	"vigie/alerts/workspace"
	"vigie/protocols"
)

// An administrator reads what is kept, sees what an erasure takes out before it is made, and
// a program asks for the same.
func TestAnErasureShowsItsEffectsBeforeItIsMade(t *testing.T) {
	var asked []string
	w := open(t, func(o *workspace.Options) {
		o.Retained = func(context.Context) ([]erasure.Keeping, error) {
			return []erasure.Keeping{{Kept: erasure.Kinds[len(erasure.Kinds)-1], For: 7305 * 24 * time.Hour, Due: 12}}, nil
		}
		o.Erase = func(_ context.Context, patient, author, reason string, dry bool) (*erasure.Effect, error) {
			if patient != "p-1" {
				return &erasure.Effect{}, &erasure.Refusal{Text: protocols.Text{FR: "Le patient est encore suivi.", EN: "The patient is still followed."}}
			}
			if !dry {
				asked = append(asked, patient+" "+author+" "+reason)
			}
			return &erasure.Effect{Counts: map[string]int{"readings": 4321}, Points: true}, nil
		}
	})
	admin, nurse := w.login("Chef Admin", access.Administrator), w.login("Lea Nurse")
	w.wantText(w.page("/retention", admin), "Conservation", "traces", "7\u202f305 jours", "12", "L. 1111-7", `href="/retention" aria-current="page"`)
	form := url.Values{"patient": {"p-1"}, "reason": {"demande du 20/11"}}
	if got := w.post("/retention/erase", nurse, form); got.StatusCode != http.StatusForbidden {
		t.Errorf("a nurse erases: %s", got.Status)
	}
	got := w.post("/retention/erase", admin, form)
	w.wantText(got.body, "4\u202f321", "mesures", "ensuite, par le service", "gardé", "jusqu'à", `value="p-1"`)
	if len(asked) > 0 {
		t.Fatal("it is made before its effects were shown")
	}
	if got := w.post("/retention/erase", admin, url.Values{"patient": {"p-1"}}); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "pourquoi") {
		t.Errorf("without a reason: %s", got.Status)
	}
	form.Set("patient", "p-2")
	if got := w.post("/retention/erase", admin, form); got.StatusCode != http.StatusConflict || !strings.Contains(got.body, "encore suivi") {
		t.Errorf("who is followed: %s", got.Status)
	}
	form.Set("sure", "p-1") // that of another page
	if w.post("/retention/erase", admin, form); len(asked) > 0 {
		t.Error("another patient than the one who was shown is erased")
	}
	form.Set("patient", "p-1")
	w.wantText(w.post("/retention/erase", admin, form).body, "redémarre")
	if len(asked) != 1 || asked[0] != "p-1 Chef Admin demande du 20/11" {
		t.Errorf("asked for: %q", asked)
	}

	token, err := w.people.Give(t.Context(), "chef.admin", access.Token{Name: "script", Scopes: []access.Right{access.ManageAccounts}, Until: w.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	program := []string{"Authorization", "Bearer " + token, "Content-Type", "application/json"}
	answer := w.ask("POST", "/api/v1/patients/p-1/erase", `{"reason":"demande","dry_run":true}`, program...)
	if answer.StatusCode != http.StatusOK || !strings.Contains(answer.body, `"readings":4321`) || len(asked) != 1 {
		t.Errorf("a dry run: %s %s", answer.Status, answer.body)
	}
	w.wantProblem(w.ask("POST", "/api/v1/patients/p-2/erase", `{"reason":"demande"}`, program...), http.StatusConflict, "cannot-erase", "encore suivi")
	if answer := w.ask("POST", "/api/v1/patients/p-1/erase", `{"reason":"demande"}`, program...); answer.StatusCode != http.StatusOK || len(asked) != 2 {
		t.Errorf("%s %s", answer.Status, answer.body)
	}
}
