package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/protocols"
)

// A husband has stepped on the scale of his wife. An operator gives him his weight by one
// command, beside the service that runs; where it cannot be used for him nothing changes.
func TestAReadingIsGivenByHandToThePatientWhoseItIs(t *testing.T) {
	folder, ends := aWard(t)
	began := time.Now().AddDate(0, 0, -7).Format(time.DateOnly)
	typedWell(t, folder, "patient", "add", "p-2", "--birth-name", "ROUX", "--given-names", "PAUL", "--sex", "M", "--birth-date", "1950-03-27", "--birth-place", "51215", "--author", "Op")
	typedWell(t, folder, "device", "add", "scale-his", "--serial", "S-2", "--kind", "scale", "--brand", "B", "--model", "M", "--passwords", filepath.Join(folder, "his.csv"), "--author", "Op")
	typedWell(t, folder, "enrolment", "add", "e-2", "--patient", "p-2", "--protocol", "heart-failure", "--team", "cardio", "--physician", "10001234565", "--device", "scale-his", "--from", began, "--consented", began, "--until", ends.Format(time.DateOnly), "--scope", "poids", "--author", "Op")
	s := serveOn(t, folder)
	defer s.Close()
	remote := []string{"--service", s.Page(), "--token-file", tokenOf(t, folder)}
	at := time.Now().Add(-48 * time.Hour).UTC().Truncate(time.Second)
	file := filepath.Join(folder, "weights.csv")
	text := fmt.Sprintf("when,kg\n%s,62.1\n%s,88.4\n", at.Add(-24*time.Hour).Format(time.RFC3339), at.Format(time.RFC3339))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	line := append([]string{"import", file, "--measure", "weight", "--column", "kg", "--time-column", "when", "--patient", "p-1", "--device", "scale-1"}, remote...)
	if out, err := readingsLine(t, line...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	weights := func() (list []string) {
		t.Helper()
		for _, patient := range []string{"p-1", "p-2"} {
			err := s.Store().History(t.Context(), patient, protocols.MeasureByID("weight"), time.Time{}, time.Now(), func(r *protocols.Reading) bool {
				list = append(list, fmt.Sprintf("%s %s %s %v", patient, r.Device, r.Values[0], r.Struck))
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return list
	}
	before := []string{"p-1 scale-1 62.1 false", "p-1 scale-1 88.4 false"}
	rehome := append([]string{"rehome", "--patient", "p-1", "--at", at.Format(time.RFC3339), "--into", "p-2"}, remote...)
	for said, more := range map[string][]string{
		"--as-device":       {"--reason", "son mari"},
		"--reason":          {"--as-device", "scale-his"},
		"unacceptable":      {"--as-device", "scale-1", "--reason", "son mari"}, // she has it
		"no-such-reading":   {"--as-device", "scale-his", "--reason", "son mari", "--measure", "heart-rate"},
		"--measure \"mud\"": {"--as-device", "scale-his", "--reason", "son mari", "--measure", "mud"},
	} {
		if _, err := readingsLine(t, append(slices.Clone(rehome), more...)...); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%v: %v, want %s", more, err, said)
		}
	}
	if got := weights(); !slices.Equal(got, before) {
		t.Fatalf("after what was refused: %v", got)
	}
	out, err := readingsLine(t, append(slices.Clone(rehome), "--as-device", "scale-his", "--reason", "son mari")...)
	if err != nil || !strings.Contains(out, "weight scale-1") || !strings.Contains(out, ": p-1 → p-2\n--batch \"") {
		t.Errorf("%v\n%s", err, out)
	}
	if got, want := weights(), append(before[:1:1], "p-1 scale-1 88.4 true", "p-2 scale-his 88.4 false"); !slices.Equal(got, want) {
		t.Errorf("given: %v, want %v", got, want)
	}
	found := typedWell(t, folder, "audit", "search", "--patient", "p-2", "--limit", "0")
	if !strings.Contains(found, "readings/rehome") {
		t.Errorf("the trail of who was given it:\n%s", found)
	}
}
