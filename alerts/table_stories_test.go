package alerts_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// storiesOfTheTable names the story of each row of the table. Its patients bear the names
// of the states: each of them is one cell.
var storiesOfTheTable = map[string]string{
	"a further reading":          "table-encore-la",
	"a graver figure":            "table-plus-grave",
	"a reading after the rest":   "table-apres-le-repos",
	"a reading after the lapse":  "table-trois-semaines",
	"a rise to red":              "table-monte-au-rouge",
	"its end":                    "table-finit",
	"it had not ended":           "table-pas-finie",
	"the next episode, soon":     "table-episode-bientot",
	"the next episode, later":    "table-episode-plus-tard",
	"the next episode, red":      "table-episode-rouge",
	"the next episode, yellow":   "table-episode-jaune",
	"the next episode, too late": "table-trop-tard",
	"another version finds it":   "table-autre-version",
	"a backfill":                 "table-mesures-d-avant",
	"the same finding":           "table-renvoyee",
	"its reading is struck out":  "table-rayee",
	"the strike is undone":       "table-rayee",
	"one of several is":          "table-rayee-en-partie",
	"a day passes":               "table-un-jour-passe",
	"two weeks pass":             "table-deux-semaines-passent",
	"another team":               "table-autre-equipe",
	"the patient is merged":      "table-dossier-reuni",
	"the patient is away":        "table-hopital",
	"consent is withdrawn":       "table-consentement",
	"take on":                    "table-prendre",
	"release":                    "table-rendre",
	"assign":                     "table-attribuer",
	"transfer":                   "table-transmettre",
	"transfer to nobody":         "table-transmettre",
	"note":                       "table-noter",
	"call back":                  "table-rappeler",
	"snooze":                     "table-mettre-de-cote",
	"snooze too long":            "table-mettre-de-cote-longtemps",
	"close":                      "table-clore",
	"undo at once":               "table-annuler",
	"undo later":                 "table-annuler",
	"another undoes it":          "table-annuler",
	// What the rules of alerts do not see, and people do.
	"the threshold is changed": "table-seuil-releve",
	"another device":           "table-appareil-change",
}

// Each cell of the table is a patient of a story, and each story of the table has its row.
func TestEachCellOfTheTableHasItsStory(t *testing.T) {
	const folder = "../seeds/stories"
	named := map[string]bool{}
	for _, h := range happenings {
		if _, ok := storiesOfTheTable[h.name]; !ok {
			t.Errorf("the row %q has no story: write one into %s, and name it in storiesOfTheTable", h.name, folder)
		}
	}
	for row, name := range storiesOfTheTable {
		named[name] = true
		story, err := os.ReadFile(filepath.Join(folder, name+".yaml"))
		if err != nil {
			t.Errorf("the story of the row %q: %v", row, err)
			continue
		}
		for _, state := range []string{"rien", "ouverte", "ouverte-finie", "prise", "prise-finie", "de-cote", "close", "close-finie", "passee"} {
			if !strings.Contains(string(story), "{id: "+state+",") {
				t.Errorf("%s has no patient %q", name, state)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "table-*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); !named[name] {
			t.Errorf("no row of the table names %s", name)
		}
	}
}
