package simulation

import (
	"math"
	"time"
)

// heart is a patient with chronic heart failure: a scale every morning, a few
// questions, and for most a blood pressure monitor. The numbers are those of the world.
type heart struct {
	weight   float64 // without surplus fluid
	scatter  float64 // kg, from day to day, the scale's own included
	tissue   float64 // slow drift of the body itself
	daily    drift   // meals, bowel, sweat
	fluid    drift   // surplus that comes and goes without illness
	salt     map[int]float64
	settled  []dose
	usual    map[sign]float64 // grades
	systolic float64
	pulse    float64
	by       [2]float64 // scatter of the systolic pressure and of the pulse
}

// dose is a lasting change of the weight: of the diuretic, or after a stay in hospital.
type dose struct {
	day  int
	kilo float64
}

func newHeart(l *life) *heart {
	w := &l.world.Heart
	h := &heart{
		weight: w.Weight.draw(l.Rand), scatter: w.WeightScatter.draw(l.Rand), salt: map[int]float64{},
		usual: map[sign]float64{
			onBreath: w.Breathless.draw(l.Rand), onOedema: w.Oedema.draw(l.Rand), onFatigue: w.Fatigue.draw(l.Rand), onOrthopnoea: w.Orthopnoea.draw(l.Rand),
		},
		systolic: w.Systolic.draw(l.Rand), pulse: w.Pulse.draw(l.Rand), by: [2]float64{w.SystolicBy.draw(l.Rand), w.PulseBy.draw(l.Rand)},
	}
	// The scatter has a part that is forgotten the next day and one that stays for days.
	h.daily = drift{memory: 0.25, deviation: 0.75 * h.scatter}
	h.fluid = drift{memory: 0.85, deviation: 0.66 * h.scatter}
	h.scatter = math.Hypot(h.scatter, l.habits.noisy)
	l.habits.monitor = l.chance(w.Monitor)
	l.patient.Usual["weight"], l.patient.Usual["systolic"], l.patient.Usual["pulse"] = h.weight, h.systolic, h.pulse
	return h
}

const threeDays = 3 * day

func (h *heart) plan(l *life) {
	w := &l.world.Heart
	for range l.often(w.Decompensation) {
		s, phenotype, ok := l.falls(Decompensation, w.AtHome, w.Recovery, w.Stay, 2)
		if !ok {
			continue
		}
		l.happen(s, phenotype, threeDays)
		h.settled = append(h.settled, dose{s.end() + 1, w.Return.draw(l.Rand)})
	}
	for range l.often(w.OtherIllness) {
		if s, phenotype, ok := l.falls(OtherIllness, Number{Is: 1}, w.Recovery, w.Stay, 2); ok {
			l.happen(s, phenotype, 0)
		}
	}
	for range l.often(w.Diuretic) {
		if d, ok := l.free(4, 3); ok {
			h.settled = append(h.settled, dose{d, w.DiureticBy.draw(l.Rand)})
		}
	}
	for range l.often(w.Salt) {
		h.salt[l.IntN(l.days)] = w.SaltBy.draw(l.Rand)
	}
}

func (h *heart) live(l *life, d int) {
	h.tissue += l.world.Heart.Tissue.draw(l.Rand) * l.NormFloat64()
	now := l.now(d)
	settled := h.relieved(d)
	weight := h.weight + h.tissue + h.daily.next(l.Rand) + h.fluid.next(l.Rand) + now[onWeight] + settled + h.salt[d] + h.salt[d-1]/2
	at := l.about(d, l.habits.hour, 25)
	if l.weighs(d) {
		shown := h.onTheScale(l, weight)
		l.observe(d, onWeight, shown-h.weight-h.tissue-settled, h.scatter)
		l.single("weight", at, shown)
		if l.habits.shares && l.chance(l.world.Habits.SecondUserDay) {
			l.single("weight", at.Add(10*time.Minute), l.normal(l.habits.other, 0.4, 30, 150))
		}
	}
	if l.asked(d) {
		l.symptoms(d, at, []felt{
			{"breathlessness", onBreath, h.usual[onBreath]}, {"oedema", onOedema, h.usual[onOedema]},
			{"fatigue", onFatigue, h.usual[onFatigue]}, {"orthopnoea", onOrthopnoea, h.usual[onOrthopnoea]},
			{"cough", onCough, 0.3}, {"sputum", onSputum, 0.2},
		})
	}
	if l.habits.monitor && l.measures(d) {
		h.pressure(l, d, now)
	}
}

// relieved is the sum of what lasting changes have done by day d, each over four days.
func (h *heart) relieved(d int) float64 {
	sum := 0.0
	for _, change := range h.settled {
		sum += change.kilo * min(1, max(0, float64(d-change.day)/4))
	}
	return sum
}

// onTheScale adds what a scale and its user get wrong.
func (h *heart) onTheScale(l *life, weight float64) float64 {
	weight += l.habits.noisy * l.NormFloat64()
	switch chance := l.Float64(); {
	case chance < l.habits.dressed:
		return weight + l.between(0.8, 2.5)
	case chance < l.habits.dressed+l.world.Habits.GrossErrors.middle():
		return weight + l.between(-9, 9) // leaning on something, or carrying something
	default:
		return weight
	}
}

func (h *heart) pressure(l *life, d int, now [signs]float64) {
	at := l.about(d, l.habits.hour+0.2, 25)
	systolic := h.systolic + h.by[0]*l.NormFloat64() + now[onSystolic]
	pulse := h.pulse + h.by[1]*l.NormFloat64() + now[onPulse]
	l.observe(d, onPulse, pulse-h.pulse, h.by[1])
	l.observe(d, onSystolic, systolic-h.systolic, h.by[0])
	l.record("blood-pressure", "", at, measured{"systolic": systolic, "diastolic": 0.62*systolic + 5*l.NormFloat64(), "pulse": pulse})
	l.single("heart-rate", at, h.pulse+h.by[1]*l.NormFloat64()+now[onPulse])
}
