package plain

import (
	"slices"
	"time"

	"vigie/protocols"
)

// View is what a history says of one rule at one moment.
type View struct{ at view }

// Look is the history as it looks at a moment to who asks for a rule. History ends
// there; the protocol and the enrolment are as in Evaluate.
func Look(p *protocols.Protocol, e *protocols.Enrolment, history []*protocols.Reading, rule *protocols.Rule, at time.Time) View {
	run := newRun(p, e, history)
	run.seen = len(run.readings)
	w := run.viewAt(at)
	if run.midnight(w.today).Equal(w.at) && !w.fedNow(rule) {
		w.today = w.closed // the day that ends is looked at, as at every midnight
	}
	return View{w}
}

// fedNow reports whether a reading of that very moment feeds the rule.
func (w view) fedNow(rule *protocols.Rule) bool {
	fed := false
	for i := len(w.seen) - 1; i >= 0 && w.seen[i].Time.Equal(w.at); i-- {
		rule.Comparisons(func(c *protocols.Comparison) { fed = fed || w.feeds(c, w.seen[i]) })
	}
	return fed
}

// Enters is the outcome of the condition by which a level begins.
func (v View) Enters(c *protocols.Condition) protocols.Truth { return v.at.truth(c, entering).public() }

// Stays is the outcome of the condition by which a level goes on.
func (v View) Stays(c *protocols.Condition) protocols.Truth { return v.at.truth(c, staying).public() }

// Compare tells how the comparisons of a condition come out, and the readings they
// rest on.
func (v View) Compare(c *protocols.Condition) ([]protocols.Compared, []protocols.Cited) {
	shown, cited := v.at.compare(c)
	return shown[0], cited
}

// Latest are the latest readings of some measures, at most so many, latest first.
func (v View) Latest(measures []*protocols.Measure, most int) []protocols.Cited {
	var shown []protocols.Cited
	for _, r := range slices.Backward(v.at.seen) {
		if len(shown) < most && slices.Contains(measures, r.Measure) {
			shown = append(shown, r.Cite())
		}
	}
	return shown
}
