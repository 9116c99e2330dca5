package main

import (
	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// goal is a figure that the library is to reach on the simulated cohort.
type goal struct {
	condition simulation.Condition
	figure    figure
	kind      string // of event; empty for a figure that is about none
	wanted    float64
}

// figure is what a goal is about.
type figure string

// The figures. Those in per cent are to be at least what is wanted, the others at most.
const (
	seenAtAll   figure = "seen"                        // per cent of the events
	seenAhead   figure = "seen-3-days-ahead"           // likewise
	falseAlerts figure = "false-per-100-patient-days"  // clinical
	allAlerts   figure = "alerts-per-100-patient-days" // clinical and non-transmission
)

// goals are our own: they come from no publication.
var goals = []goal{
	{simulation.HeartFailure, seenAhead, simulation.Decompensation, 90},
	{simulation.HeartFailure, falseAlerts, "", 1},
	{simulation.HeartFailure, allAlerts, "", 4},
	{simulation.Pulmonary, seenAtAll, simulation.Exacerbation, 60},
	{simulation.Pulmonary, falseAlerts, "", 1},
	{simulation.Sensor, seenAtAll, simulation.Hypoglycaemia, 95},
}

// measuredGoal is a goal with what was measured.
type measuredGoal struct {
	Figure   figure  `json:"figure"`
	Kind     string  `json:"kind,omitempty"`
	Wanted   float64 `json:"wanted"`
	Measured float64 `json:"measured"`
	Reached  bool    `json:"reached"`
}

// againstGoals compares what was measured with the goals of these patients.
func (m *measuredProtocol) againstGoals() (found []measuredGoal) {
	for _, g := range goals {
		if g.condition != m.Condition {
			continue
		}
		measured := g.of(m)
		reached := measured <= g.wanted
		if g.kind != "" {
			reached = measured >= g.wanted
		}
		found = append(found, measuredGoal{g.figure, g.kind, g.wanted, measured, reached})
	}
	return found
}

func (g goal) of(m *measuredProtocol) float64 {
	switch g.figure {
	case falseAlerts:
		return m.Clinical.FalseRate
	case allAlerts:
		return m.Clinical.Rate + m.Silence.Rate
	}
	var about replay.Caught
	for _, k := range m.Clinical.Kinds {
		if k.Kind == g.kind {
			about = k
		}
	}
	if g.figure == seenAhead {
		return about.AheadShare
	}
	return about.Sensitivity
}

// goalSentences say a goal, what was measured, and whether it is reached.
var goalSentences = map[figure]protocols.Text{
	seenAtAll:   {FR: "  but : au moins %s %% des événements vus ; mesuré : %s %%, %s\n", EN: "  goal: at least %s %% of the events seen; measured: %s %%, %s\n"},
	seenAhead:   {FR: "  but : au moins %s %% vus 3 jours avant ; mesuré : %s %%, %s\n", EN: "  goal: at least %s %% seen 3 days ahead; measured: %s %%, %s\n"},
	falseAlerts: {FR: "  but : au plus %s fausse alerte clinique pour 100 jours-patient ; mesuré : %s, %s\n", EN: "  goal: at most %s false clinical alert per 100 patient-days; measured: %s, %s\n"},
	allAlerts:   {FR: "  but : au plus %s alertes de toute sorte pour 100 jours-patient ; mesuré : %s, %s\n", EN: "  goal: at most %s alerts of any kind per 100 patient-days; measured: %s, %s\n"},
}

func (g *measuredGoal) sentence() protocols.Text { return goalSentences[g.Figure] }

var reached = map[bool]protocols.Text{true: {FR: "atteint", EN: "reached"}, false: {FR: "pas atteint", EN: "not reached"}}
