package protocols

import "strings"

// TitleOf is the title of a rule for a patient with these settings: a place such as
// {severe-threshold} holds the patient's own value, or else the default, with its unit.
func (p *Protocol) TitleOf(rule *Rule, settings Settings) Text {
	if rule.TitlePlaces == (Text{}) {
		return rule.Title
	}
	in := func(language string) string {
		said, _ := FillPlaces(rule.TitlePlaces.In(language), func(place SentencePlace) (string, bool) {
			parameter := p.Parameter(place.Value)
			if parameter == nil {
				return "", false
			}
			number := p.Value(&Operand{Parameter: parameter.Name}, settings)
			written := number.String()
			if language != "en" {
				written = number.French()
			}
			return InUnit(strings.Replace(written, "-", "−", 1), parameter.Unit, language, " "), true
		})
		return said
	}
	title := Text{FR: in("fr")}
	if rule.TitlePlaces.EN != "" {
		title.EN = in("en")
	}
	return title
}
