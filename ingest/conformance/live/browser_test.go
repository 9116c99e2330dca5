package live_test

import (
	"context"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"vigie/ingest"
)

// given is what an environment says of a tool of tests; the test is skipped where it says
// nothing. deploy/test installs them.
func given(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Skip("needs " + name)
	}
	return value
}

// browse begins a browser.
func browse(t *testing.T) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(given(t, "VIGIE_TEST_CHROMIUM")), chromedp.NoSandbox)
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	return ctx
}

const violations = `axe.run(document, {resultTypes: ["violations"]}).then((r) => { window.found = r.violations.map((v) =>
	v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")).join("\n") }) && ""`

// For whoever reads it with a keyboard, a screen reader or a telephone: axe-core finds
// nothing, nothing is too wide, and what comes is shown without moving the focus.
func TestThePageOfABenchInABrowser(t *testing.T) {
	axe, err := os.ReadFile(given(t, "VIGIE_TEST_AXE"))
	if err != nil {
		t.Fatal(err)
	}
	bench, page := benchPage(t)
	server := httptest.NewServer(page.Handler())
	defer server.Close()
	ctx := browse(t)
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatal(err)
		}
	}
	eval := func(expression string) string {
		t.Helper()
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
		if err != nil {
			t.Fatalf("%s: %v", expression, err)
		}
		return text
	}
	until := func(what, expression string) {
		t.Helper()
		for begun := time.Now(); eval(expression) != "true"; time.Sleep(20 * time.Millisecond) {
			if time.Since(begun) > 30*time.Second {
				t.Fatalf("%s: %s", what, eval("document.body.innerText"))
			}
		}
	}
	finds := func() string {
		t.Helper()
		eval("(() => { delete window.found; " + string(axe) + " })(), ''")
		eval(violations)
		until("axe-core", "window.found !== undefined")
		return eval("window.found")
	}
	for _, full := range []bool{false, true} {
		if full {
			judged(bench)
		}
		for _, state := range []struct {
			language string
			width    int64
		}{{"fr", 1440}, {"en", 390}} {
			do(chromedp.EmulateViewport(state.width, 844), chromedp.Navigate(server.URL+"/?language="+state.language))
			if over := eval(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over != "0" {
				t.Errorf("%+v, full %v: %s pixels too wide", state, full, over)
			}
			if !full && state.width != 1440 {
				continue // axe-core takes a second or two
			}
			if found := finds(); found != "" {
				t.Errorf("%+v, full %v: %s", state, full, found)
			}
		}
	}
	eval(`document.body.append(document.createElement("button"))`)
	if found := finds(); !strings.Contains(found, "button-name") {
		t.Errorf("axe-core does not find a button without a name: %q", found)
	}
	do(chromedp.Navigate(server.URL))
	until("the script", `!document.getElementById("pause").hidden`)
	for range 2 {
		do(chromedp.KeyEvent(kb.Tab))
	}
	if got := eval("document.activeElement.id"); got != "pause" {
		t.Errorf("the second stop of Tab is %q", got)
	}
	bench.Message(1, ingest.Message{Topic: "vigie/v1/bench-1/readings", Payload: []byte(`{"id":"late","age":0,"measure":"weight","values":{"value":77.7},"unit":"kg"}`), Received: time.Now(), QoS: 1})
	until("the message that came since", `document.getElementById("messages").innerText.includes("77,7 kg")`)
	if got := eval("document.activeElement.id"); got != "pause" {
		t.Errorf("what came moved the focus to %q", got)
	}
	do(chromedp.KeyEvent(" "))
	if got := eval(`document.getElementById("pause").getAttribute("aria-pressed")`); got != "true" {
		t.Errorf("the space bar pauses: %s", got)
	}
}
