package document

import (
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
)

// MaxDays bounds every window and duration of a protocol.
const MaxDays = 400

// Duration reads 90s, 15m, 24h or 1h30m, with or without a space before the
// unit; zero when it is absent.
func (r *Reader) Duration(at Place) time.Duration {
	text := r.Word(at)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(goDuration(text))
	switch {
	case err != nil && strings.HasSuffix(text, "d"):
		r.Fault(at, "bad-duration", protocols.Say("« %s » : une durée ne se compte pas en jours ici, car deux jours de l'année ont 23 ou 25 heures", "%q: a length of time is not counted in days here, as two days of a year have 23 or 25 hours", text), inHours(text))
	case err != nil:
		r.Fault(at, "bad-duration", protocols.Say("« %s » n'est pas une durée", "%q is not a length of time", text), protocols.Say("écrire 90s, 15m, 24h ou 1h30m", "write 90s, 15m, 24h or 1h30m"))
	case d <= 0 || d > MaxDays*24*time.Hour:
		r.Fault(at, "bad-duration", protocols.Say("« %s » est hors des bornes", "%q is out of bounds", text), protocols.Say("employer une durée au-dessus de 0, et de %dh au plus", "use a length of time above 0 and up to %dh", MaxDays*24))
	default:
		return d
	}
	return 0
}

// goDuration turns "15 min" into "15m".
func goDuration(text string) string {
	text = strings.ReplaceAll(text, " ", "")
	return strings.ReplaceAll(text, "min", "m")
}

func inHours(text string) protocols.Text {
	if days, ok := CivilDays(text); ok {
		return protocols.Say("écrire %dh", "write %dh", days*24)
	}
	return protocols.Say("l'écrire en heures, comme 24h", "write it in hours, as 24h")
}

// CivilDays reads "3d".
func CivilDays(text string) (int, bool) {
	digits, ok := strings.CutSuffix(text, "d")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	return n, err == nil
}

// Clock reads a local time of day, "12:00".
func (r *Reader) Clock(at Place) time.Duration {
	text := r.Word(at)
	if text == "" {
		return 0
	}
	d, ok := ClockTime(text)
	if !ok || d == 0 {
		r.Fault(at, "bad-time", protocols.Say("« %s » n'est pas une heure du jour", "%q is not a time of day", text), protocols.Say("l'écrire ainsi : \"12:00\" ; ne rien mettre pour la fin du jour", "write it as \"12:00\"; leave it out for the end of the day"))
		return 0
	}
	return d
}

// ClockTime reads "12:00" and reports whether it is a time of day.
func ClockTime(text string) (time.Duration, bool) {
	t, err := time.Parse("15:04", text)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil
}

// Day reads a date; empty when it is absent.
func (r *Reader) Day(at Place) string {
	text := r.Word(at)
	if text == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		r.Fault(at, "bad-date", protocols.Say("« %s » n'est pas une date", "%q is not a date", text), protocols.Say("l'écrire ainsi : 2026-01-31", "write it as 2026-01-31"))
		return ""
	}
	return text
}

// Number reads a number and the unit behind it, as it is written.
func (r *Reader) Number(at Place) (f float64, unit string, ok bool) {
	text := r.Word(at)
	if text == "" {
		return 0, "", false
	}
	f, unit, ok = splitQuantity(text)
	if !ok {
		hint := withPoint(text)
		if hint == (protocols.Text{}) {
			hint = protocols.Say("écrire un nombre, puis son unité après une espace : 54 mg/dL", "write a number, and its unit after a space: 54 mg/dL")
		}
		r.Fault(at, "bad-number", protocols.Say("« %s » n'est pas un nombre", "%q is not a number", text), hint)
	}
	return f, unit, ok
}

// withPoint is how a number with a comma is written; empty where there is none.
func withPoint(text string) protocols.Text {
	if !strings.ContainsRune(text, ',') {
		return protocols.Text{}
	}
	return protocols.Say("écrire les décimales après un point : %s", "write the decimals after a point: %s", strings.Replace(text, ",", ".", 1))
}

// splitQuantity reads "54 mg/dL" or "54".
func splitQuantity(text string) (f float64, unit string, ok bool) {
	end := 0
	for end < len(text) && strings.IndexByte("+-.0123456789", text[end]) >= 0 {
		end++
	}
	f, err := strconv.ParseFloat(text[:end], 64)
	if err != nil || strings.HasPrefix(text[end:], ",") {
		return 0, "", false
	}
	return f, protocols.Canonical(strings.TrimSpace(text[end:])), true
}

// Plain reads a number that may only carry the one unit.
func (r *Reader) Plain(at Place, unit string) protocols.Value {
	f, given, ok := r.Number(at)
	if !ok {
		return 0
	}
	if given != "" && given != unit {
		r.Fault(at, "unit-mismatch", protocols.Say("l'unité est ici %s, et non %s", "the unit here is %s, not %s", UnitName(unit), given), WrittenIn(UnitName(unit)))
		return 0
	}
	return r.Value(at, f)
}

// Value brings a number into thousandths.
func (r *Reader) Value(at Place, f float64) protocols.Value {
	v, ok := protocols.Of(f)
	if !ok {
		r.Fault(at, "bad-number", protocols.Say("ce nombre est trop grand", "this number is too large"), protocols.Text{})
		return 0
	}
	return v
}

// UnitName is how a unit is called in a complaint.
func UnitName(unit string) protocols.Text {
	if unit == "1" || unit == "" {
		return protocols.Say("1 (un simple compte)", "1 (a plain count)")
	}
	return protocols.Text{FR: protocols.OneLine(unit), EN: protocols.OneLine(unit)}
}

// WrittenIn asks for a unit, by its name or as a Text.
func WrittenIn(unit any) protocols.Text {
	return protocols.Say("écrire le nombre en %s", "write the number in %s", unit)
}
