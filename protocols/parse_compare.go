package protocols

import (
	"fmt"
	"slices"
	"strings"
)

func (r *protocolReader) comparison(at place) *Comparison {
	if !r.open(at, comparisonForm) {
		return nil
	}
	c := &Comparison{Measure: r.measure(at.key("measure")), Statistic: Last, MinusComponent: -1, Line: at.node.Line}
	if c.Measure == nil {
		return nil
	}
	c.Variant = r.variant(at.key("variant"), c.Measure)
	if word := r.oneOf(at.key("statistic"), "statistic", statisticWords); word != "" {
		c.Statistic = Statistic(word)
	}
	if !r.components(at, c) {
		return nil
	}
	c.Window = r.window(at.key("window"))
	c.Minus = r.baseline(at.key("minus"))
	c.Lasting = r.duration(at.key("lasting"))
	c.Gap = r.duration(at.key("gap"))
	if days := at.key("days"); days.present() {
		c.Days = r.count(days)
	}
	if floor := at.key("floor"); floor.present() {
		c.Floor = r.plain(floor, "%")
	}
	c.Where = r.filter(at.key("where"), c)
	c.Event = r.event(at.key("event"))
	r.threshold(at, c)
	r.fits(at, c)
	return c
}

// components finds which number of the measure is meant.
func (r *protocolReader) components(at place, c *Comparison) bool {
	named := at.key("component")
	name := r.word(named)
	switch {
	case name != "":
		c.Component = r.component(named, c.Measure)
	case len(c.Measure.Components) > 1 && !slices.Contains([]Statistic{Wear, DaysCovered}, c.Statistic):
		r.fault(at, "missing-key", fmt.Sprintf("%s has several components", c.Measure.ID), "add component: one of "+strings.Join(componentNames(c.Measure), ", "))
		return false
	}
	if other := at.key("minus_component"); other.present() {
		c.MinusComponent = r.component(other, c.Measure)
		if c.MinusComponent >= 0 && c.Component >= 0 && c.Measure.Components[c.MinusComponent].Unit != c.Measure.Components[c.Component].Unit {
			r.fault(other, "unit-mismatch", "the two components have different units", "")
		}
		return c.MinusComponent >= 0 && c.Component >= 0
	}
	return c.Component >= 0
}

func (r *reader) component(at place, m *Measure) int {
	name := r.word(at)
	i := m.Component(name)
	if i < 0 {
		r.fault(at, "unknown-component", fmt.Sprintf("%s has no component %q", m.ID, name), suggest(name, componentNames(m)))
	}
	return i
}

func componentNames(m *Measure) []string {
	names := make([]string, len(m.Components))
	for i := range m.Components {
		names[i] = m.Components[i].Name
	}
	return names
}

func (r *protocolReader) baseline(at place) *Baseline {
	if !at.present() || !r.open(at, baselineForm) {
		return nil
	}
	b := &Baseline{
		Statistic: Statistic(r.oneOf(at.key("statistic"), "statistic of a baseline", baselineWords)),
		Days:      r.whole(at.key("days"), 1, maxDays, 1),
		Ago:       r.whole(at.key("ago"), 0, maxDays, 0),
		AtLeast:   r.whole(at.key("at_least"), 1, maxDays, 1),
	}
	if b.AtLeast > b.Days {
		r.fault(at.key("at_least"), "bounds", fmt.Sprintf("%d days of %d can never hold a reading", b.AtLeast, b.Days), fmt.Sprintf("use at most %d", b.Days))
	}
	return b
}

func (r *protocolReader) event(at place) *EventShape {
	if !at.present() || !r.open(at, eventForm) {
		return nil
	}
	return &EventShape{Lasting: r.duration(at.key("lasting")), Ending: r.duration(at.key("ending")), Gap: r.duration(at.key("gap"))}
}

func (r *protocolReader) filter(at place, c *Comparison) *Filter {
	if !at.present() || !r.open(at, filterForm) {
		return nil
	}
	unit := readingUnit(c)
	bound := func(key string) *Operand {
		if !at.key(key).present() {
			return nil
		}
		o := r.operand(at.key(key), unit)
		return &o
	}
	f := &Filter{Above: bound("above"), AtLeast: bound("at_least"), Below: bound("below"), AtMost: bound("at_most")}
	if *f == (Filter{}) {
		r.fault(at, "missing-key", "this filter lets every reading through", "add above, at_least, below or at_most, or remove it")
	}
	return f
}

// operatorKeys are the keys of a comparison that hold its threshold.
var operatorKeys = []struct {
	key      string
	operator Operator
}{{"above", Above}, {"at_least", AtLeast}, {"below", Below}, {"at_most", AtMost}}

