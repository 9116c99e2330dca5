package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/deploy/servers"
	"vigie/ingest/registry"
	"vigie/seeds"
)

// BenchmarkImport imports a file of so many patients into PostgreSQL, and then the same
// file again, which changes nothing. again/first is below 1 where the second is faster.
func BenchmarkImport(b *testing.B) {
	for _, patients := range []int{2_000, 20_000} {
		b.Run(fmt.Sprint(patients), func(b *testing.B) {
			crowd, err := seeds.Crowd(patients, time.Now(), "weight", "a password long enough")
			if err != nil {
				b.Fatal(err)
			}
			var text bytes.Buffer
			if err := registry.Write(&text, &crowd); err != nil {
				b.Fatal(err)
			}
			file := filepath.Join(b.TempDir(), "crowd.yaml")
			if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				c := config.Default()
				c.Store.Postgres.URL = config.Secret(servers.Postgres(b).URL)
				run := func() time.Duration {
					command := registryCommand(func(*cobra.Command) (registryStore, error) {
						return service.OpenTools(context.Background(), c)
					})
					command.SetOut(&bytes.Buffer{})
					command.SetArgs([]string{"import", file, "--author", "bench"})
					began := time.Now()
					if err := command.Execute(); err != nil {
						b.Fatal(err)
					}
					return time.Since(began)
				}
				first := run()
				again := run()
				b.ReportMetric(first.Seconds(), "first-s")
				b.ReportMetric(again.Seconds(), "again-s")
				b.ReportMetric(again.Seconds()/first.Seconds(), "again/first")
			}
		})
	}
}
