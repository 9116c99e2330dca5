package language

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vigie/protocols"
	"vigie/protocols/document"
)

func (r *protocolReader) comparison(at document.Place) *protocols.Comparison {
	if !r.Open(at, comparisonForm) {
		return nil
	}
	c := &protocols.Comparison{Measure: r.measure(at.Key("measure")), Statistic: protocols.Last, MinusComponent: -1, PerComponent: -1, Line: at.Node.Line}
	if c.Measure == nil {
		return nil
	}
	c.Variant = r.variant(at.Key("variant"), c.Measure)
	if word := r.OneOf(at.Key("statistic"), statisticNames); word != "" {
		c.Statistic = protocols.Statistic(word)
	}
	if !r.components(at, c) {
		return nil
	}
	c.Hours = r.hours(at.Key("hours"))
	c.Meal = protocols.Meal(r.OneOf(at.Key("meal"), mealsAsked))
	c.Window = r.window(at.Key("window"))
	c.Minus = r.baseline(at.Key("minus"), c)
	c.Beside = r.beside(at.Key("minus_measure"), c)
	c.Lasting = r.Duration(at.Key("lasting"))
	c.Gap = r.Duration(at.Key("gap"))
	c.Apart = r.Duration(at.Key("apart"))
	if days := at.Key("days"); days.Present() {
		c.Days = r.count(days)
	}
	if floor := at.Key("floor"); floor.Present() {
		c.Floor = r.Plain(floor, "%")
	}
	c.Where = r.filter(at.Key("where"), c)
	c.Event = r.event(at.Key("event"))
	c.Until = r.filter(at.Key("event").Key("until"), c)
	r.threshold(at, c)
	r.fits(at, c)
	return c
}

// components finds which number of the measure is meant.
func (r *protocolReader) components(at document.Place, c *protocols.Comparison) bool {
	if flag := at.Key("flag"); flag.Present() {
		return r.flag(at, c)
	}
	named := at.Key("component")
	name := r.Word(named)
	switch {
	case name != "":
		c.Component = r.Component(named, c.Measure)
	case len(c.Measure.Components) > 1 && !c.Statistic.Row().Whole:
		r.Fault(at, "missing-key", protocols.Say("« %s » a plusieurs composantes", "%s has several components", c.Measure.ID), protocols.Say("ajouter component: et l'une de : %s", "add component: one of %s", strings.Join(c.Measure.ComponentNames(), ", ")))
		return false
	}
	if other := at.Key("minus_component"); other.Present() {
		c.MinusComponent = r.Component(other, c.Measure)
		if c.MinusComponent >= 0 && c.Component >= 0 && c.Measure.Components[c.MinusComponent].Unit != c.Measure.Components[c.Component].Unit {
			r.Fault(other, "unit-mismatch", protocols.Say("les deux composantes n'ont pas la même unité", "the two components have different units"), protocols.Text{})
		}
		if c.MinusComponent < 0 {
			return false
		}
	}
	if other := at.Key("per_component"); other.Present() {
		if c.PerComponent = r.Component(other, c.Measure); c.PerComponent < 0 {
			return false
		}
		if c.PerComponent == c.Component && c.MinusComponent < 0 {
			r.Fault(other, "not-together", protocols.Say("un nombre divisé par lui-même est toujours 1", "a number divided by itself is always 1"), protocols.Say("nommer une autre composante", "name another component"))
		}
	}
	return c.Component >= 0
}

// flag reads which flag is looked at instead of a component.
func (r *protocolReader) flag(at document.Place, c *protocols.Comparison) bool {
	flag := at.Key("flag")
	for _, key := range []string{"component", "minus_component", "per_component"} {
		if at.Key(key).Present() {
			r.Fault(at.Key(key), "not-together", protocols.Say("un drapeau est de la mesure entière", "a flag is of the whole reading"), protocols.Say("enlever %s", "remove %s", key))
			return false
		}
	}
	c.Flag = r.OneOf(flag, flagNames)
	row := c.Statistic.Row()
	switch o := r.protocol.Expects(c.Measure, c.Variant); {
	case c.Flag == "":
		return false
	case row.Doubts || row.Only != "":
		r.Fault(flag, "not-together", protocols.Say("« %s » est d'un nombre, non d'un drapeau", "%s is of a number, not of a flag", c.Statistic), protocols.Say("employer count, share ou streak", "use count, share or streak"))
	case o != nil && slices.Contains(o.IgnoreFlags, c.Flag):
		r.Fault(flag, "not-together", protocols.Say("l'observation écarte les mesures qui portent « %s »", "the observation keeps out the readings that carry %s", c.Flag), protocols.Say("l'enlever de ignore_flags", "remove it from ignore_flags"))
	}
	return true
}

