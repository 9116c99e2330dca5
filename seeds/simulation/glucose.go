package simulation

import (
	"math"
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// sugar is a patient with diabetes, seen by a sensor every five minutes or by
// four capillary glucoses a day.
//
// The numbers are those of the world. Three meals raise glucose within the hour and let it
// fall over three; a tide goes over the day; a noise has a memory of half an hour; sensors
// warm up for two hours every ten days, and read low while one lies on them.
type sugar struct {
	sensor   bool
	basal    float64
	swing    float64 // of the tide over the day
	meals    float64 // mg/dL at the height of a meal
	noise    drift
	error    drift // of the sensor, as a share
	gain     float64
	rate     float64 // lows expected in a day
	low      int     // minutes under 54 so far
	lowBegan time.Time
	lows     []time.Time
	today    []trueLow // the events that last today
}

// trueLow is one event while the glucose is low.
type trueLow struct {
	event    int // its place among the patient's
	from, to time.Time
}

const (
	step      = 5  // minutes between two samples
	veryLow   = 54 // mg/dL
	eventLow  = 15 // minutes under it that make an event, and back above that end it
	warmUp    = 24 // samples
	tenDays   = 10 * 24 * 60 / step
	perDay    = 24 * 60 / step
	runWithin = 7 * day
)

func newSugar(l *life, condition Condition) *sugar {
	w := &l.world.Glucose
	s := &sugar{
		sensor: condition != Capillary, basal: w.Basal.draw(l.Rand), swing: w.Swing.draw(l.Rand), meals: w.Meals.draw(l.Rand),
		noise: drift{memory: 0.96, deviation: w.Noise.draw(l.Rand)}, error: drift{memory: 0.97, deviation: w.ErrorBy.draw(l.Rand)},
		gain: w.Gain.draw(l.Rand), rate: w.ManyLows.draw(l.Rand) / 7,
	}
	if l.chance(w.InTarget) {
		s.rate = w.FewLows.draw(l.Rand) / 7
	}
	if condition == Pregnancy {
		s.basal, s.meals, s.noise.deviation = w.Pregnancy.Basal.draw(l.Rand), w.Pregnancy.Meals.draw(l.Rand), w.Pregnancy.Noise.draw(l.Rand)
	}
	return s
}

func (s *sugar) plan(*life) {}

// dip is one fall of glucose.
type dip struct {
	start, length int // samples
	nadir         float64
	long          bool
}

// middle is when the dip is deepest, in hours of the day.
func (f dip) middle() float64 { return float64((f.start+f.length/2)*step) / 60 }

// dips draws the falls of one day.
func (s *sugar) dips(l *life) []dip {
	w := &l.world.Glucose
	var all []dip
	for range l.poisson(s.rate) {
		f := dip{nadir: w.Nadir.draw(l.Rand), long: l.chance(w.LongLows)}
		minutes := w.LowMinutes.draw(l.Rand)
		if f.long {
			minutes = w.LongMinutes.draw(l.Rand)
		}
		from, to := 7.0, 23.0
		if l.chance(w.AtNight) {
			from, to = 0, 6
		}
		f.start, f.length = int(l.between(from, to)*60/step), int(minutes/step)
		all = append(all, f)
	}
	return all
}

func (s *sugar) live(l *life, d int) {
	dips := s.dips(l)
	truth := s.truth(l, dips)
	midnight, before := l.midnight(d), len(l.patient.Readings)
	for i, g := range truth {
		s.watch(l, midnight.Add(time.Duration(i*step)*time.Minute), g)
	}
	defer func() { s.show(l, l.patient.Readings[before:]) }()
	if s.sensor {
		s.wear(l, d, truth)
		return
	}
	for _, hour := range []float64{7.2, 12.1, 19.1, 22.6} {
		if l.measures(d) {
			s.prick(l, d, hour, 25, truth)
		}
	}
	for _, f := range dips {
		// Awake, people feel it more often than not, and measure.
		if f.middle() > 7 && l.chance(l.world.Glucose.Felt) {
			s.prick(l, d, f.middle(), 3, truth)
		}
	}
}

// prick is one capillary glucose.
func (s *sugar) prick(l *life, d int, hour, minutes float64, truth []float64) {
	at := l.about(d, hour, minutes)
	i := min(max(int(at.Sub(l.midnight(d))/(step*time.Minute)), 0), perDay-1)
	l.record("glucose", "capillary", at, measured{"value": truth[i] * (1 + 0.05*l.NormFloat64())})
}

// truth is the glucose of one day, every five minutes.
func (s *sugar) truth(l *life, dips []dip) []float64 {
	type meal struct{ at, height float64 }
	meals := make([]meal, 0, 3)
	for _, hour := range []float64{7.6, 12.5, 19.6} {
		meals = append(meals, meal{l.normal(hour, 0.5, hour-1.5, hour+1.5), s.meals * l.between(0.6, 1.4)})
	}
	truth := make([]float64, perDay)
	for i := range truth {
		hour := float64(i*step) / 60
		g := s.basal + s.swing*math.Sin((hour-3)/24*2*math.Pi) + s.noise.next(l.Rand)
		for _, m := range meals {
			g += m.height * digestion(hour-m.at)
		}
		g = max(g, 62)
		for _, f := range dips {
			part := f.depth(i)
			g = g*(1-part) + f.nadir*part
		}
		truth[i] = g
	}
	return truth
}

// digestion is the course of a meal, hours after it: 1 at its height.
func digestion(hours float64) float64 {
	if hours <= 0 {
		return 0
	}
	const height = 0.9
	return hours / height * math.Exp(1-hours/height)
}

// depth is how far glucose has fallen at sample i: in over half an hour, out over
// forty minutes.
func (f dip) depth(i int) float64 {
	const in, out = 30 / step, 40 / step
	switch {
	case i < f.start-in || i > f.start+f.length+out:
		return 0
	case i < f.start:
		return float64(i-f.start+in) / in
	case i <= f.start+f.length:
		return 1
	default:
		return 1 - float64(i-f.start-f.length)/out
	}
}

// watch finds the true hypoglycaemias: under 54 mg/dL for 15 minutes.
func (s *sugar) watch(l *life, at time.Time, glucose float64) {
	if glucose >= veryLow {
		s.low = 0
		return
	}
	if n := len(s.today); n > 0 && s.low >= eventLow {
		s.today[n-1].to = at.Add(step * time.Minute)
	}
	if s.low == 0 {
		s.lowBegan = at
	}
	s.low += step
	if s.low != eventLow {
		return
	}
	if n := len(s.lows); n > 0 && s.lowBegan.Sub(s.lows[n-1]) < 2*time.Hour {
		return // the same one, still going up and down
	}
	s.lows = append(s.lows, s.lowBegan)
	group := "day"
	if at.In(l.patient.Zone).Hour() < 6 {
		group = "night"
	}
	s.today = append(s.today, trueLow{len(l.patient.Events), s.lowBegan, at.Add(step * time.Minute)})
	l.note(replay.Event{
		Kind: Hypoglycaemia, Groups: []string{group, Unshown}, Began: s.lowBegan.UTC(), InTime: at.Add(day).UTC(), At: at.UTC(),
		Useful: at.Add(day).UTC(), Over: at.Add(day).UTC(), Standing: true,
	})
	s.run(l)
}

// show notes of which lows a device sent a value below 54 mg/dL while they lasted.
func (s *sugar) show(l *life, sent []*protocols.Reading) {
	for _, low := range s.today {
		for _, r := range sent {
			if r.Values[0].Float() < veryLow && !r.Time.Before(low.from) && r.Time.Before(low.to) {
				l.patient.Events[low.event].Groups[1] = Shown
				break
			}
		}
	}
	s.today = slices.DeleteFunc(s.today, func(low trueLow) bool { return s.low == 0 || low.from != s.lowBegan })
}

// run notes three hypoglycaemias within seven days, once for each such week.
func (s *sugar) run(l *life) {
	n := len(s.lows)
	if n < 3 || s.lows[n-1].Sub(s.lows[n-3]) > runWithin {
		return
	}
	for _, e := range l.patient.Events {
		if e.Kind == HypoglycaemiaRun && s.lows[n-1].Before(e.Over) {
			return
		}
	}
	third := s.lows[n-1].UTC()
	l.note(replay.Event{Kind: HypoglycaemiaRun, Began: s.lows[n-3].UTC(), InTime: third.Add(2 * day), At: third, Useful: third.Add(2 * day), Over: third.Add(runWithin)})
}

// wear turns the truth of a day into what the sensor sends.
func (s *sugar) wear(l *life, d int, truth []float64) {
	by := l.world.Glucose.PressedBy.draw(l.Rand)
	pressed := stretch{-1, -1} // somebody lies on the sensor
	if l.chance(l.world.Glucose.Pressed) {
		from := int(l.between(0, 6) * 60 / step)
		pressed = stretch{from, from + l.daysBetween(4, 11)}
	}
	lost := stretch{-1, -1} // out of reach of the receiver
	if l.chance(l.world.Glucose.Lost) {
		from := l.IntN(perDay)
		lost = stretch{from, from + l.daysBetween(3, 40)}
	}
	midnight := l.midnight(d)
	for i, g := range truth {
		off := s.error.next(l.Rand)
		if (d*perDay+i)%tenDays < warmUp || lost.holds(i) {
			continue
		}
		if pressed.holds(i) {
			g -= by
		}
		value := min(max(g*(s.gain+off), 40), 400)
		l.record("glucose", "interstitial", midnight.Add(time.Duration(i*step)*time.Minute).UTC(), measured{"value": value})
	}
}
