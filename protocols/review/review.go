// Package review looks at a protocol as a reviewer would: at what no reading would ever ring,
// what rings out of turn, what says no source, and what no test shows.
package review

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

// Check reads a protocol as Parse does and then as a reviewer would. It also looks
// for numbers without origin, missing translations, thresholds in the wrong order and
// conditions that can never hold or always do. It looks as well for non-transmission
// that is absent or switched off, and for rules that no test raises. tests are the
// documents beside the protocol; without any, rules are not held against them.
//
// The problems come in the order of the file.
func Check(doc *document.Node, tests ...*document.Node) []document.Problem {
	p, problems := language.Read(doc)
	c := &checker{Reader: document.Reader{Problems: problems}, protocol: p, doc: document.Place{Node: doc}}
	broken := c.broken()
	if doc != nil && doc.Kind == document.Mapping {
		c.words()
	}
	if !broken {
		c.meaning()
	}
	if !broken && len(tests) > 0 {
		c.tested(tests)
	}
	document.InOrder(c.Problems)
	return slices.CompactFunc(c.Problems, func(a, b document.Problem) bool { return a == b })
}

// checker looks at a protocol and at the document it was read from, in step.
type checker struct {
	document.Reader
	protocol *protocols.Protocol
	doc      document.Place
}

func (c *checker) broken() bool {
	for i := range c.Problems {
		if c.Problems[i].Severity == document.Error {
			return true
		}
	}
	return false
}

// words checks what is said in words: origins and translations.
func (c *checker) words() {
	for _, key := range []string{"title", "patient"} {
		c.translated(c.doc.Key(key))
	}
	c.translated(c.doc.Key("pathology").Key("title"))
	c.translated(c.doc.Key("eligibility").Key("patient"))
	_, parameters := c.Pairs(c.doc.Key("parameters"))
	for _, p := range parameters {
		c.translated(p.Key("title"))
		c.sourced(p, protocols.Say("la valeur par défaut de ce paramètre", "the default of this parameter"))
	}
	for _, rule := range c.Items(c.doc.Key("rules")) {
		c.translated(rule.Key("title"))
		c.translated(rule.Key("advice"))
		c.sourced(rule, protocols.Say("cette règle", "this rule"))
	}
}

func (c *checker) translated(at document.Place) {
	if !at.Present() || at.Node.Kind == document.Mapping && at.Key("en").Present() {
		return
	}
	c.Fault(at, "missing-translation", protocols.Say("ce texte n'est pas traduit en anglais", "this text has no English"), protocols.Say("écrire {fr: …, en: …}", "write {fr: …, en: …}"))
}

func (c *checker) sourced(at document.Place, what protocols.Text) {
	if at.Node.Kind == document.Mapping && !at.Key("origin").Present() {
		c.Fault(at, "missing-origin", protocols.Say("rien ne dit d'où vient %s", "nothing says where %s comes from", what), protocols.Say("ajouter origin: la publication, ou qui l'a décidé et quand", "add origin: the publication, or who decided it and when"))
	}
}

// meaning checks what a protocol that can be read would do.
func (c *checker) meaning() {
	rules := c.Items(c.doc.Key("rules"))
	for i := range rules {
		rule := &c.protocol.Rules[i]
		c.observed(rules[i], rule)
		c.answered(rules[i], rule)
		c.sentenced(rules[i], rule)
		c.levelsInOrder(rules[i], rule)
		for j, level := range c.Items(rules[i].Key("levels")) {
			c.possible(level.Key("when"), &rule.Levels[j].When)
			c.endless(level.Key("when"), &rule.Levels[j].When)
			c.hard(level.Key("when"), &rule.Levels[j].When)
		}
		for j, remark := range c.Items(rules[i].Key("remarks")) {
			c.possible(remark.Key("when"), &rule.Remarks[j].When)
			c.hard(remark.Key("when"), &rule.Remarks[j].When)
		}
		c.absenceWorks(rules[i], rule)
	}
	c.admitted()
	c.heard()
	c.transmissionWatched()
	c.parametersUsed()
	c.answersInOrder()
}

