package workspace_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// postAs sends a form with the headers of a colleague.
func (w *ward) postAs(who []string, path string, form url.Values) answer {
	w.Helper()
	return w.ask("POST", path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, who...)...)
}

func (w *ward) pageAs(who []string, path string) string {
	w.Helper()
	got := w.ask("GET", path, "", who...)
	if got.StatusCode != http.StatusOK {
		w.Fatalf("GET %s: %s\n%s", path, got.Status, got.body)
	}
	return got.body
}

func (w *ward) enrolment(id string) *registry.Enrolment {
	w.Helper()
	e, err := w.store.Enrolment(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

var nextStep = regexp.MustCompile(`^/(patients|enrolments)/([a-z0-9-]+)`)

// A physician keeps the patient, leaves, comes back and enrols him.
func TestAPatientIsEnrolledInStepsThatAreKept(t *testing.T) {
	w := enrolled(t)
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	page := w.pageAs(aubry, "/enrol")
	w.wantText(page, "1. Le patient", "Matricule INS")
	person := url.Values{"birth_name": {"ROUX"}, "given_names": {"INES MARIE"}, "first_given_name": {"INES"}, "sex": {"F"}, "birth_date": {"1979-03-12"}, "birth_place": {"51215"},
		"ins": {"279035121518988"}, "oid": {"1.2.250.1.213.1.4.10"}}
	wrong := w.postAs(aubry, "/enrol", sentAgain(page, person))
	if w.wantText(wrong.body, "Matricule INS\u202f:", `value="ROUX"`); wrong.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a wrong key: %s", wrong.Status)
	}
	person.Set("ins", "279035121518989")
	form := sentAgain(wrong.body, person)
	kept := w.postAs(aubry, "/enrol", form)
	at := nextStep.FindStringSubmatch(kept.Header.Get("Location"))
	if kept.StatusCode != http.StatusSeeOther || at == nil {
		t.Fatalf("%s %s\n%s", kept.Status, kept.Header.Get("Location"), kept.body)
	}
	if again := w.postAs(aubry, "/enrol", form); again.Header.Get("Location") != kept.Header.Get("Location") {
		t.Errorf("sent twice: %s to %s", again.Status, again.Header.Get("Location"))
	}
	patient := at[2]

	// The second step has an address of its own, to come back to.
	page = w.pageAs(aubry, "/patients/"+patient+"/enrol")
	w.wantText(page, "ROUX", "2. L'inclusion", "Qui peut être inclus", "balance", "Cardiologie")
	protocol := regexp.MustCompile(`<option value="(heart-failure@[^"]+)"`).FindStringSubmatch(page)
	care := url.Values{"protocol": {protocol[1]}, "team": {"team-a"}, "physician": {"1000"}, "time_zone": {"Indian/Reunion"}, "from": {"2026-11-23"}, "until": {"2027-05-22"},
		"devices": {"scale-1"}, "given": {"yes"}, "consent_date": {"2026-11-20"}, "scope": {"télésurveillance"}}
	wrong = w.postAs(aubry, "/patients/"+patient+"/enrol", sentAgain(page, care))
	if w.wantText(wrong.body, "Médecin prescripteur\u202f:"); wrong.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a wrong RPPS: %s", wrong.Status)
	}
	care.Set("physician", "10001234565")
	care.Set("devices", "")
	done := w.postAs(aubry, "/patients/"+patient+"/enrol", sentAgain(wrong.body, care))
	at = nextStep.FindStringSubmatch(done.Header.Get("Location"))
	if done.StatusCode != http.StatusSeeOther || at == nil || at[1] != "enrolments" {
		t.Fatalf("%s %s\n%s", done.Status, done.Header.Get("Location"), done.body)
	}
	if e := w.enrolment(at[2]); e.Patient != patient || e.Team != "team-a" || e.Zone != "Indian/Reunion" || !e.Consent.Given || e.Physician != "10001234565" {
		t.Errorf("the registry holds %+v", e)
	}
	w.wantText(w.pageAs(aubry, done.Header.Get("Location")), "C'est enregistré", "Réglages", "entre")
	if got := w.traced(); !strings.Contains(strings.Join(got, "\n"), "Dr Aubry: act POST /patients/{id}/enrol ["+patient+"]") {
		t.Errorf("the trail holds %q", got)
	}
	nurse := w.colleague("lea", "Lea Nurse", access.Nurse, "team-a")
	if got := w.postAs(nurse, "/enrol", form); got.StatusCode != http.StatusForbidden {
		t.Errorf("a nurse enrols: %s", got.Status)
	}
}

