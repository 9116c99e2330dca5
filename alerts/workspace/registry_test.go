package workspace_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// with adds headers to those of somebody.
func with(who []string, headers ...string) []string { return append(slices.Clone(who), headers...) }

// got reads an answer that has to be of a status.
func (w *ward) got(a answer, status int) map[string]any {
	w.Helper()
	if a.StatusCode != status {
		w.Fatalf("%s %s: %s %s, want %d", a.Request.Method, a.Request.URL.Path, a.Status, a.body, status)
	}
	var body map[string]any
	if a.body != "" {
		if err := json.Unmarshal([]byte(a.body), &body); err != nil {
			w.Fatalf("%v in %s", err, a.body)
		}
	}
	return body
}

const (
	newPatient = `{"identity":{"ins":"151032A00412341","oid":"1.2.250.1.213.1.4.10","birth_name":"ROUX","given_names":"INÈS","first_given_name":"INÈS","sex":"M","birth_date":"1951-03-27","birth_place":"2A004"}}`
	newTeam    = `{"id":"team-c","name":"Néphrologie","time_zone":"Indian/Reunion","opens":"08:00","closes":"16:30","days":["monday","tuesday"]}`
)

func enrolmentFor(patient, version string) string {
	return `{"id":"e-2","patient":"` + patient + `","protocol":"heart-failure","version":"` + version + `","time_zone":"Indian/Reunion","team":"team-a","physician":"10001234565",
		"devices":["scale-2"],"consent":{"given":true,"date":"2026-11-09","scope":"poids"},"from":"2026-11-10","prescription_end":"2027-05-09",
		"settings":{"fast-gain":{"value":2,"reason":"habitude"}}}`
}

