package main

import (
	"regexp"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelpIsInFrenchFirstAndInEnglishBeside reads the help of every command: one
// line in French with the English behind it, and a French paragraph before the
// English ones. Flags, like keys and codes, are English.
func TestHelpIsInFrenchFirstAndInEnglishBeside(t *testing.T) {
	line := regexp.MustCompile(`^[A-ZÀÉ].* \([a-z].*\)$`)
	french, english := regexp.MustCompile(`(?i)\b(les?|la|une?|des|du)\b`), regexp.MustCompile(`(?i)\b(the|and|what|with)\b`)
	var read func(*cobra.Command)
	read = func(command *cobra.Command) {
		if !line.MatchString(command.Short) {
			t.Errorf("%s: %q is not « en français (in English) »", command.CommandPath(), command.Short)
		}
		if long := command.Long; long != "" {
			f, e := french.FindStringIndex(long), english.FindStringIndex(long)
			if f == nil || e == nil || f[0] > e[0] {
				t.Errorf("%s: its help is not in French, then in English:\n%s", command.CommandPath(), long)
			}
		}
		for _, beneath := range command.Commands() {
			read(beneath)
		}
	}
	read(rootCommand())
}