func (r *protocolReader) baseline(at document.Place, c *protocols.Comparison) *protocols.Baseline {
	if !at.Present() || !r.Open(at, baselineForm) {
		return nil
	}
	b := &protocols.Baseline{
		Statistic: protocols.Statistic(r.OneOf(at.Key("statistic"), baselineNames)),
		Days:      r.Whole(at.Key("days"), 1, document.MaxDays, 1),
		Ago:       r.Whole(at.Key("ago"), 0, document.MaxDays, 0),
		AtLeast:   r.Whole(at.Key("at_least"), 1, document.MaxDays, 1),
	}
	if b.AtLeast > b.Days {
		r.Fault(at.Key("at_least"), "bounds", protocols.Say("%d jours sur %d ne peuvent jamais porter une mesure", "%d days of %d can never hold a reading", b.AtLeast, b.Days), protocols.Say("%d au plus", "use at most %d", b.Days))
	}
	r.scale(at, c, b)
	b.Seed = r.seed(at.Key("seed"), readingUnit(c))
	return b
}

// seed reads the parameter that stands for a baseline until enough days hold a reading.
func (r *protocolReader) seed(at document.Place, in measuredIn) protocols.Operand {
	if !at.Present() {
		return protocols.Operand{}
	}
	o := r.operand(at, in)
	if o.Parameter == "" || o.Factor != 0 {
		r.Fault(at, "not-together", protocols.Say("la valeur habituelle d'un patient est un paramètre", "the usual value of a patient is a parameter"), protocols.Say("écrire le nom d'un paramètre, comme dry-weight", "write the name of a parameter, such as dry-weight"))
	}
	return o
}

// scale reads what the distance from a baseline is counted in.
func (r *protocolReader) scale(at document.Place, c *protocols.Comparison, b *protocols.Baseline) {
	b.As = protocols.BaselineScale(r.OneOf(at.Key("as"), scaleNames))
	least, most := at.Key("least"), at.Key("most")
	switch {
	case b.As != protocols.InDeviations && most.Present():
		r.Fault(most, "not-together", protocols.Say("most est le plus grand écart habituel : il va avec as: deviations", "most is the largest usual deviation: it goes with as: deviations"), protocols.Say("l'enlever, ou écrire as: deviations", "remove it, or write as: deviations"))
	case b.As != protocols.InDeviations && least.Present():
		r.Fault(least, "not-together", protocols.Say("least est le plus petit écart habituel : il va avec as: deviations", "least is the smallest usual deviation: it goes with as: deviations"), protocols.Say("l'enlever, ou écrire as: deviations", "remove it, or write as: deviations"))
	case b.As != protocols.InDeviations:
	case !least.Present():
		r.Fault(at, "missing-key", protocols.Say("sans least, quelques jours semblables feraient d'un rien un grand écart", "without least, some days that happen to be alike would make much of a trifle"), protocols.Say("ajouter least: le plus petit écart habituel d'un jour à l'autre, comme 0.4 kg", "add least: the smallest usual deviation from day to day, such as 0.4 kg"))
	default:
		in := readingUnit(c)
		in.difference = true
		b.Least = r.operand(least, in)
		if low, _ := r.protocol.Extent(b.Least); low <= 0 {
			r.Fault(least, "bounds", protocols.Say("le plus petit écart est au-dessus de 0", "the smallest deviation is above 0"), protocols.Say("écrire ce qui varie d'un jour à l'autre sans rien dire, comme 0.4 kg", "write what varies from day to day without a meaning, such as 0.4 kg"))
		}
		r.most(most, b, in)
	}
	if b.As == protocols.InDeviations && b.AtLeast < protocols.LeastDays {
		r.Fault(at, "bounds", protocols.Say("un écart habituel se calcule sur %d jours au moins", "a usual deviation takes %d days", protocols.LeastDays), protocols.Say("ajouter at_least: %d ou plus", "add at_least: %d or more", protocols.LeastDays))
	}
}

