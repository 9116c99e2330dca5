package workspace_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// click clicks on what a selector finds, as somebody does who sees it.
func (b *browser) click(selector string) {
	b.Helper()
	if got := b.eval("(() => { const e = document.querySelector(`" + selector + "`); if (!e || !e.getClientRects().length) return 'nothing to click'; e.click(); return '' })()"); got != "" {
		b.Fatalf("%s: %s\n%s", selector, got, b.eval("document.body.innerText"))
	}
}

// ready waits until a page has come whole and an expression is true of it: one on its way
// has the new address, and neither what is awaited nor what has to be gone.
func (b *browser) ready(what, expression string) {
	b.Helper()
	b.wait(what, `document.readyState === "complete" && (`+expression+`)`)
}

// actor counts what somebody does in a browser.
type actor struct {
	*browser
	actions int
}

// do clicks, and counts it as one action.
func (a *actor) act(selector string) {
	a.Helper()
	a.click(selector)
	a.actions++
}

// Monday morning: a nurse deals with the 36 patients of the list, and never needs more than
// four actions for one: open, say what came of it, close, on to the next.
func TestStoryOfAMondayMorning(t *testing.T) {
	const patients = 36
	var faces []registry.Face
	for i := range patients {
		faces = append(faces, face(fmt.Sprint("p-", i+1), fmt.Sprint("NOM", i+1), "Anne"))
	}
	w := open(t, named(faces...))
	for i := range patients {
		w.ring(fmt.Sprint("p-", i+1), "weight-fast", []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow}[i%3], time.Duration(i)*time.Minute)
	}
	b := &actor{browser: browse(w, w.login("Lea Nurse"))}
	began := time.Now()
	b.open("/")
	b.ready("the list", fmt.Sprintf(`document.querySelectorAll("#desk > li").length === %d`, patients))
	b.act("#desk > li:first-child a.open")
	for dealt := 1; ; dealt++ {
		b.ready("the alert", `document.querySelector("#act form.act[action$=resolve]") !== null`)
		b.act(`#act input[value="patient-called"]`)
		b.act(`#act form.act > button:last-of-type`)
		b.ready("that it is closed", `document.getElementById("done") !== null && document.querySelector("#act form.act") === null`)
		if dealt == patients {
			break
		}
		b.act("nav.back a.next")
	}
	t.Logf("%d patients: %d actions, %.1f s of a browser that does not think", patients, b.actions, time.Since(began).Seconds())
	if b.actions > 4*patients {
		t.Errorf("%d actions for %d patients", b.actions, patients)
	}
	b.open("/")
	if got := b.eval(`document.querySelectorAll("#desk > li").length + " " + document.querySelector("#nothing").innerText`); !strings.HasPrefix(got, "0 ") || len(got) < 10 {
		t.Errorf("the list that is dealt with shows %q", got)
	}
	closed, err := w.store.Alerts(t.Context(), alerts.Filter{States: []alerts.State{alerts.Resolved}, Limit: patients + 1})
	if err != nil || len(closed) != patients {
		t.Errorf("%d are closed, %v", len(closed), err)
	}
}

// Night call: the doctor on call opens the link of the mail on a telephone, logs in where
// the browser is known, calls, and says what came of it: four actions from mail to outcome,
// in either language.
func TestStoryOfANightCall(t *testing.T) {
	first := face("p-1", "ROUX", "Inès")
	first.Contact = &registry.Contact{Phone: "0692 00 00 01"}
	w := open(t, named(first))
	w.now = storetest.Morning.Add(-4 * time.Hour)
	doctor := w.login("Dr Caron", access.Physician)
	b := browse(w, doctor)
	b.do(chromedp.EmulateViewport(390, 844))
	for _, call := range []struct {
		rule, language string
		says           []string
	}{
		{"spo2-low", "fr", []string{"Réponse attendue", "Prendre en charge", "Clore avec", "Note"}},
		{"weight-fast", "en", []string{"Answer expected", "Acknowledge", "Resolve with", "Note"}},
	} {
		w.ring("p-1", call.rule, protocols.Red, 0)
		w.nightCall(t, &actor{browser: b}, call.language, call.says)
	}
}

