package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestAPatientIsErasedByHand looks first, erases, and verifies the trail.
func TestAPatientIsErasedByHand(t *testing.T) {
	folder := t.TempDir()
	typedWell(t, folder, "registry", "import", "--author", "Op", "--passwords", filepath.Join(folder, "first.csv"), "../../deploy/registry.yaml")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"patient", "erase", "p-0001", "--dry-run"}, "Rien n'est effacé"},
		{[]string{"patient", "erase", "p-0001", "--dry-run"}, "à effacer (would go)  4  appareils"},
		{[]string{"patient", "erase", "p-0001", "--author", "Mme Hoarau"}, "--reason"},
		{[]string{"consent", "withdraw", "e-0001", "--author", "Mme Hoarau", "--on", "2026-11-02"}, ""},
		{[]string{"patient", "erase", "p-0001", "--author", "Mme Hoarau", "--reason", "demande du 20/11"}, "Effacement (erasure)"},
		{[]string{"patient", "erase", "p-0001", "--dry-run"}, "nothing is kept"},
		{[]string{"audit", "verify"}, "entières"},
	} {
		said, err := typed(t, folder, c.args...)
		if err != nil {
			said += err.Error()
		}
		if !strings.Contains(said, c.says) {
			t.Errorf("%v says %q, want %q", c.args, said, c.says)
		}
	}
}
