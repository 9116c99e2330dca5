package review

import (
	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

// levelsInOrder notes levels of one rule whose thresholds do not get graver,
// and thresholds to leave on the wrong side of the one to enter.
func (c *checker) levelsInOrder(at document.Place, rule *protocols.Rule) {
	levels := c.Items(at.Key("levels"))
	for i, level := range levels {
		c.clearsOnTheRightSide(level.Key("when"), &rule.Levels[i].When)
		if i > 0 {
			c.graver(level.Key("when"), rule.Levels[i-1].When.Compare, rule.Levels[i].When.Compare)
			c.graverScore(level.Key("when"), rule.Levels[i-1].When.Score, rule.Levels[i].When.Score)
		}
	}
}

// graver compares two levels that look at the same thing.
func (c *checker) graver(at document.Place, milder, level *protocols.Comparison) {
	if milder == nil || level == nil || milder.Number() != level.Number() || milder.Upward() != level.Upward() {
		return
	}
	_, mildHigh := c.protocol.Extent(milder.Threshold)
	low, _ := c.protocol.Extent(level.Threshold)
	mild, grave := milder.Threshold.Value, level.Threshold.Value
	if !level.Upward() {
		least, _ := c.protocol.Extent(milder.Threshold)
		_, most := c.protocol.Extent(level.Threshold)
		mildHigh, low, mild, grave = -least, -most, -mild, -grave
	}
	apart := strict(level) && !strict(milder) || level.Lasting > milder.Lasting
	target := at.Key(string(language.OperatorKey(level.Operator)))
	switch {
	case grave < mild || grave == mild && !apart:
		c.Fault(target, "thresholds-order", protocols.Say("ce niveau commence à %s, le moins grave seulement à %s", "this level begins at %s, the milder one only at %s", level.Threshold.Value, milder.Threshold.Value), protocols.Say("donner des seuils de plus en plus graves de niveau en niveau", "let the thresholds get graver from level to level"))
	case low < mildHigh && (milder.Threshold.Parameter == "" || level.Threshold.Parameter == ""):
		// Two parameters are set together, and CheckSettings holds them apart.
		c.Note(target, document.Warning, "thresholds-order", protocols.Say("dans les bornes de ses paramètres, ce niveau peut commencer avant le moins grave", "within the bounds of its parameters, this level can begin before the milder one"), protocols.Say("resserrer les bornes du paramètre", "narrow the bounds of the parameter"))
	}
}

// strict reports whether the threshold itself is not part of the level.
func strict(c *protocols.Comparison) bool {
	return c.Operator == protocols.Above || c.Operator == protocols.Below
}

// clearsOnTheRightSide checks every comparison of a condition.
func (c *checker) clearsOnTheRightSide(at document.Place, when *protocols.Condition) {
	c.walk(at, when, func(at document.Place, compared *protocols.Comparison) {
		c.ends(at, compared)
		if compared.Clear == nil {
			return
		}
		low, high := c.protocol.Extent(compared.Threshold)
		clearLow, clearHigh := c.protocol.Extent(*compared.Clear)
		wrong := compared.Upward() && clearHigh > low || !compared.Upward() && clearLow < high
		if !wrong {
			return
		}
		side := protocols.Say("au-dessus du seuil", "above the threshold")
		if compared.Upward() {
			side = protocols.Say("au-dessous du seuil", "below the threshold")
		}
		message := protocols.Say("clear doit être %s, ou égal à lui", "clear must be %s, or equal to it", side)
		if compared.Threshold.Parameter != "" {
			message = protocols.Say("%s, quel que soit le réglage de « %s » (de %s à %s)", "%s, whatever %s is set to (%s to %s)", message, compared.Threshold.Parameter, low, high)
		}
		c.Fault(at.Key("clear"), "clear-side", message, protocols.Say("déplacer clear, ou resserrer les bornes du paramètre", "move clear, or narrow the bounds of the parameter"))
	})
}

// ends notes a threshold to leave that no number passes: the alert would go on
// for ever.
func (c *checker) ends(at document.Place, compared *protocols.Comparison) {
	low, high := leavingOf(c.protocol, compared)
	numbers := reachOf(compared)
	if compared.Upward() && low <= numbers.Low || !compared.Upward() && high >= numbers.High {
		key := "margin"
		if compared.Clear != nil {
			key = "clear"
		} else if compared.Margin == 0 {
			return
		}
		c.Fault(at.Key(key), "never-ends", protocols.Say("aucun nombre ne franchit le seuil de sortie : l'alerte ne finirait jamais", "no number passes the threshold to leave: this would never end"), protocols.Say("le rapprocher du seuil, ou resserrer les bornes du paramètre", "bring it nearer to the threshold, or narrow the bounds of the parameter"))
	}
}

// leaving returns the lowest and highest threshold to leave, for any patient.
func leavingOf(p *protocols.Protocol, c *protocols.Comparison) (low, high protocols.Value) {
	switch {
	case c.Clear != nil:
		return p.Extent(*c.Clear)
	case c.Upward():
		low, high = p.Extent(c.Threshold)
		return low - c.Margin, high - c.Margin
	}
	low, high = p.Extent(c.Threshold)
	return low + c.Margin, high + c.Margin
}

// walk visits every comparison of a condition with its place.
func (c *checker) walk(at document.Place, when *protocols.Condition, visit func(document.Place, *protocols.Comparison)) {
	if when.Compare != nil {
		visit(at, when.Compare)
	}
	if when.Not != nil {
		c.walk(at.Key("not"), when.Not, visit)
	}
	for i, item := range c.Items(at.Key("all")) {
		c.walk(item, &when.All[i], visit)
	}
	for i, item := range c.Items(at.Key("any")) {
		c.walk(item, &when.Any[i], visit)
	}
	for i, item := range c.Items(at.Key("of")) {
		c.walk(item, &when.Of[i], visit)
	}
	for i, item := range c.Items(at.Key("score")) {
		c.walk(item.Key("when"), &when.Score.Parts[i].When, visit)
	}
}
