package protocols

import (
	"slices"
)

// TestsFile stands for the name of the file of tests in a Problem of Check,
// which knows no file names.
const TestsFile = "tests"

// tested notes rules that no test raises, sees end or sees stay silent, and what
// is wrong with the tests.
func (c *checker) tested(docs []*Node) {
	var tests []Timeline
	for _, doc := range docs {
		timelines, problems := ParseTimelines(c.protocol, doc)
		for i := range problems {
			problems[i].File = TestsFile
		}
		c.problems = append(c.problems, problems...)
		tests = append(tests, timelines...)
	}
	for i, at := range c.items(c.doc.key("rules")) {
		c.covered(at, &c.protocol.Rules[i], tests)
	}
}

func (c *checker) covered(at place, rule *Rule, tests []Timeline) {
	some := func(ask func(*Timeline) bool) bool {
		return slices.ContainsFunc(tests, func(t Timeline) bool { return ask(&t) })
	}
	for _, level := range rule.raises() {
		if !some(func(t *Timeline) bool {
			return t.expects(rule.ID, func(e Expectation) bool { return e.Level == level })
		}) {
			c.note(at, Warning, "untested", say("aucun essai ne fait sonner « %s » au niveau « %s »", "no test raises %s at the level %s", rule.ID, level), say("ajouter un essai qui le fait", "add a test that does"))
		}
	}
	if !some(func(t *Timeline) bool {
		return t.expects(rule.ID, func(e Expectation) bool { return !e.Ended.IsZero() })
	}) {
		c.note(at, Warning, "untested-end", say("aucun essai ne voit « %s » finir", "no test sees %s end", rule.ID), say("ajouter ended: à une alerte attendue", "add ended: to an expected alert"))
	}
	if !some(func(t *Timeline) bool {
		return t.looksAt(rule.ID) && !t.expects(rule.ID, func(Expectation) bool { return true })
	}) {
		c.note(at, Warning, "untested-silence", say("aucun essai ne voit « %s » se taire", "no test sees %s stay silent", rule.ID), say("ajouter un essai juste en deçà de son seuil, avec only: [%s] et expect: []", "add a test just below its threshold, with only: [%s] and expect: []", rule.ID))
	}
}

// expects reports whether the test expects an alert of the rule of which ask
// holds.
func (t *Timeline) expects(rule string, ask func(Expectation) bool) bool {
	return slices.ContainsFunc(t.Expect, func(e Expectation) bool { return e.Rule == rule && ask(e) })
}

// looksAt reports whether the test is about the rule, among others.
func (t *Timeline) looksAt(rule string) bool { return slices.Contains(t.Only, rule) }
