package workspace_test

import (
	"context"
	"encoding/json"
	"image"
	_ "image/png"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/channels/push"
	"vigie/alerts/workspace"
	"vigie/protocols"
)

const vapid = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"

func pushed(o *workspace.Options) { o.PushKey = vapid }

// deviceOf is a subscription at an endpoint, with keys that a browser may have.
func deviceOf(endpoint string) string {
	_, keys, _ := strings.Cut(push.Kind.Example, "#")
	return endpoint + "#" + keys
}

// Whoever stands in a rota subscribes a device and takes it off again. It is one more way
// to reach them: their mail stays, and nobody else's contacts change.
func TestWhoIsOnDutySubscribesADevice(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late), pushed)
	caron, nurse := w.login("Dr Caron"), w.login("Lea Nurse")
	w.wantText(w.page("/account", caron), "Aucun appareil ne reçoit de notification", `data-key="`+vapid+`"`, "Cardiologie, Saint-Denis")
	w.wantText(w.page("/account", nurse), "Vous n&#39;êtes dans aucun tour de garde")

	telephone := deviceOf("https://updates.push.services.mozilla.com/wpush/v2/abc")
	if got := w.post("/account/device", nurse, url.Values{"address": {telephone}}); got.StatusCode != http.StatusForbidden {
		t.Errorf("a nurse who is in no rota: %s", got.Status)
	}
	for range 2 { // sent twice, it is one
		if got := w.post("/account/device", caron, url.Values{"address": {telephone}}); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/account?said=subscribed#push" {
			t.Fatalf("%s %s", got.Status, got.Header.Get("Location"))
		}
	}
	team, err := late.Team(t.Context(), "team-a")
	if err != nil {
		t.Fatal(err)
	}
	contacts := team.Rota.People[0].Reached()
	if !slices.Equal(contacts[alerts.Push], []string{telephone}) || !slices.Equal(contacts[alerts.Mail], []string{"caron@example.org"}) || len(team.Rota.People[1].Contacts) > 0 {
		t.Fatalf("the rota is %+v", team.Rota.People)
	}
	page := w.page("/account?said=subscribed", caron)
	w.wantText(page, "Cet appareil recevra les alertes", "<b>Firefox ")
	if strings.Contains(page, "wpush") || strings.Contains(w.page("/team", nurse), "wpush") {
		t.Error("a page shows with what a message could be sent")
	}

	for name, form := range map[string]url.Values{
		"in the clear": {"address": {deviceOf("http://push.example/x")}}, "a mail address": {"address": {"x@example.org"}}, "without keys": {"address": {"https://push.example/x"}},
	} {
		got := w.post("/account/device", caron, form)
		if got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s", name, got.Status)
		}
	}
	for _, other := range []string{"2", "3", "4", "5"} {
		if got := w.post("/account/device", caron, url.Values{"address": {deviceOf("https://push.example/" + other)}}); got.StatusCode != http.StatusSeeOther {
			t.Fatal(got.Status)
		}
	}
	if got := w.post("/account/device", caron, url.Values{"address": {deviceOf("https://push.example/6")}}); got.StatusCode == http.StatusSeeOther {
		t.Error("a sixth device is taken")
	}
	digest := regexp.MustCompile(`data-subscribed="([^"]+)"><b>Firefox`).FindStringSubmatch(page)
	if got := w.post("/account/device", caron, url.Values{"drop": {digest[1]}}); got.Header.Get("Location") != "/account?said=dropped#push" {
		t.Errorf("%s %s", got.Status, got.Header.Get("Location"))
	}
	if team, err = late.Team(t.Context(), "team-a"); err != nil || slices.Contains(team.Of(alerts.Push), telephone) || len(team.Of(alerts.Push)) != 4 {
		t.Errorf("the devices are %v, %v", team.Of(alerts.Push), err)
	}
	if got := w.ask("POST", "/account/device", "", "Cookie", caron, "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site", "Authorization", ""); got.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %s", got.Status)
	}
}

// Without push messages nobody is offered them.
func TestNobodyIsOfferedPushMessagesThatAreClosed(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late))
	if page := w.page("/account", w.login("Dr Caron")); strings.Contains(page, "Alertes sur cet appareil") {
		t.Error("the page offers what is closed")
	}
	if got := w.ask("GET", "/push-worker.js", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("the worker: %s", got.Status)
	}
}

