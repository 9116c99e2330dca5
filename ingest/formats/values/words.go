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

// What is wrong with a value, to a device.
const (
	notTheSum = "the score is not the sum of its parts"
	notWhole  = "only a whole number makes sense"
)

// Told says a reason of a Resolver to a person. It names what an instrument can report
// in the unit of the measure.
func Told(m *protocols.Measure, reason protocols.Reason) protocols.Text {
	return protocols.Text{FR: french(m, reason), EN: reason.Message}
}

func french(m *protocols.Measure, reason protocols.Reason) string {
	name := strings.TrimPrefix(strings.TrimPrefix(reason.Path, "values."), "unit.")
	component := m.Component(name)
	switch reason.Code {
	case protocols.MissingValue:
		return "il manque une valeur"
	case protocols.NotANumber:
		return "ce n'est pas un nombre"
	case protocols.UnknownField:
		return "la mesure n'a pas cette composante"
	case protocols.Malformed:
		return "la composante est donnée deux fois"
	case protocols.UnitMismatch, protocols.UnknownUnit:
		var units []string
		for _, unit := range m.UnitsFor(max(component, 0)) {
			units = append(units, protocols.SpokenUnit(unit).FR)
		}
		return "l'unité n'est pas de cette mesure, qui se donne en " + strings.Join(units, " ou ")
	case protocols.Implausible:
		if reason.Message == notWhole || component < 0 {
			return "seul un nombre entier a un sens"
		}
		c := &m.Components[component]
		return "un appareil peut indiquer de " + c.Low.French() + " à " + protocols.InUnit(c.High.French(), c.Unit, "fr", " ")
	case protocols.Inconsistent:
		for _, rule := range contradictions[m.ID] {
			if rule.message == reason.Message {
				return rule.french
			}
		}
		return "le score n'est pas la somme de ses parties"
	}
	return ""
}