// most reads the largest deviation, which is no smaller than the smallest one.
func (r *protocolReader) most(at document.Place, b *protocols.Baseline, in measuredIn) {
	if !at.Present() {
		return
	}
	b.Most = r.operand(at, in)
	low, _ := r.protocol.Extent(b.Most)
	if _, least := r.protocol.Extent(b.Least); low < least {
		r.Fault(at, "bounds", protocols.Say("le plus grand écart peut être au-dessous du plus petit (least)", "the largest deviation can lie below the smallest one (least)"), protocols.Say("écrire un nombre plus grand que least", "write a number above least"))
	}
}

func (r *protocolReader) event(at document.Place) *protocols.EventShape {
	if !at.Present() || !r.Open(at, eventForm) {
		return nil
	}
	return &protocols.EventShape{Lasting: r.Duration(at.Key("lasting")), Ending: r.Duration(at.Key("ending")), Gap: r.Duration(at.Key("gap"))}
}

func (r *protocolReader) filter(at document.Place, c *protocols.Comparison) *protocols.Filter {
	if !at.Present() || !r.Open(at, filterForm) {
		return nil
	}
	unit := readingUnit(c)
	bound := func(key string) *protocols.Operand {
		if !at.Key(key).Present() {
			return nil
		}
		o := r.operand(at.Key(key), unit)
		return &o
	}
	f := &protocols.Filter{Above: bound("above"), AtLeast: bound("at_least"), Below: bound("below"), AtMost: bound("at_most")}
	if *f == (protocols.Filter{}) {
		r.Fault(at, "missing-key", protocols.Say("ce filtre laisse passer toutes les mesures", "this filter lets every reading through"), protocols.Say("ajouter above, at_least, below ou at_most, ou l'enlever", "add above, at_least, below or at_most, or remove it"))
	}
	return f
}

// operatorKeys are the keys of a comparison that hold its threshold.
var operatorKeys = []struct {
	key      string
	operator protocols.Operator
}{{"above", protocols.Above}, {"at_least", protocols.AtLeast}, {"below", protocols.Below}, {"at_most", protocols.AtMost}}

// OperatorKey is how an operator is written in a file.
func OperatorKey(o protocols.Operator) string {
	for _, known := range operatorKeys {
		if known.operator == o {
			return known.key
		}
	}
	return ""
}

func (r *protocolReader) threshold(at document.Place, c *protocols.Comparison) {
	for _, o := range operatorKeys {
		if !at.Key(o.key).Present() {
			continue
		}
		if c.Operator != "" {
			r.Fault(at.Key(o.key), "two-thresholds", protocols.Say("une comparaison a un seul seuil", "a comparison has one threshold"), protocols.Say("pour dire « entre », écrire all: avec deux comparaisons", "use all: with two comparisons to say \"between\""))
			continue
		}
		c.Operator = o.operator
		c.Threshold = r.operand(at.Key(o.key), resultUnit(c))
	}
	if c.Operator == "" {
		r.Fault(at, "missing-key", protocols.Say("cette comparaison ne compare à rien", "this comparison compares with nothing"), protocols.Say("ajouter above, at_least, below ou at_most", "add above, at_least, below or at_most"))
		c.Operator, c.Threshold = protocols.Above, never
	}
	clear, margin := at.Key("clear"), at.Key("margin")
	if clear.Present() && margin.Present() {
		r.Fault(margin, "not-together", protocols.Say("clear et margin disent la même chose de deux façons", "clear and margin are two ways to say the same"), protocols.Say("enlever l'un des deux", "remove one"))
		return
	}
	if clear.Present() {
		o := r.operand(clear, resultUnit(c))
		c.Clear = &o
	}
	if margin.Present() {
		c.Margin = r.margin(margin, resultUnit(c))
	}
}

