package language

import (
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

// maxSeries bounds the readings that one test may stand for: a year of a
// reading every five minutes.
const maxSeries = 110_000

// deliveries reads one entry of a test: a reading, or a series of them.
func (r *timelineReader) deliveries(at document.Place) []Delivery {
	m := r.measure(at.Key("measure"))
	if m == nil {
		return nil
	}
	start, dayOnly := r.timeOrDay(at.Key("at"))
	pattern := protocols.Reading{
		Device: r.Word(at.Key("device")), Patient: "test", DayOnly: dayOnly, Measure: m, Variant: r.variant(at.Key("variant"), m),
		Flags: r.Words(at.Key("flags")), Battery: -1,
	}
	if pattern.Device == "" {
		pattern.Device = m.ID
	}
	if source := r.OneOf(at.Key("source"), sources); source != "" {
		pattern.Source, _ = protocols.ParseSource(source)
	}
	if meal := r.OneOf(at.Key("meal"), mealNames); meal != "" {
		pattern.Context = map[string]string{protocols.MealContext: meal}
	}
	if !r.bare() && !r.protocol.LooksAt(m) {
		r.Fault(at.Key("measure"), "not-observed", protocols.Say("le protocole n'observe pas « %s » : ici, elle ne changerait rien", "the protocol does not observe %q: here it would change nothing", m.ID), protocols.Say("l'ajouter aux observations, ou l'enlever de l'essai", "add it to the observations, or take it out of the test"))
	}
	columns := r.columns(at, m)
	received := r.time(at.Key("received"))
	if received.Before(start) && at.Key("received").Present() && !start.IsZero() && !received.IsZero() {
		r.Fault(at.Key("received"), "bounds", protocols.Say("rien n'arrive avant d'être mesuré", "nothing is received before it is measured"), protocols.Say("écrire un moment après at, ou enlever received", "write a moment after at, or remove received"))
	}
	var list []Delivery
	for day := range r.Whole(at.Key("days"), 1, document.MaxDays, 1) {
		if r.pinned > maxSeries {
			r.Fault(at, "too-many", protocols.Say("cet essai tient lieu de plus de %d mesures", "this test stands for more than %d readings", maxSeries), protocols.Say("le partager en plusieurs", "split it"))
			return nil
		}
		for i, when := range r.times(at, start.AddDate(0, 0, day), columns) {
			list = append(list, r.delivery(pattern, when, received, columns.values(m, i)))
		}
	}
	return list
}

// bare reports whether nothing is known of the protocol but its name, as in a story about
// several patients: there every measure may be sent.
func (r *timelineReader) bare() bool {
	return len(r.protocol.Observations) == 0 && len(r.protocol.Rules) == 0
}

// delivery is pattern measured at when. A reading of which only the day is known
// stands at noon.
func (r *timelineReader) delivery(pattern protocols.Reading, when, received time.Time, values []protocols.Value) Delivery {
	r.pinned++
	reading := pattern
	reading.ID = "r" + strconv.Itoa(r.pinned)
	reading.Values = values
	if reading.DayOnly {
		when = onWallClock(when, 12*time.Hour)
	}
	reading.Time = when.UTC()
	if received.Before(when) {
		received = when
	}
	return Delivery{Reading: reading, Received: received.UTC()}
}

// column is the numbers of one component: a list of them, or a first one and
// what each reading adds.
type column struct {
	component int
	numbers   []protocols.Value
	add       protocols.Value
}

func (c *column) at(i int) protocols.Value {
	if len(c.numbers) > 1 {
		return c.numbers[min(i, len(c.numbers)-1)]
	}
	return c.numbers[0] + protocols.Value(i)*c.add
}

type columns []column

// longest is the length of the longest list; 1 where there is none.
func (cs columns) longest() int {
	n := 1
	for i := range cs {
		n = max(n, len(cs[i].numbers))
	}
	return n
}

func (cs columns) values(m *protocols.Measure, i int) []protocols.Value {
	values := make([]protocols.Value, len(m.Components))
	for j := range values {
		values[j] = protocols.Missing
	}
	for j := range cs {
		values[cs[j].component] = cs[j].at(i)
	}
	m.Complete(values)
	return values
}

// columns reads value or values, and add.
func (r *timelineReader) columns(at document.Place, m *protocols.Measure) columns {
	single, several, add := at.Key("value"), at.Key("values"), at.Key("add")
	if single.Present() == several.Present() {
		r.Fault(at, "wrong-shape", protocols.Say("une mesure a soit value, soit values", "a reading has either value or values"), protocols.Say("écrire value: 80 kg, ou values: {systolic: 120, diastolic: 80}", "write value: 80 kg, or values: {systolic: 120, diastolic: 80}"))
		return nil
	}
	if single.Present() {
		if len(m.Components) > 1 {
			r.Fault(single, "wrong-shape", protocols.Say("« %s » a plusieurs composantes", "%s has several components", m.ID), valuesOf(m, single))
			return nil
		}
		return r.column(nil, single, add, m, 0)
	}
	if several.Node.Kind != document.Mapping {
		r.Fault(several, "wrong-shape", protocols.Say("values nomme chaque composante", "values names each component"), valuesOf(m, several))
		return nil
	}
	var all columns
	keys, values := r.Pairs(several)
	for i := range keys {
		if component := r.Component(keys[i], m); component >= 0 {
			all = r.column(all, values[i], add.Key(keys[i].Node.Text), m, component)
		}
	}
	return all
}

// valuesOf writes what was written as one value as the components of a measure:
// "165" and "165/95" of a blood pressure.
func valuesOf(m *protocols.Measure, at document.Place) protocols.Text {
	given := []string{"…"}
	if at.Node.Kind == document.Scalar {
		given = strings.Split(at.Node.Text, "/")
	}
	var parts []string
	for i := range m.Components {
		if i > 0 && m.Components[i].Optional {
			continue
		}
		number := "…"
		if len(parts) < len(given) {
			number = strings.TrimSpace(given[len(parts)])
		}
		parts = append(parts, m.Components[i].Name+": "+number)
	}
	return protocols.Say("écrire values: {%s}", "write values: {%s}", strings.Join(parts, ", "))
}

func (r *timelineReader) column(all columns, at, add document.Place, m *protocols.Measure, component int) columns {
	c := column{component: component}
	in := measuredIn{unit: m.Components[component].Unit, measure: m, component: component}
	places := []document.Place{at}
	if at.Node.Kind == document.List {
		places = r.Items(at)
		r.commas(places)
	}
	for _, p := range places {
		before := len(r.Problems)
		v := r.inUnit(p, in)
		if len(r.Problems) == before {
			r.reportable(p, v, &m.Components[component])
		}
		c.numbers = append(c.numbers, v)
	}
	if add.Present() {
		in.difference = true
		c.add = r.inUnit(add, in)
	}
	if len(c.numbers) == 0 {
		r.Fault(at, "wrong-shape", protocols.Say("cette liste ne contient aucun nombre", "this list holds no number"), protocols.Text{})
		return all
	}
	return append(all, c)
}

// reportable notes what no instrument reports: a service sets it aside, so that a test of it
// would show what never happens. A story may well send it.
func (r *timelineReader) reportable(at document.Place, v protocols.Value, c *protocols.Component) {
	if !r.bare() && !c.Event && (v < c.Low || v > c.High) {
		r.Fault(at, "out-of-range", protocols.Say("un appareil rapporte de %s à %s : une autre valeur serait mise de côté", "an instrument reports %s to %s: another value would be set aside", c.Low, c.High), protocols.Say("écrire une valeur qui peut venir", "write a value that can come"))
	}
}

// commas notes a number in a list whose decimals stand behind a comma: YAML reads
// [38, 38,5] as three numbers. Where no comma has a space behind it, all are of the list.
func (r *timelineReader) commas(items []document.Place) {
	tight := func(i int) bool {
		one, next := items[i-1].Node, items[i].Node
		return one.Line == next.Line && one.Column+len(one.Text)+1 == next.Column
	}
	spaced := 0
	for i := 1; i < len(items); i++ {
		if !tight(i) {
			spaced++
		}
	}
	for i := 1; i < len(items) && spaced > 0; i++ {
		if one, two := items[i-1].Node, items[i].Node; tight(i) && one.Kind == document.Scalar && two.Kind == document.Scalar {
			r.Fault(items[i-1], "bad-number", protocols.Say("« %s,%s » sont ici deux nombres", "\"%s,%s\" are two numbers here", one.Text, two.Text), protocols.Say("écrire %s.%s, ou une espace après la virgule", "write %s.%s, or a space after the comma", one.Text, two.Text))
		}
	}
}

func (r *timelineReader) inUnit(at document.Place, in measuredIn) protocols.Value {
	f, unit, ok := r.Number(at)
	if !ok {
		return 0
	}
	f, ok = in.convert(f, unit)
	if !ok {
		r.Fault(at, "unit-mismatch", protocols.Say("%s ne va pas avec cette mesure", "%s does not suit this measure", unit), in.hint())
	}
	return r.Value(at, f)
}

// times lists when the readings of an entry were measured. A step in days keeps
// the time on the wall clock.
func (r *timelineReader) times(at document.Place, start time.Time, cs columns) []time.Time {
	step, length := at.Key("every"), at.Key("for")
	count := cs.longest()
	if !step.Present() {
		if length.Present() || count > 1 {
			r.Fault(at, "missing-key", protocols.Say("plusieurs mesures demandent un pas", "several readings need a step"), protocols.Say("ajouter every: 5m, ou every: 1d", "add every: 5m, or every: 1d"))
		}
		return []time.Time{start}
	}
	every, span := r.window(step), r.window(length)
	if every == (protocols.Window{}) {
		return nil
	}
	if span != (protocols.Window{}) {
		return r.series(length, start, every, after(span, start, 1))
	}
	times := make([]time.Time, count)
	for i := range times {
		times[i] = after(every, start, i)
	}
	return times
}

// series repeats until end, and is at least one reading. A day on which the clock
// changes is 23 or 25 hours long.
func (r *timelineReader) series(at document.Place, start time.Time, every protocols.Window, end time.Time) []time.Time {
	times := []time.Time{start}
	for {
		next := after(every, start, len(times))
		if !next.Before(end) {
			return times
		}
		if len(times) == maxSeries {
			r.Fault(at, "too-many", protocols.Say("ceci tient lieu de trop de mesures", "this stands for too many readings"), protocols.Say("un essai en contient au plus %d", "a test holds at most %d", maxSeries))
			return nil
		}
		times = append(times, next)
	}
}

// after is the moment after n steps: days keep the time on the wall clock.
func after(w protocols.Window, start time.Time, n int) time.Time {
	if w.Days > 0 {
		return start.AddDate(0, 0, n*w.Days)
	}
	return start.Add(time.Duration(n) * w.Length)
}
