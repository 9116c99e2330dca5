package alerts_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigie/alerts"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
	"vigie/protocols/engine"
)

// What follows lets a real evaluation of random readings, which come in any order,
// meet people who act at random, and holds what promises say to every moment of it.

// memory is a store of alerts in memory, as plain as can be.
type memory struct {
	alerts.Store
	alerts   []*alerts.Alert // in the order of raising
	episodes map[string]*alerts.Alert
	events   []alerts.Event
	messages []alerts.Outgoing
	posted   map[string]bool

	directory alerts.Directory // for acts
}

func newMemory(directory alerts.Directory) *memory {
	return &memory{episodes: map[string]*alerts.Alert{}, posted: map[string]bool{}, directory: directory}
}

func (m *memory) find(f protocols.Finding, directory alerts.Directory) (before, after *alerts.Alert, told []alerts.Event, rang []alerts.Outgoing, err error) {
	changes, err := alerts.NewLedger(m, directory).Apply([]protocols.Finding{f})
	if err != nil || len(changes.Added)+len(changes.Changed) == 0 {
		return nil, nil, nil, nil, err
	}
	next := append(changes.Added, changes.Changed...)[0]
	if known := m.byID(next.Alert.ID); known != nil {
		copied := *known
		before = &copied
	}
	err = m.write(changes)
	return before, m.byID(next.Alert.ID), changes.Events, withoutDigest(changes.Outgoing), err
}

// withoutDigest leaves the messages that call people, or systems, about one alert.
func withoutDigest(list []alerts.Outgoing) []alerts.Outgoing {
	return slices.DeleteFunc(slices.Clone(list), func(m alerts.Outgoing) bool { return m.Event == alerts.EventDigest })
}

// write keeps what a ledger has changed.
func (m *memory) write(changes alerts.Changes) error {
	for _, e := range append(changes.Added, changes.Changed...) {
		kept := m.byID(e.Alert.ID)
		if kept == nil {
			kept = &alerts.Alert{}
			m.alerts = append(m.alerts, kept)
		}
		*kept = e.Alert
	}
	for _, s := range changes.Stands {
		m.episodes[s.Episode.Rule+"|"+s.Episode.Episode] = m.byID(s.Entry.Alert.ID)
	}
	m.events = append(m.events, changes.Events...)
	for _, message := range changes.Outgoing {
		if m.posted[message.ID] && message.Event != alerts.EventDigest {
			return fmt.Errorf("the message %+v would be taken for one that was sent", message)
		}
		if !m.posted[message.ID] {
			m.messages = append(m.messages, message)
		}
		m.posted[message.ID] = true
	}
	return nil
}

