package protocols

import (
	"strconv"
	"strings"
	"time"
)

// maxDays bounds every window and duration of a protocol.
const maxDays = 400

// duration reads 90s, 15m, 24h or 1h30m, with or without a space before the
// unit; zero when it is absent.
func (r *reader) duration(at place) time.Duration {
	text := r.word(at)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(goDuration(text))
	switch {
	case err != nil && strings.HasSuffix(text, "d"):
		r.fault(at, "bad-duration", say("« %s » : une durée ne se compte pas en jours ici, car deux jours de l'année ont 23 ou 25 heures", "%q: a length of time is not counted in days here, as two days of a year have 23 or 25 hours", text), inHours(text))
	case err != nil:
		r.fault(at, "bad-duration", say("« %s » n'est pas une durée", "%q is not a length of time", text), say("écrire 90s, 15m, 24h ou 1h30m", "write 90s, 15m, 24h or 1h30m"))
	case d <= 0 || d > maxDays*24*time.Hour:
		r.fault(at, "bad-duration", say("« %s » est hors des bornes", "%q is out of bounds", text), say("employer une durée au-dessus de 0, et de %dh au plus", "use a length of time above 0 and up to %dh", maxDays*24))
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

func inHours(text string) Text {
	if days, ok := civilDays(text); ok {
		return say("écrire %dh", "write %dh", days*24)
	}
	return say("l'écrire en heures, comme 24h", "write it in hours, as 24h")
}

// civilDays reads "3d".
func civilDays(text string) (int, bool) {
	digits, ok := strings.CutSuffix(text, "d")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	return n, err == nil
}

// window reads a duration on measurement time, or a number of civil days: "3d".
func (r *reader) window(at place) Window {
	text := r.word(at)
	if text == "" {
		return Window{}
	}
	days, ok := civilDays(text)
	if !ok {
		return Window{Length: r.duration(at)}
	}
	if days < 1 || days > maxDays {
		r.fault(at, "bad-window", say("« %s » est hors des bornes", "%q is out of bounds", text), say("de 1d à %dd", "use 1d to %dd", maxDays))
		return Window{}
	}
	return Window{Days: days}
}

// clock reads a local time of day, "12:00".
func (r *reader) clock(at place) time.Duration {
	text := r.word(at)
	if text == "" {
		return 0
	}
	d, ok := clockTime(text)
	if !ok || d == 0 {
		r.fault(at, "bad-time", say("« %s » n'est pas une heure du jour", "%q is not a time of day", text), say("l'écrire ainsi : \"12:00\" ; ne rien mettre pour la fin du jour", "write it as \"12:00\"; leave it out for the end of the day"))
		return 0
	}
	return d
}

func clockTime(text string) (time.Duration, bool) {
	t, err := time.Parse("15:04", text)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil
}

// number reads a number and the unit behind it, as it is written.
func (r *reader) number(at place) (f float64, unit string, ok bool) {
	text := r.word(at)
	if text == "" {
		return 0, "", false
	}
	f, unit, ok = splitQuantity(text)
	if !ok {
		hint := say("écrire un nombre, puis son unité après une espace : 54 mg/dL", "write a number, and its unit after a space: 54 mg/dL")
		if strings.ContainsRune(text, ',') {
			hint = say("écrire les décimales après un point : 1.5", "write the decimals after a point: 1.5")
		}
		r.fault(at, "bad-number", say("« %s » n'est pas un nombre", "%q is not a number", text), hint)
	}
	return f, unit, ok
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
	return f, Canonical(strings.TrimSpace(text[end:])), true
}

// plain reads a number that may only carry the one unit.
func (r *reader) plain(at place, unit string) Value {
	f, given, ok := r.number(at)
	if !ok {
		return 0
	}
	if given != "" && given != unit {
		r.fault(at, "unit-mismatch", say("l'unité est ici %s, et non %s", "the unit here is %s, not %s", unitName(unit), given), writtenIn(unitName(unit)))
		return 0
	}
	return r.value(at, f)
}

// value brings a number into thousandths.
func (r *reader) value(at place, f float64) Value {
	v, ok := Of(f)
	if !ok {
		r.fault(at, "bad-number", say("ce nombre est trop grand", "this number is too large"), Text{})
		return 0
	}
	return v
}

// unitName is how a unit is called in a complaint.
func unitName(unit string) Text {
	if unit == "1" || unit == "" {
		return say("1 (un simple compte)", "1 (a plain count)")
	}
	return Text{FR: onOneLine(unit), EN: onOneLine(unit)}
}

// writtenIn asks for a unit, by its name or as a Text.
func writtenIn(unit any) Text {
	return say("écrire le nombre en %s", "write the number in %s", unit)
}
