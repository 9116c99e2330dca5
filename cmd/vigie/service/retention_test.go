package service

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

func TestTheJournalStaysInFrontOfInfluxDB(t *testing.T) {
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "vigie.db"), sqlite.Options{Generation: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const day = 24 * time.Hour
	kept := time.Date(2025, 1, 1, 6, 0, 0, 0, time.UTC)
	now := kept.Add(500 * day)
	for day := range 20 {
		at, id := kept.AddDate(0, 0, day), string(rune('a'+day))
		err = store.Update(t.Context(), func(tx ingest.Tx) error {
			_, err := tx.Keep([]*protocols.Reading{{
				Device: "scale-1", ID: id, Patient: "p-1", Measure: protocols.MeasureByID("weight"), Time: at, Values: []protocols.Value{82_000}, Battery: -1,
			}}, at)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c := config.Default()
	lookback := 28 * day
	at := func() ingest.Retention {
		t.Helper()
		r, err := retentionAt(t.Context(), store, c, now)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := at(); !forgottenBefore(c, lookback, now).IsZero() || !r.Journal.IsZero() || !r.SetAsides.Equal(now.Add(-400*day)) {
		t.Errorf("without InfluxDB the store is the only place of the readings: %+v", r)
	}
	shelf, err := NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	if furthest, err := shelf.Lookback(); err != nil || furthest < 60*day || furthest > 400*day {
		t.Errorf("the library looks back %v (%v)", furthest, err)
	}
	c.Influx.URL = "http://influxdb.example.org"
	// InfluxDB is new here, or has never answered: nothing says how far it has come.
	if _, err := store.Prune(t.Context(), at()); err != nil {
		t.Fatal(err)
	}
	if waiting, err := store.ReadingsAfter(t.Context(), 0, 100); err != nil || len(waiting) != 20 {
		t.Errorf("%d of 20 readings wait for InfluxDB after what is old was forgotten, %v", len(waiting), err)
	}
	if err := store.SetCursor(t.Context(), influx.Cursor, 20); err != nil {
		t.Fatal(err)
	}
	if r := at(); !r.Journal.Equal(now.Add(-journalKept)) {
		t.Errorf("InfluxDB has everything, and the journal is not forgotten: %+v", r)
	}
	if before := forgottenBefore(c, lookback, now); !before.Equal(now.Add(-400 * day)) {
		t.Errorf("readings of before %v may be forgotten, want 400 days ago", before)
	}
	lookback = 400 * day
	if before := forgottenBefore(c, lookback, now); !before.Equal(now.Add(-400*day - c.Limits.TooOld)) {
		t.Errorf("a protocol looks back 400 days, and what a late reading needs of them is forgotten: before %v", before)
	}
	c.Retention = config.Retention{}
	if r := at(); !forgottenBefore(c, lookback, now).IsZero() || !r.SetAsides.IsZero() {
		t.Errorf("zero keeps for ever: %+v", r)
	}
}

// Sessions end by the clock on people's wall: a service whose clock was moved throws nobody
// out who works.
func TestWhatIsOldByAMovedClockIsNoSessionOfToday(t *testing.T) {
	ahead := time.Now().AddDate(3, 0, 0)
	c := config.Default()
	c.Data = t.TempDir()
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.Access.SecondFactor = config.Optional
	s, err := Start(t.Context(), Options{Config: c, Now: func() time.Time { return ahead }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	session := s.nurse(t)
	if err := s.age(t.Context(), s.Now()); err != nil {
		t.Fatal(err)
	}
	if page, _ := s.shown(t, session, "/"); !strings.Contains(page, "Léa Morel") {
		t.Error("she has to log in again")
	}
}
