package language

import (
	"maps"
	"slices"
	"strings"

	"vigie/protocols"
	"vigie/protocols/danger"
	"vigie/protocols/document"
)

// CheckSettings returns what is wrong with a patient's settings under p. Names that p does
// not have and values outside their bounds are wrong, and an act without author, date or
// reason. So are a parameter that must be set and is not, and values that put the levels of
// a rule out of order. The
// path of each problem is the name of the parameter; there are no lines.
func CheckSettings(p *protocols.Protocol, settings protocols.Settings) []document.Problem {
	var r reader
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		r.setting(p, name, settings[name])
	}
	for i := range p.Parameters {
		parameter := &p.Parameters[i]
		if _, set := settings[parameter.Name]; parameter.MustBeSet && !set {
			r.Fault(document.Place{Path: parameter.Name}, "not-set",
				protocols.Say("« %s » doit être réglé pour chaque patient", "%s must be set for each patient", parameter.Name),
				protocols.Say("le régler de %s à %s %s, avec l'auteur, la date et le motif", "set it from %s to %s %s, with author, date and reason", parameter.Min, parameter.Max, parameter.Unit))
		}
	}
	if r.Problems != nil {
		return r.Problems
	}
	for i := range p.Rules {
		r.settledOrder(p, &p.Rules[i], settings)
	}
	return r.Problems
}

func (r *reader) setting(p *protocols.Protocol, name string, s protocols.Setting) {
	at := document.Place{Path: name}
	parameter := p.Parameter(name)
	if parameter == nil {
		r.Fault(at, "unknown-parameter", protocols.Say("le protocole « %s » n'a pas de paramètre « %s »", "the protocol %s has no parameter %q", p.ID, name), document.Suggest(name, p.ParameterNames()))
		return
	}
	if s.Value < parameter.Min || s.Value > parameter.Max {
		r.Fault(at, "bounds", protocols.Say("« %s » se règle de %s à %s %s", "%s may be set from %s to %s %s", name, parameter.Min, parameter.Max, parameter.Unit), protocols.Text{})
	}
	r.passes(p, parameter, s)
	if s.Author == "" || s.Date.IsZero() || s.Reason == "" {
		r.Fault(at, "no-author", protocols.Say("le réglage de « %s » demande un auteur, une date et un motif", "the setting of %s needs an author, a date and a reason", name), protocols.Text{})
	}
}

// passes refuses a setting that keeps a value beyond the table of danger from ringing,
// unless its reason names the line: whoever sets it knows what it passes.
func (r *reader) passes(p *protocols.Protocol, parameter *protocols.Parameter, s protocols.Setting) {
	for _, line := range danger.Of(p) {
		if !strings.Contains(s.Reason, line.Name) && silences(p, parameter, s.Value, line) {
			r.Fault(document.Place{Path: parameter.Name}, "past-danger",
				protocols.Say("« %s » réglé à %s %s laisserait sans suite une valeur du tableau des dangers, « %s » : %s", "%s set to %s %s would leave unheard a value of the table of danger, %q: %s", parameter.Name, s.Value, parameter.Unit, line.Name, line.Origin),
				protocols.Say("si c'est voulu, écrire « %s » dans le motif, avec la raison", "if this is meant, write %q in the reason, with the grounds", line.Name))
			return
		}
	}
}

// silences reports whether a parameter, at a value, keeps an orange or red level from ringing
// beyond the line. It does not count where it does so by default and something else rings.
// What the protocol itself leaves unheard for a reason is silenced by no setting.
func silences(p *protocols.Protocol, parameter *protocols.Parameter, value protocols.Value, line *danger.Line) bool {
	passes, already, others := false, false, false
	for i := range p.Rules {
		for j := range p.Rules[i].Levels {
			level := &p.Rules[i].Levels[j]
			if level.Level < protocols.Orange {
				continue
			}
			level.When.Comparisons(func(c *protocols.Comparison) {
				switch {
				case !line.About(c) || line.Upward() != c.Upward():
				case c.Threshold.Parameter == parameter.Name:
					passes = passes || line.Passed(c.Threshold.Of(value), c.Operator)
					already = already || line.Passed(c.Threshold.Value, c.Operator)
				case !c.Slow():
					others = others || !line.Passed(c.Threshold.Value, c.Operator)
				}
			})
		}
	}
	return passes && (!already || !others && !waived(p, line))
}

// waived reports whether a protocol says why what lies beyond the line does not ring.
func waived(p *protocols.Protocol, line *danger.Line) bool {
	return slices.ContainsFunc(p.Observations, func(o protocols.Observation) bool { return line.In(&o) && line.WaivedBy(&o) })
}

// settledOrder compares neighbouring levels, and clear with its threshold, at
// the patient's own numbers.
func (r *reader) settledOrder(p *protocols.Protocol, rule *protocols.Rule, settings protocols.Settings) {
	value := func(o protocols.Operand) protocols.Value {
		if s, set := settings[o.Parameter]; set {
			return o.Of(s.Value)
		}
		return o.Value
	}
	rule.Comparisons(func(c *protocols.Comparison) {
		if c.Clear == nil {
			return
		}
		clear, threshold := value(*c.Clear), value(c.Threshold)
		if c.Upward() && clear > threshold || !c.Upward() && clear < threshold {
			r.Fault(document.Place{Path: c.Threshold.Parameter}, "clear-side", protocols.Say("avec ces réglages, la règle « %s » finirait avant de commencer", "with these settings the rule %s would end before it begins", rule.ID), protocols.Text{})
		}
	})
	for i := 1; i < len(rule.Levels); i++ {
		milder, level := &rule.Levels[i-1], &rule.Levels[i]
		if path, before := sooner(&milder.When, &level.When, value); before {
			r.Fault(document.Place{Path: path}, "thresholds-order", protocols.Say("avec ces réglages, le niveau « %s » de la règle « %s » viendrait avant « %s »", "with these settings the level %s of the rule %s would come before %s", level.Level, rule.ID, milder.Level), protocols.Text{})
		}
	}
	rule.Scores(func(s *protocols.Score) {
		for i := 1; i < len(s.Parts); i++ {
			if path, before := sooner(&s.Parts[i-1].When, &s.Parts[i].When, value); before {
				r.Fault(document.Place{Path: path}, "thresholds-order", protocols.Say("avec ces réglages, un degré plus grave du score de la règle « %s » viendrait avant le moins grave", "with these settings a graver step of the score of the rule %s would come before the milder one", rule.ID), protocols.Text{})
			}
		}
	})
}

// sooner reports whether the second of two conditions that look at the same thing, the
// graver one, begins before the first, and which parameter says so.
func sooner(milder, graver *protocols.Condition, value func(protocols.Operand) protocols.Value) (parameter string, before bool) {
	if a, b := milder.Score, graver.Score; a != nil && b != nil && SameParts(a, b) {
		return b.From.Parameter, value(b.From) < value(a.From)
	}
	a, b := milder.Compare, graver.Compare
	if a == nil || b == nil || a.Number() != b.Number() || a.Upward() != b.Upward() {
		return "", false
	}
	mild, grave := value(a.Threshold), value(b.Threshold)
	return b.Threshold.Parameter, b.Upward() && grave < mild || !b.Upward() && grave > mild
}
