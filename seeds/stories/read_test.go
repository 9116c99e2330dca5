package stories

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const english = `story: A reading, an act, a look
start: 2026-11-02
patients:
  - {id: anne, protocol: copd, from: day -3}
course:
  - at: day 2 09:00
    send: {measure: oxygen-saturation, every: 1d, value: [94, 86]}
  - at: day 3 10:00
    acknowledge: {rule: saturation-low, by: Nurse Petit}
    told: [{to: equipe, why: raised, level: orange}]
    list: [{rule: saturation-low, state: acknowledged}]
`

const inFrench = `histoire: A reading, an act, a look
début: 2026-11-02
patients:
  - {id: anne, protocole: copd, depuis: jour -3}
déroulé:
  - à: jour 2 09:00
    envoi: {mesure: oxygen-saturation, tous_les: 1d, valeur: [94, 86]}
  - à: jour 3 10:00
    prend: {règle: saturation-low, par: Nurse Petit}
    prévenus: [{to: equipe, pourquoi: nouvelle, niveau: orange}]
    liste: [{règle: saturation-low, situation: prise}]
`

func TestFrenchAndEnglishTellTheSameStory(t *testing.T) {
	var told [2]*Story
	for i, text := range []string{english, inFrench} {
		story, problems := Read([]byte(text))
		if story == nil {
			t.Fatalf("%v", problems)
		}
		places(story)
		told[i] = story
	}
	if len(told[0].Course) != 5 || !reflect.DeepEqual(told[0].Course, told[1].Course) {
		t.Errorf("English:\n%+v\nFrench:\n%+v", told[0].Course, told[1].Course)
	}
	for _, story := range told {
		if from := story.Care.Patients[0].Get("from"); from == nil || from.Text != "2026-10-28T23:00:00Z" {
			t.Errorf("she is followed from %+v, want 29 October, midnight in Paris", from)
		}
	}
}

// places forgets columns, which differ with the length of words.
func places(story *Story) {
	for i := range story.Course {
		step := &story.Course[i]
		step.Column = 0
		if step.Told != nil {
			for j := range step.Told.Messages {
				step.Told.Messages[j].Column = 0
			}
		}
		if step.List != nil {
			for j := range step.List.Rows {
				row := &step.List.Rows[j]
				row.Column = 0
				for k := range row.Fields {
					row.Fields[k].Column = 0
				}
			}
		}
	}
}

func TestWhatIsWrittenOnceAsASeriesHappensInTheOrderOfTime(t *testing.T) {
	story, problems := Read([]byte(strings.Replace(english, "day 3 10:00\n    ack", "day 2 10:00\n    ack", 1)))
	if story == nil {
		t.Fatal(problems)
	}
	if last := story.Course[len(story.Course)-1]; last.Send == nil || !story.End.Equal(last.At) {
		t.Errorf("it ends at %v with %+v, want the second reading, on day 3 at 09:00", story.End, last)
	}
}

func TestAMistakeIsToldWithItsPlace(t *testing.T) {
	for _, mistake := range []struct{ was, is, place, said string }{
		{"story: A", "stroy: A", "1:1", `"stroy" is not known here`},
		{"story: A reading, an act, a look\n", "", "1:1", `"story" is missing`},
		{"start: 2026-11-02", "start: monday", "2:8", `"monday" is not a date`},
		{"day 2 09:00", "day two", "6:9", "not a moment"},
		{"measure: oxygen-saturation", "measure: oxygen", "7:21", "oxygen"},
		{"at: day 3 10:00", "at: day 1", "8:9", "order of time"},
		{"acknowledge:", "aknowledge:", "9:5", "nothing that may happen"},
		{"by: Nurse Petit", "note: x", "9:18", `"by" is missing`},
		{"why: raised", "because: raised", "10:25", "not known here"},
		{"list: [{rule: saturation-low, state: acknowledged}]", "service: reboot", "11:14", "stop, start, kill"},
		{"acknowledged}]", "acknowledged}", "11:", "YAML"},
	} {
		story, problems := Read([]byte(strings.Replace(english, mistake.was, mistake.is, 1)))
		if story != nil || len(problems) == 0 {
			t.Errorf("%q is read", mistake.is)
			continue
		}
		p := problems[0]
		if place := fmt.Sprintf("%d:%d", p.Line, p.Column); !strings.HasPrefix(place, mistake.place) || !strings.Contains(p.Message.In("en"), mistake.said) {
			t.Errorf("%q: told at %s %q, want %s and %q", mistake.is, place, p.Message.In("en"), mistake.place, mistake.said)
		}
		if p.Message.FR == "" {
			t.Errorf("%q: nothing is said in French", mistake.is)
		}
	}
}

// TestTheGuideNamesEveryKeyInBothLanguages holds the table at the end of the guide to
// the words that are read.
func TestTheGuideNamesEveryKeyInBothLanguages(t *testing.T) {
	guide, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := frenchTable()
	if _, table, _ := strings.Cut(string(guide), "## In French\n\n"); table != want {
		t.Errorf("the guide has:\n%s\nwant:\n%s", table, want)
	}
}

// frenchTable is what the guide ends with.
func frenchTable() string {
	var out strings.Builder
	out.WriteString("| clé | key |\n|---|---|\n")
	for _, word := range slices.Sorted(maps.Keys(french)) {
		if word != french[word] {
			fmt.Fprintf(&out, "| `%s` | `%s` |\n", word, french[word])
		}
	}
	out.WriteString("\nMots (words) :\n\n")
	for _, key := range slices.Sorted(maps.Keys(frenchWords)) {
		var pairs []string
		for _, word := range slices.Sorted(maps.Keys(frenchWords[key])) {
			pairs = append(pairs, fmt.Sprintf("%s (%s)", word, frenchWords[key][word]))
		}
		fmt.Fprintf(&out, "- `%s` : %s\n", key, strings.Join(pairs, ", "))
	}
	out.WriteString("\nUn moment s'écrit aussi `jour 3 07:30`.\n")
	return out.String()
}
