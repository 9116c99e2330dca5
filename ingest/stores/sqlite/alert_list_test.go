package sqlite

import (
	"context"
	"fmt"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// hospital is a store with all alerts of a large service: 100,000, of which
// every twentieth is unresolved.
func hospital(b *testing.B, total int) *Store {
	store := openAlerts(b, everyone{})
	levels := []protocols.Level{protocols.Yellow, protocols.Orange, protocols.Red, protocols.Technical}
	var batch []protocols.Finding
	for i := range total {
		f := storetest.Finding(protocols.Raised, fmt.Sprintf("rule-%d", i%30), fmt.Sprint("ep-", i), levels[i/20%4], time.Duration(i)*time.Minute)
		f.Enrolment, f.Patient = fmt.Sprintf("e-%d", i), fmt.Sprintf("p-%d", i%40_000)
		if batch = append(batch, f); len(batch) == 5000 || i == total-1 {
			find(b, store, batch...)
			batch = batch[:0]
		}
	}
	err := store.Write(context.Background(), func(conn *sqlite.Conn) error {
		return sqlitex.ExecuteScript(conn, `UPDATE alerts SET state = 'resolved' WHERE number % 20 <> 0;
			UPDATE alerts SET team = 'team-' || (number % 37); UPDATE outbox SET sent_at = created; ANALYZE`, nil)
	})
	if err != nil {
		b.Fatal(err)
	}
	return store
}

func BenchmarkWorklist(b *testing.B) {
	store := hospital(b, 100_000)
	ctx := context.Background()
	open := []alerts.State{alerts.Open}
	first, err := store.Alerts(ctx, alerts.Filter{States: open})
	if err != nil || len(first) != 100 {
		b.Fatal(len(first), err)
	}
	for name, filter := range map[string]alerts.Filter{
		"open":          {States: open},
		"open of team":  {States: open, Team: "team-20"},
		"open red":      {States: open, Levels: []protocols.Level{protocols.Red}},
		"second page":   {States: open, After: alerts.After(&first[99]).String()},
		"of a patient":  {Patient: "p-20"},
		"resolved":      {States: []alerts.State{alerts.Resolved}},
		"newest":        {States: open, Newest: true},
		"last resolved": {States: []alerts.State{alerts.Resolved}, Newest: true},
		"of a rule":     {States: open, Rule: "rule-7"},
		"since morning": {States: open, From: storetest.Morning.Add(99_000 * time.Minute)},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := store.Alerts(ctx, filter); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("summary", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.Summary(ctx, alerts.Filter{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("summary of team", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.Summary(ctx, alerts.Filter{Team: "team-20"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFindAgain is the cost of the most frequent finding, inside one
// transaction.
func BenchmarkFindAgain(b *testing.B) {
	store := hospital(b, 100_000)
	i := 0
	err := store.Update(context.Background(), func(tx ingest.Tx) error {
		for b.Loop() {
			n := i % 100_000
			f := storetest.Finding(protocols.Again, fmt.Sprintf("rule-%d", n%30), fmt.Sprint("ep-", n), protocols.Yellow, time.Duration(200_000+i)*time.Minute)
			f.Enrolment = fmt.Sprintf("e-%d", n)
			if err := tx.Apply([]protocols.Finding{f}); err != nil {
				return err
			}
			i++
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkFindRaised is the cost of a new alert with its event and messages.
func BenchmarkFindRaised(b *testing.B) {
	store := openAlerts(b, everyone{})
	i := 0
	err := store.Update(context.Background(), func(tx ingest.Tx) error {
		for b.Loop() {
			f := storetest.Finding(protocols.Raised, "spo2-low", "ep-1", protocols.Red, 0)
			f.Enrolment = fmt.Sprintf("e-%d", i)
			if err := tx.Apply([]protocols.Finding{f}); err != nil {
				return err
			}
			i++
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
