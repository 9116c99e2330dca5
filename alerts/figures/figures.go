// Package figures counts what a service of telemonitoring does: how often it calls, how
// soon people answer, how many calls were for nothing, and whether readings come.
//
//	Store      what is read, from a store of alerts
//	Stay       a patient's time under a protocol, from the registry
//	Count      takes stays and alerts one by one
//	Figures    what comes out
//	Table      every figure with its family, its words and its definition
//
// Nothing here names a patient: figures are shown to people who may see no patient.
package figures

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// Store gives what figures are made of. Every implementation passes the same contract
// tests (ingest/stores/storetest). Of a filter it looks at Within, Team, Protocol, From
// and To. Team leaves out what no team is in charge of.
type Store interface {
	// Courses calls yield for each alert that was raised in [From, To), the earliest
	// first. yield must not keep its argument. An error of yield ends the call and is
	// returned.
	Courses(ctx context.Context, f alerts.Filter, yield func(*Course) error) error
	// Messages counts the messages that were written in [From, To), by channel. It does
	// not look at Protocol.
	Messages(ctx context.Context, f alerts.Filter) ([]Messages, error)
}

// Course is an alert from its first call to its outcome, as far as figures need it.
type Course struct {
	ID       string
	Patient  string
	Team     string
	Protocol string
	Version  string
	Rule     string
	Title    protocols.Text
	Level    protocols.Level
	State    alerts.State
	RaisedAt time.Time
	EndedAt  time.Time // of its condition; zero while it holds
	Closed   time.Time // zero while it is not resolved
	AnswerBy time.Time // zero once somebody has answered, and where nobody is waited for
	TooLate  bool
	Outcomes []string
	Events   []alerts.Event // of CourseEvents, oldest first: Kind, At, Author and Note
}

// CourseEvents are the kinds of events that a Course holds.
var CourseEvents = append([]alerts.EventKind{alerts.EventEscalated, alerts.EventUndone}, answers...)

// answers are the acts by which somebody answers an alert.
var answers = []alerts.EventKind{alerts.EventAcknowledged, alerts.EventAssigned, alerts.EventCallBack, alerts.EventSnoozed, alerts.EventResolved}

// Messages are those of one channel.
type Messages struct {
	Channel string `json:"channel"`
	Sent    int    `json:"sent"`
	Waiting int    `json:"waiting"`
	GivenUp int    `json:"given_up"`
}

// Stay is a patient's time under a protocol. Until is zero for a time without an end.
type Stay struct {
	Team, Protocol string
	From, Until    time.Time
}

// Line is the figures of all alerts, of one level or of one rule.
type Line struct {
	Level    protocols.Level
	Protocol string
	Version  string // of the protocol, as it rang last
	Rule     string
	Title    protocols.Text // of the rule, as it rang last

	Patients int     // who were followed at any time of the interval
	Days     float64 // patient-days, of 24 h
	Alerts   int     // raised in the interval
	Waited   int     // alerts of which it is known whether they were answered within the delay
	InTime   int     // of those
	Answered int     // by a person
	Median   time.Duration
	P90      time.Duration
	Closed   int // by a person
	False    int // of those, closed as a false alarm

	waits []time.Duration
}

// Rate is the number of alerts per 100 patient-days; false where nobody was followed.
func (l *Line) Rate() (float64, bool) { return share(float64(l.Alerts), l.Days) }

// InTimeShare is the share of alerts that were answered within the delay, in percent.
func (l *Line) InTimeShare() (float64, bool) { return share(float64(l.InTime), float64(l.Waited)) }

// FalseShare is the share of false alarms among what was closed, in percent.
func (l *Line) FalseShare() (float64, bool) { return share(float64(l.False), float64(l.Closed)) }

// share is a per 100 of b; false for nothing of nothing.
func share(a, b float64) (float64, bool) {
	if b <= 0 {
		return 0, false
	}
	return 100 * a / b, true
}