// A patient is added, given a scale, enrolled, changed and let go by the interface alone.
func TestAPatientIsEnrolledByProgram(t *testing.T) {
	w := enrolled(t)
	weber, aubry := w.colleague("weber", "Ida Weber", access.Coordinator, "team-a"), w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	tried := w.got(w.ask("POST", "/api/v1/patients?dry_run=1", newPatient, weber...), 200)
	if tried["dry_run"] != true {
		t.Fatal(tried)
	}
	added := w.ask("POST", "/api/v1/patients", newPatient, weber...)
	w.got(added, 201)
	patient := strings.TrimPrefix(added.Header.Get("Location"), "/api/v1/patients/")
	seen := w.ask("GET", added.Header.Get("Location"), "", weber...)
	if body := w.got(seen, 200); body["id"] != patient || seen.Header.Get("ETag") != added.Header.Get("ETag") || !strings.Contains(seen.body, `"birth_name":"ROUX"`) {
		t.Errorf("the patient: %s", seen.body)
	}
	for _, q := range []string{"ines+ROUX", "27/03/1951", "1510+32A+004+123+41", patient} {
		if list := w.ask("GET", "/api/v1/patients?q="+q, "", weber...); !strings.Contains(list.body, `"id":"`+patient+`"`) || strings.Contains(list.body, "DURAND") {
			t.Errorf("%s finds %s", q, list.body)
		}
	}
	device := w.ask("POST", "/api/v1/devices", `{"name":"scale-2","serial":"B7","kind":"scale","brand":"B","model":"M"}`, weber...)
	password, _ := w.got(device, 201)["password"].(string)
	if kept, err := w.store.Device(t.Context(), "scale-2"); err != nil || !registry.CheckSecret(kept.Device.Secret, password) {
		t.Errorf("the password that is answered is not that of the scale: %v", err)
	}
	if shown := w.ask("GET", "/api/v1/devices/scale-2", "", weber...); strings.Contains(shown.body, "secret") || strings.Contains(shown.body, "password") {
		t.Errorf("a device shows its secret: %s", shown.body)
	}
	h, _ := w.held(aubry)
	enrolled := w.ask("POST", "/api/v1/enrolments", enrolmentFor(patient, h.Version), aubry...)
	w.got(enrolled, 201)
	if e, err := w.store.Enrolment(t.Context(), "e-2"); err != nil || e.Settings["fast-gain"].Author != "Dr Aubry" {
		t.Errorf("enrolled: %+v, %v", e, err)
	}
	if list := w.ask("GET", "/api/v1/enrolments?patient="+patient, "", aubry...); !strings.Contains(list.body, `"id":"e-2"`) || strings.Contains(list.body, `"id":"e-1"`) {
		t.Errorf("the enrolments of the patient: %s", list.body)
	}
	if list := w.ask("GET", "/api/v1/patients?q=b7", "", weber...); !strings.Contains(list.body, patient) {
		t.Errorf("by the serial number of the scale: %s", list.body)
	}
	tag := enrolled.Header.Get("ETag")
	// What is read may be sent again: nothing changes.
	whole := w.ask("GET", "/api/v1/enrolments/e-2", "", aubry...)
	same := w.ask("PUT", "/api/v1/enrolments/e-2", whole.body, with(aubry, "If-Match", tag)...)
	if body := w.got(same, 200); len(body["changes"].([]any)) != 0 || same.Header.Get("ETag") != tag {
		t.Errorf("sent again: %s", same.body)
	}
	another := w.ask("POST", "/api/v1/devices/scale-2/password", "", with(weber, "If-Match", device.Header.Get("ETag"))...)
	if fresh := w.got(another, 200)["password"]; fresh == "" || fresh == password {
		t.Errorf("another password: %v", fresh)
	}
	w.wantProblem(w.ask("DELETE", "/api/v1/devices/scale-2", "", with(weber, "If-Match", another.Header.Get("ETag"))...), 409, "in-use", "inclusion")
	w.wantProblem(w.ask("DELETE", "/api/v1/enrolments/e-2", "", with(aubry, "If-Match", tag)...), 409, "loosens", "surveillé")
	ended := w.ask("DELETE", "/api/v1/enrolments/e-2?allow_loosening=prescription_end:e-2", "", with(aubry, "If-Match", tag)...)
	w.got(ended, 200)
	if e, err := w.store.Enrolment(t.Context(), "e-2"); err != nil || e.Covers(w.now) {
		t.Errorf("ended: %+v, %v", e, err)
	}
	unused := w.ask("POST", "/api/v1/devices", `{"name":"scale-3","serial":"C","kind":"scale"}`, weber...)
	w.got(unused, 201)
	w.got(w.ask("DELETE", "/api/v1/devices/scale-3", "", with(weber, "If-Match", unused.Header.Get("ETag"))...), 204)
	w.wantProblem(w.ask("GET", "/api/v1/devices/scale-3", "", weber...), 404, alerts.Unknown, "appareil")
}

func TestTheSameRequestSentTwiceAddsOne(t *testing.T) {
	w := enrolled(t)
	weber := w.colleague("weber", "Ida Weber", access.Coordinator, "team-a")
	key := with(weber, "Idempotency-Key", "7f2c")
	first := w.ask("POST", "/api/v1/patients", newPatient, key...)
	w.got(first, 201)
	again := w.ask("POST", "/api/v1/patients", newPatient, key...)
	w.got(again, 200)
	if again.Header.Get("Location") != first.Header.Get("Location") || again.Header.Get("ETag") != first.Header.Get("ETag") {
		t.Errorf("sent twice: %s and %s", first.Header.Get("Location"), again.Header.Get("Location"))
	}
	w.wantProblem(w.ask("POST", "/api/v1/patients", strings.Replace(newPatient, "ROUX", "ROUXEL", 1), key...), 409, "exists", "prise")
	w.wantProblem(w.ask("POST", "/api/v1/patients", `{"id":"p-1",`+newPatient[1:], weber...), 409, "exists", "prise")
	other := w.ask("POST", "/api/v1/patients", newPatient, with(w.colleague("roy", "Roy", access.Coordinator, "team-a"), "Idempotency-Key", "7f2c")...)
	if other.Header.Get("Location") == first.Header.Get("Location") {
		t.Error("the key of somebody else is that of theirs")
	}
	w.got(w.ask("PUT", "/api/v1/devices/scale-9", `{"serial":"C","kind":"scale"}`, with(weber, "If-None-Match", "*")...), 201)
	w.wantProblem(w.ask("PUT", "/api/v1/devices/scale-9", `{"serial":"D","kind":"scale"}`, with(weber, "If-None-Match", "*")...), 412, "changed-since", "lisez")
	w.wantProblem(w.ask("PUT", "/api/v1/devices/scale-9", `{"serial":"D","kind":"scale"}`, weber...), 428, "no-if-match", "If-Match")
}

