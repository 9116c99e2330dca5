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

// scores notes scores that can never be reached, or never be left.
func (c *checker) scores(at document.Place, when *protocols.Condition) {
	if when.Not != nil {
		c.scores(at.Key("not"), when.Not)
	}
	for key, list := range map[string][]protocols.Condition{"all": when.All, "any": when.Any, "of": when.Of} {
		for i, item := range c.Items(at.Key(key)) {
			c.scores(item, &list[i])
		}
	}
	s := when.Score
	if s == nil {
		return
	}
	for i, item := range c.Items(at.Key("score")) {
		c.scores(item.Key("when"), &s.Parts[i].When)
	}
	all := s.Sum(func(int) bool { return true })
	low, high := c.protocol.Extent(s.From)
	switch target := at.Key("at_least"); {
	case s.From.Value > all:
		c.Fault(target, "never-true", protocols.Say("ceci n'est jamais vrai : toutes les parties ensemble font %s points", "this is never true: all parts together are %s points", all), protocols.Text{})
	case s.From.Value <= 0:
		c.Fault(target, "always-true", protocols.Say("ceci est toujours vrai : un score commence à 0", "this is always true: a score begins at 0"), protocols.Text{})
	case low <= 0 || high > all:
		c.Note(target, document.Warning, "never-true", protocols.Say("« %s » se règle de %s à %s points, et les parties font de 0 à %s points", "%s may be set from %s to %s points, and the parts are from 0 to %s points", s.From.Parameter, low, high, all), protocols.Say("resserrer les bornes du paramètre", "narrow the bounds of the parameter"))
	}
	if s.Margin > 0 && low-s.Margin <= 0 {
		c.Fault(at.Key("margin"), "never-ends", protocols.Say("aucun score n'est assez bas pour sortir : l'alerte ne finirait jamais", "no score is low enough to leave: this would never end"), protocols.Say("donner une marge plus petite que at_least", "use a margin smaller than at_least"))
	}
}

// graverScore notes a level of the same score that does not take more points than the
// milder one.
func (c *checker) graverScore(at document.Place, milder, level *protocols.Score) {
	if milder == nil || level == nil || scored(milder) != scored(level) {
		return
	}
	_, mildHigh := c.protocol.Extent(milder.From)
	low, _ := c.protocol.Extent(level.From)
	switch {
	case level.From.Value > milder.From.Value && low < mildHigh && (milder.From.Parameter == "" || level.From.Parameter == ""):
		// Two parameters are set together, and CheckSettings holds them apart.
		c.Note(at.Key("at_least"), document.Warning, "thresholds-order", protocols.Say("dans les bornes de ses paramètres, ce niveau peut commencer avant le moins grave", "within the bounds of its parameters, this level can begin before the milder one"), protocols.Say("resserrer les bornes du paramètre", "narrow the bounds of the parameter"))
	case level.From.Value <= milder.From.Value:
		c.Fault(at.Key("at_least"), "thresholds-order", protocols.Say("ce niveau commence à %s points, le moins grave seulement à %s", "this level begins at %s points, the milder one only at %s", level.From.Value, milder.From.Value), protocols.Say("demander plus de points de niveau en niveau", "ask for more points from level to level"))
	}
}

// scored is the same for scores of the same parts.
func scored(s *protocols.Score) string {
	text := ""
	for i := range s.Parts {
		text += s.Parts[i].Points.String()
		s.Parts[i].When.Comparisons(func(c *protocols.Comparison) { text += fmt.Sprint(c.Number(), c.Operator, c.Threshold, c.Lasting) })
	}
	return text
}
