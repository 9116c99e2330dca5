package words

import (
	"slices"
	"time"

	"vigie/protocols"
)

// since is how long a change took, or how long something has held: what the readings span
// where they are all known, else what was looked at. A change or a count is told in so many
// days, a mean over them.
func (t *saying) since(in *tongue, c *protocols.Comparison, came *protocols.Compared) string {
	if worn := t.worn(c, came); worn > 0 {
		return in.worn(worn)
	}
	switch {
	case c.Daily():
		days := int(t.protocol.Value(&c.Days, t.enrolment.Settings) / 1000)
		if days == 1 {
			return in.pick("sur 1 jour", "over 1 day")
		}
		return in.pick("%s de suite", "%s in a row", in.some(days, in.days))
	case c.Statistic == protocols.Step && c.Window == (protocols.Window{}):
		return in.pick("depuis la mesure d'avant", "since the reading before")
	case c.Lasting > 0:
		return durationWords(c.Lasting)
	case c.Window.Days > 0 && c.Moves() && c.Minus == nil:
		return in.within(c.Window.Days-1, t.moved(came))
	case c.Window.Days > 0 && c.Statistic.Row().Gives == protocols.GivesNumber: // 3 times in 7 days, however long somebody is followed
		return in.within(c.Window.Days, nil)
	case c.Window.Days > 0:
		if days := t.spanned(came, c.Window.Days); days > 0 {
			return in.along(c, in.some(days, in.days))
		}
		return in.within(0, nil)
	case c.Window.Length > 0:
		if took := t.moved(came); took != nil && c.Minus == nil && took.days() == 0 {
			return in.took(took.long())
		} else if took != nil && c.Minus == nil {
			return in.within(0, took)
		}
		return in.along(c, in.length(c.Window.Length))
	}
	return ""
}

// along is a length of time: a mean is told over it, a change, a trend, a count or a share in it. French
// grades are "1 sur 3" already.
func (in *tongue) along(c *protocols.Comparison, long string) string {
	state := c.Statistic.Row().Gives == protocols.GivesLevel
	if state && (c.Minus != nil || !c.Moves()) && c.Unit() != "{score}" {
		return in.pick("sur %s", "over %s", long)
	}
	return in.pick("en %s", "in %s", long)
}

// took is how long a move within one day took: "en 90 min", "en 12 h 37".
func (in *tongue) took(d time.Duration) string {
	if d < time.Minute {
		return in.pick("en moins d'une minute", "within a minute")
	}
	return in.pick("en ", "in ") + in.spell(d)
}

// spell is a duration to the minute: "90 min", "12 h 37".
func (in *tongue) spell(d time.Duration) string {
	d = d.Round(time.Minute)
	if d < 2*time.Hour || d%time.Hour == 0 {
		return durationWords(d)
	}
	return in.pick("%d h %02d", "%d h %d min", int(d/time.Hour), int(d%time.Hour/time.Minute))
}

// worn is how much time the readings of a window tell of, where the comparison asks how much
// of it they cover: a sensor that is a few hours old has not seen the whole of it. 0 where
// they tell of nearly all, and where a sentence on a sensor that is little worn says it.
func (t *saying) worn(asked *protocols.Comparison, c *protocols.Compared) time.Duration {
	window := asked.Window.Length + time.Duration(asked.Window.Days)*24*time.Hour
	worn := time.Duration(c.Count) * t.protocol.UsualStep(asked.Measure, asked.Variant, t.enrolment.Settings)
	little := func(c protocols.Compared) bool {
		return c.Statistic == protocols.Wear && (c.Operator == protocols.Below || c.Operator == protocols.AtMost)
	}
	if asked.Floor == 0 || asked.Daily() || worn > window/10*9 || slices.ContainsFunc(t.why.Comparisons, little) {
		return 0
	}
	return worn
}

// worn is time of which readings tell: "sur 8 h 20 mesurées", "sur 9 jours mesurés".
func (in *tongue) worn(d time.Duration) string {
	if day := 24 * time.Hour; d >= 2*day {
		return in.pick("sur %s mesurés", "over %s measured", in.some(int((d+day/2)/day), in.days))
	}
	return in.pick("sur %s mesurées", "over %s measured", in.spell(d))
}

// within is a number of civil days: that of a move, where it is known.
func (in *tongue) within(days int, took *move) string {
	if took != nil {
		days = took.days()
	}
	if days < 1 {
		return in.pick("dans la journée", "within the day")
	}
	return in.pick("en %s", "in %s", in.some(days, in.days))
}

// inWindow is the window behind a number.
func (t *saying) inWindow(in *tongue, asked *protocols.Comparison, c *protocols.Compared) string {
	if worn := t.worn(asked, c); worn > 0 {
		return " " + in.worn(worn)
	}
	return in.inWindow(asked, t.spanned(c, asked.Window.Days))
}

func (in *tongue) inWindow(c *protocols.Comparison, days int) string {
	switch {
	case c.Window.Days > 0 && days > 0:
		return " " + in.along(c, in.some(days, in.days))
	case c.Window.Days > 0:
		return in.pick(" dans la journée", " within the day")
	case c.Window.Length > 0:
		return " " + in.along(c, in.length(c.Window.Length))
	}
	return ""
}

// move is from when to when a value has moved, where the patient lives.
type move struct{ from, to time.Time }

func (m *move) long() time.Duration { return m.to.Sub(m.from) }

func (m *move) days() int { return civilDays(m.from, m.to) }

// civilDays counts the midnights between two times.
func civilDays(from, to time.Time) int {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(day(to).Sub(day(from)) / (24 * time.Hour))
}

// moved finds the two readings of a move among those that are cited: the latest, and the one
// nearest to it with the value from which it moved. Nil where either is not there.
func (t *saying) moved(c *protocols.Compared) *move {
	to := t.latest(c)
	if to == nil || c.Moved == nil || to.Values[c.Component] != c.Moved.To {
		return nil
	}
	for i := len(t.why.Readings) - 1; i >= 0; i-- {
		r := &t.why.Readings[i]
		if v, has := r.Values[c.Component]; has && r.Measure == c.Measure && v == c.Moved.From && r.Time.Before(to.Time) && !r.Time.Before(c.From) {
			return &move{r.Time.In(t.enrolment.Zone), to.Time.In(t.enrolment.Zone)}
		}
	}
	return nil
}

// spanned is over how many of the civil days of a window its readings go, the day at hand
// included; 0 where that is the only one. It is the whole window where not all of them are
// cited: there are too many, or one was doubted until the next one agreed.
func (t *saying) spanned(c *protocols.Compared, window int) int {
	found, days := 0, 0
	for i := range t.why.Readings {
		r := &t.why.Readings[i]
		if r.Measure != c.Measure || r.Time.Before(c.From) {
			continue
		}
		if found++; found == 1 {
			days = civilDays(r.Time.In(t.enrolment.Zone), t.why.At.In(t.enrolment.Zone))
		}
	}
	switch {
	case len(t.why.Readings) >= protocols.MostCited || found == 0 || found < c.Count:
		return window
	case days == 0:
		return 0
	}
	return min(window, days+1)
}

// length is the length of a window; from three days on in days: "24 h", "14 jours".
func (in *tongue) length(d time.Duration) string {
	if day := 24 * time.Hour; d >= 3*day && d%day == 0 {
		return in.some(int(d/day), in.days)
	}
	return durationWords(d)
}
