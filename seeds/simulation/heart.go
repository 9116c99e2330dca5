package simulation

import "time"

// heart is a patient with chronic heart failure: a scale every morning, a few
// questions, and for most a blood pressure monitor.
//
// Orders of magnitude: day to day the weight of a stable adult varies by about
// half a kilogram; a decompensation gains 2 to 5 kg of fluid over 5 to 14 days,
// steadily or late, with breathlessness that follows the fluid.
type heart struct {
	weight     float64 // without surplus fluid
	tissue     float64 // slow drift of the body itself
	daily      drift   // meals, bowel, sweat
	fluid      drift   // surplus that comes and goes without illness
	salt       map[int]float64
	diuretic   []dose
	breathless float64 // usual grade
	monitor    bool
	systolic   float64
	pulse      float64
}

// dose is a change of the diuretic, after which the weight settles lower or higher.
type dose struct {
	day  int
	kilo float64
}

func newHeart(l *life) *heart {
	h := &heart{
		weight: l.normal(79, 15, 46, 130), daily: drift{memory: 0.25, deviation: l.between(0.35, 0.6)},
		fluid: drift{memory: 0.85, deviation: l.between(0.2, 0.55)}, salt: map[int]float64{},
		breathless: l.between(0, 1.2), monitor: l.Float64() < 0.7,
		systolic: l.normal(122, 12, 95, 150), pulse: l.normal(70, 8, 54, 92),
	}
	l.patient.Usual["weight"], l.patient.Usual["systolic"], l.patient.Usual["pulse"] = h.weight, h.systolic, h.pulse
	return h
}

func (h *heart) plan(l *life) {
	for range l.often(0.9) {
		build := l.daysBetween(5, 14)
		from, ok := l.free(build+8, 10)
		if !ok {
			continue
		}
		stay := l.daysBetween(4, 9)
		l.happen(illness{
			kind: Decompensation, from: from, peak: from + build - 1, over: from + build + stay + 1,
			size: l.between(2, 5), shape: l.between(0.8, 1.8),
		})
		l.admit(from+build-1, stay)
	}
	for range l.often(0.8) {
		if d, ok := l.free(4, 3); ok {
			h.diuretic = append(h.diuretic, dose{d, l.between(-1.6, 0.5)})
		}
	}
	for range l.often(2) {
		h.salt[l.IntN(l.days)] = l.between(0.5, 1.4)
	}
}

func (h *heart) live(l *life, d int) {
	h.tissue += 0.04 * l.NormFloat64()
	illness, kilos := l.ill(Decompensation, d)
	weight := h.weight + h.tissue + h.daily.next(l.Rand) + h.fluid.next(l.Rand) + kilos + h.relieved(d) + h.salt[d] + h.salt[d-1]/2
	at := l.about(d, l.habits.hour, 25)
	if l.measures() {
		l.single("weight", at, h.onTheScale(l, weight))
		if l.habits.shares && l.Float64() < 0.006 {
			l.single("weight", at.Add(10*time.Minute), l.normal(l.habits.other, 0.4, 30, 150))
		}
	}
	if l.measures() {
		l.symptoms(at, []felt{
			{"breathlessness", h.breathless + 2.2*illness}, {"oedema", 0.4 + 1.8*illness},
			{"fatigue", 0.9 + 1.2*illness}, {"orthopnoea", 0.2 + 1.6*illness},
		})
	}
	if h.monitor && l.measures() {
		h.pressure(l, d, illness)
	}
}

// relieved is the sum of what the changes of diuretic have done by day d, each
// over four days.
func (h *heart) relieved(d int) float64 {
	sum := 0.0
	for _, change := range h.diuretic {
		sum += change.kilo * min(1, max(0, float64(d-change.day)/4))
	}
	return sum
}

// onTheScale adds what a scale and its user get wrong.
func (h *heart) onTheScale(l *life, weight float64) float64 {
	switch chance := l.Float64(); {
	case chance < l.habits.dressed:
		return weight + l.between(0.8, 2.5)
	case chance < l.habits.dressed+0.003:
		return weight + l.between(-9, 9) // leaning on something, or carrying something
	default:
		return weight
	}
}

func (h *heart) pressure(l *life, d int, illness float64) {
	at := l.about(d, l.habits.hour+0.2, 25)
	systolic := h.systolic + 9*l.NormFloat64() - 4*illness
	l.record("blood-pressure", "", at, measured{
		"systolic": systolic, "diastolic": 0.62*systolic + 5*l.NormFloat64(),
		"pulse": h.pulse + 5*l.NormFloat64() + 14*illness,
	})
	l.single("heart-rate", at, h.pulse+5*l.NormFloat64()+14*illness)
}
