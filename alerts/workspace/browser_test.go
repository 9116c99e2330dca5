package workspace_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"vigie/alerts"
	"vigie/alerts/workspace"
	"vigie/protocols"
)

// browser is Chromium at a ward, logged in.
type browser struct {
	*ward
	ctx context.Context
}

// chromium is where the browser is; the test is skipped where there is none and nobody
// says where one should be.
func chromium(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("VIGIE_TEST_CHROMIUM"); path != "" {
		return path
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no Chromium: deploy/test installs it, or set VIGIE_TEST_CHROMIUM")
	}
	return path
}

func browse(w *ward, session string) *browser {
	w.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(chromium(w.TB)), chromedp.NoSandbox, chromedp.WindowSize(1440, 900), chromedp.Flag("accept-lang", "fr"))
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	w.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocated)
	w.Cleanup(cancel)
	b := &browser{w, ctx}
	name, value, _ := strings.Cut(session, "=")
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: w.server.URL})
		return err
	}))
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatalf("in the browser: %v", err)
	}
}

func (b *browser) open(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.server.URL + path))
}

// eval returns what an expression gives, as text.
func (b *browser) eval(expression string) string {
	b.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return text
}

// wait until an expression is true, be it on another page than now.
func (b *browser) wait(what, expression string) {
	b.Helper()
	var last error
	for range 1500 {
		so, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && so {
			return
		}
		last = err
		time.Sleep(20 * time.Millisecond)
	}
	b.Fatalf("%s: %v\n%s", what, last, b.eval("document.body.innerText"))
}

// pointAt moves the pointer onto an element.
func (b *browser) pointAt(selector string) {
	b.Helper()
	place := b.eval("(() => { const r = document.querySelector(`" + selector + "`).getBoundingClientRect(); return (r.x + 5) + ' ' + (r.y + r.height / 2) })()")
	var x, y float64
	if _, err := fmt.Sscan(place, &x, &y); err != nil {
		b.Fatal(err)
	}
	b.do(chromedp.MouseEvent("mouseMoved", x, y))
}

// handMoves keeps the hand moving a little, however slow the machine is.
const handMoves = `setInterval(() => document.getElementById("desk").dispatchEvent(new Event("pointermove")), 1000)`

const connected = `document.getElementById("live")?.dataset.state === "on"`

func alertOf(w *ward, patient string) string {
	w.Helper()
	list, err := w.store.Alerts(w.Context(), alerts.Filter{Patient: patient})
	if err != nil || len(list) != 1 {
		w.Fatalf("%d alerts, %v", len(list), err)
	}
	return list[0].ID
}

func crowd(t *testing.T, change ...func(*workspace.Options)) *ward {
	var counted lateFigures
	first := face("p-1", "ROUX", "Inès")
	first.Followed[0].Devices = []string{"sensor-1", "scale-1", "pen-3"}
	usual := []func(*workspace.Options){
		named(first, face("p-2", "VIDAL", "Paul"), face("p-3", "FABRE", "Anna"), face("p-4", "BERTIN", "Hugo")),
		func(o *workspace.Options) { o.Streams, o.Figures = 20, &counted },
	}
	w := open(t, append(usual, change...)...)
	counted.Store = w.store
	w.ring("p-1", "spo2-low", protocols.Red, 0)
	w.ring("p-2", "weight-fast", protocols.Orange, 0)
	w.ring("p-3", "weight-slow", protocols.Yellow, 0)
	return w
}

// Nothing moves under the pointer: a click opens the patient that was aimed at.
func TestAClickNeverMeetsAnotherPatient(t *testing.T) {
	w := crowd(t)
	b := browse(w, w.login("Lea Nurse"))
	b.open("/")
	b.wait("the stream", connected)
	b.eval(handMoves)
	aimed := `#p\\.p-2 a.open`
	b.pointAt(aimed)
	where := b.eval("JSON.stringify(document.querySelector(`" + aimed + "`).getBoundingClientRect())")

	if err := alerts.Resolve(t.Context(), w.store, alertOf(w, "p-1"), "B", "patient-called", "", w.now); err != nil {
		t.Fatal(err)
	}
	w.ring("p-4", "spo2-low", protocols.Red, time.Minute)
	b.wait("the button with what is new", `!document.getElementById("arrivals").hidden`)
	if got := b.eval(`document.querySelector("#arrivals button").textContent`); got != "1 nouvelle" {
		t.Errorf("the button says %q", got)
	}
	if got := b.eval(`document.querySelector("#urgent").hidden + " " + document.querySelector("#urgent").textContent`); !strings.HasPrefix(got, "false ") || !strings.Contains(got, "BERTIN Hugo") {
		t.Errorf("a new red is announced by %q", got)
	}
	if got := b.eval("JSON.stringify(document.querySelector(`" + aimed + "`).getBoundingClientRect())"); got != where {
		t.Errorf("the row went from %s to %s", where, got)
	}
	if got := b.eval(`[...document.querySelectorAll("#desk > li")].map((row) => row.id).join(" ")`); got != "p.p-1 p.p-2 p.p-3" {
		t.Errorf("the rows are %s", got)
	}
	if got := b.eval("document.querySelector(`#p\\\\.p-1`).innerText"); !strings.Contains(got, "n'est plus dans cette liste") {
		t.Errorf("what is gone says %q", got)
	}

	b.eval(`document.querySelector("#arrivals button").click()`)
	if got := b.eval(`[...document.querySelectorAll("#desk > li")].map((row) => row.id).join(" ")`); got != "p.p-4 p.p-2 p.p-3" {
		t.Errorf("when asked for, the rows are %s", got)
	}
	if got := b.eval(`document.activeElement.closest("li")?.id`); got != "p.p-4" {
		t.Errorf("the focus is on %q", got)
	}
}

