package simulation

import "time"

// lungs is a patient with COPD or chronic respiratory failure: oximeter and
// respiratory rate every day, a few questions, and a ventilator or oxygen
// concentrator that reports once a day. The numbers are those of the world.
type lungs struct {
	condition  Condition
	saturation float64
	daily      drift
	breaths    float64
	usual      map[sign]float64 // grades
	cold       float64          // share of oximetries spoiled by cold fingers
	pulse      float64
	by         [3]float64 // scatter of saturation, pulse and breaths
	hours      float64    // of ventilation or oxygen a day
	leak       float64
	flow       float64
}

func newLungs(l *life, condition Condition) *lungs {
	w := &l.world.Lungs
	p := &lungs{
		condition: condition, saturation: w.Saturation.draw(l.Rand), breaths: w.Breaths.draw(l.Rand), pulse: w.Pulse.draw(l.Rand),
		usual: map[sign]float64{onBreath: w.Breathless.draw(l.Rand), onCough: w.Cough.draw(l.Rand), onSputum: w.Sputum.draw(l.Rand), onFatigue: w.Fatigue.draw(l.Rand)},
		cold:  w.Cold.draw(l.Rand), by: [3]float64{w.SaturationBy.draw(l.Rand), w.PulseBy.draw(l.Rand), w.BreathsBy.draw(l.Rand)},
		hours: w.Hours.draw(l.Rand), leak: w.Leak.draw(l.Rand), flow: w.Flow.draw(l.Rand),
	}
	// The scatter has a part that stays for days.
	p.daily = drift{memory: 0.6, deviation: 0.66 * p.by[0]}
	if condition == Oxygen {
		p.hours = w.OxygenHours.draw(l.Rand)
	}
	l.habits.monitor = condition != Pulmonary || l.chance(w.Oximeter)
	l.patient.Usual["oxygen-saturation"], l.patient.Usual["pulse"] = p.saturation, p.pulse
	l.patient.Usual[string(condition)+"-hours"] = p.hours
	return p
}

// beforeItsDay is how long before noon the day of an event begins.
const beforeItsDay = 12 * time.Hour

func (p *lungs) plan(l *life) {
	w := &l.world.Lungs
	for range l.often(w.Exacerbation) {
		if s, phenotype, ok := l.falls(Exacerbation, w.AtHome, w.Recovery, w.Stay, 2); ok {
			l.happen(s, phenotype, beforeItsDay)
		}
	}
	for range l.often(w.Worsening) {
		if s, _, ok := l.falls(worsening, Number{Is: 1}, Number{From: 1, To: 3}, w.Stay, 0); ok {
			l.sick = append(l.sick, s)
		}
	}
	if p.condition != Ventilated {
		return
	}
	for range l.often(w.LeakingMasks) {
		length := l.daysBetween(4, 8)
		from, ok := l.free(length, 5)
		if !ok {
			continue
		}
		l.sick = append(l.sick, illness{kind: LeakingMask, from: from, peak: from + length - 1, over: from + length, size: l.between(20, 45), shape: 1})
		l.happened(LeakingMask, from, from+length)
	}
}

func (p *lungs) live(l *life, d int) {
	now := l.now(d)
	saturation := p.saturation + p.daily.next(l.Rand) + now[onSaturation]
	for _, hour := range []float64{l.habits.hour, 18.5} {
		if l.habits.monitor && l.measures(d) {
			p.oximetry(l, d, hour, saturation, now)
		}
	}
	if l.asked(d) {
		l.symptoms(d, l.about(d, l.habits.hour+0.3, 25), []felt{
			{"breathlessness", onBreath, p.usual[onBreath]}, {"cough", onCough, p.usual[onCough]},
			{"sputum", onSputum, p.usual[onSputum]}, {"fatigue", onFatigue, p.usual[onFatigue]},
		})
	}
	p.machine(l, d, now)
}

func (p *lungs) oximetry(l *life, d int, hour, saturation float64, now [signs]float64) {
	w := &l.world.Lungs
	at := l.about(d, hour, 30)
	value := saturation + 0.75*p.by[0]*l.NormFloat64()
	var flags []string
	if l.Float64() < p.cold {
		value -= w.ColdBy.draw(l.Rand)
		if l.chance(w.ColdFlagged) {
			flags = []string{"low-perfusion"}
		}
	}
	pulse, breaths := p.pulse+p.by[1]*l.NormFloat64()+now[onPulse], p.breaths+p.by[2]*l.NormFloat64()+now[onBreaths]
	l.single("oxygen-saturation", at, value, flags...)
	l.single("heart-rate", at, pulse)
	l.single("respiratory-rate", at, breaths)
	l.observe(d, onSaturation, value-p.saturation, p.by[0])
	l.observe(d, onPulse, pulse-p.pulse, p.by[1])
	l.observe(d, onBreaths, breaths-p.breaths, p.by[2])
	if hour > 12 {
		temperature := w.TemperatureBy.draw(l.Rand)*l.NormFloat64() + now[onTemperature]
		l.single("temperature", at, 36.6+temperature)
		l.observe(d, onTemperature, temperature, w.TemperatureBy.middle())
	}
}

// machine is the daily report of the ventilator or of the concentrator; it does
// not depend on the patient's diligence.
func (p *lungs) machine(l *life, d int, now [signs]float64) {
	at := l.about(d, 9.5, 20)
	ill, _ := l.ill(Exacerbation, d)
	switch p.condition {
	case Ventilated:
		open, litres := l.ill(LeakingMask, d)
		if open > 0 {
			litres = max(litres, 15) // a mask leaks from the first night
		}
		l.record("ventilation", "", at, measured{
			"hours": max(0, p.hours+0.8*l.NormFloat64()+2*ill-1.2*open), "leak": max(0, p.leak+3.5*l.NormFloat64()+litres),
			"respiratory-rate": p.breaths - 2 + 1.2*l.NormFloat64() + 0.6*now[onBreaths],
		})
	case Oxygen:
		l.record("oxygen-therapy", "", at, measured{
			"hours": min(24, max(0, p.hours+1.1*l.NormFloat64()+3*ill)), "flow": p.flow + 0.7*ill,
		})
	}
}
