package alerts

import (
	"time"

	"vigie/protocols"
)

// Defaults of Vigie, for what a protocol does not set. None is an official number.
var (
	// restTimes is how long a resolved alert whose condition still holds stays away. For
	// red it is opening time of the team, and time on the wall for a reading where somebody
	// on duty is called for reds; for the others it is time on the wall.
	restTimes = map[protocols.Level]time.Duration{
		protocols.Red: 4 * time.Hour, protocols.Orange: 24 * time.Hour, protocols.Yellow: 7 * day, protocols.Technical: 7 * day,
	}
	// followUps is how soon whoever took an alert on is asked again.
	followUps = map[protocols.Level]time.Duration{
		protocols.Red: 24 * time.Hour, protocols.Orange: 3 * day, protocols.Yellow: 14 * day, protocols.Technical: 7 * day,
	}
	// longestSnoozes bounds how long a person may put an alert aside.
	longestSnoozes = map[protocols.Level]time.Duration{
		protocols.Red: 4 * time.Hour, protocols.Orange: 3 * day, protocols.Yellow: 14 * day, protocols.Technical: 14 * day,
	}
	// repeats is how often each step of the escalation is told again before the next.
	repeats = map[protocols.Level]int{protocols.Red: 1}
)

const (
	day = 24 * time.Hour
	// shortestLapse is how long a reading is evidence at least.
	shortestLapse = 7 * day
	// silenceBack is how often a silence that was answered comes back.
	silenceBack = 7 * day
	// eventsRing is how long after its measurement an event still rings, and eventsWake
	// how long it does so at night.
	eventsRing, eventsWake = 7 * day, 24 * time.Hour
)

// Traits are what alerts need to know of a rule.
type Traits struct {
	// Lapse is how old the latest evidence of an episode may be; older evidence does not
	// carry it, and the next reading for which the condition holds begins another.
	Lapse time.Duration
	// Changes is how often the figure of the rule can change: nothing returns sooner.
	Changes time.Duration
	// Silence marks a rule about missing readings.
	Silence bool
	// Event marks a rule that tells of something that happened, not of a state.
	Event bool
}

// TraitsOf reads them from a protocol, by rule.
func TraitsOf(p *protocols.Protocol) map[string]Traits {
	traits := make(map[string]Traits, len(p.Rules))
	for i := range p.Rules {
		traits[p.Rules[i].ID] = traitsOf(p, &p.Rules[i])
	}
	return traits
}

func traitsOf(p *protocols.Protocol, rule *protocols.Rule) Traits {
	t := Traits{Lapse: shortestLapse, Event: rule.Event}
	if rule.Absence != nil {
		t.Silence, t.Changes = true, every(rule.Absence.Cadence)
		return t
	}
	for i := range rule.Levels {
		rule.Levels[i].When.Comparisons(func(c *protocols.Comparison) {
			for j := range p.Observations {
				if o := &p.Observations[j]; o.Measure == c.Measure {
					t.Changes = max(t.Changes, every(o.Cadence))
				}
			}
			if c.Days != (protocols.Operand{}) {
				t.Changes = max(t.Changes, day)
			}
		})
	}
	back := longestBack(p, rule)
	t.Lapse = max(t.Lapse, 3*t.Changes, back)
	if rule.Event && back > 0 {
		t.Lapse = back // what happened is over with its window: the next one is another
	}
	return t
}

// longestBack is how far a rule looks back; 0 for one that looks at the latest readings.
func longestBack(p *protocols.Protocol, rule *protocols.Rule) time.Duration {
	back := time.Duration(0)
	for i := range rule.Levels {
		rule.Levels[i].When.Comparisons(func(c *protocols.Comparison) { back = max(back, looksBack(p, c)) })
	}
	return back
}

// looksBack is how far a comparison looks back. Where a patient's setting decides,
// the default of the protocol counts.
func looksBack(p *protocols.Protocol, c *protocols.Comparison) time.Duration {
	back := max(c.Window.Length, time.Duration(c.Window.Days)*day, c.Lasting)
	if c.Minus != nil {
		back = max(back, time.Duration(c.Minus.Ago+c.Minus.Days)*day)
	}
	days := c.Days.Value
	for i := range p.Parameters {
		if p.Parameters[i].Name == c.Days.Parameter && c.Days.Parameter != "" {
			days = p.Parameters[i].Default
		}
	}
	return max(back, time.Duration(days/1000)*day)
}

// every is how long it usually takes from one reading to the next.
func every(c protocols.Cadence) time.Duration {
	switch {
	case c.Every > 0:
		return c.Every
	case c.Times == 0:
		return 0
	case c.Per == protocols.PerWeek:
		return 7 * day / time.Duration(c.Times)
	}
	return day / time.Duration(c.Times)
}

// traits are those of a rule. A rule that no protocol has, such as those of the
// service itself, is only known to forget after a week.
func (c Care) traits(rule string) Traits {
	if t, ok := c.Rules[rule]; ok {
		return t
	}
	return Traits{Lapse: shortestLapse}
}

// dropped reports whether an alert is of a rule that the patient's protocol no longer has:
// no reading tells any more whether it goes on, and the rules that are left speak for it.
func (c Care) dropped(a *Alert) bool {
	_, known := c.Rules[a.Rule]
	return !known && len(c.Rules) > 0 && a.Protocol != "" && a.Level != protocols.Technical
}

// rest is the rest time of a level.
func (c Care) rest(level protocols.Level) time.Duration { return or(c.Rest[level], restTimes[level]) }

func or(set, otherwise time.Duration) time.Duration {
	if set > 0 {
		return set
	}
	return otherwise
}

// restsUntil is when what was resolved then may come back.
func (c Care) restsUntil(rule string, level protocols.Level, resolved time.Time) time.Time {
	until := resolved.Add(c.rest(level))
	if level == protocols.Red {
		until = c.Team.Calendar.Add(resolved, c.rest(level))
	}
	if changes := resolved.Add(c.traits(rule).Changes); changes.After(until) {
		until = changes
	}
	return until.UTC()
}

// followUp is when whoever takes an alert on now is asked again: in opening hours.
func (c Care) followUp(level protocols.Level, now time.Time) time.Time {
	return c.Team.Calendar.Next(now.Add(or(c.FollowUp[level], followUps[level])))
}

// LongestSnooze bounds how long an alert may be put aside.
func LongestSnooze(level protocols.Level) time.Duration { return longestSnoozes[level] }

// paused returns the pause of the patient that goes on.
func (c Care) paused(now time.Time) (pause protocols.Pause, on bool) {
	for _, p := range c.Pauses {
		if !now.Before(p.From) && now.Before(p.Until) && p.Until.After(pause.Until) {
			pause, on = p, true
		}
	}
	return pause, on
}

// over reports whether nothing is expected of the patient any more.
func (c Care) over(now time.Time) bool { return !c.Until.IsZero() && !now.Before(c.Until) }
