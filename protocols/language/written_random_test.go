package language

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/engine"
	"vigie/protocols/protocoltest"
	"vigie/protocols/words"
)

// written is a protocol as a file holds it: what Parse reads back.
func written(p *protocols.Protocol) *document.Node {
	w := &writer{}
	var observations, parameters, rules []any
	for i := range p.Observations {
		o := &p.Observations[i]
		observations = append(observations, mapped(
			"measure", o.Measure.ID, "variant", variantName(o.Measure, o.Variant), "cadence", writtenCadence(&o.Cadence), "ignore_flags", listed(o.IgnoreFlags),
		))
	}
	for _, q := range p.Parameters {
		parameters = append(parameters, q.Name, mapped("title", "réglage", "unit", q.Unit, "default", q.Default, "min", q.Min, "max", q.Max, "origin", "hasard"))
	}
	for i := range p.Rules {
		rules = append(rules, writtenRule(&p.Rules[i]))
	}
	return w.node(mapped(
		"id", p.ID, "version", p.Version, "status", "example", "title", "hasard", "pathology", mapped("icd10", "I50", "title", "hasard"), "origin", "hasard",
		"eligibility", mapped("patient", "tous", "devices", []any{mapped("kind", "scale")}), "observations", observations,
		"parameters", mapped(parameters...), "rules", rules, "answer", mapped("yellow", "8h"), "too_late", "24h", "patient", "bonjour",
	))
}

func writtenRule(r *protocols.Rule) mapping {
	var levels []any
	for i := range r.Levels {
		l := &r.Levels[i]
		levels = append(levels, mapped("level", l.Level.String(), "when", writtenCondition(&l.When), "confirm", writtenConfirm(l)))
	}
	var remarks []any
	for i := range r.Remarks {
		remarks = append(remarks, mapped("when", writtenCondition(&r.Remarks[i].When), "says", mapped("fr", r.Remarks[i].Says.FR, "en", r.Remarks[i].Says.EN)))
	}
	m := mapped("id", r.ID, "title", "règle", "origin", "hasard", "held_by", listed(r.HeldBy), "yields_to", listed(r.YieldsTo), "levels", levels, "remarks", remarks)
	if a := r.Absence; a != nil {
		var components, missing []any
		for _, i := range a.Components {
			components = append(components, a.Measure.Components[i].Name)
		}
		for _, l := range a.Missing {
			missing = append(missing, mapped("level", l.Level.String(), "periods", writtenOperand(l.Periods)))
		}
		m = append(m, "absence", mapped("measure", a.Measure.ID, "variant", variantName(a.Measure, a.Variant), "components", components, "cadence", writtenCadence(&a.Cadence), "missing", missing))
	}
	return m
}

func writtenCadence(c *protocols.Cadence) mapping {
	m := mapped("times", c.Times, "per", string(c.Per), "grace", c.Grace)
	if c.Of != nil {
		m = append(m, "of", c.Of.ID)
	}
	if c.Before > 0 {
		m = append(m, "before", clockOf(c.Before))
	}
	if c.EveryParameter != "" {
		return append(m, "every", c.EveryParameter)
	}
	return append(m, "every", c.Every)
}

func clockOf(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute)
}

func writtenCondition(c *protocols.Condition) mapping {
	several := func(parts []protocols.Condition) []any {
		var list []any
		for i := range parts {
			list = append(list, writtenCondition(&parts[i]))
		}
		return list
	}
	switch {
	case c.All != nil:
		return mapped("all", several(c.All))
	case c.Any != nil:
		return mapped("any", several(c.Any))
	case c.Of != nil:
		return mapped("at_least", c.AtLeast, "of", several(c.Of))
	case c.Score != nil:
		var parts []any
		for i := range c.Score.Parts {
			parts = append(parts, mapped("points", c.Score.Parts[i].Points, "when", writtenCondition(&c.Score.Parts[i].When)))
		}
		return mapped("score", parts, "at_least", writtenOperand(c.Score.From), "margin", nonzero(c.Score.Margin))
	case c.Not != nil:
		return mapped("not", writtenCondition(c.Not))
	}
	return writtenComparison(c.Compare)
}

