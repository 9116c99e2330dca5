// Package measure runs a protocol on simulated patients whose events are known, and tells
// how many it saw, how long before, and at the price of how many alerts.
//
//	Trial   patients of one condition under one protocol
//	Found   what a whole measure found; the keys of its JSON are stable
//	Goal    a figure that the library is to reach, with what was measured
package measure

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// Found is what the whole measure found. The keys of its JSON are stable.
type Found struct {
	Simulation bool       `json:"simulation"` // always true: nobody here exists
	World      World      `json:"world"`
	Patients   int        `json:"patients"` // of each condition and seed
	Seeds      []uint64   `json:"seeds"`
	Protocols  []Protocol `json:"protocols"`

	// Phenotypes are those of the world, by kind of event, for their titles.
	Phenotypes map[string]map[string]simulation.Phenotype `json:"-"`
}

// EnoughPatients is how many of a condition, over all seeds, a figure takes.
const EnoughPatients = 200

// World says where the patients live.
type World struct {
	ID     string         `json:"id"`
	Title  protocols.Text `json:"title"`
	Digest string         `json:"digest"`
}

// Protocol is one protocol on patients of one condition that it is meant for.
type Protocol struct {
	Protocol  string               `json:"protocol"`
	Version   string               `json:"version"`
	Condition simulation.Condition `json:"condition"` // what these patients are followed for
	Patients  int                  `json:"patients"`
	TooFew    bool                 `json:"too_few_patients,omitempty"` // under EnoughPatients
	Days      int                  `json:"days"`
	Readings  int                  `json:"readings"`
	// Clinical holds the alerts about the patient against what happened to the patient;
	// Silence those of non-transmission against the silences.
	Clinical replay.Score `json:"clinical"`
	Silence  replay.Score `json:"non_transmission"`
	Rules    []Rule       `json:"rules"`
	// Technical counts the alerts about devices, which are about no event.
	Technical int `json:"technical_alerts"`
	// Rate counts alerts of any kind, and WithoutSilence those that are not about
	// transmission, per 100 patient-days.
	Rate           float64 `json:"alerts_of_any_kind_per_100_patient_days"`
	WithoutSilence float64 `json:"alerts_but_non_transmission_per_100_patient_days"`
	// Minutes is the work of a day with a team of 100 such patients.
	Minutes float64 `json:"people_minutes_a_day_for_100_patients"`
	// Several is the share of patient-days, in per cent, on which more than one clinical row opened.
	Several float64 `json:"days_of_several_clinical_alerts"`
	Stable  Stable  `json:"stable_patients"`
	Seeds   []Seed  `json:"by_seed"`
	Best    *Best   `json:"best_detector,omitempty"`
	Limits  Limits  `json:"limits"`
	Goals   []Goal  `json:"goals,omitempty"`
}

// Rule is one rule alone.
type Rule struct {
	Rule  string         `json:"rule"`
	Title protocols.Text `json:"title"`
	replay.Score
}

// Stable is the patients to whom nothing happened from beginning to end.
type Stable struct {
	Patients int     `json:"patients"`
	Alerts   int     `json:"clinical_alerts"`
	Rate     float64 `json:"clinical_per_100_patient_days"`
	// Danger is the part of Rate behind which is a value beyond the table of danger: the
	// table forces these. Other is the rest.
	Danger float64 `json:"beyond_danger_per_100_patient_days"`
	Other  float64 `json:"other_per_100_patient_days"`
}

// Seed is the part of one seed, for how far luck goes.
type Seed struct {
	Seed      uint64  `json:"seed"`
	Seen      float64 `json:"sensitivity"`
	InTime    float64 `json:"in_time_share"`
	FalseRate float64 `json:"false_per_100_patient_days"`
	Rate      float64 `json:"alerts_of_any_kind_per_100_patient_days"`
}

// Trial runs patients of one condition under one protocol.
type Trial struct {
	Protocol *protocols.Protocol
	Start    replay.Start
	World    *simulation.World
	Seeds    []uint64
	Cohort   simulation.Cohort
	// Office is when a delay that runs from a moment is over, in working hours there.
	Office func(from time.Time, delay time.Duration, zone *time.Location) time.Time

	parts   []part // by patient, in order
	zones   map[string]*time.Location
	classes map[string]class // by rule
}

