package figures

import (
	"cmp"
	"slices"

	"vigie/protocols"
)

// threshold is a value on the scale of a component at which some rule decides.
type threshold struct {
	value protocols.Value
	level protocols.Level
}

// thresholds lists those of the protocol for one component, the settings in
// place. Only what can be drawn on the component's own scale is: not a change,
// not a number of readings.
func (p *Page) thresholds(measure *protocols.Measure, component int) []threshold {
	found := map[protocols.Value]protocols.Level{}
	add := func(o *protocols.Operand, level protocols.Level) {
		if o == nil {
			return
		}
		if v, ok := p.operand(*o); ok {
			found[v] = max(found[v], level)
		}
	}
	for i := range p.Protocol.Rules {
		for _, level := range p.Protocol.Rules[i].Levels {
			level.When.Comparisons(func(c *protocols.Comparison) {
				if c.Measure != measure || c.Component != component {
					return
				}
				if onScale(c) {
					add(&c.Threshold, level.Level)
				}
				if f := c.Where; f != nil && c.Bare() {
					for _, bound := range []*protocols.Operand{f.Above, f.AtLeast, f.Below, f.AtMost} {
						add(bound, level.Level)
					}
				}
			})
		}
	}
	var list []threshold
	for v, level := range found {
		list = append(list, threshold{v, level})
	}
	slices.SortFunc(list, func(a, b threshold) int { return cmp.Compare(a.value, b.value) })
	return list
}

// onScale reports whether what is compared is a value of the component itself.
func onScale(c *protocols.Comparison) bool {
	return c.Minus == nil && c.Bare() && c.Statistic.Row().Gives == protocols.GivesLevel
}

// operand is the number that an operand stands for.
func (p *Page) operand(o protocols.Operand) (protocols.Value, bool) {
	if o.Parameter == "" {
		return o.Value, true
	}
	if set, ok := p.Settings[o.Parameter]; ok {
		return o.Of(set.Value), true
	}
	for _, parameter := range p.Protocol.Parameters {
		if parameter.Name == o.Parameter {
			return o.Of(parameter.Default), true
		}
	}
	return protocols.Missing, false
}
