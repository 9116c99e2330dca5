package protocols

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Text is a sentence in French, with its English beside it.
type Text struct {
	FR string `json:"fr"`
	EN string `json:"en,omitempty"`
}

// In returns the text in a language, "fr" or "en"; French where the other is
// missing.
func (t Text) In(language string) string {
	if language == "en" && t.EN != "" {
		return t.EN
	}
	return t.FR
}

// Say is a text with its gaps filled. Both languages take the same values in the
// same order; a Text is said in each of them.
func Say(fr, en string, gaps ...any) Text {
	if len(gaps) == 0 {
		return Text{FR: fr, EN: en}
	}
	french, english := slices.Clone(gaps), slices.Clone(gaps)
	for i, gap := range gaps {
		switch gap := gap.(type) {
		case Text:
			french[i], english[i] = gap.FR, gap.EN
		case Value:
			french[i] = gap.French()
		case string:
			french[i] = OneLine(gap)
		}
	}
	return Text{FR: fmt.Sprintf(fr, french...), EN: fmt.Sprintf(en, english...)}
}

// OneLine is what « » may hold: a word of a file can carry the end of a line,
// or what drives a terminal.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if Unprintable(r) {
			return ' '
		}
		return r
	}, s)
}

// Unprintable reports whether a character has no place in what people read: it controls
// a terminal or the direction of writing, or stands for bytes that are no text.
func Unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar
}

// Level says how soon a care team should look. The words are neutral on
// purpose: those of IEC 60601-1-8 promise an immediate response.
type Level uint8

// The levels, in rising order. Technical is apart: it is about a device or a
// transmission, never about the patient's state.
const (
	NoLevel   Level = iota
	Technical       // "technique"
	Yellow          // "à surveiller"
	Orange          // "à traiter"
	Red             // "à traiter en priorité"
)

var levelNames = [...]string{"none", "technical", "yellow", "orange", "red"}

// String returns the name used in protocols, JSON and the database.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// MarshalText writes the name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a name; it returns an error that lists the names.
func (l *Level) UnmarshalText(text []byte) error {
	got, err := ParseLevel(string(text))
	if err != nil {
		return err
	}
	*l = got
	return nil
}

// ParseLevel reads the name of a level.
func ParseLevel(name string) (Level, error) {
	for i, known := range levelNames {
		if name == known {
			return Level(i), nil
		}
	}
	return NoLevel, fmt.Errorf("%q is not a level: use technical, yellow, orange or red", name)
}
