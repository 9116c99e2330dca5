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
	slices.SortStableFunc(stood, func(x, y Stood) int { return x.At.Compare(y.At) })
	a.Stood = stood[max(0, len(stood)-mostStood):]
}

// remember has an alert stand for the episode of the finding again, which a strike had
// taken away.
func (c *change) remember() {
	if !slices.ContainsFunc(c.alert.Stood, func(s Stood) bool { return s.Episode == c.finding.Episode }) {
		c.joined()
	}
}

// keepStood has an alert remember how grave each of its episodes was, also where another
// one had made it as grave before.
func (c *change) keepStood() {
	f, alert := c.finding, c.alert
	if f.Kind == protocols.Ended || f.Kind == protocols.Withdrawn || f.Kind == protocols.Revised {
		return
	}
	if alert == nil {
		alert = c.before.Standing
	}
	if alert == nil || !slices.ContainsFunc(alert.Stood, func(s Stood) bool { return s.Episode == f.Episode && s.Level < f.Level }) {
		return
	}
	c.edit(alert)
	c.alert.stoodAt(f.Episode, f.Level)
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
	c.edit(standing)
	a := c.alert
	alone := a.RestsOn(c.finding.Episode)
	if alone && a.State == Open {
		c.relieve(EventStruck)
	}
	a.RangAt, a.Worse = time.Time{}, nil // what comes next is no repetition
	switch {
	case alone && a.State != Resolved:
		c.strikeOut()
		return
	case alone && a.Active:
		c.endStruck()
	case alone: // it was over, and stays so
	default:
		c.goBack()
	}
	if !a.Active {
		a.BackAt = time.Time{} // a person had resolved it, and it does not hold on
	}
	c.noteStruck(EventStruck)
}

// endStruck ends what went on, with its beginning: by a strike, it never was.
func (c *change) endStruck() {
	c.alert.Active, c.alert.EndedAt, c.alert.StruckOn = false, c.finding.At, c.now
}

// RestsOn reports whether an alert stands for one episode alone: it is closed once the
// readings of that one are struck out. One of an older version, which did not keep its
// episodes, may stand for others unless it began with this one.
func (a *Alert) RestsOn(episode string) bool {
	if len(a.Stood) > 0 {
		return len(a.Stood) == 1 && a.Stood[0].Episode == episode
	}
	return a.Episode == episode && a.At.Equal(a.EpisodeAt)
}

// strikeOut closes an alert in the name of whoever has struck out what it rested on.
func (c *change) strikeOut() {
	a, f := c.alert, c.finding
	if a.State == Open {
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
	if a.Episode == f.Episode && a.Active {
		c.endStruck()
	}
	if len(a.Stood) == 0 {
		a.Stood = nil // it is of an older version, and stands for others that are not known
		return
	}
	latest := a.Stood[len(a.Stood)-1]
	if a.Episode == f.Episode {
		a.Episode, a.EpisodeAt = latest.Episode, latest.At
	}
	a.At = slices.MinFunc(a.Stood, func(x, y Stood) int { return x.At.Compare(y.At) }).At
	c.levelOfStood()
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
	if a.State == Resolved && level < protocols.Red && !c.traits.Silence {
		a.BackAt = time.Time{} // only a red comes back without a reading
	}
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
	if standing == nil || !standing.standsFor(f.Episode) {
		return
	}
	c.edit(standing)
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

// standsFor reports whether an alert stands for an episode still.
func (a *Alert) standsFor(episode string) bool {
	return a.Episode == episode || slices.ContainsFunc(a.Stood, func(s Stood) bool { return s.Episode == episode })
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
		c.holdsAfterAll(current)
		return
	}
	c.edit(struck)
	a := c.alert
	c.reopen()
	c.goesOn()
	a.Level, a.At, a.EpisodeAt, a.LastAt, a.Occurrences, a.Stood, a.Note = f.Level, f.At, f.At, f.At, 1, []Stood{{f.Episode, f.At, f.Level}}, ""
	c.explain()
	c.keepFigure()
	c.note(EventResumed)
	c.ring(EventResumed)
}

// undoesStrike reports whether a finding begins anew what readings that were struck out
// had ended.
func (c *change) undoesStrike(standing *Alert) bool {
	f := c.finding
	return f.Kind == protocols.Raised && !standing.StruckAt.IsZero() && !standing.Active && (f.Episode == standing.Episode || !f.At.Before(standing.EndedAt))
}

// nextOf is the id of the alert that takes the place of a resolved one. What a strike has
// changed meanwhile may be followed more than once.
func nextOf(resolved *Alert, parts ...string) string {
	if !resolved.StruckAt.IsZero() {
		parts = append(parts, resolved.StruckAt.UTC().Format(time.RFC3339Nano))
	}
	return Reference(parts...)
}

// wasSeenOn reports whether a person resolved an alert while its episode went on, and a
// strike ended it afterwards, with its beginning; what begins anew is no graver.
func (c *change) wasSeenOn(standing *Alert) bool {
	return standing.State == Resolved && standing.EndedAt.Equal(c.finding.At) && !standing.ResolvedAt.After(standing.StruckOn) && c.finding.Level <= standing.Level
}

// comesBackTo reports whether a finding begins anew an episode that a strike has taken
// away from an alert, which stands for others.
func (c *change) comesBackTo(standing *Alert) bool {
	return c.finding.Kind == protocols.Raised && !standing.StruckAt.IsZero() && !standing.standsFor(c.finding.Episode)
}

// holdsAfterAll gives an alert back an episode that a strike had taken away: it holds, and
// rings, whoever has taken the alert on.
func (c *change) holdsAfterAll(standing *Alert) {
	f := c.finding
	c.edit(standing)
	a := c.alert
	if !a.standsFor(f.Episode) {
		a.Occurrences++
	}
	c.remember()
	if !a.Active || !f.At.Before(a.EpisodeAt) && !c.precedes(standing) { // else it is past: a later one goes on
		a.EpisodeAt = f.At
		c.goesOn()
	}
	c.spread()
	if c.tooLate() && a.State != Resolved && f.Level <= a.Level { // it is told with the digest, and takes nothing away from what people know
		c.note(EventResumed)
		c.digest()
		return
	}
	called := standing.State == Open && !standing.TooLate && !standing.RangAt.IsZero()
	if called && (standing.Active || c.rests(standing)) && f.Level <= a.Level { // people know, see ringsAnew
		c.note(EventRecurred)
		return
	}
	if a.State != Open {
		c.reopen()
	}
	if f.Level > a.Level {
		c.rise()
		return
	}
	if f.Level == a.Level {
		c.explain()
		c.keepFigure()
	}
	c.note(EventResumed)
	c.ring(EventResumed)
}

// goOnResolved has what a person had resolved go on as it did, and come back should it
// hold on.
func (c *change) goOnResolved(resolved *Alert) {
	c.edit(resolved)
	c.remember()
	c.goesOn()
	c.comesBackBy()
	c.note(EventResumed)
}
