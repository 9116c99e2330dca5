package main

import (
	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// goal is a figure that the library is to reach on simulated patients. An empty condition
// is every condition.
type goal struct {
	condition simulation.Condition
	figure    figure
	group     string // of the main kind of event of the condition
	wanted    float64
}

// figure is what a goal is about.
type figure string

// The figures. Those in per cent are to be at least what is wanted, the others at most.
const (
	seenInTime  figure = "in-time"                              // per cent of the events
	falseAlerts figure = "false-per-100-patient-days"           // clinical
	allAlerts   figure = "alerts-per-100-patient-days"          // of any kind
	stableLoad  figure = "stable-clinical-per-100-patient-days" // of patients to whom nothing happens
)

// mainKinds are the kinds of event that the goals of a condition are about.
var mainKinds = map[simulation.Condition]string{
	simulation.HeartFailure: simulation.Decompensation, simulation.Pulmonary: simulation.Exacerbation, simulation.Ventilated: simulation.Exacerbation,
	simulation.Oxygen: simulation.Exacerbation, simulation.Sensor: simulation.Hypoglycaemia, simulation.Capillary: simulation.Hypoglycaemia,
	simulation.Pregnancy: simulation.Hypoglycaemia,
}

// beforeInTime is the share of decompensations that the library saw three days ahead on
// the frozen reported world, before its first protocol was changed for it.
const beforeInTime = 50.0

// goals are our own: they come from no publication.
var goals = []goal{
	{simulation.HeartFailure, seenInTime, "", beforeInTime + 15},
	{simulation.HeartFailure, seenInTime, simulation.Announced, 90},
	{simulation.HeartFailure, falseAlerts, "", 1},
	{simulation.HeartFailure, allAlerts, "", 4},
	{simulation.Pulmonary, seenInTime, "", 60},
	{simulation.Pulmonary, falseAlerts, "", 1},
	{simulation.Sensor, seenInTime, "", 95},
	{"", stableLoad, "", 0.5},
}

// measuredGoal is a goal with what was measured.
type measuredGoal struct {
	Figure   figure  `json:"figure"`
	Kind     string  `json:"kind,omitempty"`
	Group    string  `json:"group,omitempty"`
	Wanted   float64 `json:"wanted"`
	Measured float64 `json:"measured"`
	Reached  bool    `json:"reached"`
}

// againstGoals compares what was measured with the goals of these patients.
func (m *measuredProtocol) againstGoals() (found []measuredGoal) {
	for _, g := range goals {
		if g.condition != m.Condition && g.condition != "" {
			continue
		}
		one := measuredGoal{Figure: g.figure, Group: g.group, Wanted: g.wanted, Measured: g.of(m)}
		one.Reached = one.Measured <= one.Wanted
		if g.figure == seenInTime {
			one.Kind, one.Reached = mainKinds[m.Condition], one.Measured >= one.Wanted
		}
		found = append(found, one)
	}
	return found
}

func (g goal) of(m *measuredProtocol) float64 {
	switch g.figure {
	case falseAlerts:
		return m.Clinical.FalseRate
	case allAlerts:
		return m.Rate
	case stableLoad:
		return m.Stable.Rate
	}
	about := caughtOf(m.Clinical.Kinds, mainKinds[m.Condition])
	if g.group == "" {
		return about.InTimeShare
	}
	for _, part := range about.Groups {
		if part.Group == g.group {
			return part.InTimeShare
		}
	}
	return 0
}

func caughtOf(kinds []replay.Caught, kind string) (found replay.Caught) {
	for _, k := range kinds {
		if k.Kind == kind {
			found = k
		}
	}
	return found
}

// goalSentences say a goal, what was measured, and whether it is reached.
var goalSentences = map[figure]protocols.Text{
	seenInTime:  {FR: "  but : au moins %s %% vus à temps%s ; mesuré : %s %%, %s\n", EN: "  goal: at least %s %% seen in time%s; measured: %s %%, %s\n"},
	falseAlerts: {FR: "  but : au plus %s fausse alerte clinique pour 100 jours-patient%s ; mesuré : %s, %s\n", EN: "  goal: at most %s false clinical alert per 100 patient-days%s; measured: %s, %s\n"},
	allAlerts:   {FR: "  but : au plus %s alertes de toute sorte pour 100 jours-patient%s ; mesuré : %s, %s\n", EN: "  goal: at most %s alerts of any kind per 100 patient-days%s; measured: %s, %s\n"},
	stableLoad:  {FR: "  but : au plus %s alerte clinique pour 100 jours de patients stables%s ; mesuré : %s, %s\n", EN: "  goal: at most %s clinical alert per 100 days of stable patients%s; measured: %s, %s\n"},
}

func (g *measuredGoal) sentence() protocols.Text { return goalSentences[g.Figure] }

var reached = map[bool]protocols.Text{true: {FR: "atteint", EN: "reached"}, false: {FR: "pas atteint", EN: "not reached"}}