// Figures are those of an interval.
type Figures struct {
	From, To  time.Time
	All       Line
	ByLevel   []Line // gravest first
	ByRule    []Line // most alerts first
	Silences  int    // alerts about readings that did not come
	SilentDay float64
	Messages  []Messages
}

// Transmission is the share of patient-days without a running alert about missing
// readings, in percent.
func (f *Figures) Transmission() (float64, bool) {
	return share(max(0, f.All.Days-f.SilentDay), f.All.Days)
}

// Before is how long before an interval the alerts begin that are asked of a store: a
// silence that began earlier still takes from the transmission.
const Before = 90 * 24 * time.Hour

// Count counts. Silence says whether an alert is about readings that did not come.
type Count struct {
	filter   alerts.Filter
	silence  func(*Course) bool
	all      Line
	levels   map[protocols.Level]*Line
	rules    map[[2]string]*Line
	followed map[string]*Line // by protocol
	silent   map[string][]stretch
	silences int
}

// New returns a count of the interval, teams and protocol of a filter.
func New(f alerts.Filter, silence func(*Course) bool) *Count {
	return &Count{
		filter: f, silence: silence, levels: map[protocols.Level]*Line{}, rules: map[[2]string]*Line{},
		followed: map[string]*Line{}, silent: map[string][]stretch{},
	}
}

// stretch is a time [from, to).
type stretch struct{ from, to time.Time }

// Follow takes all stays of one patient. Days on which two protocols watch a patient
// count once for all, and once for each protocol.
func (c *Count) Follow(stays []Stay) {
	var whole []stretch
	var first string
	var more map[string][]stretch // hardly anybody is under two protocols
	for i := range stays {
		s := &stays[i]
		if !c.asks(s) {
			continue
		}
		part, ok := c.within(s.From, s.Until)
		switch {
		case !ok:
			continue
		case len(whole) == 0 || s.Protocol == first && more == nil:
			first = s.Protocol
		case more == nil:
			more = map[string][]stretch{first: slices.Clone(whole)}
		}
		if more != nil {
			more[s.Protocol] = append(more[s.Protocol], part)
		}
		whole = append(whole, part)
	}
	if len(whole) == 0 {
		return
	}
	if more == nil {
		more = map[string][]stretch{first: whole}
	}
	for protocol, parts := range more {
		l := c.under(protocol)
		l.Patients++
		l.Days += days(parts)
	}
	c.all.Patients++
	c.all.Days += days(whole)
}

func (c *Count) asks(s *Stay) bool {
	f := &c.filter
	return (f.Team == "" || s.Team == f.Team) && (f.Protocol == "" || s.Protocol == f.Protocol) &&
		(f.Within == nil || slices.Contains(f.Within, s.Team))
}

func (c *Count) under(protocol string) *Line {
	if c.followed[protocol] == nil {
		c.followed[protocol] = &Line{}
	}
	return c.followed[protocol]
}

// within is the part of [from, until) that lies in the interval.
func (c *Count) within(from, until time.Time) (stretch, bool) {
	if from.Before(c.filter.From) {
		from = c.filter.From
	}
	if until.IsZero() || until.After(c.filter.To) {
		until = c.filter.To
	}
	return stretch{from, until}, from.Before(until)
}

// days is how long stretches last together, in days of 24 h; what two of them cover
// counts once.
func days(parts []stretch) float64 {
	slices.SortFunc(parts, func(a, b stretch) int { return a.from.Compare(b.from) })
	var total time.Duration
	var end time.Time
	for _, p := range parts {
		if p.from.Before(end) {
			p.from = end
		}
		if p.to.After(p.from) {
			total += p.to.Sub(p.from)
			end = p.to
		}
	}
	return total.Hours() / 24
}

