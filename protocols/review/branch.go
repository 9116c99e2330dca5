package review

import (
	"slices"

	"vigie/protocols"
	"vigie/protocols/document"
)

// parted checks the sentences of the parts of a condition: each can be filled, and none stands where it is never said, under a negation or in a score.
func (c *checker) parted(at document.Place, when, whole *protocols.Condition, said bool) {
	if own := at.Key("sentence"); own.Present() {
		c.translated(own)
		c.placed(own, when.Sentence, whole)
		if !said {
			c.Fault(own, "not-together", protocols.Say("sous not ou dans score, une phrase n'est jamais dite", "under not, or in a score, a sentence is never said"), protocols.Say("la mettre à une condition de any ou de all, ou au niveau", "put it at a condition of any or all, or at the level"))
		}
	}
	lists := map[string][]protocols.Condition{"all": when.All, "any": when.Any, "of": when.Of}
	for _, word := range []string{"all", "any", "of"} {
		for i, item := range c.Items(at.Key(word)) {
			if i < len(lists[word]) {
				c.parted(item, &lists[word][i], whole, said)
			}
		}
	}
	if when.Not != nil {
		c.parted(at.Key("not"), when.Not, whole, false)
	}
	if when.Score != nil {
		for i, item := range c.Items(at.Key("score")) {
			c.parted(item.Key("when"), &when.Score.Parts[i].When, whole, false)
		}
	}
}

// emptied notes a level that can be true in a way that leaves a place of its sentence empty. It
// is a warning: Vigie then says in short what came out, and not what the author wrote.
func (c *checker) emptied(at document.Place, rule *protocols.Rule, l *protocols.RuleLevel) {
	own := rule.SentenceAt(l.Level)
	for _, way := range ways(&l.When, true) {
		sentence := own
		if part := way.spoken(&l.When); part != nil {
			sentence = part.Sentence
		}
		for _, p := range protocols.Places(sentence.FR) {
			if !way.fills(p) {
				c.Note(at, document.Warning, "empty-place", protocols.Say("cette condition peut être vraie sans rien qui remplisse « %s » : l'alerte dirait alors ce que Vigie compose", "this condition can be true with nothing that fills %q: the alert would then say what Vigie puts together", placeName(p)), protocols.Say("donner à cette partie de la condition sa propre phrase : {…, sentence: {fr: …, en: …}}", "give that part of the condition a sentence of its own: {…, sentence: {fr: …, en: …}}"))
				return
			}
		}
	}
}

// way is one way for a condition to be true, as small as it gets: the comparisons and the score
// that make it so.
type way struct {
	compared []*protocols.Comparison
	scored   bool
}

// mostWays bounds the ways that are looked at.
const mostWays = 512

func (w way) with(other way) way {
	return way{slices.Concat(w.compared, other.compared), w.scored || other.scored}
}

// ways lists the ways for a condition to be true, or to be false.
func ways(c *protocols.Condition, wanted bool) []way {
	switch {
	case c.Compare != nil:
		return []way{{compared: []*protocols.Comparison{c.Compare}}}
	case c.Not != nil:
		return ways(c.Not, !wanted)
	case c.Score != nil:
		return []way{{scored: wanted}}
	case c.All != nil:
		return several(c.All, wanted, map[bool]int{true: len(c.All), false: 1}[wanted])
	case c.Any != nil:
		return several(c.Any, wanted, map[bool]int{true: 1, false: len(c.Any)}[wanted])
	}
	return several(c.Of, wanted, map[bool]int{true: c.AtLeast, false: len(c.Of) - c.AtLeast + 1}[wanted])
}

// several lists the ways for so many of some conditions to be true, or false.
func several(list []protocols.Condition, wanted bool, many int) []way {
	if many == 0 {
		return []way{{}}
	}
	var found []way
	for i := 0; i+many <= len(list); i++ {
		for _, first := range ways(&list[i], wanted) {
			for _, rest := range several(list[i+1:], wanted, many-1) {
				if len(found) == mostWays {
					return found
				}
				found = append(found, first.with(rest))
			}
		}
	}
	return found
}

// holds reports whether a condition is true in this way.
func (w way) holds(c *protocols.Condition) bool {
	count := func(list []protocols.Condition) (n int) {
		for i := range list {
			if w.holds(&list[i]) {
				n++
			}
		}
		return n
	}
	switch {
	case c.Compare != nil:
		return slices.Contains(w.compared, c.Compare)
	case c.All != nil:
		return count(c.All) == len(c.All)
	case c.Any != nil:
		return count(c.Any) > 0
	case c.Of != nil:
		return count(c.Of) >= c.AtLeast
	case c.Score != nil:
		return w.scored
	}
	return false // under a negation there is no sentence to look for
}

// spoken is the part whose sentence an alert says, if this way alone made it ring.
func (w way) spoken(when *protocols.Condition) *protocols.Condition {
	if when.Sentence != (protocols.Text{}) {
		return when
	}
	for _, list := range [][]protocols.Condition{when.All, when.Any, when.Of} {
		for i := range list {
			if !w.holds(&list[i]) {
				continue
			}
			if found := w.spoken(&list[i]); found != nil || when.Any != nil {
				return found
			}
		}
	}
	return nil
}

func (w way) fills(p protocols.SentencePlace) bool {
	if p.OfAll() || p.OfScore() {
		return w.scored || p.OfAll()
	}
	return slices.ContainsFunc(w.compared, p.Fits)
}
