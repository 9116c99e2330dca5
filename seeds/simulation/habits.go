package simulation

import (
	"time"

	"vigie/protocols/replay"
)

// habits are how a patient and the devices behave, whatever the body does.
type habits struct {
	adherence float64 // share of the measurements that are made, 0.6 to 1
	hour      float64 // local, of the morning measurement
	shares    bool    // somebody else at home steps on the scale too
	other     float64 // kg, that other person
	dressed   float64 // share of weighings made with clothes on
	wrong     clockFault
}

// clockFault is a stretch of time during which a device's clock is off.
type clockFault struct {
	from, to time.Time
	off      time.Duration
}

func (l *life) newHabits() habits {
	h := habits{
		adherence: l.between(0.6, 1), hour: l.normal(7.5, 0.8, 5.5, 10),
		shares: l.Float64() < 0.4, other: l.normal(72, 14, 45, 110), dressed: l.between(0, 0.02),
	}
	if l.Float64() < 0.05 {
		from := l.midnight(l.IntN(max(1, l.days-6)))
		offs := []time.Duration{-day, -time.Hour, time.Hour, -5 * time.Hour}
		h.wrong = clockFault{from, from.Add(time.Duration(2+l.IntN(5)) * day), offs[l.IntN(len(offs))]}
	}
	return h
}

// clock is the time that the device writes for a measurement made at t.
func (h *habits) clock(t time.Time) time.Time {
	if !t.Before(h.wrong.from) && t.Before(h.wrong.to) {
		return t.Add(h.wrong.off)
	}
	return t
}

// measures reports whether the patient makes a measurement that is due.
func (l *life) measures() bool { return l.Float64() < l.habits.adherence }

// planSilence has one patient in six stop for four days or more.
func (l *life) planSilence() {
	if l.Float64() > 0.17 {
		return
	}
	length := l.daysBetween(4, 14)
	from, ok := l.free(length, 3)
	if !ok {
		return
	}
	l.away = append(l.away, stretch{from, from + length})
	began := l.midnight(from)
	over := l.midnight(from + length)
	useful := began.Add(7 * day)
	if over.Before(useful) {
		useful = over
	}
	l.note(replay.Event{Kind: Dropout, Began: began, At: began, Useful: useful, Over: over.Add(day)})
}

// eventOf is an event that lasts: alerts are useful for as long as it does, and
// about it for two days more.
func eventOf(kind string, began, end time.Time) replay.Event {
	return replay.Event{Kind: kind, Began: began.UTC(), At: began.UTC(), Useful: end.UTC(), Over: end.Add(2 * day).UTC()}
}
