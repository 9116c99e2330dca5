package simulation

import (
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// habits are how a patient and the devices behave, whatever the body does.
type habits struct {
	weighs    float64 // share of the days
	adherence float64 // share of the other measurements that are made
	answering float64 // share of the days on which questions are answered
	quietBy   float64 // share of the measurements left out when ill
	monitor   bool    // a device that shows the pulse
	noisy     float64 // kg, standard deviation that the scale adds
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
	w := &l.world.Habits
	h := habits{
		weighs: w.Weighs.draw(l.Rand), adherence: w.Measures.draw(l.Rand), answering: w.Answers.draw(l.Rand), hour: w.Hour.draw(l.Rand),
		shares: l.chance(w.SecondUser), other: l.normal(72, 14, 45, 110), dressed: w.Dressed.draw(l.Rand),
	}
	if l.chance(w.QuietWhenIll) {
		h.quietBy = w.QuietBy.draw(l.Rand)
	}
	if l.chance(w.NoisyScale) {
		h.noisy = w.NoisyScaleBy.draw(l.Rand)
	}
	if l.chance(w.WrongClock) {
		from := l.midnight(l.IntN(max(1, l.days-6)))
		offs := []time.Duration{-day, -time.Hour, time.Hour, -5 * time.Hour}
		h.wrong = clockFault{from, from.Add(time.Duration(2+l.IntN(5)) * day), offs[l.IntN(len(offs))]}
	}
	return h
}

// chance draws whether something of that share is so.
func (l *life) chance(share Number) bool { return l.Float64() < share.draw(l.Rand) }

// clock is the time that the device writes for a measurement made at t.
func (h *habits) clock(t time.Time) time.Time {
	if !t.Before(h.wrong.from) && t.Before(h.wrong.to) {
		return t.Add(h.wrong.off)
	}
	return t
}

// measures, weighs and asked report whether the patient does on day d what is due.
func (l *life) measures(d int) bool { return l.Float64() < l.habits.adherence && !l.quiet(d) }
func (l *life) weighs(d int) bool   { return l.Float64() < l.habits.weighs && !l.quiet(d) }
func (l *life) asked(d int) bool {
	return l.Float64() < l.habits.answering && !l.quiet(d)
}

// planSilences has patients stop for some days, and travel without their devices.
func (l *life) planSilences() {
	w := &l.world.Habits
	for range l.often(w.Silences) {
		l.silent(w.SilenceDays.days(l.Rand), false)
	}
	for range l.often(w.Travels) {
		l.silent(w.TravelDays.days(l.Rand), l.chance(w.Announced))
	}
}

// silent leaves out some days. Four and more that nobody knew of are an event.
func (l *life) silent(length int, announced bool) {
	from, ok := l.free(length, 3)
	if !ok {
		return
	}
	l.away = append(l.away, stretch{from, from + length})
	began, over := l.midnight(from), l.midnight(from+length)
	if announced {
		l.patient.Pauses = append(l.patient.Pauses, protocols.Pause{From: began, Until: over.Add(day), Author: "simulation", Reason: "voyage"})
		return
	}
	if length < 4 {
		return
	}
	useful := began.Add(7 * day)
	if over.Before(useful) {
		useful = over
	}
	l.note(replay.Event{Kind: Dropout, Began: began, InTime: useful, At: began, Useful: useful, Over: over.Add(day)})
}

// eventOf is an event that lasts: alerts are useful for as long as it does, and
// about it for two days more.
func eventOf(kind string, began, end time.Time) replay.Event {
	return replay.Event{Kind: kind, Began: began.UTC(), InTime: end.UTC(), At: began.UTC(), Useful: end.UTC(), Over: end.Add(2 * day).UTC()}
}
