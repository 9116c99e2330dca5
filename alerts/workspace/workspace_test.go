package workspace_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/erasure"
	"vigie/alerts/trail"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/stores/sqlite"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// everyone is the care around every patient.
type everyone struct{ care *alerts.Care }

func (e everyone) Care(string) (alerts.Care, error) { return *e.care, nil }

// Team is part of alerts.Teams: beside the team of the patients there is team-b.
func (e everyone) Team(id string) (alerts.Team, error) {
	team := e.care.Team
	if id != "team-b" && id != team.ID {
		return alerts.Team{}, nil
	}
	team.ID = id
	return team, nil
}

// weights is a history of one patient.
type weights struct{ readings []*protocols.Reading }

func (w weights) History(_ context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	for _, r := range w.readings {
		if r.Patient != patient || (measure != nil && r.Measure != measure) || r.Time.Before(from) || !r.Time.Before(to) {
			continue
		}
		if !yield(r) {
			return nil
		}
	}
	return nil
}

const secret = "a-long-and-secret-token"

// ward is a workspace over HTTP with a store behind it.
type ward struct {
	testing.TB
	server *httptest.Server
	space  *workspace.Workspace
	store  *sqlite.Store
	now    time.Time
	broken error // what the readiness check says
	people *access.Accounts
	traces *trail.Trail
	mark   storetest.MarkInMemory
	care   alerts.Care
}

// begin begins a store's file.
func begin(path string) error {
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return err
	}
	return s.Close()
}

