package protocols

import (
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
	case len(c.Measure.Components) > 1 && !c.Statistic.Row().Whole:
		r.fault(at, "missing-key", say("« %s » a plusieurs composantes", "%s has several components", c.Measure.ID), say("ajouter component: et l'une de : %s", "add component: one of %s", strings.Join(componentNames(c.Measure), ", ")))
		return false
	}
	if other := at.key("minus_component"); other.present() {
		c.MinusComponent = r.component(other, c.Measure)
		if c.MinusComponent >= 0 && c.Component >= 0 && c.Measure.Components[c.MinusComponent].Unit != c.Measure.Components[c.Component].Unit {
			r.fault(other, "unit-mismatch", say("les deux composantes n'ont pas la même unité", "the two components have different units"), Text{})
		}
		return c.MinusComponent >= 0 && c.Component >= 0
	}
	return c.Component >= 0
}

func (r *reader) component(at place, m *Measure) int {
	name := r.word(at)
	i := m.Component(name)
	if i < 0 {
		r.fault(at, "unknown-component", say("« %s » n'a pas de composante « %s »", "%s has no component %q", m.ID, name), suggest(name, componentNames(m)))
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
		r.fault(at.key("at_least"), "bounds", say("%d jours sur %d ne peuvent jamais porter une mesure", "%d days of %d can never hold a reading", b.AtLeast, b.Days), say("%d au plus", "use at most %d", b.Days))
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
		r.fault(at, "missing-key", say("ce filtre laisse passer toutes les mesures", "this filter lets every reading through"), say("ajouter above, at_least, below ou at_most, ou l'enlever", "add above, at_least, below or at_most, or remove it"))
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
			r.fault(at.key(o.key), "two-thresholds", say("une comparaison a un seul seuil", "a comparison has one threshold"), say("pour dire « entre », écrire all: avec deux comparaisons", "use all: with two comparisons to say \"between\""))
			continue
		}
		c.Operator = o.operator
		c.Threshold = r.operand(at.key(o.key), resultUnit(c))
	}
	if c.Operator == "" {
		r.fault(at, "missing-key", say("cette comparaison ne compare à rien", "this comparison compares with nothing"), say("ajouter above, at_least, below ou at_most", "add above, at_least, below or at_most"))
		c.Operator, c.Threshold = Above, never
	}
	clear, margin := at.key("clear"), at.key("margin")
	if clear.present() && margin.present() {
		r.fault(margin, "not-together", say("clear et margin disent la même chose de deux façons", "clear and margin are two ways to say the same"), say("enlever l'un des deux", "remove one"))
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
		r.fault(at, "unit-mismatch", say("une marge en %s ne va pas avec un seuil en %s", "a margin in %s does not suit a threshold in %s", unitName(unit), unitName(in.unit)), in.hint())
		return 0
	}
	if f <= 0 {
		r.fault(at, "bad-number", say("une marge est une distance, au-dessus de 0", "a margin is a distance, above 0"), say("écrire de combien il faut repasser le seuil pour que l'alerte se termine", "write how far back inside the threshold it takes to leave"))
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
	gives := c.Statistic.Row().Gives
	switch gives {
	case GivesNumber, GivesDays:
		return measuredIn{unit: c.Result(), whole: true}
	case GivesPercent:
		return measuredIn{unit: c.Result()}
	case GivesDifference:
		in.difference = true
	case GivesTrend:
		in.unit, in.difference, in.perDay = c.Result(), true, true
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
		r.fault(at, "bad-number", say("un nombre ou le nom d'un paramètre est attendu ici", "a number or the name of a parameter is expected here"), Text{})
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
		r.fault(at, "unit-mismatch", say("un nombre en %s ne se compare pas à un nombre en %s", "a number in %s cannot be compared with one in %s", unitName(unit), unitName(in.unit)), in.hint())
		return never
	}
	v := r.value(at, f)
	if in.whole && (v%1000 != 0 || v < 0) {
		r.fault(at, "bad-number", say("« %s » n'est pas un nombre entier", "%q is not a whole number", text), Text{})
	}
	return Operand{Value: v}
}

