package protocols

import (
	"regexp"
	"slices"
	"strings"
)

// SentencePlace is a place for a value in an author's sentence, "{weight.usual}".
type SentencePlace struct {
	Of    string // the measure, or its component where it has several, alone or behind the measure: "pain-diary.score"; empty for the first reason. A pressure also: both its numbers
	Value string // one of the words of SentenceValues
	// One and Many are the noun behind a count, "{count:episode|episodes}"; empty for
	// none.
	One, Many string
}

// SentenceValues are what a place can hold.
//
//   - now: the value now; usual: its baseline; before: the value that it is held
//     against, lowest, highest, first or previous;
//   - change: now less usual or before, with its sign; since: the window;
//   - count: how many; threshold: from which it rings; set_by: who set that; limit: both,
//     in words.
//   - words: what the grade now means, in words; at: when the latest reading was measured;
//   - reasons: everything that made it ring, each in short; signs: each sign once, with
//     what it was before or usually;
//   - score: the points of a score; score_from: from how many it rings; parts: what adds
//     to it, each with its points;
//   - each: of a count, when each of what counted was, with its value: "22:40 (45) et 01:12
//     (42)". At most MostTold of them, the latest, and how many more;
//   - bound: which readings count, and who set that: "sous 60 mg/dL (Dr Aubry 02/11/2026)";
//   - last: of an absence, its last reading and the day of it: "80,2 kg le 22 nov.". Empty
//     where there was none of late, and the brackets around it with it.
var SentenceValues = []string{"now", "usual", "before", "change", "since", "words", "at", "reasons", "signs", "count", "each", "bound", "threshold", "set_by", "limit", "score", "score_from", "parts", "last"}

var sentencePlace = regexp.MustCompile(`\{([^{}]*)\}`)

// SplitPlace takes the inside of the braces apart.
func SplitPlace(inside string) SentencePlace {
	inside, nouns, _ := strings.Cut(inside, ":")
	one, many, _ := strings.Cut(nouns, "|")
	place := SentencePlace{Value: inside, One: one, Many: many}
	if at := strings.LastIndexByte(inside, '.'); at >= 0 {
		place.Of, place.Value = inside[:at], inside[at+1:]
	}
	return place
}

// SaysLast reports whether the sentence of an absence by days or weeks has a place for its
// last reading.
func (r *Rule) SaysLast() bool {
	return r.Absence != nil && r.Absence.Cadence.Per != PerSession && slices.ContainsFunc(Places(r.Sentence.FR), func(p SentencePlace) bool { return p.Value == "last" })
}

// Alike reports whether two places hold the same, whatever the nouns.
func (p SentencePlace) Alike(other SentencePlace) bool {
	return p.Of == other.Of && p.Value == other.Value
}

// Places lists the places of a sentence in one language, in order.
func Places(sentence string) []SentencePlace {
	var found []SentencePlace
	for _, match := range sentencePlace.FindAllStringSubmatch(sentence, -1) {
		found = append(found, SplitPlace(match[1]))
	}
	return found
}

// LooseBrace reports whether a sentence has a brace that is none of a place.
func LooseBrace(sentence string) bool {
	return strings.ContainsAny(sentencePlace.ReplaceAllString(sentence, ""), "{}")
}

// FillPlaces puts a value into each place. It reports false when one has none.
func FillPlaces(sentence string, value func(SentencePlace) (string, bool)) (string, bool) {
	whole := true
	filled := sentencePlace.ReplaceAllStringFunc(sentence, func(match string) string {
		text, ok := value(SplitPlace(match[1 : len(match)-1]))
		whole = whole && ok
		return text
	})
	return filled, whole
}

// OfScore reports whether a score fills the place, rather than a comparison.
func (p SentencePlace) OfScore() bool {
	return p.Of == "" && p.One == "" && (p.Value == "score" || p.Value == "score_from" || p.Value == "parts")
}

// OfAll reports whether all reasons fill the place, rather than one of them.
func (p SentencePlace) OfAll() bool {
	return p.Of == "" && p.One == "" && (p.Value == "reasons" || p.Value == "signs")
}

