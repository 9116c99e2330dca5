package workspace_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// names is a registry of faces.
type names []registry.Face

func (n names) Faces(context.Context) ([]registry.Face, error) { return n, nil }
func (n names) Devices(context.Context, string, int) ([]registry.Device, error) {
	return nil, nil
}
func (n names) FacesOf(context.Context, []string) ([]registry.Face, error) { return n, nil }
func (n names) Device(context.Context, string) (*registry.Assignment, error) {
	return nil, registry.ErrNotFound
}
func (n names) Touched(context.Context, registry.Mark) (registry.Touched, error) {
	return registry.Touched{Now: registry.Mark{Version: int64(len(n))}, All: true}, nil
}
func (n names) RegistryVersion(context.Context) (int64, error) { return int64(len(n)), nil }

func face(id, name, given string) registry.Face {
	return registry.Face{Patient: id, BirthName: name, FirstGiven: given, Sex: "F", BirthDate: "1992-05-12", Followed: []registry.Followed{{Protocol: "icc", Version: "1", Team: "team-a", Zone: "Indian/Reunion"}}}
}

func named(faces ...registry.Face) func(*workspace.Options) {
	return func(o *workspace.Options) { o.Roll = names(faces) }
}

// find raises an alert for a patient.
func (w *ward) ring(patient, rule string, level protocols.Level, after time.Duration) {
	w.Helper()
	f := storetest.Finding(protocols.Raised, rule, "ep-1", level, after)
	f.Patient, f.Enrolment = patient, "e-"+patient
	w.found(f)
}

var rowKeys = regexp.MustCompile(`<li id="([^"]+)"`)

func keysOf(page string) string {
	var keys []string
	for _, m := range rowKeys.FindAllStringSubmatch(page, -1) {
		keys = append(keys, m[1])
	}
	return strings.Join(keys, " ")
}

func TestEachPatientStandsOnceWhereHisGravestAlertDoes(t *testing.T) {
	w := open(t, named(face("p-1", "ROUX", "Inès"), face("p-2", "VIDAL", "Paul"), face("p-3", "FABRE", "Anna")))
	w.ring("p-3", "weight-slow", protocols.Yellow, 0)
	w.ring("p-2", "spo2-low", protocols.Red, 20*time.Minute)
	w.ring("p-1", "spo2-low", protocols.Red, 5*time.Minute) // is due first
	w.ring("p-1", "weight-fast", protocols.Orange, 0)
	session := w.login("Lea Nurse")
	page := w.page("/", session)
	if got := keysOf(page); got != "p.p-1 p.p-2 p.p-3" {
		t.Errorf("the rows are %q", got)
	}
	w.wantText(page, "ROUX Inès", "F 34 ans · icc · p-1", "Prise de poids", "Le poids a augmenté.", "maintenant", "80,0\u202fkg", "+1\u202f: Prise de poids",
		"personne", "3 patients à voir", "dans ")
	if got := keysOf(w.page("/?level=yellow", session)); got != "p.p-3" {
		t.Errorf("the yellow rows are %q", got)
	}
	w.wantText(w.page("/?protocol=none", session), "Aucun patient ne correspond à ce filtre.")
	w.wantText(w.page("/?lang=en", session), "F 34 y", "Patients to see", "in ", "now")
}

func TestTabsHoldEveryAlertThatIsLeft(t *testing.T) {
	w := open(t, named(face("p-1", "ROUX", "Inès"), face("p-2", "VIDAL", "Paul")))
	w.ring("p-1", "weight-fast", protocols.Orange, 0)
	w.ring("p-2", "battery", protocols.Technical, 0)
	session := w.login("Lea Nurse")
	list, err := w.store.Alerts(t.Context(), alerts.Filter{Patient: "p-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := alerts.CallBack(t.Context(), w.store, list[0].ID, "Lea Nurse", "", w.now.Add(time.Hour), w.now); err != nil {
		t.Fatal(err)
	}
	for tab, want := range map[string]string{"see": "p.p-1", "mine": "p.p-1", "taken": "p.p-1", "call-back": "p.p-1", "devices": "p.p-2", "reread": "", "silent": ""} {
		if got := keysOf(w.page("/?tab="+tab, session)); got != want {
			t.Errorf("%s holds %q, want %q", tab, got, want)
		}
	}
	w.wantText(w.page("/", session), "Lea Nurse", "dans 1 h")
	if got := w.ask("GET", "/?tab=all", "", "Authorization", "", "Cookie", session); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a tab that does not exist: %s", got.Status)
	}
}

// A search that finds nobody says nothing of alerts.
func TestASearchNeverSaysThatAllIsClear(t *testing.T) {
	w := open(t, named(face("p-0021", "ROUX", "Inès"), face("p-2", "VIDAL", "Élise")))
	w.ring("p-0021", "spo2-low", protocols.Red, 0)
	session := w.login("Lea Nurse")
	for typed, want := range map[string]string{"P-0021": "ROUX Inès", "0021": "ROUX Inès", "ines": "Prise de poids", "elise": "aucune alerte en attente", "Vidal É": "VIDAL Élise"} {
		w.wantText(w.page("/?q="+strings.ReplaceAll(typed, " ", "+"), session), want)
	}
	for _, path := range []string{"/?q=personne", "/alerts?patient=personne", "/alerts?patient=P-0021&state=open"} {
		page := w.page(path, session)
		if strings.Contains(page, "Aucune alerte à prendre en charge") || strings.Contains(page, "Aucun patient à voir") {
			t.Errorf("%s says that all is clear", path)
		}
	}
	w.wantText(w.page("/?q=personne", session), "Aucun patient de vos équipes ne porte ce nom")
	hostile := w.page("/?q=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE", session)
	if strings.Contains(hostile, "<script>alert") {
		t.Error("what was searched for runs as a script")
	}
}

func TestNamesAreForThoseWhoFollowThePatient(t *testing.T) {
	theirs := face("p-9", "SECRET", "Nom")
	theirs.Followed[0].Team = "team-b"
	w := open(t, named(face("p-1", "ROUX", "Inès"), theirs), func(o *workspace.Options) {
		o.TeamsOf = func(_ context.Context, patient string) ([]string, error) {
			return []string{map[string]string{"p-1": "team-a", "p-9": "team-b"}[patient]}, nil
		}
	})
	session := w.login("Lea Nurse")
	for _, typed := range []string{"secret", "p-9"} {
		if page := w.page("/?q="+typed, session); strings.Contains(page, "SECRET") {
			t.Errorf("a search for %s shows a patient of another team", typed)
		}
	}
	who := w.login("Ope Rator", access.Operator)
	if got := w.ask("GET", "/?q=roux", "", "Authorization", "", "Cookie", who); strings.Contains(got.body, "ROUX") {
		t.Error("an operator sees a name")
	}
}

func TestALongListGoesOnPageByPage(t *testing.T) {
	w := open(t)
	for i := range 60 {
		w.ring(fmt.Sprintf("p-%02d", i), "weight-fast", protocols.Orange, time.Duration(i)*time.Second)
	}
	session := w.login("Lea Nurse")
	page := w.page("/", session)
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(page)
	if strings.Count(page, "<li id=") != 50 || next == nil {
		t.Fatalf("%d rows, next %v", strings.Count(page, "<li id="), next)
	}
	second := w.page(strings.ReplaceAll(next[1], "&amp;", "&"), session)
	if strings.Count(second, "<li id=") != 10 || strings.Contains(second, `id="p.p-49"`) || strings.Contains(second, "data-stream") {
		t.Errorf("the second page holds %d rows", strings.Count(second, "<li id="))
	}
}
