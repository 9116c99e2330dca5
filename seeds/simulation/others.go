package simulation

import "time"

// newBody makes the body of a condition.
func (l *life) newBody() body {
	switch c := l.patient.Condition; c {
	case HeartFailure:
		return newHeart(l)
	case Sensor, Capillary, Pregnancy:
		return newSugar(l, c)
	case Pulmonary, Ventilated, Oxygen:
		return newLungs(l, c)
	case HomeDialysis:
		return newDialysis(l)
	case Graft:
		return newGraft(l)
	case Implant:
		return &implanted{battery: l.between(35, 95)}
	case Peritoneal, Cancer, Gestation, Operated:
		return newQuiet(l, c)
	default:
		return newVessels(l)
	}
}

// happened notes an event that is worth knowing of while it lasts.
func (l *life) happened(kind string, from, to int) {
	began, end := l.midnight(from), l.midnight(to)
	l.note(eventOf(kind, began, end))
}

// vessels is a patient with high blood pressure: two measures morning and evening.
type vessels struct {
	systolic float64
	daily    drift
	pulse    float64
	white    float64 // mmHg, what the first of two measures reads too high
}

func newVessels(l *life) *vessels {
	v := &vessels{
		systolic: l.normal(129, 8, 112, 146), daily: drift{memory: 0.5, deviation: 6},
		pulse: l.normal(72, 8, 55, 92), white: l.between(0, 9),
	}
	l.patient.Usual["systolic"] = v.systolic
	return v
}

func (v *vessels) plan(l *life) {
	for range l.often(l.world.Others.Surges) {
		length := l.daysBetween(7, 14)
		if from, ok := l.free(length, 7); ok {
			l.sick = append(l.sick, illness{kind: PressureSurge, from: from, peak: from + 2, over: from + length + 4, size: l.between(25, 42), shape: 1})
			l.happened(PressureSurge, from, from+length)
		}
	}
}

func (v *vessels) live(l *life, d int) {
	_, surge := l.ill(PressureSurge, d)
	usual := v.systolic + v.daily.next(l.Rand) + surge
	for _, hour := range []float64{l.habits.hour, 20} {
		if !l.measures(d) {
			continue
		}
		at := l.about(d, hour, 25)
		for n := range 2 {
			systolic := usual + 5*l.NormFloat64() + v.white*float64(1-n)
			l.record("blood-pressure", "", at.Add(time.Duration(3*n)*time.Minute), measured{
				"systolic": systolic, "diastolic": 0.62*systolic + 4*l.NormFloat64(), "pulse": v.pulse + 5*l.NormFloat64(),
			})
		}
	}
}

// severeDrop is the fall of the systolic pressure during a session, in mmHg, that
// counts as an event.
const severeDrop = 35

// dialysis is a patient who dialyses at home five times a week.
type dialysis struct {
	dry      float64
	systolic float64
	fragile  float64 // chance of a fall of pressure during a session
}

func newDialysis(l *life) *dialysis {
	k := &dialysis{dry: l.normal(70, 12, 45, 110), systolic: l.normal(138, 12, 110, 165), fragile: l.world.Others.Drops.draw(l.Rand)}
	l.patient.Usual["dry-weight"] = k.dry
	return k
}

func (k *dialysis) plan(l *life) {
	for range l.often(l.world.Others.Overloads) {
		length := l.daysBetween(6, 12)
		if from, ok := l.free(length, 6); ok {
			l.sick = append(l.sick, illness{kind: FluidOverload, from: from, peak: from + length - 1, over: from + length, size: l.between(1.8, 3.5), shape: 0.8})
			l.happened(FluidOverload, from, from+length)
		}
	}
}

func (k *dialysis) live(l *life, d int) {
	if weekday := d % 7; weekday == 2 || weekday == 5 || !l.measures(d) {
		return
	}
	part, left := l.ill(FluidOverload, d)
	gain := l.between(0.8, 2.2)
	start, end := k.systolic+10*l.NormFloat64()+18*part, k.systolic-8+10*l.NormFloat64()+14*part
	lowest := min(start, end) - l.between(4, 18)
	if l.Float64() < k.fragile {
		lowest = start - l.between(35, 60)
	}
	if start-lowest >= severeDrop {
		l.happened(PressureDrop, d, d+1)
	}
	l.record("dialysis-session", "", l.about(d, 16, 50), measured{
		"weight-start": k.dry + gain + left, "dry-weight": k.dry, "weight-end": k.dry + left + 0.25*l.NormFloat64(),
		"systolic-start": start, "diastolic-start": 0.58 * start, "heart-rate-start": 74 + 6*l.NormFloat64(),
		"systolic-lowest": lowest, "systolic-end": end, "diastolic-end": 0.58 * end, "heart-rate-end": 78 + 6*l.NormFloat64(),
		"ultrafiltration-rate": 300 + 180*gain, "arterial-pressure": -150 + 20*l.NormFloat64(), "venous-pressure": 140 + 18*l.NormFloat64(),
		"compression-time": max(4, 11+3*l.NormFloat64()),
	})
}

// graft is a patient with a transplanted or failing kidney: blood pressure, and
// laboratory values once a week.
type graft struct {
	vessels
	creatinine float64
	potassium  float64
}

func newGraft(l *life) *graft {
	g := &graft{vessels: *newVessels(l), creatinine: l.normal(135, 30, 85, 220), potassium: l.normal(4.4, 0.3, 3.8, 5)}
	l.patient.Usual["creatinine"] = g.creatinine
	return g
}

func (g *graft) plan(l *life) {
	for range l.often(l.world.Others.Rises) {
		length := l.daysBetween(14, 21)
		if from, ok := l.free(length, 7); ok {
			l.sick = append(l.sick, illness{kind: CreatinineRise, from: from, peak: from + length - 1, over: from + length + 7, size: l.between(0.3, 0.8), shape: 1})
			l.happened(CreatinineRise, from, from+length)
		}
	}
}

func (g *graft) live(l *life, d int) {
	g.vessels.live(l, d)
	if d%7 != 3 || !l.measures(d) {
		return
	}
	_, more := l.ill(CreatinineRise, d)
	at := l.about(d, 11, 60)
	weight := 72 + 0.6*l.NormFloat64()
	l.single("weight", at, weight)
	l.single("creatinine", at, g.creatinine*(1+0.05*l.NormFloat64()+more))
	l.single("potassium", at, g.potassium+0.2*l.NormFloat64()+more)
}

// implanted is a patient with a cardiac implant that transmits every night.
type implanted struct{ battery float64 }

func (p *implanted) plan(l *life) {
	for range l.often(l.world.Others.Warnings) {
		if d, ok := l.free(1, 2); ok {
			kinds := []string{"red", "yellow", "shock"}
			l.sick = append(l.sick, illness{kind: ImplantWarning, from: d, peak: d, over: d + 1, size: float64(l.IntN(len(kinds)))})
			l.happened(ImplantWarning, d, d+1)
		}
	}
}

func (p *implanted) live(l *life, d int) {
	if l.Float64() > 0.97 {
		return
	}
	sent := measured{"transmission": 1, "battery": p.battery - 0.01*float64(d), "lead-impedance": 520 + 25*l.NormFloat64()}
	if on, which := l.ill(ImplantWarning, d); on > 0 {
		sent[[]string{"red", "yellow", "shock"}[int(which)]] = 1
	}
	l.record("implant", "", l.about(d, 3, 15), sent)
}
