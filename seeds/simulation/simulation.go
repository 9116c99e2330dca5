// Package simulation makes patients who do not exist, with what truly happens
// to them, so that care protocols can be measured: how many decompensations,
// exacerbations, hypoglycaemias and silences are caught, how early, and at the
// price of how many false alerts.
//
// The physiology is a simplification drawn from published orders of magnitude,
// not from patients. What is found on it says how protocols compare with each
// other; it says nothing about real people, and it is no clinical evidence.
//
// The same seed gives the same cohort, reading for reading, whatever the order
// in which the patients are made.
package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// Condition is what a simulated patient is followed for.
type Condition string

// The conditions.
const (
	HeartFailure Condition = "heart-failure"
	Sensor       Condition = "diabetes-sensor"    // interstitial glucose, all day
	Capillary    Condition = "diabetes-capillary" // four capillary glucoses a day
	Pregnancy    Condition = "diabetes-pregnancy" // a sensor too, and a tighter range
	Pulmonary    Condition = "copd"               // without ventilation or oxygen
	Ventilated   Condition = "ventilated"         // chronic respiratory failure with a ventilator
	Oxygen       Condition = "oxygen"             // chronic respiratory failure with oxygen at home
	HomeDialysis Condition = "home-dialysis"
	Graft        Condition = "graft"
	Implant      Condition = "implant"
	HighPressure Condition = "hypertension"
	// Nothing happens to the patients of these.
	Peritoneal Condition = "peritoneal-dialysis"
	Cancer     Condition = "cancer-treatment"
	Gestation  Condition = "gestational-hypertension"
	Operated   Condition = "post-operative"
)

// mix is the make-up of each twenty-five patients.
var mix = [25]Condition{
	HeartFailure, Sensor, Pulmonary, HeartFailure, HighPressure,
	HeartFailure, Ventilated, Capillary, HeartFailure, HomeDialysis,
	HeartFailure, Sensor, Oxygen, HeartFailure, Pulmonary,
	HeartFailure, HighPressure, Implant, HeartFailure, Graft,
	HeartFailure, Sensor, Pregnancy, HeartFailure, Ventilated,
}

// The kinds of event.
const (
	Decompensation   = "decompensation"    // of heart failure, up to the treatment at home or the admission
	OtherIllness     = "other-illness"     // breathlessness of another cause, in heart failure
	Exacerbation     = "exacerbation"      // respiratory, up to the treatment at home or the admission
	worsening        = "worsening"         // of the breath, which passes by itself and is no event
	Hypoglycaemia    = "hypoglycaemia"     // true glucose under 54 mg/dL for 15 minutes
	HypoglycaemiaRun = "hypoglycaemia-run" // three of them within seven days
	LeakingMask      = "leaking-mask"      // days of ventilation that does not ventilate
	PressureSurge    = "pressure-surge"    // a week or two of blood pressure far above the usual
	FluidOverload    = "fluid-overload"    // on dialysis, above dry weight from session to session
	PressureDrop     = "pressure-drop"     // of 35 mmHg and more during a dialysis session
	CreatinineRise   = "creatinine-rise"   // of a graft or a failing kidney
	ImplantWarning   = "implant-warning"   // what the implant itself reports
	Dropout          = "dropout"           // silence of four days or more
)

// Groups of events that go across phenotypes.
const (
	Announced    = "announced"      // builds up over a week or more, with a sign that this patient measures on most days
	QuietWhenIll = "quiet-when-ill" // of patients who measure less when they are ill
	Sudden       = "sudden"         // whose first change leaves no time for an alert in time
	Signless     = "signless"       // without a sign that this patient measures on most days
	Shown        = "shown"          // hypoglycaemia of which a value below 54 mg/dL was sent while it lasted
	Unshown      = "unshown"        // hypoglycaemia of which none was
)

const (
	day = 24 * time.Hour
	// firstDayOfEvents leaves a week to get used to the devices.
	firstDayOfEvents = 8
)

// firstDay is when every simulated cohort begins. A cohort of 90 days holds the
// spring change of the clocks.
var firstDay = [3]int{2026, 2, 1}

// Cohort is a number of patients over a number of days.
type Cohort struct {
	Patients int
	Days     int
	Seed     uint64
	// Of makes every patient one of this condition; the usual mix where it is empty.
	Of Condition
	// World is where they live; the reported one where it is nil.
	World *World
}

// Patient is one of them, with all that was measured and all that happened.
type Patient struct {
	ID        string
	Condition Condition
	Zone      *time.Location
	From      time.Time // first day, local midnight
	To        time.Time
	Readings  []*protocols.Reading // in canonical order
	Events    []replay.Event       // in order of time
	Pauses    []protocols.Pause    // days in hospital
	// Usual holds what a physician knows of this patient and would set: by
	// measure, in the canonical unit.
	Usual map[string]float64
	// Observed are the signs of illness among the readings, for whoever knows the patient.
	Observed []Observed
	scatter  [signs]float64
	world    *World
}

