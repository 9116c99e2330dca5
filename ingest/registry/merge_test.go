package registry

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func (h held) Merges(context.Context) ([]Merge, error) { return h.reg.Merges, nil }

func (h held) EnrolmentsOf(_ context.Context, patient string) ([]Enrolment, error) {
	return slices.DeleteFunc(slices.Clone(h.reg.Enrolments), func(e Enrolment) bool { return e.Patient != patient }), nil
}

// secondInto is a file that says of the two records of the ward that they are one person.
func secondInto(at string) string {
	return "merges:\n  - {from: p-2, into: p-1, author: Op, reason: entered twice, at: " + at + "}\n"
}

func TestAFileMergesNobodyWhoIsFollowedTwice(t *testing.T) {
	kept, _ := check(t, ward, nil)
	ended := strings.Replace(ward[strings.Index(ward, "enrolments:"):], "prescription_end: 2026-06-30", "prescription_end: 2026-01-31", 1)
	for name, c := range map[string]struct {
		file  string
		known Registry
		code  string
	}{
		"both are followed in the registry":             {secondInto("2026-02-01T00:00:00Z"), kept, MergeFollowed},
		"both are followed in the file":                 {ward + secondInto("2026-02-01T00:00:00Z"), Registry{}, MergeFollowed},
		"one had ended":                                 {secondInto("2026-07-02T00:00:00Z"), kept, ""},
		"the file ends one":                             {ended + secondInto("2026-02-02T00:00:00Z"), kept, ""},
		"the other is merged with somebody else":        {secondInto("2026-07-02T00:00:00Z"), with(kept, Merge{From: "p-1", Into: "p-3"}), MergeBefore},
		"it is merged with somebody else":               {secondInto("2026-07-02T00:00:00Z"), with(kept, Merge{From: "p-2", Into: "p-3"}), MergeBefore},
		"it stands already, whatever happened since":    {secondInto("2026-02-01T00:00:00Z"), with(kept, Merge{From: "p-2", Into: "p-1"}), ""},
		"a third record of the person is followed, too": {secondInto("2026-07-02T00:00:00Z"), third(kept), MergeFollowed},
	} {
		_, problems := check(t, c.file, held{c.known})
		codes := make([]string, len(problems))
		for i := range problems {
			codes[i] = problems[i].Code
		}
		if c.code == "" && len(codes) > 0 || c.code != "" && !slices.Equal(codes, []string{c.code}) {
			t.Errorf("%s: %v, want %q", name, problems, c.code)
		}
	}
}

func with(kept Registry, m Merge) Registry {
	kept.Merges = []Merge{m}
	return kept
}

// third has a third record merged into the first, which is followed as the second is.
func third(kept Registry) Registry {
	kept = with(kept, Merge{From: "p-3", Into: "p-1"})
	e, first := kept.Enrolments[1], kept.Enrolments[0]
	e.ID, e.Patient, e.Prescription = "e-3", "p-2", time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)
	first.ID, first.Patient = "e-4", "p-3"
	kept.Enrolments = []Enrolment{first, e}
	return kept
}

func TestADryRunShowsWhatItMerges(t *testing.T) {
	kept, _ := check(t, ward, nil)
	at := secondInto("2026-07-02T00:00:00Z")
	for name, c := range map[string]struct {
		known Registry
		want  []Difference
	}{
		"two records that are apart": {kept, []Difference{{Item: "patient p-2", Field: "merged", After: "p-1"}}},
		"a merge that stands":        {with(kept, Merge{From: "p-2", Into: "p-1"}), nil},
	} {
		reg, problems := check(t, at, held{c.known})
		changed, err := Differences(t.Context(), Remembering(held{c.known}), &reg)
		if err != nil || len(problems) > 0 || !slices.Equal(changed, c.want) {
			t.Errorf("%s: %+v, %v %v, want %+v", name, changed, err, problems, c.want)
		}
	}
}