func (w *ward) nightCall(t *testing.T, b *actor, language string, says []string) {
	open, err := w.store.Alerts(t.Context(), alerts.Filter{States: []alerts.State{alerts.Open}})
	if err != nil || len(open) != 1 {
		t.Fatalf("%d alerts, %v", len(open), err)
	}
	mail := "/alerts/" + open[0].ID
	b.open(mail + "?lang=" + language)
	b.actions++ // the link of the mail
	b.ready("the alert", `document.querySelector("#act form.act") !== null`)
	if got := b.eval(`document.documentElement.lang`); got != language {
		t.Errorf("the page is in %q, want %q", got, language)
	}
	text := b.eval(`document.body.innerText`)
	for _, word := range says {
		if !strings.Contains(text, word) {
			t.Errorf("%s: the page does not say %q", language, word)
		}
	}
	for what, seen := range map[string]string{
		"nothing lies sideways":                     `document.documentElement.scrollWidth <= document.documentElement.clientWidth`,
		"name and number stand on the first screen": `document.querySelector("a[href^='tel:']").getBoundingClientRect().bottom < 844`,
		"a thumb meets each answer":                 `[...document.querySelectorAll("#act .outcomes label, #act button")].filter((e) => e.checkVisibility()).every((e) => e.getBoundingClientRect().height >= 24)`, // WCAG 2.2, 2.5.8
	} {
		if b.eval(seen) != "true" {
			t.Errorf("%s: it is not true that %s", language, what)
		}
	}
	if got := b.eval(`document.querySelector("a[href^='tel:']").href`); got != "tel:0692000001" {
		t.Errorf("the telephone dials %q", got)
	}
	b.actions++ // the number
	b.act(`#act input[value="patient-called"]`)
	b.act(`#act form.act > button:last-of-type`)
	b.ready("that it is closed", `document.getElementById("done") !== null && document.querySelector("#act form.act") === null`)
	if b.actions > 4 {
		t.Errorf("%d actions from the mail to the outcome", b.actions)
	}
	if got, err := w.store.Alert(t.Context(), strings.TrimPrefix(mail, "/alerts/")); err != nil || got.State != alerts.Resolved || got.ResolvedBy != "Dr Caron" {
		t.Errorf("the alert is %+v, %v", got, err)
	}
}

// Two nurses at once: the second, whose page still offers what the first has just taken,
// is told who has it, and loses nothing of what she has typed.
func TestStoryOfTwoNursesAtOnce(t *testing.T) {
	w := crowd(t)
	b := browse(w, w.login("Lea Nurse"))
	alert := "/alerts/" + alertOf(w, "p-1")
	b.open(alert)
	b.ready("the alert", `document.getElementById("note") !== null`)
	b.eval(`(() => { const note = document.getElementById("note"); note.value = "essoufflée depuis hier"; note.dispatchEvent(new Event("input", { bubbles: true })) })()`)
	w.post(alert+"/resolve", w.login("Tom Nurse"), url.Values{"outcome": {"patient-called"}, "note": {"tout va bien"}, "level": {"red"}, "active": {"true"}})
	b.ready("what he did, live", `document.querySelector("#history").innerText.includes("Tom Nurse")`)
	b.click(`#act input[value="patient-called"]`)
	b.click(`#act form.act > button:last-of-type`)
	b.ready("that he was first", `document.querySelector(".warning") !== null && document.querySelector("#act").innerText.includes("Tom Nurse")`)
	if got := b.eval(`document.querySelector(".warning textarea")?.value`); got != "essoufflée depuis hier" {
		t.Errorf("of what she has typed is left %q:\n%s", got, b.eval(`document.querySelector("main").innerText`))
	}
	b.open("/")
	b.ready("the list without him", `document.querySelectorAll("#desk > li").length === 2`)
	if got, err := w.store.Alert(t.Context(), strings.TrimPrefix(alert, "/alerts/")); err != nil || got.ResolvedBy != "Tom Nurse" {
		t.Errorf("closed by %v, %v", got, err)
	}
}

