package plan

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
	groups := make(groups, len(b.plan.Rules)+len(b.plan.Measures))
	for i := range groups {
		groups[i] = i
	}
	for i := range b.plan.Rules {
		for _, m := range b.measuresOf(i) {
			groups.join(i, len(b.plan.Rules)+m)
		}
		for _, holder := range b.plan.Rules[i].holders() {
			groups.join(i, holder)
		}
	}
	number := map[int]int{}
	for i := range b.plan.Rules {
		group := groups.of(i)
		if _, known := number[group]; !known {
			number[group] = len(b.plan.Clusters)
			b.plan.Clusters = append(b.plan.Clusters, Cluster{})
		}
		b.plan.Rules[i].Cluster = number[group]
	}
	for m := range b.plan.Measures {
		cluster := number[groups.of(len(b.plan.Rules)+m)]
		b.plan.Measures[m].Cluster = cluster
		b.plan.Clusters[cluster].Measures = append(b.plan.Clusters[cluster].Measures, m)
	}
	b.fillClusters(order)
	return nil
}

// measuresOf lists the measures that a rule looks at.
func (b *planner) measuresOf(rule int) []int {
	plan := &b.plan.Rules[rule]
	var found []int
	if a := plan.Rule.Absence; a != nil {
		for _, m := range a.Measures() {
			found = append(found, b.plan.Places[m.Ordinal()])
		}
		return found
	}
	for _, s := range slices.Concat(plan.Series, plan.beside) {
		if m := b.plan.Series[s].Place; !slices.Contains(found, m) {
			found = append(found, m)
		}
	}
	return found
}

func (b *planner) fillClusters(order []int) {
	for _, i := range order {
		plan := &b.plan.Rules[i]
		cluster := &b.plan.Clusters[plan.Cluster]
		cluster.Rules = append(cluster.Rules, i)
		for _, m := range b.measuresOf(i) {
			b.plan.Measures[m].Rules = append(b.plan.Measures[m].Rules, i)
		}
		for _, l := range plan.Leaves {
			c := b.plan.Leaves[l].Comparison
			switch {
			case c.Daily():
				cluster.Daily = append(cluster.Daily, l)
			case c.Lasting > 0:
				cluster.Lasting = append(cluster.Lasting, l)
			}
		}
	}
	for i := range b.plan.Series {
		cluster := &b.plan.Clusters[b.plan.Measures[b.plan.Series[i].Place].Cluster]
		cluster.Series = append(cluster.Series, i)
	}
	for i := range b.plan.Stretches {
		cluster := &b.plan.Clusters[b.plan.Measures[b.plan.Series[b.plan.Stretches[i].Series].Place].Cluster]
		cluster.Stretches = append(cluster.Stretches, i)
	}
	for i := range b.plan.Gauges {
		gauge := &b.plan.Gauges[i]
		measure := &b.plan.Measures[b.plan.Series[gauge.Series].Place]
		measure.Daily = measure.Daily || gauge.Daily()
		measure.Reach = max(measure.Reach, gauge.Reach())
		cluster := &b.plan.Clusters[measure.Cluster]
		cluster.Gauges = append(cluster.Gauges, i)
	}
}

// holdersFirst orders the rules so that what holds a rule back is evaluated
// before it.
func (b *planner) holdersFirst() ([]int, error) {
	const visiting, done = 1, 2
	var order []int
	var path []string
	state := make([]int, len(b.plan.Rules))
	var visit func(i int) error
	visit = func(i int) error {
		id := b.plan.Rules[i].Rule.ID
		switch state[i] {
		case done:
			return nil
		case visiting:
			return fmt.Errorf("rules hold one another back in a circle: %s", strings.Join(append(path[slices.Index(path, id):], id), ", "))
		}
		state[i], path = visiting, append(path, id)
		for _, holder := range b.plan.Rules[i].holders() {
			if err := visit(holder); err != nil {
				return err
			}
		}
		state[i], path = done, path[:len(path)-1]
		order = append(order, i)
		return nil
	}
	for i := range b.plan.Rules {
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
