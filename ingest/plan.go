package ingest

import (
	"fmt"
	"sync"

	"vigie/protocols"
	"vigie/protocols/engine"
)

// Plan is one version of a care protocol, ready to follow enrolments.
type Plan interface {
	// Admits reports whether a device of that kind, brand and model may feed it.
	Admits(kind, brand, model string) bool
	// For returns the evaluation of one enrolment, not loaded yet.
	For(protocols.Enrolment) (protocols.Evaluator, error)
}

// Plans returns a source of plans for Config: find returns a version of a
// protocol, or nil. A plan is made once.
func Plans(find func(protocol, version string) *protocols.Protocol) func(protocol, version string) (Plan, error) {
	var mu sync.Mutex
	made := map[[2]string]Plan{}
	return func(protocol, version string) (Plan, error) {
		mu.Lock()
		defer mu.Unlock()
		key := [2]string{protocol, version}
		if known := made[key]; known != nil {
			return known, nil
		}
		p := find(protocol, version)
		if p == nil {
			return nil, fmt.Errorf("version %s of the protocol %s is not installed: add its file, or move the enrolment to a version that is", version, protocol)
		}
		ready, err := engine.NewPlan(p)
		if err != nil {
			return nil, err
		}
		made[key] = plan{p, ready}
		return made[key], nil
	}
}

// plan is a Plan made from a protocol.
type plan struct {
	protocol *protocols.Protocol
	ready    *engine.Plan
}

func (p plan) Admits(kind, brand, model string) bool {
	return p.protocol.Eligibility.Admits(kind, brand, model)
}

func (p plan) For(e protocols.Enrolment) (protocols.Evaluator, error) { return p.ready.For(e) }