func writtenComparison(c *protocols.Comparison) mapping {
	m := mapped("measure", c.Measure.ID, "variant", variantName(c.Measure, c.Variant), "component", componentName(c), "flag", c.Flag,
		"statistic", string(c.Statistic), OperatorKey(c.Operator), writtenOperand(c.Threshold), "margin", nonzero(c.Margin), "floor", nonzero(c.Floor),
		"lasting", c.Lasting, "gap", c.Gap, "apart", c.Apart, "where", writtenFilter(c.Where))
	if c.Meal != "" {
		m = append(m, "meal", string(c.Meal))
	}
	if h := c.Hours; h != (protocols.Hours{}) {
		m = append(m, "hours", mapped("from", clockOf(h.From), "to", clockOf(h.To)))
	}
	if c.MinusComponent >= 0 {
		m = append(m, "minus_component", c.Measure.Components[c.MinusComponent].Name)
	}
	if c.PerComponent >= 0 {
		m = append(m, "per_component", c.Measure.Components[c.PerComponent].Name)
	}
	if c.Window.Days > 0 {
		m = append(m, "window", strconv.Itoa(c.Window.Days)+"d")
	}
	if c.Window.Length > 0 {
		m = append(m, "window", c.Window.Length)
	}
	if c.Daily() {
		m = append(m, "days", writtenOperand(c.Days))
	}
	if c.Clear != nil {
		m = append(m, "clear", writtenOperand(*c.Clear))
	}
	if b := c.Beside; b != nil {
		m = append(m, "minus_measure", mapped("measure", b.Measure.ID, "component", b.Measure.Components[b.Component].Name, "variant", variantName(b.Measure, b.Variant), "within", b.Within, "as", string(b.As)))
	}
	if b := c.Minus; b != nil {
		m = append(m, "minus", mapped("statistic", string(b.Statistic), "days", b.Days, "ago", strconv.Itoa(b.Ago), "at_least", b.AtLeast, "as", string(b.As), "least", writtenLeast(b), "most", writtenMost(b), "seed", b.Seed.Parameter))
	}
	if e := c.Event; e != nil {
		m = append(m, "event", mapped("lasting", e.Lasting, "ending", e.Ending, "gap", e.Gap, "until", writtenFilter(c.Until)))
	}
	return m
}

func writtenLeast(b *protocols.Baseline) string {
	if b.As != protocols.InDeviations {
		return ""
	}
	return writtenOperand(b.Least)
}

func writtenMost(b *protocols.Baseline) string {
	if b.As != protocols.InDeviations || b.Most == (protocols.Operand{}) {
		return ""
	}
	return writtenOperand(b.Most)
}

// writtenConfirm is a duration alone, or with how far apart the two readings have to be.
func writtenConfirm(l *protocols.RuleLevel) any {
	if l.ConfirmApart == 0 {
		return l.Confirm
	}
	return mapped("within", l.Confirm, "apart", l.ConfirmApart)
}

func writtenFilter(f *protocols.Filter) mapping {
	m := mapping{}
	if f == nil {
		return nil
	}
	for key, o := range map[string]*protocols.Operand{"above": f.Above, "at_least": f.AtLeast, "below": f.Below, "at_most": f.AtMost} {
		if o != nil {
			m = append(m, key, writtenOperand(*o))
		}
	}
	return m
}

func writtenOperand(o protocols.Operand) string {
	if o.Factor != 0 {
		return o.Factor.String() + " x " + o.Parameter
	}
	if o.Parameter != "" {
		return o.Parameter
	}
	return o.Value.String()
}

func nonzero(v protocols.Value) string {
	if v == 0 {
		return ""
	}
	return v.String()
}

func componentName(c *protocols.Comparison) string {
	if c.Flag != "" {
		return ""
	}
	return c.Measure.Components[c.Component].Name
}

func variantName(m *protocols.Measure, variant uint8) string {
	if variant == 0 {
		return ""
	}
	return m.Variants[variant-1]
}

func listed(words []string) []any {
	var list []any
	for _, w := range words {
		list = append(list, w)
	}
	return list
}

// mapping is keys and values in turn; what is empty is left out.
type mapping []any

func mapped(pairs ...any) mapping { return pairs }

// writer puts nodes on lines of their own, so that each has a place.
type writer struct{ line int }

func (w *writer) node(value any) *document.Node {
	w.line++
	n := &document.Node{Kind: document.Scalar, Line: w.line, Column: 1 + w.line%7}
	switch value := value.(type) {
	case mapping:
		n.Kind = document.Mapping
		for i := 0; i < len(value); i += 2 {
			if item := w.node(value[i+1]); item != nil {
				w.line++
				n.Keys = append(n.Keys, &document.Node{Kind: document.Scalar, Text: value[i].(string), Line: w.line, Column: 2})
				n.Items = append(n.Items, item)
			}
		}
		if len(n.Items) == 0 {
			return nil
		}
	case []any:
		n.Kind = document.List
		for _, item := range value {
			n.Items = append(n.Items, w.node(item))
		}
		if len(n.Items) == 0 {
			return nil
		}
	case time.Duration:
		n.Text = value.String()
		if value == 0 {
			return nil
		}
	default:
		n.Text = fmt.Sprint(value)
		if n.Text == "" || n.Text == "0" && reflect.TypeOf(value).Kind() == reflect.Int {
			return nil
		}
	}
	return n
}