func open(t testing.TB, change ...func(*workspace.Options)) *ward {
	t.Helper()
	w := &ward{TB: t, now: storetest.Morning.Add(90 * time.Minute), care: storetest.Care()}
	var err error
	w.store, err = sqlite.Open(storetest.File(t, begin), sqlite.Options{
		Care: func(*sqlite.Store) alerts.Directory { return everyone{&w.care} },
	})
	if err != nil {
		t.Fatal(err)
	}
	weight := protocols.MeasureByID("weight")
	pressure := protocols.MeasureByID("blood-pressure")
	w.traces, err = trail.Open(t.Context(), trail.Options{
		Store: w.store.Trail(), Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), Mark: &w.mark, Node: "ward",
		Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.accounts(w.store.Access())
	w.people.Trail = w.traces
	options := workspace.Options{
		Accounts: w.people, Trail: w.traces, Traces: w.store.Trail(), Looks: w.store.Trail(), Reviews: w.store, TeamsOf: func(context.Context, string) ([]string, error) { return []string{"team-a"}, nil },
		Store: w.store, Now: func() time.Time { return w.now }, Poll: 5 * time.Millisecond,
		Tokens: []workspace.Token{{Name: "poste-soins", Secret: secret}, {Name: "tableau", Secret: "another-secret"}},
		Teams: func() []workspace.Team {
			return []workspace.Team{{ID: "team-a", Name: "Cardiologie, Saint-Denis", Zone: time.FixedZone("", 4*3600)}}
		},
		Aside: &drawer{},
		Retained: func(context.Context) ([]erasure.Keeping, error) {
			return []erasure.Keeping{{Kept: erasure.Kinds[0], Due: erasure.Uncounted}}, nil
		},
		Erase: func(context.Context, string, string, string, bool) (*erasure.Effect, error) {
			return nil, &erasure.Refusal{Text: protocols.Text{FR: "Le patient est encore suivi.", EN: "The patient is still followed."}}
		},
		Status: func(context.Context) []workspace.Statement {
			return []workspace.Statement{{Name: "leader", OK: true, Text: protocols.Text{FR: "Ce nœud conduit.", EN: "This node leads."}}}
		},
		Checks: []workspace.Check{{Name: "store", Sentence: protocols.Text{FR: "La base ne répond pas.", EN: "The store does not answer."}, Ready: func(context.Context) error { return w.broken }}},
		History: weights{[]*protocols.Reading{
			{ID: "r-1", Device: "scale-1", Patient: "p-1", Time: storetest.Morning, Measure: weight, Values: []protocols.Value{80000}, Battery: -1},
			{ID: "r-2", Device: "bp-1", Patient: "p-1", Time: storetest.Morning.Add(time.Hour), Measure: pressure, Values: []protocols.Value{142000, 91000, protocols.Missing, 72000}, Battery: 87, Flags: []string{"irregular-pulse"}},
			{ID: "r-3", Device: "scale-1", Patient: "p-1", Time: storetest.Morning.Add(24 * time.Hour), Measure: weight, Values: []protocols.Value{82100}, Battery: -1},
		}},
	}
	for _, c := range change {
		c(&options)
	}
	if w.space, err = workspace.New(options); err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(w.space)
	t.Cleanup(func() {
		w.space.Close()
		w.server.Close()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *ward) found(findings ...protocols.Finding) {
	w.Helper()
	err := w.store.Update(w.Context(), func(tx ingest.Tx) error { return tx.Apply(findings) })
	if err != nil {
		w.Fatal(err)
	}
}

func (w *ward) raise(rule string, level protocols.Level) string {
	w.Helper()
	w.found(storetest.Finding(protocols.Raised, rule, "ep-1", level, 0))
	list, err := w.store.Alerts(w.Context(), alerts.Filter{Rule: rule})
	if err != nil || len(list) != 1 {
		w.Fatalf("%d alerts, %v", len(list), err)
	}
	return list[0].ID
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

func (w *ward) ask(method, path, body string, headers ...string) answer {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer{response, string(got)}
}

func (w *ward) read(path string, into any) {
	w.Helper()
	got := w.ask("GET", path, "")
	if got.StatusCode != http.StatusOK {
		w.Fatalf("GET %s: %s %s", path, got.Status, got.body)
	}
	if err := json.Unmarshal([]byte(got.body), into); err != nil {
		w.Fatalf("GET %s: %v in %s", path, err, got.body)
	}
}

func (w *ward) wantProblem(got answer, status int, code alerts.Code, sentence string) {
	w.Helper()
	var problem struct {
		Type, Title, Detail string
		Status              int
		Code                alerts.Code
	}
	if err := json.Unmarshal([]byte(got.body), &problem); err != nil {
		w.Fatalf("%s is no problem: %v: %s", got.Status, err, got.body)
	}
	if got.StatusCode != status || problem.Status != status || problem.Code != code || !strings.Contains(problem.Detail, sentence) {
		w.Errorf("got %s %s, want %d %s with %q", got.Status, got.body, status, code, sentence)
	}
	if kind := got.Header.Get("Content-Type"); kind != "application/problem+json" {
		w.Errorf("a problem came as %s", kind)
	}
}

func TestOnlyThoseWithATokenGetIn(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	for _, path := range []string{"/api/v1/alerts", "/api/v1/alerts/" + id, "/api/v1/patients/p-1/readings", "/api/v1/stream", "/api/v1/anything"} {
		for _, header := range []string{"", "Bearer wrong", "Bearer ", "Basic " + secret, "Bearer " + secret + "x"} {
			w.now = w.now.Add(2 * time.Minute) // whoever goes on guessing waits
			got := w.ask("GET", path, "", "Authorization", header)
			w.wantProblem(got, http.StatusUnauthorized, "no-token", "jeton")
			if got.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: no word on how to get in", path)
			}
		}
	}
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 303, "/alerts/" + id: 303, "/login": 200} {
		if got := w.ask("GET", path, "", "Authorization", ""); got.StatusCode != status {
			t.Errorf("GET %s without a token: %s, want %d", path, got.Status, status)
		}
	}
	w.now = w.now.Add(2 * time.Minute)
	if got := w.ask("GET", "/api/v1/alerts", "", "Authorization", "bearer another-secret"); got.StatusCode != http.StatusOK {
		t.Errorf("the second token: %s", got.Status)
	}
}

func TestTokensThatCannotBeToldApartAreRefused(t *testing.T) {
	for want, tokens := range map[string][]workspace.Token{
		"": {{Name: "a", Secret: "x"}, {Name: "b", Secret: "y"}}, "no secret": {{Name: "a"}}, "no name": {{Secret: "x"}},
		"two access tokens": {{Name: "a", Secret: "x"}, {Name: "a", Secret: "y"}},
	} {
		w := &ward{TB: t, now: storetest.Morning}
		w.accounts(nil)
		space, err := workspace.New(workspace.Options{
			Store: &sqlite.Store{}, History: weights{}, Now: time.Now, Tokens: tokens, Accounts: w.people, Trail: full{},
			TeamsOf: func(context.Context, string) ([]string, error) { return nil, nil },
		})
		if want == "" {
			if err != nil {
				t.Errorf("two tokens: %v", err)
			}
			space.Close()
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "token") {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestAlertFromListToResolved(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	w.raise("spo2-low", protocols.Red)

	var page struct {
		Alerts []alerts.Alert
		Next   string
	}
	w.read("/api/v1/alerts?state=open", &page)
	if len(page.Alerts) != 2 || page.Alerts[0].Rule != "spo2-low" || page.Next != "" {
		t.Fatalf("open alerts %+v", page)
	}
	w.read("/api/v1/alerts?level=orange,yellow&patient=p-1&team=team-a&protocol=icc&rule=weight-fast&from=2026-11-23T09:00:00+01:00&to=2026-11-24", &page)
	if len(page.Alerts) != 1 || page.Alerts[0].ID != id {
		t.Fatalf("filtered alerts %+v", page)
	}

	var one struct {
		alerts.Alert
		Events []alerts.Event
	}
	w.read("/api/v1/alerts/"+id, &one)
	if one.Explanation == nil || one.Explanation.Comparisons[0].Value != 2100 || len(one.Events) != 1 {
		t.Fatalf("alert %+v", one)
	}

	if got := w.ask("POST", "/api/v1/alerts/"+id+"/acknowledge", `{"note":"j'appelle"}`); got.StatusCode != 200 || !strings.Contains(got.body, `"acknowledged_by":"poste-soins"`) {
		t.Fatalf("acknowledge: %s %s", got.Status, got.body)
	}
	if got := w.ask("POST", "/api/v1/alerts/"+id+"/resolve", `{"outcome":"patient-called","note":"va mieux"}`, "Authorization", "Bearer another-secret"); got.StatusCode != 200 || !strings.Contains(got.body, `"resolved_by":"tableau"`) {
		t.Fatalf("resolve: %s %s", got.Status, got.body)
	}
	w.read("/api/v1/alerts/"+id, &one)
	var kinds []alerts.EventKind
	for _, e := range one.Events {
		kinds = append(kinds, e.Kind)
	}
	if !slices.Equal(kinds, []alerts.EventKind{alerts.EventRaised, alerts.EventAcknowledged, alerts.EventResolved}) {
		t.Errorf("events %v", kinds)
	}
	w.wantProblem(w.ask("POST", "/api/v1/alerts/"+id+"/resolve", `{"outcome":"no-action"}`), 409, alerts.AlreadyResolved, "déjà close par tableau")
	w.wantProblem(w.ask("POST", "/api/v1/alerts/"+id+"/resolve", `{"outcome":"no-action"}`, "Accept-Language", "en-GB,fr;q=0.5"), 409, alerts.AlreadyResolved, "already resolved by tableau")
}

func TestWhatCannotBeDoneIsSaid(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               alerts.Code
		sentence           string
	}{
		{"GET", "/api/v1/alerts?stat=open", "", 400, "bad-parameter", "« stat »"},
		{"GET", "/api/v1/alerts?state=opened", "", 400, "bad-parameter", "open, acknowledged ou resolved"},
		{"GET", "/api/v1/alerts?level=none", "", 400, "bad-parameter", "red, orange"},
		{"GET", "/api/v1/alerts?limit=0", "", 400, "bad-parameter", "1 à 500"},
		{"GET", "/api/v1/alerts?from=yesterday", "", 400, "bad-parameter", "décalage"},
		{"GET", "/api/v1/alerts?after=xyz", "", 400, "bad-parameter", "« after »"},
		{"GET", "/api/v1/alerts/none", "", 404, "unknown-alert", "Aucune alerte"},
		{"POST", "/api/v1/alerts/none/acknowledge", "{}", 404, "unknown-alert", "Aucune alerte"},
		{"POST", "/api/v1/alerts/" + id + "/acknowledge", `{"outcome":"x"}`, 400, "malformed", "clôture"},
		{"POST", "/api/v1/alerts/" + id + "/acknowledge", `{"by":"x"}`, 400, "malformed", "by"},
		{"POST", "/api/v1/alerts/" + id + "/acknowledge", `{} {}`, 400, "malformed", "JSON"},
		{"POST", "/api/v1/alerts/" + id + "/acknowledge", `{"note":"` + strings.Repeat("x", 70<<10) + `"}`, 413, "too-large", "64"},
		{"POST", "/api/v1/alerts/" + id + "/acknowledge", `{"note":"` + strings.Repeat("x", 5000) + `"}`, 422, "too-long", "4000"},
		{"POST", "/api/v1/alerts/" + id + "/acknowledge", `{"note":"appelée, va bien \u202ecod"}`, 422, "hidden-character", "« appelée, va bien »"},
		{"POST", "/api/v1/alerts/" + id + "/acknowledge", `{"note":"\u001b[2Jappelée"}`, 422, "hidden-character", "invisible"},
		{"POST", "/api/v1/alerts/" + id + "/resolve", `{}`, 422, "no-outcome", "issue"},
		{"GET", "/api/v1/patients/p-1/readings?measure=mood", "", 400, "bad-parameter", "« measure »"},
		{"GET", "/api/v1/patients/p-1/readings?format=xml", "", 400, "bad-parameter", "json ou csv"},
		{"GET", "/api/v1/stream?after=-1", "", 400, "bad-parameter", "numéro"},
		{"GET", "/api/v2/alerts", "", 404, "no-such-path", "Rien"},
		{"DELETE", "/api/v1/alerts/" + id, "", 404, "no-such-path", "méthode"},
	} {
		t.Run(c.method+" "+c.path[:min(len(c.path), 60)], func(t *testing.T) {
			w := &ward{TB: t, server: w.server}
			w.wantProblem(w.ask(c.method, c.path, c.body), c.status, c.code, c.sentence)
		})
	}
	var one alerts.Alert
	w.read("/api/v1/alerts/"+id, &one)
	if one.State != alerts.Open {
		t.Errorf("after refusals the alert is %s", one.State)
	}
}

func TestPagesFollowOneAnother(t *testing.T) {
	w := open(t)
	for _, rule := range []string{"a", "b", "c", "d", "e"} {
		w.raise(rule, protocols.Yellow)
	}
	var rules []string
	for path := "/api/v1/alerts?limit=2"; path != ""; {
		var page struct {
			Alerts []alerts.Alert
			Next   string
		}
		w.read(path, &page)
		for _, a := range page.Alerts {
			rules = append(rules, a.Rule)
		}
		path = ""
		if page.Next != "" {
			path = "/api/v1/alerts?limit=2&after=" + page.Next
		}
	}
	slices.Sort(rules)
	if !slices.Equal(rules, []string{"a", "b", "c", "d", "e"}) {
		t.Errorf("pages hold %v", rules)
	}
}

func TestReadingsAsJSONAndCSV(t *testing.T) {
	w := open(t)
	got := w.ask("GET", "/api/v1/patients/p-1/readings?measure=blood-pressure", "")
	want := `[{"id":"r-2","device":"bp-1","time":"2026-11-23T09:00:00Z","measure":"blood-pressure","values":{"diastolic":91,"pulse":72,"systolic":142},"unit":"mm[Hg]","source":"device","flags":["irregular-pulse"],"battery":87}` + "\n]\n"
	if got.body != want || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s\n%s, want\n%s", got.Header.Get("Content-Type"), got.body, want)
	}
	table := "time,measure,component,value,unit,device,id,source\n" +
		"2026-11-23T08:00:00Z,weight,value,80,kg,scale-1,r-1,device\n" +
		"2026-11-23T09:00:00Z,blood-pressure,systolic,142,mm[Hg],bp-1,r-2,device\n" +
		"2026-11-23T09:00:00Z,blood-pressure,diastolic,91,mm[Hg],bp-1,r-2,device\n" +
		"2026-11-23T09:00:00Z,blood-pressure,pulse,72,/min,bp-1,r-2,device\n"
	for _, got := range []answer{
		w.ask("GET", "/api/v1/patients/p-1/readings?format=csv&to=2026-11-24", ""),
		w.ask("GET", "/api/v1/patients/p-1/readings?to=2026-11-24", "", "Accept", "text/csv"),
	} {
		if got.body != table || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/csv") {
			t.Errorf("%s\n%s, want\n%s", got.Header.Get("Content-Type"), got.body, table)
		}
	}
	if got := w.ask("GET", "/api/v1/patients/nobody/readings", ""); got.body != "[]\n" {
		t.Errorf("readings of nobody: %s", got.body)
	}
}

func TestAnIdIsNoFormulaInASpreadsheet(t *testing.T) {
	w := open(t, func(o *workspace.Options) {
		o.History = weights{[]*protocols.Reading{{
			ID: `=HYPERLINK("https://example.org")`, Device: "scale-1", Patient: "p-1", Time: storetest.Morning,
			Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{80000}, Battery: -1,
		}}}
	})
	got := w.ask("GET", "/api/v1/patients/p-1/readings?format=csv", "")
	if !strings.Contains(got.body, `scale-1,"'=HYPERLINK(""https://example.org"")",device`) {
		t.Errorf("%s", got.body)
	}
}

type failing struct{ after int }

func (f failing) History(_ context.Context, _ string, _ *protocols.Measure, _, _ time.Time, yield func(*protocols.Reading) bool) error {
	for range f.after {
		yield(&protocols.Reading{ID: strings.Repeat("r", 60), Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{80000}})
	}
	return errors.New("the disk is gone")
}

func TestAHistoryThatBreaksOffIsNeverTakenForAll(t *testing.T) {
	w := open(t, func(o *workspace.Options) { o.History = failing{0} })
	got := w.ask("GET", "/api/v1/patients/p-1/readings", "")
	w.wantProblem(got, 500, "internal", "Réessayez")
	if strings.Contains(got.body, "disk") {
		t.Errorf("the answer shows the inside: %s", got.body)
	}

	w = open(t, func(o *workspace.Options) { o.History = failing{5000} })
	r, err := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+"/api/v1/patients/p-1/readings", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("the answer ends as if it were complete")
	}
}

func TestReadyOnlyWhenEveryCheckSaysSo(t *testing.T) {
	w := open(t)
	if got := w.ask("GET", "/readyz", ""); got.StatusCode != 200 || !strings.Contains(got.body, `"store":"ok"`) {
		t.Errorf("ready: %s %s", got.Status, got.body)
	}
	w.broken = errors.New("SELECT secret FROM /var/lib/vigie/vigie.db as admin")
	if got := w.ask("GET", "/readyz", "", "Accept-Language", "en"); got.StatusCode != 503 || !strings.Contains(got.body, `"store":"The store does not answer."`) || strings.Contains(got.body, "SELECT") {
		t.Errorf("not ready: %s %s", got.Status, got.body)
	}
	if got := w.ask("GET", "/status", "", "Authorization", ""); got.StatusCode != 200 || !strings.Contains(got.body, `{"name":"leader","ok":true,"says":"Ce nœud conduit."}`) {
		t.Errorf("status while not ready: %s %s", got.Status, got.body)
	}
	if got := w.ask("GET", "/healthz", ""); got.StatusCode != 200 {
		t.Errorf("alive: %s", got.Status)
	}
}

func TestOperatorMayHaveAListenerOfHisOwn(t *testing.T) {
	w := open(t, func(o *workspace.Options) { o.Apart = true })
	apart := httptest.NewServer(w.space.Operator())
	defer apart.Close()
	for _, path := range []string{"/readyz", "/status"} {
		if got := w.ask("GET", path, "", "Authorization", ""); got.StatusCode == http.StatusOK {
			t.Errorf("%s is on the port of the pages", path)
		}
		got, err := http.Get(apart.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if got.StatusCode != http.StatusOK {
			t.Errorf("%s apart: %s", path, got.Status)
		}
	}
	if got, err := http.Get(apart.URL + "/login"); err != nil || got.StatusCode != http.StatusNotFound {
		t.Errorf("the pages are on the port of the operator: %v, %v", got, err)
	}
}

func TestABodyThatComesByteByByteHoldsNoConnection(t *testing.T) {
	w := open(t, func(o *workspace.Options) { o.Patience = 20 * time.Millisecond })
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /login HTTP/1.1\r\nHost: vigie\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nperson="); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 400 ") {
		t.Errorf("%q, %v; want a refusal and the end of the connection", got, err)
	}
}

// A program that wants everything asks until the end of time, or from its beginning.
func TestListsReachToTheEndsOfTime(t *testing.T) {
	w := open(t)
	w.raise("weight-fast", protocols.Orange)
	for query, want := range map[string]int{
		"to=9999-12-31T23:59:59Z": 1, "to=2300-01-01": 1, "from=9999-12-31": 0, "from=2300-01-01": 0,
		"from=0001-01-01": 1, "to=0001-01-01T00:00:00Z": 0, "from=1600-01-01": 1, "to=1600-01-01": 0,
	} {
		var page struct {
			Alerts []alerts.Alert `json:"alerts"`
		}
		w.read("/api/v1/alerts?"+query, &page)
		if len(page.Alerts) != want {
			t.Errorf("%s: %d alerts, want %d", query, len(page.Alerts), want)
		}
	}
}
