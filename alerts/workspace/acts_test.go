package workspace_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// fields are the hidden fields of the form on a page that is sent to an address.
func fields(t *testing.T, page, action string) url.Values {
	t.Helper()
	_, rest, found := strings.Cut(page, `action="`+action+`"`)
	if !found {
		t.Fatalf("there is no form for %s", action)
	}
	form, _, _ := strings.Cut(rest, "</form>")
	values := url.Values{}
	for _, m := range regexp.MustCompile(`type="hidden" name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		values.Add(m[1], html.UnescapeString(m[2]))
	}
	return values
}

// What rang bears the time of what was measured then, also once the same goes on.
func TestWhatRangKeepsItsTimeWhileItGoesOn(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	w.now = w.now.Add(22 * time.Hour)
	w.found(storetest.Finding(protocols.Again, "weight-fast", "ep-1", protocols.Orange, 22*time.Hour))
	page := w.page("/alerts/"+id, w.login("Dr Payet"))
	_, rest, _ := strings.Cut(page, "<dt>A sonné</dt>")
	rang, _, _ := strings.Cut(rest, "</dd>")
	const latest = "mar. 24 nov., 10:00"
	if !strings.Contains(rang, "lun. 23 nov., 12:00") || strings.Contains(rang, latest) {
		t.Errorf("what rang is said to be of another time: %s", rang)
	}
	if !strings.Contains(page, latest) {
		t.Error("the latest occurrence is nowhere to be read")
	}
}

func TestNobodyTakesOnWhatGotWorseInAnotherTab(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login("Dr Payet")
	list, page := w.page("/alerts", session), w.page("/alerts/"+id, session)
	w.found(storetest.Finding(protocols.Risen, "weight-fast", "ep-1", protocols.Red, time.Minute))

	stale := w.post("/alerts/"+id+"/acknowledge", session, fields(t, list, "/alerts/"+id+"/acknowledge"))
	if stale.StatusCode != http.StatusConflict {
		t.Errorf("taken on as seen in a list: %s", stale.Status)
	}
	w.wantText(stale.body, "s'est aggravée", "à traiter en priorité")

	form := fields(t, page, "/alerts/"+id+"/resolve")
	form.Set("outcome", "no-action")
	form.Set("note", "rien à faire")
	stale = w.post("/alerts/"+id+"/resolve", session, form)
	if stale.StatusCode != http.StatusConflict {
		t.Errorf("settled as seen on its page: %s", stale.Status)
	}
	w.wantText(stale.body, "s'est aggravée", "rien à faire", `value="no-action" checked`)
	program := w.ask("POST", "/api/v1/alerts/"+id+"/acknowledge", `{"seen":{"level":"orange","active":true}}`)
	w.wantProblem(program, http.StatusConflict, alerts.WorseSince, "aggravée")

	form = fields(t, stale.body, "/alerts/"+id+"/resolve")
	form.Set("outcome", "no-action")
	form.Set("note", "rien à faire")
	for range 2 { // the second is a double click
		if got := w.post("/alerts/"+id+"/resolve", session, form); got.StatusCode != http.StatusSeeOther {
			t.Errorf("settled as it is: %s", got.Status)
		}
	}
	var a struct{ Events []alerts.Event }
	w.read("/api/v1/alerts/"+id, &a)
	if len(a.Events) != 3 || a.Events[2].Kind != alerts.EventResolved {
		t.Errorf("events %+v, want raised, risen, resolved once", a.Events)
	}
}

// Whoever could not open an alert, or can no longer, is given none: nobody would see it.
func TestAnAlertGoesOnlyToWhoMaySeeIt(t *testing.T) {
	w := open(t)
	first := w.raise("weight-fast", protocols.Orange) // of team-a
	other := storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Orange, 0)
	other.Patient, other.Enrolment = "p-9", "e-9" // of team-b
	w.found(other)
	lea := w.colleague("lea", "Lea", access.Nurse, "team-a", "team-b")
	w.colleague("payet", "Dr Payet", access.Physician, "team-b")
	w.colleague("nadia", "Nadia", access.Nurse, "team-a")
	w.wantProblem(w.ask("POST", "/api/v1/alerts/"+first+"/assign", `{"to":"Dr Payet"}`, lea...), http.StatusUnprocessableEntity, "not-of-this-team", "ne peut pas ouvrir")
	if got := w.ask("POST", "/api/v1/alerts/"+first+"/acknowledge", "{}", lea...); got.StatusCode != http.StatusOK {
		t.Fatal(got.Status, got.body)
	}
	w.wantProblem(w.ask("POST", "/api/v1/handovers", `{"to":"Dr Payet"}`, lea...), http.StatusUnprocessableEntity, "not-of-this-team", "Dr Payet")
	if page := w.pageAs(lea, "/?tab=mine"); strings.Contains(page, "<option>Dr Payet</option>") || !strings.Contains(page, "<option>Nadia</option>") {
		t.Error("the page offers somebody who could not open what she has in hand")
	}
	if got := w.ask("POST", "/api/v1/handovers", `{"to":"Nadia"}`, lea...); got.StatusCode != http.StatusOK {
		t.Fatal(got.Status, got.body)
	}

	// Nadia leaves: what she had in hand asks the team again.
	if err := w.people.Disable(t.Context(), "nadia"); err != nil {
		t.Fatal(err)
	}
	given, err := alerts.GiveBack(t.Context(), w.store, "Nadia", "Cora Dinatrice", "compte désactivé", w.now)
	if err != nil || given != 1 {
		t.Fatalf("given back %d, %v", given, err)
	}
	if a, err := w.store.Alert(t.Context(), first); err != nil || a.State != alerts.Open {
		t.Errorf("it stays with somebody who is no longer there: %+v, %v", a.State, err)
	}
	w.wantProblem(w.ask("POST", "/api/v1/alerts/"+first+"/assign", `{"to":"Nadia"}`, lea...), http.StatusUnprocessableEntity, "not-of-this-team", "Nadia")
}

// The level is the same, and 4 kg is not what she had read.
func TestAPageSettlesNoFigureThatGotWorseMeanwhile(t *testing.T) {
	w := open(t)
	gain := storetest.Finding(protocols.Raised, "weight-fast", "ep-1", protocols.Orange, 0)
	gain.Figure, gain.Signs = 2100, 1
	w.found(gain)
	list, err := w.store.Alerts(t.Context(), alerts.Filter{Rule: "weight-fast"})
	if err != nil || len(list) != 1 {
		t.Fatal(len(list), err)
	}
	path, session := "/alerts/"+list[0].ID, w.login("Dr Payet")
	w.post(path+"/acknowledge", session, fields(t, w.page(path, session), path+"/acknowledge"))
	form := fields(t, w.page(path, session), path+"/resolve")
	form.Set("outcome", "patient-called")
	more := storetest.Finding(protocols.Again, "weight-fast", "ep-1", protocols.Orange, time.Hour)
	more.Figure, more.Signs = 4000, 1
	w.found(more)
	stale := w.post(path+"/resolve", session, form)
	if stale.StatusCode != http.StatusConflict {
		t.Fatalf("settled as she had it before her: %s", stale.Status)
	}
	w.wantText(stale.body, "s'est aggravée")
	form = fields(t, stale.body, path+"/resolve")
	form.Set("outcome", "patient-called")
	if got := w.post(path+"/resolve", session, form); got.StatusCode != http.StatusSeeOther {
		t.Errorf("settled as it is: %s", got.Status)
	}
}

func TestListSaysWhatWasTakenOnAndGoesOnWithTheNext(t *testing.T) {
	w := open(t)
	first, second := w.raise("spo2-low", protocols.Red), w.raise("weight-fast", protocols.Orange)
	session := w.login("Dr Payet")
	form := fields(t, w.page("/alerts", session), "/alerts/"+first+"/acknowledge")
	got := w.post("/alerts/"+first+"/acknowledge", session, form)
	to := got.Header.Get("Location")
	if !strings.Contains(to, "done="+first) || !strings.HasSuffix(to, "#alert-"+second) {
		t.Fatalf("%s to %s", got.Status, to)
	}
	address, _, _ := strings.Cut(to, "#")
	page := w.page(address, session)
	w.wantText(page, `role="status"`, "Prise en charge :", `href="/alerts/`+first+`"`, `id="alert-`+second+`"`)
	if strings.Contains(fields(t, page, "/alerts/"+second+"/acknowledge").Get("back"), "done=") {
		t.Error("what was done before is said again after the next act")
	}
	for _, forged := range []string{"nothing", second, "<script>alert(1)</script>"} {
		if page := w.page("/alerts?done="+url.QueryEscape(forged), session); strings.Contains(page, `class="done"`) || strings.Contains(page, "<script>alert") {
			t.Errorf("done=%s says that something was done", forged)
		}
	}
}

func TestCountsAreThoseOfTheFilter(t *testing.T) {
	w := open(t)
	for i, level := range []protocols.Level{protocols.Red, protocols.Orange, protocols.Orange, protocols.Yellow} {
		f := storetest.Finding(protocols.Raised, "rule", "ep-1", level, time.Duration(i)*time.Minute)
		f.Enrolment, f.Patient = "e-"+string(rune('1'+i)), "p-"+string(rune('1'+i%2))
		w.found(f)
	}
	session := w.login("Dr Payet")
	for path, want := range map[string]string{
		"/alerts":                              "À prendre en charge <b>4</b>",
		"/alerts?level=orange":                 "À prendre en charge <b>2</b>",
		"/alerts?patient=+p-1+":                "À prendre en charge <b>2</b>",
		"/alerts?patient=p-1&level=red":        "À prendre en charge <b>1</b>",
		"/alerts?limit=3":                      "3 alertes affichées sur 4",
		"/alerts?limit=1&level=orange&lang=en": "1 alert shown of 2",
		"/alerts?rule=rule&state=resolved":     "Un filtre est actif.",
	} {
		w.wantText(w.page(path, session), want)
	}
	titles := regexp.MustCompile(`data-say="([^"]+)"`)
	newest := titles.FindAllStringSubmatch(w.page("/alerts?order=newest", session), -1)
	if len(newest) != 4 || !strings.HasPrefix(newest[0][1], "à surveiller") || !strings.HasPrefix(newest[3][1], "à traiter en priorité") {
		t.Errorf("newest first: %v", newest)
	}
	got := w.ask("GET", "/api/v1/alerts?order=random", "")
	w.wantProblem(got, http.StatusBadRequest, "bad-parameter", "gravest ou newest")
}

