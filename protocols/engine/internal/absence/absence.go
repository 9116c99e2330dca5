// Package absence waits for the readings that a protocol expects, one civil period or one
// session after the other, and tells which of them lack some.
package absence

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// Absence waits for readings, one round after the other.
type Absence struct {
	Rule  *protocols.Absence
	needs []int // missing rounds in a row for each level
	rounds
	found  int // readings in the round that was judged last
	pauses []protocols.Pause
	// last is the latest reading that was waited for, where the sentence says it; else nil.
	last *protocols.Reading
}

// rounds are what an absence judges one after the other, each once: civil
// periods or sessions.
type rounds interface {
	// Restart forgets the readings and waits for the first round that comes after
	// what is done, as far back as history tells.
	Restart(done moment.Mark, from moment.Instant)
	// Count counts a reading of a measure that the absence looks at.
	Count(r *protocols.Reading, at moment.Instant, calendar *moment.Calendar)
	// Due is the deadline of the round to be judged next; moment.FarFuture for none.
	Due() moment.Instant
	// judge tells how many readings that round has, and whether a pause takes it
	// out; then it goes on to the next.
	judge() (readings int, paused bool)
	// Ends reports whether the reading that was just taken ends the silence: with
	// it, a round has all that is expected of it.
	Ends() bool
	// back is when the earliest of so many rounds up to the one judged last began, of those
	// that no pause touches.
	back(rounds int) moment.Instant
	// span is that of so many rounds up to the one judged last.
	span(rounds int) (from, to moment.Instant)
}

// New makes an absence that has heard no reading. needs are, for each level, the
// rounds in a row that lack a reading.
func New(rule *protocols.Absence, e *protocols.Enrolment, needs []int) *Absence {
	a := &Absence{Rule: rule, needs: needs, pauses: e.Pauses, rounds: newPeriods(rule, e)}
	if rule.Cadence.Per == protocols.PerSession {
		a.rounds = newSessions(rule, e)
	}
	return a
}

// Remember has the absence know its last reading.
func (a *Absence) Remember() { a.last = &protocols.Reading{Measure: a.Rule.Measure} }

// Restart forgets the readings, and waits for the first round after what is done.
func (a *Absence) Restart(done moment.Mark, from moment.Instant) {
	if a.last != nil {
		a.last.Time = time.Time{}
	}
	a.rounds.Restart(done, from)
}

// Count counts a reading of a measure that the absence looks at.
func (a *Absence) Count(r *protocols.Reading, at moment.Instant, calendar *moment.Calendar) {
	if a.last != nil && a.Rule.Takes(r) {
		a.last.Time, a.last.DayOnly = r.Time, r.DayOnly
		a.last.Values, a.last.Limits = append(a.last.Values[:0], r.Values...), append(a.last.Limits[:0], r.Limits...)
	}
	a.rounds.Count(r, at, calendar)
}

// Last is the last reading before the silence, in the rounds that reach the gravest level
// and the one before them, without those in a pause; nil for none, and where the sentence does
// not say it. What is older is not said: after a restart only these rounds are at hand.
func (a *Absence) Last() *protocols.Latest {
	if a.last == nil || a.last.Time.IsZero() {
		return nil
	}
	if a.last.Time.UnixNano() < a.back(slices.Max(a.needs)+1) {
		return nil
	}
	return a.last.Latest()
}

// Judge judges the round whose deadline has come, and goes on to the next. It reports
// whether that round lacks nothing, or is paused.
func (a *Absence) Judge() (complete bool) {
	readings, paused := a.judge()
	a.found = readings
	return readings >= a.Rule.Cadence.Times || paused
}

// Reaches reports whether so many rounds in a row reach a level.
func (a *Absence) Reaches(level, run int) bool { return run >= a.needs[level] }

// Missing is where the rounds in a row lie, up to the one judged last, and how many
// readings that one has.
func (a *Absence) Missing(run int) (from, to moment.Instant, found int) {
	from, to = a.span(run)
	return from, to, a.found
}

// Reach is how much history it takes to count the readings of the rounds not
// yet judged.
func Reach(a *protocols.Absence) time.Duration {
	switch a.Cadence.Per {
	case protocols.PerSession:
		return 2 * a.Cadence.Grace
	case protocols.PerWeek:
		return moment.Days(7) + a.Cadence.Grace
	}
	return moment.Days(1) + a.Cadence.Grace
}

// Reach is how much history this absence takes: with its last reading, that of the rounds
// in which Last looks for it.
func (a *Absence) Reach() time.Duration {
	if a.last == nil {
		return Reach(a.Rule)
	}
	length := 1
	if a.Rule.Cadence.Per == protocols.PerWeek {
		length = 7
	}
	days := (slices.Max(a.needs) + 2) * length
	for _, p := range a.pauses {
		days += int(p.Until.Sub(p.From)/(24*time.Hour)) + 2*length // a pause takes out every round that it touches
	}
	return moment.Days(min(days, protocols.LongestLast+2*length)) + a.Rule.Cadence.Grace
}

// Interval is the usual time from one reading to the next; 0 where sessions say when.
func (a *Absence) Interval() time.Duration {
	cadence := a.Rule.Cadence
	switch {
	case cadence.Per == protocols.PerSession || cadence.Times == 0:
		return cadence.Every
	case cadence.Per == protocols.PerWeek:
		return 7 * 24 * time.Hour / time.Duration(cadence.Times)
	}
	return 24 * time.Hour / time.Duration(cadence.Times)
}

// Level is the gravest for that many missing rounds in a row, and at least level.
func (a *Absence) Level(run, level int) int {
	for i, needed := range a.needs {
		if run >= needed {
			level = max(level, i)
		}
	}
	return level
}

// pausedWithin reports whether a pause touches a stretch of time, its end not
// included.
func pausedWithin(pauses []protocols.Pause, start, end moment.Instant) bool {
	return slices.ContainsFunc(pauses, func(p protocols.Pause) bool { return p.From.UnixNano() < end && start < p.Until.UnixNano() })
}
