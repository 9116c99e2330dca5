package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
	"vigie/alerts/workspace"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// traced lists the looks and acts of the trail, oldest first: who, what, whose.
func (w *ward) traced() (list []string) {
	w.Helper()
	rows, err := w.store.Trail().Find(w.Context(), trail.Filter{})
	if err != nil {
		w.Fatal(err)
	}
	for i := range slices.Backward(rows) {
		e, err := rows[i].Entry()
		if err != nil {
			w.Fatal(err)
		}
		if e.Kind == trail.Read || e.Kind == trail.Act {
			list = append(list, fmt.Sprintf("%s: %s %s %v", e.Name, e.Kind, e.Deed, e.Patients))
		}
	}
	return list
}

func TestEveryLookAndEveryActIsInTheTrail(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login("Lea Nurse")
	before := len(w.traced())
	w.page("/", session)
	w.page("/alerts/"+id, session)
	w.post("/alerts/"+id+"/acknowledge", session, url.Values{})
	for _, path := range []string{"/api/v1/alerts", "/api/v1/worklist", "/api/v1/alerts/" + id, "/api/v1/patients/p-1/readings"} {
		w.ask("GET", path, "")
	}
	w.ask("POST", "/api/v1/alerts/"+id+"/note", `{"note":"rappelle demain"}`)
	want := []string{
		"Lea Nurse: read GET /{$} [p-1]", "Lea Nurse: read GET /alerts/{id} [p-1]", "Lea Nurse: act POST /alerts/{id}/acknowledge [p-1]",
		"poste-soins: read GET /api/v1/alerts [p-1]", "poste-soins: read GET /api/v1/worklist [p-1]", "poste-soins: read GET /api/v1/alerts/{id} [p-1]",
		"poste-soins: read GET /api/v1/patients/{id}/readings [p-1]", "poste-soins: act POST /api/v1/alerts/{id}/note [p-1]",
	}
	if got := w.traced()[before:]; !slices.Equal(got, want) {
		t.Errorf("the trail has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// What shows nobody is no look.
	for _, path := range []string{"/api/v1/alerts?patient=p-9", "/api/v1/alerts/none", "/api/v1/messages/none"} {
		w.ask("GET", path, "")
	}
	w.page("/account", session)
	if got := w.traced()[before:]; len(got) != len(want) {
		t.Errorf("what shows nobody is traced: %v", got[len(want):])
	}
}

func TestAPageThatLooksAgainIsOneEntryUntilItShowsOthers(t *testing.T) {
	w := open(t)
	w.raise("weight-fast", protocols.Orange)
	session := w.login("Lea Nurse")
	again := func() answer {
		return w.ask("GET", "/", "", "Authorization", "", "Cookie", session, "Vigie-Refresh", "1")
	}
	before := len(w.traced())
	again() // never seen before: nobody hides a look by saying that it is one more
	for range 5 {
		again()
		w.now = w.now.Add(time.Minute)
	}
	if got := w.traced()[before:]; len(got) != 1 {
		t.Errorf("six looks of one page: %v", got)
	}
	other := storetest.Finding(protocols.Raised, "spo2-low", "ep-2", protocols.Red, 0)
	other.Patient, other.Enrolment = "p-2", "e-2"
	w.found(other)
	again()
	again()
	if got := w.traced()[before:]; len(got) != 2 || !strings.HasSuffix(got[1], "[p-2]") {
		t.Errorf("another patient came into the list: %v", got)
	}
	w.page("/", session)
	if got := w.traced()[before:]; len(got) != 3 {
		t.Errorf("a person opened the page again: %v", got)
	}
	w.now = w.now.Add(2 * time.Hour)
	again()
	if got := w.traced()[before:]; len(got) != 4 {
		t.Errorf("the page is still open two hours later: %v", got)
	}
}

func TestALookThroughTheBrokenGlassSaysWhy(t *testing.T) {
	w := open(t, func(o *workspace.Options) {
		o.TeamsOf = func(context.Context, string) ([]string, error) { return []string{"team-b"}, nil }
	})
	session := w.login("Lea Nurse")
	who, err := w.people.Person(t.Context(), strings.TrimPrefix(session, "vigie-session="), "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.people.Break(t.Context(), who, "p-1", "appel de la famille"); err != nil {
		t.Fatal(err)
	}
	if got := w.ask("GET", "/api/v1/patients/p-1/readings", "", "Authorization", "", "Cookie", session); got.StatusCode != http.StatusOK {
		t.Fatal(got.Status)
	}
	rows, err := w.store.Trail().Find(t.Context(), trail.Filter{Patient: "p-1"})
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d entries, %v", len(rows), err)
	}
	for i, deed := range []string{"GET /api/v1/patients/{id}/readings", "break-glass"} {
		e, err := rows[i].Entry()
		if err != nil || e.Deed != deed || e.Reason != "appel de la famille" || e.Account != who.Account || !slices.Equal(e.Roles, []access.Role{access.Nurse}) {
			t.Errorf("entry %+v, %v", e, err)
		}
	}
}

// full is a trail that cannot be written.
type full struct{}

func (full) Write(context.Context, trail.Entry) error { return errors.New("the disk is full") }

func (full) Gap() (since time.Time, late, lost int) { return time.Unix(0, 0), 1, 0 }

func TestCareSeesThePatientWhenTheTrailCannotBeWritten(t *testing.T) {
	w := open(t, func(o *workspace.Options) { o.Trail = full{} })
	id := w.raise("weight-fast", protocols.Orange)
	if got := w.ask("POST", "/api/v1/alerts/"+id+"/acknowledge", ""); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "p-1") {
		t.Errorf("an act: %s", got.Status)
	}
	session := w.login("Lea Nurse")
	w.wantText(w.page("/alerts/"+id, session), "Les accès ne sont pas tracés en ce moment")
}
