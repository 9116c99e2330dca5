package rehearsal

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/danger"
	"vigie/protocols/library"
	"vigie/protocols/protocoltest"
)

// TestEveryDangerReachesATeamWithinTheHour has a patient for each line of the table of
// danger that a protocol observes. Each measures once, on a working morning, the first value
// beyond the line, and the team is told within the hour.
func TestEveryDangerReachesATeamWithinTheHour(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(shipped)) {
		t.Run(shipped[id].ID, func(t *testing.T) {
			t.Parallel()
			var patients, sent strings.Builder
			lines, set := danger.Of(shipped[id]), mustBeSet(shipped[id])
			for i, l := range lines {
				fmt.Fprintf(&patients, "  - {id: p%d, protocol: %s, settings: {%s}}\n", i, shipped[id].ID, set)
				fmt.Fprintf(&sent, "      - {patient: p%d, measure: %s, %s}\n", i, l.Measure, protocoltest.ReadingBeyond(l))
			}
			chronicle, _ := play(t, "story: Each danger is told\nstart: 2026-11-02\npatients:\n"+patients.String()+
				"course:\n  - at: day 1 09:00\n    send:\n"+sent.String()+"  - {at: day 1 10:00, told: []}\n", Options{})
			for i, l := range lines {
				told := regexp.MustCompile(fmt.Sprintf(`told: .* to: equipe, why: raised, level: (orange|red), patient: p%d,`, i))
				if !told.MatchString(chronicle) {
					t.Errorf("%s %s at %s reaches nobody", l.Measure, l.Component, l.First())
				}
			}
			if t.Failed() {
				t.Log(chronicle)
			}
		})
	}
}

// mustBeSet are the settings without which nobody can be followed, as a story writes them.
func mustBeSet(p *protocols.Protocol) string {
	var set []string
	for i := range p.Parameters {
		if parameter := &p.Parameters[i]; parameter.MustBeSet {
			set = append(set, parameter.Name+": "+parameter.Default.String())
		}
	}
	return strings.Join(set, ", ")
}
