package replay

import (
	"maps"
	"slices"
	"time"

	"vigie/protocols"
)

// Difference sets the alerts of two versions, or of two settings, of a protocol
// against each other over the same readings.
type Difference struct {
	Both       []Pair           `json:"both"`
	OnlyFirst  []Alert          `json:"only_first"`
	OnlySecond []Alert          `json:"only_second"`
	ByRule     []RuleDifference `json:"by_rule"`
}

// Pair is one thing that both versions raised: the same rule for the same
// patient, in episodes that touch or begin within 12 hours of each other.
type Pair struct {
	Patient string             `json:"patient"`
	Rule    string             `json:"rule"`
	First   time.Time          `json:"first"`
	Second  time.Time          `json:"second"`
	Levels  [2]protocols.Level `json:"levels"`
}

// RuleDifference counts it for one rule.
type RuleDifference struct {
	Rule       string `json:"rule"`
	Both       int    `json:"both"`
	OnlyFirst  int    `json:"only_first"`
	OnlySecond int    `json:"only_second"`
}

// slack is how far apart two episodes of one rule may begin and still be the
// same thing seen twice.
const slack = 12 * time.Hour

// Compare pairs the alerts of two outcomes.
func Compare(first, second *Outcome) Difference {
	var d Difference
	counts := map[string]*RuleDifference{}
	count := func(rule string) *RuleDifference {
		if counts[rule] == nil {
			counts[rule] = &RuleDifference{Rule: rule}
		}
		return counts[rule]
	}
	theirs := bySubject(second.Alerts)
	paired := map[*Alert]bool{}
	for i := range first.Alerts {
		a := &first.Alerts[i]
		b := partner(a, theirs[subject{a.Patient, a.Rule}], paired)
		if b == nil {
			d.OnlyFirst = append(d.OnlyFirst, *a)
			count(a.Rule).OnlyFirst++
			continue
		}
		paired[b] = true
		d.Both = append(d.Both, Pair{a.Patient, a.Rule, a.Time, b.Time, [2]protocols.Level{a.Level, b.Level}})
		count(a.Rule).Both++
	}
	for i := range second.Alerts {
		if b := &second.Alerts[i]; !paired[b] {
			d.OnlySecond = append(d.OnlySecond, *b)
			count(b.Rule).OnlySecond++
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(counts)) {
		d.ByRule = append(d.ByRule, *counts[rule])
	}
	return d
}

// subject is what an alert is about.
type subject struct{ patient, rule string }

func bySubject(alerts []Alert) map[subject][]*Alert {
	parts := map[subject][]*Alert{}
	for i := range alerts {
		key := subject{alerts[i].Patient, alerts[i].Rule}
		parts[key] = append(parts[key], &alerts[i])
	}
	return parts
}

// partner finds the closest alert that is not taken and speaks of the same
// stretch of time as a; nil when there is none.
func partner(a *Alert, others []*Alert, taken map[*Alert]bool) *Alert {
	var best *Alert
	for _, b := range others {
		if taken[b] || !meet(a, b) {
			continue
		}
		if best == nil || a.Time.Sub(b.Time).Abs() < a.Time.Sub(best.Time).Abs() {
			best = b
		}
	}
	return best
}

func meet(a, b *Alert) bool {
	if a.Time.Sub(b.Time).Abs() <= slack {
		return true
	}
	return !a.Time.After(b.over) && !b.Time.After(a.over)
}
