package measure

import (
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// Best is the best detector that knows the world's signal, at as many false alerts
// as the goal allows.
type Best struct {
	Kind  string        `json:"kind"`
	False float64       `json:"false_per_100_patient_days"`
	Seen  replay.Caught `json:"seen"`
}

// bestKinds are the kinds of event for which there is such a detector, by condition.
var bestKinds = map[simulation.Condition]string{
	simulation.HeartFailure: simulation.Decompensation, simulation.Pulmonary: simulation.Exacerbation,
	simulation.Ventilated: simulation.Exacerbation, simulation.Oxygen: simulation.Exacerbation,
}

// FalseAllowed is what the goals allow, a 100 patient-days.
const FalseAllowed = 1

// suspected is what the detector thought of one patient, day by day.
type suspected struct {
	patient string
	from    time.Time // local midnight of the first day
	days    []simulation.Suspicion
}

// best finds the threshold at which the detector keeps to the false alerts allowed.
func best(kind string, all []suspected, outcome *replay.Outcome, truth replay.Truth) *Best {
	return bestWithin(-5, 60, kind, all, outcome, truth)
}

// bestWithin looks for the threshold between two. Where low is so low that a detector never
// rests, it rings once a patient, and looks quiet.
func bestWithin(low, high float64, kind string, all []suspected, outcome *replay.Outcome, truth replay.Truth) *Best {
	parted := truth
	parted.Parted = true
	var kept *Best
	for range 16 {
		threshold := (low + high) / 2
		tried := replay.Outcome{Patients: outcome.Patients, PatientDays: outcome.PatientDays, Watched: outcome.Watched}
		for i := range all {
			tried.Alerts = append(tried.Alerts, all[i].rings(threshold)...)
		}
		score := tried.Judge(parted, func(*replay.Alert) bool { return true }, clinicalKind)
		if score.FalseRate > FalseAllowed {
			low = threshold
			continue
		}
		high = threshold
		kept = &Best{Kind: kind, False: score.FalseRate}
		kept.Seen = caughtOf(score.Kinds, kind)
	}
	return kept
}

// steps below the threshold at which the detector is at rest again, and may ring anew.
const restBelow = 2

// rings are the days on which the suspicion passes the threshold.
func (s *suspected) rings(threshold float64) (alerts []replay.Alert) {
	resting := true
	for _, d := range s.days {
		switch {
		case resting && d.Odds >= threshold:
			resting = false
			at := s.from.AddDate(0, 0, d.Day).Add(9 * time.Hour) // after the morning's readings
			alerts = append(alerts, replay.Alert{Patient: s.patient, Rule: "best", Level: protocols.Orange, Time: at})
		case d.Odds < threshold-restBelow:
			resting = true
		}
	}
	return alerts
}