// Errors of every kind of item are those of a file: the field, the code, the way out.
func TestAnItemIsCheckedLikeAFile(t *testing.T) {
	w := enrolled(t)
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	boss := w.colleague("admin", "Admin", access.Administrator, "team-a")
	for name, c := range map[string]struct {
		path, body string
		who        []string
		says       []string
	}{
		"a wrong INS":        {"patients", strings.Replace(newPatient, "12341", "12342", 1), aubry, []string{`"path":"identity.ins"`, `"code":"bad-ins"`, `"suggestion"`}},
		"a key that is none": {"patients", `{"identity":{"birthname":"X"}}`, aubry, []string{`"path":"identity.birthname"`, "birth_name"}},
		"a device's kind":    {"devices", `{"serial":"B"}`, aubry, []string{`"path":"kind"`, `"code":"missing"`}},
		"an unknown patient": {"enrolments", enrolmentFor("p-9", "1"), aubry, []string{`"path":"patient"`, `"code":"unknown-patient"`}},
		"an unknown device":  {"enrolments", enrolmentFor("p-1", "1"), aubry, []string{`"path":"devices[0]"`, `"code":"unknown-device"`}},
		"a team's hours":     {"teams", strings.Replace(newTeam, "16:30", "16h30", 1), boss, []string{`"path":"closes"`, "08:30"}},
	} {
		got := w.ask("POST", "/api/v1/"+c.path, c.body, c.who...)
		w.wantProblem(got, 422, "unacceptable", "")
		for _, said := range c.says {
			if !strings.Contains(got.body, said) {
				t.Errorf("%s: nothing of %s in %s", name, said, got.body)
			}
		}
	}
	w.wantProblem(w.ask("GET", "/api/v1/patients?name=x", "", aubry...), 400, "bad-parameter", "name")
}

// Settings, consent and pauses have addresses of their own, under the version of their
// enrolment.
func TestWhatStandsInAnEnrolmentIsChangedByItself(t *testing.T) {
	w := enrolled(t)
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	const at = "/api/v1/enrolments/e-1"
	change := func(method, path, body string) answer {
		_, tag := w.held(aubry)
		return w.ask(method, at+path, body, with(aubry, "If-Match", tag)...)
	}
	w.got(change("PUT", "/settings/fast-gain", `{"value":1.2,"reason":"petit gabarit"}`), 200)
	if one := w.got(w.ask("GET", at+"/settings/fast-gain", "", aubry...), 200); one["value"] != 1.2 || one["author"] != "Dr Aubry" {
		t.Errorf("the setting: %v", one)
	}
	w.wantProblem(change("DELETE", "/settings/fast-gain", ""), 409, "loosens", "")
	w.got(change("DELETE", "/settings/fast-gain?allow_loosening=settings.fast-gain:e-1", ""), 200)
	w.wantProblem(w.ask("GET", at+"/settings/fast-gain", "", aubry...), 404, alerts.Unknown, "réglage")
	w.got(change("POST", "/pauses?allow_loosening=pauses:e-1", `{"from":"2026-12-01","until":"2026-12-10","reason":"hôpital"}`), 200)
	w.got(change("POST", "/pauses?allow_loosening=pauses:e-1", `{"from":"2026-11-20","until":"2026-11-30","reason":"vacances"}`), 200)
	w.got(change("DELETE", "/pauses/2", ""), 200) // it runs: it ends now
	w.got(change("DELETE", "/pauses/1", ""), 200) // it has not begun
	w.wantProblem(change("DELETE", "/pauses/7", ""), 404, alerts.Unknown, "pause")
	if e, err := w.store.Enrolment(t.Context(), "e-1"); err != nil || len(e.Pauses) != 1 || e.Pauses[0].Reason != "vacances" || e.Pauses[0].Until.After(w.now) || e.Pauses[0].Author != "Dr Aubry" {
		t.Errorf("the pauses: %+v, %v", e.Pauses, err)
	}
	w.got(change("PATCH", "/consent?allow_loosening=consent:e-1,prescription_end:e-1", `{"withdrawn":"2026-03-07"}`), 200)
	if consent := w.ask("GET", at+"/consent", "", aubry...); !strings.Contains(consent.body, `"withdrawn"`) {
		t.Errorf("the consent: %s", consent.body)
	}
}

