package workspace_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
)

// oneFollowed is the registry of one patient, under the protocol for heart failure.
const oneFollowed = `teams:
  - {id: team-a, name: Cardiologie, time_zone: Europe/Paris, opens: "08:30", closes: "18:00", days: [monday]}
patients:
  - id: p-1
    identity: {ins: "277076322082910", oid: 1.2.250.1.213.1.4.10, birth_name: DURAND, given_names: ANNE MARIE,
      first_given_name: ANNE, sex: F, birth_date: 1977-07-04, birth_place: "63220", status: validated}
devices:
  - {name: scale-1, serial: A1, kind: scale, brand: B, model: M, password: a-long-enough-password}
enrolments:
  - {id: e-1, patient: p-1, protocol: heart-failure, version: "VERSION", time_zone: Europe/Paris, team: team-a, physician: "10001234565",
     devices: [scale-1], consent: {given: true, date: 2026-01-02, scope: weight}, from: 2026-01-05, prescription_end: 2026-12-31,
     settings: {fast-gain: {value: 1.5, author: Dr Aubry, date: 2026-01-05, reason: petit gabarit}}}
`

// theNext is a version of every protocol, which says what the newest does.
const theNext = "next"

// enrolled is a ward whose registry holds that patient.
func enrolled(t *testing.T, change ...func(*workspace.Options)) *ward {
	t.Helper()
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	protocol := func(id, version string) *protocols.Protocol {
		for _, p := range shipped {
			if version == theNext && p.ID == id {
				return p
			}
		}
		return shipped[id+"@"+version]
	}
	var late lateRegistry
	var counted lateFigures
	w := open(t, append(change, func(o *workspace.Options) {
		o.Protocol, o.Change, o.Roll, o.Figures = protocol, &late, &late, &counted
		o.Library = func() (newest []*protocols.Protocol) {
			for _, p := range shipped {
				if p.ID == "heart-failure" {
					newest = append(newest, p)
				}
			}
			return newest
		}
		o.Enrolments = func(ctx context.Context, patient string) ([]registry.Enrolment, error) {
			return late.EnrolmentsOf(ctx, patient)
		}
		o.Versions = func(ctx context.Context, id string) ([]registry.Version, error) { return late.Versions(ctx, id) }
		o.TeamsOf = func(ctx context.Context, patient string) (teams []string, err error) {
			list, err := late.EnrolmentsOf(ctx, patient)
			for i := range list {
				teams = append(teams, list[i].Team)
			}
			return teams, err
		}
	})...)
	late.lateStore, counted.Store = w.store, w.store
	version := ""
	for _, p := range shipped {
		if p.ID == "heart-failure" {
			version = p.Version
		}
	}
	doc, err := registry.ParseYAML([]byte(strings.Replace(oneFollowed, "VERSION", version, 1)))
	if err != nil {
		t.Fatal(err)
	}
	reg, problems, err := registry.Check(t.Context(), doc, protocol, nil)
	if err != nil || registry.Refused(problems) {
		t.Fatalf("%v %v", problems, err)
	}
	if _, err := w.store.Import(t.Context(), &reg, "Op", w.now); err != nil {
		t.Fatal(err)
	}
	return w
}

// lateRegistry is the store of a ward, which exists only once the ward is open.
type lateRegistry struct{ lateStore }

type lateStore interface {
	registry.Store
	RegistryVersion(ctx context.Context) (int64, error)
}

// colleague logs somebody in, and returns the headers of their requests.
func (w *ward) colleague(login, name string, role access.Role, teams ...string) []string {
	w.Helper()
	link, err := w.people.Add(w.Context(), access.Account{Login: login, Name: name, Roles: []access.Role{role}, Teams: teams})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.people.Choose(w.Context(), link, password); err != nil {
		w.Fatal(err)
	}
	session, _, _ := strings.Cut(w.enter(login, password, "/").Header.Get("Set-Cookie"), ";")
	return []string{"Authorization", "", "Cookie", session}
}

// held is an enrolment as it is answered.
type held struct {
	Version  string
	End      string `json:"prescription_end"`
	Settings map[string]struct {
		Value                float64
		Author, Date, Reason string
	}
	Consent struct{ Withdrawn string }
}

func (w *ward) held(who []string) (h held, tag string) {
	w.Helper()
	got := w.ask("GET", "/api/v1/enrolments/e-1", "", who...)
	if err := json.Unmarshal([]byte(got.body), &h); err != nil || got.StatusCode != http.StatusOK {
		w.Fatalf("%s %v %s", got.Status, err, got.body)
	}
	return h, got.Header.Get("ETag")
}

