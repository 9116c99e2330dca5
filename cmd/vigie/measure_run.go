package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"vigie/alerts"
	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/seeds/simulation"
)

// measured is what the whole measure found. The keys of its JSON are stable.
type measured struct {
	Simulation bool               `json:"simulation"` // always true: nobody here exists
	World      measuredWorld      `json:"world"`
	Patients   int                `json:"patients"` // of each condition and seed
	Seeds      []uint64           `json:"seeds"`
	Protocols  []measuredProtocol `json:"protocols"`

	phenotypes map[string]map[string]simulation.Phenotype // of the world, for their titles
}

// measuredWorld says where the patients live.
type measuredWorld struct {
	ID     string         `json:"id"`
	Title  protocols.Text `json:"title"`
	Digest string         `json:"digest"`
}

// measuredProtocol is one protocol on patients of one condition that it is meant for.
type measuredProtocol struct {
	Protocol  string               `json:"protocol"`
	Version   string               `json:"version"`
	Condition simulation.Condition `json:"condition"` // what these patients are followed for
	Patients  int                  `json:"patients"`
	Days      int                  `json:"days"`
	Readings  int                  `json:"readings"`
	// Clinical holds the alerts about the patient against what happened to the patient;
	// Silence those of non-transmission against the silences.
	Clinical replay.Score   `json:"clinical"`
	Silence  replay.Score   `json:"non_transmission"`
	Rules    []measuredRule `json:"rules"`
	// Technical counts the alerts about devices, which are about no event.
	Technical int `json:"technical_alerts"`
	// Rate counts alerts of any kind, and WithoutSilence those that are not about
	// transmission, per 100 patient-days.
	Rate           float64 `json:"alerts_of_any_kind_per_100_patient_days"`
	WithoutSilence float64 `json:"alerts_but_non_transmission_per_100_patient_days"`
	// Minutes is the work of a day with a team of 100 such patients.
	Minutes float64        `json:"people_minutes_a_day_for_100_patients"`
	Stable  measuredStable `json:"stable_patients"`
	Seeds   []measuredSeed `json:"by_seed"`
	Best    *measuredBest  `json:"best_detector,omitempty"`
	Goals   []measuredGoal `json:"goals,omitempty"`
}

// measuredRule is one rule alone.
type measuredRule struct {
	Rule  string         `json:"rule"`
	Title protocols.Text `json:"title"`
	replay.Score
}

// measuredStable is the patients to whom nothing happened from beginning to end.
type measuredStable struct {
	Patients int     `json:"patients"`
	Alerts   int     `json:"clinical_alerts"`
	Rate     float64 `json:"clinical_per_100_patient_days"`
}

// measuredSeed is the part of one seed, for how far luck goes.
type measuredSeed struct {
	Seed      uint64  `json:"seed"`
	Seen      float64 `json:"sensitivity"`
	InTime    float64 `json:"in_time_share"`
	FalseRate float64 `json:"false_per_100_patient_days"`
	Rate      float64 `json:"alerts_of_any_kind_per_100_patient_days"`
}

// measuring runs patients of one condition under one protocol.
type measuring struct {
	version *candidate
	world   *simulation.World
	seeds   []uint64
	cohort  simulation.Cohort

	parts   []measuredPart // by patient, in order
	zones   map[string]*time.Location
	classes map[string]class // by rule
}

// measuredPart is what one patient lived and what was said of it.
type measuredPart struct {
	outcome replay.Outcome
	events  []replay.Event
	suspect suspected
	zone    *time.Location
}

// class is what kind of alert a rule raises.
type class int

const (
	clinicalAlert class = iota
	silenceAlert
	technicalAlert
)

