package main

import (
	"path/filepath"
	"strings"
	"testing"

	"vigie/alerts/workspace/archive"
)

// TestAnIdentityIsValidatedByHand adds a patient without a matricule, gives him one that says
// another place of birth, confirms that, validates the identity and corrects a name.
func TestAnIdentityIsValidatedByHand(t *testing.T) {
	folder := t.TempDir()
	signed := func(args ...string) []string {
		return append(append([]string{"patient"}, args...), "--author", "Mme Hoarau")
	}
	byHandWell(t, folder, signed("add", "p-1", "--birth-name", "Noël", "--given-names", "Inès Marie", "--sex", "F", "--birth-date", "1979-03-12", "--birth-place", "51216")...)
	exported := func() string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "p-1.zip")
		typedWell(t, folder, signed("export", "p-1", "--reason", "demande", "--output", file)...)
		in, err := archive.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var all []string
		for _, name := range []string{"identity.csv", "registry.yaml", "LISEZMOI.txt"} {
			text, err := in.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(text))
		}
		return strings.Join(all, "\n")
	}
	identity := func() []string {
		t.Helper()
		return strings.Split(strings.TrimSpace(byHandWell(t, folder, signed("identity", "p-1", "--reason", "relecture")...)), "\n")
	}
	if rows := identity(); len(rows) != 1 || !strings.Contains(rows[0], "provisional") || !strings.Contains(rows[0], "NOEL") || !strings.Contains(rows[0], "INES MARIE") || !strings.Contains(rows[0], "sans matricule") {
		t.Errorf("at first %q", rows)
	}
	const ins = "279035121518989" // of somebody born in 51215
	byHandWell(t, folder, signed("correct", "p-1", "--ins", ins, "--oid", "1.2.250.1.213.1.4.10")...)
	if _, said, err := byHand(t, folder, signed("correct", "p-1", "--status", "validated")...); err == nil || !strings.Contains(said, "confirmed: [birth_place]") {
		t.Errorf("an identity that its matricule contradicts was validated: %v %s", err, said)
	}
	if left := exported(); strings.Contains(left, ins) || !strings.Contains(left, "Noël") || !strings.Contains(left, "NOEL") {
		t.Errorf("what leaves of a provisional identity:\n%s", left)
	}
	byHandWell(t, folder, signed("correct", "p-1", "--status", "validated", "--confirm", "birth_place")...)
	if left := exported(); strings.Count(left, ins) != 2 || !strings.Contains(left, "validated") {
		t.Errorf("what leaves of a qualified identity:\n%s", left)
	}
	if rows := identity(); len(rows) != 3 || !strings.Contains(rows[2], "validated, qualified") || !strings.Contains(rows[2], "Mme Hoarau") {
		t.Errorf("validated %q", rows)
	}
	byHandWell(t, folder, signed("correct", "p-1", "--birth-name", "Noëlle")...)
	if rows := identity(); len(rows) != 4 || !strings.Contains(rows[3], "provisional") || !strings.Contains(rows[3], "NOELLE") {
		t.Errorf("a name that nobody has checked: %q", rows)
	}
	if left := exported(); strings.Contains(left, ins) {
		t.Error("the matricule leaves with a name that nobody has checked")
	}
}