func (r *protocolReader) threshold(at place, c *Comparison) {
	for _, o := range operatorKeys {
		if !at.key(o.key).present() {
			continue
		}
		if c.Operator != "" {
			r.fault(at.key(o.key), "two-thresholds", "a comparison has one threshold", "use all: with two comparisons to say \"between\"")
			continue
		}
		c.Operator = o.operator
		c.Threshold = r.operand(at.key(o.key), resultUnit(c))
	}
	if c.Operator == "" {
		r.fault(at, "missing-key", "this comparison compares with nothing", "add above, at_least, below or at_most")
		c.Operator, c.Threshold = Above, never
	}
	clear, margin := at.key("clear"), at.key("margin")
	if clear.present() && margin.present() {
		r.fault(margin, "not-together", "clear and margin are two ways to say the same", "remove one")
		return
	}
	if clear.present() {
		o := r.operand(clear, resultUnit(c))
		c.Clear = &o
	}
	if margin.present() {
		c.Margin = r.margin(margin, resultUnit(c))
	}
}

// margin reads a distance from the threshold.
func (r *reader) margin(at place, in measuredIn) Value {
	f, unit, ok := r.number(at)
	if !ok {
		return 0
	}
	in.difference = true
	if f, ok = in.convert(f, unit); !ok {
		r.fault(at, "unit-mismatch", fmt.Sprintf("a margin in %s does not suit a threshold in %s", unitName(unit), unitName(in.unit)), in.hint())
		return 0
	}
	if f <= 0 {
		r.fault(at, "bad-number", "a margin is a distance, above 0", "write how far back inside the threshold it takes to leave")
		return 0
	}
	return r.value(at, f)
}

// measuredIn is what a number is written in: a unit, the units that convert to
// it, and whether it is a difference, for which an offset does not count.
type measuredIn struct {
	unit       string
	measure    *Measure // nil when only unit will do
	component  int
	difference bool
	perDay     bool // unit is that of the component, a day
	whole      bool
}

// readingUnit is what a reading of the compared component is written in.
func readingUnit(c *Comparison) measuredIn {
	return measuredIn{
		unit: c.Measure.Components[c.Component].Unit, measure: c.Measure, component: c.Component,
		difference: c.MinusComponent >= 0,
	}
}

// resultUnit is what the threshold of a comparison is written in.
func resultUnit(c *Comparison) measuredIn {
	in := readingUnit(c)
	switch c.Statistic {
	case Count, Streak, Events:
		return measuredIn{unit: "1", whole: true}
	case DaysCovered:
		return measuredIn{unit: "d", whole: true}
	case Share, CV, GMI, Wear:
		return measuredIn{unit: "%"}
	case Change, Step, Rise, Fall:
		in.difference = true
	case Slope:
		in.unit, in.difference, in.perDay = in.unit+"/d", true, true
	}
	in.difference = in.difference || c.Minus != nil
	return in
}

// count reads a whole number, or the name of a parameter that holds one.
func (r *protocolReader) count(at place) Operand {
	return r.operand(at, measuredIn{unit: "1", whole: true})
}

// operand reads a number, with or without a unit, or the name of a parameter.
func (r *protocolReader) operand(at place, in measuredIn) Operand {
	text := r.word(at)
	if text == "" {
		r.fault(at, "bad-number", "a number or the name of a parameter is expected here", "")
		return never
	}
	if isName(text) {
		return r.parameterOperand(at, in, text)
	}
	f, unit, ok := r.number(at)
	if !ok {
		return never
	}
	f, ok = in.convert(f, unit)
	if !ok {
		r.fault(at, "unit-mismatch", fmt.Sprintf("a number in %s cannot be compared with one in %s", unitName(unit), unitName(in.unit)), in.hint())
		return never
	}
	v := r.value(at, f)
	if in.whole && (v%1000 != 0 || v < 0) {
		r.fault(at, "bad-number", fmt.Sprintf("%q is not a whole number", text), "")
	}
	return Operand{Value: v}
}

func (r *protocolReader) parameterOperand(at place, in measuredIn, name string) Operand {
	p := r.protocol.parameter(name)
	if p == nil {
		hint := "declare it under parameters, or write a number"
		if names := r.protocol.parameterNames(); len(names) > 0 {
			hint = suggest(name, names)
		}
		r.fault(at, "unknown-parameter", fmt.Sprintf("there is no parameter %q", name), hint)
		return never
	}
	countsDays := in.whole && (p.Unit == "d" || p.Unit == "1")
	if p.Unit != in.unit && !countsDays {
		r.fault(at, "unit-mismatch", fmt.Sprintf("the parameter %s is in %s; what it is compared with is in %s", name, unitName(p.Unit), unitName(in.unit)), "give the parameter the unit "+in.unit)
	}
	return Operand{Parameter: name, Value: p.Default}
}

