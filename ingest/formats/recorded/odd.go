package recorded

import (
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/written"
)

// Odd is something that a person should look at before a file enters. Nothing is refused
// for it.
type Odd struct {
	What  protocols.Text `json:"what"`
	Count int            `json:"count"`
}

// about is what looks odd of so many readings.
func about(what protocols.Text, count int) Odd {
	return Odd{protocols.Text{FR: written.Sentence("fr", what.FR, count), EN: written.Sentence("en", what.EN, count)}, count}
}

// What can look odd. Each takes how many readings it is about.
var (
	oddFuture = protocols.Text{FR: "%d [mesure est datée|mesures sont datées] après maintenant", EN: "%d [reading is|readings are] dated later than now"}
	oddTwice  = protocols.Text{FR: "%d [mesure a|mesures ont] l'instant d'une autre, avec une autre valeur", EN: "%d [reading has|readings have] the moment of another, and another value"}
	oddNight  = protocols.Text{FR: "%d [mesure|mesures], plus de la moitié, [tombe|tombent] entre minuit et 5 h ; le fuseau est-il le bon ?", EN: "%d [reading|readings], more than half of them, [falls|fall] between midnight and 5 in the morning; is the time zone right?"}
)

// fewest is how many readings tell something by their hours.
const fewest = 10

// Odd is what looks odd of the readings. The hours are those of the zone; readings closer
// than an hour are of a device that measures by itself, also at night.
func (s *Series) Odd(zone *time.Location, now time.Time) (found []Odd) {
	moments := make([]*protocols.Reading, len(s.Readings))
	for i := range s.Readings {
		moments[i] = &s.Readings[i]
	}
	slices.SortStableFunc(moments, func(a, b *protocols.Reading) int { return a.Time.Compare(b.Time) })
	future, twice, night, timed := 0, 0, 0, 0
	for i, r := range moments {
		if r.Time.After(now) {
			future++
		}
		if i > 0 && r.Time.Equal(moments[i-1].Time) && r.DayOnly == moments[i-1].DayOnly && !slices.Equal(r.Values, moments[i-1].Values) {
			twice++
		}
		if !r.DayOnly {
			timed++
			if r.Time.In(zone).Hour() < 5 {
				night++
			}
		}
	}
	if timed < fewest || 2*night <= timed || moments[len(moments)-1].Time.Sub(moments[0].Time) < time.Duration(len(moments))*time.Hour {
		night = 0
	}
	for _, o := range []Odd{about(oddFuture, future), about(oddTwice, twice), about(oddNight, night)} {
		if o.Count > 0 {
			found = append(found, o)
		}
	}
	return found
}
