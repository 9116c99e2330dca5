package workspace_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// drawer is what was set aside, in memory.
type drawer struct {
	records []ingest.SetAsideRecord
	accepts bool // what is tried again
}

func (d *drawer) SetAsides(_ context.Context, f ingest.SetAsideFilter) (list []ingest.SetAsideRecord, _ error) {
	for _, r := range slices.Backward(d.records) {
		of := func(reason protocols.Reason) bool { return reason.Code == f.Code }
		if f.ID != 0 && r.ID != f.ID || f.Open && !r.Settled.IsZero() || f.Before != 0 && r.ID >= f.Before || f.Code != "" && !slices.ContainsFunc(r.Reasons, of) || f.Device != "" && r.Device != f.Device {
			continue
		}
		if list = append(list, r); len(list) == f.Limit {
			break
		}
	}
	return list, nil
}

func (d *drawer) of(id int64) *ingest.SetAsideRecord {
	i := slices.IndexFunc(d.records, func(r ingest.SetAsideRecord) bool { return r.ID == id && r.Settled.IsZero() })
	if i < 0 {
		return nil
	}
	return &d.records[i]
}

func (d *drawer) Retry(_ context.Context, f ingest.SetAsideFilter) (ingest.Retried, error) {
	r := d.of(f.ID)
	switch {
	case r == nil:
		return ingest.Retried{}, nil
	case d.accepts:
		r.Settled = storetest.Morning
		return ingest.Retried{Tried: 1, Accepted: 1}, nil
	}
	return ingest.Retried{Tried: 1, Refused: 1}, nil
}

func (*drawer) Told(record *ingest.SetAsideRecord, _ protocols.Reason) protocols.Text {
	return protocols.Text{FR: "Envoyé par " + record.Device + " : 761,2 kg.", EN: "Sent by " + record.Device + ": 761.2 kg."}
}

func (d *drawer) Dismiss(_ context.Context, id int64, author, reason string) (bool, error) {
	r := d.of(id)
	if r == nil {
		return false, nil
	}
	r.Settled, r.DismissedBy, r.DismissedWhy = storetest.Morning, author, reason
	return true, nil
}

// asides is a drawer with one thing of a device of team-a, one of team-b, one of nobody's.
func asides() (*drawer, func(*workspace.Options)) {
	d := &drawer{}
	for i, device := range []string{"scale-1", "scale-b", "scale-9"} {
		d.records = append(d.records, ingest.SetAsideRecord{
			ID: int64(i + 1), Device: device, Topic: "vigie/v1/" + device + "/readings", Received: storetest.Morning,
			Payload: []byte(`{"measure":"weight","value":"<script>alert(1)</script>` + "\u202e" + `","of":"` + device + `"}`),
			Reasons: []protocols.Reason{{Code: protocols.Implausible, Path: "values.\u202evalue", Message: "the value is impossible"}},
		})
	}
	return d, func(o *workspace.Options) {
		o.Aside = d
		o.Device = func(_ context.Context, name string) (*registry.Assignment, error) {
			team := map[string]string{"scale-1": "team-a", "scale-b": "team-b"}[name]
			if team == "" {
				return nil, registry.ErrNotFound
			}
			return &registry.Assignment{Device: registry.Device{Name: name, Kind: "scale"}, Enrolments: []registry.Enrolment{{ID: "e-" + name, Patient: "p-" + name, Team: team}}}, nil
		}
	}
}