// On holiday: a coordinator pauses a patient for a week from the enrolment; his record says
// until when and why, and the pause ends earlier when he comes back.
func TestStoryOfAHoliday(t *testing.T) {
	w := enrolled(t)
	b := browse(w, w.login("Cora", access.Coordinator))
	b.open("/patients/p-1")
	b.click(`.care a[href="/enrolments/e-1"]`)
	b.ready("the form of a pause", `document.querySelector("form[action$='/pause']") !== null`)
	from, until := w.now.AddDate(0, 0, -1).Format(time.DateOnly), w.now.AddDate(0, 0, 6).Format(time.DateOnly)
	b.eval(`(() => { const f = document.querySelector("form[action$='/pause']"); f.elements.from.value = "` + from + `"; f.elements.until.value = "` + until + `"; f.elements.reason.value = "vacances, balance à la maison" })()`)
	b.click("form[action$='/pause'] button")
	b.ready("the next page", `document.querySelector("#done, form.act.warning") !== null`)
	if b.eval(`document.querySelector("form.act.warning") !== null`) == "true" {
		b.click("form.act.warning button") // he is watched less, and that is meant
	}
	b.ready("that it is kept", `document.getElementById("done") !== null`)
	b.open("/patients/p-1")
	if got := b.eval(`document.querySelector(".care .paused")?.innerText`); !strings.Contains(got, "vacances") || !strings.Contains(got, "Cora") {
		t.Errorf("his record says of the pause %q", got)
	}
}

// Break the glass: a doctor of another team is told nothing of a patient, opens the record
// for a reason, and the patient's own team reads who did it and why.
func TestStoryOfABrokenGlass(t *testing.T) {
	w := open(t, named(face("p-1", "ROUX", "Inès")), func(o *workspace.Options) {
		o.TeamsOf = func(context.Context, string) ([]string, error) { return []string{"team-a"}, nil }
	})
	w.ring("p-1", "spo2-low", protocols.Red, 0)
	b := browse(w, w.member("max", "Max Payet", "team-b"))
	b.open("/patients/p-1")
	if got := b.eval(`document.body.innerText.includes("ROUX")`); got != "false" {
		t.Fatal("the record is open before")
	}
	b.open("/account")
	b.click(`a[href="/glass"]`)
	b.ready("the form", `document.querySelector("form[action='/glass']") !== null`)
	b.eval(`(() => { document.querySelector("[name=patient]").value = "p-1"; document.querySelector("[name=reason]").value = "appel de sa fille, équipe fermée" })()`)
	b.click("form[action='/glass'] button")
	b.ready("his alerts", `location.pathname === "/alerts" && document.querySelector("a[href*='/alerts/']") !== null`)
	b.open("/patients/p-1")
	b.ready("his record", `document.querySelector("h1").innerText.includes("ROUX")`)
	team := w.member("lea", "Léa Morel", "team-a")
	w.wantText(w.page("/", team), "Une autre équipe a ouvert le dossier")
	w.wantText(w.page("/glass", team), "Max Payet", "appel de sa fille")
}

// Hand-over at 18:00: what the nurse has in hand goes to a colleague in one form.
func TestStoryOfAHandOver(t *testing.T) {
	w := crowd(t)
	morning, evening := w.login("Lea Nurse"), w.login("Tom Nurse")
	for _, patient := range []string{"p-1", "p-2"} {
		w.post("/alerts/"+alertOf(w, patient)+"/acknowledge", morning, nil)
	}
	b := browse(w, morning)
	b.open("/?tab=mine")
	if got := b.eval(`document.querySelectorAll("#desk > li").length`); got != "2" {
		t.Fatalf("in hand are %s", got)
	}
	b.eval(`(() => { document.querySelector(".handover select").value = "Tom Nurse"; document.querySelector(".handover input[name=note]").value = "à rappeler ce soir" })()`)
	b.click(".handover button")
	b.ready("both with the colleague", `location.search.includes("tab=taken") && document.querySelectorAll("#desk > li").length === 2 && [...document.querySelectorAll("#desk .holder")].every((e) => e.innerText.startsWith("Tom Nurse"))`)
	w.wantText(w.page("/?tab=mine", evening), "ROUX", "VIDAL")
}

