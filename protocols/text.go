package protocols

import "fmt"

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