func TestAPhysicianChangesAThreshold(t *testing.T) {
	w := enrolled(t)
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	before, tag := w.held(aubry)
	if before.Settings["fast-gain"].Value != 1.5 || before.End != "2026-12-31" {
		t.Fatalf("held %+v", before)
	}
	patch := `{"settings":{"fast-gain":{"value":1.2,"reason":"sortie d'hôpital"}}}`
	tried := w.ask("PATCH", "/api/v1/enrolments/e-1?dry_run=1", patch, append(aubry, "If-Match", tag)...)
	if tried.StatusCode != http.StatusOK || !strings.Contains(tried.body, `"before":"1.5","after":"1.2"`) {
		t.Fatalf("tried: %s %s", tried.Status, tried.body)
	}
	if now, same := w.held(aubry); same != tag || now.Settings["fast-gain"].Value != 1.5 {
		t.Fatal("what was only tried was kept")
	}
	done := w.ask("PATCH", "/api/v1/enrolments/e-1", patch, append(aubry, "If-Match", tag)...)
	after, next := w.held(aubry)
	if got := after.Settings["fast-gain"]; done.StatusCode != http.StatusOK || got.Value != 1.2 || got.Author != "Dr Aubry" || got.Reason != "sortie d'hôpital" || next == tag || next != done.Header.Get("ETag") {
		t.Fatalf("%s %s: %+v under %s", done.Status, done.body, got, next)
	}
	// Who read it before knows nothing of that.
	w.wantProblem(w.ask("PATCH", "/api/v1/enrolments/e-1", `{"settings":{"fast-gain":{"value":3,"reason":"x"}}}`, append(aubry, "If-Match", tag)...),
		http.StatusPreconditionFailed, "changed-since", "modifié")
	versions, err := w.store.Versions(t.Context(), "e-1")
	if err != nil || len(versions) != 2 || versions[1].Author != "Dr Aubry" {
		t.Errorf("the history: %+v %v", versions, err)
	}
	list := w.ask("GET", "/api/v1/patients/p-1/enrolments", "", aubry...)
	if list.StatusCode != http.StatusOK || !strings.Contains(list.body, `"id":"e-1"`) {
		t.Errorf("the enrolments of the patient: %s %s", list.Status, list.body)
	}
}

func TestAChangeOfAnEnrolmentIsCheckedLikeAFile(t *testing.T) {
	w := enrolled(t)
	aubry, morel, weber := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a"), w.colleague("morel", "Léa Morel", access.Nurse, "team-a"), w.colleague("weber", "Ida Weber", access.Coordinator, "team-a")
	stranger := w.colleague("payet", "Dr Payet", access.Physician, "team-b")
	_, tag := w.held(aubry)
	for name, c := range map[string]struct {
		who    []string
		patch  string
		status int
		code   alerts.Code
		body   string
	}{
		"beyond its bounds":    {aubry, `{"settings":{"fast-gain":{"value":99,"reason":"x"}}}`, 422, "unacceptable", `"path":"settings.fast-gain.value"`},
		"an unknown setting":   {aubry, `{"settings":{"fast-gian":{"value":2,"reason":"x"}}}`, 422, "unacceptable", "fast-gian"},
		"an unknown version":   {aubry, `{"version":"99"}`, 422, "unacceptable", `"path":"protocol"`},
		"in another's name":    {aubry, `{"settings":{"fast-gain":{"value":2,"reason":"x","author":"Dr Payet"}}}`, 422, "author-given", "author"},
		"a nurse":              {morel, `{"settings":{"fast-gain":{"value":2,"reason":"x"}}}`, 403, "not-allowed", ""},
		"a coordinator":        {weber, `{"settings":{"fast-gain":{"value":2,"reason":"x"}}}`, 403, "not-allowed", ""},
		"another team":         {stranger, `{"version":"2"}`, 404, alerts.Unknown, "inclusion"},
		"less without a word":  {weber, `{"consent":{"withdrawn":"2026-03-07"}}`, 409, "loosens", `"consent:e-1"`},
		"no object":            {aubry, `[1]`, 400, "malformed", ""},
		"a threshold twice":    {aubry, `{"settings":{"fast-gain":{"value":2,"value":3,"reason":"x"}}}`, 400, "malformed", `settings.fast-gain.value`},
		"to another patient":   {aubry, `{"patient":"p-2"}`, 422, "unacceptable", "p-2"},
		"longer than one year": {aubry, `{"prescription_end":"2027-06-30"}`, 422, "unacceptable", "un an au plus"},
	} {
		got := w.ask("PATCH", "/api/v1/enrolments/e-1", c.patch, append(slices.Clone(c.who), "If-Match", tag)...)
		w.wantProblem(got, c.status, c.code, "")
		if !strings.Contains(got.body, c.body) {
			t.Errorf("%s: nothing of %s in %s", name, c.body, got.body)
		}
	}
	w.wantProblem(w.ask("PATCH", "/api/v1/enrolments/e-1", `{}`, aubry...), http.StatusPreconditionRequired, "no-if-match", "If-Match")
	if _, now := w.held(aubry); now != tag {
		t.Fatal("what was refused was kept")
	}
	named := w.ask("PATCH", "/api/v1/enrolments/e-1?allow_loosening=consent:e-1,prescription_end:e-1", `{"consent":{"withdrawn":"2026-03-07"}}`, append(slices.Clone(weber), "If-Match", tag)...)
	if h, _ := w.held(aubry); named.StatusCode != http.StatusOK || h.Consent.Withdrawn == "" {
		t.Errorf("named: %s %s", named.Status, named.body)
	}
	// A pause is that of the account that adds it, whatever name is typed.
	_, tag = w.held(weber)
	paused := w.ask("PATCH", "/api/v1/enrolments/e-1?allow_loosening=pauses:e-1", `{"pauses":[{"from":"2026-03-08","until":"2026-03-12","reason":"hôpital","author":"Dr Aubry"}]}`, append(slices.Clone(weber), "If-Match", tag)...)
	if e, err := w.store.Enrolment(t.Context(), "e-1"); err != nil || len(e.Pauses) != 1 || e.Pauses[0].Author != "Ida Weber" {
		t.Errorf("a pause in another's name: %s %s: %+v %v", paused.Status, paused.body, e.Pauses, err)
	}
	w.wantProblem(w.ask("GET", "/api/v1/enrolments/e-9", "", aubry...), http.StatusNotFound, alerts.Unknown, "inclusion")
	w.wantProblem(w.ask("GET", "/api/v1/patients/p-1/enrolments", "", stranger...), http.StatusNotFound, alerts.Unknown, "inclusion")
}
