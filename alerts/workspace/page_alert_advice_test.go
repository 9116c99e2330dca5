package workspace_test

import (
	"strings"
	"testing"

	"vigie/alerts"
	"vigie/alerts/workspace"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// lowGlucose is a protocol with a rule of two levels: the mild one has an advice of its own.
func lowGlucose(o *workspace.Options) {
	p := &protocols.Protocol{ID: "icc", Version: "1", Rules: []protocols.Rule{{
		ID: "low", Title: protocols.Text{FR: "Glycémie basse", EN: "Low glucose"},
		Advice: protocols.Text{FR: "Appeler le patient ; revoir les doses", EN: "Call the patient; review the doses"},
		Levels: []protocols.RuleLevel{
			{Level: protocols.Yellow, Advice: protocols.Text{FR: "En parler au prochain contact", EN: "Speak of it at the next contact"}},
			{Level: protocols.Red},
		},
	}}}
	o.Protocol = func(string, string) *protocols.Protocol { return p }
}

// The page of an alert heads with the advice of the level at which the alert stands, also
// once it has risen, and with no other one.
func TestThePageOfAnAlertAdvisesByTheLevelThatStands(t *testing.T) {
	w := open(t, lowGlucose)
	session := w.login("Lea Nurse")
	const mild, grave = "En parler au prochain contact", "Appeler le patient ; revoir les doses"
	only := func(page, right, wrong string) {
		t.Helper()
		if strings.Count(page, right) != 1 || strings.Contains(page, wrong) {
			t.Errorf("%d times %q, %d times %q", strings.Count(page, right), right, strings.Count(page, wrong), wrong)
		}
	}
	id := w.raise("low", protocols.Yellow)
	only(w.page("/alerts/"+id, session), mild, grave)
	w.found(storetest.Finding(protocols.Risen, "low", "ep-1", protocols.Red, 0))
	only(w.page("/alerts/"+id, session), grave, mild)
}

// Where the protocol of an alert is no longer at hand, what the alert kept of it stands.
func TestAnAlertKeepsTheAdviceOfItsProtocol(t *testing.T) {
	w := open(t, func(o *workspace.Options) {
		o.Protocol = func(string, string) *protocols.Protocol { return nil }
	})
	session := w.login("Lea Nurse")
	f := storetest.Finding(protocols.Raised, "low", "ep-1", protocols.Yellow, 0)
	f.Explanation.Advice = protocols.Text{FR: "Peser à jeun", EN: "Weigh fasting"}
	w.found(f)
	list, err := w.store.Alerts(w.Context(), alerts.Filter{Rule: "low"})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d alerts, %v", len(list), err)
	}
	w.wantText(w.page("/alerts/"+list[0].ID, session), "Que faire, selon le protocole", "Peser à jeun")
}
