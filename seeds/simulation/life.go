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
	days    int
	habits  habits
	body    body
	sick    []illness          // in order of time, not overlapping
	away    []stretch          // days without any measurement: hospital, dropout
	answers map[string]float64 // the latest, by symptom
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
	size             float64 // how much of it: kg of fluid, points of saturation
	shape            float64 // exponent of the build-up: 1 is steady, 2 comes late
}

// on is how much of the illness is there on day d: 0 to 1.
func (s illness) on(d int) float64 {
	switch {
	case d < s.from || d >= s.over:
		return 0
	case d <= s.peak:
		return math.Pow(float64(d-s.from+1)/float64(s.peak-s.from+1), s.shape)
	default:
		return 1 - float64(d-s.peak)/float64(s.over-s.peak)
	}
}

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
	l.planSilence()
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

// often draws how many times something of that rate per 90 days happens.
func (l *life) often(per90 float64) int {
	limit, product, n := math.Exp(-per90*float64(l.days)/90), l.Float64(), 0
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

// happen notes an event of a course of days. The event itself is at noon of the
// peak.
func (l *life) happen(s illness) {
	l.sick = append(l.sick, s)
	at := l.midnight(s.peak).Add(12 * time.Hour)
	l.note(replay.Event{Kind: s.kind, Began: l.midnight(s.from), At: at, Useful: at, Over: l.midnight(s.over)})
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
	grade   float64
}

// symptoms records answers, grades 0 to 3 near to what is felt. People answer as
// the day before until they feel a clear difference.
func (l *life) symptoms(at time.Time, all []felt) {
	answers := measured{}
	for _, f := range all {
		today := f.grade + 0.4*l.NormFloat64()
		before, answered := l.answers[f.symptom]
		if !answered || math.Abs(today-before) > 0.75 {
			l.answers[f.symptom] = min(max(math.Round(today), 0), 3)
		}
		answers[f.symptom] = l.answers[f.symptom]
	}
	l.record("symptom", "", at, answers)
}
