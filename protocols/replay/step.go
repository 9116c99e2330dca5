package replay

import (
	"time"

	"vigie/protocols"
)

// StepSeen is the step of a sensor as its readings show it, in minutes, with the
// parameter of the protocol that holds it. Nil where that parameter says the same or
// cannot, or where fewer than half of the readings follow a step.
func StepSeen(p *protocols.Protocol, m *protocols.Measure, variant uint8, readings []*protocols.Reading) (*protocols.Parameter, protocols.Value) {
	expected := p.Expects(m, variant)
	if expected == nil || p.Parameter(expected.Cadence.EveryParameter) == nil {
		return nil, 0
	}
	parameter := p.Parameter(expected.Cadence.EveryParameter)
	steps := map[protocols.Value]int{}
	var before *protocols.Reading
	count := 0
	for _, r := range readings {
		if r.Measure != m {
			continue
		}
		if before != nil {
			count++
			steps[protocols.Value(r.Time.Sub(before.Time).Round(time.Minute)/time.Minute)*1000]++
		}
		before = r
	}
	for step, times := range steps {
		if 2*times > count && step != parameter.Default && step >= parameter.Min && step <= parameter.Max {
			return parameter, step
		}
	}
	return nil, 0
}
