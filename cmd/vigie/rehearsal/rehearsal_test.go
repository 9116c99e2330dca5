package rehearsal

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"vigie/deploy/servers"
	"vigie/seeds/stories"
)

var postgres servers.SharedPostgres

func TestMain(m *testing.M) { os.Exit(postgres.Run(m)) }

// TestStories plays every story that ships, on both stores.
func TestStories(t *testing.T) {
	for _, store := range []string{"SQLite", "PostgreSQL"} {
		t.Run(store, func(t *testing.T) {
			for name, text := range shipped(t) {
				t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
					t.Parallel()
					var options Options
					if store == "PostgreSQL" {
						options.Postgres = postgres.Schema(t)
					}
					if _, result := play(t, text, options); !result.Passed() {
						t.Errorf("it came otherwise:\n%s", said(&result, "seeds/stories/"+name))
					}
				})
			}
		})
	}
}

// TestStoriesComeOutTheSameWhenTheServiceIsKilled kills the service at every sixth
// moment at which something is due.
func TestStoriesComeOutTheSameWhenTheServiceIsKilled(t *testing.T) {
	for name, text := range shipped(t) {
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			t.Parallel()
			moments, kills := 0, 0
			kill := func() bool {
				moments++
				if moments%6 != 0 {
					return false
				}
				kills++
				return true
			}
			if _, result := play(t, text, Options{Kill: kill}); !result.Passed() {
				t.Errorf("killed %d times, it came otherwise:\n%s", kills, said(&result, "seeds/stories/"+name))
			}
		})
	}
}

// TestNothingIsDueBetweenTheJumpsOfTheClock walks minute by minute through stories in
// which a bit of everything becomes due.
func TestNothingIsDueBetweenTheJumpsOfTheClock(t *testing.T) {
	all := shipped(t)
	for _, name := range []string{"astreinte-sans-reponse.yaml", "close-trop-vite-puis-plus-grave.yaml", "tour-de-garde.yaml", "messagerie-en-panne.yaml", "escalade-due-pendant-la-panne.yaml"} {
		if _, result := play(t, all[name], Options{Walk: time.Minute}); !result.Passed() {
			t.Errorf("minute by minute %s came otherwise:\n%s", name, said(&result, "seeds/stories/"+name))
		}
	}
}

// shipped are the stories that ship, by the name of their file.
func shipped(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(stories.FS, "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	all := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(stories.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(data)
	}
	return all
}

// play plays a story, and returns its chronicle.
func play(t *testing.T, text string, options Options) (chronicle string, result Result) {
	t.Helper()
	story, problems := stories.Read([]byte(text))
	if story == nil {
		t.Fatalf("the story cannot be read: %v", problems)
	}
	var out bytes.Buffer
	options.Chronicle = &out
	result, err := Play(t.Context(), story, options)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String(), result
}

func said(result *Result, file string) string {
	var out strings.Builder
	for _, p := range result.Problems {
		fmt.Fprintf(&out, "%s:%d:%d: %s\n", file, p.Line, p.Column, p.Message.In("en"))
	}
	for i := range result.Differences {
		out.WriteString(result.Differences[i].Text(file, "en"))
	}
	return out.String()
}

// rang is a story in which one alert rings; more goes on after it.
const rang = `story: One alert rings
only: [saturation-low]
patients: [{id: anne, protocol: copd}]
course:
  - at: day 1 09:00
    send: {measure: oxygen-saturation, every: 30m, value: [86, 85]}
`

