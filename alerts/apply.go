package alerts

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
)

// Before is what the ledger holds when something happens to an episode.
type Before struct {
	Standing *Alert // stands for the episode; nil when none does yet
	Current  *Alert // the latest of the same enrolment, rule and device that nobody has resolved; often the same one
	Last     *Alert // the latest of them that was resolved
	Newest   *Alert // the one of them whose evidence is the latest, as time passes; nil when it is not known
	// Others lists the alerts of a patient that nobody has answered. It is asked only
	// when people would be called; nil for none.
	Others func(patient string) []*Alert
	// Team returns a care team, for an alert that a person transferred to it; the zero one
	// when there is none. Nil for none.
	Team func(id string) Team
}

// inCharge is the team of an alert: the patient's, or the one that a person transferred the
// alert to, as long as there is such a team.
func (b Before) inCharge(a *Alert, home Team) Team {
	if team := b.team(a.Transferred); team.ID != "" {
		return team
	}
	return home
}

// team is a care team by its id; the zero one where it is not known.
func (b Before) team(id string) Team {
	if b.Team == nil || id == "" {
		return Team{}
	}
	return b.Team(id)
}

// others lists the alerts of the person of an alert that nobody has answered: those of his
// record, and of the others that are merged with it.
func (b Before) others(a *Alert, care Care) []*Alert {
	if b.Others == nil || a.Patient == "" {
		return nil
	}
	all := slices.Clone(b.Others(a.Patient))
	for _, record := range care.Same {
		all = append(all, b.Others(record)...)
	}
	return all
}

// Change is what follows. A nil Next means that nothing changes; otherwise Next is
// to be stored. Added is an alert that takes the place of Next. The one of them that
// came last stands for its episode from then on.
type Change struct {
	Next     *Alert
	Added    *Alert
	Events   []Event
	Outgoing []Outgoing
}

// Apply says what one finding does, by the rules of the package's specification. It
// is pure: the same arguments give the same answer, down to the ids. now is
// Finding.Found.
func Apply(b Before, f protocols.Finding, care Care, now time.Time) Change {
	c := change{before: b, finding: f, care: care, home: care.Team, traits: care.traits(f.Rule), now: now.UTC()}
	switch {
	case f.Kind == protocols.Withdrawn:
		c.withdraw(b.Standing)
	case f.Kind == protocols.Revised:
		c.revise(b.Standing)
	case b.Standing == nil:
		c.begin(b.Current)
	case b.Standing.struckOut():
		c.comesTrue(b.Standing, b.Current)
	case c.comesBackTo(b.Standing) && b.Standing.State == Resolved && c.joins(b.Current):
		c.holdsAfterAll(b.Current)
	case c.undoesStrike(b.Standing) && c.wasSeenOn(b.Standing) && (!b.Standing.TooLate || c.tooLate()):
		c.goOnResolved(b.Standing)
	case c.undoesStrike(b.Standing), c.comesBackTo(b.Standing):
		c.holdsAfterAll(b.Standing)
	case b.Standing.State == Resolved:
		c.follow(b.Standing, b.Current)
	default:
		c.carryOn(b.Standing)
	}
	c.keepStood()
	return Change{Next: c.alert, Events: c.events, Outgoing: c.outgoing}
}

// On is one alert as an act or the passing of time meets it.
type On struct {
	Alert  Alert
	Care   Care
	Before Before
}

// change is one finding at work. alert stays nil as long as nothing changes.
type change struct {
	before   Before
	finding  protocols.Finding
	returns  bool // what was resolved comes back, no graver
	over, on bool // its episode is known to have ended, or to go on
	care     Care // its team is that of the alert at work
	home     Team // of the patient
	traits   Traits
	now      time.Time
	alert    *Alert
	events   []Event
	outgoing []Outgoing
}

// begin handles an episode that no alert stands for. Whatever the finding calls
// it, the condition holds and nobody knows: it is raised. Only an end has
// nothing to end.
func (c *change) begin(current *Alert) {
	if c.finding.Kind == protocols.Ended {
		return
	}
	if c.joins(current) {
		c.recur(current)
		return
	}
	c.raise(Reference(c.finding.Enrolment, c.finding.Device, c.finding.Rule, c.finding.Episode))
}

// joins reports whether a further episode joins an alert: one that nobody has
// answered, one that is taken on and goes on, and one that is taken on, is over and
// flips within the rest time without getting graver. Which version of the protocol finds it
// is the same to whoever has it in hand.
func (c *change) joins(current *Alert) bool {
	if current == nil {
		return false
	}
	if current.State == Open {
		return true
	}
	if current.Protocol != c.finding.Protocol || c.lapsed(current) {
		return false
	}
	return current.Active || c.rests(current) && !c.graver(current)
}