func TestLanguageOfAFormThatWasRefusedCanBeChanged(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login("Dr Payet")
	refused := w.post("/alerts/"+id+"/resolve", session, nil)
	w.wantText(refused.body, `<fieldset class="outcomes" aria-describedby="error">`, `href="/alerts/`+id+`/resolve?lang=en"`)
	got := w.ask("GET", "/alerts/"+id+"/resolve?lang=en", "", "Authorization", "", "Cookie", session)
	if to := got.Header.Get("Location"); to != "/alerts/"+id+"?lang=en" {
		t.Errorf("it leads to %s", to)
	}
}

func TestNobodyActsUnderTheNameOfTheService(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login(alerts.Service)
	w.post("/alerts/"+id+"/acknowledge", session, nil)
	_, history, _ := strings.Cut(w.page("/alerts/"+id, session), `class="history"`)
	if _, act, _ := strings.Cut(history, `class="acknowledged"`); !strings.Contains(act, ", "+alerts.Service+"</span>") {
		t.Errorf("the history does not say who acted:\n%s", history)
	}
}

func TestParametersThatCannotBeReadShowNothing(t *testing.T) {
	w := open(t)
	w.raise("weight-fast", protocols.Orange)
	for _, path := range []string{
		"/api/v1/alerts?state=open;team=team-b", "/api/v1/alerts?patient=100%", "/api/v1/patients/p-1/readings?measure=weight%zz",
		"/api/v1/patients/p-1/readings?measure=weight&measure=glucose",
	} {
		w.wantProblem(w.ask("GET", path, ""), http.StatusBadRequest, "bad-parameter", "")
	}
	if got := w.ask("GET", "/alerts?patient=100%", ""); got.StatusCode != http.StatusBadRequest || strings.Contains(got.body, "data-alert=") {
		t.Errorf("a page with a filter that cannot be read: %s", got.Status)
	}
}

