package language

import (
	"vigie/protocols"
	"vigie/protocols/document"
)

// window reads a duration on measurement time, or a number of civil days: "3d".
func (r *reader) window(at document.Place) protocols.Window {
	text := r.Word(at)
	if text == "" {
		return protocols.Window{}
	}
	days, ok := document.CivilDays(text)
	if !ok {
		return protocols.Window{Length: r.Duration(at)}
	}
	if days < 1 || days > document.MaxDays {
		r.Fault(at, "bad-window", protocols.Say("« %s » est hors des bornes", "%q is out of bounds", text), protocols.Say("de 1d à %dd", "use 1d to %dd", document.MaxDays))
		return protocols.Window{}
	}
	return protocols.Window{Days: days}
}
