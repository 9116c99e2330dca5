package measure

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// morning is the weight of one day; known is false where there is none.
type morning struct {
	kilos float64
	known bool
}

// mornings are the first weights of the days of a patient.
func mornings(p *simulation.Patient, days int) []morning {
	list := make([]morning, days)
	for _, r := range p.Readings {
		day := int(r.Time.Sub(p.From).Hours() / 24)
		if r.Measure.ID == "weight" && day >= 0 && day < days && !list[day].known {
			list[day] = morning{r.Values[0].Float(), true}
		}
	}
	return list
}

// usual is the median of the weights from days [from, to]; known is false for fewer than five.
func usual(list []morning, from, to int) (float64, bool) {
	var known []float64
	for d := max(0, from); d <= to; d++ {
		if list[d].known {
			known = append(known, list[d].kilos)
		}
	}
	if len(known) < 5 {
		return 0, false
	}
	slices.Sort(known)
	return known[len(known)/2], true
}

// shape is what the library has: the mean of 3 days less the median of the 14 before them.
func shape(list []morning) (found []simulation.Suspicion) {
	for d := range list {
		sum, n := 0.0, 0.0
		for back := range min(3, d+1) {
			if list[d-back].known {
				sum, n = sum+list[d-back].kilos, n+1
			}
		}
		if base, known := usual(list, d-16, d-3); known && list[d].known {
			found = append(found, simulation.Suspicion{Day: d, Odds: steps * (sum/n - base)})
		}
	}
	return found
}

// steps is how many steps of a threshold a kilogram is. A detector rests two steps, or 0.2
// kg, below its threshold.
const steps = 10

// ewma is a fast exponentially weighted moving average less a slow one.
func ewma(fast, slow float64) func([]morning) []simulation.Suspicion {
	return func(list []morning) (found []simulation.Suspicion) {
		quick, steady, seen := 0.0, 0.0, 0
		for d := range list {
			if !list[d].known {
				continue
			}
			if seen++; seen == 1 {
				quick, steady = list[d].kilos, list[d].kilos
			}
			quick += fast * (list[d].kilos - quick)
			steady += slow * (list[d].kilos - steady)
			if seen >= 5 {
				found = append(found, simulation.Suspicion{Day: d, Odds: steps * (quick - steady)})
			}
		}
		return found
	}
}

// cusum sums what lies more than an allowance above the median of the 14 days before.
func cusum(allowance float64) func([]morning) []simulation.Suspicion {
	return func(list []morning) (found []simulation.Suspicion) {
		sum := 0.0
		for d := range list {
			base, known := usual(list, d-15, d-2)
			if !known || !list[d].known {
				continue
			}
			sum = max(0, sum+list[d].kilos-base-allowance)
			found = append(found, simulation.Suspicion{Day: d, Odds: steps * sum})
		}
		return found
	}
}

// TestNeitherEWMANorCUSUMSeesMore is why the language has neither. It looks at the weight
// alone, in the world in which parameters are chosen, at one false alert per 100 patient-days.
// No setting of them sees more decompensations three days ahead than the language does, by more
// than half of the width of the interval. With -v it prints the figures.
func TestNeitherEWMANorCUSUMSeesMore(t *testing.T) {
	const many, days = 300, 180
	cohort := simulation.Cohort{Patients: many, Days: days, Of: simulation.HeartFailure, World: simulation.Choosing(), Seed: 1}
	outcome, events := &replay.Outcome{}, []replay.Event(nil)
	var weights [][]morning
	var patients []*simulation.Patient
	for i := range many {
		p := cohort.Patient(i)
		name := fmt.Sprint(i)
		for _, e := range p.Events {
			e.Patient = name
			events = append(events, e)
		}
		span := replay.Span{From: p.From, To: p.To}
		outcome.Patients++
		outcome.PatientDays += span.Days()
		outcome.Watched = append(outcome.Watched, replay.Watched{Patient: name, Span: span, Pauses: p.Pauses})
		patients, weights = append(patients, p), append(weights, mornings(p, days))
	}
	truth := replay.Truth{Events: events, Dealt: func(a *replay.Alert) time.Time { return a.Time.Add(24 * time.Hour) }}
	seen := func(name string, detector func([]morning) []simulation.Suspicion) replay.Caught {
		var all []suspected
		for i, p := range patients {
			all = append(all, suspected{fmt.Sprint(i), p.From, detector(weights[i])})
		}
		found := bestWithin(2.2, 60, simulation.Decompensation, all, outcome, truth)
		if found == nil {
			t.Fatalf("%s never keeps to the false alerts allowed", name)
		}
		t.Logf("%-28s %.2f false, %d events, seen %.1f %%, three days ahead %.1f %% (%.0f–%.0f)", name, found.False, found.Seen.Events,
			found.Seen.Sensitivity, found.Seen.InTimeShare, found.Seen.InTimeLikely.Low, found.Seen.InTimeLikely.High)
		return found.Seen
	}
	has := seen("mean of 3 d − median of 14 d", shape)
	if has.Events < 100 || has.InTimeShare < 20 {
		t.Fatalf("the shape of the library sees %.1f %% of %d events: nothing is compared", has.InTimeShare, has.Events)
	}
	others := map[string]func([]morning) []simulation.Suspicion{
		"EWMA 0.5 − 0.05": ewma(0.5, 0.05), "EWMA 0.3 − 0.05": ewma(0.3, 0.05), "EWMA 0.3 − 0.1": ewma(0.3, 0.1),
		"CUSUM 0.3 kg": cusum(0.3), "CUSUM 0.6 kg": cusum(0.6), "CUSUM 1 kg": cusum(1),
	}
	for _, name := range sorted(others) {
		if of := seen(name, others[name]); of.InTimeShare > (has.InTimeShare+has.InTimeLikely.High)/2 {
			t.Errorf("%s sees %.1f %% three days ahead, and the shape of the library %.1f: it is worth a word of the language", name, of.InTimeShare, has.InTimeShare)
		}
	}
}

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare)
	return names
}