// OfPair reports whether both numbers of a pressure fill the place: "86/52 mmHg".
func (p SentencePlace) OfPair(c *Comparison) bool {
	return p.Of == c.Measure.ID && p.Value == "now" && c.Measure.Component("systolic") >= 0 && c.Measure.Component("diastolic") >= 0
}

// Name is what a place calls c: its component, or its measure where it has one.
func (c *Comparison) Name() string {
	if c.Flag != "" {
		return c.Flag
	}
	if len(c.Measure.Components) > 1 {
		return c.Measure.Components[c.Component].Name
	}
	return c.Measure.ID
}

// Fits reports whether c can fill the place.
func (p SentencePlace) Fits(c *Comparison) bool {
	if p.OfPair(c) || p.Of == c.Measure.ID && p.Value == "at" {
		return c.Latest() && p.One == ""
	}
	if p.Of != "" && p.Of != c.Name() && p.Of != c.Measure.ID+"."+c.Name() {
		return false
	}
	if p.One != "" && p.Value != "count" {
		return false // a noun goes with a count
	}
	gives := c.Statistic.Row().Gives
	switch p.Value {
	case "usual":
		return c.Minus != nil || c.Statistic == Improbable
	case "before", "change":
		return c.Moves()
	case "since":
		return c.Window != (Window{}) || c.Lasting > 0 || c.Daily() || c.Statistic == Step
	case "count":
		happened := c.Statistic == Sum && c.Measure.Components[c.Component].Event // how many of them
		return gives == GivesNumber || gives == GivesDays || happened
	case "each":
		return c.Counts()
	case "bound":
		return c.Where != nil
	case "words":
		graded := len(c.Measure.Components[c.Component].Grades) > 0 && c.Bare()
		return graded && c.Minus == nil && (c.Moves() || slices.Contains([]Statistic{Last, Min, Max}, c.Statistic))
	case "at":
		return c.Latest()
	case "now":
		return c.Moves() || gives != GivesNumber && gives != GivesDays
	}
	return p.Value == "threshold" || p.Value == "set_by" || p.Value == "limit"
}

// MostTold is how many of what counted a sentence tells one by one.
const MostTold = 5

// Counts reports whether c counts readings or events that can be told one by one: those
// within its bounds, the latest in a row, or what happened.
func (c *Comparison) Counts() bool {
	switch c.Statistic {
	case Count, Streak:
		return c.Where != nil && !c.Daily()
	case Sum:
		return c.Happens() && c.Minus == nil && !c.Daily()
	}
	return c.Statistic == Events && !c.Daily()
}

// TellEach marks the comparisons of which a sentence of the rule tells one by one what
// counted, so that it is kept.
func (r *Rule) TellEach() {
	mark := func(sentence Text, when *Condition) {
		for _, p := range Places(sentence.FR) {
			if p.Value == "each" || p.Value == "reasons" {
				when.Comparisons(func(c *Comparison) { c.Each = c.Each || c.Counts() && (p.Of == "" || p.Fits(c)) })
			}
		}
	}
	for i := range r.Levels {
		mark(r.SentenceAt(r.Levels[i].Level), &r.Levels[i].When)
		r.Levels[i].When.Spoken(func(part *Condition) { mark(part.Sentence, &r.Levels[i].When) })
	}
	for i := range r.Remarks {
		mark(r.Remarks[i].Says, &r.Remarks[i].When)
	}
}

// Latest reports whether c looks at the latest reading alone.
func (c *Comparison) Latest() bool { return (c.Statistic == Last || c.Statistic == Step) && !c.Daily() }

// Moves reports whether c holds two values against each other.
func (c *Comparison) Moves() bool {
	switch c.Statistic {
	case Change, Step, Rise, Fall, RisePercent, FallPercent, Improbable:
		return !c.Daily()
	}
	return (c.Minus != nil || c.Beside != nil) && !c.Daily()
}
