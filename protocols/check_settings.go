package protocols

import (
	"maps"
	"slices"
)

// CheckSettings returns what is wrong with a patient's settings under p: names
// that p does not have, values outside their bounds, an act without author,
// date or reason, and values that put the levels of a rule out of order. The
// path of each problem is the name of the parameter; there are no lines.
func (p *Protocol) CheckSettings(settings Settings) []Problem {
	var r reader
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		r.setting(p, name, settings[name])
	}
	if r.problems != nil {
		return r.problems
	}
	for i := range p.Rules {
		r.settledOrder(p, &p.Rules[i], settings)
	}
	return r.problems
}

func (r *reader) setting(p *Protocol, name string, s Setting) {
	at := place{path: name}
	parameter := p.parameter(name)
	if parameter == nil {
		r.fault(at, "unknown-parameter", say("le protocole « %s » n'a pas de paramètre « %s »", "the protocol %s has no parameter %q", p.ID, name), suggest(name, p.parameterNames()))
		return
	}
	if s.Value < parameter.Min || s.Value > parameter.Max {
		r.fault(at, "bounds", say("« %s » se règle de %s à %s %s", "%s may be set from %s to %s %s", name, parameter.Min, parameter.Max, parameter.Unit), Text{})
	}
	if s.Author == "" || s.Date.IsZero() || s.Reason == "" {
		r.fault(at, "no-author", say("le réglage de « %s » demande un auteur, une date et un motif", "the setting of %s needs an author, a date and a reason", name), Text{})
	}
}

// settledOrder compares neighbouring levels, and clear with its threshold, at
// the patient's own numbers.
func (r *reader) settledOrder(p *Protocol, rule *Rule, settings Settings) {
	value := func(o Operand) Value {
		if s, set := settings[o.Parameter]; set {
			return s.Value
		}
		return o.Value
	}
	rule.comparisons(func(c *Comparison) {
		if c.Clear == nil {
			return
		}
		clear, threshold := value(*c.Clear), value(c.Threshold)
		if c.upward() && clear > threshold || !c.upward() && clear < threshold {
			r.fault(place{path: c.Threshold.Parameter}, "clear-side", say("avec ces réglages, la règle « %s » finirait avant de commencer", "with these settings the rule %s would end before it begins", rule.ID), Text{})
		}
	})
	for i := 1; i < len(rule.Levels); i++ {
		milder, level := rule.Levels[i-1].When.Compare, rule.Levels[i].When.Compare
		if milder == nil || level == nil || !milder.alike(level) || milder.upward() != level.upward() {
			continue
		}
		mild, grave := value(milder.Threshold), value(level.Threshold)
		if level.upward() && grave < mild || !level.upward() && grave > mild {
			r.fault(place{path: level.Threshold.Parameter}, "thresholds-order", say("avec ces réglages, le niveau « %s » de la règle « %s » viendrait avant « %s »", "with these settings the level %s of the rule %s would come before %s", rule.Levels[i].Level, rule.ID, rule.Levels[i-1].Level), Text{})
		}
	}
}
