package workspace_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/devices"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// bench puts devices into the hands of patients: p-1 has all that things can come to, p-2
// a battery that is low, p-b of another team a scale.
func bench(t *testing.T) *ward {
	t.Helper()
	var late lateStatuses
	_, aside := asides()
	p := shipped(t, "heart-failure")
	has := func(id, name, team string, devices ...string) registry.Face {
		f := face(id, name, "Anne")
		f.Followed = []registry.Followed{{Protocol: p.ID, Version: p.Version, Team: team, Zone: "Europe/Paris", Devices: devices}}
		return f
	}
	gone := has("p-9", "PARTIE", "team-a", "scale-gone")
	gone.Followed[0].Until = storetest.Morning
	w := open(t, aside, followed("p-1", p), named(
		has("p-1", "ROUX", "team-a", "scale-1", "bp-1", "pen-1", "clock-1", "well-1"), has("p-2", "VIDAL", "team-a", "oxi-2"), has("p-b", "AUTRE", "team-b", "scale-b"), gone,
	), func(o *workspace.Options) {
		o.Statuses = late.DeviceStatuses
		o.Device = func(_ context.Context, name string) (*registry.Assignment, error) {
			kind := map[string]string{"scale-1": "scale", "scale-b": "scale", "bp-1": "blood-pressure-monitor", "oxi-2": "oximeter", "well-1": "thermometer"}[name]
			team := map[string]string{"scale-b": "team-b"}[name]
			if team == "" {
				team = "team-a"
			}
			return &registry.Assignment{Device: registry.Device{Name: name, Kind: kind, Brand: "Marque", Model: "<b>X</b>", Serial: "SN-" + name}, Enrolments: []registry.Enrolment{{ID: "e-" + name, Patient: "p-1", Team: team, Devices: []string{name}}}}, nil
		}
	})
	late.Store = w.store
	at := w.now.Add(-time.Hour)
	told := []ingest.DeviceStatus{
		{Device: "oxi-2", Online: true, Battery: 9, Firmware: "1.4\u202e2", At: at, BatteryAt: at, LowSince: at},
		{Device: "pen-1", Battery: -1, At: at, OfflineSince: at.Add(-48 * time.Hour)},
		{Device: "clock-1", Online: true, Battery: 80, At: at, Trouble: ingest.DeviceTrouble{Clock: devices.Clock{Lag: time.Hour, At: at, Since: at}}},
		{Device: "well-1", Online: true, Battery: 95, At: at},
		{Device: "scale-b", Online: true, Battery: 3, At: at, LowSince: at},
	}
	err := w.store.Update(t.Context(), func(tx ingest.Tx) error {
		for _, s := range told {
			if err := tx.SetDeviceStatus(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rule := silentRuleOf(t, p)
	f := storetest.Finding(protocols.Raised, rule, "ep-1", protocols.Orange, 0)
	f.Protocol, f.Version = p.ID, p.Version
	w.found(f)
	return w
}

// lateStatuses is a store that is opened later.
type lateStatuses struct {
	Store interface {
		DeviceStatuses(context.Context, []string) ([]ingest.DeviceStatus, error)
	}
}

func (l *lateStatuses) DeviceStatuses(ctx context.Context, names []string) ([]ingest.DeviceStatus, error) {
	return l.Store.DeviceStatuses(ctx, names)
}

// silentRuleOf is the rule of a protocol about weights that did not come.
func silentRuleOf(t *testing.T, p *protocols.Protocol) string {
	t.Helper()
	for i := range p.Rules {
		if a := p.Rules[i].Absence; a != nil && a.Measure.ID == "weight" {
			return p.Rules[i].ID
		}
	}
	t.Fatal("no rule about weights that do not come")
	return ""
}

var deviceNames = regexp.MustCompile(`<span class="sub">([a-z]+-[a-z0-9]+)( ·|<)`)

// shownDevices are the devices of a page, in order.
func shownDevices(page string) string {
	var list []string
	for _, m := range deviceNames.FindAllStringSubmatch(page, -1) {
		list = append(list, m[1])
	}
	return strings.Join(list, " ")
}

// What keeps values from being seen comes first, then silences, then batteries, then
// messages that could not be used.
func TestDevicesStandInTheOrderInWhichTheyNeedSomebody(t *testing.T) {
	w := bench(t)
	session := w.login("Lea Nurse")
	page := w.page("/devices", session)
	if got := shownDevices(page); got != "clock-1 pen-1 scale-1 oxi-2" {
		t.Errorf("the devices are %q", got)
	}
	w.wantText(page, "<b>4</b> à vérifier", "Horloge de l'appareil fausse", "Appareil hors ligne", "Ne transmet plus", "Batterie faible", "1 message mis de côté", `href="/set-aside?device=scale-1"`,
		"ROUX Anne", "VIDAL Anne", "balance Marque &lt;b&gt;X&lt;/b&gt;", "n° SN-scale-1", `1.4\u202e2`, "9\u202f%", "aucune mesure depuis 90 jours", `href="/devices" aria-current="page"`)
	if strings.Contains(page, "<b>X</b>") || strings.Contains(page, "scale-b") || strings.Contains(page, "scale-gone") {
		t.Error("the page shows markup, a device of another team or one that nobody has any more")
	}
	for show, want := range map[string]string{"unseen": "clock-1", "silent": "pen-1 scale-1", "battery": "oxi-2", "aside": "scale-1", "all": "clock-1 pen-1 scale-1 oxi-2 bp-1 well-1"} {
		if got := shownDevices(w.page("/devices?show="+show, session)); got != want {
			t.Errorf("%s: %q, want %q", show, got, want)
		}
	}
	for typed, want := range map[string]string{"vidal": "oxi-2", "bp-1": "bp-1", "nobody": "", "OXI": "oxi-2"} {
		if got := shownDevices(w.page("/devices?q="+typed, session)); got != want {
			t.Errorf("looking for %q: %q, want %q", typed, got, want)
		}
	}
	w.wantText(w.page("/devices?q=nobody", session), "Aucun appareil ne correspond")
	if lines := w.traced(); !slices.Contains(lines, "Lea Nurse: read GET /devices [p-1]") || !slices.Contains(lines, "Lea Nurse: read GET /devices [p-2]") {
		t.Errorf("the trail: %v", lines)
	}
	for _, bad := range []string{"/devices?show=x", "/devices?page=0", "/devices?page=x"} {
		if got := w.ask("GET", bad, "", "Authorization", "", "Cookie", session); got.StatusCode != 400 {
			t.Errorf("%s: %s", bad, got.Status)
		}
	}
}

// Who mends devices sees all of them and what is wrong, and not who has them.
func TestWhoMendsDevicesSeesNoPatient(t *testing.T) {
	w := bench(t)
	page := w.page("/devices?lang=en", w.login("Ops", access.Operator))
	if got := shownDevices(page); got != "clock-1 pen-1 scale-1 oxi-2 scale-b" {
		t.Errorf("the devices are %q", got)
	}
	w.wantText(page, "Sends no more", "patient kept for their team")
	for _, secret := range []string{"ROUX", "VIDAL", "p-1", "/alerts/", "/enrolments/"} {
		if strings.Contains(page, secret) {
			t.Errorf("the page shows %q", secret)
		}
	}
	if got := shownDevices(w.page("/devices?q=vidal&lang=en", w.login("Ops Deux", access.Operator))); got != "" {
		t.Errorf("a name finds %q", got)
	}
}

// A hundred devices come in pages.
func TestManyDevicesComeInPages(t *testing.T) {
	var names []string
	for i := range 120 {
		names = append(names, fmt.Sprintf("scale-%03d", i))
	}
	f := face("p-1", "ROUX", "Anne")
	f.Followed[0].Devices = names
	w := open(t, named(f), func(o *workspace.Options) {
		o.Statuses = func(context.Context, []string) ([]ingest.DeviceStatus, error) { return nil, nil }
		o.Device = func(_ context.Context, name string) (*registry.Assignment, error) {
			return &registry.Assignment{Device: registry.Device{Name: name, Kind: "scale"}}, nil
		}
	})
	session := w.login("Lea Nurse")
	first, last := w.page("/devices", session), w.page("/devices?show=all&page=3", session)
	if got := strings.Fields(shownDevices(first)); len(got) != 50 || !strings.Contains(first, `rel="next"`) {
		t.Errorf("the first page has %d devices", len(got))
	}
	if got := strings.Fields(shownDevices(last)); len(got) != 20 || strings.Contains(last, `rel="next"`) {
		t.Errorf("the last page has %d devices", len(got))
	}
}
