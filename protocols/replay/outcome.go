package replay

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vigie/protocols"
)

// Outcome totals the alerts of one version of a protocol over a cohort.
type Outcome struct {
	Patients    int
	PatientDays float64
	Readings    int // within the span, while the patients were followed
	Alerts      []Alert
	Watched     []Watched
}

// Add joins what was found for one patient.
func (o *Outcome) Add(past Past, span Span, alerts []Alert) {
	o.Patients++
	span = span.Followed(&past.Enrolment)
	o.PatientDays += span.Days()
	o.Watched = append(o.Watched, Watched{past.Enrolment.Patient, span, past.Enrolment.Pauses})
	for _, r := range past.Readings {
		if span.Holds(r.Time) {
			o.Readings++
		}
	}
	o.Alerts = append(o.Alerts, alerts...)
}

// Merge joins what was found for other patients.
func (o *Outcome) Merge(other *Outcome) {
	o.Patients += other.Patients
	o.PatientDays += other.PatientDays
	o.Readings += other.Readings
	o.Alerts = append(o.Alerts, other.Alerts...)
	o.Watched = append(o.Watched, other.Watched...)
}

// Only is the part of some patients.
func (o *Outcome) Only(meant func(patient string) bool) *Outcome {
	part := &Outcome{}
	for _, w := range o.Watched {
		if meant(w.Patient) {
			part.Patients++
			part.PatientDays += w.Span.Days()
			part.Watched = append(part.Watched, w)
		}
	}
	for i := range o.Alerts {
		if meant(o.Alerts[i].Patient) {
			part.Alerts = append(part.Alerts, o.Alerts[i])
		}
	}
	return part
}

// Sort puts the alerts of all patients in the order in which they would have
// been raised.
func (o *Outcome) Sort() {
	slices.SortStableFunc(o.Alerts, func(a, b Alert) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Patient, b.Patient), cmp.Compare(a.Rule, b.Rule))
	})
}

// Totals is how much work an outcome makes for a care team.
type Totals struct {
	Alerts  int                     `json:"alerts"`
	Rate    float64                 `json:"per_100_patient_days"`
	ByLevel map[protocols.Level]int `json:"by_level"`
	ByRule  []RuleTotal             `json:"by_rule"`
	ByHour  [24]int                 `json:"by_hour"` // of the patient's own day
	Overlap []Overlap               `json:"overlap"`
}

// RuleTotal is the part of one rule in it.
type RuleTotal struct {
	Rule     string                  `json:"rule"`
	Alerts   int                     `json:"alerts"`
	Patients int                     `json:"patients"` // for whom it rang at least once
	Rate     float64                 `json:"per_100_patient_days"`
	ByLevel  map[protocols.Level]int `json:"by_level"`
}

// Overlap says how often two rules speak of the same thing: Shared of the
// alerts of Rule have one of With within 24 hours for the same patient.
type Overlap struct {
	Rule   string `json:"rule"`
	With   string `json:"with"`
	Shared int    `json:"shared"`
	Of     int    `json:"of"`
}

// Totals counts the alerts. Every rule of the protocol has its line, those that
// never rang included.
func (o *Outcome) Totals(rules []protocols.Rule) Totals {
	totals := Totals{
		Alerts: len(o.Alerts), Rate: o.rate(len(o.Alerts)),
		ByLevel: map[protocols.Level]int{}, ByRule: make([]RuleTotal, len(rules)), Overlap: overlaps(o.Alerts),
	}
	place := map[string]int{}
	for i, r := range rules {
		place[r.ID] = i
		totals.ByRule[i] = RuleTotal{Rule: r.ID, ByLevel: map[protocols.Level]int{}}
	}
	patients := map[[2]string]bool{}
	for i := range o.Alerts {
		a := &o.Alerts[i]
		totals.ByLevel[a.Level]++
		totals.ByHour[a.hour]++
		if _, known := place[a.Rule]; !known {
			place[a.Rule] = len(totals.ByRule)
			totals.ByRule = append(totals.ByRule, RuleTotal{Rule: a.Rule, ByLevel: map[protocols.Level]int{}})
		}
		rule := &totals.ByRule[place[a.Rule]]
		rule.Alerts++
		rule.ByLevel[a.Level]++
		if key := [2]string{a.Rule, a.Patient}; !patients[key] {
			patients[key] = true
			rule.Patients++
		}
	}
	for i := range totals.ByRule {
		totals.ByRule[i].Rate = o.rate(totals.ByRule[i].Alerts)
	}
	return totals
}

func (o *Outcome) rate(alerts int) float64 {
	if o.PatientDays == 0 {
		return 0
	}
	return 100 * float64(alerts) / o.PatientDays
}

// together is how close two alerts are when they are about the same thing.
const together = 24 * time.Hour

func overlaps(alerts []Alert) []Overlap {
	of := map[string]int{}
	shared := map[[2]string]int{}
	for _, own := range byPatient(alerts) {
		for i, a := range own {
			of[a.Rule]++
			for rule := range neighbours(own, i) {
				shared[[2]string{a.Rule, rule}]++
			}
		}
	}
	list := make([]Overlap, 0, len(shared))
	for pair, n := range shared {
		list = append(list, Overlap{pair[0], pair[1], n, of[pair[0]]})
	}
	slices.SortFunc(list, func(a, b Overlap) int {
		return cmp.Or(cmp.Compare(b.Shared, a.Shared), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.With, b.With))
	})
	return list
}

// neighbours is the set of other rules with an alert close to own[i]. own is in
// order of time.
func neighbours(own []*Alert, i int) map[string]bool {
	near := map[string]bool{}
	a := own[i]
	for j := i - 1; j >= 0 && a.Time.Sub(own[j].Time) <= together; j-- {
		near[own[j].Rule] = true
	}
	for j := i + 1; j < len(own) && own[j].Time.Sub(a.Time) <= together; j++ {
		near[own[j].Rule] = true
	}
	delete(near, a.Rule)
	return near
}

// byPatient parts alerts by patient, each part in order of time, the patients in
// order of their ids.
func byPatient(alerts []Alert) [][]*Alert {
	parts := map[string][]*Alert{}
	for i := range alerts {
		parts[alerts[i].Patient] = append(parts[alerts[i].Patient], &alerts[i])
	}
	list := make([][]*Alert, 0, len(parts))
	for _, patient := range slices.Sorted(maps.Keys(parts)) {
		own := parts[patient]
		slices.SortStableFunc(own, func(a, b *Alert) int { return a.Time.Compare(b.Time) })
		list = append(list, own)
	}
	return list
}