func TestFormSentAfterTheSessionHadEndedLeadsBackToItsAlert(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login("Dr Payet")
	w.now = w.now.Add(12 * time.Hour)
	got := w.post("/alerts/"+id+"/resolve", session, url.Values{"outcome": {"no-action"}})
	next, err := url.Parse(got.Header.Get("Location"))
	if err != nil || next.Path != "/login" {
		t.Fatalf("%s to %s, %v", got.Status, next, err)
	}
	got = w.enter("dr.payet", password, next.Query().Get("next"))
	got = w.ask("GET", got.Header.Get("Location"), "", "Authorization", "", "Cookie", got.Header.Get("Set-Cookie"))
	if to := got.Header.Get("Location"); to != "/alerts/"+id {
		t.Errorf("it leads to %q", to)
	}
}

func TestAnActIsUndoneForAMinute(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Red)
	due := func() (a struct {
		State    alerts.State
		AnswerBy time.Time `json:"answer_by"`
		Events   []alerts.Event
	}) {
		w.read("/api/v1/alerts/"+id, &a)
		return a
	}
	before := due()
	session, other := w.login("Dr Payet"), w.login("Lea Nurse")
	path := "/alerts/" + id
	w.post(path+"/acknowledge", session, fields(t, w.page(path, session), path+"/resolve"))
	if page := w.page(path, other); strings.Contains(page, path+"/undo") {
		t.Error("somebody else is offered to undo the act")
	}
	form := fields(t, w.page(path, session), path+"/undo")
	if got := w.post(path+"/undo", other, form); got.StatusCode != http.StatusConflict {
		t.Errorf("somebody else undoes the act: %s", got.Status)
	}
	for range 2 { // the second is a double click
		if got := w.post(path+"/undo", session, form); got.StatusCode != http.StatusSeeOther {
			t.Errorf("it is not undone: %s", got.Status)
		}
	}
	after := due()
	if after.State != alerts.Open || !after.AnswerBy.Equal(before.AnswerBy) {
		t.Errorf("undone, the alert is %s and due %v; it was %s and due %v", after.State, after.AnswerBy, before.State, before.AnswerBy)
	}
	if n := len(after.Events); n != 3 || after.Events[2].Kind != alerts.EventUndone {
		t.Errorf("the events are %+v", after.Events)
	}
	w.wantText(w.page(path, session), "Acte annulé : l'alerte est comme avant.", "<b>Acte annulé</b>")

	w.post(path+"/acknowledge", session, fields(t, w.page(path, session), path+"/resolve"))
	w.now = w.now.Add(61 * time.Second)
	if page := w.page(path, session); strings.Contains(page, path+"/undo") {
		t.Error("after a minute, the page still offers to undo the act")
	}
	w.wantProblem(w.ask("POST", "/api/v1"+path+"/undo", ""), http.StatusConflict, alerts.TooLateToUndo, "pendant une minute")
}

