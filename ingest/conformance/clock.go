package conformance

import (
	"slices"
	"time"

	"vigie/protocols"
)

// A reading of the moment comes within liveWithin; a clock is taken for one of another
// zone where readings come late, or early, by quarters of an hour, give or take offBy.
const (
	liveWithin = 5 * time.Minute
	offBy      = 2 * time.Minute
	quarter    = 15 * time.Minute
	leastLive  = 3 // readings that it takes to say so
	leastGaps  = 5 // readings that it takes to see a cadence
	mostTaken  = 1000
)

// taken is when one reading was measured and when it came.
type taken struct {
	measure      string
	at, received time.Time
}

// took keeps the time of a reading that came alone, for the first time.
func (b *Bench) took(r *protocols.Reading, received time.Time) {
	if r.DayOnly || r.Reckoned || len(b.taken) >= mostTaken {
		return
	}
	b.taken = append(b.taken, taken{r.Measure.ID, r.Time, received})
}

// concludeTime judges the clock: how late readings come that came one by one.
func (b *Bench) concludeTime(r *Result) {
	if b.profile.Clock == NoClock {
		r.Verdict, r.Reason = NotApplicable, say("le profil dit que l'appareil n'a pas d'horloge", "the profile claims that the device has no clock")
		return
	}
	var lags []time.Duration
	for _, t := range b.taken {
		lags = append(lags, t.received.Sub(t.at))
	}
	if len(lags) == 0 {
		r.Reason = say("aucune mesure n'est venue seule, juste après avoir été prise", "no reading came alone, right after it was taken")
		return
	}
	least, most := slices.Min(lags), slices.Max(lags)
	apart := least - least.Round(quarter)
	switch {
	case least.Abs() <= liveWithin:
		r.Verdict = Pass
	case len(lags) < leastLive:
		r.Reason = both("les mesures viennent après %s : une de plus dira si l'horloge est à l'heure", "readings come after %s: one more will tell whether the clock is right", least.Round(time.Second))
	case most-least <= 2*offBy && apart.Abs() <= offBy:
		r.Verdict, r.Reason = Fail, both("toutes les mesures ont %s de retard : l'horloge est dans un autre fuseau", "all readings are %s late: the clock is in another zone", least.Round(quarter))
	default:
		r.Verdict, r.Reason = Warning, both("aucune mesure n'a moins de %s : horloge en retard, ou envoi tardif", "no reading is younger than %s: the clock is slow, or they are sent late", least.Round(time.Second))
	}
}

// concludeCadence holds the time between two readings of a measure against what the
// profile claims.
func (b *Bench) concludeCadence(r *Result, measure string) {
	every := b.profile.Every
	if own := b.profile.Claims[measure].Every; own > 0 {
		every = own
	}
	if every <= 0 {
		r.Verdict, r.Reason = NotApplicable, say("le profil n'annonce pas de cadence (every)", "the profile claims no cadence (every)")
		return
	}
	var times []time.Time
	for _, t := range b.taken {
		if t.measure == measure {
			times = append(times, t.at)
		}
	}
	if len(times) < leastGaps {
		r.Reason = say("trop peu de mesures sont venues", "too few readings came")
		return
	}
	slices.SortFunc(times, time.Time.Compare)
	var gaps []time.Duration
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, times[i].Sub(times[i-1]))
	}
	slices.Sort(gaps)
	median := gaps[len(gaps)/2]
	if apart := (median - every).Abs(); apart > every/4 {
		r.Verdict, r.Reason = Fail, both("une mesure vient toutes les %s", "a reading comes every %s", median.Round(time.Second))
		return
	}
	r.Verdict = Pass
}
