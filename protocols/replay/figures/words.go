package figures

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigie/protocols"
)

var levelWords = map[protocols.Level]string{
	protocols.Red: "à traiter en priorité", protocols.Orange: "à traiter",
	protocols.Yellow: "à surveiller", protocols.Technical: "technique",
}

// Word is a level in words: "à traiter en priorité".
func Word(l protocols.Level) string { return levelWords[l] }

// Sign gives each level a shape of its own, so that colour is never alone.
func Sign(l protocols.Level) string {
	return map[protocols.Level]string{protocols.Red: "▲", protocols.Orange: "◆", protocols.Yellow: "●", protocols.Technical: "■"}[l]
}

var months = [...]string{"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."}

// shortDay is "6 juin", "1er juin".
func shortDay(t time.Time) string {
	if t.Day() == 1 {
		return "1er " + months[t.Month()-1]
	}
	return fmt.Sprintf("%d %s", t.Day(), months[t.Month()-1])
}

func (p *Page) day(t time.Time) string {
	t = t.In(p.Zone)
	return fmt.Sprintf("%s %d", shortDay(t), t.Year())
}

func (p *Page) moment(t time.Time) string {
	t = t.In(p.Zone)
	return fmt.Sprintf("%s %d, %s", shortDay(t), t.Year(), t.Format("15:04"))
}

// lasting is a duration as one says it: "25 min", "3 h 20", "4 jours".
func lasting(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d jours", int(math.Round(d.Hours()/24)))
	}
}

const thinSpace = "\u202f"

// number writes f as a French reader expects it.
func number(f float64, decimals int) string {
	text := strconv.FormatFloat(f, 'f', decimals, 64)
	integer, fraction, _ := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(integer, "-") {
		sign, integer = "−", integer[1:]
	}
	for i := len(integer) - 3; i > 0; i -= 3 {
		integer = integer[:i] + thinSpace + integer[i:]
	}
	if fraction == "" {
		return sign + integer
	}
	return sign + integer + "," + fraction
}

func whole(n int) string { return number(float64(n), 0) }

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

func plural(n int, one, many string) string {
	if n < 2 {
		return one
	}
	return many
}

var unitWords = map[string]string{
	"mm[Hg]": "mmHg", "/min": "/min", "Cel": "°C", "{score}": "", "1": "", "[iU]": "UI", "umol/L": "µmol/L", "Ohm": "Ω", "d": "jours",
}

// unitWord is a UCUM unit as a clinician writes it.
func unitWord(ucum string) string {
	if word, ok := unitWords[ucum]; ok {
		return word
	}
	return ucum
}

// capital writes the first letter of a title large.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
