package alerts

import (
	"slices"
	"time"

	"vigie/protocols"
)

// mostStood bounds how many of its episodes an alert remembers one by one.
const mostStood = 32

// joined notes that an alert stands for one more episode: that of the finding.
func (c *change) joined() {
	a, f := c.alert, c.finding
	stood := slices.Clone(a.Stood)
	if len(stood) == 0 {
		stood = []Stood{{a.Episode, a.EpisodeAt, a.Level}}
	}
	stood = slices.DeleteFunc(stood, func(s Stood) bool { return s.Episode == f.Episode })
	stood = append(stood, Stood{f.Episode, f.At, f.Level})
	a.Stood = stood[max(0, len(stood)-mostStood):]
}

// stoodAt notes the level of one of its episodes.
func (a *Alert) stoodAt(episode string, level protocols.Level) {
	for i := range a.Stood {
		if a.Stood[i].Episode == episode {
			a.Stood = slices.Clone(a.Stood)
			a.Stood[i].Level = level
			return
		}
	}
}

// withdraw handles an episode that rested on readings which a person has struck out. What
// stood for it alone is closed by that act.
func (c *change) withdraw(standing *Alert) {
	if standing == nil || standing.struckOut() {
		return
	}
	c.take(standing)
	a := c.alert
	a.RangAt, a.Worse = time.Time{}, nil // what comes next is no repetition
	switch {
	case a.State == Resolved:
		a.Active, a.EndedAt, a.BackAt = false, c.finding.At, time.Time{}
		c.noteStruck(EventStruck)
	case a.RestsOn(c.finding.Episode):
		c.strikeOut()
	default:
		c.goBack()
		c.noteStruck(EventStruck)
	}
}

// RestsOn reports whether an alert stands for one episode alone: it is closed once the
// readings of that one are struck out. One from before its
// episodes were kept may stand for others unless it began with this one.
func (a *Alert) RestsOn(episode string) bool {
	return len(a.Stood) == 0 && a.Episode == episode && a.At.Equal(a.EpisodeAt)
}

// strikeOut closes an alert in the name of whoever has struck out what it rested on.
func (c *change) strikeOut() {
	a, f := c.alert, c.finding
	if a.State == Open {
		c.relieve(EventStruck)
		a.AcknowledgedBy, a.AcknowledgedAt = f.Author, c.now
	}
	a.stopClock()
	a.State, a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Outcomes, a.Note = Resolved, f.Author, c.now, StruckOut, nil, f.Reason
	a.Active, a.EndedAt, a.BackAt, a.Overdue = false, f.At, time.Time{}, false
	c.noteStruck(EventResolved)
	c.events[len(c.events)-1].Outcome = StruckOut
}

// goBack takes one of its episodes away from an alert that stands for others. It stays in
// front of people, at the level of those.
func (c *change) goBack() {
	a, f := c.alert, c.finding
	a.Occurrences = max(1, a.Occurrences-1)
	a.Stood = slices.DeleteFunc(slices.Clone(a.Stood), func(s Stood) bool { return s.Episode == f.Episode })
	if a.Episode == f.Episode {
		a.Active, a.EndedAt = false, f.At
	}
	if len(a.Stood) == 0 {
		a.Stood = nil
		return
	}
	latest := a.Stood[len(a.Stood)-1]
	if a.Episode == f.Episode {
		a.Episode, a.EpisodeAt = latest.Episode, latest.At
	}
	c.levelOfStood()
	if len(a.Stood) == 1 {
		a.Stood = nil
	}
}

// levelOfStood has an alert be as grave as the gravest of its episodes.
func (c *change) levelOfStood() {
	level := c.alert.Stood[0].Level
	for _, s := range c.alert.Stood {
		level = max(level, s.Level)
	}
	c.lower(level)
}

// lower takes an alert down to the level at which it would be had it never been graver.
// The time to answer is that of this level, from when it rang.
func (c *change) lower(level protocols.Level) {
	a := c.alert
	if level >= a.Level {
		return
	}
	a.Level = level
	if a.State != Open || a.AnswerBy.IsZero() || a.Step > 0 {
		return
	}
	a.AnswerBy = time.Time{}
	if delay, ok := c.care.Answer[level]; ok {
		a.AnswerBy = c.care.Team.answer(level, a.RaisedAt, delay)
	}
}

// revise says of an episode that stays what it is without readings that a person has
// struck out. Nobody is called, and what people did stays.
func (c *change) revise(standing *Alert) {
	f := c.finding
	known := standing != nil && (standing.Episode == f.Episode || slices.ContainsFunc(standing.Stood, func(s Stood) bool { return s.Episode == f.Episode }))
	if !known {
		return
	}
	c.take(standing)
	a := c.alert
	a.stoodAt(f.Episode, f.Level)
	if len(a.Stood) > 0 {
		c.levelOfStood()
	} else {
		c.lower(f.Level)
	}
	if a.Episode == f.Episode {
		if a.At.Equal(a.EpisodeAt) {
			a.At = f.At
		}
		a.EpisodeAt = f.At
		c.keepFigure()
		if f.Level == a.Level {
			c.explain()
		}
	}
	c.noteStruck(EventStruck)
}

// noteStruck notes an event in the name of whoever has struck out a reading.
func (c *change) noteStruck(kind EventKind) {
	c.note(kind)
	event := &c.events[len(c.events)-1]
	event.Author, event.Note = c.finding.Author, c.finding.Reason
	c.alert.StruckAt, c.alert.Undo = c.now, nil // and what people did before cannot be undone any more
}

// struckOut reports whether an alert was closed because its readings were struck out.
func (a *Alert) struckOut() bool { return a.State == Resolved && a.Outcome == StruckOut }

// comesTrue handles an alert that was closed because its readings were struck out, once
// they count again: what held then is found anew, and rings.
func (c *change) comesTrue(struck, current *Alert) {
	f := c.finding
	if f.Kind == protocols.Ended {
		return
	}
	if c.joins(current) {
		c.recur(current)
		return
	}
	c.take(struck)
	a := c.alert
	c.reopen()
	c.goesOn()
	a.Level, a.At, a.EpisodeAt, a.LastAt, a.Occurrences, a.Stood, a.Note = f.Level, f.At, f.At, f.At, 1, nil, ""
	c.explain()
	c.keepFigure()
	c.note(EventResumed)
	c.ring(EventResumed)
}

// undoesStrike reports whether a finding begins anew what a person had resolved before its
// readings were struck out: it ended with its beginning.
func (c *change) undoesStrike(resolved *Alert) bool {
	f := c.finding
	return f.Kind == protocols.Raised && resolved.State == Resolved && !resolved.Active && f.Episode == resolved.Episode && resolved.EndedAt.Equal(f.At)
}

// goOnResolved has what a person had resolved go on as it did, and come back should it
// hold on.
func (c *change) goOnResolved(resolved *Alert) {
	c.take(resolved)
	c.goesOn()
	c.comesBackBy()
	c.note(EventResumed)
}
