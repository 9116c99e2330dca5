package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// TestOpenedBesideAServiceThatFiles has a tool open the store, as the command
// line does, while readings are on their way from the journal into blocks.
func TestOpenedBesideAServiceThatFiles(t *testing.T) {
	const count = 2000
	path := filepath.Join(t.TempDir(), "vigie.db")
	s := open(t, path, Options{Generation: count})
	weight := protocols.MeasureByID("weight")
	keep := func(from, to int) {
		t.Helper()
		var readings []*protocols.Reading
		for i := from; i < to; i++ {
			readings = append(readings, &protocols.Reading{
				ID: fmt.Sprint("r", i), Device: "scale-1", Patient: "p1", Measure: weight, Values: []protocols.Value{80000}, Battery: -1,
				Time: noon.Add(time.Duration(i) * time.Second),
			})
		}
		if err := s.Update(t.Context(), func(tx ingest.Tx) error {
			_, err := tx.Keep(readings, noon)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	keep(0, count)
	<-s.recent.filing.sorted
	keep(count, count+1) // files a share
	if s.recent.filing == nil || s.recent.filing.blocked == 0 {
		t.Fatal("no filing is under way")
	}

	tool, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := tool.Close(); err != nil {
		t.Fatal(err)
	}

	kept := count + 1
	for ; s.recent.filing != nil; kept++ {
		keep(kept, kept+1)
	}
	found := 0
	if err := s.History(t.Context(), "p1", weight, noon, noon.Add(24*time.Hour), func(*protocols.Reading) bool { found++; return true }); err != nil {
		t.Fatal(err)
	}
	if found != kept {
		t.Errorf("%d readings are found of %d that were kept", found, kept)
	}
}
