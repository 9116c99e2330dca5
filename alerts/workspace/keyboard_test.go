package workspace_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
)

// press sends keys to whatever has the focus.
func (b *browser) press(keys ...string) {
	b.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

// tabTo presses Tab until the focus is on an element, which has to be seen and to have a
// name for who does not see it.
func (b *browser) tabTo(selector string) {
	b.Helper()
	for range 120 {
		b.press(kb.Tab)
		if b.eval("document.activeElement.matches(`"+selector+"`)") != "true" {
			continue
		}
		const told = `(() => { const e = document.activeElement; const name = e.innerText || e.getAttribute("aria-label") || [...(e.labels ?? [])].map((l) => l.innerText).join(" ");
			const seen = getComputedStyle(e).outlineStyle !== "none" || e.matches(":focus-visible"); return seen + " " + name.trim() })()`
		if got := b.eval(told); !strings.HasPrefix(got, "true ") || len(got) < len("true x") {
			b.Errorf("%s has the focus: seen and named %q", selector, got)
		}
		return
	}
	b.Fatalf("Tab never reaches %s; the focus is on %s", selector, b.eval(`document.activeElement.outerHTML.slice(0, 200)`))
}

// withoutScript keeps pages from running any.
func (b *browser) withoutScript() {
	b.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// What matters is done with the keyboard alone, with a script and without one: from the list
// to an alert that is taken on and resolved, a reading that is struck out and one that is
// entered.
func TestTheKeyboardIsEnough(t *testing.T) {
	t.Run("with a script", func(t *testing.T) { worksByKeyboard(t, true) })
	t.Run("without one", func(t *testing.T) { worksByKeyboard(t, false) })
}

func worksByKeyboard(t *testing.T, script bool) {
	c := &clerk{}
	w, s, id := slated(t, func(o *workspace.Options) {
		o.Enter = c.enter
		o.Device = func(_ context.Context, name string) (*registry.Assignment, error) {
			return &registry.Assignment{Device: registry.Device{Name: name, Kind: "scale"}}, nil
		}
	})
	b := browse(w, w.login("Lea Nurse", access.Nurse))
	state := func() alerts.State {
		a, err := w.store.Alert(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return a.State
	}

	// The list, an alert, and back.
	if !script {
		b.withoutScript()
	}
	b.open("/")
	if script {
		b.press(kb.ArrowDown)
	} else {
		b.tabTo("#desk a.open")
	}
	b.press(kb.Enter)
	b.wait("the alert", `location.pathname.startsWith("/alerts/")`)
	b.tabTo(`button[formaction$="/acknowledge"]`)
	b.press(kb.Enter)
	b.wait("the act", `location.hash === "#done" && document.activeElement.id === "done"`)
	if got := state(); got != alerts.Acknowledged {
		t.Fatalf("the alert is %s", got)
	}
	b.tabTo(`input[name="outcome"]`)
	b.press(" ")
	b.tabTo(`form.act > button.primary`)
	b.press(kb.Enter)
	b.wait("the end of it", `document.querySelector("#act textarea") === null && document.activeElement.id === "done"`)
	if got := state(); got != alerts.Resolved {
		t.Fatalf("the alert is %s", got)
	}

	// A reading, by the table beside its chart.
	b.open("/patients/p-1?last=7d")
	b.tabTo(`.chart summary`)
	b.press(kb.Enter)
	b.tabTo(`.chart tbody a`)
	b.press(kb.Enter)
	b.wait("the page that strikes out", `location.pathname.endsWith("/strike")`)
	b.tabTo(`input[name="why"]`)
	b.press(" ")
	b.tabTo(`form.act button.primary`)
	b.press(kb.Enter)
	b.wait("what was done", `document.getElementById("done")`)
	if len(s.marks) != 1 {
		t.Errorf("%d readings are struck out", len(s.marks))
	}

	// A reading that the patient reads out.
	b.open("/patients/p-1/enter?measure=weight")
	b.tabTo(`input[name="value.value"]`)
	b.press("8", "1", ",", "5")
	b.tabTo(`form.entry button.primary`)
	b.press(kb.Enter)
	b.wait("the second look", `document.getElementById("unusual") || location.search === "?done=1"`)
	if len(c.asked) == 0 {
		b.tabTo(`form.entry button.primary`)
		b.press(kb.Enter)
	}
	b.wait("what was kept", `location.search === "?done=1"`)
	if len(c.asked) != 1 || !strings.Contains(string(c.asked[0].Readings[0]), "81.5") {
		t.Errorf("kept: %+v", c.asked)
	}
}