// drawWritten draws a protocol that Parse takes, or one that it refuses with its
// reasons.
func drawWritten(t *rapid.T) (p *protocols.Protocol, doc *document.Node, problems []document.Problem) {
	drawn := drawProtocol(dice{t}, false)
	for i := range drawn.Rules {
		drawn.Rules[i].ID = strings.Replace(drawn.Rules[i].ID, "è", "e", 1)
		for _, held := range [][]string{drawn.Rules[i].HeldBy, drawn.Rules[i].YieldsTo} {
			for j := range held {
				held[j] = strings.Replace(held[j], "è", "e", 1)
			}
		}
	}
	doc = written(drawn)
	p, problems = Parse(doc)
	return p, doc, problems
}

func TestWhatIsReadIsWhatWasWrittenAndCanBeEvaluated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _, _ := drawWritten(t)
		if p == nil {
			return
		}
		again, problems := Parse(written(p))
		if again == nil {
			t.Fatalf("written anew it is refused: %+v", problems)
		}
		forget(p)
		forget(again)
		if !reflect.DeepEqual(p.Rules, again.Rules) || !reflect.DeepEqual(p.Observations, again.Observations) {
			t.Fatalf("read %+v\nand then %+v", p.Rules, again.Rules)
		}
		if sheet := words.Diff(p, again, "fr"); len(sheet.Parts) > 0 {
			t.Fatalf("it differs from itself: %+v", sheet.Parts)
		}
		plan, err := engine.NewPlan(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plan.For(protocoltest.Enrolment()); err != nil {
			t.Fatal(err)
		}
	})
}

// forget drops lines, which say where something was written.
func forget(p *protocols.Protocol) {
	for i := range p.Rules {
		p.Rules[i].Comparisons(func(c *protocols.Comparison) { c.Line = 0 })
		p.Rules[i].Remarked(func(c *protocols.Comparison) { c.Line = 0 })
	}
}

// What reads the same is the same: Diff rests on it.
func TestDifferentConditionsReadDifferently(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawComparison(dice{t}, anyStatistic()), drawComparison(dice{t}, anyStatistic())
		fields := reflect.TypeOf(*a).NumField()
		field := rapid.IntRange(0, fields-1).Draw(t, "field")
		mixed := *a
		reflect.ValueOf(&mixed).Elem().Field(field).Set(reflect.ValueOf(b).Elem().Field(field))
		p := &protocols.Protocol{ID: "hasard", Parameters: []protocols.Parameter{{Name: "seuil", Unit: "1", Default: v(4), Max: v(10)}, {Name: "jours", Unit: "d", Default: v(2), Min: v(1), Max: v(3)}},
			Observations: []protocols.Observation{{Measure: a.Measure, Cadence: protocols.Cadence{Every: time.Minute}}}}
		for _, c := range []*protocols.Comparison{a, &mixed} {
			r := &protocolReader{protocol: p}
			w := &writer{}
			if c.Component >= len(c.Measure.Components) || c.MinusComponent >= len(c.Measure.Components) || c.PerComponent >= len(c.Measure.Components) || int(c.Variant) > len(c.Measure.Variants) {
				return
			}
			read := r.comparison(document.Place{Node: w.node(writtenComparison(c))})
			if slices.ContainsFunc(r.Problems, func(p document.Problem) bool { return p.Code != "unit-mismatch" }) {
				return
			}
			if read == nil {
				return
			}
			*c = *read
			c.Line = 0
		}
		for _, language := range []string{"fr", "en"} {
			if a.Measure.Components[a.Component].Event {
				continue // above 0.5 and at least 1 are the same of what happened or did not
			}
			said := words.Condition(p, &protocols.Condition{Compare: a}, language)
			if said == words.Condition(p, &protocols.Condition{Compare: &mixed}, language) && !reflect.DeepEqual(a, &mixed) {
				t.Fatalf("both read %q:\n%+v\n%+v", said, a, &mixed)
			}
		}
	})
}
