package simulation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// life is one patient while being made.
type life struct {
	*rand.Rand
	patient *Patient
	world   *World
	days    int
	habits  habits
	body    body
	sick    []illness          // in order of time, not overlapping
	away    []stretch          // days without any measurement: hospital, dropout
	answers map[string]float64 // the latest, by symptom
	bad     map[int]float64    // days on which all feels worse
	serial  int
}

// body is the physiology of a condition.
type body interface {
	// plan draws what will happen.
	plan(l *life)
	// live measures one day.
	live(l *life, d int)
}

// stretch is a run of days, [from, to).
type stretch struct{ from, to int }

func (s stretch) holds(d int) bool { return d >= s.from && d < s.to }

// illness is an event with its course: it builds up from day from to day peak,
// and is over at day over.
type illness struct {
	kind             string
	from, peak, over int
	size             float64 // how much of it, where it shows in one figure alone
	shape            float64 // exponent of the build-up: 1 is steady, 2 comes late
	hold             int     // days at the height, before it passes
	signs            [signs]float64
}

// on is how much of the illness is there on day d: 0 to 1.
func (s illness) on(d int) float64 {
	switch {
	case d < s.from || d >= s.over:
		return 0
	case d <= s.peak:
		return math.Pow(float64(d-s.from+1)/float64(s.peak-s.from+1), s.shape)
	case d <= s.peak+s.hold:
		return 1
	default:
		return 1 - float64(d-s.peak-s.hold)/float64(s.over-s.peak-s.hold)
	}
}

// now is what all illnesses have changed by day d.
func (l *life) now(d int) (changed [signs]float64) {
	for i := range l.sick {
		on := l.sick[i].on(d)
		if on == 0 {
			continue
		}
		for s, size := range l.sick[i].signs {
			changed[s] += on * size
		}
	}
	return changed
}

// falls draws an illness by its phenotype, from some day on, and how it ends: treated at
// home, or in hospital. It reports false where the calendar is full.
func (l *life) falls(kind string, atHome, recovery, stay Number, after int) (illness, string, bool) {
	name := l.world.phenotypeOf(kind, l.Rand)
	p := l.world.Illness[kind][name]
	build, hold := max(1, p.Build.days(l.Rand)), p.Hold.days(l.Rand)
	home := l.Float64() < atHome.draw(l.Rand)
	passes, away := recovery.days(l.Rand), 0
	if !home {
		away = stay.days(l.Rand)
		passes = away + 1
	}
	from, ok := l.free(build+hold+passes+after, 10)
	if !ok {
		return illness{}, "", false
	}
	s := illness{
		kind: kind, from: from, peak: from + build - 1, hold: hold, over: from + build + hold + passes,
		shape: p.Shape.draw(l.Rand), size: 1,
	}
	for i, sign := range signNames {
		if n, has := p.Signs[sign]; has {
			s.signs[i] = n.draw(l.Rand)
		}
	}
	if !home {
		l.admit(s.end(), away)
	}
	return s, name, true
}

// end is the day of the event itself.
func (s illness) end() int { return s.peak + s.hold }

// ill sums the illnesses of a kind on day d: how much (0 to 1) and their size.
func (l *life) ill(kind string, d int) (part, amount float64) {
	for _, s := range l.sick {
		if s.kind == kind {
			on := s.on(d)
			part += on
			amount += on * s.size
		}
	}
	return part, amount
}

func (l *life) plan() {
	l.body.plan(l)
	l.planSilences()
	for range l.often(l.world.Habits.BadDays) {
		d := l.IntN(l.days)
		l.bad[d] = l.world.Habits.BadDayBy.draw(l.Rand)
		if l.Float64() < 0.5 {
			l.bad[d+1] = l.bad[d]
		}
	}
}

func (l *life) live(d int) {
	for _, a := range l.away {
		if a.holds(d) {
			return
		}
	}
	l.body.live(l, d)
}

// midnight is the local beginning of day d, from 0.
func (l *life) midnight(d int) time.Time {
	return time.Date(firstDay[0], time.Month(firstDay[1]), firstDay[2]+d, 0, 0, 0, 0, l.patient.Zone)
}

