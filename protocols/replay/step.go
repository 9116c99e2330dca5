package replay

import (
	"slices"
	"time"

	"vigie/protocols"
)

// StepSeen is the step of a sensor as its readings show it, in minutes, with the
// parameter of the protocol that holds it. Nil where that parameter says the same or
// cannot, where fewer than half of the readings follow a step, or where they are too few to
// tell: a scan seven minutes after a kept value is no step. A clock that counts whole
// minutes writes a step of seven and a half as seven and eight in turn: the step is the mean
// of those within a minute of the middle one, to half a minute.
func StepSeen(p *protocols.Protocol, m *protocols.Measure, variant uint8, readings []*protocols.Reading) (*protocols.Parameter, protocols.Value) {
	expected := p.Expects(m, variant)
	if expected == nil || p.Parameter(expected.Cadence.EveryParameter) == nil {
		return nil, 0
	}
	parameter := p.Parameter(expected.Cadence.EveryParameter)
	var steps []time.Duration
	var before *protocols.Reading
	for _, r := range readings {
		if r.Measure != m {
			continue
		}
		if before != nil {
			steps = append(steps, r.Time.Sub(before.Time))
		}
		before = r
	}
	step := stepOf(steps)
	if step == 0 || step == parameter.Default || step < parameter.Min || step > parameter.Max {
		return nil, 0
	}
	return parameter, step
}

// fewestSteps is how many times between readings tell a step: an hour of most sensors.
const fewestSteps = 12

// stepOf is what more than half of the times between readings are close to, in minutes; 0
// where there is no such time.
func stepOf(steps []time.Duration) protocols.Value {
	if len(steps) < fewestSteps {
		return 0
	}
	slices.Sort(steps)
	middle, near, sum := steps[len(steps)/2], 0, time.Duration(0)
	for _, step := range steps {
		if (step - middle).Abs() <= time.Minute {
			near++
			sum += step
		}
	}
	if 2*near <= len(steps) {
		return 0
	}
	return protocols.Value((sum/time.Duration(near)).Round(30*time.Second)/(30*time.Second)) * 500
}
