package values

import (
	"strings"

	"vigie/protocols"
)

// limitWords are the words that devices and their exports write where they cannot show
// a number, in English, French and German. No word says which number it stands for.
var limitWords = map[string]protocols.Limit{
	"low": protocols.LessThan, "lo": protocols.LessThan, "bas": protocols.LessThan, "niedrig": protocols.LessThan,
	"high": protocols.MoreThan, "hi": protocols.MoreThan, "haut": protocols.MoreThan, "élevé": protocols.MoreThan, "hoch": protocols.MoreThan,
}

// LimitWord is the limit that a word stands for, Measured for any other text.
func LimitWord(text string) protocols.Limit {
	return limitWords[strings.ToLower(strings.TrimSpace(text))]
}

// NotANumber says what is wrong with a value that is no number. For a word such as
// "LOW" it says how to send what the word means.
func NotANumber(word protocols.Limit) string {
	switch word {
	case protocols.LessThan:
		return `this has to be a number, or {"below": N} with the lowest number that the device shows: {"below": 40}`
	case protocols.MoreThan:
		return `this has to be a number, or {"above": N} with the highest number that the device shows: {"above": 400}`
	}
	return "this has to be a finite number"
}
