// Package trial tries a protocol out: it plays the tests that stand beside it
// (RunTests), and accounts for one rule of one patient at one moment (Explain).
package trial

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/engine"
	"vigie/protocols/language"
)

// TestResult is how one test of a protocol came out.
type TestResult struct {
	Name        string
	Line        int
	Differences []protocols.Text // between what was expected and what came; none when it passed
}

// Passed reports whether everything expected came, and nothing else.
func (r *TestResult) Passed() bool { return len(r.Differences) == 0 }

// RunTests plays every test in doc against p. Problems are about doc itself;
// when one of them is an error, nothing is played.
func RunTests(p *protocols.Protocol, doc *document.Node) ([]TestResult, []document.Problem) {
	tests, problems := language.ParseTimelines(p, doc)
	if slices.ContainsFunc(problems, func(p document.Problem) bool { return p.Severity == document.Error }) {
		return nil, problems
	}
	plan, err := engine.NewPlan(p)
	if err != nil {
		return nil, append(problems, document.Problem{Line: 1, Column: 1, Code: "cannot-run", Message: said(err), Severity: document.Error})
	}
	results := make([]TestResult, len(tests))
	for i := range tests {
		results[i] = Run(&tests[i], plan)
	}
	return results, problems
}

// Run plays the readings of a test in the order in which they were received, moves
// the clock to the end, and compares.
func Run(test *language.Timeline, plan *engine.Plan) TestResult {
	t := played{test}
	result := TestResult{Name: t.Name, Line: t.Line}
	findings, err := Play(test, plan)
	if err != nil {
		result.Differences = []protocols.Text{said(err)}
		return result
	}
	result.Differences = t.compare(findings)
	return result
}

// Play returns what the readings of a test make a protocol find. A setting counts from its
// date on, as one that a physician makes while the patient is followed.
func Play(t *language.Timeline, plan *engine.Plan) ([]protocols.Finding, error) {
	s := &stage{plan: plan, enrolment: protocols.Enrolment{ID: "test", Patient: "test", Zone: t.Zone, Settings: settledBy(t.Settings, t.Start), From: t.Start, Pauses: t.Pauses}}
	if err := s.begin(); err != nil {
		return nil, err
	}
	changes := changesOf(t)
	for first := 0; first < len(t.Readings); {
		now := t.Readings[first].Received
		last := first
		for last < len(t.Readings) && t.Readings[last].Received.Equal(now) {
			last++
		}
		var err error
		if changes, err = s.setDue(t, changes, now); err != nil {
			return nil, err
		}
		s.wait(now)
		s.deliver(t.Readings[first:last], now)
		first = last
	}
	if _, err := s.setDue(t, changes, t.Until); err != nil {
		return nil, err
	}
	s.wait(t.Until)
	s.findings = s.state.Advance(t.Until, s.findings)
	return s.findings, nil
}

// settledBy are the settings that are made by a moment.
func settledBy(all protocols.Settings, at time.Time) protocols.Settings {
	made := protocols.Settings{}
	for name, s := range all {
		if !s.Date.After(at) {
			made[name] = s
		}
	}
	return made
}