// Everything that can be done about an alert is done from its page, and shown there.
func TestEveryActHasItsFormOnThePageOfTheAlert(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Red)
	me, path := w.login("Lea Nurse"), "/alerts/"+w.raise("weight-fast", protocols.Red)
	w.login("Dr Payet")
	w.login("Only Looks", access.Administrator)
	send := func(act string, want int, fill ...string) answer {
		t.Helper()
		form := fields(t, w.page(path, me), path+"/resolve")
		for i := 0; i < len(fill); i += 2 {
			form.Add(fill[i], fill[i+1])
		}
		got := w.post(path+"/"+act, me, form)
		if got.StatusCode != want {
			t.Errorf("%s %v: %s", act, fill, got.Status)
		}
		return got
	}
	page := w.page(path, me)
	w.wantText(page, "<option>Dr Payet</option>", `<option value="4h0m0s">4 h</option>`, "demande une note")
	for _, never := range []string{"<option>Lea Nurse", "<option>Only Looks", "12h0m0s"} { // a red sleeps for 4 h at most
		if strings.Contains(page, never) {
			t.Errorf("the page offers %q", never)
		}
	}
	send("call-back", http.StatusUnprocessableEntity, "at", "2026-11-20T08:00") // gone by
	send("call-back", http.StatusSeeOther, "at", "2026-11-23T15:30", "note", "sonne occupé")
	w.wantText(w.page(path, me), "sonne occupé", "À rappeler</dt><dd><time datetime=\"2026-11-23T15:30:00+04:00\"") // on the clock of the team
	send("snooze", http.StatusSeeOther, "for", "2h0m0s")
	w.wantText(w.page(path, me), "En sommeil jusqu", "Annuler la mise en sommeil")
	send("assign", http.StatusSeeOther, "to", "Dr Payet", "note", "vous la connaissez")
	w.wantText(w.page(path, me), "Une autre personne l&#39;a en main", "<b>Dr Payet</b>")
	w.wantText(send("resolve", http.StatusUnprocessableEntity, "outcome", "appointment", "outcome", "physician-informed").body,
		"a pris en charge cette alerte rouge", `value="appointment" checked`, `value="physician-informed" checked`)
	send("resolve", http.StatusSeeOther, "outcome", "appointment", "outcome", "physician-informed", "note", "vu avec Dr Payet")
	var a alerts.Alert
	w.read("/api/v1/alerts/"+id, &a)
	if got := strings.Join(a.Outcomes, " "); got != "appointment physician-informed" {
		t.Errorf("it was closed with %q", got)
	}
	w.wantText(w.page(path, me), "consultation ou visite programmée, médecin traitant informé")
}

