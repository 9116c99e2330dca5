package alerts

import (
	"time"

	"vigie/protocols"
)

// What a finding does to a resolved alert, and to what came back after it.

// follow handles an episode whose alert was resolved: it is noted there without
// a word, unless it got worse than what was resolved, its rest is over, or what was
// found too late and settled as past goes on.
func (c *change) follow(resolved, current *Alert) {
	f := c.finding
	newer := f.At.After(resolved.LastAt)
	further := f.Kind == protocols.Again || f.Kind == protocols.Risen && !c.worsens(resolved)
	switch {
	case c.undoes(resolved) && !c.worsens(resolved):
		c.followOn(resolved, current)
	case f.Kind == protocols.Resumed && !c.worsens(resolved):
		c.resume(resolved)
		c.goOn(resolved)
	case further && newer && c.comesBack(resolved):
		c.comeBack(resolved, current)
	case further && newer && !c.worsens(resolved):
		c.edit(resolved)
		c.count()
		c.goOn(resolved)
	case further && !c.worsens(resolved) && resolved.Active && resolved.TooLate && !c.tooLate():
		c.edit(resolved)
		c.goOn(resolved)
	case f.Kind == protocols.Ended && c.ends(resolved) && (resolved.Active || !f.At.After(resolved.ResolvedAt)):
		c.edit(resolved)
		c.end()
	case f.Kind == protocols.Again && !c.worsens(resolved):
		c.backfill(resolved)
	case !c.worsens(resolved):
		return
	default:
		c.worsen(resolved, current)
	}
}

// comesBack reports whether what was resolved and still holds is to be seen again:
// its evidence had lapsed, its figure is graver, or its rest is over.
func (c *change) comesBack(resolved *Alert) bool {
	if !resolved.Active || c.tooLate() || resolved.TooLate {
		return false
	}
	return c.lapsed(resolved) || c.graver(resolved) || !c.now.Before(c.care.restsUntil(resolved.Rule, resolved.Level, resolved.ResolvedAt)) || c.restedOnDuty(resolved)
}

// restedOnDuty reports whether the rest of a red is over on the wall, where somebody on duty
// is called for reds: what is measured at night and at weekends does not wait for so much
// opening time.
func (c *change) restedOnDuty(resolved *Alert) bool {
	team, red := c.care.Team, protocols.Red
	if resolved.Level != red || team.OutOfHours[red] != OnCall || !team.Calendar.Open(c.now) && !team.wakes(red, c.now) {
		return false
	}
	rest := max(c.care.rest(red), c.care.traits(resolved.Rule).Changes)
	return !c.now.Before(resolved.ResolvedAt.Add(rest))
}

// comeBack raises a new alert that names the resolved one, unless another one stands
// in front of people already.
func (c *change) comeBack(resolved, current *Alert) {
	c.on = !c.toldAnew(resolved, current)
	if c.joins(current) {
		c.recur(current)
		return
	}
	c.returns = !c.lapsed(resolved) && !c.graver(resolved)
	c.raise(nextOf(resolved, resolved.ID, "back"))
	c.continues(resolved)
}

// continues has the new alert say what the one before it said, as long as the
// finding does not explain itself.
func (c *change) continues(before *Alert) {
	a := c.alert
	a.Follows = before.ID
	a.EpisodeAt = before.EpisodeAt
	if c.finding.Explanation == nil {
		a.Title, a.Summary, a.Explanation = before.Title, before.Summary, before.Explanation
		a.Margin = before.Margin
		if a.Signs == 0 {
			a.Figure, a.Signs = before.Figure, before.Signs
		}
	}
}

// worsen handles an episode that got worse than what was resolved.
func (c *change) worsen(resolved, current *Alert) {
	f := c.finding
	known := f.Episode == resolved.Episode
	c.over, c.on = c.isOver(resolved), known && resolved.Active && f.Version == resolved.Version && !c.toldAnew(resolved, current)
	if c.joins(current) {
		c.recur(current)
	} else {
		c.raise(nextOf(resolved, f.Enrolment, f.Device, f.Rule, f.Episode, f.Level.String()))
		c.alert.Follows = resolved.ID
		if f.Explanation == nil {
			c.continues(resolved)
		}
	}
	if known && c.alert.Episode == f.Episode {
		c.alert.EpisodeAt = resolved.EpisodeAt
	}
}

// toldAnew reports whether a finding tells the past of a resolved alert anew, as readings
// that were struck out count again: a later episode of the current one goes on.
func (c *change) toldAnew(resolved, current *Alert) bool {
	return !resolved.StruckAt.IsZero() && current != nil && current.Active && c.precedes(current)
}

// goOn opens again what was found too late and settled as past, when it goes on.
func (c *change) goOn(resolved *Alert) {
	if c.alert != nil && resolved.TooLate && !c.tooLate() {
		c.reopen()
		c.catchUp()
	}
}

// isOver reports whether what a finding is about was over, by what was found before:
// its episode had ended, or another one had begun since. Were it to go on after all,
// that would be found as well.
func (c *change) isOver(alert *Alert) bool {
	f := c.finding
	return f.Kind != protocols.Resumed && f.Version == alert.Version && (!alert.Active || f.Episode != alert.Episode)
}

// undoes reports whether a finding shows that what an alert shows as over goes on: it
// says so, or is a later reading under another version of the protocol, which knows
// nothing of that end.
func (c *change) undoes(alert *Alert) bool {
	f := c.finding
	switch f.Kind {
	case protocols.Resumed:
		return !alert.Active
	case protocols.Again, protocols.Risen, protocols.Raised:
		return !alert.Active && f.At.After(alert.EndedAt) && f.Version != alert.Version
	}
	return false
}

// worsens reports whether a finding is above the level of an alert: a rise, or a reading of
// an episode that was graver once, and whose alert came back lower.
func (c *change) worsens(alert *Alert) bool {
	switch c.finding.Kind {
	case protocols.Raised, protocols.Risen, protocols.Again, protocols.Resumed:
		return c.finding.Level > alert.Level
	}
	return false
}

// goesOn has the alert go on with the episode of the finding.
func (c *change) goesOn() {
	c.alert.Active, c.alert.EndedAt, c.alert.Episode = true, time.Time{}, c.finding.Episode
}

// followOn handles an episode that goes on after all, whose alert was resolved. Who
// settled it before its end knew that it went on; who did so after took it for over.
func (c *change) followOn(resolved, current *Alert) {
	if c.joins(current) && current.Level >= resolved.Level {
		c.recur(current)
		return
	}
	c.resume(resolved)
	if !resolved.EndedAt.After(resolved.ResolvedAt) || resolved.TooLate && !c.tooLate() {
		c.reopen()
		c.ring(EventResumed)
	}
}

// resume notes that an alert goes on, with the episode of the finding.
func (c *change) resume(alert *Alert) {
	f := c.finding
	newer := f.At.After(alert.LastAt)
	if alert.Active && alert.Episode == f.Episode && !newer {
		return
	}
	c.edit(alert)
	if newer {
		c.count()
	}
	c.goesOn()
	if !alert.Active {
		c.note(EventResumed)
	}
	c.catchUp()
}