// about is a local time of day d, give or take some minutes.
func (l *life) about(d int, hour, minutes float64) time.Time {
	at := time.Duration((hour*60 + l.NormFloat64()*minutes) * float64(time.Minute))
	at = min(max(at, time.Minute), 23*time.Hour+55*time.Minute).Round(time.Second)
	y, m, date := l.midnight(d).Date()
	return time.Date(y, m, date, 0, 0, int(at.Seconds()), 0, l.patient.Zone).UTC()
}

// between draws evenly from [low, high).
func (l *life) between(low, high float64) float64 { return low + l.Float64()*(high-low) }

// daysBetween draws a whole number, of days or of samples, both ends included.
func (l *life) daysBetween(low, high int) int { return low + l.IntN(high-low+1) }

// normal draws about a mean, within bounds.
func (l *life) normal(mean, deviation, low, high float64) float64 {
	return min(max(mean+l.NormFloat64()*deviation, low), high)
}

// often draws how many times something happens that happens so often in a patient-year.
func (l *life) often(aYear Number) int { return l.poisson(aYear.draw(l.Rand) * float64(l.days) / 365) }

// poisson draws how many times something happens that is expected so many times.
func (l *life) poisson(expected float64) int {
	limit, product, n := math.Exp(-expected), l.Float64(), 0
	for product > limit {
		n++
		product *= l.Float64()
	}
	return n
}

// free finds a first day for something of that length which keeps apart from
// all that is planned; it reports false when the calendar is full.
func (l *life) free(length, apart int) (int, bool) {
	last := l.days - length - 1
	if last <= firstDayOfEvents {
		return 0, false
	}
	for range 20 {
		from := firstDayOfEvents + l.IntN(last-firstDayOfEvents)
		if l.clear(from-apart, from+length+apart) {
			return from, true
		}
	}
	return 0, false
}

func (l *life) clear(from, to int) bool {
	for _, s := range l.sick {
		if from < s.over && to > s.from {
			return false
		}
	}
	for _, a := range l.away {
		if from < a.to && to > a.from {
			return false
		}
	}
	return true
}

// happen notes an event of a course of days, which shows itself as one of its
// phenotypes. The event itself is at noon of its last day. What comes after, in hospital
// or in recovery, is about nothing that an alert could still change.
func (l *life) happen(s illness, phenotype string, ahead time.Duration) {
	l.sick = append(l.sick, s)
	at := l.midnight(s.end()).Add(12 * time.Hour)
	groups := []string{phenotype}
	if s.end()-s.from+1 >= 7 && l.shows(s) {
		groups = append(groups, Announced)
	}
	if l.habits.quietBy > 0 {
		groups = append(groups, QuietWhenIll)
	}
	if !at.Add(-ahead).After(l.midnight(s.from)) {
		groups = append(groups, Sudden)
	}
	if !l.shows(s) && !l.breathes(s) {
		groups = append(groups, Signless)
	}
	l.note(replay.Event{
		Kind: s.kind, Groups: groups, Began: l.midnight(s.from), InTime: at.Add(-ahead), At: at, Useful: at, Over: l.midnight(s.over),
	})
}

// shows reports whether an illness changes something that this patient measures on most
// days of it: weight by a kilogram, breath or oedema by a grade, pulse by 10.
func (l *life) shows(s illness) bool {
	kept := 1 - l.habits.quietBy
	weighed, asked, taken := l.habits.weighs*kept > 0.5, l.habits.answering*kept > 0.5, l.habits.monitor && l.habits.adherence*kept > 0.5
	return weighed && s.signs[onWeight] >= 1 || asked && max(s.signs[onBreath], s.signs[onOedema]) >= 1 || taken && s.signs[onPulse] >= 10
}

// breathes is the same for the signs of the lungs: a grade of cough or sputum, 2 points of
// saturation, 4 breaths a minute.
func (l *life) breathes(s illness) bool {
	kept := 1 - l.habits.quietBy
	asked, taken := l.habits.answering*kept > 0.5, l.habits.monitor && l.habits.adherence*kept > 0.5
	return asked && max(s.signs[onCough], s.signs[onSputum]) >= 1 || taken && (s.signs[onSaturation] <= -2 || s.signs[onBreaths] >= 4)
}

