package sqlite

import (
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// openAlerts opens a store whose findings reach the people in a directory.
func openAlerts(t testing.TB, directory alerts.Directory) *Store {
	t.Helper()
	return open(t, newFile(t), Options{Care: func(*Store) alerts.Directory { return directory }})
}

func TestAlertsContract(t *testing.T) {
	storetest.RunAlerts(t, func(t *testing.T, directory alerts.Directory) storetest.Alerts { return openAlerts(t, directory) })
}

type everyone struct{}

func (everyone) Care(string) (alerts.Care, error) { return storetest.Care(), nil }

func find(t testing.TB, s *Store, findings ...protocols.Finding) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx ingest.Tx) error { return tx.Apply(findings) }); err != nil {
		t.Fatal(err)
	}
}

func TestEventsAreOnlyAppended(t *testing.T) {
	s := openAlerts(t, everyone{})
	find(t, s, storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, 0))
	for _, forgery := range []string{`DELETE FROM alert_events`, `UPDATE alert_events SET author = 'somebody else'`} {
		err := s.Write(t.Context(), func(conn *sqlite.Conn) error { return execute(conn, forgery) })
		if err == nil || !strings.Contains(err.Error(), "never") {
			t.Errorf("%s: got %v, want a refusal", forgery, err)
		}
	}
}
