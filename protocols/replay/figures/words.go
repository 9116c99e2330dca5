package figures

import (
	"fmt"
	"math"
	"time"
	"unicode"
	"unicode/utf8"

	"vigie/protocols"
	"vigie/protocols/written"
)

// language is "fr" or "en"; French where it is neither.
type language string

// say is a text in the language.
func (in language) say(text protocols.Text) string { return text.In(string(in)) }

// word is an entry of the catalogue in the language.
func (in language) word(key string) string { return in.say(catalogue[key]) }

var levelWords = map[protocols.Level]protocols.Text{
	protocols.Red: {FR: "à traiter en priorité", EN: "to deal with first"}, protocols.Orange: {FR: "à traiter", EN: "to deal with"},
	protocols.Yellow: {FR: "à surveiller", EN: "to watch"}, protocols.Technical: {FR: "technique", EN: "technical"},
}

// Word is a level in words: "à traiter en priorité".
func Word(l protocols.Level) protocols.Text { return levelWords[l] }

// Sign gives each level a shape of its own, so that colour is never alone.
func Sign(l protocols.Level) string {
	return map[protocols.Level]string{protocols.Red: "▲", protocols.Orange: "◆", protocols.Yellow: "●", protocols.Technical: "■"}[l]
}

// shortDay is "6 juin", "1er juin".
func (in language) shortDay(t time.Time) string { return written.Day(string(in), t) }

func (p *Page) day(t time.Time) string {
	t = t.In(p.Zone)
	return fmt.Sprintf("%s %d", p.in().shortDay(t), t.Year())
}

func (p *Page) moment(t time.Time) string {
	t = t.In(p.Zone)
	return fmt.Sprintf("%s %d, %s", p.in().shortDay(t), t.Year(), t.Format("15:04"))
}

// lasting is a duration as one says it: "25 min", "3 h 20", "4 jours".
func (in language) lasting(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d %s", int(math.Round(d.Hours()/24)), in.word("days"))
	}
}

// number writes f as a reader of the language expects it.
func (in language) number(f float64, decimals int) string {
	return written.Number(string(in), f, decimals)
}

func (in language) whole(n int) string { return written.Whole(string(in), n) }

// exact writes a value with all its decimals.
func (in language) exact(v protocols.Value) string {
	if in == "en" {
		return v.String()
	}
	return v.French()
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// some is the noun for n things.
func (in language) some(n int, key string) string {
	if written.Singular(string(in), n) {
		return in.word(key)
	}
	return in.word(key + "s")
}

// capital writes the first letter of a title large.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