// A device is swapped: from the page of devices to the enrolment, where the former one is
// taken off and the new one put on. The battery that was low is nobody's any more.
func TestStoryOfADeviceSwap(t *testing.T) {
	w := enrolled(t, func(o *workspace.Options) {
		o.Statuses = func(_ context.Context, names []string) (list []ingest.DeviceStatus, _ error) {
			for _, name := range names {
				if name == "scale-1" {
					list = append(list, ingest.DeviceStatus{Device: name, Battery: 4, At: o.Now(), LowSince: storetest.Morning})
				}
			}
			return list, nil
		}
		o.Device = func(ctx context.Context, name string) (*registry.Assignment, error) {
			return o.Roll.(interface {
				Device(context.Context, string) (*registry.Assignment, error)
			}).Device(ctx, name)
		}
	})
	second := registry.Registry{Devices: []registry.Device{{Name: "scale-2", Serial: "A2", Kind: "scale", Brand: "B", Model: "M", Password: "a-long-enough-password"}}}
	if _, err := w.store.Import(t.Context(), &second, "Op", w.now); err != nil {
		t.Fatal(err)
	}
	b := browse(w, w.login("Cora", access.Coordinator))
	b.do(chromedp.EmulateViewport(390, 844))
	b.open("/devices")
	if got := b.eval(`document.querySelector(".fleet").innerText`); !strings.Contains(got, "Batterie faible") || !strings.Contains(got, "DURAND") {
		t.Fatalf("the page shows %q", got)
	}
	b.click(".fleet .go a")
	b.ready("the devices of the patient", `document.querySelector("form.act[action$='/devices']") !== null`)
	b.eval(`(() => { document.querySelector("input[name=device][value='scale-1']").click(); document.getElementById("d-add").value = "scale-2" })()`)
	b.click("form.act[action$='/devices'] button")
	b.ready("the question whether it is meant", `document.querySelector("form.act.warning") !== null`)
	b.click("form.act.warning button")
	b.ready("that it is kept", `document.getElementById("done") !== null`)
	if e := w.enrolment("e-1"); strings.Join(e.Devices, " ") != "scale-2" {
		t.Errorf("the patient has %v", e.Devices)
	}
	b.open("/devices?show=all")
	if got := b.eval(`document.querySelector(".fleet").innerText`); !strings.Contains(got, "scale-2") || strings.Contains(got, "Batterie faible") {
		t.Errorf("after the swap the page shows %q", got)
	}
}

// A threshold that rings for nothing is changed: the physician sees what it would have
// changed, gives the reason, and means that the watch is loosened.
func TestStoryOfAThresholdThatRangForNothing(t *testing.T) {
	w, _ := foreseen(t)
	b := browse(w, w.login("Dr Aubry", access.Physician))
	b.open("/enrolments/e-1")
	b.eval(`(() => { document.getElementById("setting").value = "fast-gain"; document.getElementById("value").value = "2,5" })()`)
	b.click("form[method=get][action*='/enrolments/'] button")
	b.ready("what it would have changed", `document.getElementById("preview")?.innerText.includes("au lieu de 2")`)
	b.eval(`document.getElementById("why").value = "sonne pour un repas salé"`)
	b.click("#preview button.primary")
	b.ready("the next page", `document.querySelector("#done, form.act.warning") !== null`)
	if b.eval(`document.querySelector("form.act.warning") !== null`) == "true" {
		b.click("form.act.warning button")
	}
	b.ready("that it is kept", `document.getElementById("done") !== null`)
	if s := w.enrolment("e-1").Settings["fast-gain"]; s.Value != 2500 || s.Reason != "sonne pour un repas salé" {
		t.Errorf("kept is %+v", s)
	}
}

