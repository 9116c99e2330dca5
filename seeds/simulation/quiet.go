package simulation

import (
	"maps"
	"slices"
)

// quiet is a patient to whom nothing happens, of a protocol for which the world tells of
// no event.
type quiet struct {
	measures []quietMeasure
}

type quietMeasure struct {
	id         string
	aDay       float64
	components []quietComponent
}

type quietComponent struct {
	name           string
	usual, scatter float64
}

func newQuiet(l *life, condition Condition) *quiet {
	q := &quiet{}
	body := l.world.Quiet[condition]
	for _, id := range slices.Sorted(maps.Keys(body.Measures)) {
		m := quietMeasure{id: id, aDay: body.Measures[id].ADay}
		for _, name := range slices.Sorted(maps.Keys(body.Measures[id].Components)) {
			c := body.Measures[id].Components[name]
			m.components = append(m.components, quietComponent{name, c.Usual.draw(l.Rand), c.Scatter})
		}
		q.measures = append(q.measures, m)
	}
	return q
}

func (q *quiet) plan(*life) {}

func (q *quiet) live(l *life, d int) {
	for _, m := range q.measures {
		for n := 0; l.Float64() < m.aDay-float64(n); n++ {
			values := measured{}
			for _, c := range m.components {
				values[c.name] = c.usual + c.scatter*l.NormFloat64()
			}
			l.record(m.id, "", l.about(d, l.habits.hour+11*float64(n), 25), values)
		}
	}
}