// rests reports whether an alert rang so recently that the next episode of its rule
// is counted and does not ring. The time runs on the wall, nights included: a red
// rests for hours, not until Monday.
func (c *change) rests(alert *Alert) bool {
	return !alert.TooLate && !alert.RangAt.IsZero() && c.now.Before(alert.RangAt.Add(c.care.rest(alert.Level)))
}

// graver reports whether a finding is graver than what people were told of.
func (c *change) graver(alert *Alert) bool {
	return c.finding.Level > alert.Level || c.worse(alert)
}

// worse reports whether the figure of a finding is beyond the worst one that people
// were told of, by the margin or more, or one more sign is there.
func (c *change) worse(alert *Alert) bool {
	f := c.finding
	if f.Signs == 0 || f.Level < alert.Level || alert.Signs == 0 {
		return false
	}
	if alert.Signs < f.Signs {
		return true
	}
	switch {
	case alert.Margin > 0:
		return f.Figure >= alert.Figure+alert.Margin
	case alert.Margin < 0:
		return f.Figure <= alert.Figure+alert.Margin
	}
	return false
}

// lapsed reports whether the latest evidence of an alert is too old to carry the
// episode that the finding is about.
func (c *change) lapsed(alert *Alert) bool {
	return !c.traits.Silence && c.traits.Lapse > 0 && alert.Active && c.finding.At.Sub(alert.LastAt) > c.traits.Lapse
}

// carryOn handles an episode whose alert is open or acknowledged.
func (c *change) carryOn(standing *Alert) {
	f := c.finding
	switch {
	case f.Kind == protocols.Ended:
		if c.ends(standing) {
			c.edit(standing)
			c.end()
			c.dropDeadline()
			if standing.Active {
				c.note(EventEnded)
			}
		}
	case (f.Kind == protocols.Resumed || c.undoes(standing)) && !c.worsens(standing):
		c.resume(standing)
	case c.worsens(standing) && (f.Kind != protocols.Again || c.undoes(standing) || !f.At.After(standing.LastAt)):
		c.edit(standing)
		c.count()
		if f.Kind == protocols.Resumed || c.undoes(standing) {
			c.goesOn()
		}
		c.rise()
	case (f.Kind == protocols.Again || f.Kind == protocols.Risen) && f.At.After(standing.LastAt):
		c.again(standing) // a rise that the alert has seen before is one more reading
	case f.Kind == protocols.Again:
		c.backfill(standing)
	case standing.State == Open && standing.TooLate && !c.tooLate():
		c.edit(standing)
		c.catchUp()
	}
}

// again handles one more reading for which the condition holds.
func (c *change) again(standing *Alert) {
	lapsed, worse := c.lapsed(standing) && !c.tooLate(), c.worse(standing) && !c.tooLate()
	if lapsed && standing.State == Acknowledged {
		c.raise(Reference(standing.ID, "since", c.finding.At.UTC().Format(time.RFC3339Nano)))
		c.continues(standing)
		c.alert.EpisodeAt = c.finding.At
		return
	}
	c.edit(standing)
	c.count()
	if lapsed {
		c.alert.EpisodeAt = c.finding.At
	}
	switch {
	case c.finding.Level > standing.Level:
		c.rise() // of an episode that was graver once, and whose alert came back lower
	case lapsed:
		c.keepFigure()
		c.note(EventRecurred)
		c.ring(EventRecurred)
	case c.reaches(standing):
		c.alert.stoodAt(c.finding.Episode, c.finding.Level)
		c.keepFigure()
		c.note(EventRecurred)
		c.ring(EventRecurred)
	case worse:
		c.worseSince(standing)
	case c.leftAlone(standing):
		if standing.State == Acknowledged {
			c.reopen()
		}
		c.keepFigure()
		c.note(EventRecurred)
		c.ring(EventRecurred)
	default:
		c.catchUp()
	}
}

// leftAlone reports whether everybody was told of an alert in vain. Nobody has answered it,
// or whoever took it on has not said what became of it, for as long as one is given to follow
// up. A reading for which it still holds then calls people anew.
func (c *change) leftAlone(standing *Alert) bool {
	if standing.State == Resolved || standing.Level < protocols.Orange || standing.TooLate || c.tooLate() || c.finding.Level < standing.Level || !standing.Next().IsZero() {
		return false
	}
	return !standing.RangAt.IsZero() && !c.now.Before(standing.lastCall().Add(or(c.care.FollowUp[standing.Level], followUps[standing.Level])))
}

