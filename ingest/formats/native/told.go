package native

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigie/ingest/formats/values"
	"vigie/protocols"
	"vigie/protocols/written"
)

// sent is what Told reads of a payload.
type sent struct {
	Measure string                     `json:"measure"`
	Time    string                     `json:"time"`
	Unit    json.RawMessage            `json:"unit"`
	Values  map[string]json.RawMessage `json:"values"`
}

// Told says to a person what a reading that was refused holds, and what is wrong with it:
// "Envoyé : poids 761,2 kg, daté du 27 nov. à 06:15. Un appareil peut indiquer de 2 à
// 400 kg." It is empty for a payload that is no reading of a known measure.
func Told(payload []byte, reason protocols.Reason) protocols.Text {
	var s sent
	if json.Unmarshal(payload, &s) != nil {
		return protocols.Text{}
	}
	m := protocols.MeasureByID(s.Measure)
	if m == nil {
		return protocols.Text{}
	}
	if i := strings.Index(reason.Path, "values."); i > 0 { // in a message of several readings
		reason.Path = reason.Path[i:]
	}
	wrong := values.Told(m, reason)
	return protocols.Text{FR: s.said(m, "fr") + sentence(wrong.FR), EN: s.said(m, "en") + sentence(wrong.EN)}
}

// said is what was sent: "Envoyé : systolique 84, diastolique 131, daté du 27 nov. à 05:50."
func (s *sent) said(m *protocols.Measure, language string) string {
	var parts []string
	for i := range m.Components {
		c := &m.Components[i]
		number, has := s.number(c.Name, language)
		if !has {
			continue
		}
		name := c.Title.In(language)
		if len(m.Components) == 1 {
			name, number = m.Title.In(language), s.inUnit(number, language)
		}
		parts = append(parts, name+" "+number)
	}
	start, dated := "Envoyé : ", "daté du %s à %s"
	if language == "en" {
		start, dated = "Sent: ", "dated %s at %s"
	}
	if at, err := time.Parse(time.RFC3339, s.Time); err == nil {
		parts = append(parts, fmt.Sprintf(dated, written.Day(language, at), at.Format("15:04")))
	}
	if len(parts) == 0 {
		return ""
	}
	return start + strings.Join(parts, ", ") + "."
}

// number is a value as it was sent, with the comma of the language.
func (s *sent) number(component, language string) (string, bool) {
	var n json.Number
	if json.Unmarshal(s.Values[component], &n) != nil || n == "" || s.Values[component][0] == '"' {
		return "", false
	}
	text := strings.Replace(n.String(), "-", "−", 1)
	if language == "fr" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text, true
}

// inUnit puts the unit that was sent behind a number, where there is one for the whole.
func (s *sent) inUnit(number, language string) string {
	var unit string
	if json.Unmarshal(s.Unit, &unit) != nil || unit == "" {
		return number
	}
	return protocols.InUnit(number, protocols.Canonical(unit), language, " ")
}

// sentence makes one of what values.Told says; empty for nothing.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	return " " + string(unicode.ToUpper(first)) + text[size:] + "."
}
