package language

import (
	"regexp"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

// inDays is a number of days as a person may write it: "3", "3 jours", "3j", "3 days".
var inDays = regexp.MustCompile(`^([0-9]+) ?(?:j|jours?|days?)?$`)

// window reads a duration on measurement time, or a number of civil days: "3d".
func (r *reader) window(at document.Place) protocols.Window {
	text := r.Word(at)
	if text == "" {
		return protocols.Window{}
	}
	days, ok := document.CivilDays(text)
	if !ok {
		if written := inDays.FindStringSubmatch(text); written != nil {
			r.Fault(at, "bad-duration", protocols.Say("« %s » n'est pas une durée", "%q is not a length of time", text), protocols.Say("écrire %sd pour des jours civils, ou une durée comme 24h", "write %sd for civil days, or a length of time such as 24h", written[1]))
			return protocols.Window{}
		}
		return protocols.Window{Length: r.Duration(at)}
	}
	if days < 1 || days > document.MaxDays {
		r.Fault(at, "bad-window", protocols.Say("« %s » est hors des bornes", "%q is out of bounds", text), protocols.Say("de 1d à %dd", "use 1d to %dd", document.MaxDays))
		return protocols.Window{}
	}
	return protocols.Window{Days: days}
}

// hours reads a part of the day: {from: "05:00", to: "09:00"}.
func (r *protocolReader) hours(at document.Place) protocols.Hours {
	if !at.Present() || !r.Open(at, hoursForm) {
		return protocols.Hours{}
	}
	clock := func(at document.Place) time.Duration {
		d, ok := document.ClockTime(r.Word(at))
		if !ok {
			r.Fault(at, "bad-time", protocols.Say("« %s » n'est pas une heure du jour", "%q is not a time of day", at.Node.Text), protocols.Say("l'écrire ainsi : \"05:00\"", "write it as \"05:00\""))
		}
		return d
	}
	if !at.Key("from").Present() || !at.Key("to").Present() {
		return protocols.Hours{} // Open has said so
	}
	h := protocols.Hours{From: clock(at.Key("from")), To: clock(at.Key("to"))}
	if h.From == h.To {
		r.Fault(at, "bounds", protocols.Say("de %s à %s, c'est le jour entier", "from %s to %s is the whole day", at.Key("from").Node.Text, at.Key("to").Node.Text), protocols.Say("enlever hours", "remove hours"))
	}
	return h
}

// hoursFit notes hours, or a moment by a meal, beside what needs to know how many readings
// are expected.
func (r *protocolReader) hoursFit(at document.Place, c *protocols.Comparison) {
	if c.Meal != "" && (c.Floor > 0 || c.Statistic.Row().Expected) {
		r.Fault(at.Key("meal"), "not-together", protocols.Say("on ne sait pas combien de mesures sont attendues à ce moment", "how many readings are expected at this moment is not known"), protocols.Say("enlever meal, ou demander un nombre de mesures avec count", "remove meal, or ask for a number of readings with count"))
	}
	if c.Hours != (protocols.Hours{}) && (c.Floor > 0 || c.Statistic.Row().Expected) {
		r.Fault(at.Key("hours"), "not-together", protocols.Say("on ne sait pas combien de mesures sont attendues à ces heures", "how many readings are expected at these hours is not known"), protocols.Say("enlever hours, ou demander un nombre de mesures avec count", "remove hours, or ask for a number of readings with count"))
	}
}