func (m *memory) byID(id string) *alerts.Alert {
	for _, a := range m.alerts {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func (m *memory) entry(a *alerts.Alert) *alerts.Entry {
	if a == nil {
		return nil
	}
	return &alerts.Entry{Number: 1 + int64(slices.Index(m.alerts, a)), Alert: *a}
}

// Standing is part of alerts.Pages.
func (m *memory) Standing(key alerts.EpisodeKey) (*alerts.Entry, error) {
	return m.entry(m.episodes[key.Rule+"|"+key.Episode]), nil
}

// ByID is part of alerts.Pages.
func (m *memory) ByID(id string) (*alerts.Entry, error) { return m.entry(m.byID(id)), nil }

// OfRule is part of alerts.Pages.
func (m *memory) OfRule(key alerts.RuleKey) ([]*alerts.Entry, error) {
	return m.where(func(a *alerts.Alert) bool {
		return a.Enrolment == key.Enrolment && a.Device == key.Device && a.Rule == key.Rule
	}), nil
}

// OpenOf is part of alerts.Pages.
func (m *memory) OpenOf(patient string) ([]*alerts.Entry, error) {
	return m.where(func(a *alerts.Alert) bool { return a.Patient == patient && a.State == alerts.Open }), nil
}

func (m *memory) where(belongs func(*alerts.Alert) bool) (list []*alerts.Entry) {
	for _, a := range m.alerts {
		if belongs(a) {
			list = append(list, m.entry(a))
		}
	}
	return list
}

func (m *memory) Act(_ context.Context, id string, change func(alerts.On) (alerts.Change, error)) error {
	changes, err := alerts.NewLedger(m, m.directory).Act(id, change)
	if err != nil {
		return err
	}
	return m.write(changes)
}

func (m *memory) Due(_ context.Context, now time.Time, limit int) ([]alerts.Alert, error) {
	var due []alerts.Alert
	for _, a := range m.alerts {
		if next := a.Next(); !next.IsZero() && !next.After(now) {
			due = append(due, *a)
		}
	}
	return due[:min(len(due), limit)], nil
}

func (m *memory) Alerts(_ context.Context, f alerts.Filter) ([]alerts.Alert, error) {
	var list []alerts.Alert
	for _, a := range m.alerts {
		if slices.Contains(f.States, a.State) {
			list = append(list, *a)
		}
	}
	return list, nil
}

func pulseAbove(level protocols.Level, statistic protocols.Statistic, window time.Duration, limit, clear int) protocols.RuleLevel {
	c := &protocols.Comparison{
		Measure: protocols.MeasureByID("heart-rate"), MinusComponent: -1, PerComponent: -1, Statistic: statistic, Window: protocols.Window{Length: window},
		Operator: protocols.Above, Threshold: protocols.Operand{Value: protocols.Value(limit * 1000)},
	}
	if clear > 0 {
		c.Clear = &protocols.Operand{Value: protocols.Value(clear * 1000)}
	}
	return protocols.RuleLevel{Level: level, When: protocols.Condition{Compare: c}}
}

// pulse is a protocol whose rules begin, rise, end and go on after all as late
// readings come.
func pulse(version string, shift int) *protocols.Protocol {
	title := func(id string) protocols.Rule {
		return protocols.Rule{ID: id, Title: protocols.Text{FR: id, EN: id}}
	}
	fast, mean, swing := title("fast"), title("mean"), title("swing")
	fast.Levels = []protocols.RuleLevel{
		pulseAbove(protocols.Yellow, protocols.Last, 0, 100+shift, 90), pulseAbove(protocols.Orange, protocols.Last, 0, 120+shift, 0), pulseAbove(protocols.Red, protocols.Last, 0, 140+shift, 130),
	}
	mean.Levels = []protocols.RuleLevel{
		pulseAbove(protocols.Yellow, protocols.Mean, 2*time.Hour, 100+shift, 95), pulseAbove(protocols.Red, protocols.Mean, 2*time.Hour, 125, 0),
	}
	swing.Levels = []protocols.RuleLevel{
		pulseAbove(protocols.Orange, protocols.Rise, 3*time.Hour, 20+shift, 0), pulseAbove(protocols.Red, protocols.Rise, 3*time.Hour, 50, 0),
	}
	return &protocols.Protocol{
		ID: "pulse", Version: version, Rules: []protocols.Rule{fast, mean, swing}, TooLate: 3 * time.Hour,
		Answer: map[protocols.Level]time.Duration{protocols.Red: time.Hour, protocols.Orange: 4 * time.Hour, protocols.Yellow: 18 * time.Hour},
	}
}

// holds is what the evaluation says of an episode.
type holds struct {
	rule    string
	on      bool
	level   protocols.Level
	at      time.Time
	ended   bool
	over    time.Time
	version string
}

var ctx = context.Background()

// course is one patient's course.
type course struct {
	*rapid.T
	memory    *memory
	directory *directoryOf
	plans     []*engine.Plan
	version   int
	state     *engine.State
	enrolment protocols.Enrolment
	history   []*protocols.Reading
	withheld  []*protocols.Reading
	struck    []*protocols.Reading
	now       time.Time
	clock     time.Time // of measurement
	number    int

	known    map[string]*holds          // by rule and episode
	rungs    map[string]protocols.Level // by alert: the highest level at which it rang since it opened
	rings    map[string]int             // by alert and level
	openings map[string]int             // by alert
	seenOn   map[string]bool            // by alert: whether it was shown as going on when it was resolved
	log      []string
}

type directoryOf struct{ care alerts.Care }

func (d *directoryOf) Care(string) (alerts.Care, error) { return d.care, nil }

// Team is part of alerts.Teams: team-b is there beside, and team-c, whose box nobody has.
func (d *directoryOf) Team(id string) (alerts.Team, error) {
	other := storetest.Care().Team
	other.ID, other.Name, other.Contacts, other.Escalate = id, id, []string{"autre@example.org"}, []string{"cadre-autre@example.org"}
	switch id {
	case "team-b":
		return other, nil
	case "team-c":
		other.Contacts, other.Systems = nil, nil
		return other, nil
	}
	return alerts.Team{}, nil
}

func newCourse(t *rapid.T) *course {
	directory := &directoryOf{storetest.Care()}
	c := &course{
		T: t, memory: newMemory(directory), directory: directory,
		now: storetest.Morning, clock: storetest.Morning, enrolment: protocols.Enrolment{ID: "e-1", Patient: "p-1", Zone: time.UTC, From: storetest.Morning.AddDate(0, 0, -2)},
		known: map[string]*holds{}, rungs: map[string]protocols.Level{}, rings: map[string]int{}, openings: map[string]int{}, seenOn: map[string]bool{},
	}
	for i, shift := range []int{0, 10, 5} {
		plan, err := engine.NewPlan(pulse(fmt.Sprint(i+1), shift))
		if err != nil {
			t.Fatal(err)
		}
		c.plans = append(c.plans, plan)
	}
	c.follow(0, nil)
	return c
}

func (c *course) sayf(format string, args ...any) {
	c.log = append(c.log, c.now.Format("15:04:05 ")+fmt.Sprintf(format, args...))
}

func (c *course) failf(format string, args ...any) {
	c.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(c.log, "\n"))
}

// follow goes on under a version of the protocol.
func (c *course) follow(version int, snapshot []byte) {
	c.version = version
	state, err := c.plans[version].For(c.enrolment)
	if err != nil {
		c.Fatal(err)
	}
	since := state.Since(snapshot, c.now.Add(-48*time.Hour))
	if err := state.Load(snapshot, c.history, since); err != nil {
		c.Fatal(err)
	}
	c.state = state
}

func (c *course) measure() {
	c.clock = c.clock.Add(time.Duration(rapid.IntRange(1, 60).Draw(c.T, "minutes")) * time.Minute)
	if c.now.Before(c.clock) { // the device's clock may be ahead
		c.now = c.clock.Add(-time.Duration(rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 5}).Draw(c.T, "ahead")) * time.Minute)
	}
	c.number++
	m := protocols.MeasureByID("heart-rate")
	r := &protocols.Reading{ID: fmt.Sprintf("r%04d", c.number), Device: "d", Patient: "p-1", Time: c.clock, Measure: m, Battery: -1,
		Values: []protocols.Value{protocols.Value(1000 * rapid.SampledFrom([]int{60, 92, 98, 105, 115, 125, 135, 150}).Draw(c.T, "rate"))}}
	c.sayf("measured %d at %s", r.Values[0]/1000, r.Time.Format("15:04"))
	c.withheld = append(c.withheld, r)
}