// Each thing of an enrolment is changed by itself, under the version that was seen.
func TestAnEnrolmentIsChangedOneThingAtATime(t *testing.T) {
	w := enrolled(t)
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	nurse := w.colleague("lea", "Lea Nurse", access.Nurse, "team-a")
	stranger := w.colleague("autre", "Dr Autre", access.Physician, "team-b")
	const path = "/enrolments/e-1"
	if got := w.ask("GET", path, "", stranger...); got.StatusCode != http.StatusNotFound {
		t.Errorf("a physician of another team: %s", got.Status)
	}
	if page := w.pageAs(nurse, path); strings.Contains(page, `action="/enrolments`) {
		t.Error("a nurse is offered to change an enrolment")
	}
	seen := func() url.Values {
		return url.Values{"seen": {regexp.MustCompile(`name="seen" value="([^"]+)"`).FindStringSubmatch(w.pageAs(aubry, path))[1]}}
	}
	with := func(pairs ...string) url.Values {
		form := seen()
		for i := 0; i < len(pairs); i += 2 {
			form.Add(pairs[i], pairs[i+1])
		}
		return form
	}
	try := func(step string, form url.Values, status int, says ...string) answer {
		t.Helper()
		got := w.postAs(aubry, path+"/"+step, form)
		if got.StatusCode != status {
			t.Errorf("%s: %s, want %d\n%s", step, got.Status, status, got.body)
		}
		if len(says) > 0 {
			w.wantText(got.body, says...)
		}
		return got
	}

	w.wantText(w.pageAs(aubry, path), "petit gabarit", "Dr Aubry")
	try("setting", with("name", "fast-gain", "value", "99", "reason", "essai"), http.StatusUnprocessableEntity, "Réglages\u202f:")
	try("setting", with("name", "fast-gain", "value", `<b>`, "reason", "essai"), http.StatusBadRequest, "pas un nombre")
	stale := with("name", "fast-gain", "value", "1,2", "reason", "rétention")
	try("setting", stale, http.StatusSeeOther)
	if s := w.enrolment("e-1").Settings["fast-gain"]; s.Value.Float() != 1.2 || s.Author != "Dr Aubry" || s.Reason != "rétention" {
		t.Errorf("the setting is %+v", s)
	}
	try("setting", stale, http.StatusPreconditionFailed, "modifié depuis")

	// What watches the patient less has to be meant.
	looser := try("withdraw", seen(), http.StatusUnprocessableEntity, "moins surveillé", "C'est voulu")
	if !w.enrolment("e-1").Consent.Withdrawn.IsZero() {
		t.Error("it was done before it was meant")
	}
	try("pause", with("from", "2026-11-24", "until", "2026-11-30", "reason", "<i>hôpital"), http.StatusUnprocessableEntity, "moins surveillé")
	meant := sentAgain(regexp.MustCompile(`(?s)<form class="act warning".*?</form>`).FindString(
		try("pause", with("from", "2026-11-24", "until", "2026-11-30", "reason", "<i>hôpital"), http.StatusUnprocessableEntity).body), nil)
	try("pause", meant, http.StatusSeeOther)
	w.wantText(w.pageAs(aubry, path), "&lt;i&gt;hôpital (Dr Aubry)")
	try("resume", with("number", "7"), http.StatusNotFound, "pas de pause")
	try("resume", with("number", "1"), http.StatusSeeOther)
	if got := w.enrolment("e-1").Pauses; len(got) != 0 {
		t.Errorf("pauses %+v", got)
	}
	try("devices", with("device", "scale-1", "add", "scale-9"), http.StatusUnprocessableEntity, "Appareils\u202f:")
	try("prescription", with("until", "2027-01-04"), http.StatusSeeOther)
	try("prescription", with("until", "hier"), http.StatusUnprocessableEntity, "Fin de la prescription\u202f:")
	again := with("until", "2027-06-30")
	renewed := try("renew", again, http.StatusSeeOther).Header.Get("Location")
	if twice := try("renew", again, http.StatusSeeOther).Header.Get("Location"); twice != renewed {
		t.Errorf("sent twice, it leads to %s and %s", renewed, twice)
	}
	next := w.enrolment(nextStep.FindStringSubmatch(renewed)[2])
	if e := w.enrolment("e-1"); !next.From.Equal(e.Prescription) || next.Settings["fast-gain"] != e.Settings["fast-gain"] || len(next.Devices) != 1 {
		t.Errorf("renewed as %+v", next)
	}
	try("renew", with("until", "2020-01-01"), http.StatusUnprocessableEntity)
	try("team", with("team", "team-z"), http.StatusUnprocessableEntity, "Équipe\u202f:")
	try("marry", seen(), http.StatusNotFound)
	if got := w.postAs(nurse, path+"/prescription", with("until", "2027-01-03")); got.StatusCode != http.StatusForbidden {
		t.Errorf("a nurse renews: %s", got.Status)
	}
	if got := w.ask("POST", path+"/withdraw", seen().Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"}, aubry...)...); got.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %s", got.Status)
	}
	if looser.StatusCode == http.StatusUnprocessableEntity {
		withdraw := try("withdraw", seen(), http.StatusUnprocessableEntity)
		try("withdraw", sentAgain(regexp.MustCompile(`(?s)<form class="act warning".*?</form>`).FindString(withdraw.body), nil), http.StatusSeeOther)
	}
	if w.enrolment("e-1").Consent.Withdrawn.IsZero() {
		t.Error("the consent stands")
	}
}

