package words

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/written"
)

// each tells what counted one by one, on the patient's clock: "22:40 (45) et 01:12 (42)". Of
// more than a sentence holds it tells the latest, and how many there were before.
func (t *saying) each(in *tongue, asked *protocols.Comparison, c *protocols.Compared) string {
	last := c.Each[max(0, len(c.Each)-protocols.MostTold):]
	dated := t.dated(asked, last)
	more := c.Value
	var told []string
	day := ""
	for _, one := range last {
		at := one.Time.In(t.enrolment.Zone)
		text := at.Format("15:04")
		if asked.Window.Days > 0 && t.ofDay(asked, one.Time, at) {
			text = "" // only its day is known
		}
		if today := written.Day(in.code, at); dated && (today != day || text == "") {
			text, day = strings.TrimSpace(today+" "+text), today
		}
		told = append(told, text+in.countedValue(asked, c, one))
		if asked.Statistic == protocols.Sum {
			more -= one.Value
		} else {
			more -= 1000
		}
	}
	if more >= 1000 {
		others := in.pick("%s autres avant", "%s others before", in.plainNumber(more))
		if more == 1000 {
			others = in.pick("1 autre avant", "1 other before")
		}
		told = append(told, others)
	}
	if len(told) < 2 {
		return strings.Join(told, "")
	}
	return strings.Join(told[:len(told)-1], ", ") + in.pick(" et ", " and ") + told[len(told)-1]
}

// ofDay reports whether only the day of what counted is known: it stands at noon, and is not
// among the readings that were measured then.
func (t *saying) ofDay(asked *protocols.Comparison, moment, local time.Time) bool {
	noon := local.Hour() == 12 && local.Minute() == 0 && local.Second() == 0
	return noon && !slices.ContainsFunc(t.why.Readings, func(r protocols.Cited) bool {
		return r.Measure == asked.Measure.ID && !r.DayOnly && r.Time.Equal(moment)
	})
}

// dated reports whether the hour alone would not say when: the window is longer than a day.
func (t *saying) dated(asked *protocols.Comparison, told []protocols.Counted) bool {
	if asked.Window == (protocols.Window{}) {
		return len(told) > 0 && t.why.At.Sub(told[0].Time) >= 24*time.Hour
	}
	return asked.Window.Days > 1 || asked.Window.Length > 24*time.Hour
}

// countedValue is the value of what counted, in brackets; nothing for what only happened.
func (in *tongue) countedValue(asked *protocols.Comparison, c *protocols.Compared, one protocols.Counted) string {
	if asked.Happens() && one.Value <= 1000 {
		return ""
	}
	alone := protocols.Compared{Measure: c.Measure, Component: c.Component, Value: one.Value, Limit: one.Limit, Threshold: protocols.Missing, Clear: protocols.Missing}
	for _, b := range c.Where { // so that 53.996 does not look to be 54
		alone.Threshold, alone.Clear = b.Value, alone.Threshold
	}
	return fmt.Sprintf(" (%s)", alone.Limit.Sign()+in.plainNumber(alone.Shown()))
}
