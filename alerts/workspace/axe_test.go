package workspace_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe is the text of axe-core; the test is skipped where nobody says where it is.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("VIGIE_TEST_AXE")
	if path == "" {
		t.Skip("no axe-core: deploy/test installs it, or set VIGIE_TEST_AXE to its axe.min.js")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// prefers tells pages what whoever looks at them has chosen.
func (b *browser) prefers(features ...string) {
	b.Helper()
	var list []*emulation.MediaFeature
	for i := 0; i < len(features); i += 2 {
		list = append(list, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: list})
		return err
	}))
}

// find runs axe-core on the page and lists what it finds, empty for nothing.
const find = `axe.run(document, {resultTypes: ["violations"]}).then((r) => { window.found = r.violations.map((v) =>
	v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " (" + n.any.concat(n.all, n.none).map((c) => c.message).slice(0, 1) + ")").join(" | ")).join("\n") }) && ""`

// axe is what axe-core finds on the page.
func (b *browser) axe(text string) string {
	b.Helper()
	b.eval("(() => { delete window.found; " + text + " })(), ''")
	b.eval(find)
	b.wait("axe-core", "window.found !== undefined")
	return b.eval("window.found")
}

// accessible has axe-core look at a page, in both languages, in the light and in the dark, on
// a desk and on a telephone.
func (b *browser) accessible(text, path string) {
	b.Helper()
	for _, state := range []struct {
		scheme, language string
		width            int64
	}{{"light", "fr", 1440}, {"dark", "en", 390}} {
		b.prefers("prefers-color-scheme", state.scheme)
		b.do(chromedp.EmulateViewport(state.width, 900))
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		b.open(path + join + "lang=" + state.language)
		b.eval(`document.querySelectorAll("details").forEach((d) => d.open = true)`)
		if over := b.eval(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over != "0" {
			b.Errorf("%s, all open, is %s pixels wider than %d", path, over, state.width)
		}
		if found := b.axe(text); found != "" {
			b.Errorf("%s, %s, %s, %d: %s", path, state.scheme, state.language, state.width, found)
		}
	}
}

// TestAxeFindsNothing tries every page, full and empty, in both languages, in the light
// and in the dark, on a desk and on a telephone.
func TestAxeFindsNothing(t *testing.T) {
	text := axe(t)
	tour, browsers := touring(t), map[string]*browser{}
	for _, p := range tour.stops {
		if browsers[p.by] == nil {
			browsers[p.by] = browse(tour.ward, tour.sessions[p.by])
		}
		b, path := browsers[p.by], p.path
		b.accessible(text, path)
		// 640 pixels are 1280 at 200 %. The colours of the system stand in place of ours.
		b.prefers("forced-colors", "active", "prefers-reduced-motion", "reduce")
		b.do(chromedp.EmulateViewport(640, 900))
		b.open(path)
		if got := b.eval(`(document.documentElement.scrollWidth - document.documentElement.clientWidth) + " " + document.getAnimations().length`); got != "0 0" {
			t.Errorf("%s at 200 %%: pixels too wide, things that move: %s", path, got)
		}
	}

	b := browsers["nurse"]
	b.open("/alerts/" + alertOf(tour.ward, "p-2"))
	b.eval(`document.querySelector("form.act > button:last-child").click()`)
	b.wait("the page that says what is missing", `document.getElementById("error")`)
	if found := b.axe(text); found != "" {
		t.Errorf("an act that was refused: %s", found)
	}
	b.eval(`document.body.append(document.createElement("button"))`)
	if found := b.axe(text); !strings.Contains(found, "button-name") {
		t.Errorf("axe-core does not find a button without a name: %q", found)
	}
}
