package values

import (
	"fmt"
	"sync"
	"time"
)

// zones are the zones that were asked for, by their names: to read one takes longer than to
// read a message.
var zones struct {
	sync.RWMutex
	known map[string]*time.Location
}

// mostZones bounds them: a stranger may spell one name in many ways.
const mostZones = 600

// Zone is the zone of a name of the IANA database: "Europe/Paris". That of the machine,
// "Local", says nothing of where a device stands, and neither does no name.
func Zone(name string) (*time.Location, error) {
	zones.RLock()
	known := zones.known[name]
	zones.RUnlock()
	if known != nil {
		return known, nil
	}
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q names no zone: write Europe/Paris", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	zones.Lock()
	defer zones.Unlock()
	if zones.known == nil {
		zones.known = map[string]*time.Location{}
	}
	if len(zones.known) < mostZones {
		zones.known[name] = zone
	}
	return zone, nil
}

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