// part is what one patient lived and what was said of it.
type part struct {
	outcome replay.Outcome
	events  []replay.Event
	suspect suspected
	zone    *time.Location
	came    came
}

// class is what kind of alert a rule raises.
type class int

const (
	clinicalAlert class = iota
	silenceAlert
	technicalAlert
)

// Run evaluates every patient and judges what rang. done is called for each patient, by
// several goroutines.
func (m *Trial) Run(ctx context.Context, done func()) (*Protocol, error) {
	many := m.Cohort.Patients
	m.parts = make([]part, many*len(m.Seeds))
	kind := bestKinds[m.Cohort.Of]
	err := replay.Each(ctx, runtime.GOMAXPROCS(0), len(m.parts), func(i int) error {
		cohort := m.Cohort
		cohort.Seed = m.Seeds[i/many]
		part, err := m.live(cohort.Patient(i%many), fmt.Sprintf("%d/%d", cohort.Seed, i%many), kind)
		if err != nil {
			return err
		}
		m.parts[i] = *part
		done()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m.judge(kind), nil
}

// live runs one patient. Patients of two seeds have the same name, so each gets another.
func (m *Trial) live(patient *simulation.Patient, name, kind string) (*part, error) {
	part := &part{events: patient.Events, zone: patient.Zone, came: cameOf(patient)}
	past := patient.Under(m.Protocol)
	past.Enrolment.Patient = name
	for i := range part.events {
		part.events[i].Patient = name
	}
	span := replay.Span{From: patient.From, To: patient.To}
	rang, err := replay.Alerts(m.Start, *past, span, nil)
	if err != nil {
		return nil, err
	}
	table := m.dangersOf(patient)
	for i := range rang {
		rang[i].Danger = table.behind(rang[i].Explanation)
		rang[i].Patient, rang[i].Explanation = name, nil
	}
	part.outcome.Add(*past, span, rang)
	if kind != "" {
		part.suspect = suspected{name, patient.From, patient.Suspicions(kind, m.Cohort.Days)}
	}
	return part, nil
}

// whole joins the parts of some seeds.
func (m *Trial) whole(parts []part) (*replay.Outcome, []replay.Event) {
	outcome, events := &replay.Outcome{}, []replay.Event(nil)
	for i := range parts {
		outcome.Merge(&parts[i].outcome)
		events = append(events, parts[i].events...)
	}
	return outcome, events
}

func (m *Trial) judge(kind string) *Protocol {
	p := m.Protocol
	m.zones, m.classes = map[string]*time.Location{}, map[string]class{}
	for i := range m.parts {
		m.zones[m.parts[i].outcome.Watched[0].Patient] = m.parts[i].zone
	}
	for i := range p.Rules {
		m.classes[p.Rules[i].ID] = classOf(&p.Rules[i])
	}
	outcome, events := m.whole(m.parts)
	truth := replay.Truth{Events: events, Dealt: m.dealt}
	parted := truth
	parted.Parted = true
	found := &Protocol{
		Protocol: p.ID, Version: p.Version, Condition: m.Cohort.Of, Patients: outcome.Patients, Days: m.Cohort.Days, Readings: outcome.Readings,
		Clinical: outcome.Judge(parted, m.are(clinicalAlert), clinicalKind), Silence: outcome.Judge(truth, m.are(silenceAlert), silentKind),
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		about := clinicalKind
		switch m.classes[rule.ID] {
		case technicalAlert:
			continue
		case silenceAlert:
			about = silentKind
		}
		found.Rules = append(found.Rules, Rule{rule.ID, rule.Title, outcome.Judge(truth, func(a *replay.Alert) bool { return a.Rule == rule.ID }, about)})
	}
	found.TooFew = found.Patients < EnoughPatients
	m.work(found, outcome)
	calm := m.stable(found, outcome, truth)
	for n, seed := range m.Seeds {
		found.Seeds = append(found.Seeds, m.bySeed(seed, m.parts[n*m.Cohort.Patients:(n+1)*m.Cohort.Patients], found))
	}
	if kind != "" {
		suspects := make([]suspected, len(m.parts))
		for i := range m.parts {
			suspects[i] = m.parts[i].suspect
		}
		found.Best = best(kind, suspects, outcome, truth)
	}
	found.Limits = m.limits(found)
	found.Goals = found.againstGoals()
	for i := range found.Goals {
		found.Goals[i].Mostly = m.mostly(found.Goals[i].Figure, found, calm)
	}
	return found
}

// work counts the rows of the list and what they cost.
func (m *Trial) work(found *Protocol, outcome *replay.Outcome) {
	minutes, rows := 0.0, outcome.Rows(m.dealt)
	for i := range rows {
		minutes += m.World.Work.Minutes[rows[i].Level.String()]
		if m.classOf(&rows[i]) == technicalAlert {
			found.Technical++
		}
	}
	days := outcome.PatientDays
	found.Several = 100 * float64(m.crowded(rows)) / days
	found.Minutes = 100 * minutes / days
	found.Rate = 100 * float64(len(rows)) / days
	found.WithoutSilence = 100 * float64(len(rows)-found.Silence.Alerts) / days
}

// crowded counts the days of patients on which more than one clinical row opened.
func (m *Trial) crowded(rows []replay.Alert) (days int) {
	type civil struct {
		patient string
		day     int
	}
	opened := map[civil]int{}
	for i := range rows {
		if a := &rows[i]; m.classOf(a) == clinicalAlert {
			at := a.Time.In(m.zones[a.Patient])
			on := civil{a.Patient, 1000*at.Year() + at.YearDay()}
			if opened[on]++; opened[on] == 2 {
				days++
			}
		}
	}
	return days
}

// stable counts the alerts of those to whom nothing happened, and returns what was theirs.
func (m *Trial) stable(found *Protocol, outcome *replay.Outcome, truth replay.Truth) *replay.Outcome {
	lived := map[string]bool{}
	for _, e := range truth.Events {
		if clinicalKind(e.Kind) {
			lived[e.Patient] = true
		}
	}
	calm := outcome.Only(func(patient string) bool { return !lived[patient] })
	score := calm.Judge(truth, m.are(clinicalAlert), clinicalKind)
	found.Stable = Stable{Patients: calm.Patients, Alerts: score.Alerts, Rate: score.Rate}
	if score.Alerts > 0 {
		found.Stable.Danger = score.Rate * float64(m.parted(calm)) / float64(score.Alerts)
		found.Stable.Other = score.Rate - found.Stable.Danger
	}
	return calm
}

func (m *Trial) bySeed(seed uint64, parts []part, found *Protocol) Seed {
	outcome, events := m.whole(parts)
	truth := replay.Truth{Events: events, Dealt: m.dealt}
	score := outcome.Judge(truth, m.are(clinicalAlert), clinicalKind)
	one := Seed{Seed: seed, FalseRate: score.FalseRate, Rate: 100 * float64(len(outcome.Rows(m.dealt))) / outcome.PatientDays}
	for _, k := range score.Kinds {
		if k.Kind == mainKinds[found.Condition] {
			one.Seen, one.InTime = k.Sensitivity, k.InTimeShare
		}
	}
	return one
}

// dealt is when the team has dealt with a row: within the protocol's delay, which runs in
// office hours where the patient lives.
func (m *Trial) dealt(a *replay.Alert) time.Time {
	answer := m.Protocol.Answer[a.Level]
	if answer == 0 {
		answer = 24 * time.Hour
	}
	return m.Office(a.Time, answer, m.zones[a.Patient])
}

// are admits the alerts of a class. What never got beyond the technical level, of a rule
// that may, is about a device.
func (m *Trial) are(c class) func(*replay.Alert) bool {
	return func(a *replay.Alert) bool { return m.classOf(a) == c }
}

func (m *Trial) classOf(a *replay.Alert) class {
	own := m.classes[a.Rule]
	if own == clinicalAlert && a.Level == protocols.Technical {
		return technicalAlert
	}
	return own
}

func clinicalKind(kind string) bool { return kind != simulation.Dropout }
func silentKind(kind string) bool   { return kind == simulation.Dropout }

func classOf(rule *protocols.Rule) class {
	if rule.Absence != nil {
		return silenceAlert
	}
	for _, level := range rule.Levels {
		if level.Level != protocols.Technical {
			return clinicalAlert
		}
	}
	return technicalAlert
}
