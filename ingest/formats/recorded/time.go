package recorded

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// instantForms are the ways of writing an instant beside RFC 3339.
var instantForms = []string{"2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00"}

// localForms are the ways of writing a time without a zone. Day and month stand in
// an order that cannot be taken for another.
var localForms = []string{
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
	"2006/01/02 15:04:05", "2006/01/02 15:04", "2006-01-02 3:04 PM", "2006-01-02 3:04:05 PM",
	"02-Jan-2006 15:04", "02-Jan-2006 15:04:05", "Jan 2 2006 15:04", "Jan 2 2006 15:04:05", "15:04:05 Jan 2 2006", "3:04:05PM Jan 2, 2006",
}

// clock is what tells the two instants of a repeated hour apart: the row before,
// and whether the file goes back in time.
type clock struct {
	last        time.Time
	newestFirst bool
	form        *string  // of localForms: the one of the row before
	numeric     []string // further forms
}

// at reads a time, or a day of which the hour is not known. Local times of the hour
// that comes twice in autumn are told apart by the order of the file, which is oldest
// or newest first.
func (l *Layout) at(text string, file clock) (at time.Time, dayOnly bool, err error) {
	if l.TimeForm != "" {
		return l.inForm(text, file)
	}
	if t, ok := instant(text); ok {
		return t.UTC(), false, nil
	}
	if seconds, ok := seconds(text); ok {
		at, err = l.after(seconds)
		return at, false, err
	}
	var day time.Time
	if len(text) == len(time.DateOnly) {
		day, err = time.Parse(time.DateOnly, text)
		dayOnly = err == nil
	}
	if !dayOnly {
		if day, err = local(text, file.form, file.numeric); err != nil {
			return time.Time{}, false, err
		}
		dayOnly = !hasHour(*file.form)
	}
	if dayOnly {
		day = day.Add(12 * time.Hour)
	}
	if l.Zone == nil {
		return time.Time{}, false, errNoZone
	}
	at, err = inZone(day, l.Zone, file)
	return at, dayOnly, err
}

// inForm reads a time that is written as a person says.
func (l *Layout) inForm(text string, file clock) (at time.Time, dayOnly bool, err error) {
	wall, err := time.Parse(l.TimeForm, text)
	if err != nil {
		return at, false, errForm
	}
	if l.Zone == nil {
		return at, false, errNoZone
	}
	if dayOnly = !hasHour(l.TimeForm); dayOnly {
		wall = wall.Add(12 * time.Hour)
	}
	at, err = inZone(wall, l.Zone, file)
	return at, dayOnly, err
}

func hasHour(form string) bool { return strings.Contains(form, "15") || strings.Contains(form, "3") }

// timeWords are what a person writes for the parts of a time, and what package time
// calls them. A day, a month or an hour may have one digit or two.
var timeWords = map[string]string{
	"YYYY": "2006", "YY": "06", "MMM": "Jan", "MM": "1", "M": "1", "DD": "2", "D": "2",
	"HH": "15", "H": "15", "hh": "3", "h": "3", "mm": "04", "ss": "05", "AM": "PM", "T": "T",
}

// TimeFormOf reads how times are written: "DD/MM/YYYY HH:mm", "M/D/YYYY h:mm AM",
// "DD/MM/YYYY" for a day alone.
func TimeFormOf(written string) (form string, err error) {
	seen := map[byte]bool{}
	for rest := written; rest != ""; {
		size := 1
		for size < len(rest) && (rest[size] == rest[0] || rest[:size+1] == "AM") {
			size++
		}
		part, known := timeWords[rest[:size]]
		if !known && (unicode.IsLetter(rune(rest[0])) || unicode.IsDigit(rune(rest[0]))) {
			return "", fmt.Errorf("%q is no part of a time: write it of YYYY YY MMM MM DD HH hh mm ss AM, for example \"DD/MM/YYYY HH:mm\"", rest[:size])
		}
		if !known {
			part = rest[:size]
		}
		seen[rest[0]] = true
		form, rest = form+part, rest[size:]
	}
	if written != "" && !(seen['Y'] && seen['M'] && seen['D']) {
		return "", fmt.Errorf("%q has no day, month or year: write for example \"DD/MM/YYYY HH:mm\"", written)
	}
	return form, nil
}

// instant reads an instant. Only a text with an offset behind its day can be one.
func instant(text string) (time.Time, bool) {
	if len(text) < len(time.DateOnly) || !strings.ContainsAny(text[len(time.DateOnly):], "Zz+-") {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	for _, form := range instantForms {
		if t, err := time.Parse(form, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// seconds reads a number of seconds.
func seconds(text string) (float64, bool) {
	if strings.Contains(text, ":") {
		return 0, false
	}
	n, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	return n, err == nil
}

// after is so many seconds after the start, or a count from 1970 where it is too
// large for anything else: of seconds, or of milliseconds.
func (l *Layout) after(seconds float64) (time.Time, error) {
	if seconds > 1e9 && seconds < 5e9 {
		return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), nil
	}
	if seconds >= 1e12 && seconds < 5e12 {
		return time.UnixMilli(int64(seconds)).UTC(), nil
	}
	if math.IsNaN(seconds) || math.Abs(seconds) > 1e9 {
		return time.Time{}, errNotSeconds
	}
	if l.Start.IsZero() {
		return time.Time{}, errNoStart
	}
	return l.Start.Add(time.Duration(math.Round(seconds*1000)) * time.Millisecond).UTC(), nil
}

// local reads a time without a zone. The form of the row before is tried first: no
// text has two of them.
func local(text string, former *string, further []string) (time.Time, error) {
	if *former != "" {
		if wall, err := time.Parse(*former, text); err == nil {
			return wall, nil
		}
	}
	for _, forms := range [...][]string{localForms, further} {
		for _, form := range forms {
			if wall, err := time.Parse(form, text); err == nil {
				*former = form
				return wall, nil
			}
		}
	}
	if _, _, numeric := numericDate(text); numeric && len(further) == 0 {
		return time.Time{}, errEitherDay
	}
	return time.Time{}, errNoTime
}

func inZone(wall time.Time, zone *time.Location, file clock) (time.Time, error) {
	y, m, d := wall.Date()
	t := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	if t.Hour() != wall.Hour() || t.Minute() != wall.Minute() {
		return time.Time{}, errSkipped
	}
	// time.Date may give either of the two instants of a repeated hour.
	if first := t.Add(-time.Hour); sameClock(first, t) {
		t = first
	}
	second := t.Add(time.Hour)
	if !sameClock(second, t) {
		return t.UTC(), nil
	}
	if file.newestFirst && (file.last.IsZero() || !second.After(file.last)) || !file.newestFirst && t.Before(file.last) {
		t = second
	}
	return t.UTC(), nil
}

func sameClock(a, b time.Time) bool {
	return a.Hour() == b.Hour() && a.Minute() == b.Minute() && a.Day() == b.Day()
}
