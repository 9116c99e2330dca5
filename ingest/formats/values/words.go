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
	return protocols.Text{FR: french(m, reason), EN: english(m, reason)}
}

// english is what a device is told, but for units: people do not read UCUM.
func english(m *protocols.Measure, reason protocols.Reason) string {
	component := componentOf(m, reason.Path)
	switch {
	case reason.Code == protocols.UnitMismatch || reason.Code == protocols.UnknownUnit:
		return "the unit does not belong to this measure, which is given in " + strings.Join(spokenUnits(m, component, "en"), " or ")
	case reason.Code == protocols.Implausible && reason.Message != notWhole && component >= 0:
		c := &m.Components[component]
		return "a device can report " + c.Low.String() + " to " + protocols.InUnit(c.High.String(), c.Unit, "en", " ")
	}
	return reason.Message
}

// componentOf is the component that a path names; negative for none.
func componentOf(m *protocols.Measure, path string) int {
	return m.Component(strings.TrimPrefix(strings.TrimPrefix(path, "values."), "unit."))
}

// spokenUnits are the units in which a component may be given, as people write them.
func spokenUnits(m *protocols.Measure, component int, language string) (units []string) {
	for _, unit := range m.UnitsFor(max(component, 0)) {
		units = append(units, protocols.SpokenUnit(unit).In(language))
	}
	return units
}

func french(m *protocols.Measure, reason protocols.Reason) string {
	component := componentOf(m, reason.Path)
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
		return "l'unité n'est pas de cette mesure, qui se donne en " + strings.Join(spokenUnits(m, component, "fr"), " ou ")
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
