package workspace_test

import (
	"context"
	"fmt"
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

// Monday morning: a nurse deals with every patient of the list, and never needs more than
// four actions for one: open, say what came of it, close, on to the next.
func TestStoryOfAMondayMorning(t *testing.T) {
	const patients = 6
	var faces []registry.Face
	for i := range patients {
		faces = append(faces, face(fmt.Sprint("p-", i+1), fmt.Sprint("NOM", i+1), "Anne"))
	}
	w := open(t, named(faces...))
	for i := range patients {
		w.ring(fmt.Sprint("p-", i+1), "weight-fast", []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow}[i%3], time.Duration(i)*time.Minute)
	}
	b := browse(w, w.login("Lea Nurse"))
	b.open("/")
	b.ready("the list", fmt.Sprintf(`document.querySelectorAll("#desk > li").length === %d`, patients))
	actions := 0
	act := func(selector string) { b.click(selector); actions++ }
	act("#desk > li:first-child a.open")
	for dealt := 1; ; dealt++ {
		b.ready("the alert", `document.querySelector("#act form.act[action$=resolve]") !== null`)
		act(`#act input[value="patient-called"]`)
		act(`#act form.act > button:last-of-type`)
		b.ready("that it is closed", `document.getElementById("done") !== null && document.querySelector("#act form.act") === null`)
		if dealt == patients {
			break
		}
		act("nav.back a.next")
	}
	if actions > 4*patients {
		t.Errorf("%d actions for %d patients", actions, patients)
	}
	b.open("/")
	if got := b.eval(`document.querySelectorAll("#desk > li").length + " " + document.querySelector("#nothing").innerText`); !strings.HasPrefix(got, "0 ") || len(got) < 10 {
		t.Errorf("the list that is dealt with shows %q", got)
	}
	closed, err := w.store.Alerts(t.Context(), alerts.Filter{States: []alerts.State{alerts.Resolved}})
	if err != nil || len(closed) != patients {
		t.Errorf("%d are closed, %v", len(closed), err)
	}
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
