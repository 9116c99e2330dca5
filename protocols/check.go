package protocols

import (
	"slices"
	"sort"
	"time"
)

// Check reads a protocol as Parse does and then as a reviewer would: it also
// looks for numbers without origin, missing translations, thresholds in the
// wrong order, conditions that can never hold or always do, non-transmission
// that is absent or switched off, and rules that no test raises. tests are the
// documents beside the protocol; without any, rules are not held against them.
//
// The problems come in the order of the file.
func Check(doc *Node, tests ...*Node) []Problem {
	p, problems := parse(doc)
	c := &checker{reader: reader{problems: problems}, protocol: p, doc: place{node: doc}}
	broken := c.broken()
	if doc != nil && doc.Kind == Mapping {
		c.words()
	}
	if !broken {
		c.meaning()
	}
	if !broken && len(tests) > 0 {
		c.tested(tests)
	}
	sort.SliceStable(c.problems, func(i, j int) bool {
		a, b := c.problems[i], c.problems[j]
		if a.File != b.File {
			return a.File < b.File
		}
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return slices.CompactFunc(c.problems, func(a, b Problem) bool { return a == b })
}

// checker looks at a protocol and at the document it was read from, in step.
type checker struct {
	reader
	protocol *Protocol
	doc      place
}

func (c *checker) broken() bool {
	for i := range c.problems {
		if c.problems[i].Severity == Error {
			return true
		}
	}
	return false
}

// words checks what is said in words: origins and translations.
func (c *checker) words() {
	for _, key := range []string{"title", "patient"} {
		c.translated(c.doc.key(key))
	}
	c.translated(c.doc.key("pathology").key("title"))
	c.translated(c.doc.key("eligibility").key("patient"))
	_, parameters := c.pairs(c.doc.key("parameters"))
	for _, p := range parameters {
		c.translated(p.key("title"))
		c.sourced(p, say("la valeur par défaut de ce paramètre", "the default of this parameter"))
	}
	for _, rule := range c.items(c.doc.key("rules")) {
		c.translated(rule.key("title"))
		c.translated(rule.key("advice"))
		c.sourced(rule, say("cette règle", "this rule"))
	}
}

func (c *checker) translated(at place) {
	if !at.present() || at.node.Kind == Mapping && at.key("en").present() {
		return
	}
	c.fault(at, "missing-translation", say("ce texte n'est pas traduit en anglais", "this text has no English"), say("écrire {fr: …, en: …}", "write {fr: …, en: …}"))
}

func (c *checker) sourced(at place, what Text) {
	if at.node.Kind == Mapping && !at.key("origin").present() {
		c.fault(at, "missing-origin", say("rien ne dit d'où vient %s", "nothing says where %s comes from", what), say("ajouter origin: la publication, ou qui l'a décidé et quand", "add origin: the publication, or who decided it and when"))
	}
}

// meaning checks what a protocol that can be read would do.
func (c *checker) meaning() {
	rules := c.items(c.doc.key("rules"))
	for i := range rules {
		rule := &c.protocol.Rules[i]
		c.observed(rules[i], rule)
		c.answered(rules[i], rule)
		c.levelsInOrder(rules[i], rule)
		for j, level := range c.items(rules[i].key("levels")) {
			c.possible(level.key("when"), &rule.Levels[j].When)
		}
		c.absenceWorks(rules[i], rule)
	}
	c.transmissionWatched()
	c.parametersUsed()
	c.answersInOrder()
}

// observed notes a rule about something that the protocol does not observe: no
// cadence, no ignored flags and no adherence are known for it.
func (c *checker) observed(at place, rule *Rule) {
	seen := map[*Measure]bool{}
	note := func(m *Measure, variant uint8) {
		if !seen[m] && c.protocol.expects(m, variant) == nil {
			c.fault(at, "not-observed", say("la règle regarde « %s », qui n'est pas parmi les observations", "the rule looks at %s, which is not among the observations", m.ID), say("ajouter - measure: %s à observations", "add - measure: %s to observations", m.ID))
		}
		seen[m] = true
	}
	rule.comparisons(func(compared *Comparison) { note(compared.Measure, compared.Variant) })
	if a := rule.Absence; a != nil {
		note(a.Measure, a.Variant)
		for _, m := range a.measures() {
			note(m, 0)
		}
	}
}

// comparisons calls visit for every comparison of the rule.
func (rule *Rule) comparisons(visit func(*Comparison)) {
	for i := range rule.Levels {
		rule.Levels[i].When.comparisons(visit)
	}
}

func (c *Condition) comparisons(visit func(*Comparison)) {
	if c.Compare != nil {
		visit(c.Compare)
	}
	if c.Not != nil {
		c.Not.comparisons(visit)
	}
	for i := range c.All {
		c.All[i].comparisons(visit)
	}
	for i := range c.Any {
		c.Any[i].comparisons(visit)
	}
}

// answered notes a level that is raised without anybody being asked to answer
// within a delay.
func (c *checker) answered(at place, rule *Rule) {
	for _, level := range rule.raises() {
		if c.protocol.Answer[level] == 0 {
			c.fault(at, "no-answer", say("cette règle signale au niveau « %s », pour lequel aucun délai de réponse n'est fixé", "this rule raises %s, for which no answer delay is set", level), say("ajouter « %s » à answer", "add %s to answer", level))
		}
	}
}

// raises lists the levels that the rule can raise.
func (rule *Rule) raises() []Level {
	var levels []Level
	for i := range rule.Levels {
		levels = append(levels, rule.Levels[i].Level)
	}
	if rule.Absence != nil {
		for _, m := range rule.Absence.Missing {
			levels = append(levels, m.Level)
		}
	}
	return levels
}

func (c *checker) answersInOrder() {
	graver := time.Duration(0)
	for _, level := range []Level{Red, Orange, Yellow} {
		delay, set := c.protocol.Answer[level]
		if !set {
			continue
		}
		if delay < graver {
			c.fault(c.doc.key("answer").key(level.String()), "answers-order", say("« %s » demande une réponse plus rapide qu'un niveau plus grave", "%s is to be answered sooner than a graver level", level), say("donner le délai le plus court au niveau le plus grave", "give the graver level the shorter delay"))
		}
		graver = max(graver, delay)
	}
}

// parametersUsed notes parameters that change nothing.
func (c *checker) parametersUsed() {
	used := map[string]bool{}
	note := func(o *Operand) {
		if o != nil {
			used[o.Parameter] = true
		}
	}
	for i := range c.protocol.Rules {
		rule := &c.protocol.Rules[i]
		rule.comparisons(func(compared *Comparison) { compared.operands(note) })
		if rule.Absence != nil {
			for j := range rule.Absence.Missing {
				note(&rule.Absence.Missing[j].Periods)
			}
		}
	}
	for i := range c.protocol.Observations {
		used[c.protocol.Observations[i].Cadence.EveryParameter] = true
	}
	keys, _ := c.pairs(c.doc.key("parameters"))
	for _, key := range keys {
		if !used[key.node.Text] {
			c.note(key, Warning, "unused-parameter", say("aucune règle n'emploie le paramètre « %s »", "no rule uses the parameter %s", key.node.Text), say("l'employer dans une règle, ou l'enlever", "use it in a rule, or remove it"))
		}
	}
}

// operands calls visit for every number of the comparison that may be a
// parameter; some are nil.
func (c *Comparison) operands(visit func(*Operand)) {
	visit(&c.Threshold)
	visit(c.Clear)
	visit(&c.Days)
	if c.Where != nil {
		visit(c.Where.Above)
		visit(c.Where.AtLeast)
		visit(c.Where.Below)
		visit(c.Where.AtMost)
	}
}

// reachOf returns the lowest and highest value an operand can have for any patient.
func (p *Protocol) reachOf(o Operand) (low, high Value) {
	if parameter := p.parameter(o.Parameter); parameter != nil {
		return parameter.Min, parameter.Max
	}
	return o.Value, o.Value
}