// margin reads a distance from the threshold.
func (r *reader) margin(at document.Place, in measuredIn) protocols.Value {
	f, unit, ok := r.Number(at)
	if !ok {
		return 0
	}
	in.difference = true
	if f, ok = in.convert(f, unit); !ok {
		r.Fault(at, "unit-mismatch", protocols.Say("une marge en %s ne va pas avec un seuil en %s", "a margin in %s does not suit a threshold in %s", document.UnitName(unit), document.UnitName(in.unit)), in.hint())
		return 0
	}
	if f <= 0 {
		r.Fault(at, "bad-number", protocols.Say("une marge est une distance, au-dessus de 0", "a margin is a distance, above 0"), protocols.Say("écrire de combien il faut repasser le seuil pour que l'alerte se termine", "write how far back inside the threshold it takes to leave"))
		return 0
	}
	return r.Value(at, f)
}

// measuredIn is what a number is written in: a unit, the units that convert to
// it, and whether it is a difference, for which an offset does not count.
type measuredIn struct {
	unit       string
	measure    *protocols.Measure // nil when only unit will do
	component  int
	difference bool
	perDay     bool // unit is that of the component, a day
	whole      bool
}

// readingUnit is what a reading of the compared component is written in.
func readingUnit(c *protocols.Comparison) measuredIn {
	if c.PerComponent >= 0 || c.Flag != "" {
		return measuredIn{unit: c.Unit()}
	}
	return measuredIn{
		unit: c.Measure.Components[c.Component].Unit, measure: c.Measure, component: c.Component,
		difference: c.MinusComponent >= 0,
	}
}

// resultUnit is what the threshold of a comparison is written in.
func resultUnit(c *protocols.Comparison) measuredIn {
	in := readingUnit(c)
	gives := c.Statistic.Row().Gives
	switch gives {
	case protocols.GivesNumber, protocols.GivesDays:
		return measuredIn{unit: c.Result(), whole: true}
	case protocols.GivesPercent:
		return measuredIn{unit: c.Result()}
	case protocols.GivesDifference:
		in.difference = true
	case protocols.GivesTrend:
		in.unit, in.difference, in.perDay = c.Result(), true, true
	}
	if c.Scaled() != protocols.InUnits {
		return measuredIn{unit: c.Result()}
	}
	in.difference = in.difference || c.Minus != nil || c.Beside != nil
	return in
}

// count reads a whole number, or the name of a parameter that holds one.
func (r *protocolReader) count(at document.Place) protocols.Operand {
	return r.operand(at, measuredIn{unit: "1", whole: true})
}

// operand reads a number, with or without a unit, or the name of a parameter.
func (r *protocolReader) operand(at document.Place, in measuredIn) protocols.Operand {
	text := r.Word(at)
	if text == "" {
		r.Fault(at, "bad-number", protocols.Say("un nombre ou le nom d'un paramètre est attendu ici", "a number or the name of a parameter is expected here"), protocols.Text{})
		return never
	}
	if document.IsName(text) {
		return r.parameterOperand(at, in, text)
	}
	if parts := multiple.FindStringSubmatch(text); parts != nil {
		return r.multipleOf(at, in, parts[1], parts[2])
	}
	if name, times := r.timesMeant(text); name != "" {
		r.Fault(at, "bad-number", protocols.Say("« %s » n'est pas un multiple d'un paramètre", "%q is no multiple of a parameter", text), protocols.Say("écrire le nombre, puis x et le nom : %s x %s", "write the number, then x and the name: %s x %s", times, name))
		return never
	}
	f, unit, ok := r.Number(at)
	if !ok {
		return never
	}
	f, ok = in.convert(f, unit)
	if !ok {
		r.Fault(at, "unit-mismatch", protocols.Say("un nombre en %s ne se compare pas à un nombre en %s", "a number in %s cannot be compared with one in %s", document.UnitName(unit), document.UnitName(in.unit)), in.hint())
		return never
	}
	v := r.Value(at, f)
	if in.whole && (v%1000 != 0 || v < 0) {
		r.Fault(at, "bad-number", protocols.Say("« %s » n'est pas un nombre entier", "%q is not a whole number", text), protocols.Text{})
	}
	return protocols.Operand{Value: v}
}