// The pages fit a telephone, and axe-core finds nothing on them.
func TestTheEnrolmentPagesFit(t *testing.T) {
	w := enrolled(t)
	b := browse(w, w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")[3])
	for name, path := range map[string]string{"enrol": "/enrol", "enrol-2": "/patients/p-1/enrol", "enrolment": "/enrolments/e-1"} {
		for _, width := range []int64{1440, 390, 320} {
			b.do(chromedp.EmulateViewport(width, 900))
			b.open(path)
			if over := b.eval(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over != "0" {
				t.Errorf("%s is %s pixels wider than %d; the widest: %s", path, over, width,
					b.eval(`[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth).map((e) => e.tagName + "." + e.name + "." + e.className).slice(0, 5).join(" ")`))
			}
			b.picture(name, width)
		}
		if os.Getenv("VIGIE_TEST_AXE") == "" {
			continue
		}
		text := axe(t)
		for _, state := range []string{"light fr", "dark en"} {
			scheme, language, _ := strings.Cut(state, " ")
			b.prefers("prefers-color-scheme", scheme)
			b.open(path + "?lang=" + language)
			b.eval(`document.querySelectorAll("details").forEach((d) => d.open = true)`)
			if found := b.axe(text); found != "" {
				t.Errorf("%s, %s: %s", path, state, found)
			}
		}
		b.open(path + "?lang=fr")
	}
}

// pictured reports whether somebody wants pictures of the pages.
func pictured() bool { return os.Getenv("VIGIE_PICTURES") != "" }

// picture writes the whole page into the folder that VIGIE_PICTURES names.
func (b *browser) picture(name string, width int64) {
	b.Helper()
	if !pictured() {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(os.Getenv("VIGIE_PICTURES"), fmt.Sprintf("%s-%d.png", name, width)), picture, 0o644)
	}
	if err != nil {
		b.Fatal(err)
	}
}
