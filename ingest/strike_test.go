package ingest_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/ingest"
	"vigie/protocols"
)

// of is what a person says of what p1 weighed at a moment.
func of(at time.Time) ingest.Striking {
	return ingest.Striking{Patient: "p1", From: at, To: at.Add(1), Author: "Mme Hoarau", Reason: "son mari"}
}

// goesOn are the rules that hold, as findings tell.
func (s *service) goesOn() []string {
	holds := map[string]bool{}
	for _, f := range s.witness.Findings() {
		switch f.Kind {
		case protocols.Raised, protocols.Resumed:
			holds[f.Rule+" "+f.Episode] = true
		case protocols.Ended, protocols.Withdrawn:
			delete(holds, f.Rule+" "+f.Episode)
		}
	}
	rules := map[string]bool{}
	for key := range holds {
		rule, _, _ := strings.Cut(key, " ")
		rules[rule] = true
	}
	return slices.Sorted(maps.Keys(rules))
}

// The husband stands on the scale. She strikes that out: what it raised is withdrawn in
// her name, a re-send stays struck out, and the scale may tell the right weight.
func TestAReadingIsStruckOut(t *testing.T) {
	s := begin(t)
	him := start.Add(-time.Hour)
	s.send("scale-1", weight("a", start.Add(-24*time.Hour), 70))
	s.send("scale-1", weight("b", him, 105))
	expect(t, "found", s.found(), []string{"raised weight-high", "raised weight-gain"})
	tried, err := s.TryStrike(t.Context(), of(him), false)
	if err != nil || len(tried.Readings) != 1 || len(tried.Findings) != 2 || tried.Findings[0].Kind != protocols.Withdrawn || len(s.found()) != 2 {
		t.Fatalf("tried: %+v, %v; found %v", tried, err, s.found())
	}
	struck, err := s.Strike(t.Context(), of(him))
	if err != nil || len(struck) != 1 || struck[0].ID != "b" {
		t.Fatalf("struck out: %v, %v", struck, err)
	}
	expect(t, "found", s.found()[2:], []string{"withdrawn weight-high", "withdrawn weight-gain"})
	if f := s.witness.Findings()[2]; f.Author != "Mme Hoarau" || f.Reason != "son mari" {
		t.Errorf("by %q, for %q", f.Author, f.Reason)
	}
	s.receipts.take(t, 2)
	s.restart()
	s.send("scale-1", weight("b", him, 105))
	expect(t, "a re-send", s.receipts.take(t, 1), []string{"b duplicate"})
	s.send("scale-1", weight("b", him, 70.2))
	expect(t, "the right weight", s.receipts.take(t, 1), []string{"b accepted"})
	expect(t, "found after that", len(s.found()), 4)
	if _, err := s.Unstrike(t.Context(), of(him)); !errors.Is(err, ingest.ErrReplaced) {
		t.Errorf("undone beside what replaces it: %v", err)
	}
	errands, err := s.store.OpenErrands(t.Context())
	if err != nil || len(errands) != 2 || errands[0].Kind != ingest.Strike || errands[1].Kind != ingest.Unstrike || errands[1].After != 3 {
		t.Errorf("for InfluxDB: %+v, %v", errands, err)
	}
}

// What a struck reading had ended goes on; undone, it is over again.
func TestWhatAStruckReadingHadEndedGoesOn(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(-3*time.Hour), 105))
	s.send("scale-1", weight("b", start.Add(-2*time.Hour), 70))
	if _, err := s.Strike(t.Context(), of(start.Add(-2*time.Hour))); err != nil {
		t.Fatal(err)
	}
	expect(t, "found", s.found(), []string{"raised weight-high", "ended weight-high", "resumed weight-high", "revised weight-high"})
	s.restart()
	if _, err := s.Unstrike(t.Context(), of(start.Add(-2*time.Hour))); err != nil {
		t.Fatal(err)
	}
	expect(t, "found", s.found()[4:], []string{"ended weight-high"})
	s.send("scale-1", weight("c", start.Add(-time.Hour), 106))
	expect(t, "found", s.found()[5:], []string{"raised weight-high", "raised weight-gain"})
}

// One weight came through two gateways: it is struck out with its twin.
func TestATwinIsStruckOutWithIt(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start, 105))
	s.send("scale-0", weight("z", start, 105))
	one := of(start)
	one.Device = "scale-0"
	struck, err := s.Strike(t.Context(), one)
	if err != nil || len(struck) != 2 {
		t.Fatalf("struck out: %v, %v", struck, err)
	}
	expect(t, "goes on", s.goesOn(), []string(nil))
}

func TestWhatCannotBeStruckOutIsSaidToBeSo(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start, 105))
	nobody := of(start)
	nobody.Patient = "p2"
	for _, c := range []struct {
		what string
		do   func() error
		want error
	}{
		{"nothing there", func() error { _, err := s.Strike(t.Context(), of(start.Add(1))); return err }, ingest.ErrNoneToStrike},
		{"another patient", func() error { _, err := s.Strike(t.Context(), nobody); return err }, ingest.ErrNoneToStrike},
		{"not struck out", func() error { _, err := s.Unstrike(t.Context(), of(start)); return err }, ingest.ErrNotStruck},
		{"once", func() error { _, err := s.Strike(t.Context(), of(start)); return err }, nil},
		{"twice", func() error { _, err := s.Strike(t.Context(), of(start)); return err }, ingest.ErrStruckBefore},
	} {
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
}

// Whatever is struck out and taken back, in whatever order readings come and the service
// restarts, what goes on is what would by the readings that are left.
func TestStrikesLeaveWhatTheOtherReadingsSay(t *testing.T) {
	if seed := flag.Lookup("rapid.seed"); seed.Value.String() == seed.DefValue { // the same cases each time
		if err := seed.Value.Set("7"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { seed.Value.Set(seed.DefValue) })
	}
	rapid.Check(t, func(r *rapid.T) {
		count := rapid.IntRange(1, 8).Draw(r, "count")
		at := func(i int) time.Time { return start.Add(time.Duration(i-count) * 7 * time.Hour) }
		kg := make([]float64, count)
		for i := range kg {
			kg[i] = rapid.SampledFrom([]float64{80, 81, 82.5, 99, 101}).Draw(r, "kg")
		}
		ward := func() *service {
			folder, err := os.MkdirTemp(t.TempDir(), "")
			if err != nil {
				r.Fatal(err)
			}
			return prepare(t, folder)
		}
		s := ward()
		defer func() { s.stop() }()
		struck, sent := map[int]bool{}, map[int]bool{}
		for range 3 * count {
			i := rapid.IntRange(0, count-1).Draw(r, "reading")
			var err error
			switch {
			case !sent[i]:
				s.send("scale-1", weight(fmt.Sprint("r", i), at(i), kg[i]))
				sent[i] = true
			case struck[i]:
				_, err = s.Unstrike(t.Context(), of(at(i)))
				struck[i] = false
			default:
				_, err = s.Strike(t.Context(), of(at(i)))
				struck[i] = true
			}
			if err != nil {
				r.Fatal(err)
			}
			if rapid.IntRange(0, 4).Draw(r, "restart") == 0 {
				s.restart()
			}
		}
		left := ward()
		defer left.stop()
		for i := range count {
			if sent[i] && !struck[i] {
				left.send("scale-1", weight(fmt.Sprint("r", i), at(i), kg[i]))
			}
		}
		if got, want := s.goesOn(), left.goesOn(); !slices.Equal(got, want) {
			r.Fatalf("%v goes on, want %v\n%v", got, want, s.found())
		}
	})
}