// deliver hands over some of what was measured.
func (c *course) deliver() {
	if len(c.withheld) == 0 {
		return
	}
	mask := rapid.IntRange(1, 1<<min(len(c.withheld), 8)-1).Draw(c.T, "which")
	var come, rest []*protocols.Reading
	for i, r := range c.withheld {
		if i < 8 && mask&(1<<i) != 0 {
			come = append(come, r)
		} else {
			rest = append(rest, r)
		}
	}
	c.withheld = rest
	c.now = c.now.Add(time.Second)
	var late, inOrder []*protocols.Reading
	for _, r := range come {
		if c.state.InOrder(r) {
			inOrder = append(inOrder, r)
		} else {
			late = append(late, r)
		}
	}
	var found []protocols.Finding
	if len(late) > 0 {
		c.history = c.sorted(append(c.history, late...))
		found = c.state.Recompute(late, c.history, c.now, found)
	}
	c.history = c.sorted(append(c.history, inOrder...))
	for _, r := range c.sorted(inOrder) {
		found = c.state.Add(r, c.now, found)
	}
	for _, r := range come {
		c.sayf("delivered %d of %s", r.Values[0]/1000, r.Time.Format("15:04"))
	}
	c.found(found)
}

func (c *course) sorted(list []*protocols.Reading) []*protocols.Reading {
	slices.SortFunc(list, func(a, b *protocols.Reading) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func (c *course) found(found []protocols.Finding) {
	for _, f := range found {
		c.learn(f)
		before, after, events, rang, err := c.memory.find(f, c.directory)
		c.sayf("  %s %s %s %s at %s too late %v -> %s", f.Rule, f.Kind, f.Level, f.Episode[len(f.Rule)+12:], f.At.Format("15:04"), f.TooLate, describe(after))
		if err != nil {
			c.failf("%v", err)
		}
		if k, a := c.known[f.Rule+"|"+f.Episode], c.memory.episodes[f.Rule+"|"+f.Episode]; k.on && f.Kind != protocols.Raised && !f.TooLate && f.At.Equal(k.at) && a.State == alerts.Resolved && a.TooLate {
			c.failf("%s holds, and was resolved as past: %s", k.rule, describe(a))
		}
		if after == nil {
			continue
		}
		for _, e := range events {
			c.sayf("    event %s", e.Kind)
		}
		if f.Kind == protocols.Withdrawn || f.Kind == protocols.Revised {
			c.struckOut(before, after, rang)
			continue
		}
		if before == nil || before.State != alerts.Open && after.State == alerts.Open {
			c.openings[after.ID]++
			delete(c.rungs, after.ID)
		}
		if k := c.known[f.Rule+"|"+f.Episode]; len(rang) == 0 && k.on && !f.TooLate && f.Kind != protocols.Ended && after.State == alerts.Open && c.rungs[after.ID] < max(f.Level, k.level) {
			c.failf("%s holds at %s, and nobody was told: %s", k.rule, k.level, describe(after))
		}
		if len(rang) > 0 {
			c.sayf("    RINGS %s", rang[0].Event)
			due := c.directory.care.Team.Calendar.Add(c.now, c.directory.care.Answer[after.Level])
			if before != nil && before.State == alerts.Open && before.EscalatedAt.IsZero() && !before.AnswerBy.IsZero() && before.AnswerBy.Before(due) {
				due = before.AnswerBy
			}
			if calendar := c.directory.care.Team.Calendar; before == nil && after.Follows != "" && after.RangAt.IsZero() { // it comes back, no graver
				due = calendar.Add(calendar.Opening(c.now), c.directory.care.Answer[after.Level])
			}
			if !after.AnswerBy.Equal(due) || !after.EscalatedAt.IsZero() {
				c.failf("the answer is due by %v, want %v: %s", after.AnswerBy, due, describe(after))
			}
			if before != nil && rang[0].Event == alerts.EventRecurred && !before.TooLate {
				if rested := c.now.Sub(before.RangAt); rested < 4*time.Hour && after.Figure == before.Figure {
					c.failf("rings again after %v: %s", rested, describe(after))
				}
				c.openings[after.ID]++
			}
			c.rungs[after.ID] = max(c.rungs[after.ID], after.Level)
			c.rings[after.ID+after.Level.String()]++
			if rings := c.rings[after.ID+after.Level.String()]; rings > c.openings[after.ID] {
				c.failf("alert %s rang %d times at %s, having opened %d times", after.ID, rings, after.Level, c.openings[after.ID])
			}
		}
	}
	c.check()
}

// struckOut holds what must be so once an alert has lost a reading.
func (c *course) struckOut(before, after *alerts.Alert, rang []alerts.Outgoing) {
	if after.Level > before.Level || after.State != before.State && after.Outcome != alerts.StruckOut {
		c.failf("a strike has made %s of %s", describe(after), describe(before))
	}
	for _, m := range rang {
		if m.Event != alerts.EventStruck {
			c.failf("a strike calls people: %+v", m)
		}
	}
	c.rungs[after.ID] = min(c.rungs[after.ID], after.Level)
	c.openings[after.ID]++ // what comes next may ring
	if after.Outcome == alerts.StruckOut {
		delete(c.seenOn, after.ID)
	}
}

// strike has a person strike out some of what was delivered.
func (c *course) strike() {
	if len(c.history) == 0 {
		return
	}
	c.now = c.now.Add(time.Second)
	from := rapid.IntRange(0, len(c.history)-1).Draw(c.T, "from")
	struck := slices.Clone(c.history[from:min(len(c.history), from+rapid.IntRange(1, 3).Draw(c.T, "struck"))])
	c.sayf("struck out are %d from %s", len(struck), struck[0].Time.Format("15:04"))
	found := c.state.Strike(struck, c.history, c.now, nil)
	c.history = slices.DeleteFunc(c.history, func(r *protocols.Reading) bool { return slices.Contains(struck, r) })
	c.struck = append(c.struck, struck...)
	for i := range found {
		found[i].Author, found[i].Reason = "Mme Hoarau", "son mari"
	}
	c.found(found)
}

// unstrike takes some of that back.
func (c *course) unstrike() {
	if len(c.struck) == 0 {
		return
	}
	c.now = c.now.Add(time.Second)
	n := rapid.IntRange(1, len(c.struck)).Draw(c.T, "back")
	back := c.sorted(c.struck[:n:n])
	c.struck = slices.Clone(c.struck[n:])
	c.sayf("%d are taken back, from %s", n, back[0].Time.Format("15:04"))
	c.history = c.sorted(append(c.history, back...))
	c.found(c.state.Recompute(back, c.history, c.now, nil))
}

// learn notes what the evaluation says.
func (c *course) learn(f protocols.Finding) {
	key := f.Rule + "|" + f.Episode
	k := c.known[key]
	if k == nil {
		k = &holds{rule: f.Rule}
		c.known[key] = k
	}
	k.version = f.Version
	switch f.Kind {
	case protocols.Ended:
		k.on, k.ended, k.over = false, true, f.At
		return
	case protocols.Withdrawn:
		*k = holds{rule: f.Rule, version: f.Version}
		return
	case protocols.Revised: // that of its gravest moment, which may be past
		k.level, k.at = min(k.level, f.Level), time.Time{}
		return
	case protocols.Raised:
		// Another version of the protocol may raise what was raised and ended before: a
		// later reading says whether it holds.
		k.on = !k.ended
	case protocols.Resumed:
		k.on, k.ended = true, false
	case protocols.Again:
		if f.At.After(k.over) {
			k.on = true
		}
	}
	if !f.At.Before(k.at) {
		k.level, k.at = f.Level, f.At
	}
}

func describe(a *alerts.Alert) string {
	if a == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s %s %s active %v too late %v episode %s", a.ID[:4], a.State, a.Level, a.Active, a.TooLate, a.Episode[len(a.Rule)+12:])
}

// check holds what must be so at every moment.
func (c *course) check() {
	version := fmt.Sprint(c.version + 1)
	for key, k := range c.known {
		if !k.on || k.version != version {
			continue
		}
		a := c.memory.episodes[key]
		switch {
		case a == nil:
			c.failf("%s holds and has no alert", key)
		case a.Level < k.level:
			c.failf("%s holds at %s, and its alert is %s", key, k.level, describe(a))
		case !a.Active && (a.Version == version || k.at.After(a.EndedAt)):
			c.failf("%s holds, and its alert is shown as over: %s", key, describe(a))
		case a.State == alerts.Resolved && !c.seenOn[a.ID] && (a.Version == version || k.at.After(a.EndedAt)):
			c.failf("%s holds, and was resolved as over: %s", key, describe(a))
		}
	}
	for _, a := range c.memory.alerts {
		k := c.known[a.Rule+"|"+a.Episode]
		if c.version == 0 && a.Active && !k.on && c.memory.episodes[a.Rule+"|"+a.Episode] == a {
			c.failf("%s %s is over, and shown as going on: %s", a.Rule, a.Episode, describe(a))
		}
		if a.State == alerts.Open && !a.TooLate && a.AnswerBy.IsZero() {
			c.failf("nobody will miss an answer: %s", describe(a))
		}
		if a.State != alerts.Resolved && a.Team != c.directory.care.Team.ID {
			c.failf("%s is shown to team %s, %s is in charge", describe(a), a.Team, c.directory.care.Team.ID)
		}
		if a.Explanation == nil || a.Title.FR == "" {
			c.failf("does not explain itself: %s", describe(a))
		}
	}
}

// act has a person act, on an alert that may be settled already.
func (c *course) act() {
	if len(c.memory.alerts) == 0 {
		return
	}
	c.now = c.now.Add(time.Second)
	a := rapid.SampledFrom(c.memory.alerts).Draw(c.T, "alert")
	author := rapid.SampledFrom([]string{"Dr Payet", "Mme Hoarau"}).Draw(c.T, "author")
	var err error
	was := *a
	if rapid.Bool().Draw(c.T, "resolve") {
		err = alerts.Resolve(ctx, c.memory, a.ID, author, "patient-called", "", c.now)
		if was.State != alerts.Resolved {
			c.seenOn[a.ID] = was.Active
		}
	} else {
		err = alerts.Acknowledge(ctx, c.memory, a.ID, author, "", c.now)
	}
	c.sayf("%s acts: %s -> %s, %v", author, describe(&was), describe(a), err)
	var refused *alerts.Refused
	if err != nil && !errors.As(err, &refused) {
		c.failf("%v", err)
	}
	c.check()
}

func (c *course) pass() {
	c.now = c.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(c.T, "pass")) * time.Minute)
	c.clock = c.now
	c.found(c.state.Advance(c.now, nil))
	var due []string
	for _, a := range c.memory.alerts {
		if next := a.Next(); !next.IsZero() && !next.After(c.now) {
			due = append(due, a.ID)
		}
	}
	n, err := (&alerts.Escalator{Store: c.memory}).Escalate(ctx, c.now)
	if err != nil || n != len(due) {
		c.failf("%d changed, %v; due were %v", n, err, due)
	}
	for _, a := range c.memory.alerts {
		if a.RaisedAt.Equal(c.now) || a.RangAt.Equal(c.now) {
			c.openings[a.ID]++
		}
		if a.RangAt.Equal(c.now) {
			c.rings[a.ID+a.Level.String()]++
			c.rungs[a.ID] = a.Level
		}
		if next := a.Next(); !next.IsZero() && !next.After(c.now) {
			c.failf("stays due since %v: %s", next, describe(a))
		}
	}
	c.sayf("passed %v", due)
	c.check()
}

func (c *course) change() {
	switch change := rapid.IntRange(0, 2).Draw(c.T, "change"); {
	case change == 0 && c.version+1 < len(c.plans):
		c.sayf("another version")
		c.follow(c.version+1, c.state.Snapshot(nil))
		for _, k := range c.known {
			k.version = ""
		}
	case change == 1:
		c.sayf("restart")
		c.follow(c.version, c.state.Snapshot(nil))
	default:
		c.directory.care.Team.ID = rapid.SampledFrom([]string{"team-a", "team-b"}).Draw(c.T, "team")
		c.now = c.now.Add(time.Second)
		c.sayf("team %s", c.directory.care.Team.ID)
		if _, err := alerts.HandOver(ctx, c.memory, c.directory, c.now); err != nil {
			c.failf("%v", err)
		}
	}
	c.check()
}

func TestWhateverCourse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCourse(t)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 11).Draw(t, "step") {
			case 0, 1, 2, 3:
				c.measure()
			case 4, 5, 6:
				c.deliver()
			case 7:
				c.act()
			case 8:
				c.pass()
			case 9:
				c.change()
			case 10:
				c.strike()
			case 11:
				c.unstrike()
			}
		}
	})
}