func TestEveryDifferenceIsTold(t *testing.T) {
	for _, wrong := range []struct{ story, said string }{
		{"", "came     {at: day 1 09:15, to: equipe, why: raised, level: orange, patient: anne, rule: saturation-low}"},
		{"  - {at: day 1 10:00, told: [{to: equipe}, {to: astreinte}]}", "expected {to: astreinte}"},
		{"  - {at: day 1 10:00, told: [{level: red}]}", "expected {level: red}"},
		{"  - {at: day 1 10:00, told: [{at: day 1 09:16}]}", "expected {at: day 1 09:16}"},
		{"  - {at: day 1 10:00, told: [{before: day 1 09:14}]}", "expected {before: day 1 09:14}"},
		{"  - {at: day 1 10:00, told: [{subject: Nouvelle alerte}], list: []}", "came     {patient: anne, rule: saturation-low, level: orange"},
		{"  - {at: day 1 10:00, told: [{subject: Nouvel orage}]}", "expected {subject: Nouvel orage}"},
		{"  - {at: day 1 10:00, list: [{level: red}]}", "expected {level: red}"},
		{"  - {at: day 1 10:00, alert: {rule: saturation-low, state: resolved}}", "there is no such alert"},
		{"  - {at: day 1 10:00, alert: {rule: saturation-low, at: day 1 09:16}}", "otherwise: at"},
		{"  - {at: day 1 10:00, alert: {rule: saturation-low, says: lumbago}}", "does not say so"},
		{"  - {at: day 1 10:00, alert: {rule: saturation-low, events: [raised, risen]}}", "something else has happened"},
		{"  - {at: day 1 10:00, alert: {rule: saturation-low, none: true}}", "there is such an alert"},
		{"  - {at: day 1 10:00, acknowledge: {rule: no-answer, by: Petit}}", "no alert to do this to"},
		{"  - {at: day 1 10:00, acknowledge: {rule: saturation-low, by: Petit, refused: worse-since}}", "answered otherwise"},
		{"  - {at: day 1 10:00, send: {measure: oxygen-saturation, value: 94, verdict: duplicate}}", "told otherwise"},
	} {
		_, result := play(t, rang+wrong.story, Options{})
		if got := said(&result, "a.yaml"); !strings.Contains(got, wrong.said) {
			t.Errorf("%s\nsaid:\n%s\nwant %q", wrong.story, got, wrong.said)
		}
	}
}

func TestAPatientWhoCannotBeFollowedIsToldWithThePlace(t *testing.T) {
	_, result := play(t, strings.Replace(rang, "protocol: copd", "protocol: copd, settings: {saturation-very-low: 12}", 1), Options{})
	if got := said(&result, "a.yaml"); !strings.Contains(got, "a.yaml:3:") || !strings.Contains(got, "saturation-very-low") {
		t.Errorf("said:\n%s\nwant line 3 and the setting", got)
	}
}

func TestReadingsTakenWhileTheServiceIsAwayComeAfterItsReturn(t *testing.T) {
	for _, end := range []string{"stop", "kill"} {
		_, result := play(t, rang+`
  - {at: day 1 10:00, told: [{to: equipe}]}
  - {at: day 1 11:00, service: `+end+`}
  - at: day 1 11:30
    send: {measure: oxygen-saturation, every: 1h, value: [86, 86]}
  - {at: day 1 13:00, service: start}
  - {at: day 1 13:00, alert: {rule: saturation-low, occurrences: 2}}
  - {at: day 1 13:01, alert: {rule: saturation-low, occurrences: 4}}
`, Options{})
		if !result.Passed() {
			t.Errorf("after %s:\n%s", end, said(&result, "a.yaml"))
		}
	}
}

func TestMailsWaitWhileTheServerIsAway(t *testing.T) {
	_, result := play(t, `story: The mail server is away
only: [saturation-low]
patients: [{id: anne, protocol: copd}]
teams: [{id: equipe, webhook: true}]
course:
  - {at: day 1 08:50, mailbox: down}
  - at: day 1 09:00
    send: {measure: oxygen-saturation, every: 30m, value: [86, 85]}
  - {at: day 1 09:40, told: [{to: webhook, at: day 1 09:15}]}
  - {at: day 1 10:00, mailbox: up}
  - {at: day 1 10:20, told: [{to: equipe}]}
`, Options{})
	if !result.Passed() {
		t.Error(said(&result, "a.yaml"))
	}
}
