package words

import (
	"fmt"
	"strings"
	"time"

	"vigie/protocols"
)

// cadence says how often something is expected.
func (w *narrator) cadence(c protocols.Cadence) string {
	var parts []string
	if c.Every > 0 {
		step := w.length(c.Every)
		if c.EveryParameter != "" {
			step = w.operand(protocols.Operand{Parameter: c.EveryParameter, Value: protocols.Value(c.Every * 1000 / time.Minute)}, "min")
		}
		parts = append(parts, w.say("une valeur toutes les %s", "a value every %s", step))
	}
	if c.Times > 0 {
		parts = append(parts, w.times(c.Times)+" "+w.per(&c))
	}
	if c.Before > 0 {
		parts = append(parts, w.say("avant %s", "before %s", w.clock(c.Before)))
	}
	switch {
	case c.Per == protocols.PerSession:
		parts = append(parts, w.say("au plus %s avant ou après", "at most %s before or after", w.length(c.Grace)))
	case c.Grace > 0:
		parts = append(parts, w.say("avec %s de tolérance", "with %s of grace", w.length(c.Grace)))
	}
	return strings.Join(parts, ", ")
}

func (w *narrator) times(n int) string {
	if n == 1 {
		return w.say("une fois", "once")
	}
	return w.say("%s fois", "%s times", fmt.Sprint(n))
}

func (w *narrator) per(c *protocols.Cadence) string {
	switch c.Per {
	case protocols.PerSession:
		return w.say("par %s", "per %s", c.Of.Title.In(w.language))
	case protocols.PerWeek:
		return w.say("par semaine", "a week")
	}
	return w.say("par jour", "a day")
}

// absence says when missing readings alert.
func (w *narrator) absence(a *protocols.Absence) []string {
	lines := []string{w.say("Mesure attendue : %s, %s.", "Expected reading: %s, %s.", w.awaited(a), w.cadence(a.Cadence))}
	for _, m := range a.Missing {
		lines = append(lines, capital(w.say("%s : dès %s.", "%s: from %s on.", w.levelName(m.Level), w.missing(&a.Cadence, m.Periods))))
	}
	return append(lines, w.say("Cette alerte ne peut pas être désactivée, seulement suspendue avec un motif et une fin.", "This alert cannot be switched off, only paused with a reason and an end."))
}

// awaited names what an absence expects: "systolique au début et pouls au début
// (séance de dialyse)".
func (w *narrator) awaited(a *protocols.Absence) string {
	name := w.measure(a.Measure, a.Variant)
	if len(a.Components) == 0 {
		return name
	}
	text := ""
	for i, component := range a.Components {
		switch {
		case i > 0 && i == len(a.Components)-1:
			text += w.say(" et ", " and ")
		case i > 0:
			text += ", "
		}
		text += a.Measure.Components[component].Title.In(w.language)
	}
	return text + " (" + name + ")"
}

// missing counts the days, weeks or sessions that lack something.
func (w *narrator) missing(c *protocols.Cadence, periods protocols.Operand) string {
	single, several := w.say("1 jour manquant", "1 missing day"), w.say("%s jours manquants de suite", "%s missing days in a row")
	switch {
	case c.Per == protocols.PerSession:
		single, several = w.say("1 séance incomplète", "1 incomplete session"), w.say("%s séances incomplètes de suite", "%s incomplete sessions in a row")
	case c.Per == protocols.PerWeek:
		single, several = w.say("1 semaine incomplète", "1 incomplete week"), w.say("%s semaines incomplètes de suite", "%s incomplete weeks in a row")
	case c.Times > 1:
		single, several = w.say("1 jour incomplet", "1 incomplete day"), w.say("%s jours incomplets de suite", "%s incomplete days in a row")
	}
	if periods == one {
		return single
	}
	return fmt.Sprintf(several, w.operand(periods, "1"))
}
