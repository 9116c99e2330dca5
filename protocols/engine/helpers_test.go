package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigie/protocols"
)

func stateOf(t testing.TB, p *protocols.Protocol, e protocols.Enrolment) *State {
	t.Helper()
	plan, err := NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := plan.For(e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// told writes findings as lines: "raised yellow 07:00".
func told(findings []protocols.Finding, zone *time.Location) string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", f.Rule, f.Kind, f.Level, f.At.In(zone).Format("02/01 15:04")))
	}
	return strings.Join(lines, "\n")
}

func expectTold(t *testing.T, findings []protocols.Finding, want ...string) {
	t.Helper()
	if got := told(findings, paris); got != strings.Join(want, "\n") {
		t.Errorf("found:\n%s\nexpected:\n%s", got, strings.Join(want, "\n"))
	}
}