// At the end of a shift, all that somebody has in hand goes to another, at once.
func TestAShiftIsHandedOverFromTheWorklist(t *testing.T) {
	w := open(t)
	ids := []string{w.raise("weight-fast", protocols.Orange), w.raise("spo2-low", protocols.Red)}
	me := w.login("Lea Nurse")
	w.login("Dr Payet")
	for _, id := range ids {
		w.post("/alerts/"+id+"/acknowledge", me, nil)
	}
	w.wantText(w.page("/?tab=mine", me), `action="/handovers"`, "<option>Dr Payet</option>")
	if got := w.post("/handovers", me, url.Values{"to": {""}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("handed over to nobody: %s", got.Status)
	}
	if got := w.post("/handovers", me, url.Values{"to": {"Dr Payet"}, "note": {"nuit calme"}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the shift is not handed over: %s", got.Status)
	}
	for _, id := range ids {
		if a, err := w.store.Alert(t.Context(), id); err != nil || a.AcknowledgedBy != "Dr Payet" || a.Note != "nuit calme" {
			t.Errorf("it is with %s, noted %q, %v", a.AcknowledgedBy, a.Note, err)
		}
	}
}

// A long history shows where it began and what came last; the rest is folded.
func TestALongHistoryIsFolded(t *testing.T) {
	w := open(t)
	id := w.raise("weight-fast", protocols.Orange)
	for i := range 290 {
		if err := alerts.Note(t.Context(), w.store, id, "Lea Nurse", fmt.Sprintf("note n° %d.", i), w.now); err != nil {
			t.Fatal(err)
		}
	}
	page := w.page("/alerts/"+id, w.login("Lea Nurse"))
	open, _, _ := strings.Cut(page, `<details id="folded">`)
	_, rest, _ := strings.Cut(page, "</ul></details>")
	if shown := strings.Count(open+rest, "note n° "); shown != 11 || !strings.Contains(rest, "note n° 289.") {
		t.Errorf("%d notes stand outside of what is folded", shown)
	}
	w.wantText(page, "279 autres événements", "note n° 0.")
}

// What was measured where the clock differs says so.
func TestTimesOfMeasurementAreThoseOfThePatientToo(t *testing.T) {
	away := face("p-1", "ROUX", "Inès")
	away.Followed[0].Zone = "Europe/Paris"
	w := open(t, named(away))
	id := w.raise("weight-fast", protocols.Orange)
	w.wantText(w.page("/alerts/"+id, w.login("Lea Nurse")), "lun. 23 nov., 12:00 (UTC+4), chez le patient 09:00")
	home := open(t, named(face("p-1", "ROUX", "Inès")))
	id = home.raise("weight-fast", protocols.Orange)
	if page := home.page("/alerts/"+id, home.login("Lea Nurse")); strings.Contains(page, "chez le patient") {
		t.Error("the clock of a patient who lives by that of the team is told twice")
	}
}
