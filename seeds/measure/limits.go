package measure

import (
	"cmp"
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// Limits are what stands between a protocol and its goals, whatever the protocol says:
// how the events come, and what patients measure.
type Limits struct {
	// Events are the parts of the main kind of event that are hard to see in time.
	Events []LimitedEvents `json:"events,omitempty"`
	// Days tell, of each measure that the protocol observes, on how many days it came.
	Days []DaysMeasured `json:"days_measured"`
}

// LimitedEvents are those of one group.
type LimitedEvents struct {
	Group  string  `json:"group"`
	Share  float64 `json:"share"`         // of all events of the kind, in per cent
	InTime float64 `json:"in_time_share"` // of these, in per cent
}

// DaysMeasured is how regularly a measure came.
type DaysMeasured struct {
	Measure string  `json:"measure"`
	Share   float64 `json:"share"` // of the days without a pause, in per cent, of patients who have the device
}

// Part is what one rule adds to a figure.
type Part struct {
	Rule string  `json:"rule"`
	Rate float64 `json:"per_100_patient_days"`
}

// hard are the groups of events that limit what any protocol can see.
var hard = []string{simulation.Sudden, simulation.Signless, simulation.QuietWhenIll, simulation.Unshown}

func (m *Trial) limits(found *Protocol) Limits {
	var limits Limits
	about := caughtOf(found.Clinical.Kinds, mainKinds[found.Condition])
	for _, name := range hard {
		for _, g := range about.Groups {
			if g.Group == name && g.Events > 0 {
				limits.Events = append(limits.Events, LimitedEvents{name, 100 * float64(g.Events) / float64(about.Events), g.InTimeShare})
			}
		}
	}
	limits.Days = m.daysMeasured()
	return limits
}

// came counts the days of one patient: all that no pause touches, and those of them on
// which each measure came.
type came struct {
	days int
	of   map[string]int
}

func cameOf(patient *simulation.Patient) came {
	c := came{of: map[string]int{}}
	for day := patient.From; day.Before(patient.To); day = day.AddDate(0, 0, 1) {
		if !paused(patient.Pauses, day) {
			c.days++
		}
	}
	latest := map[string]time.Time{} // by measure, the day
	for _, r := range patient.Readings {
		y, month, d := r.Time.In(patient.Zone).Date()
		day := time.Date(y, month, d, 0, 0, 0, 0, patient.Zone)
		if known, ok := latest[r.Measure.ID]; ok && known.Equal(day) || paused(patient.Pauses, day) {
			continue
		}
		latest[r.Measure.ID] = day
		c.of[r.Measure.ID]++
	}
	return c
}

func paused(pauses []protocols.Pause, day time.Time) bool {
	return slices.ContainsFunc(pauses, func(p protocols.Pause) bool { return p.From.Before(day.AddDate(0, 0, 1)) && p.Until.After(day) })
}

// daysMeasured sums over the patients, each measure over those who have ever sent it.
func (m *Trial) daysMeasured() (list []DaysMeasured) {
	for i := range m.Protocol.Observations {
		id := m.Protocol.Observations[i].Measure.ID
		if slices.ContainsFunc(list, func(d DaysMeasured) bool { return d.Measure == id }) {
			continue
		}
		days, sent := 0, 0
		for j := range m.parts {
			if n := m.parts[j].came.of[id]; n > 0 {
				days, sent = days+m.parts[j].came.days, sent+n
			}
		}
		if days > 0 {
			list = append(list, DaysMeasured{id, 100 * float64(sent) / float64(days)})
		}
	}
	return list
}

// mostly are the three rules that add most to a figure.
func (m *Trial) mostly(figure Figure, found *Protocol, calm *replay.Outcome) []Part {
	rate := func(r *Rule) float64 {
		clinical := m.classes[r.Rule] == clinicalAlert
		switch {
		case figure == FalseAlerts && clinical:
			return r.FalseRate
		case figure == AllAlerts:
			return r.Rate
		case figure == StableLoad && clinical:
			return calm.Judge(replay.Truth{Dealt: m.dealt}, func(a *replay.Alert) bool { return a.Rule == r.Rule && m.classOf(a) == clinicalAlert }, clinicalKind).Rate
		}
		return 0
	}
	var parts []Part
	for i := range found.Rules {
		if of := rate(&found.Rules[i]); of > 0 {
			parts = append(parts, Part{found.Rules[i].Rule, of})
		}
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(b.Rate, a.Rate) })
	return parts[:min(3, len(parts))]
}