func (m *measuring) run(ctx context.Context, bar *progress) (*measuredProtocol, error) {
	many := m.cohort.Patients
	m.parts = make([]measuredPart, many*len(m.seeds))
	kind := bestKinds[m.cohort.Of]
	err := replay.Each(ctx, runtime.GOMAXPROCS(0), len(m.parts), func(i int) error {
		cohort := m.cohort
		cohort.Seed = m.seeds[i/many]
		part, err := m.live(cohort.Patient(i%many), fmt.Sprintf("%d/%d", cohort.Seed, i%many), kind)
		if err != nil {
			return err
		}
		m.parts[i] = *part
		bar.add(1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m.judge(kind), nil
}

// live runs one patient. Patients of two seeds have the same name, so each gets another.
func (m *measuring) live(patient *simulation.Patient, name, kind string) (*measuredPart, error) {
	part := &measuredPart{events: patient.Events, zone: patient.Zone}
	past := patient.Under(m.version.protocol)
	past.Enrolment.Patient = name
	for i := range part.events {
		part.events[i].Patient = name
	}
	span := replay.Span{From: patient.From, To: patient.To}
	rang, err := replay.Alerts(m.version.start, *past, span, nil)
	if err != nil {
		return nil, err
	}
	for i := range rang {
		rang[i].Patient, rang[i].Explanation = name, nil
	}
	part.outcome.Add(*past, span, rang)
	if kind != "" {
		part.suspect = suspected{name, patient.From, patient.Suspicions(kind, m.cohort.Days)}
	}
	return part, nil
}

// whole joins the parts of some seeds.
func (m *measuring) whole(parts []measuredPart) (*replay.Outcome, []replay.Event) {
	outcome, events := &replay.Outcome{}, []replay.Event(nil)
	for i := range parts {
		outcome.Merge(&parts[i].outcome)
		events = append(events, parts[i].events...)
	}
	return outcome, events
}

func (m *measuring) judge(kind string) *measuredProtocol {
	p := m.version.protocol
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
	found := &measuredProtocol{
		Protocol: p.ID, Version: p.Version, Condition: m.cohort.Of, Patients: outcome.Patients, Days: m.cohort.Days, Readings: outcome.Readings,
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
		found.Rules = append(found.Rules, measuredRule{rule.ID, rule.Title, outcome.Judge(truth, func(a *replay.Alert) bool { return a.Rule == rule.ID }, about)})
	}
	m.work(found, outcome)
	m.stable(found, outcome, truth)
	for n, seed := range m.seeds {
		found.Seeds = append(found.Seeds, m.bySeed(seed, m.parts[n*m.cohort.Patients:(n+1)*m.cohort.Patients], found))
	}
	if kind != "" {
		suspects := make([]suspected, len(m.parts))
		for i := range m.parts {
			suspects[i] = m.parts[i].suspect
		}
		found.Best = best(kind, suspects, outcome, truth)
	}
	found.Goals = found.againstGoals()
	return found
}

// work counts the rows of the list and what they cost.
func (m *measuring) work(found *measuredProtocol, outcome *replay.Outcome) {
	minutes, rows := 0.0, outcome.Rows(m.dealt)
	for i := range rows {
		minutes += m.world.Work.Minutes[rows[i].Level.String()]
		if m.classOf(&rows[i]) == technicalAlert {
			found.Technical++
		}
	}
	days := outcome.PatientDays
	found.Minutes = 100 * minutes / days
	found.Rate = 100 * float64(len(rows)) / days
	found.WithoutSilence = 100 * float64(len(rows)-found.Silence.Alerts) / days
}

func (m *measuring) stable(found *measuredProtocol, outcome *replay.Outcome, truth replay.Truth) {
	lived := map[string]bool{}
	for _, e := range truth.Events {
		if clinicalKind(e.Kind) {
			lived[e.Patient] = true
		}
	}
	calm := outcome.Only(func(patient string) bool { return !lived[patient] })
	score := calm.Judge(truth, m.are(clinicalAlert), clinicalKind)
	found.Stable = measuredStable{calm.Patients, score.Alerts, score.Rate}
}

func (m *measuring) bySeed(seed uint64, parts []measuredPart, found *measuredProtocol) measuredSeed {
	outcome, events := m.whole(parts)
	truth := replay.Truth{Events: events, Dealt: m.dealt}
	score := outcome.Judge(truth, m.are(clinicalAlert), clinicalKind)
	one := measuredSeed{Seed: seed, FalseRate: score.FalseRate, Rate: 100 * float64(len(outcome.Rows(m.dealt))) / outcome.PatientDays}
	for _, k := range score.Kinds {
		if k.Kind == mainKinds[found.Condition] {
			one.Seen, one.InTime = k.Sensitivity, k.InTimeShare
		}
	}
	return one
}

// dealt is when the team has dealt with a row: within the protocol's delay, which runs on
// working days from 8:30 to 18:00 where the patient lives.
func (m *measuring) dealt(a *replay.Alert) time.Time {
	answer := m.version.protocol.Answer[a.Level]
	if answer == 0 {
		answer = 24 * time.Hour
	}
	hours := alerts.Calendar{
		Zone: m.zones[a.Patient], Opens: 8*time.Hour + 30*time.Minute, Closes: 18 * time.Hour, Days: [7]bool{false, true, true, true, true, true, false},
	}
	return hours.Add(a.Time, answer)
}

// are admits the alerts of a class. What never got beyond the technical level, of a rule
// that may, is about a device.
func (m *measuring) are(c class) func(*replay.Alert) bool {
	return func(a *replay.Alert) bool { return m.classOf(a) == c }
}

func (m *measuring) classOf(a *replay.Alert) class {
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
