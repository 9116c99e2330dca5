package simulation

// lungs is a patient with COPD or chronic respiratory failure: oximeter and
// respiratory rate every day, a few questions, and a ventilator or oxygen
// concentrator that reports once a day.
//
// Orders of magnitude: an exacerbation builds up over 3 to 7 days, with 3 to 7
// points of saturation lost, 4 to 9 breaths a minute more, and a grade or two on
// breathlessness, cough and sputum.
type lungs struct {
	condition  Condition
	saturation float64
	daily      drift
	breaths    float64
	symptoms   [3]float64 // usual breathlessness, cough, sputum
	cold       float64    // share of oximetries spoiled by cold fingers
	pulse      float64
	hours      float64 // of ventilation or oxygen a day
	leak       float64
	flow       float64
}

func newLungs(l *life, condition Condition) *lungs {
	p := &lungs{
		condition: condition, saturation: l.normal(93.2, 1.5, 89.5, 96.5), daily: drift{memory: 0.6, deviation: 0.8},
		breaths: l.normal(18.5, 2, 14, 23), symptoms: [3]float64{l.between(0.3, 1.4), l.between(0.2, 1.2), l.between(0, 1)},
		cold: l.between(0, 0.03), pulse: l.normal(80, 8, 60, 100),
		hours: l.normal(7.8, 1.2, 5, 12), leak: l.normal(12, 5, 2, 22), flow: l.normal(1.8, 0.5, 1, 4),
	}
	if condition == Oxygen {
		p.hours = l.normal(16.5, 1.2, 14, 20)
	}
	l.patient.Usual["oxygen-saturation"], l.patient.Usual["pulse"] = p.saturation, p.pulse
	l.patient.Usual[string(condition)+"-hours"] = p.hours
	return p
}

func (p *lungs) plan(l *life) {
	for range l.often(0.9) {
		build := l.daysBetween(3, 7)
		from, ok := l.free(build+12, 10)
		if !ok {
			continue
		}
		stay := l.daysBetween(3, 8)
		l.happen(illness{
			kind: Exacerbation, from: from, peak: from + build - 1, over: from + build + stay + 5,
			size: l.between(3, 7), shape: l.between(0.8, 1.4),
		})
		l.admit(from+build-1, stay)
	}
	if p.condition != Ventilated {
		return
	}
	for range l.often(1.2) {
		length := l.daysBetween(4, 8)
		from, ok := l.free(length, 5)
		if !ok {
			continue
		}
		l.sick = append(l.sick, illness{kind: LeakingMask, from: from, peak: from + length - 1, over: from + length, size: l.between(20, 45)})
		l.happened(LeakingMask, from, from+length)
	}
}

func (p *lungs) live(l *life, d int) {
	illness, points := l.ill(Exacerbation, d)
	usual := p.saturation + p.daily.next(l.Rand) - points
	for _, hour := range []float64{l.habits.hour, 18.5} {
		if l.measures() {
			p.oximetry(l, d, hour, usual, illness)
		}
	}
	if l.measures() {
		l.symptoms(l.about(d, l.habits.hour+0.3, 25), []felt{
			{"breathlessness", p.symptoms[0] + 1.8*illness}, {"cough", p.symptoms[1] + 1.3*illness}, {"sputum", p.symptoms[2] + 1.5*illness},
			{"fatigue", 0.8 + illness},
		})
	}
	p.machine(l, d, illness)
}

func (p *lungs) oximetry(l *life, d int, hour, usual, illness float64) {
	at := l.about(d, hour, 30)
	value := usual + 0.9*l.NormFloat64()
	var flags []string
	if l.Float64() < p.cold {
		value -= l.between(4, 12)
		if l.Float64() < 0.5 {
			flags = []string{"low-perfusion"}
		}
	}
	l.single("oxygen-saturation", at, value, flags...)
	l.single("heart-rate", at, p.pulse+6*l.NormFloat64()+13*illness)
	l.single("respiratory-rate", at, p.breaths+1.6*l.NormFloat64()+6.5*illness)
	if hour > 12 {
		l.single("temperature", at, 36.6+0.25*l.NormFloat64()+0.9*illness)
	}
}

// machine is the daily report of the ventilator or of the concentrator; it does
// not depend on the patient's diligence.
func (p *lungs) machine(l *life, d int, illness float64) {
	at := l.about(d, 9.5, 20)
	switch p.condition {
	case Ventilated:
		open, litres := l.ill(LeakingMask, d)
		if open > 0 {
			litres = max(litres, 15) // a mask leaks from the first night
		}
		l.record("ventilation", "", at, measured{
			"hours": max(0, p.hours+0.8*l.NormFloat64()+2*illness-1.2*open), "leak": max(0, p.leak+3.5*l.NormFloat64()+litres),
			"respiratory-rate": p.breaths - 2 + 1.2*l.NormFloat64() + 4*illness,
		})
	case Oxygen:
		l.record("oxygen-therapy", "", at, measured{
			"hours": min(24, max(0, p.hours+1.1*l.NormFloat64()+3*illness)), "flow": p.flow + 0.7*illness,
		})
	}
}