// A week of the rota: whoever runs the team gives the nights to two people in turns, on a
// telephone, sees the week as it is then, and takes it back. Without a script as with one.
func TestStoryOfARota(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late))
	b := browse(w, w.login("Cora", access.Coordinator))
	b.do(chromedp.EmulateViewport(390, 844))
	b.open("/team")
	for _, what := range []string{"with a script", "without one"} {
		const night = ".shift:has([name=shift][value='1'])"
		b.eval(`document.querySelector("` + night + `").closest("details").querySelector("summary").click()`)
		b.eval(`(() => { const f = document.querySelector("` + night + `"), turns = f.querySelectorAll("[name=turn]"); turns[0].value = "caron"; turns[1].value = "serre"; f.elements.start.value = "2026-11-16" })()`)
		b.click(night + " button.primary")
		b.ready("that it is kept", `document.querySelector("main").innerText.includes("depuis celle du 16 nov.")`)
		if got := b.eval(`document.querySelector(".week .today").innerText`); !strings.Contains(got, "Dr Serre") || !strings.Contains(got, "18:00 – 24:00") {
			t.Errorf("%s: in the second week the page shows %q", what, got)
		}
		b.fits("the page of the team")
		b.click("#said button")
		b.ready("that it is taken back", `document.querySelector("#said button") !== null && !document.querySelector("main").innerText.includes("depuis celle du")`)
		b.withoutScript()
	}
}

// fits holds the page to the width of the screen.
func (b *browser) fits(what string) {
	b.Helper()
	if over := b.eval(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over != "0" {
		b.Errorf("%s is %s pixels too wide", what, over)
	}
}

// A scale at home that weighed two patients wrongly is struck out for both, from the page of
// devices: the page says first of whom and what would change. On a telephone, without a
// script, it is taken back.
func TestStoryOfAScaleThatWeighedWrongly(t *testing.T) {
	first := face("p-1", "ROUX", "Inès")
	first.Followed[0].Devices = []string{"scale-1"}
	w, s := wideWard(t, named(first, face("p-2", "VIDAL", "Paul")), withScales)
	w.raise("weight-fast", protocols.Orange)
	b := browse(w, w.login("Lea Nurse", access.Nurse))
	b.open("/devices?show=all")
	b.click(`.fleet a[href="/devices/scale-1/strike"]`)
	b.ready("the question from when to when", `document.querySelector("form.interval [name=from]") !== null`)
	b.eval(`(() => { const f = document.querySelector("form.interval"); f.elements.from.value = "2026-11-23T00:00"; f.elements.to.value = "2026-11-23T23:59" })()`)
	b.click("form.interval button")
	b.ready("what would change", `document.querySelector("form.act") !== null`)
	w.wantText(b.eval(`document.querySelector("main").innerText`), "ROUX Inès", "VIDAL Paul", "serait close", "1 autre patient est suivi par une autre équipe")
	if s.struck() != 0 {
		t.Fatal("looking strikes out")
	}
	b.click(`form.act input[value="device"]`)
	b.click("form.act button.primary")
	b.ready("that it is done", `document.getElementById("done") !== null`)
	if s.struck() != 2 || s.readings[2].Struck {
		t.Fatalf("%d are struck out, of another team's patient %v", s.struck(), s.readings[2].Struck)
	}

	b.do(chromedp.EmulateViewport(390, 844))
	b.withoutScript()
	b.open("/devices/scale-1/strike")
	b.click(`a[href*="undo=1"]`)
	b.ready("the way back", `document.querySelector('form.act input[value="mistaken"]') !== null`)
	b.fits("the page that asks")
	b.click(`form.act input[value="mistaken"]`)
	b.click("form.act button.primary")
	b.ready("that it is taken back", `document.getElementById("done") !== null`)
	b.fits("the page that says what was done")
	if s.struck() != 0 {
		t.Errorf("taken back, %d are still struck out", s.struck())
	}
}

// withScales has a page of devices, all of them scales that work.
func withScales(o *workspace.Options) {
	o.Device = func(_ context.Context, name string) (*registry.Assignment, error) {
		return &registry.Assignment{Device: registry.Device{Name: name, Kind: "scale", Brand: "B", Model: "M"}}, nil
	}
	o.Statuses = func(context.Context, []string) ([]ingest.DeviceStatus, error) { return nil, nil }
}