// A team's coordinator changes the team; an administrator adds one; nobody changes that of
// others.
func TestATeamIsManagedByItsOwn(t *testing.T) {
	w := enrolled(t)
	weber := w.colleague("weber", "Ida Weber", access.Coordinator, "team-a")
	stranger := w.colleague("roy", "Roy", access.Coordinator, "team-b")
	boss := w.colleague("boss", "Admin", access.Administrator)
	team := w.ask("GET", "/api/v1/teams/team-a", "", weber...)
	w.got(team, 200)
	w.wantProblem(w.ask("GET", "/api/v1/teams/team-a", "", stranger...), 404, alerts.Unknown, "équipe")
	w.got(w.ask("PATCH", "/api/v1/teams/team-a", `{"opens":"08:00"}`, with(weber, "If-Match", team.Header.Get("ETag"))...), 200)
	w.wantProblem(w.ask("POST", "/api/v1/teams", newTeam, weber...), 403, "not-allowed", "")
	if list := w.got(w.ask("GET", "/api/v1/teams", "", stranger...), 200); len(list["teams"].([]any)) != 0 {
		t.Errorf("the teams of others are listed: %v", list)
	}
	added := w.ask("POST", "/api/v1/teams", newTeam, boss...)
	w.got(added, 201)
	w.got(w.ask("GET", "/api/v1/teams/team-a", "", boss...), 200)
	w.got(w.ask("DELETE", "/api/v1/teams/team-c", "", with(boss, "If-Match", added.Header.Get("ETag"))...), 204)
}

// Whoever is of another team finds none of it, on any address that names a patient, a
// device, an enrolment or a team.
func TestNoRouteOfTheRegistryShowsAnotherTeams(t *testing.T) {
	w := enrolled(t)
	ids := map[string]string{"patients": "p-1", "devices": "scale-1", "enrolments": "e-1", "teams": "team-a"}
	theirs := map[access.Role][]string{}
	for _, role := range access.Roles() {
		if role.InTeams {
			theirs[role.ID] = w.colleague("other-"+string(role.ID), "Other "+string(role.ID), role.ID, "team-b")
		}
	}
	tried := 0
	for _, route := range w.space.Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		steps := strings.Split(path, "/")
		if len(steps) < 5 || ids[steps[3]] == "" || steps[4] != "{id}" {
			continue
		}
		path = strings.NewReplacer("{id}", ids[steps[3]], "{name}", "fast-gain", "{number}", "1").Replace(path)
		for role, who := range theirs {
			info, _ := role.Info()
			if !slices.Contains(info.Rights, route.Needs) {
				continue
			}
			tried++
			got := w.ask(method, path, "{}", with(who, "If-Match", `"x"`)...)
			if strings.HasSuffix(path, "/readings") && got.StatusCode == http.StatusNotFound {
				continue
			}
			w.wantProblem(got, http.StatusNotFound, alerts.Unknown, "")
			if t.Failed() {
				t.Fatalf("%s: %s %s", role, method, path)
			}
		}
	}
	for _, list := range []string{"patients", "patients?q=durand", "patients?q=277076322082910", "devices", "enrolments", "teams"} {
		for role, who := range theirs {
			if got := w.ask("GET", "/api/v1/"+list, "", who...); strings.Contains(got.body, "DURAND") || strings.Contains(got.body, "scale-1") || strings.Contains(got.body, `"e-1"`) || strings.Contains(got.body, "team-a") {
				t.Errorf("%s: %s lists %s", role, list, got.body)
			}
		}
	}
	if tried < 40 {
		t.Errorf("%d routes were tried", tried)
	}
}