// multiple is a number of times a parameter: "1.5 x usual-creatinine".
var multiple = regexp.MustCompile(`^([+-]?[0-9.]+) ?[x×] ?([a-z][a-z0-9-]*)$`)

// timesMeant finds a parameter and a number in what is no multiple as it is written:
// "1,5 x usual", "1.5 * usual", "usual x 1.5"; an empty name where there is none.
func (r *protocolReader) timesMeant(text string) (name, times string) {
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" *·×", c) }) {
		switch {
		case r.protocol.Parameter(word) != nil:
			name = word
		case strings.Trim(word, "0123456789.,") == "" && times == "":
			times = strings.Replace(word, ",", ".", 1)
		case word != "x":
			return "", ""
		}
	}
	if times == "" {
		return "", ""
	}
	return name, times
}

func (r *protocolReader) multipleOf(at document.Place, in measuredIn, times, name string) protocols.Operand {
	o := r.parameterOperand(at, in, name)
	f, err := strconv.ParseFloat(times, 64)
	if err != nil || f == 0 || in.whole {
		r.Fault(at, "bad-number", protocols.Say("« %s » n'est pas un multiple d'un paramètre", "%q is no multiple of a parameter", times+" x "+name), protocols.Say("écrire un nombre autre que 0, puis x et le nom : 1.5 x %s", "write a number other than 0, then x and the name: 1.5 x %s", name))
		return never
	}
	o.Factor = r.Value(at, f)
	o.Value = o.Of(o.Value)
	return o
}

func (r *protocolReader) parameterOperand(at document.Place, in measuredIn, name string) protocols.Operand {
	p := r.protocol.Parameter(name)
	if p == nil {
		hint := protocols.Say("le déclarer dans parameters, ou écrire un nombre", "declare it under parameters, or write a number")
		if names := r.protocol.ParameterNames(); len(names) > 0 {
			hint = document.Suggest(name, names)
		}
		if slices.Contains(r.unread, name) { // what is wrong with it is said where it stands
			return never
		}
		r.Fault(at, "unknown-parameter", protocols.Say("il n'y a pas de paramètre « %s »", "there is no parameter %q", name), hint)
		return never
	}
	countsDays := in.whole && (p.Unit == "d" || p.Unit == "1")
	if p.Unit != in.unit && !countsDays {
		r.Fault(at, "unit-mismatch", protocols.Say("le paramètre « %s » est en %s ; ce à quoi il est comparé est en %s", "the parameter %s is in %s; what it is compared with is in %s", name, document.UnitName(p.Unit), document.UnitName(in.unit)), protocols.Say("donner au paramètre l'unité %s", "give the parameter the unit %s", in.unit))
	}
	return protocols.Operand{Parameter: name, Value: p.Default}
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
		unit = protocols.Canonical(base)
	}
	if in.difference {
		scale, ok := in.measure.Scale(in.component, unit)
		return f * scale, ok
	}
	return in.measure.Convert(in.component, f, unit)
}

func (in measuredIn) hint() protocols.Text {
	if in.measure == nil {
		return document.WrittenIn(document.UnitName(in.unit))
	}
	units := in.measure.UnitsFor(in.component)
	if in.perDay {
		return document.WrittenIn(in.unit)
	}
	return protocols.Say("employer %s", "use %s", strings.Join(units, ", "))
}

