package review

import (
	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

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
	if milder == nil || level == nil || !language.SameParts(milder, level) {
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