// changesOf are the moments at which settings are made once the test has begun, in order.
func changesOf(t *language.Timeline) []time.Time {
	var at []time.Time
	for _, s := range t.Settings {
		if s.Date.After(t.Start) {
			at = append(at, s.Date)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return slices.CompactFunc(at, time.Time.Equal)
}

// played is a test that has been played.
type played struct{ *language.Timeline }

// stage is where a test is played.
type stage struct {
	plan      *engine.Plan
	enrolment protocols.Enrolment
	state     protocols.Evaluator
	history   []*protocols.Reading // in canonical order
	findings  []protocols.Finding
}

func (s *stage) begin() error {
	state, err := s.plan.For(s.enrolment)
	if err != nil {
		return fmt.Errorf("make the patient of the test: %w", err)
	}
	if err := state.Load(nil, nil, time.Time{}); err != nil {
		return fmt.Errorf("begin the test: %w", err)
	}
	s.state = state
	return nil
}

// setDue makes the settings of a test that are due by now, each at its date, and returns
// those that are left.
func (s *stage) setDue(t *language.Timeline, changes []time.Time, now time.Time) ([]time.Time, error) {
	for len(changes) > 0 && !changes[0].After(now) {
		s.wait(changes[0])
		s.findings = s.state.Advance(changes[0], s.findings)
		if err := s.change(settledBy(t.Settings, changes[0]), changes[0]); err != nil {
			return nil, err
		}
		changes = changes[1:]
	}
	return changes, nil
}

// change goes on with other settings, as the service does: from what is kept, and from the
// readings that the state asks for.
func (s *stage) change(settings protocols.Settings, at time.Time) error {
	kept := s.state.Snapshot(nil)
	s.enrolment.Settings = settings
	state, err := s.plan.For(s.enrolment)
	if err != nil {
		return fmt.Errorf("change the settings of the patient: %w", err)
	}
	since := state.Since(kept, at)
	if err := state.Load(kept, s.history[s.place(since):], since); err != nil {
		return fmt.Errorf("go on after the settings have changed: %w", err)
	}
	s.state = state
	return nil
}

// place is that of the first reading from a moment on.
func (s *stage) place(from time.Time) int {
	first, _ := slices.BinarySearchFunc(s.history, from, func(r *protocols.Reading, from time.Time) int { return r.Time.Compare(from) })
	return first
}

// wait moves the clock from one due moment to the next, up to now.
func (s *stage) wait(now time.Time) {
	for due := s.state.Due(); !due.IsZero() && due.Before(now); {
		s.findings = s.state.Advance(due, s.findings)
		next := s.state.Due()
		if !next.After(due) {
			return
		}
		due = next
	}
}

// deliver gives the state what came at one moment, as the service does: what is
// in order at once, what is late together.
func (s *stage) deliver(batch []language.Delivery, now time.Time) {
	var late []*protocols.Reading
	for i := range batch {
		r := &batch[i].Reading
		at, _ := slices.BinarySearchFunc(s.history, r, compareReadings)
		s.history = slices.Insert(s.history, at, r)
		if s.state.InOrder(r) {
			s.findings = s.state.Add(r, now, s.findings)
		} else {
			late = append(late, r)
		}
	}
	if len(late) > 0 {
		s.recompute(late, now)
	}
}

func (s *stage) recompute(late []*protocols.Reading, now time.Time) {
	slices.SortFunc(late, compareReadings)
	s.findings = s.state.Recompute(late, s.history[s.place(s.state.Reach(late)):], now, s.findings)
}

func compareReadings(a, b *protocols.Reading) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	}
	return 0
}

// rang is one alert that began or rose.
type rang struct {
	language.Expectation
	why, says protocols.Text
}

// compare lists the differences between what was expected and what was found.
func (t played) compare(findings []protocols.Finding) []protocols.Text {
	came := t.rang(findings)
	var differences []protocols.Text
	var missed []*language.Expectation
	for i := range t.Expect {
		wanted := &t.Expect[i]
		at := slices.IndexFunc(came, func(r rang) bool { return r.like(wanted) && r.At.Equal(wanted.At) })
		if at < 0 {
			missed = append(missed, wanted)
			continue
		}
		differences = append(differences, t.ending(wanted, &came[at])...)
		came = slices.Delete(came, at, at+1)
	}
	for _, wanted := range missed {
		said := protocols.Say("elle n'est pas venue", "it did not come")
		if at := slices.IndexFunc(came, func(r rang) bool { return r.like(wanted) }); at >= 0 {
			said = protocols.Say("elle est venue à « %s »%s", "it came at %s%s", t.moment(came[at].At), came[at].why)
			came = slices.Delete(came, at, at+1)
		}
		differences = append(differences, protocols.Say("ligne %d : alerte attendue : %s ; %s", "line %d: expected %s; %s", wanted.Line, t.tell(wanted), said))
	}
	for i := range came {
		differences = append(differences, protocols.Say("alerte non attendue : %s%s", "not expected: %s%s", t.tell(&came[i].Expectation), came[i].why))
	}
	return differences
}