// fits notes keys that do not go with the statistic.
func (r *protocolReader) fits(at document.Place, c *protocols.Comparison) {
	r.windowFits(at, c)
	r.readingsFit(at, c)
	row := c.Statistic.Row()
	if c.Minus != nil && !row.Baseline {
		r.Fault(at.Key("minus"), "not-together", protocols.Say("une valeur de référence ne peut pas être soustraite de « %s »", "a baseline cannot be subtracted from %s", c.Statistic), document.OneAmong(baselineNames.Words))
	}
	if row.Doubts && !r.protocol.Doubts(c.Measure) {
		r.Fault(at.Key("statistic"), "not-together", protocols.Say("rien ne dit quand une mesure de « %s » est mise en doute", "nothing says when a reading of %s is doubted", c.Measure.ID), protocols.Say("ajouter plausible: {within: …, agree: …, days: 14} à l'observation", "add plausible: {within: …, agree: …, days: 14} to the observation"))
	}
	if row.Only != "" && row.Only != c.Measure.ID {
		r.Fault(at.Key("statistic"), "not-together", protocols.Say("« %s » ne concerne que la mesure « %s »", "%s is about %s", c.Statistic, row.Only), protocols.Say("employer mean", "use mean"))
	}
	if c.Gap > 0 && c.Lasting == 0 {
		r.Fault(at.Key("gap"), "not-together", protocols.Say("gap va avec lasting", "gap goes with lasting"), protocols.Say("ajouter lasting, ou mettre gap dans event", "add lasting, or put gap inside event"))
	}
	r.besideFits(at, c)
	r.floorFits(at, c)
	r.hoursFit(at, c)
}

// beside reads the measure whose latest reading is subtracted.
func (r *protocolReader) beside(at document.Place, c *protocols.Comparison) *protocols.Beside {
	if !at.Present() || !r.Open(at, besideForm) {
		return nil
	}
	b := &protocols.Beside{Measure: r.measure(at.Key("measure")), Within: r.Duration(at.Key("within")), As: protocols.BaselineScale(r.OneOf(at.Key("as"), besideScales))}
	if b.Measure == nil {
		return nil
	}
	b.Variant = r.variant(at.Key("variant"), b.Measure)
	named := at.Key("component")
	switch {
	case named.Present():
		b.Component = r.Component(named, b.Measure)
	case len(b.Measure.Components) > 1:
		r.Fault(at, "missing-key", protocols.Say("« %s » a plusieurs composantes", "%s has several components", b.Measure.ID), protocols.Say("ajouter component: et l'une de : %s", "add component: one of %s", strings.Join(b.Measure.ComponentNames(), ", ")))
		return nil
	}
	if b.Component < 0 {
		return nil
	}
	if b.Measure.Components[b.Component].Unit != c.Unit() {
		r.Fault(at, "unit-mismatch", protocols.Say("les deux mesures n'ont pas la même unité", "the two measures have different units"), protocols.Text{})
	}
	if b.Measure == c.Measure && b.Component == c.Component && (b.Variant == 0 || c.Variant == 0 || b.Variant == c.Variant) {
		r.Fault(at, "not-together", protocols.Say("une mesure ne se compare pas à elle-même", "a reading is not held against itself"), protocols.Say("nommer deux variantes, ou deux mesures", "name two variants, or two measures"))
	}
	return b
}

// besideFits notes what does not go with another reading that is subtracted.
func (r *protocolReader) besideFits(at document.Place, c *protocols.Comparison) {
	if c.Beside == nil {
		return
	}
	if c.Statistic != protocols.Last || c.Window.Days > 0 || c.Daily() || c.Minus != nil || c.Lasting > 0 || c.Floor > 0 || c.Flag != "" {
		r.Fault(at.Key("minus_measure"), "not-together", protocols.Say("une autre mesure est soustraite de la dernière valeur seule", "another measure is subtracted from the latest value alone"), protocols.Say("enlever statistic, minus, lasting, days et floor", "remove statistic, minus, lasting, days and floor"))
	}
}

