package protocols

import (
	"fmt"
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
		r.fault(at, "bad-duration", fmt.Sprintf("%q: a length of time is not counted in days here, as two days of a year have 23 or 25 hours", text), inHours(text))
	case err != nil:
		r.fault(at, "bad-duration", fmt.Sprintf("%q is not a length of time", text), "write 90s, 15m, 24h or 1h30m")
	case d <= 0 || d > maxDays*24*time.Hour:
		r.fault(at, "bad-duration", fmt.Sprintf("%q is out of bounds", text), fmt.Sprintf("use a length of time above 0 and up to %dh", maxDays*24))
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

func inHours(text string) string {
	if days, ok := civilDays(text); ok {
		return fmt.Sprintf("write %dh", days*24)
	}
	return "write it in hours, as 24h"
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
		r.fault(at, "bad-window", fmt.Sprintf("%q is out of bounds", text), fmt.Sprintf("use 1d to %dd", maxDays))
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
		r.fault(at, "bad-time", fmt.Sprintf("%q is not a time of day", text), "write it as \"12:00\"; leave it out for the end of the day")
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
		hint := "write a number, and its unit after a space: 54 mg/dL"
		if strings.ContainsRune(text, ',') {
			hint = "write the decimals after a point: 1.5"
		}
		r.fault(at, "bad-number", fmt.Sprintf("%q is not a number", text), hint)
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
		r.fault(at, "unit-mismatch", fmt.Sprintf("the unit here is %s, not %s", unitName(unit), given), "write the number in "+unitName(unit))
		return 0
	}
	return r.value(at, f)
}

// value brings a number into thousandths.
func (r *reader) value(at place, f float64) Value {
	v, ok := Of(f)
	if !ok {
		r.fault(at, "bad-number", "this number is too large", "")
		return 0
	}
	return v
}

// unitName is how a unit is called in a complaint.
func unitName(unit string) string {
	if unit == "1" || unit == "" {
		return "1 (a plain count)"
	}
	return unit
}