// A browser registers the worker under the strict policy, and subscribes with the key of the
// service. The push service of the browser itself cannot be reached from a test: its answer
// is given in its place.
func TestABrowserSubscribesWithTheKeyOfTheService(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late), pushed)
	b := browse(w, w.login("Dr Caron"))
	b.allow("notifications")
	b.open("/account")
	b.wait("the button", `!document.querySelector("#subscribe button").hidden`)
	b.eval(`(() => {
		const keys = { p256dh: "` + vapid + `", auth: "BTBZMqHH6r4Tts7J_aSIgg" };
		const bytes = (t) => Uint8Array.from(atob(t.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0)).buffer;
		PushManager.prototype.subscribe = async (o) => ({ endpoint: "https://fcm.googleapis.com/fcm/send/" + o.userVisibleOnly + o.applicationServerKey.length, getKey: (n) => bytes(keys[n]) });
		document.querySelector("#subscribe button").click();
	})()`)
	b.wait("the device in the list", `document.querySelector("#devices b")?.textContent.startsWith("Chrome ")`)
	team, err := late.Team(t.Context(), "team-a")
	if err != nil || !slices.Equal(team.Of(alerts.Push), []string{"https://fcm.googleapis.com/fcm/send/true65#" + vapid + ".BTBZMqHH6r4Tts7J_aSIgg"}) {
		t.Fatalf("subscribed is %v, %v", team.Of(alerts.Push), err)
	}
}

// allow grants a permission to the pages of the ward.
func (b *browser) allow(name string) {
	b.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, chromedp.FromContext(ctx).Browser, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: cdpbrowser.PermissionSettingGranted, Origin: b.server.URL})
		return err
	}))
}

// pushedMessage is what the channel writes of an alert (see its package).
func pushedMessage(alert, body string) string {
	return `{"id":"k3message","tag":"` + alert + `","title":"Vigie : à traiter en priorité","body":"` + body + ` (` + alert + `)","link":"/alerts/` + alert + `"}`
}

// A message that a push service delivers is a notification on the screen: a reference and a
// level, no name and no value. A later one of the same alert takes its place, one that cannot
// be read is shown all the same, and a click opens the alert, once.
func TestAMessageIsANotificationThatOpensItsAlert(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late), pushed, named(face("p-1", "ROUX", "Inès")))
	id := w.raise("spo2-low", protocols.Red)
	b := browse(w, w.login("Dr Caron", access.Physician))
	b.allow("notifications")
	b.open("/account")
	registration := b.pushWorker()
	first := "Vigie : à traiter en priorité|Nouvelle alerte (" + id + ")|/alerts/" + id + "|true"
	b.told(registration, pushedMessage(id, "Nouvelle alerte"), first)
	again := strings.Replace(first, "Nouvelle alerte", "Relance", 1)
	b.told(registration, pushedMessage(id, "Relance"), again)
	const unread = "Vigie|Une alerte attend. / An alert is waiting.|/|true"
	for _, wrong := range []string{"", "ROUX Inès", `{"id":"k3message"}`, "null"} {
		b.told(registration, wrong, again+" & "+unread)
	}

	worker := b.worker("/push-worker.js")
	worker.eval(`(() => { self.opened = []; self.clients.openWindow = async (to) => { opened.push("open " + to) }; WindowClient.prototype.focus = async function () { opened.push("focus " + this.url) } })()`)
	click := func(want string) {
		t.Helper()
		worker.eval(`self.registration.getNotifications({ tag: "` + id + `" }).then(([n]) => { const e = new NotificationEvent("notificationclick", { notification: n }); e.waitUntil = (p) => p; self.dispatchEvent(e) })`)
		worker.wait(want, `opened.at(-1) === "`+want+`"`)
	}
	link := w.server.URL + "/alerts/" + id
	click("open " + link)
	b.wait("the alert that was opened to be put away", b.notified(unread))
	b.open("/alerts/" + id)
	b.wantText(b.eval(`document.querySelector("main").innerText`), "ROUX Inès")
	b.told(registration, pushedMessage(id, "Nouvelle alerte"), first+" & "+unread)
	click("focus " + link)

	if stranger := w.ask("GET", "/alerts/"+id, "", "Authorization", ""); stranger.StatusCode != http.StatusSeeOther || !strings.HasPrefix(stranger.Header.Get("Location"), "/login?next=") {
		t.Errorf("who is not logged in is led to %q", stranger.Header.Get("Location"))
	}
}

// pushWorker waits until the page has registered its worker, and returns what it goes by.
func (b *browser) pushWorker() serviceworker.RegistrationID {
	b.Helper()
	b.wait("the worker", `(navigator.serviceWorker.ready.then((r) => { window.works = r.active.state === "activated" }), window.works)`)
	heard, err := chromedp.Run(b.ctx, chromedp.WaitEvent(serviceworker.WorkerRegistrationUpdated,
		func(e serviceworker.EventWorkerRegistrationUpdated) bool { return len(e.Registrations) > 0 },
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, serviceworker.Enable, cdp.Empty{})
			return err
		})))
	if err != nil {
		b.Fatal(err)
	}
	return heard.Registrations[0].RegistrationID
}

