package workspace_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/protocols"
)

const rehome = `{"patient":"p-1","from":"2020-01-01T00:00:00Z","to":"2030-01-01T00:00:00Z","reason":"son mari","into":"p-2","as_device":"scale-2"}`

// What a scale sends between the look and the strike is struck out of the one with the rest,
// and so it is entered for the other with the rest.
func TestAReadingThatComesMeanwhileChangesItsPatientToo(t *testing.T) {
	var sent []string
	w := open(t, func(o *workspace.Options) {
		readings := o.History.(weights).readings
		late := *readings[0]
		late.ID, late.Time = "late", late.Time.Add(time.Minute)
		o.Strike = func(context.Context, workspace.Striking) ([]*protocols.Reading, error) {
			return append(slices.Clone(readings), &late), nil
		}
		o.TryStrike = func(context.Context, workspace.Striking) ([]protocols.Finding, error) { return nil, nil }
		o.Enter = func(_ context.Context, e workspace.Entering) (workspace.Entered, error) {
			for _, payload := range e.Readings {
				sent = append(sent, string(payload))
			}
			return workspace.Entered{Batch: "import", Entered: ingest.Entered{New: len(e.Readings)}}, nil
		}
	})
	got := w.ask("POST", "/api/v1/readings/rehome", rehome, "Authorization", "", "Cookie", w.login("Mme Hoarau", access.Nurse))
	if got.StatusCode != http.StatusOK {
		t.Fatal(got.Status, got.body)
	}
	if n := len(sent); n < 2 || !strings.Contains(sent[n-1], `"late"`) || strings.Contains(sent[0], `"late"`) {
		t.Errorf("entered for the other: %v", sent)
	}
}

// What the store has forgotten cannot be struck out of the one, and is not entered for the
// other: it would count for both.
func TestWhatCannotBeStruckOutStaysWithItsPatient(t *testing.T) {
	var e enterer
	w := open(t, func(o *workspace.Options) {
		o.Enter = e.enter
		o.Strike = (&striker{}).strike
		o.TryStrike = func(context.Context, workspace.Striking) ([]protocols.Finding, error) {
			return nil, &alerts.Refused{Code: workspace.OnlyInInfluxDB, Text: protocols.Text{FR: "Ces mesures ne sont plus que dans InfluxDB.", EN: "These readings are in InfluxDB alone."}}
		}
	})
	got := w.ask("POST", "/api/v1/readings/rehome", rehome, "Authorization", "", "Cookie", w.login("Mme Hoarau", access.Nurse))
	if got.StatusCode == http.StatusOK || !strings.Contains(got.body, "InfluxDB") || len(e.asked) > 0 {
		t.Errorf("%s %s, entered %+v", got.Status, got.body, e.asked)
	}
}
