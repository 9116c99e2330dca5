package replay

import (
	"cmp"
	"slices"

	"vigie/protocols"
)

// Change is how often a rule rang at a level in two replays of the same past.
type Change struct {
	Rule   string          `json:"rule"`
	Level  protocols.Level `json:"level"`
	Before int             `json:"before"`
	After  int             `json:"after"`
}

// Changes counts the alerts of two replays, by rule and level, in the order of the rules'
// ids. What rang as often in both is listed too.
func Changes(before, after []Alert) []Change {
	counted := []Change{}
	count := func(alerts []Alert, into func(*Change) *int) {
		for i := range alerts {
			a := &alerts[i]
			at := slices.IndexFunc(counted, func(c Change) bool { return c.Rule == a.Rule && c.Level == a.Level })
			if at < 0 {
				at, counted = len(counted), append(counted, Change{Rule: a.Rule, Level: a.Level})
			}
			*into(&counted[at])++
		}
	}
	count(before, func(c *Change) *int { return &c.Before })
	count(after, func(c *Change) *int { return &c.After })
	slices.SortFunc(counted, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(b.Level, a.Level)) })
	return counted
}
