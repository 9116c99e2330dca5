package engine

import (
	"vigie/protocols"
	"vigie/protocols/engine/internal/plan"
)

// Plan is a protocol made ready for evaluation. It is made once per protocol version and
// shared; it never changes.
type Plan struct{ plan *plan.Plan }

// NewPlan makes a protocol ready for evaluation. Its error says what cannot be
// evaluated and where.
func NewPlan(p *protocols.Protocol) (*Plan, error) {
	made, err := plan.New(p)
	if err != nil {
		return nil, err
	}
	return &Plan{made}, nil
}

// For makes the state of one enrolment. Its error says which setting, or what
// else of the enrolment, cannot be used.
func (p *Plan) For(e protocols.Enrolment) (*State, error) { return newState(p.plan, e) }
