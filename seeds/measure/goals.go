package measure

import (
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// aim is a figure that the library is to reach on simulated patients. An empty condition
// is every condition.
type aim struct {
	condition simulation.Condition
	figure    Figure
	group     string // of the main kind of event of the condition
	wanted    float64
}

// Figure is what a goal is about.
type Figure string

// The figures. Those in per cent are to be at least what is wanted, the others at most.
const (
	SeenInTime  Figure = "in-time"                              // per cent of the events
	FalseAlerts Figure = "false-per-100-patient-days"           // clinical
	AllAlerts   Figure = "alerts-per-100-patient-days"          // of any kind
	StableLoad  Figure = "stable-clinical-per-100-patient-days" // of patients to whom nothing happens
)

// mainKinds are the kinds of event that the goals of a condition are about.
var mainKinds = map[simulation.Condition]string{
	simulation.HeartFailure: simulation.Decompensation, simulation.Pulmonary: simulation.Exacerbation, simulation.Ventilated: simulation.Exacerbation,
	simulation.Oxygen: simulation.Exacerbation, simulation.Sensor: simulation.Hypoglycaemia, simulation.Capillary: simulation.Hypoglycaemia,
	simulation.Pregnancy: simulation.Hypoglycaemia,
}

// beforeInTime is the share of decompensations that the library saw three days ahead on
// the frozen reported world, before its first protocol was changed for it.
const beforeInTime = 48.1

// goals are our own: they come from no publication.
var goals = []aim{
	{simulation.HeartFailure, SeenInTime, "", beforeInTime + 15},
	{simulation.HeartFailure, SeenInTime, simulation.Announced, 90},
	{simulation.HeartFailure, FalseAlerts, "", 1},
	{simulation.HeartFailure, AllAlerts, "", 4},
	{simulation.Pulmonary, SeenInTime, "", 60},
	{simulation.Pulmonary, FalseAlerts, "", 1},
	{simulation.Sensor, SeenInTime, "", 95},
	{simulation.Capillary, SeenInTime, "", 95},
	{simulation.Pregnancy, SeenInTime, "", 95},
	{"", StableLoad, "", 0.5},
}

// Goal is a goal with what was measured.
type Goal struct {
	Figure   Figure  `json:"figure"`
	Kind     string  `json:"kind,omitempty"`
	Group    string  `json:"group,omitempty"`
	Wanted   float64 `json:"wanted"`
	Measured float64 `json:"measured"`
	Reached  bool    `json:"reached"`
	// Nobody says that no patient, or no event, was there to measure: nothing is reached then.
	Nobody bool   `json:"nobody_to_measure,omitempty"`
	Mostly []Part `json:"mostly,omitempty"` // the rules that add most to what was measured
}

// againstGoals compares what was measured with the goals of these patients.
func (m *Protocol) againstGoals() (found []Goal) {
	for _, g := range goals {
		if g.condition != m.Condition && g.condition != "" {
			continue
		}
		one := Goal{Figure: g.figure, Group: g.group, Wanted: g.wanted, Nobody: !g.measurable(m)}
		if g.figure == SeenInTime {
			one.Kind = mainKinds[m.Condition]
		}
		if !one.Nobody {
			one.Measured = g.of(m)
			one.Reached = g.reached(one.Measured)
		}
		found = append(found, one)
	}
	return found
}

func (g aim) reached(measured float64) bool {
	if g.figure == SeenInTime {
		return measured >= g.wanted
	}
	return measured <= g.wanted
}

// measurable reports whether there was anybody, or any event, to measure.
func (g aim) measurable(m *Protocol) bool {
	switch g.figure {
	case SeenInTime:
		return g.events(m).Events > 0
	case StableLoad:
		return m.Stable.Patients > 0
	}
	return m.Clinical.PatientDays > 0
}

func (g aim) of(m *Protocol) float64 {
	switch g.figure {
	case FalseAlerts:
		return m.Clinical.FalseRate
	case AllAlerts:
		return m.Rate
	case StableLoad:
		return m.Stable.Rate
	}
	return g.events(m).InTimeShare
}

// events are those that a goal is about.
func (g aim) events(m *Protocol) replay.Caught {
	about := caughtOf(m.Clinical.Kinds, mainKinds[m.Condition])
	if g.group == "" {
		return about
	}
	for _, part := range about.Groups {
		if part.Group == g.group {
			return part
		}
	}
	return replay.Caught{}
}

func caughtOf(kinds []replay.Caught, kind string) (found replay.Caught) {
	for _, k := range kinds {
		if k.Kind == kind {
			found = k
		}
	}
	return found
}
