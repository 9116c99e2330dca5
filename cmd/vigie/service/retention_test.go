package service

import (
	"path/filepath"
	"testing"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

func TestReadingsLeaveOnlyAfterInfluxDBHasThem(t *testing.T) {
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
		r, err := retentionAt(t.Context(), store, c, lookback, now)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := at(); !r.Readings.IsZero() || !r.Journal.IsZero() || !r.SetAsides.Equal(now.Add(-400*day)) {
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
	if r := at(); !r.Readings.Before(kept) {
		t.Errorf("a reading waits for InfluxDB and is to be forgotten: %+v", r)
	}
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
	if r := at(); !r.Readings.Equal(now.Add(-400*day)) || !r.Journal.Equal(now.Add(-journalKept)) {
		t.Errorf("InfluxDB has everything, and what is old is not forgotten: %+v", r)
	}
	journal := influx.FromStore(store, func() time.Time { return now })
	if err := journal.SetAside(t.Context(), []influx.Refused{{Device: "scale-1", Reading: "a", Received: kept, Line: "weight value=82 1", Reason: "field type conflict"}}); err != nil {
		t.Fatal(err)
	}
	if r := at(); !r.Readings.Before(kept) || r.SetAsides.After(kept) {
		t.Errorf("InfluxDB has refused a reading that nobody else has, and it is to be forgotten: %+v", r)
	}
	refused, err := journal.Refused(t.Context(), 0)
	if err != nil || len(refused) != 1 {
		t.Fatalf("%v, %v", refused, err)
	}
	if err := journal.Settle(t.Context(), []int64{refused[0].ID}); err != nil {
		t.Fatal(err)
	}
	if r := at(); !r.Readings.Equal(now.Add(-400 * day)) {
		t.Errorf("InfluxDB has taken it at last, and it is not forgotten: %+v", r)
	}
	lookback = 400 * day
	if r := at(); !r.Readings.Equal(now.Add(-400*day - c.Limits.TooOld)) {
		t.Errorf("a protocol looks back 400 days, and what a late reading needs of them is forgotten: %+v", r)
	}
	c.Retention = config.Retention{}
	if r := at(); !r.Readings.IsZero() || !r.SetAsides.IsZero() {
		t.Errorf("zero keeps for ever: %+v", r)
	}
}