// reaches reports whether a further episode, which joined an alert at a milder level and
// called nobody, has now reached the level of the alert: it calls people as one that
// begins there does.
func (c *change) reaches(standing *Alert) bool {
	f := c.finding
	if f.Kind != protocols.Risen || f.Level != standing.Level || standing.State != Open || c.tooLate() || c.rests(standing) {
		return false
	}
	return slices.ContainsFunc(standing.Stood, func(s Stood) bool { return s.Episode == f.Episode && s.Level < f.Level })
}

// worseSince says that the figure got worse. Who had taken it on is to look again;
// for what nobody has answered the messages are out already.
func (c *change) worseSince(standing *Alert) {
	figure := c.finding.Figure
	c.note(EventWorse)
	c.events[len(c.events)-1].Note = standing.Figure.String() + " → " + figure.String()
	c.keepFigure()
	c.alert.Worse = &figure
	if standing.State == Acknowledged {
		c.reopen()
		c.ring(EventWorse)
		return
	}
	c.catchUp()
}

// backfill lets a reading that comes late move the beginning of its episode, so that
// nobody is told that it began later than it did.
func (c *change) backfill(standing *Alert) {
	f := c.finding
	if f.Episode != standing.Episode || !f.At.Before(standing.At) || standing.At.Sub(f.At) > c.traits.Lapse {
		return
	}
	c.edit(standing)
	if standing.EpisodeAt.Equal(standing.At) {
		c.alert.EpisodeAt = f.At
	}
	c.spread()
}

// edit starts to change a copy of an alert.
func (c *change) edit(alert *Alert) {
	copied := *alert
	c.alert = &copied
	c.care.Team = c.before.inCharge(alert, c.home)
}

// raise makes a new alert.
func (c *change) raise(id string) {
	f := c.finding
	c.care.Team = c.home
	c.alert = &Alert{
		ID: id, Enrolment: f.Enrolment, Patient: f.Patient, Device: f.Device, Team: c.care.Team.ID,
		Protocol: f.Protocol, Version: f.Version, Rule: f.Rule, Episode: f.Episode, EpisodeAt: f.At,
		Level: f.Level, State: Open, Active: true, Occurrences: 1,
		At: f.At, LastAt: f.At, RaisedAt: c.now,
	}
	c.alert.Stood = []Stood{{f.Episode, f.At, f.Level}}
	if c.over {
		c.end()
	}
	c.explain()
	c.keepFigure()
	c.note(EventRaised)
	c.ring(EventRaised)
}

// recur lets a further episode join an alert. One that began before the episode
// the alert knows was found late: it counts, and says nothing about now, unless it
// is found to go on.
func (c *change) recur(current *Alert) {
	f := c.finding
	c.edit(current)
	c.joined()
	c.alert.Occurrences++
	after := !f.At.Before(c.alert.EpisodeAt) && !c.precedes(current) || !c.alert.Active && !f.At.Before(c.alert.EndedAt)
	newer := after && !c.over
	if newer {
		c.alert.EpisodeAt = f.At
	}
	if newer || c.on || f.Kind == protocols.Resumed {
		c.goesOn()
		if f.Level == c.alert.Level {
			c.explain()
		}
	}
	c.spread()
	c.note(EventRecurred)
	switch {
	case f.Level > c.alert.Level:
		c.rise()
	case c.alert.TooLate && !c.tooLate() && c.alert.State == Open:
		c.ring(EventRecurred)
	case newer && !c.tooLate() && current.State == Open && c.ringsAnew(current):
		c.keepFigure()
		c.ring(EventRecurred)
	case newer && !c.tooLate() && c.worse(current):
		c.worseSince(current)
	case newer:
		c.alert.Flips++
	}
}

// precedes reports whether the episode of the finding began before the one that the
// alert knows. Of an episode that a late reading has cut in two, the part that is past
// may begin where the whole was said to.
func (c *change) precedes(alert *Alert) bool {
	began, told := protocols.EpisodeStart(c.finding.Episode)
	known, tells := protocols.EpisodeStart(alert.Episode)
	return told && tells && began.Before(known)
}

// ringsAnew reports whether a further episode calls people again for an alert that
// nobody has answered.
func (c *change) ringsAnew(current *Alert) bool {
	if current.Active && !c.lapsed(current) || c.finding.Level < current.Level {
		return false
	}
	return !c.rests(current) || c.worse(current)
}

// rise lifts the level and rings.
func (c *change) rise() {
	c.alert.Level = c.finding.Level
	c.alert.stoodAt(c.finding.Episode, c.finding.Level)
	c.explain()
	c.keepFigure()
	if c.alert.State == Acknowledged {
		c.reopen()
	}
	c.note(EventRisen)
	c.ring(EventRisen)
}

