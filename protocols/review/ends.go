package review

import (
	"slices"
	"strings"

	"vigie/protocols"
	"vigie/protocols/document"
)

// endless notes a level that some patients can enter and never leave. What is not known
// ends nothing, so that an any over a scale and an oximeter goes on for ever for whoever
// has only the scale. It is a warning: a protocol in use keeps its meaning.
func (c *checker) endless(at document.Place, when *protocols.Condition) {
	sources := sourcesOf(when)
	if len(sources) > maxSources {
		return
	}
	for has := range 1 << len(sources) {
		known := func(s source) bool { return has>>slices.Index(sources, s)&1 == 1 }
		if !comeTogether(sources, known) {
			continue
		}
		if begins, ends := c.decides(when, known); !begins || ends {
			continue
		}
		var with, without []string
		for _, s := range sources {
			if known(s) {
				with = append(with, s.String())
			} else {
				without = append(without, s.String())
			}
		}
		if len(with) == 0 { // what asks how little was measured is true of nothing at all
			continue
		}
		c.Note(at, document.Warning, "never-ends", protocols.Say("un patient qui n'a que %s peut faire sonner ce niveau, et rien ne le termine sans %s", "a patient with only %s can raise this level, and nothing ends it without %s", strings.Join(with, ", "), strings.Join(without, ", ")), protocols.Say("écrire une règle par mesure, au lieu de any", "write a rule for each measure, instead of any"))
		return
	}
}

// comeTogether reports whether somebody can have just these sources: whoever has a score has
// given each answer that it is the sum of.
func comeTogether(sources []source, known func(source) bool) bool {
	for _, s := range sources {
		if s.optional < 0 || !known(s) {
			continue
		}
		for _, i := range s.measure.Components[s.optional].SumOf {
			if part := (source{s.measure, s.variant, i}); slices.Contains(sources, part) && !known(part) {
				return false
			}
		}
	}
	return true
}

// maxSources bounds the combinations of sources that are tried.
const maxSources = 10

// source is what one device or answer gives: the numbers that a reading must hold come
// together, each optional number by itself.
type source struct {
	measure  *protocols.Measure
	variant  uint8
	optional int // the optional component, or −1
}

// String names a source as a protocol does.
func (s source) String() string {
	name := s.measure.ID
	if s.variant > 0 {
		name += " " + s.measure.Variants[s.variant-1]
	}
	if s.optional >= 0 {
		name += " " + s.measure.Components[s.optional].Name
	}
	return name
}

func sourceOf(c *protocols.Comparison) source {
	s := source{c.Measure, c.Variant, -1}
	if component := &c.Measure.Components[c.Component]; component.Optional && !component.Event {
		s.optional = c.Component
	}
	return s
}

func sourcesOf(when *protocols.Condition) []source {
	var found []source
	when.Comparisons(func(c *protocols.Comparison) {
		if s := sourceOf(c); !slices.Contains(found, s) {
			found = append(found, s)
		}
	})
	return found
}

// decides reports whether a condition can become true, and whether it can become false,
// for a patient who has only the sources that are known.
func (c *checker) decides(when *protocols.Condition, known func(source) bool) (holds, fails bool) {
	switch {
	case when.Compare != nil:
		return compares(when.Compare, known(sourceOf(when.Compare)))
	case when.Not != nil:
		holds, fails = c.decides(when.Not, known)
		return fails, holds
	}
	if when.Score != nil {
		return c.decidesScore(when.Score, known)
	}
	parts, takes := when.Any, 1
	switch {
	case when.All != nil:
		parts, takes = when.All, len(when.All)
	case when.Of != nil:
		parts, takes = when.Of, when.AtLeast
	}
	so, notSo := 0, 0 // of how many parts that can be known
	for i := range parts {
		is, isNot := c.decides(&parts[i], known)
		if is {
			so++
		}
		if isNot {
			notSo++
		}
	}
	return so >= takes, notSo > len(parts)-takes
}

// compares is decides for a comparison. Without any reading, wear and the days covered are
// known to be none.
func compares(c *protocols.Comparison, has bool) (holds, fails bool) {
	if has || c.Statistic != protocols.DaysCovered && c.Statistic != protocols.Wear {
		return has, has
	}
	upward := c.Operator == protocols.Above || c.Operator == protocols.AtLeast
	return !upward, upward
}

// decidesScore is decides for a score: what is not known may add its points.
func (c *checker) decidesScore(s *protocols.Score, known func(source) bool) (holds, fails bool) {
	can := func(i int) bool {
		is, _ := c.decides(&s.Parts[i].When, known)
		return is
	}
	stays := func(i int) bool {
		_, isNot := c.decides(&s.Parts[i].When, known)
		return !isNot
	}
	from := c.protocol.Value(&s.From, nil)
	return s.Sum(can) >= from, s.Sum(stays) < from-s.Margin
}
