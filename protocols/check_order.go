package protocols

import "fmt"

// levelsInOrder notes levels of one rule whose thresholds do not get graver,
// and thresholds to leave on the wrong side of the one to enter.
func (c *checker) levelsInOrder(at place, rule *Rule) {
	levels := c.items(at.key("levels"))
	for i, level := range levels {
		c.clearsOnTheRightSide(level.key("when"), &rule.Levels[i].When)
		if i > 0 {
			c.graver(level.key("when"), rule.Levels[i-1].When.Compare, rule.Levels[i].When.Compare)
		}
	}
}

// graver compares two levels that look at the same thing.
func (c *checker) graver(at place, milder, level *Comparison) {
	if milder == nil || level == nil || !milder.alike(level) || milder.upward() != level.upward() {
		return
	}
	_, mildHigh := c.protocol.reachOf(milder.Threshold)
	low, _ := c.protocol.reachOf(level.Threshold)
	mild, grave := milder.Threshold.Value, level.Threshold.Value
	if !level.upward() {
		least, _ := c.protocol.reachOf(milder.Threshold)
		_, most := c.protocol.reachOf(level.Threshold)
		mildHigh, low, mild, grave = -least, -most, -mild, -grave
	}
	apart := level.strict() && !milder.strict()
	target := at.key(string(level.Operator.key()))
	switch {
	case grave < mild || grave == mild && !apart:
		c.fault(target, "thresholds-order", say("ce niveau commence à %s, le moins grave seulement à %s", "this level begins at %s, the milder one only at %s", level.Threshold.Value, milder.Threshold.Value), say("donner des seuils de plus en plus graves de niveau en niveau", "let the thresholds get graver from level to level"))
	case low < mildHigh && (milder.Threshold.Parameter == "" || level.Threshold.Parameter == ""):
		// Two parameters are set together, and CheckSettings holds them apart.
		c.note(target, Warning, "thresholds-order", say("dans les bornes de ses paramètres, ce niveau peut commencer avant le moins grave", "within the bounds of its parameters, this level can begin before the milder one"), say("resserrer les bornes du paramètre", "narrow the bounds of the parameter"))
	}
}

// alike reports whether two comparisons compute the same number.
func (c *Comparison) alike(other *Comparison) bool {
	return c.identity() == other.identity()
}

// identity is the same for comparisons that compute the same number and differ
// at most in what they compare it with.
func (c *Comparison) identity() string {
	minus := Baseline{}
	if c.Minus != nil {
		minus = *c.Minus
	}
	event := EventShape{}
	if c.Event != nil {
		event = *c.Event
	}
	return fmt.Sprint(c.Measure.ID, c.Component, c.Variant, c.Statistic, c.Window, c.MinusComponent, minus, event, c.Where.identity(), c.Days)
}

func (f *Filter) identity() string {
	if f == nil {
		return ""
	}
	text := ""
	for _, o := range []*Operand{f.Above, f.AtLeast, f.Below, f.AtMost} {
		if o != nil {
			text += fmt.Sprint(*o)
		}
		text += ";"
	}
	return text
}

// upward reports whether more is graver.
func (c *Comparison) upward() bool { return c.Operator == Above || c.Operator == AtLeast }

// strict reports whether the threshold itself is not part of the level.
func (c *Comparison) strict() bool { return c.Operator == Above || c.Operator == Below }

// key is how the operator is written in a file.
func (o Operator) key() string {
	for _, known := range operatorKeys {
		if known.operator == o {
			return known.key
		}
	}
	return ""
}

// clearsOnTheRightSide checks every comparison of a condition.
func (c *checker) clearsOnTheRightSide(at place, when *Condition) {
	c.walk(at, when, func(at place, compared *Comparison) {
		c.ends(at, compared)
		if compared.Clear == nil {
			return
		}
		low, high := c.protocol.reachOf(compared.Threshold)
		clearLow, clearHigh := c.protocol.reachOf(*compared.Clear)
		wrong := compared.upward() && clearHigh > low || !compared.upward() && clearLow < high
		if !wrong {
			return
		}
		side := say("au-dessus du seuil", "above the threshold")
		if compared.upward() {
			side = say("au-dessous du seuil", "below the threshold")
		}
		message := say("clear doit être %s, ou égal à lui", "clear must be %s, or equal to it", side)
		if compared.Threshold.Parameter != "" {
			message = say("%s, quel que soit le réglage de « %s » (de %s à %s)", "%s, whatever %s is set to (%s to %s)", message, compared.Threshold.Parameter, low, high)
		}
		c.fault(at.key("clear"), "clear-side", message, say("déplacer clear, ou resserrer les bornes du paramètre", "move clear, or narrow the bounds of the parameter"))
	})
}

// ends notes a threshold to leave that no number passes: the alert would go on
// for ever.
func (c *checker) ends(at place, compared *Comparison) {
	low, high := c.protocol.leaving(compared)
	numbers := compared.reach()
	if compared.upward() && low <= numbers.Low || !compared.upward() && high >= numbers.High {
		key := "margin"
		if compared.Clear != nil {
			key = "clear"
		} else if compared.Margin == 0 {
			return
		}
		c.fault(at.key(key), "never-ends", say("aucun nombre ne franchit le seuil de sortie : l'alerte ne finirait jamais", "no number passes the threshold to leave: this would never end"), say("le rapprocher du seuil, ou resserrer les bornes du paramètre", "bring it nearer to the threshold, or narrow the bounds of the parameter"))
	}
}

// leaving returns the lowest and highest threshold to leave, for any patient.
func (p *Protocol) leaving(c *Comparison) (low, high Value) {
	switch {
	case c.Clear != nil:
		return p.reachOf(*c.Clear)
	case c.upward():
		low, high = p.reachOf(c.Threshold)
		return low - c.Margin, high - c.Margin
	}
	low, high = p.reachOf(c.Threshold)
	return low + c.Margin, high + c.Margin
}

// walk visits every comparison of a condition with its place.
func (c *checker) walk(at place, when *Condition, visit func(place, *Comparison)) {
	if when.Compare != nil {
		visit(at, when.Compare)
	}
	if when.Not != nil {
		c.walk(at.key("not"), when.Not, visit)
	}
	for i, item := range c.items(at.key("all")) {
		c.walk(item, &when.All[i], visit)
	}
	for i, item := range c.items(at.key("any")) {
		c.walk(item, &when.Any[i], visit)
	}
}