// Add takes an alert. One that was raised before the interval counts for the
// transmission alone.
func (c *Count) Add(course *Course) error {
	if c.silence(course) {
		until := course.EndedAt
		if until.IsZero() {
			until = course.Closed
		}
		if part, ok := c.within(course.RaisedAt, until); ok && course.Patient != "" {
			c.silent[course.Patient] = append(c.silent[course.Patient], part)
		}
	}
	if course.RaisedAt.Before(c.filter.From) {
		return nil
	}
	if c.silence(course) {
		c.silences++
	}
	level, rule := c.levels[course.Level], c.rules[[2]string{course.Protocol, course.Rule}]
	if level == nil {
		level = &Line{Level: course.Level}
		c.levels[course.Level] = level
	}
	if rule == nil {
		rule = &Line{Protocol: course.Protocol, Rule: course.Rule}
		c.rules[[2]string{course.Protocol, course.Rule}] = rule
	}
	rule.Level, rule.Version, rule.Title = max(rule.Level, course.Level), course.Version, course.Title
	for _, line := range []*Line{&c.all, level, rule} {
		line.add(course, c.filter.To)
	}
	return nil
}

// add counts an alert. now is the end of the interval: a deadline that was not over
// then says nothing yet.
func (l *Line) add(c *Course, now time.Time) {
	l.Alerts++
	answer, escalated := c.Answered()
	if !answer.IsZero() {
		l.Answered++
		l.waits = append(l.waits, max(0, answer.Sub(c.RaisedAt)))
	}
	switch late := !escalated.IsZero() && (answer.IsZero() || escalated.Before(answer)); {
	case c.TooLate:
	case late, answer.IsZero() && !c.AnswerBy.IsZero() && c.AnswerBy.Before(now):
		l.Waited++
	case !answer.IsZero():
		l.Waited++
		l.InTime++
	}
	if c.State == alerts.Resolved && !slices.Contains(c.Outcomes, alerts.StruckOut) {
		l.Closed++
		if slices.Contains(c.Outcomes, alerts.FalseAlarm) {
			l.False++
		}
	}
}

// Answered is when a person first answered with an act that was not undone, and when the
// delay first ran out; zero for never.
func (c *Course) Answered() (answer, escalated time.Time) {
	var stood []alerts.Event
	for _, e := range c.Events {
		switch {
		case e.Kind == alerts.EventEscalated:
			if escalated.IsZero() {
				escalated = e.At
			}
		case e.Kind == alerts.EventUndone:
			if n := len(stood); n > 0 && stood[n-1].Kind == alerts.EventKind(e.Note) {
				stood = stood[:n-1]
			}
		case e.Author != alerts.Service && slices.Contains(answers, e.Kind):
			stood = append(stood, e)
		}
	}
	if len(stood) > 0 {
		answer = stood[0].At
	}
	return answer, escalated
}

// Figures is what comes out.
func (c *Count) Figures(messages []Messages) Figures {
	f := Figures{From: c.filter.From, To: c.filter.To, All: c.all, Silences: c.silences, Messages: messages}
	f.All.summarise()
	for level := protocols.Red; level >= protocols.Technical; level-- {
		l := c.levels[level]
		if l == nil {
			l = &Line{Level: level}
		}
		l.Patients, l.Days = c.all.Patients, c.all.Days
		l.summarise()
		f.ByLevel = append(f.ByLevel, *l)
	}
	for _, l := range c.rules {
		if of := c.followed[l.Protocol]; of != nil {
			l.Patients, l.Days = of.Patients, of.Days
		}
		l.summarise()
		f.ByRule = append(f.ByRule, *l)
	}
	slices.SortFunc(f.ByRule, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Rule, b.Rule))
	})
	for _, patient := range slices.Sorted(maps.Keys(c.silent)) {
		f.SilentDay += days(c.silent[patient])
	}
	return f
}

// summarise writes the times to answer: of an even number the lower of the two in the
// middle, and the nearest rank of 90 %.
func (l *Line) summarise() {
	if len(l.waits) == 0 {
		return
	}
	slices.Sort(l.waits)
	l.Median, l.P90 = rank(l.waits, 50), rank(l.waits, 90)
	l.waits = nil
}

// rank is the smallest value that percent of the sorted values do not exceed.
func rank(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
