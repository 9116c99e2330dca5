package document

import (
	"strings"

	"vigie/protocols"
)

// Suggest names the nearest of the known words, or lists them all when none is
// near.
func Suggest(text string, known []string) protocols.Text {
	if near := Nearest(text, known); near != (protocols.Text{}) {
		return near
	}
	return OneAmong(known)
}

// Nearest names the nearest of the known words; it is empty when none is near. It is
// for words that are too many to list, as patients are.
func Nearest(text string, known []string) protocols.Text {
	best, distance := "", len(text)/3+2
	for _, k := range known {
		if d := spellingDistance(text, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return protocols.Text{}
	}
	return protocols.Say("vouliez-vous dire « %s » ?", "did you mean %q?", best)
}

// OneAmong asks for one of some words.
func OneAmong(words []string) protocols.Text {
	known := strings.Join(words, ", ")
	return protocols.Say("l'un de ceux-ci : %s", "use one of %s", known)
}

// spellingDistance is the number of letters to add, drop or change between two
// words (Levenshtein), underscores and hyphens being the same letter.
func spellingDistance(a, b string) int {
	x, y := []rune(strings.ReplaceAll(a, "_", "-")), []rune(strings.ReplaceAll(b, "_", "-"))
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
