package workload

import (
	"math"
	"slices"
	"time"
)

// spread is the median and the 95th percentile; the smallest value that is no less
// than that share of them.
func spread(all []time.Duration) Spread {
	if len(all) == 0 {
		return Spread{}
	}
	slices.Sort(all)
	at := func(share float64) float64 {
		place := int(math.Ceil(share*float64(len(all)))) - 1
		return math.Round(all[max(place, 0)].Hours()*100) / 100
	}
	return Spread{Median: at(0.5), P95: at(0.95)}
}
