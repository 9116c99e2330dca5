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
	}
	if _, _, err := byHand(t, folder, "patient", "merge", "p-0099", "p-0001"); err == nil {
		t.Error("records are merged without a name or a reason")
	}
}
