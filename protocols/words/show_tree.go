package words

import (
	"strings"
	"unicode/utf8"

	"vigie/protocols"
)

// longLine is how many characters a condition takes on one line of a sheet. A longer one that
// has parts is written as a list of them.
const longLine = 110

// tree writes a condition as lines. What is below the line before it begins with a tab more.
func (w *narrator) tree(c *protocols.Condition) []string {
	whole := w.condition(c, true)
	heading, parts := w.parted(c)
	if utf8.RuneCountInString(whole) <= longLine || len(parts) < 2 {
		return []string{whole}
	}
	lines := []string{heading}
	for _, p := range parts {
		for i, line := range w.tree(p.condition) {
			if i == 0 {
				line = p.before + line
			}
			lines = append(lines, "\t"+line)
		}
	}
	return lines
}

// branch is a part of a condition, with what stands before it.
type branch struct {
	before    string
	condition *protocols.Condition
}

// parted are the parts of a condition, under the words that say how many of them it takes.
func (w *narrator) parted(c *protocols.Condition) (heading string, parts []branch) {
	list := func(conditions []protocols.Condition) {
		for i := range conditions {
			parts = append(parts, branch{"", &conditions[i]})
		}
	}
	switch {
	case c.Not != nil && (c.Not.Compare != nil || c.Not.Score != nil):
		return "", nil
	case c.Not != nil && c.Not.Not != nil:
		return w.parted(c.Not.Not)
	case c.Not != nil:
		turned := turn(c.Not)
		return w.parted(&turned)
	case len(c.All) == 1 || len(c.Any) == 1:
		return w.parted(&append(c.All, c.Any...)[0])
	case c.All != nil:
		list(c.All)
		return w.flat(w.say("tout cela à la fois :", "all of these:"), parts)
	case c.Any != nil:
		list(c.Any)
		return w.flat(w.say("l'un de ces cas :", "any of these:"), parts)
	case c.Of != nil:
		list(c.Of)
		return w.say("au moins %d de ces %d signes :", "at least %d of these %d signs:", c.AtLeast, len(c.Of)), parts
	case c.Score != nil:
		for i := range c.Score.Parts {
			p := &c.Score.Parts[i]
			parts = append(parts, branch{w.points(p.Points) + w.say(" si ", " when "), &p.When})
		}
		return w.fromPoints(c.Score) + w.say(" :", ":"), parts
	}
	return "", nil
}

// flat takes the parts of a part that stands under the same words.
func (w *narrator) flat(heading string, parts []branch) (string, []branch) {
	var all []branch
	for _, p := range parts {
		if same, inside := w.parted(p.condition); same == heading {
			all = append(all, inside...)
		} else {
			all = append(all, p)
		}
	}
	return heading, all
}

// Depth is how far a line of a sheet stands to the right, and what it says.
func Depth(line string) (steps int, says string) {
	says = strings.TrimLeft(line, "\t")
	return len(line) - len(says), says
}

// placeNames are the places of a sentence, as whoever signs it reads them.
var placeNames = map[string]protocols.Text{
	"now": {}, "usual": {FR: "habituel", EN: "usual"}, "before": {FR: "avant", EN: "before"},
	"change": {FR: "écart", EN: "change"}, "since": {FR: "durée", EN: "how long"}, "words": {FR: "en mots", EN: "in words"},
	"at": {FR: "moment", EN: "when"}, "reasons": {FR: "ce qui a sonné", EN: "what rang"}, "signs": {FR: "chaque signe", EN: "each sign"},
	"count": {FR: "nombre", EN: "how many"}, "each": {FR: "chaque moment et valeur", EN: "each moment and value"},
	"bound": {FR: "mesures comptées", EN: "readings that count"}, "threshold": {FR: "seuil", EN: "limit"},
	"set_by": {FR: "réglé par", EN: "set by"}, "limit": {FR: "seuil", EN: "limit"}, "score": {FR: "points", EN: "points"},
	"score_from": {FR: "points dès lesquels elle sonne", EN: "points from which it rings"}, "parts": {FR: "points de chaque signe", EN: "points of each sign"},
	"last": {FR: "dernière", EN: "last"},
}

// placed is an author's sentence with its places named: "[poids] pour un poids habituel de
// [poids, habituel]."
func (w *narrator) placed(sentence protocols.Text) string {
	said, _ := protocols.FillPlaces(sentence.In(w.language), func(p protocols.SentencePlace) (string, bool) {
		value := placeNames[p.Value].In(w.language)
		if p.Many != "" {
			value += " " + p.Many
		}
		of := w.placeOf(p)
		if of == "" {
			return "[" + value + "]", true
		}
		return "[" + joined(of, ", ", value) + "]", true
	})
	return said
}

// placeOf names what a place is of; empty where it is of whatever rang.
func (w *narrator) placeOf(p protocols.SentencePlace) string {
	if p.Of == "" {
		return map[bool]string{true: w.say("valeur", "value")}[p.Value == "now"]
	}
	measure, component, _ := strings.Cut(p.Of, ".")
	for _, m := range protocols.Measures() {
		if m.ID == measure && component == "" {
			return m.Title.In(w.language)
		}
		if i := m.Component(p.Of); component == "" && i >= 0 && w.observes(m) {
			return m.Components[i].Title.In(w.language)
		}
		if i := m.Component(component); m.ID == measure && i >= 0 {
			return m.Components[i].Title.In(w.language)
		}
	}
	return p.Of
}

// observes reports whether the protocol looks at a measure.
func (w *narrator) observes(m *protocols.Measure) bool {
	for i := range w.protocol.Observations {
		if w.protocol.Observations[i].Measure == m {
			return true
		}
	}
	return false
}
