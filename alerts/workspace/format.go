package workspace

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/written"
)

// Dates and ages in the words of a language. Times are shown in the time zone of
// the team that answers.

var frenchDays = [...]string{"dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."}

// moment writes a date and time: "lun. 23 nov., 09:42". The year is written when
// it is not that of now.
func moment(language string, t, now time.Time) string {
	text := t.Format("Mon 2 Jan, 15:04")
	if language == "fr" {
		text = frenchDays[t.Weekday()] + " " + written.Day(language, t) + t.Format(", 15:04")
	}
	if t.Year() != now.In(t.Location()).Year() {
		text = strings.Replace(text, ",", " "+strconv.Itoa(t.Year())+",", 1)
	}
	return text
}

// date writes a day: "23 nov.", with the year when it is not that of now.
func date(language string, t, now time.Time) string {
	text := written.Day(language, t)
	if t.Year() != now.In(t.Location()).Year() {
		text += " " + strconv.Itoa(t.Year())
	}
	return text
}

// dayName writes a day with its name: "lun. 23 nov.".
func dayName(language string, t, now time.Time) string {
	name := t.Format("Mon")
	if language == "fr" {
		name = frenchDays[t.Weekday()]
	}
	return name + " " + date(language, t, now)
}

var frenchMonthNames = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}

// monthName writes a month: "octobre 2026".
func monthName(language string, t time.Time) string {
	if language == "fr" {
		return frenchMonthNames[t.Month()-1] + t.Format(" 2006")
	}
	return t.Format("January 2006")
}

// clock writes the time of day, with the day unless it is that of now.
func clock(language string, t, now time.Time) string {
	if t.Format(time.DateOnly) == now.In(t.Location()).Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return moment(language, t, now)
}

// offset writes how far a time zone is from UTC: "UTC+4", "UTC−3:30".
func offset(t time.Time) string {
	_, seconds := t.Zone()
	if seconds == 0 {
		return "UTC"
	}
	sign := "+"
	if seconds < 0 {
		sign, seconds = "−", -seconds
	}
	text := "UTC" + sign + strconv.Itoa(seconds/3600)
	if minutes := seconds % 3600 / 60; minutes != 0 {
		text += fmt.Sprintf(":%02d", minutes)
	}
	return text
}

// span writes a length of time in one or two units: "45 min", "2 h 10", "3 j".
func span(language string, d time.Duration) string {
	day := "d"
	if language == "fr" {
		day = "j"
	}
	d = d.Abs()
	minutes := int(d / time.Minute)
	hours := minutes / 60
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d/time.Second))
	case hours == 0:
		return fmt.Sprintf("%d min", minutes)
	case hours < 10 && minutes%60 != 0:
		return fmt.Sprintf("%d h %02d", hours, minutes%60)
	case hours < 48:
		return fmt.Sprintf("%d h", hours)
	}
	return fmt.Sprintf("%d %s", hours/24, day)
}

// ago writes how long ago something was.
func ago(language string, t, now time.Time) string {
	d := now.Sub(t)
	if d < 10*time.Second {
		if language == "fr" {
			return "à l'instant"
		}
		return "just now"
	}
	if language == "fr" {
		return "il y a " + span(language, d)
	}
	return span(language, d) + " ago"
}

// until writes how long is left, or since when nothing is.
func until(language string, t, now time.Time) string {
	d := t.Sub(now)
	switch {
	case d > 0 && language == "fr":
		return "dans " + span(language, d)
	case d > 0:
		return "in " + span(language, d)
	case language == "fr":
		return "dépassée de " + span(language, d)
	}
	return span(language, d) + " overdue"
}

// whole writes a number of things, in groups of three.
func whole(language string, n int) string { return written.Whole(language, n) }

// number writes a value with the decimals of its component.
func number(language string, v protocols.Value, decimals int) string {
	if v == protocols.Missing {
		return "—"
	}
	text := strconv.FormatFloat(v.Float(), 'f', decimals, 64)
	if exact := v.String(); len(exact) > len(text) {
		text = exact
	}
	if language == "fr" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return strings.Replace(text, "-", "−", 1)
}

// Say writes a value with its unit, and glucose in the unit of the team beside:
// "54 mg/dL (0,54 g/L)".
func (v view) Say(value protocols.Value, decimals int, unit string) string {
	text := quantity(v.Language, value, decimals, unit)
	if unit != protocols.MeasureByID(glucoseMeasure).Components[0].Unit || value == protocols.Missing {
		return text
	}
	return text + v.glucoseBeside(value)
}

// glucoseBeside is a glucose in the unit of the team, in brackets: " (0,54 g/L)". Empty
// where the team counts as the measure does.
func (v view) glucoseBeside(value protocols.Value) string {
	glucose, other := protocols.MeasureByID(glucoseMeasure), v.teams[v.team].Glucose
	scale, ok := glucose.Scale(0, other)
	if !ok || other == glucose.Components[0].Unit {
		return ""
	}
	places := 1
	if other == "g/L" {
		places = 2
	}
	beside := strconv.FormatFloat(value.Float()/scale, 'f', places, 64)
	if v.Language == "fr" {
		beside = strings.Replace(beside, ".", ",", 1)
	}
	return " (" + protocols.InUnit(strings.Replace(beside, "-", "−", 1), other, v.Language, "\u202f") + ")"
}

// quantity writes a value with its unit, kept together by a narrow space.
func quantity(language string, v protocols.Value, decimals int, unit string) string {
	text := number(language, v, decimals)
	if v == protocols.Missing {
		return text
	}
	return protocols.InUnit(text, unit, language, "\u202f")
}