func (r *protocolReader) parameterOperand(at place, in measuredIn, name string) Operand {
	p := r.protocol.parameter(name)
	if p == nil {
		hint := say("le déclarer dans parameters, ou écrire un nombre", "declare it under parameters, or write a number")
		if names := r.protocol.parameterNames(); len(names) > 0 {
			hint = suggest(name, names)
		}
		r.fault(at, "unknown-parameter", say("il n'y a pas de paramètre « %s »", "there is no parameter %q", name), hint)
		return never
	}
	countsDays := in.whole && (p.Unit == "d" || p.Unit == "1")
	if p.Unit != in.unit && !countsDays {
		r.fault(at, "unit-mismatch", say("le paramètre « %s » est en %s ; ce à quoi il est comparé est en %s", "the parameter %s is in %s; what it is compared with is in %s", name, unitName(p.Unit), unitName(in.unit)), say("donner au paramètre l'unité %s", "give the parameter the unit %s", in.unit))
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

func (in measuredIn) hint() Text {
	if in.measure == nil {
		return writtenIn(unitName(in.unit))
	}
	units := in.measure.UnitsFor(in.component)
	if in.perDay {
		return writtenIn(in.unit)
	}
	return say("employer %s", "use %s", strings.Join(units, ", "))
}

// fits notes keys that do not go with the statistic.
func (r *protocolReader) fits(at place, c *Comparison) {
	r.windowFits(at, c)
	r.readingsFit(at, c)
	row := c.Statistic.Row()
	if c.Minus != nil && !row.Baseline {
		r.fault(at.key("minus"), "not-together", say("une valeur de référence ne peut pas être soustraite de « %s »", "a baseline cannot be subtracted from %s", c.Statistic), oneAmong(baselineWords))
	}
	if row.Only != "" && row.Only != c.Measure.ID {
		r.fault(at.key("statistic"), "not-together", say("« %s » ne concerne que la mesure « %s »", "%s is about %s", c.Statistic, row.Only), say("employer mean", "use mean"))
	}
	if c.Gap > 0 && c.Lasting == 0 {
		r.fault(at.key("gap"), "not-together", say("gap va avec lasting", "gap goes with lasting"), say("ajouter lasting, ou mettre gap dans event", "add lasting, or put gap inside event"))
	}
	r.floorFits(at, c)
}

// windowFits notes a window, or days, that do not go with the statistic.
func (r *protocolReader) windowFits(at place, c *Comparison) {
	row, windowed := c.Statistic.Row(), c.Window != Window{}
	switch {
	case !windowed && !c.daily() && row.Window == Always:
		r.fault(at, "missing-key", say("« %s » se calcule sur une fenêtre", "%s is computed over a window", c.Statistic), say("ajouter window: 24h, ou window: 3d pour des jours civils", "add window: 24h, or window: 3d for civil days"))
	case windowed && c.daily():
		r.fault(at.key("window"), "not-together", say("avec days, la statistique est prise dans chaque jour", "with days, the statistic is taken within each day"), say("enlever window", "remove window"))
	}
	if !c.daily() && c.Window.Length > 0 && row.Days {
		r.fault(at.key("window"), "not-together", say("« %s » se calcule d'un jour au suivant", "%s is computed from one day to the next", c.Statistic), say("écrire la fenêtre en jours civils : 3d", "write the window in civil days: 3d"))
	}
	if c.daily() && !row.Daily {
		r.fault(at.key("statistic"), "not-together", say("« %s » ne résume pas un jour", "%s is no aggregate of a day", c.Statistic), oneAmong(dailyWords))
	}
	if c.daily() && c.Lasting > 0 {
		r.fault(at.key("lasting"), "not-together", say("lasting et days disent la même chose de deux façons", "lasting and days are two ways to say the same"), say("enlever l'un des deux", "remove one"))
	}
}

// readingsFit notes a filter or the shape of an event that does not go with the
// statistic.
func (r *protocolReader) readingsFit(at place, c *Comparison) {
	switch need := c.Statistic.Row().Where; {
	case c.Where != nil && need == Never:
		r.fault(at.key("where"), "not-together", say("« %s » prend toutes les mesures", "%s takes every reading", c.Statistic), oneAmong(filteredWords))
	case c.Where == nil && need == Always:
		r.fault(at, "missing-key", say("« %s » doit savoir quelles mesures comptent", "%s needs to know which readings count", c.Statistic), say("ajouter where: {below: …}", "add where: {below: …}"))
	}
	if (c.Event != nil) != c.Statistic.Row().Event {
		r.fault(at, "not-together", say("event va avec la statistique events, et events avec event", "event goes with the statistic events, and events with event"), say("écrire statistic: events et event: {lasting: 15m, ending: 15m}", "write statistic: events and event: {lasting: 15m, ending: 15m}"))
	}
}

// floorFits notes a share of expected readings where nothing says how many are
// expected.
func (r *protocolReader) floorFits(at place, c *Comparison) {
	if c.Floor == 0 && !c.Statistic.Row().Expected {
		return
	}
	if c.Floor < 0 || c.Floor > 100_000 {
		r.fault(at.key("floor"), "bounds", say("une part est entre 0 et 100 %", "a share is between 0 and 100 %"), Text{})
	}
	if c.Window == (Window{}) && !c.daily() {
		r.fault(at.key("floor"), "not-together", say("on ne sait combien de mesures sont attendues que sur une fenêtre", "how many readings are expected is known of a window"), say("ajouter window: 24h, ou enlever floor", "add window: 24h, or remove floor"))
	}
	if r.protocol.UsualStep(c.Measure, c.Variant, nil) <= 0 {
		r.fault(at, "no-cadence", say("rien ne dit combien de mesures de « %s » sont attendues", "nothing says how many readings of %s are expected", c.Measure.ID), say("ajouter l'observation avec son rythme, cadence: {every: 5m} ou {times: 1, per: day}", "add the observation with its cadence: {every: 5m} or {times: 1, per: day}"))
	}
}
