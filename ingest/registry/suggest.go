package registry

import (
	"fmt"
)

// nearest returns a suggestion naming the word closest to a misspelt one, or
// nothing when none is close.
func nearest(word string, known []string) string {
	best, least := "", 1+len(word)/3
	for _, candidate := range known {
		if d := distance(word, candidate); d <= least && (best == "" || d < least) {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// distance is how many letters have to be put in, taken out or changed to make
// one word of the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