// windowFits notes a window, or days, that do not go with the statistic.
func (r *protocolReader) windowFits(at document.Place, c *protocols.Comparison) {
	row, windowed := c.Statistic.Row(), c.Window != protocols.Window{}
	switch {
	case !windowed && at.Key("window").Present(): // it cannot be read, and that is said
	case !windowed && !c.Daily() && row.Window == protocols.Always:
		r.Fault(at, "missing-key", protocols.Say("« %s » se calcule sur une fenêtre", "%s is computed over a window", c.Statistic), protocols.Say("ajouter window: 24h, ou window: 3d pour des jours civils", "add window: 24h, or window: 3d for civil days"))
	case windowed && row.Window == protocols.Never:
		r.Fault(at.Key("window"), "not-together", protocols.Say("« %s » regarde la dernière mesure", "%s looks at the latest reading", c.Statistic), protocols.Say("enlever window", "remove window"))
	case windowed && c.Daily():
		r.Fault(at.Key("window"), "not-together", protocols.Say("avec days, la statistique est prise dans chaque jour", "with days, the statistic is taken within each day"), protocols.Say("enlever window", "remove window"))
	}
	if !c.Daily() && c.Window.Length > 0 && row.Days {
		r.Fault(at.Key("window"), "not-together", protocols.Say("« %s » se calcule d'un jour au suivant", "%s is computed from one day to the next", c.Statistic), protocols.Say("écrire la fenêtre en jours civils : 3d", "write the window in civil days: 3d"))
	}
	if c.Daily() && !row.Daily {
		r.Fault(at.Key("statistic"), "not-together", protocols.Say("« %s » ne résume pas un jour", "%s is no aggregate of a day", c.Statistic), document.OneAmong(statisticsWith(func(s *protocols.StatisticRow) bool { return s.Daily })))
	}
	if c.Daily() && c.Lasting > 0 {
		r.Fault(at.Key("lasting"), "not-together", protocols.Say("lasting et days disent la même chose de deux façons", "lasting and days are two ways to say the same"), protocols.Say("enlever l'un des deux", "remove one"))
	}
}

// readingsFit notes a filter or the shape of an event that does not go with the
// statistic.
func (r *protocolReader) readingsFit(at document.Place, c *protocols.Comparison) {
	switch need := c.Statistic.Row().Where; {
	case c.Where != nil && need == protocols.Never:
		r.Fault(at.Key("where"), "not-together", protocols.Say("« %s » prend toutes les mesures", "%s takes every reading", c.Statistic), document.OneAmong(statisticsWith(func(s *protocols.StatisticRow) bool { return s.Where != protocols.Never })))
	case c.Where == nil && need == protocols.Always:
		r.Fault(at, "missing-key", protocols.Say("« %s » doit savoir quelles mesures comptent", "%s needs to know which readings count", c.Statistic), protocols.Say("ajouter where: {below: …}", "add where: {below: …}"))
	}
	if c.Apart > 0 && (c.Statistic != protocols.Count || c.Where == nil) {
		r.Fault(at.Key("apart"), "not-together", protocols.Say("apart va avec la statistique count et where", "apart goes with the statistic count and where"), protocols.Say("écrire statistic: count et where: {…}", "write statistic: count and where: {…}"))
	}
	if (c.Event != nil) != c.Statistic.Row().Event {
		r.Fault(at, "not-together", protocols.Say("event va avec la statistique events, et events avec event", "event goes with the statistic events, and events with event"), protocols.Say("écrire statistic: events et event: {lasting: 15m, ending: 15m}", "write statistic: events and event: {lasting: 15m, ending: 15m}"))
	}
}

// floorFits notes a share of expected readings where nothing says how many are
// expected.
func (r *protocolReader) floorFits(at document.Place, c *protocols.Comparison) {
	if c.Floor == 0 && !c.Statistic.Row().Expected {
		return
	}
	if c.Floor < 0 || c.Floor > 100_000 {
		r.Fault(at.Key("floor"), "bounds", protocols.Say("une part est entre 0 et 100 %", "a share is between 0 and 100 %"), protocols.Text{})
	}
	if c.Window == (protocols.Window{}) && !c.Daily() {
		r.Fault(at.Key("floor"), "not-together", protocols.Say("on ne sait combien de mesures sont attendues que sur une fenêtre", "how many readings are expected is known of a window"), protocols.Say("ajouter window: 24h, ou enlever floor", "add window: 24h, or remove floor"))
	}
	if r.protocol.UsualStep(c.Measure, c.Variant, nil) <= 0 {
		r.Fault(at, "no-cadence", protocols.Say("rien ne dit combien de mesures de « %s » sont attendues", "nothing says how many readings of %s are expected", c.Measure.ID), protocols.Say("ajouter l'observation avec son rythme, cadence: {every: 5m} ou {times: 1, per: day}", "add the observation with its cadence: {every: 5m} or {times: 1, per: day}"))
	}
}