func (r *rang) like(wanted *language.Expectation) bool {
	return r.Rule == wanted.Rule && r.Level == wanted.Level
}

func (t played) ending(wanted *language.Expectation, came *rang) []protocols.Text {
	var differences []protocols.Text
	for _, said := range [][2]string{{wanted.Says.FR, came.says.FR}, {wanted.Says.EN, came.says.EN}} {
		if said[0] != "" && said[0] != said[1] {
			differences = append(differences, protocols.Say("ligne %d : %s : phrase attendue « %s » ; elle dit « %s »", "line %d: %s: expected the sentence “%s”; it says “%s”", wanted.Line, t.tell(wanted), said[0], said[1]))
		}
	}
	if wanted.TooLate != came.TooLate {
		differences = append(differences, protocols.Say("ligne %d : %s : too_late attendu %t, venu %t", "line %d: %s: expected too_late %t, came %t", wanted.Line, t.tell(wanted), wanted.TooLate, came.TooLate))
	}
	switch {
	case wanted.Open && !came.Ended.IsZero():
		differences = append(differences, protocols.Say("ligne %d : %s : attendue sans fin ; finie à « %s »", "line %d: %s: expected never to end; it ended at %s", wanted.Line, t.tell(wanted), t.moment(came.Ended)))
	case !wanted.Ended.IsZero() && came.Ended.IsZero():
		differences = append(differences, protocols.Say("ligne %d : %s : fin attendue à « %s » ; pas finie", "line %d: %s: expected to end at %s; it did not end", wanted.Line, t.tell(wanted), t.moment(wanted.Ended)))
	case !wanted.Ended.IsZero() && !came.Ended.Equal(wanted.Ended):
		differences = append(differences, protocols.Say("ligne %d : %s : fin attendue à « %s » ; finie à « %s »", "line %d: %s: expected to end at %s; it ended at %s", wanted.Line, t.tell(wanted), t.moment(wanted.Ended), t.moment(came.Ended)))
	}
	return differences
}

// rang picks what began or rose, each with the end of its episode.
func (t played) rang(findings []protocols.Finding) []rang {
	ended := map[string]time.Time{}
	for i := range findings {
		episode := findings[i].Rule + " " + findings[i].Episode
		switch findings[i].Kind {
		case protocols.Ended:
			ended[episode] = findings[i].At
		case protocols.Resumed:
			delete(ended, episode)
		}
	}
	var list []rang
	for i := range findings {
		f := &findings[i]
		if f.Kind != protocols.Raised && f.Kind != protocols.Risen || len(t.Only) > 0 && !slices.Contains(t.Only, f.Rule) {
			continue
		}
		r := rang{Expectation: language.Expectation{Rule: f.Rule, Level: f.Level, At: f.At, TooLate: f.TooLate, Ended: ended[f.Rule+" "+f.Episode]}}
		if f.Explanation != nil {
			r.why, r.says = indented(f.Explanation.Summary), f.Explanation.Said()
		}
		list = append(list, r)
	}
	return list
}

// indented puts the lines of a text under the line that they follow.
func indented(text protocols.Text) protocols.Text {
	under := func(s string) string { return "\n    " + strings.ReplaceAll(s, "\n", "\n    ") }
	return protocols.Text{FR: under(text.FR), EN: under(text.In("en"))}
}

func (t played) tell(e *language.Expectation) protocols.Text {
	return protocols.Say("%s %s à « %s »", "%s %s at %s", e.Rule, e.Level, t.moment(e.At))
}

// moment writes a time as the tests do: "day 3 07:30".
func (t played) moment(at time.Time) string {
	local := at.In(t.Zone)
	days := int(protocols.DateOf(local)-protocols.DateOf(t.Start.In(t.Zone))) + 1
	return fmt.Sprintf("day %d %s", days, local.Format("15:04"))
}

// said is an error as a text; errors speak English.
func said(err error) protocols.Text { return protocols.Text{FR: err.Error(), EN: err.Error()} }