// Observed is how one sign looked on one day of a patient: how far from the usual, in
// standard deviations of quiet days.
type Observed struct {
	Day  int
	Sign sign
	Off  float64
}

// Span is from the first to the last local midnight of any patient.
func (c Cohort) Span() replay.Span {
	from := time.Date(firstDay[0], time.Month(firstDay[1]), firstDay[2], 0, 0, 0, 0, time.UTC)
	return replay.Span{From: from.Add(-day), To: from.AddDate(0, 0, c.Days+1)}
}

// Patient makes the patient at place i, from 0.
func (c Cohort) Patient(i int) *Patient {
	l := newLife(i, c)
	l.plan()
	for d := range l.days {
		l.live(d)
	}
	p := l.patient
	slices.SortStableFunc(p.Readings, func(a, b *protocols.Reading) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	slices.SortStableFunc(p.Events, func(a, b replay.Event) int { return a.Began.Compare(b.Began) })
	return p
}

// followed says which protocol of the library follows each condition, and the
// measure without which no other protocol could.
var followed = map[Condition]struct{ protocol, measure string }{
	HeartFailure: {"heart-failure", "weight"},
	Sensor:       {"diabetes", "glucose"},
	Capillary:    {"diabetes", "glucose"},
	Pregnancy:    {"diabetes-pregnancy", "glucose"},
	Pulmonary:    {"copd", "oxygen-saturation"},
	Ventilated:   {"respiratory-failure", "ventilation"},
	Oxygen:       {"respiratory-failure-oxygen", "oxygen-therapy"},
	HomeDialysis: {"kidney-failure", "dialysis-session"},
	Graft:        {"kidney-failure-graft", "creatinine"},
	Implant:      {"cardiac-implant", "implant"},
	HighPressure: {"hypertension", "blood-pressure"},
	Peritoneal:   {"peritoneal-dialysis", "weight"},
	Cancer:       {"cancer-treatment", "pain"},
	Gestation:    {"gestational-hypertension", "blood-pressure"},
	Operated:     {"post-operative", "temperature"},
}

// Followed lists the conditions that a protocol is for: by its name, and else by the
// measure that it makes mandatory.
func Followed(p *protocols.Protocol) []Condition {
	var named, taking []Condition
	for condition, by := range followed {
		if by.protocol == p.ID {
			named = append(named, condition)
		}
		if slices.ContainsFunc(p.Observations, func(o protocols.Observation) bool { return o.Mandatory && o.Measure.ID == by.measure }) {
			taking = append(taking, condition)
		}
	}
	if len(named) > 0 {
		taking = named
	}
	slices.Sort(taking)
	return taking
}

// For lists the places of the patients whom a protocol would follow.
func (c Cohort) For(p *protocols.Protocol) []int {
	meant := Followed(p)
	return c.where(func(condition Condition) bool { return slices.Contains(meant, condition) })
}

// Condition is what the patient at place i is followed for.
func (c Cohort) Condition(i int) Condition {
	if c.Of != "" {
		return c.Of
	}
	return mix[i%len(mix)]
}

func (c Cohort) where(meant func(Condition) bool) []int {
	var places []int
	for i := range c.Patients {
		if meant(c.Condition(i)) {
			places = append(places, i)
		}
	}
	return places
}

// Under is the patient as a replay takes it, enrolled under a protocol with the
// settings of a physician who knows the patient.
func (p *Patient) Under(protocol *protocols.Protocol) *replay.Past {
	return &replay.Past{Readings: p.Readings, Enrolment: protocols.Enrolment{
		ID: p.ID, Patient: p.ID, Zone: p.Zone, From: p.From, Until: p.To, Pauses: p.Pauses, Settings: p.Settings(protocol),
	}}
}

// zones are where the patients live; the first is by far the most frequent.
var zones = []string{"Europe/Paris", "Indian/Reunion", "America/Martinique", "America/Cayenne", "Pacific/Noumea"}

func newLife(i int, c Cohort) *life {
	world := c.World
	if world == nil {
		world = Reported()
	}
	rng := rand.New(rand.NewPCG(c.Seed, world.Stream<<32|uint64(i)))
	zone := zones[0]
	if rng.Float64() < 0.12 {
		zone = zones[1+rng.IntN(len(zones)-1)]
	}
	l := &life{
		Rand: rng, world: world, days: c.Days, answers: map[string]float64{}, bad: map[int]float64{},
		patient: &Patient{
			ID: fmt.Sprintf("sim-%04d", i+1), Condition: c.Condition(i),
			Zone: location(zone), Usual: map[string]float64{}, world: world,
		},
	}
	l.patient.From, l.patient.To = l.midnight(0), l.midnight(c.Days)
	l.habits = l.newHabits()
	l.body = l.newBody()
	return l
}

// location loads a zone; without the zone's rules on this machine its usual
// offset would be a guess, so it falls back on UTC.
func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
