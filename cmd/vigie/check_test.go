package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

// TestCheckNamesThePatientsWhoseRowsAreDamaged changes a weight on the disk.
func TestCheckNamesThePatientsWhoseRowsAreDamaged(t *testing.T) {
	folder := t.TempDir()
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	err = store.Update(t.Context(), func(tx ingest.Tx) error {
		_, err := tx.Keep([]*protocols.Reading{{ID: "a", Device: "scale-1", Patient: "p-17", Time: noon, Battery: -1, Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{82100}}}, noon)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(language string) (string, error) {
		root := rootCommand()
		var said bytes.Buffer
		root.SetOut(&said)
		root.SetErr(&said)
		root.SetArgs([]string{"check", "--store", "--data", folder, "--language", language})
		err := root.ExecuteContext(t.Context())
		return said.String(), err
	}
	if said, err := check("fr"); err != nil || said != "La base est intacte.\n" {
		t.Errorf("intact: %q (%v)", said, err)
	}
	err = store.Write(t.Context(), func(conn *zombiezen.Conn) error {
		return sqlitex.Execute(conn, "UPDATE journal SET body = substr(body, 1, length(body) - 1) || x'22'", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for language, want := range map[string]string{"fr": "Lignes abîmées : 1.\njournal 1, patient p-17, mesures jusqu'au", "en": "Damaged rows: 1.\njournal 1, patient p-17, readings until"} {
		said, err := check(language)
		if err == nil || !strings.HasPrefix(said, want) {
			t.Errorf("%s: %q (%v)", language, said, err)
		}
	}
}