// A nurse reads why something of her patients, or of nobody's device, could not be used,
// tries it again and dismisses it.
func TestWhatWasSetAsideIsSeenTriedAgainAndDismissed(t *testing.T) {
	d, with := asides()
	w := open(t, with)
	session := w.login("Lea Nurse")
	page := w.page("/set-aside", session)
	w.wantText(page, "Valeur impossible", "scale-1", "scale-9", `href="/patients/p-scale-1"`, `\u202e`, `href="/set-aside" aria-current="page"`, `<span class="told">Envoyé par scale-1 : 761,2 kg.</span>`)
	for _, evil := range []string{"scale-b", "<script>alert", "\u202e"} {
		if strings.Contains(page, evil) {
			t.Errorf("the page shows %q", evil)
		}
	}
	if got := w.page("/set-aside?code=malformed", session); !strings.Contains(got, "Rien n") {
		t.Error("a filter narrows nothing")
	}
	back := url.Values{"back": {"/set-aside?code=implausible"}}
	again := w.post("/set-aside/1/retry", session, back)
	if to := again.Header.Get("Location"); to != "/set-aside?code=implausible&said=refused#said" {
		t.Errorf("tried again: %s to %q", again.Status, to)
	}
	w.wantText(w.page("/set-aside?said=refused", session), "Toujours refusé")
	d.accepts = true
	if to := w.post("/set-aside/1/retry", session, back).Header.Get("Location"); !strings.Contains(to, "accepted") {
		t.Errorf("accepted: %q", to)
	}
	if got := w.post("/set-aside/3/dismiss", session, back); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "pourquoi cela ne servira pas") {
		t.Errorf("without a reason: %s", got.Status)
	}
	back.Set("reason", "essai du <b>fabricant</b>")
	if got := w.post("/set-aside/3/dismiss", session, back); got.StatusCode != http.StatusSeeOther {
		t.Errorf("dismissed: %s", got.Status)
	}
	if got := w.post("/set-aside/3/dismiss", session, back); got.StatusCode != http.StatusPreconditionFailed || !strings.Contains(got.body, "déjà occupé") {
		t.Errorf("twice: %s", got.Status)
	}
	w.wantText(w.page("/set-aside?all=1", session), "Écarté par Lea Nurse", "essai du &lt;b&gt;fabricant", "Accepté le")
	if got := w.post("/set-aside/2/dismiss", session, back); got.StatusCode != http.StatusNotFound {
		t.Errorf("that of another team: %s", got.Status)
	}
	if lines := w.traced(); !slices.Contains(lines, "Lea Nurse: act POST /set-aside/{id}/retry [p-scale-1]") || !slices.Contains(lines, "Lea Nurse: read GET /set-aside [p-scale-1]") {
		t.Errorf("the trail: %v", lines)
	}
}

// An operator sees that something was set aside, and why, and no value of a patient.
func TestAnOperatorSeesWhyAndNoValue(t *testing.T) {
	_, with := asides()
	w := open(t, with)
	page := w.page("/set-aside", w.login("Ops", access.Operator))
	w.wantText(page, "scale-1", "scale-b", "Valeur impossible", "réservé à l")
	if strings.Contains(page, "&#34;of&#34;") || strings.Contains(page, "p-scale") || strings.Contains(page, "761") || strings.Contains(page, "/retry") {
		t.Error("the page shows a payload, a patient or what an operator may not do")
	}
}

// Each code that something is set aside with is said in a person's words, with a way out, in
// both languages: the reason as the device is told it stays folded.
func TestEveryCodeHasWordsAndAWayOut(t *testing.T) {
	d, with := asides()
	w := open(t, with)
	nurse := w.login("Lea Nurse")
	said := map[string]protocols.Code{}
	for _, code := range protocols.Codes() {
		d.records = []ingest.SetAsideRecord{{ID: 1, Device: "scale-1", Received: storetest.Morning, Reasons: []protocols.Reason{{Code: code, Message: "as the device is told"}}}}
		for _, language := range []string{"fr", "en"} {
			page := w.page("/set-aside?lang="+language, nurse)
			if strings.Contains(page, "code."+string(code)) || strings.Contains(page, "code.way.") {
				t.Errorf("%s has no words in %s", code, language)
			}
			_, way, found := strings.Cut(page, `<span class="way">`)
			way, _, _ = strings.Cut(way, "</span>")
			if known := said[way]; !found || len(way) < 40 || known != "" || !strings.HasSuffix(way, ".") {
				t.Errorf("%s in %s shows %q as the way out, like %q", code, language, way, known)
			}
			said[way] = code
			w.wantText(page, `<p lang="en">as the device is told</p></details>`)
		}
	}
}