// reopen asks people to look again: those who are in charge now. What others have
// done stays in the events.
func (c *change) reopen() {
	if team := c.care.Team.ID; team != "" && team != c.alert.Team {
		c.note(EventHandedOver)
		c.events[len(c.events)-1].Note = c.alert.Team + handedTo + team
		c.alert.Team, c.alert.Transferred = team, c.alert.transferredTo(team)
	}
	c.alert.reopen()
}

// reopen takes an alert back to where nobody has answered it.
func (a *Alert) reopen() {
	a.State, a.AnswerBy = Open, time.Time{}
	a.AcknowledgedBy, a.AcknowledgedAt = "", time.Time{}
	a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Outcomes = "", time.Time{}, "", nil
	a.EscalatedAt, a.Step, a.StepAt = time.Time{}, 0, time.Time{}
	a.FollowUpBy, a.SnoozedUntil, a.BackAt = time.Time{}, time.Time{}, time.Time{}
	a.promiseNothing()
}

// transferredTo is the transfer that still holds once a team is in charge.
func (a *Alert) transferredTo(team string) string {
	if a.Transferred == team {
		return team
	}
	return ""
}

// catchUp rings for an alert that was found too late at first and goes on now.
func (c *change) catchUp() {
	if c.alert.TooLate && !c.tooLate() && c.alert.State == Open {
		c.note(EventRecurred)
		c.ring(EventRecurred)
	}
}

// count adds one reading to an alert.
func (c *change) count() {
	c.alert.Occurrences++
	c.spread()
}

// spread widens the time an alert covers to that of the finding.
func (c *change) spread() {
	if c.finding.At.Before(c.alert.At) {
		c.alert.At = c.finding.At
	}
	if c.finding.At.After(c.alert.LastAt) {
		c.alert.LastAt = c.finding.At
	}
}

// ends reports whether an end is that of what an alert stands for: late readings may
// move it on.
func (c *change) ends(alert *Alert) bool {
	return c.finding.Episode == alert.Episode && (alert.Active || c.finding.At.After(alert.EndedAt))
}

func (c *change) end() {
	c.alert.Active, c.alert.EndedAt, c.alert.BackAt = false, c.finding.At, time.Time{}
}

// dropDeadline takes the deadline back from what was over before anybody was called: a
// silence, or news of the past.
func (c *change) dropDeadline() {
	if c.alert.Overdue || c.alert.TooLate && c.alert.RangAt.IsZero() && c.alert.EscalatedAt.IsZero() {
		c.alert.Overdue, c.alert.TooLate, c.alert.AnswerBy = false, true, time.Time{}
	}
}

// explain keeps the finding's explanation.
func (c *change) explain() {
	explanation := c.finding.Explanation
	if explanation == nil {
		return
	}
	c.alert.Explanation = explanation
	c.alert.Title, c.alert.Summary = explanation.Title, explanation.Summary
	c.alert.Margin = marginOf(explanation)
}

// keepFigure keeps the figure of the finding as the one that people were told of.
func (c *change) keepFigure() {
	if c.finding.Signs > 0 {
		c.alert.Figure, c.alert.Signs = c.finding.Figure, c.finding.Signs
	}
	c.alert.Worse = nil
}

// fivePerCent is the margin of a figure whose rule has no hysteresis.
const fivePerCent = 20

// marginOf is by how much a figure has to be beyond another to count as graver: the
// hysteresis of the first comparison that is true and no mere guard, else a twentieth of
// its threshold. Negative where lower is worse.
func marginOf(e *protocols.Explanation) protocols.Value {
	return cmp.Or(marginAmong(e, false), marginAmong(e, true))
}

// marginAmong is that of the comparisons that only guard, or of all others.
func marginAmong(e *protocols.Explanation, guards bool) protocols.Value {
	for i := range e.Comparisons {
		c := &e.Comparisons[i]
		if c.Truth != protocols.True || c.Threshold == protocols.Missing || c.Guards() != guards {
			continue
		}
		margin := max(c.Threshold, -c.Threshold) / fivePerCent
		if c.Clear != protocols.Missing && c.Clear != c.Threshold {
			margin = max(c.Clear-c.Threshold, c.Threshold-c.Clear)
		}
		if c.Operator == protocols.Below || c.Operator == protocols.AtMost {
			return -max(margin, 1)
		}
		return max(margin, 1)
	}
	return 0
}

func (c *change) note(kind EventKind) {
	c.events = append(c.events, Event{Alert: c.alert.ID, Kind: kind, At: c.now, Level: c.alert.Level, Author: Service})
}

// Reference makes a short id out of what it identifies: 16 letters and digits of
// a hash, which is 80 bits, so that a billion of them meet once in two million
// times.
func Reference(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}
