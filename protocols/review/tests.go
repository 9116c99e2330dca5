package review

import (
	"slices"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

// TestsFile stands for the name of the file of tests in a Problem of Check,
// which knows no file names.
const TestsFile = "tests"

// tested notes rules that no test raises, sees end or sees stay silent, and what
// is wrong with the tests.
func (c *checker) tested(docs []*document.Node) {
	var tests []language.Timeline
	for _, doc := range docs {
		timelines, problems := language.ParseTimelines(c.protocol, doc)
		for i := range problems {
			problems[i].File = TestsFile
		}
		c.Problems = append(c.Problems, problems...)
		tests = append(tests, timelines...)
	}
	for i, at := range c.Items(c.doc.Key("rules")) {
		c.covered(at, &c.protocol.Rules[i], tests)
	}
}

func (c *checker) covered(at document.Place, rule *protocols.Rule, tests []language.Timeline) {
	some := func(ask func(*language.Timeline) bool) bool {
		return slices.ContainsFunc(tests, func(t language.Timeline) bool { return ask(&t) })
	}
	for _, level := range rule.Raises() {
		if !some(func(t *language.Timeline) bool {
			return expects(t, rule.ID, func(e language.Expectation) bool { return e.Level == level })
		}) {
			c.Note(at, document.Warning, "untested", protocols.Say("aucun essai ne fait sonner « %s » au niveau « %s »", "no test raises %s at the level %s", rule.ID, level), protocols.Say("ajouter un essai qui le fait", "add a test that does"))
		}
	}
	if !some(func(t *language.Timeline) bool {
		return expects(t, rule.ID, func(e language.Expectation) bool { return !e.Ended.IsZero() })
	}) {
		c.Note(at, document.Warning, "untested-end", protocols.Say("aucun essai ne voit « %s » finir", "no test sees %s end", rule.ID), protocols.Say("ajouter ended: à une alerte attendue", "add ended: to an expected alert"))
	}
	if !some(func(t *language.Timeline) bool {
		return looksAt(t, rule.ID) && !expects(t, rule.ID, func(language.Expectation) bool { return true })
	}) {
		c.Note(at, document.Warning, "untested-silence", protocols.Say("aucun essai ne voit « %s » se taire", "no test sees %s stay silent", rule.ID), protocols.Say("ajouter un essai juste en deçà de son seuil, avec only: [%s] et expect: []", "add a test just below its threshold, with only: [%s] and expect: []", rule.ID))
	}
}

// expects reports whether the test expects an alert of the rule of which ask
// holds.
func expects(t *language.Timeline, rule string, ask func(language.Expectation) bool) bool {
	return slices.ContainsFunc(t.Expect, func(e language.Expectation) bool { return e.Rule == rule && ask(e) })
}

// looksAt reports whether the test is about the rule, among others.
func looksAt(t *language.Timeline, rule string) bool { return slices.Contains(t.Only, rule) }
