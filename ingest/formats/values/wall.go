package values

import "time"

// Instants are the moments at which a clock on the wall of a zone shows a time: none or
// two where it is changed.
func Instants(wall time.Time, zone *time.Location) (first time.Time, ways int) {
	seen := map[int]bool{}
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		if _, own := at.In(zone).Zone(); own != offset || seen[offset] {
			continue
		}
		seen[offset] = true
		ways++
		if ways == 1 || at.Before(first) {
			first = at
		}
	}
	return first, ways
}
