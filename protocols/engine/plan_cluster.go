package engine

import (
	"fmt"
	"slices"
	"strings"
)

// clusters groups rules that share a measure or hold one another back.
func (b *planner) clusters() error {
	order, err := b.holdersFirst()
	if err != nil {
		return err
	}
	groups := make(groups, len(b.plan.rules)+len(b.plan.measures))
	for i := range groups {
		groups[i] = i
	}
	for i := range b.plan.rules {
		for _, m := range b.measuresOf(i) {
			groups.join(i, len(b.plan.rules)+m)
		}
		for _, holder := range b.plan.rules[i].heldBy {
			groups.join(i, holder)
		}
	}
	number := map[int]int{}
	for i := range b.plan.rules {
		group := groups.of(i)
		if _, known := number[group]; !known {
			number[group] = len(b.plan.clusters)
			b.plan.clusters = append(b.plan.clusters, clusterPlan{})
		}
		b.plan.rules[i].cluster = number[group]
	}
	for m := range b.plan.measures {
		cluster := number[groups.of(len(b.plan.rules)+m)]
		b.plan.measures[m].cluster = cluster
		b.plan.clusters[cluster].measures = append(b.plan.clusters[cluster].measures, m)
	}
	b.fillClusters(order)
	return nil
}

// measuresOf lists the measures that a rule looks at.
func (b *planner) measuresOf(rule int) []int {
	plan := &b.plan.rules[rule]
	var found []int
	if a := plan.rule.Absence; a != nil {
		for _, m := range a.Measures() {
			found = append(found, b.plan.places[m.Ordinal()])
		}
		return found
	}
	for _, s := range plan.series {
		if m := b.plan.series[s].Place; !slices.Contains(found, m) {
			found = append(found, m)
		}
	}
	return found
}

func (b *planner) fillClusters(order []int) {
	for _, i := range order {
		plan := &b.plan.rules[i]
		cluster := &b.plan.clusters[plan.cluster]
		cluster.rules = append(cluster.rules, i)
		for _, m := range b.measuresOf(i) {
			b.plan.measures[m].rules = append(b.plan.measures[m].rules, i)
		}
		for _, l := range plan.leaves {
			c := b.plan.leaves[l].comparison
			switch {
			case c.Daily():
				cluster.daily = append(cluster.daily, l)
			case c.Lasting > 0:
				cluster.lasting = append(cluster.lasting, l)
			}
		}
	}
	for i := range b.plan.series {
		cluster := &b.plan.clusters[b.plan.measures[b.plan.series[i].Place].cluster]
		cluster.series = append(cluster.series, i)
	}
	for i := range b.plan.gauges {
		gauge := &b.plan.gauges[i]
		measure := &b.plan.measures[b.plan.series[gauge.Series].Place]
		measure.daily = measure.daily || gauge.Daily()
		measure.reach = max(measure.reach, gauge.Reach())
		cluster := &b.plan.clusters[measure.cluster]
		cluster.gauges = append(cluster.gauges, i)
	}
}

// holdersFirst orders the rules so that what holds a rule back is evaluated
// before it.
func (b *planner) holdersFirst() ([]int, error) {
	const visiting, done = 1, 2
	var order []int
	var path []string
	state := make([]int, len(b.plan.rules))
	var visit func(i int) error
	visit = func(i int) error {
		id := b.plan.rules[i].rule.ID
		switch state[i] {
		case done:
			return nil
		case visiting:
			return fmt.Errorf("rules hold one another back in a circle: %s", strings.Join(append(path[slices.Index(path, id):], id), ", "))
		}
		state[i], path = visiting, append(path, id)
		for _, holder := range b.plan.rules[i].heldBy {
			if err := visit(holder); err != nil {
				return err
			}
		}
		state[i], path = done, path[:len(path)-1]
		order = append(order, i)
		return nil
	}
	for i := range b.plan.rules {
		if err := visit(i); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// groups joins things into groups (union-find): each points to another of its
// group, the last one to itself.
type groups []int

func (g groups) of(i int) int {
	for g[i] != i {
		g[i] = g[g[i]]
		i = g[i]
	}
	return i
}

func (g groups) join(a, b int) { g[g.of(a)] = g.of(b) }
