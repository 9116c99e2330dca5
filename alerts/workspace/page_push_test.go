package workspace_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"vigie/alerts"
	"vigie/alerts/channels/push"
	"vigie/alerts/workspace"
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
