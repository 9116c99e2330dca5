package service

import (
	"fmt"
	"testing"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest/registry"
	"vigie/ingest/stores/postgres"
	"vigie/ingest/stores/sqlite"
	"vigie/seeds"
)

// BenchmarkCareAfterAChange asks whose an enrolment is, as the first commit with an alert
// does after each change of the registry, with so many patients. The one time must not grow
// with the other.
func BenchmarkCareAfterAChange(b *testing.B) {
	for _, patients := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("sqlite/patients=%d", patients), func(b *testing.B) {
			store, err := sqlite.Open(b.TempDir()+"/vigie.db", sqlite.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			benchmarkCare(b, store, patients)
		})
		b.Run(fmt.Sprintf("postgres/patients=%d", patients), func(b *testing.B) {
			store, err := postgres.Open(b.Context(), servers.Postgres(b).URL, postgres.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			benchmarkCare(b, store, patients)
		})
	}
}

func benchmarkCare(b *testing.B, store registry.Store, patients int) {
	now := time.Now().UTC()
	crowd, err := seeds.Crowd(patients, now, "weight", "a password long enough")
	if err != nil {
		b.Fatal(err)
	}
	crowd.Devices, crowd.Enrolments = crowd.Devices[:10], crowd.Enrolments[:10]
	crowd.Merges = []registry.Merge{{From: crowd.Patients[1].ID, Into: crowd.Patients[0].ID, Author: "bench", Reason: "saisie deux fois", At: now}}
	if _, err := store.Import(b.Context(), &crowd, "bench", now); err != nil {
		b.Fatal(err)
	}
	shelf, err := NewShelf()
	if err != nil {
		b.Fatal(err)
	}
	known := &care{registry: store.(careRegistry), shelf: shelf}
	b.ResetTimer()
	for n := range b.N {
		b.StopTimer()
		team := crowd.Teams[0]
		team.Name = fmt.Sprint("Équipe ", n)
		if _, err := store.Import(b.Context(), &registry.Registry{Teams: []registry.Team{team}}, "bench", now); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		found, err := known.Care(crowd.Enrolments[0].ID)
		if err != nil || len(found.Same) != 1 {
			b.Fatalf("care %+v, %v", found, err)
		}
	}
}
