package words

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigie/protocols"
)

// operand is a number with its unit, and a word when it may be set or has been
// set for the patient.
func (w *narrator) operand(o protocols.Operand, unit string) string {
	if o.Parameter == "" {
		return w.quantity(o.Value, unit)
	}
	if s, set := w.settings[o.Parameter]; set && s.Date.IsZero() {
		return w.multiple(o, s.Value, unit, w.say("proposé", "proposed"))
	} else if set {
		return w.multiple(o, s.Value, unit, w.say("réglé pour ce patient", "set for this patient"))
	}
	p := w.protocol.Parameter(o.Parameter)
	alone := o.Value
	if o.Factor != 0 && p != nil {
		alone = p.Default
	}
	if p != nil && p.MustBeSet {
		times := ""
		if o.Factor != 0 && o.Factor != 1000 && o.Factor != -1000 {
			times = w.say("%s fois ", "%s times ", w.number(o.Factor))
		}
		return times + w.say("« %s » (à régler pour chaque patient)", "“%s” (to be set for each patient)", p.Title.In(w.language))
	}
	if p != nil && w.named {
		return w.multiple(o, alone, unit, w.say("réglable : %s", "may be set: %s", p.Title.In(w.language)))
	}
	return w.multiple(o, alone, unit, w.say("réglable", "may be set"))
}

// multiple is a setting as often as an operand takes it, and where it comes from: "3,4 kg
// (1,7 fois 2 kg, réglable)".
func (w *narrator) multiple(o protocols.Operand, setting protocols.Value, unit, source string) string {
	whole := setting
	if o.Factor != 0 {
		whole = protocols.Value(protocols.RoundedRatio(int64(o.Factor)*int64(setting), 1000))
	}
	if o.Factor != 0 && o.Factor != 1000 && o.Factor != -1000 {
		source = w.say("%s fois %s, %s", "%s times %s, %s", w.number(o.Factor), w.quantity(setting, unit), source)
	}
	return w.quantity(whole, unit) + " (" + source + ")"
}

func (w *narrator) quantity(v protocols.Value, unit string) string {
	return protocols.InUnit(w.number(v), unit, w.language, " ")
}

func (w *narrator) number(v protocols.Value) string {
	text := v.String()
	if w.language != "en" {
		text = v.French()
	}
	return strings.Replace(text, "-", "−", 1)
}

// over is the window: " sur 3 jours", " en 24 h".
func (w *narrator) over(c *protocols.Comparison) string {
	switch {
	case c.Window.Days == 1:
		return w.say(" dans la journée", " during the day")
	case c.Window.Days > 1:
		return w.say(" sur %s", " over %s", w.days(c.Window.Days))
	case c.Window.Length > 0:
		return w.say(" en %s", " in %s", w.length(c.Window.Length))
	}
	return ""
}

func (w *narrator) days(n int) string {
	if n == 1 {
		return w.say("1 jour", "1 day")
	}
	return w.say("%s jours", "%s days", fmt.Sprint(n))
}

// length is a length of time: "30 min", "24 h", "1 h 30".
func (w *narrator) length(d time.Duration) string {
	if day := 24 * time.Hour; d >= 3*day && d%day == 0 {
		return w.days(int(d / day))
	}
	hours, minutes, seconds := int(d/time.Hour), int(d%time.Hour/time.Minute), int(d%time.Minute/time.Second)
	switch {
	case hours > 0 && minutes > 0:
		return fmt.Sprintf("%d h %02d", hours, minutes)
	case hours > 0:
		return fmt.Sprintf("%d h", hours)
	case minutes > 0 && seconds > 0:
		return fmt.Sprintf("%d min %02d s", minutes, seconds)
	case minutes > 0:
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d s", seconds)
}

func (w *narrator) clock(d time.Duration) string {
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	if w.language == "en" {
		return fmt.Sprintf("%d:%02d", hours, minutes)
	}
	if minutes == 0 {
		return fmt.Sprintf("%d h", hours)
	}
	return fmt.Sprintf("%d h %02d", hours, minutes)
}

// capital begins a sentence.
func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
