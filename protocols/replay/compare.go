package replay

import (
	"cmp"
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

// Compare pairs the alerts of two outcomes: the closest first, so that it pairs the
// same ones whichever outcome comes first.
func Compare(first, second *Outcome) Difference {
	var d Difference
	counts := map[string]*RuleDifference{}
	count := func(rule string) *RuleDifference {
		if counts[rule] == nil {
			counts[rule] = &RuleDifference{Rule: rule}
		}
		return counts[rule]
	}
	partners := paired(first, second)
	taken := map[*Alert]bool{}
	for i := range first.Alerts {
		a := &first.Alerts[i]
		b := partners[a]
		if b == nil {
			d.OnlyFirst = append(d.OnlyFirst, *a)
			count(a.Rule).OnlyFirst++
			continue
		}
		taken[b] = true
		d.Both = append(d.Both, Pair{a.Patient, a.Rule, a.Time, b.Time, [2]protocols.Level{a.Level, b.Level}})
		count(a.Rule).Both++
	}
	for i := range second.Alerts {
		if b := &second.Alerts[i]; !taken[b] {
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

// paired finds for each alert of the first outcome the one of the second that
// speaks of the same stretch of time.
func paired(first, second *Outcome) map[*Alert]*Alert {
	partners := map[*Alert]*Alert{}
	theirs := bySubject(second.Alerts)
	for about, own := range bySubject(first.Alerts) {
		pair(own, theirs[about], partners)
	}
	return partners
}

// pair joins the closest alerts of one subject that meet, each at most once.
func pair(own, others []*Alert, partners map[*Alert]*Alert) {
	type meeting struct{ a, b *Alert }
	var meetings []meeting
	for _, a := range own {
		for _, b := range others {
			if meet(a, b) {
				meetings = append(meetings, meeting{a, b})
			}
		}
	}
	earlier := func(m meeting) time.Time {
		if m.b.Time.Before(m.a.Time) {
			return m.b.Time
		}
		return m.a.Time
	}
	slices.SortStableFunc(meetings, func(m, n meeting) int {
		return cmp.Or(cmp.Compare(m.a.Time.Sub(m.b.Time).Abs(), n.a.Time.Sub(n.b.Time).Abs()), earlier(m).Compare(earlier(n)))
	})
	taken := map[*Alert]bool{}
	for _, m := range meetings {
		if partners[m.a] == nil && !taken[m.b] {
			partners[m.a], taken[m.b] = m.b, true
		}
	}
}

func meet(a, b *Alert) bool {
	if a.Time.Sub(b.Time).Abs() <= slack {
		return true
	}
	return !a.Time.After(b.over) && !b.Time.After(a.over)
}