// Who works with the keyboard keeps the place as well.
func TestTheFocusStaysWithItsPatient(t *testing.T) {
	w := crowd(t)
	b := browse(w, w.login("Lea Nurse"))
	b.open("/")
	b.wait("the stream", connected)
	b.eval(handMoves)
	b.eval(`document.querySelector("#desk a.open").focus()`)
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	if got := b.eval(`document.activeElement.innerText`); got != "VIDAL Paul" {
		t.Errorf("↓ leads to %q", got)
	}
	w.ring("p-4", "spo2-low", protocols.Red, time.Minute)
	b.wait("the button with what is new", `!document.getElementById("arrivals").hidden`)
	b.eval(`document.activeElement.blur()`)
	b.wait("the new row, once the hand is gone", `document.querySelectorAll("#desk > li").length === 4`)
}

// Who opens one page more than may follow the stream has the page, which looks again by
// itself.
func TestOnePageMoreThanMayBeLiveLooksAgain(t *testing.T) {
	w := crowd(t)
	lines := make([]func(), 0, 20)
	for range 20 {
		_, stop := w.listen()
		lines = append(lines, stop)
	}
	defer func() {
		for _, stop := range lines {
			stop()
		}
	}()
	b := browse(w, w.login("Lea Nurse"))
	b.open("/")
	b.wait("the page that looks again", `document.getElementById("live")?.dataset.state === "poll"`)
	if got := b.eval(`document.getElementById("live").innerText + " " + document.querySelectorAll("#desk > li").length`); got != "Actualisation toutes les 30 s 3" {
		t.Errorf("the page says %q", got)
	}
}

// On a telephone the first alert stands high on the screen, and nothing has to be moved
// sideways.
func TestTheFirstAlertIsHighOnATelephone(t *testing.T) {
	w := crowd(t)
	b := browse(w, w.login("Lea Nurse"))
	for _, width := range []int64{390, 320} { // 320 is 1280 at 400 %
		b.do(chromedp.EmulateViewport(width, 844))
		b.open("/")
		if got := b.eval(`document.querySelector("#desk > li").getBoundingClientRect().top < (innerWidth < 390 ? 460 : 390) && document.documentElement.scrollWidth <= document.documentElement.clientWidth`); got != "true" {
			t.Errorf("at %d pixels the first alert starts at %s, and the page is %s wide", width, b.eval(`document.querySelector("#desk > li").getBoundingClientRect().top`), b.eval(`document.documentElement.scrollWidth`))
		}
	}
}

// What somebody has typed outlives a page that is left, and the next key after an act
// goes on where the act was done.
func TestANoteIsKeptUntilItIsSent(t *testing.T) {
	w := crowd(t)
	b := browse(w, w.login("Lea Nurse"))
	path := "/alerts/" + alertOf(w, "p-1")
	b.open(path + "?from=%2F%3Flevel%3Dred")
	b.eval(`(() => { const note = document.getElementById("note"); note.value = "Appelée, ne répond pas"; note.dispatchEvent(new Event("input", { bubbles: true })) })()`)
	b.open("/")
	b.open(path + "?from=%2F%3Flevel%3Dred")
	if got := b.eval(`document.getElementById("note").value`); got != "Appelée, ne répond pas" {
		t.Errorf("the note is %q", got)
	}
	b.eval(`document.querySelector("button[formaction$=acknowledge]").click()`)
	b.wait("the act", `location.hash === "#done" && document.activeElement.id === "done"`)
	if got := b.eval(`document.getElementById("note").value`); got != "" {
		t.Errorf("once it is sent, the note is %q", got)
	}
	if got := b.eval(`document.querySelector(".note").innerText + " " + document.querySelector("nav.back a").getAttribute("href")`); got != "Appelée, ne répond pas /?level=red" {
		t.Errorf("the page shows %q", got)
	}
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := b.eval(`document.activeElement.closest("#act") !== null`); got != "true" {
		t.Errorf("the next Tab leads to %s", b.eval(`document.activeElement.outerHTML`))
	}
	b.eval(`document.querySelector("nav.back a.next").click()`)
	b.wait("the next patient", `document.querySelector(".banner strong")?.innerText === "VIDAL Paul"`)
}
