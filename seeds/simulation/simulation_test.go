package simulation_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"vigie/protocols"
	"vigie/seeds/simulation"
)

var cohort = simulation.Cohort{Patients: 40, Days: 90, Seed: 1}

func TestTheSameSeedGivesTheSamePatients(t *testing.T) {
	for _, i := range []int{0, 1, 4, 39} {
		once, twice := cohort.Patient(i), cohort.Patient(i)
		if !reflect.DeepEqual(once, twice) {
			t.Errorf("patient %d differs from one time to the next", i)
		}
	}
	other := simulation.Cohort{Patients: 40, Days: 90, Seed: 2}
	if reflect.DeepEqual(cohort.Patient(0), other.Patient(0)) {
		t.Error("another seed gives the same patient")
	}
}

func TestReadingsAreThoseOfPlausibleInstruments(t *testing.T) {
	for i := range cohort.Patients {
		p := cohort.Patient(i)
		ids := map[string]bool{}
		for n, r := range p.Readings {
			if n > 0 && r.Before(p.Readings[n-1]) {
				t.Fatalf("%s: reading %s is out of order", p.ID, r.ID)
			}
			if ids[r.ID] {
				t.Fatalf("%s: two readings are called %s", p.ID, r.ID)
			}
			ids[r.ID] = true
			for c, v := range r.Values {
				component := &r.Measure.Components[c]
				if v == protocols.Missing && !component.Optional {
					t.Errorf("%s: %s without %s", p.ID, r.Measure.ID, component.Name)
				}
				if v != protocols.Missing && (v < component.Low || v > component.High) {
					t.Errorf("%s: %s of %s", p.ID, r.Measure.ID, v)
				}
			}
		}
		if len(p.Readings) < 20 {
			t.Errorf("%s (%s) has %d readings", p.ID, p.Condition, len(p.Readings))
		}
	}
}

func TestEveryKindOfEventHappens(t *testing.T) {
	kinds := map[string]int{}
	large := simulation.Cohort{Patients: 200, Days: 90, Seed: 1}
	for i := range large.Patients {
		p := large.Patient(i)
		for _, e := range p.Events {
			kinds[e.Kind]++
			if e.At.Before(e.Began) || e.Useful.Before(e.At) || e.Over.Before(e.Useful) {
				t.Errorf("%s: %s begins %v, is %v, useful until %v, over %v", p.ID, e.Kind, e.Began, e.At, e.Useful, e.Over)
			}
		}
	}
	t.Log(kinds)
	for _, kind := range []string{
		simulation.Decompensation, simulation.Exacerbation, simulation.Hypoglycaemia, simulation.HypoglycaemiaRun, simulation.LeakingMask,
		simulation.PressureSurge, simulation.FluidOverload, simulation.PressureDrop, simulation.CreatinineRise, simulation.ImplantWarning, simulation.Dropout,
	} {
		if kinds[kind] == 0 {
			t.Errorf("no %s among 200 patients", kind)
		}
	}
}

// As the world says: with weight, without, and in between.
func TestDecompensationsShowOnTheScaleOrDoNot(t *testing.T) {
	gains := map[string][]float64{}
	hearts := simulation.Cohort{Patients: 300, Days: 180, Seed: 1, Of: simulation.HeartFailure}
	for i := range hearts.Patients {
		p := hearts.Patient(i)
		for _, e := range p.Events {
			if e.Kind != simulation.Decompensation {
				continue
			}
			before, ok1 := middle(p, e.Began.AddDate(0, 0, -7), e.Began)
			at, ok2 := middle(p, e.At.AddDate(0, 0, -2), e.At)
			if ok1 && ok2 {
				gains[e.Groups[0]] = append(gains[e.Groups[0]], at-before)
			}
		}
	}
	mean := func(phenotype string) float64 {
		sum := 0.0
		for _, gain := range gains[phenotype] {
			sum += gain
		}
		return sum / float64(max(1, len(gains[phenotype])))
	}
	if slow, none := mean("slow-weight"), mean("no-weight"); slow < 1.5 || none > 0.5 || none < -1 {
		t.Errorf("a mean gain of %.1f kg with weight, of %.1f kg without", slow, none)
	}
}

// Published: about 1.1 decompensations a patient-year, 2.1 exacerbations, and 0.6 or 2.9
// lows a week.
func TestEventsAreAsFrequentAsPublished(t *testing.T) {
	for _, c := range []struct {
		of             simulation.Condition
		kind           string
		patients, days int
		low, high      float64 // a patient-year
	}{
		{simulation.HeartFailure, simulation.Decompensation, 250, 180, 0.9, 1.3},
		{simulation.Pulmonary, simulation.Exacerbation, 150, 180, 1.6, 2.4},
		{simulation.Capillary, simulation.Hypoglycaemia, 40, 30, 0.6 * 52, 2.9 * 52},
	} {
		cohort, count := simulation.Cohort{Patients: c.patients, Days: c.days, Seed: 3, Of: c.of}, 0
		for i := range cohort.Patients {
			for _, e := range cohort.Patient(i).Events {
				if e.Kind == c.kind {
					count++
				}
			}
		}
		if rate := float64(count) * 365 / float64(c.patients*c.days); rate < c.low || rate > c.high {
			t.Errorf("%.2f a patient-year of %s", rate, c.kind)
		}
	}
}

// middle is the median weight of a patient between two moments.
func middle(p *simulation.Patient, from, to time.Time) (float64, bool) {
	var weights []float64
	for _, r := range p.Readings {
		if r.Measure.ID == "weight" && !r.Time.Before(from) && r.Time.Before(to) {
			weights = append(weights, r.Values[0].Float())
		}
	}
	if len(weights) == 0 {
		return 0, false
	}
	slices.Sort(weights)
	return weights[len(weights)/2], true
}

func TestThePhysicianKeepsWithinTheBoundsOfAParameter(t *testing.T) {
	protocol := &protocols.Protocol{Parameters: []protocols.Parameter{
		{Name: "systolic-low", Default: 100_000, Min: 95_000, Max: 110_000},
		{Name: "pulse-high", Default: 300_000, Min: 80_000, Max: 300_000},
	}}
	low := &simulation.Patient{Usual: map[string]float64{"systolic": 105, "pulse": 70}}
	settings := low.Settings(protocol)
	if settings["systolic-low"].Value != 95_000 || settings["systolic-low"].Reason == "" {
		t.Errorf("for a usual pressure of 105 the threshold is %+v, want its lowest bound", settings["systolic-low"])
	}
	if _, set := settings["pulse-high"]; set {
		t.Error("a default that is milder than needed was changed")
	}
	usual := &simulation.Patient{Usual: map[string]float64{"systolic": 140}}
	if settings := usual.Settings(protocol); len(settings) != 0 {
		t.Errorf("a patient whom the default suits has %v", settings)
	}
}