// quiet reports whether a patient leaves out a measurement because of an illness.
func (l *life) quiet(d int) bool {
	if l.habits.quietBy == 0 {
		return false
	}
	worst := 0.0
	for i := range l.sick {
		worst = max(worst, l.sick[i].on(d))
	}
	return worst > 0.3 && l.Float64() < l.habits.quietBy*worst
}

// badDay is how much worse breath and strength feel on a day, without any illness.
func (l *life) badDay(d int, s sign) float64 {
	if s != onBreath && s != onFatigue {
		return 0
	}
	return l.bad[d]
}

// observe keeps what one sign of an illness looked like on a day: how far a measurement
// was from this patient's usual, and how much it scatters on other days.
func (l *life) observe(d int, s sign, off, scatter float64) {
	l.patient.Observed = append(l.patient.Observed, Observed{d, s, off / scatter})
	l.patient.scatter[s] = scatter
}

func (l *life) note(e replay.Event) {
	e.Patient = l.patient.ID
	l.patient.Events = append(l.patient.Events, e)
}

// admit puts the patient in hospital from the day after d. The care team is told
// and pauses the watch until the return.
func (l *life) admit(d, length int) {
	l.away = append(l.away, stretch{d + 1, d + 1 + length})
	l.patient.Pauses = append(l.patient.Pauses, protocols.Pause{
		From: l.midnight(d + 1), Until: l.midnight(d + 2 + length), Author: "simulation", Reason: "hospitalisation",
	})
}

// measured is one value on its way into a reading.
type measured map[string]float64

// record keeps a reading as the patient's devices would transmit it; values
// outside the instrument's range are not reported.
func (l *life) record(measure string, variant string, at time.Time, values measured, flags ...string) {
	m := protocols.MeasureByID(measure)
	kept := make([]protocols.Value, len(m.Components))
	for i, c := range m.Components {
		kept[i] = protocols.Missing
		f, given := values[c.Name]
		if !given {
			continue
		}
		scale := math.Pow(10, float64(c.Decimals))
		if c.Whole {
			scale = 1
		}
		v, ok := protocols.Of(math.Round(f*scale) / scale)
		if !ok {
			return
		}
		kept[i] = min(max(v, c.Low), c.High)
	}
	l.keep(&protocols.Reading{
		Time: l.habits.clock(at), Measure: m, Variant: uint8(m.Variant(variant)), Values: kept, Flags: flags,
	})
}

func (l *life) keep(r *protocols.Reading) {
	l.serial++
	r.ID = fmt.Sprintf("%s-%06d", l.patient.ID, l.serial)
	r.Device = l.patient.ID + "-" + r.Measure.ID
	r.Patient = l.patient.ID
	r.Battery = -1
	l.patient.Readings = append(l.patient.Readings, r)
}

// single records a measure of one component.
func (l *life) single(measure string, at time.Time, value float64, flags ...string) {
	l.record(measure, "", at, measured{"value": value}, flags...)
}

// drift is noise with a memory: each value keeps part of the one before.
type drift struct {
	memory, deviation, value float64
}

// next draws the next value; deviation is that of the whole, not of the step.
func (n *drift) next(r *rand.Rand) float64 {
	n.value = n.memory*n.value + n.deviation*math.Sqrt(1-n.memory*n.memory)*r.NormFloat64()
	return n.value
}

// felt is how strongly a patient feels a symptom, on the scale of its grades.
type felt struct {
	symptom string
	sign    sign
	usual   float64
}

// symptoms records answers, grades 0 to 3 near to what is felt. People answer as
// the day before until they feel a clear difference.
func (l *life) symptoms(d int, at time.Time, all []felt) {
	now := l.now(d)
	answers := measured{}
	for _, f := range all {
		today := f.usual + now[f.sign] + l.badDay(d, f.sign) + l.world.Habits.AnswerScatter.draw(l.Rand)*l.NormFloat64()
		before, answered := l.answers[f.symptom]
		if !answered || math.Abs(today-before) > 0.75 {
			l.answers[f.symptom] = min(max(math.Round(today), 0), 3)
		}
		answers[f.symptom] = l.answers[f.symptom]
		l.observe(d, f.sign, answers[f.symptom]-f.usual, 0.6)
	}
	l.record("symptom", "", at, answers)
}
