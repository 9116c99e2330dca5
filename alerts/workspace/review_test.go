package workspace_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/reviews"
	"vigie/protocols"
)

// A nurse signs that she has read through a record, sees it there and in the list, and
// takes it back; a colleague cannot take hers back.
func TestARecordIsSignedAsReviewed(t *testing.T) {
	w := open(t)
	lea, tom := w.login("Lea Nurse"), w.login("Tom Nurse")
	w.raise("weight-fast", protocols.Orange)
	w.wantText(w.page("/patients/p-1", lea), "jamais signé comme relu", "J'ai relu le dossier")
	kept := func() []reviews.Review {
		t.Helper()
		list, err := w.store.ReviewsOf(t.Context(), "p-1", w.now.AddDate(-1, 0, 0), w.now.AddDate(1, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for range 2 { // a double click is one review
		if got := w.post("/patients/p-1/review", lea, nil); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/patients/p-1?done=reviewed#reviewed" {
			t.Fatalf("%s %s", got.Status, got.body)
		}
	}
	if list := kept(); len(list) != 1 || list[0].By != "Lea Nurse" || list[0].Alerts != 1 || !list[0].At.Equal(w.now) {
		t.Fatalf("kept are %+v", list)
	}
	w.now = w.now.Add(2 * time.Hour)
	w.wantText(w.page("/patients/p-1?done=reviewed", lea), "Votre relecture du dossier est notée", "Dossier relu le", "Lea Nurse", "il y a 2 h", "Retirer ma relecture")
	w.wantText(w.page("/", tom), "dossier relu il y a 2 h, Lea Nurse")
	if page := w.page("/patients/p-1", tom); strings.Contains(page, "Retirer") || !strings.Contains(page, "/patients/p-1/review") {
		t.Error("a colleague is offered to take her review back, or cannot sign one")
	}
	if got := w.post("/patients/p-1/review/undo", tom, nil); got.StatusCode != http.StatusConflict {
		t.Errorf("a colleague takes it back: %s", got.Status)
	}
	if got := w.post("/patients/p-1/review/undo", lea, nil); got.StatusCode != http.StatusSeeOther || len(kept()) != 0 {
		t.Errorf("she takes it back: %s, kept %v", got.Status, kept())
	}
	if got := w.post("/patients/p-1/review/undo", lea, nil); got.StatusCode != http.StatusConflict {
		t.Errorf("she takes back what is not there: %s", got.Status)
	}
	w.wantText(strings.Join(w.traced(), "\n"), "POST /patients/{id}/review", "POST /patients/{id}/review/undo")

	w.post("/patients/p-1/review", lea, nil)
	w.now = w.now.Add(25 * time.Hour)
	lea = w.login("Lea Nurse")
	if got := w.post("/patients/p-1/review/undo", lea, nil); got.StatusCode != http.StatusConflict || len(kept()) != 1 {
		t.Errorf("a day later she takes it back: %s", got.Status)
	}
}

// Programs sign and read reviews under the same rules.
func TestProgramsSignReviews(t *testing.T) {
	w := open(t)
	var list struct{ Reviews []reviews.Review }
	w.read("/api/v1/patients/p-1/reviews", &list)
	if list.Reviews == nil || len(list.Reviews) != 0 {
		t.Errorf("of nobody: %v", list.Reviews)
	}
	cookie := []string{"Authorization", "", "Cookie", w.login("Lea Nurse", access.Nurse)}
	if got := w.ask("POST", "/api/v1/patients/p-1/reviews", "", cookie...); got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"by":"Lea Nurse"`) {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	w.read("/api/v1/patients/p-1/reviews", &list)
	if len(list.Reviews) != 1 || list.Reviews[0].Alerts != 0 {
		t.Errorf("read are %+v", list.Reviews)
	}
	if got := w.ask("POST", "/api/v1/patients/p-1/reviews/undo", "", cookie...); got.StatusCode != http.StatusOK {
		t.Errorf("taken back: %s %s", got.Status, got.body)
	}
	w.wantProblem(w.ask("POST", "/api/v1/patients/p-1/reviews/undo", "", cookie...), http.StatusConflict, "too-late-to-undo", "propre relecture")
	operator := w.login("Exploitant", access.Operator)
	w.wantProblem(w.ask("POST", "/api/v1/patients/p-1/reviews", "", "Authorization", "", "Cookie", operator), http.StatusForbidden, "not-allowed", "rôle")
}