// admitted notes a kind of device that Vigie does not know: only one that the registry calls
// by that very name would measure. It is a warning, as an operator may have one.
func (c *checker) admitted() {
	kinds := protocols.Kinds()
	ids := make([]string, len(kinds))
	for i := range kinds {
		ids[i] = kinds[i].ID
	}
	for i, device := range c.Items(c.doc.Key("eligibility").Key("devices")) {
		if kind := c.protocol.Eligibility.Devices[i].Kind; protocols.KindByID(kind) == nil {
			c.Note(device.Key("kind"), document.Warning, "unknown-kind", protocols.Say("Vigie ne connaît pas de genre d'appareil « %s » : rien d'autre que ce qui est inscrit sous ce nom ne mesurerait", "Vigie knows no kind of device %q: nothing but what is registered by that name would measure", kind), document.Suggest(kind, ids))
		}
	}
}

// observed notes a rule about something that the protocol does not observe: no
// cadence, no ignored flags and no adherence are known for it.
func (c *checker) observed(at document.Place, rule *protocols.Rule) {
	type looked struct {
		measure *protocols.Measure
		variant uint8
	}
	seen := map[looked]bool{}
	note := func(m *protocols.Measure, variant uint8) {
		if !seen[looked{m, variant}] && c.protocol.Expects(m, variant) == nil {
			c.Fault(at, "not-observed", protocols.Say("la règle regarde « %s », qui n'est pas parmi les observations", "the rule looks at %s, which is not among the observations", m.ID), protocols.Say("ajouter - measure: %s à observations", "add - measure: %s to observations", m.ID))
		}
		seen[looked{m, variant}] = true
	}
	each := func(compared *protocols.Comparison) {
		note(compared.Measure, compared.Variant)
		if b := compared.Beside; b != nil {
			note(b.Measure, b.Variant)
		}
	}
	rule.Comparisons(each)
	rule.Remarked(each)
	if a := rule.Absence; a != nil {
		note(a.Measure, a.Variant)
		for _, m := range a.Measures() {
			note(m, 0)
		}
	}
}

// answered notes a level that is raised without anybody being asked to answer
// within a delay.
func (c *checker) answered(at document.Place, rule *protocols.Rule) {
	for _, level := range rule.Raises() {
		if c.protocol.Answer[level] == 0 {
			c.Fault(at, "no-answer", protocols.Say("cette règle signale au niveau « %s », pour lequel aucun délai de réponse n'est fixé", "this rule raises %s, for which no answer delay is set", level), protocols.Say("ajouter « %s » à answer", "add %s to answer", level))
		}
	}
}

func (c *checker) answersInOrder() {
	graver := time.Duration(0)
	for _, level := range []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow} {
		delay, set := c.protocol.Answer[level]
		if !set {
			continue
		}
		if delay < graver {
			c.Fault(c.doc.Key("answer").Key(level.String()), "answers-order", protocols.Say("« %s » demande une réponse plus rapide qu'un niveau plus grave", "%s is to be answered sooner than a graver level", level), protocols.Say("donner le délai le plus court au niveau le plus grave", "give the graver level the shorter delay"))
		}
		graver = max(graver, delay)
	}
}

// parametersUsed notes parameters that change nothing.
func (c *checker) parametersUsed() {
	used := map[string]bool{}
	note := func(o *protocols.Operand) { used[o.Parameter] = true }
	for i := range c.protocol.Rules {
		rule := &c.protocol.Rules[i]
		operands := func(compared *protocols.Comparison) {
			for _, o := range compared.Operands() {
				note(o)
			}
		}
		rule.Comparisons(operands)
		rule.Remarked(operands)
		rule.Scores(func(s *protocols.Score) { note(&s.From) })
		if rule.Absence != nil {
			for j := range rule.Absence.Missing {
				note(&rule.Absence.Missing[j].Periods)
			}
		}
	}
	for i := range c.protocol.Observations {
		o := &c.protocol.Observations[i]
		used[o.Cadence.EveryParameter] = true
		if o.Plausible != nil {
			note(&o.Plausible.Within)
			note(&o.Plausible.Agree)
			note(&o.Plausible.Seed)
		}
	}
	keys, _ := c.Pairs(c.doc.Key("parameters"))
	for _, key := range keys {
		if !used[key.Node.Text] {
			c.Note(key, document.Warning, "unused-parameter", protocols.Say("aucune règle n'emploie le paramètre « %s »", "no rule uses the parameter %s", key.Node.Text), protocols.Say("l'employer dans une règle, ou l'enlever", "use it in a rule, or remove it"))
		}
	}
}
