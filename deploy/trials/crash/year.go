package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vigie/ingest"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

// year measures what a year of 1,000 patients takes in the embedded store: each
// weighs in daily and takes blood pressure in the morning and in the evening and
// oxygen saturation once, all of it generated. A glucose sensor makes 288
// readings a day: a few of them are generated, and the note says what one takes.
func year(b *bench, ctx context.Context) (r row, err error) {
	folder := b.newFolder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return r, err
	}
	daily := []habit{{"weight", 7 * time.Hour}, {"blood-pressure", 8 * time.Hour}, {"oxygen-saturation", 9 * time.Hour}, {"blood-pressure", 20 * time.Hour}}
	home, err := fillYear(ctx, filepath.Join(folder, "home.db"), 1000, daily)
	if err != nil {
		return r, err
	}
	var sensor []habit
	for at := time.Duration(0); at < 24*time.Hour; at += 5 * time.Minute {
		sensor = append(sensor, habit{"glucose", at})
	}
	glucose, err := fillYear(ctx, filepath.Join(folder, "glucose.db"), sensors, sensor)
	if err != nil {
		return r, err
	}
	return row{times: 1, note: fmt.Sprintf(
		"4 readings a day: %.2f million, %.0f MiB with the journal, %.0f MiB (%.0f bytes a reading) once InfluxDB has them and it is pruned; a glucose sensor: %.1f and %.1f MiB a year each",
		float64(home.readings)/1e6, home.before, home.after, home.after*(1<<20)/float64(home.readings), glucose.before/sensors, glucose.after/sensors)}, nil
}

// sensors is how many glucose sensors are generated.
const sensors = 3

// habit is a reading of every day.
type habit struct {
	measure string
	at      time.Duration // since midnight
}

// size is what readings take, in MiB.
type size struct {
	readings      int
	before, after float64 // pruning the journal
}

// fillYear keeps a year of readings, a day in a transaction.
func fillYear(ctx context.Context, path string, patients int, habits []habit) (s size, err error) {
	store, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return s, err
	}
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := range 365 {
		midnight := begin.AddDate(0, 0, day)
		batch := dayOf(midnight, patients, habits, s.readings)
		s.readings += len(batch)
		err := store.Update(ctx, func(tx ingest.Tx) error {
			_, err := tx.Keep(batch, midnight.AddDate(0, 0, 1))
			return err
		})
		if err != nil {
			return s, errors.Join(err, store.Close())
		}
	}
	// Closing brings the log into the file.
	if err := store.Close(); err != nil {
		return s, err
	}
	if s.before, err = mebibytes(path); err != nil {
		return s, err
	}
	if store, err = sqlite.Open(path, sqlite.Options{}); err != nil {
		return s, err
	}
	_, err = store.Prune(ctx, ingest.Retention{Journal: begin.AddDate(2, 0, 0)})
	if err := errors.Join(err, store.Close()); err != nil {
		return s, err
	}
	s.after, err = mebibytes(path)
	return s, err
}

// dayOf is one day of all patients, in the order of time.
func dayOf(midnight time.Time, patients int, habits []habit, number int) (batch []*protocols.Reading) {
	for _, h := range habits {
		measure := protocols.MeasureByID(h.measure)
		for p := range patients {
			number++
			r := &protocols.Reading{
				Patient: fmt.Sprintf("p-%04d", p), Device: fmt.Sprintf("%s-%04d", h.measure, p),
				// As long as the ids of real devices (UUID), and as random.
				ID:      fmt.Sprintf("%08x-0000-7000-8000-%012x", uint32(number)*2654435761, uint64(number)*0x9e3779b97f4a7c15>>16),
				Measure: measure, Time: midnight.Add(h.at + time.Duration(p)*time.Second), Battery: 87,
			}
			for i := range measure.Components {
				r.Values = append(r.Values, protocols.Value(70_000+1000*(number%40)+100*i))
			}
			batch = append(batch, r)
		}
	}
	return batch
}

func mebibytes(path string) (float64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / (1 << 20), nil
}