// deliver brings a message to the worker, as a push service does.
func (b *browser) deliver(to serviceworker.RegistrationID, message string) {
	b.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{Origin: b.server.URL, RegistrationID: to, Data: message})
		return err
	}))
}

// told brings a message until these notifications are on the screen. Whoever asks Chromium
// which there are just before it shows one makes it forget that one, so that the message is
// brought again: one of the same tag takes its place.
func (b *browser) told(by serviceworker.RegistrationID, message, want string) {
	b.Helper()
	for range 60 {
		b.deliver(by, message)
		time.Sleep(200 * time.Millisecond)
		for range 5 {
			if b.eval(b.notified(want)+" ? 'yes' : ''") == "yes" {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	b.Fatalf("the notifications %s: there are %s", want, b.eval("String(window.shown)"))
}

// notified is true once these notifications are on the screen, each with its title, text,
// link and whether it stays.
func (b *browser) notified(want string) string {
	return "(navigator.serviceWorker.ready.then((r) => r.getNotifications()).then((list) => { window.shown = list.map((n) => [n.title, n.body, n.data, n.requireInteraction].join('|')).sort().join(' & ') }), window.shown === `" + want + "`)"
}

// worker is the worker of a script.
func (b *browser) worker(script string) *browser {
	b.Helper()
	known, err := cdp.Call(b.ctx, chromedp.FromContext(b.ctx).Browser, target.GetTargets, target.GetTargetsParams{})
	if err != nil {
		b.Fatal(err)
	}
	for _, info := range known.TargetInfos {
		if info.Type == "service_worker" && strings.HasSuffix(info.URL, script) {
			ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(info.TargetID), chromedp.WithDetachOnCancel())
			b.Cleanup(cancel)
			return &browser{b.ward, ctx}
		}
	}
	b.Fatalf("no worker of %s: %+v", script, known.TargetInfos)
	return nil
}

// Vigie can be put on a home screen, in a window of its own, whoever is logged in or not: an
// iPhone takes push messages only from there. The browser finds nothing that stands against
// it, and every picture that it is promised.
func TestVigieGoesOnAHomeScreen(t *testing.T) {
	w := open(t)
	b := browse(w, "vigie-session=nobody")
	b.open("/login")
	read, err := chromedp.Run(b.ctx, func(ctx context.Context, t *chromedp.Target) (page.GetAppManifestResult, error) {
		return cdp.Call(ctx, t, page.GetAppManifest, page.GetAppManifestParams{})
	})
	if err != nil || len(read.Errors) > 0 || !strings.HasSuffix(read.URL, "/app.webmanifest") {
		t.Fatalf("the manifest at %q: %+v, %v", read.URL, read.Errors, err)
	}
	stands, err := chromedp.Run(b.ctx, func(ctx context.Context, t *chromedp.Target) (page.GetInstallabilityErrorsResult, error) {
		return cdp.Call(ctx, t, page.GetInstallabilityErrors, cdp.Empty{})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range stands.InstallabilityErrors {
		t.Errorf("it cannot be installed: %s %+v", e.ErrorID, e.ErrorArguments)
	}
	var manifest struct {
		Display, Lang string
		Start         string `json:"start_url"`
		Icons         []struct{ Src, Type, Sizes string }
	}
	if err := json.Unmarshal([]byte(read.Data), &manifest); err != nil || manifest.Display != "standalone" || manifest.Start != "/" || manifest.Lang != "fr" {
		t.Errorf("%+v, %v", manifest, err)
	}
	touch := b.eval(`document.querySelector("link[rel=apple-touch-icon]").getAttribute("href")`)
	pictures := map[string]string{touch: "image/png"}
	for _, icon := range manifest.Icons {
		pictures[icon.Src] = icon.Type
	}
	if len(pictures) != 3 {
		t.Errorf("the pictures are %v", pictures)
	}
	for address, kind := range pictures {
		got := w.ask("GET", address, "", "Authorization", "")
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != kind {
			t.Errorf("%s: %s, %s", address, got.Status, got.Header.Get("Content-Type"))
			continue
		}
		if size, _, err := image.DecodeConfig(strings.NewReader(got.body)); kind == "image/png" && (err != nil || !strings.Contains(address, strconv.Itoa(size.Width)) || size.Width != size.Height) {
			t.Errorf("%s is %+v, %v", address, size, err)
		}
	}
}
