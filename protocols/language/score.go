package language

import (
	"fmt"

	"vigie/protocols"
	"vigie/protocols/document"
)

// points is what a score is counted in.
var points = measuredIn{unit: "1"}

// score reads conditions with points, {score: [{points: 2, when: …}, …], at_least: 3}.
func (r *protocolReader) score(at document.Place, depth int) protocols.Condition {
	if !r.Open(at, scoreForm) {
		return protocols.Condition{}
	}
	s := &protocols.Score{}
	for _, item := range r.Items(at.Key("score")) {
		if !r.Open(item, partForm) {
			continue
		}
		part := protocols.ScorePart{Points: r.Plain(item.Key("points"), "1"), When: r.condition(item.Key("when"), depth+1)}
		if part.Points <= 0 {
			r.Fault(item.Key("points"), "bad-number", protocols.Say("une partie ajoute des points, plus de 0", "a part adds points, more than 0"), protocols.Say("écrire points: 1", "write points: 1"))
		}
		s.Parts = append(s.Parts, part)
	}
	if len(s.Parts) < 2 {
		r.Fault(at.Key("score"), "wrong-shape", protocols.Say("un score a au moins deux parties", "a score has two parts or more"), protocols.Say("écrire - {points: 2, when: {…}} pour chacune", "write - {points: 2, when: {…}} for each"))
		return protocols.Condition{}
	}
	if at.Key("at_least").Present() { // Open has said so where it is not
		s.From = r.operand(at.Key("at_least"), points)
	}
	if margin := at.Key("margin"); margin.Present() {
		s.Margin = r.margin(margin, points)
	}
	return protocols.Condition{Score: s}
}

// SameParts reports whether two scores add the same points for the same conditions.
func SameParts(a, b *protocols.Score) bool { return scored(a) == scored(b) }

// scored is the same for scores of the same parts.
func scored(s *protocols.Score) string {
	text := ""
	for i := range s.Parts {
		text += s.Parts[i].Points.String()
		s.Parts[i].When.Comparisons(func(c *protocols.Comparison) { text += fmt.Sprint(c.Number(), c.Operator, c.Threshold, c.Lasting) })
	}
	return text
}
