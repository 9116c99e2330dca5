package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A story that expects nothing is no success; told line by line, it may expect nothing.
func TestAStoryThatExpectsNothing(t *testing.T) {
	const story = "histoire: Une saturation\ndébut: 2026-11-02\npatients: [{id: anne, protocole: copd}]\ndéroulé:\n  - à: jour 1 09:00\n    envoi: {mesure: oxygen-saturation, valeur: 96}\n"
	for text, want := range map[string]bool{
		story: false,
		story + "  - à: jour 1 10:00\n    prévenus: []\n": true,
	} {
		file := filepath.Join(t.TempDir(), "story.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, verbose := range []bool{false, true} {
			var out bytes.Buffer
			root := rootCommand()
			root.SetOut(&out)
			args := []string{"rehearse", file}
			if verbose {
				args = append(args, "--verbose")
			}
			root.SetArgs(args)
			if err := root.ExecuteContext(t.Context()); (err == nil) != (want || verbose) || strings.Contains(out.String(), "n'attend rien") != (!want && !verbose) {
				t.Errorf("verbose %v: %v\n%s", verbose, err, out.String())
			}
		}
	}
}
