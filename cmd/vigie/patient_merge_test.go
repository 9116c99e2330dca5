package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTwoRecordsAreMergedByHand merges two records of one person on the command line, and
// takes that back.
func TestTwoRecordsAreMergedByHand(t *testing.T) {
	folder := t.TempDir()
	sample, err := os.ReadFile("../../deploy/registry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Replace(string(sample), "\ndevices:", `
  - id: p-0099
    identity: {ins: "279035121518989", oid: 1.2.250.1.213.1.4.10, birth_name: ROUX, given_names: INES, first_given_name: INES, sex: F, birth_date: "1979-03-12", birth_place: "51215"}
devices:`, 1)
	file := filepath.Join(folder, "registry.yaml")
	if err := os.WriteFile(file, []byte(second), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, said, err := registryLine(t, folder, "import", "--author", "Op", "--passwords", filepath.Join(folder, "first.csv"), file); err != nil {
		t.Fatal(err, said)
	}
	signed := []string{"--author", "Mme Hoarau", "--reason", "saisie deux fois"}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"merge", "p-0099", "p-0001", "--dry-run"}, "would be"},
		{[]string{"unmerge", "p-0099"}, "merged with no other"},
		{[]string{"merge", "p-0099", "p-0001"}, "merged into) p-0001"},
		{[]string{"merge", "p-0001", "p-0099"}, "already"},
		{[]string{"unmerge", "p-0099"}, "taken back"},
	} {
		out, said, err := byHand(t, folder, append(append([]string{"patient"}, c.args...), signed...)...)
		if err != nil {
			said += err.Error()
		}
		if !strings.Contains(out+said, c.says) {
			t.Errorf("%v says %q %q, want %q", c.args, out, said, c.says)
		}
		if c.says == "merged into) p-0001" {
			carriedMerged(t, folder)
		}
	}
	if _, _, err := byHand(t, folder, "patient", "merge", "p-0099", "p-0001"); err == nil {
		t.Error("records are merged without a name or a reason")
	}
}

// carriedMerged carries two records that are merged into an empty Vigie, with the registry
// and by their archives: they are merged there, by whom and for the same reason.
func carriedMerged(t *testing.T, folder string) {
	t.Helper()
	export := func(folder string) string {
		t.Helper()
		return typedWell(t, folder, "registry", "export", "--author", "Op", "--reason", "déménagement")
	}
	merges := func(folder string) string {
		t.Helper()
		_, merges, _ := strings.Cut(export(folder), "\nmerges:\n")
		return merges
	}
	kept := merges(folder)
	if !strings.Contains(kept, "from: p-0099") || !strings.Contains(kept, "saisie deux fois") || !strings.Contains(kept, "Mme Hoarau") {
		t.Fatalf("the export says of merges: %q", kept)
	}
	elsewhere := t.TempDir()
	file := write(t, elsewhere, "all.yaml", export(folder))
	for _, unchanged := range []bool{false, true} {
		if said := typedWell(t, elsewhere, "registry", "import", file, "--dry-run"); unchanged == strings.Contains(said, "patient p-0099: merged: — → p-0001") {
			t.Errorf("a dry run, imported before %v, says of merges: %s", unchanged, said)
		}
		said := typedWell(t, elsewhere, "registry", "import", file, "--author", "Op")
		if unchanged != strings.Contains(said, "0 added, 0 changed") {
			t.Errorf("imported once more %v: %s", unchanged, said)
		}
		if got := merges(elsewhere); got != kept {
			t.Errorf("carried with the registry: %q, want %q", got, kept)
		}
	}
	bad := write(t, elsewhere, "bad.yaml", strings.Replace(export(folder), "into: p-0001", "into: p-0002", 1))
	if out, err := typed(t, elsewhere, "registry", "import", bad, "--author", "Op"); err == nil {
		t.Errorf("merged into a record that is not there: %s", out)
	}

	elsewhere = t.TempDir()
	for _, c := range []struct{ patient, says string }{{"p-0001", "with the archive of) p-0099"}, {"p-0099", "merged into) p-0001"}} {
		archive := filepath.Join(elsewhere, c.patient+".zip")
		typedWell(t, folder, "patient", "export", c.patient, "--author", "Op", "--reason", "déménagement", "--output", archive)
		said := typedWell(t, elsewhere, "patient", "import", archive, "--author", "Op", "--passwords", archive+".csv")
		if !strings.Contains(said, c.says) {
			t.Errorf("the archive of %s: %s", c.patient, said)
		}
	}
	if got := merges(elsewhere); got != kept {
		t.Errorf("carried by archives: %q, want %q", got, kept)
	}
}