// convert brings f, written in unit, to the canonical unit.
func (in measuredIn) convert(f float64, unit string) (float64, bool) {
	if unit == "" || unit == in.unit {
		return f, true
	}
	if in.whole && (unit == "1" || unit == "d") {
		return f, true
	}
	if in.measure == nil {
		return 0, false
	}
	if in.perDay {
		base, ok := strings.CutSuffix(unit, "/d")
		if !ok {
			return 0, false
		}
		unit = Canonical(base)
	}
	if in.difference {
		scale, ok := in.measure.Scale(in.component, unit)
		return f * scale, ok
	}
	return in.measure.Convert(in.component, f, unit)
}

func (in measuredIn) hint() string {
	if in.measure == nil {
		return "write the number in " + unitName(in.unit)
	}
	units := in.measure.UnitsFor(in.component)
	if in.perDay {
		return "write the number in " + in.unit
	}
	return "use " + strings.Join(units, ", ")
}

// windowless are the statistics that make sense of the latest readings without
// a window.
var windowless = []Statistic{Last, Streak, Step}

// fits notes keys that do not go with the statistic.
func (r *protocolReader) fits(at place, c *Comparison) {
	counting := slices.Contains([]Statistic{Count, Share, Streak, Events}, c.Statistic)
	daily := c.Days != (Operand{})
	windowed := c.Window != Window{}
	switch {
	case !windowed && !daily && !slices.Contains(windowless, c.Statistic):
		r.fault(at, "missing-key", fmt.Sprintf("%s is computed over a window", c.Statistic), "add window: 24h, or window: 3d for civil days")
	case windowed && daily:
		r.fault(at.key("window"), "not-together", "with days, the statistic is taken within each day", "remove window")
	}
	if !daily && c.Window.Length > 0 && slices.Contains(daysOnly, c.Statistic) {
		r.fault(at.key("window"), "not-together", fmt.Sprintf("%s is computed from one day to the next", c.Statistic), "write the window in civil days: 3d")
	}
	if daily && !slices.Contains([]Statistic{Last, Mean, Median, Min, Max, Sum, Count, Share, Wear}, c.Statistic) {
		r.fault(at.key("statistic"), "not-together", fmt.Sprintf("%s is no aggregate of a day", c.Statistic), "use mean, median, min, max, sum, count or share with days")
	}
	if daily && c.Lasting > 0 {
		r.fault(at.key("lasting"), "not-together", "lasting and days are two ways to say the same", "remove one")
	}
	if c.Where != nil && !counting {
		r.fault(at.key("where"), "not-together", fmt.Sprintf("%s takes every reading", c.Statistic), "remove where, or use count, share, streak or events")
	}
	if c.Where == nil && counting && c.Statistic != Count {
		r.fault(at, "missing-key", fmt.Sprintf("%s needs to know which readings count", c.Statistic), "add where: {below: …}")
	}
	if (c.Event != nil) != (c.Statistic == Events) {
		r.fault(at, "not-together", "event goes with the statistic events, and events with event", "write statistic: events and event: {lasting: 15m, ending: 15m}")
	}
	if c.Minus != nil && !slices.Contains([]Statistic{Last, Mean, Median, Min, Max}, c.Statistic) {
		r.fault(at.key("minus"), "not-together", fmt.Sprintf("a baseline cannot be subtracted from %s", c.Statistic), "use last, mean, median, min or max")
	}
	if c.Statistic == GMI && c.Measure.ID != "glucose" {
		r.fault(at.key("statistic"), "not-together", "gmi is about glucose", "use mean")
	}
	if c.Gap > 0 && c.Lasting == 0 {
		r.fault(at.key("gap"), "not-together", "gap goes with lasting", "add lasting, or put gap inside event")
	}
	r.floorFits(at, c)
}

// floorFits notes a share of expected readings where nothing says how many are
// expected.
func (r *protocolReader) floorFits(at place, c *Comparison) {
	if c.Floor == 0 && c.Statistic != Wear {
		return
	}
	if c.Floor < 0 || c.Floor > 100_000 {
		r.fault(at.key("floor"), "bounds", "a share is between 0 and 100 %", "")
	}
	if c.Window == (Window{}) && !c.daily() {
		r.fault(at.key("floor"), "not-together", "how many readings are expected is known of a window", "add window: 24h, or remove floor")
	}
	if r.protocol.UsualStep(c.Measure, c.Variant, nil) <= 0 {
		r.fault(at, "no-cadence", fmt.Sprintf("nothing says how many readings of %s are expected", c.Measure.ID), "add the observation with its cadence: {every: 5m} or {times: 1, per: day}")
	}
}
