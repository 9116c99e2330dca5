package protocols

import (
	"strconv"
	"time"
)

// maxSeries bounds the readings that one test may stand for: a year of a
// reading every five minutes.
const maxSeries = 110_000

// deliveries reads one entry of a test: a reading, or a series of them.
func (r *timelineReader) deliveries(at place) []Delivery {
	m := r.measure(at.key("measure"))
	if m == nil {
		return nil
	}
	start, dayOnly := r.timeOrDay(at.key("at"))
	pattern := Reading{
		Device: r.word(at.key("device")), Patient: "test", DayOnly: dayOnly, Measure: m, Variant: r.variant(at.key("variant"), m),
		Flags: r.words(at.key("flags")), Battery: -1,
	}
	if pattern.Device == "" {
		pattern.Device = m.ID
	}
	if source := r.oneOf(at.key("source"), "source", sourceNames[:]); source != "" {
		pattern.Source, _ = ParseSource(source)
	}
	columns := r.columns(at, m)
	received := r.time(at.key("received"))
	var list []Delivery
	for day := range r.whole(at.key("days"), 1, maxDays, 1) {
		if r.pinned > maxSeries {
			r.fault(at, "too-many", say("cet essai tient lieu de plus de %d mesures", "this test stands for more than %d readings", maxSeries), say("le partager en plusieurs", "split it"))
			return nil
		}
		for i, when := range r.times(at, start.AddDate(0, 0, day), columns) {
			list = append(list, r.delivery(pattern, when, received, columns.values(m, i)))
		}
	}
	return list
}

// delivery is pattern measured at when. A reading of which only the day is known
// stands at noon.
func (r *timelineReader) delivery(pattern Reading, when, received time.Time, values []Value) Delivery {
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
	numbers   []Value
	add       Value
}

func (c *column) at(i int) Value {
	if len(c.numbers) > 1 {
		return c.numbers[min(i, len(c.numbers)-1)]
	}
	return c.numbers[0] + Value(i)*c.add
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

func (cs columns) values(m *Measure, i int) []Value {
	values := make([]Value, len(m.Components))
	for j := range values {
		values[j] = Missing
	}
	for j := range cs {
		values[cs[j].component] = cs[j].at(i)
	}
	return values
}

// columns reads value or values, and add.
func (r *timelineReader) columns(at place, m *Measure) columns {
	single, several, add := at.key("value"), at.key("values"), at.key("add")
	if single.present() == several.present() {
		r.fault(at, "wrong-shape", say("une mesure a soit value, soit values", "a reading has either value or values"), say("écrire value: 80 kg, ou values: {systolic: 120, diastolic: 80}", "write value: 80 kg, or values: {systolic: 120, diastolic: 80}"))
		return nil
	}
	if single.present() {
		if len(m.Components) > 1 {
			r.fault(single, "wrong-shape", say("« %s » a plusieurs composantes", "%s has several components", m.ID), say("écrire values: {%s: …}", "write values: {%s: …}", m.Components[0].Name))
			return nil
		}
		return r.column(nil, single, add, m, 0)
	}
	var all columns
	keys, values := r.pairs(several)
	for i := range keys {
		if component := r.component(keys[i], m); component >= 0 {
			all = r.column(all, values[i], add.key(keys[i].node.Text), m, component)
		}
	}
	return all
}

func (r *timelineReader) column(all columns, at, add place, m *Measure, component int) columns {
	c := column{component: component}
	in := measuredIn{unit: m.Components[component].Unit, measure: m, component: component}
	places := []place{at}
	if at.node.Kind == List {
		places = r.items(at)
	}
	for _, p := range places {
		c.numbers = append(c.numbers, r.inUnit(p, in))
	}
	if add.present() {
		in.difference = true
		c.add = r.inUnit(add, in)
	}
	if len(c.numbers) == 0 {
		r.fault(at, "wrong-shape", say("cette liste ne contient aucun nombre", "this list holds no number"), Text{})
		return all
	}
	return append(all, c)
}

func (r *timelineReader) inUnit(at place, in measuredIn) Value {
	f, unit, ok := r.number(at)
	if !ok {
		return 0
	}
	f, ok = in.convert(f, unit)
	if !ok {
		r.fault(at, "unit-mismatch", say("%s ne va pas avec cette mesure", "%s does not suit this measure", unit), in.hint())
	}
	return r.value(at, f)
}

// times lists when the readings of an entry were measured. A step in days keeps
// the time on the wall clock.
func (r *timelineReader) times(at place, start time.Time, cs columns) []time.Time {
	step, length := at.key("every"), at.key("for")
	count := cs.longest()
	if !step.present() {
		if length.present() || count > 1 {
			r.fault(at, "missing-key", say("plusieurs mesures demandent un pas", "several readings need a step"), say("ajouter every: 5m, ou every: 1d", "add every: 5m, or every: 1d"))
		}
		return []time.Time{start}
	}
	every, span := r.window(step), r.window(length)
	if every == (Window{}) {
		return nil
	}
	if span != (Window{}) {
		return r.series(length, start, every, span.after(start, 1))
	}
	times := make([]time.Time, count)
	for i := range times {
		times[i] = every.after(start, i)
	}
	return times
}

// series repeats until end, and is at least one reading. A day on which the clock
// changes is 23 or 25 hours long.
func (r *timelineReader) series(at place, start time.Time, every Window, end time.Time) []time.Time {
	times := []time.Time{start}
	for {
		next := every.after(start, len(times))
		if !next.Before(end) {
			return times
		}
		if len(times) == maxSeries {
			r.fault(at, "too-many", say("ceci tient lieu de trop de mesures", "this stands for too many readings"), say("un essai en contient au plus %d", "a test holds at most %d", maxSeries))
			return nil
		}
		times = append(times, next)
	}
}

// after is the moment after n steps: days keep the time on the wall clock.
func (w Window) after(start time.Time, n int) time.Time {
	if w.Days > 0 {
		return start.AddDate(0, 0, n*w.Days)
	}
	return start.Add(time.Duration(n) * w.Length)
}
