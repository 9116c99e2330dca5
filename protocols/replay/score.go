package replay

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Event is something that truly happened to a patient, known from elsewhere: an
// admission, a hypoglycaemia, a silence.
type Event struct {
	Kind    string    `json:"kind"`
	Patient string    `json:"patient"`
	Began   time.Time `json:"began"`  // the first change that could have been seen
	At      time.Time `json:"at"`     // the event itself
	Useful  time.Time `json:"useful"` // an alert raised later than this has come too late to help
	Over    time.Time `json:"over"`   // an alert raised later than this is about something else
}

// Caught says how the alerts of some rules fared against one kind of event.
type Caught struct {
	Kind        string  `json:"kind"`
	Events      int     `json:"events"`
	Caught      int     `json:"caught"`      // at least one alert from Began to Useful
	Sensitivity float64 `json:"sensitivity"` // Caught of Events, in per cent
	// Likely is where the sensitivity would lie with many more such events.
	Likely Interval `json:"sensitivity_95"`
	// Ahead counts the events with an alert three days before them or earlier.
	Ahead       int      `json:"caught_3_days_ahead"`
	AheadShare  float64  `json:"sensitivity_3_days_ahead"` // of Events, in per cent
	AheadLikely Interval `json:"sensitivity_3_days_ahead_95"`
	Warning     float64  `json:"warning_days"` // median days from the first alert to the event; negative when it came after
	// Chance is the share, in per cent, of stretches as long as the events, of
	// the same patients at quiet times, that hold an alert all the same. A
	// sensitivity is worth what it exceeds this by.
	Chance float64 `json:"by_chance"`
}

// ahead is how long before an event an alert leaves time to treat.
const ahead = 3 * 24 * time.Hour

// Interval is a range in per cent that holds the true share in 95 of 100 measures.
// It takes the events as independent, and those of one patient are not quite.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// interval is the score interval of a share (E. B. Wilson, 1927), which keeps to
// 0 and 100 per cent and suits few events. It is 0 to 100 per cent for none.
func interval(part, whole int) Interval {
	if whole == 0 {
		return Interval{0, 100}
	}
	const z = 1.959964 // of the normal distribution, for 95 per cent
	n, p := float64(whole), float64(part)/float64(whole)
	middle, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return Interval{100 * max(0, (middle-half)/(1+z*z/n)), 100 * min(1, (middle+half)/(1+z*z/n))}
}

// Score is how the alerts of some rules fared against what truly happened.
type Score struct {
	Kinds       []Caught `json:"kinds"`
	Alerts      int      `json:"alerts"`
	Rate        float64  `json:"alerts_per_100_patient_days"`
	False       int      `json:"false_alerts"` // outside of every event of the patient
	FalseRate   float64  `json:"false_per_100_patient_days"`
	Precision   float64  `json:"true_per_cent"` // alerts that are about an event, in per cent
	PatientDays float64  `json:"patient_days"`
}

// Judge scores the alerts that rules admits against events. Only the kinds of
// event that kinds admits count as something to be caught, and as something an
// alert may rightly be about.
func (o *Outcome) Judge(events []Event, span Span, rules, kinds func(string) bool) Score {
	score := Score{PatientDays: o.PatientDays}
	alerts := timesByPatient(o.Alerts, rules)
	happened := map[string][]Event{}
	names := []string{}
	for _, e := range events {
		if !kinds(e.Kind) {
			continue
		}
		happened[e.Patient] = append(happened[e.Patient], e)
		if !slices.Contains(names, e.Kind) {
			names = append(names, e.Kind)
		}
	}
	for patient, times := range alerts {
		score.Alerts += len(times)
		for _, t := range times {
			if !during(happened[patient], t) {
				score.False++
			}
		}
	}
	slices.Sort(names)
	for _, kind := range names {
		score.Kinds = append(score.Kinds, caught(kind, happened, alerts, span))
	}
	score.Rate, score.FalseRate = o.rate(score.Alerts), o.rate(score.False)
	score.Precision = share(score.Alerts-score.False, score.Alerts)
	return score
}

func timesByPatient(alerts []Alert, rules func(string) bool) map[string][]time.Time {
	times := map[string][]time.Time{}
	for i := range alerts {
		if a := &alerts[i]; rules(a.Rule) {
			times[a.Patient] = append(times[a.Patient], a.Time)
		}
	}
	for _, t := range times {
		slices.SortFunc(t, time.Time.Compare)
	}
	return times
}

func during(events []Event, t time.Time) bool {
	return slices.ContainsFunc(events, func(e Event) bool { return !t.Before(e.Began) && !t.After(e.Over) })
}

func caught(kind string, happened map[string][]Event, alerts map[string][]time.Time, span Span) Caught {
	c := Caught{Kind: kind}
	var warnings []time.Duration
	quiet, rang := 0, 0
	for patient, events := range happened {
		for _, e := range events {
			if e.Kind != kind {
				continue
			}
			c.Events++
			if t, ok := firstIn(alerts[patient], e.Began, e.Useful); ok {
				c.Caught++
				if e.At.Sub(t) >= ahead {
					c.Ahead++
				}
				warnings = append(warnings, e.At.Sub(t))
			}
			q, r := chance(events, alerts[patient], e.Useful.Sub(e.Began), span)
			quiet, rang = quiet+q, rang+r
		}
	}
	c.Sensitivity, c.Likely = share(c.Caught, c.Events), interval(c.Caught, c.Events)
	c.AheadShare, c.AheadLikely = share(c.Ahead, c.Events), interval(c.Ahead, c.Events)
	c.Warning = median(warnings).Hours() / 24
	c.Chance = share(rang, quiet)
	return c
}

// firstIn returns the first of times in [from, to]; times are in order.
func firstIn(times []time.Time, from, to time.Time) (time.Time, bool) {
	i, _ := slices.BinarySearchFunc(times, from, time.Time.Compare)
	if i < len(times) && !times[i].After(to) {
		return times[i], true
	}
	return time.Time{}, false
}

// chance counts the stretches of that length, one beginning each day, that touch
// no event, and those among them that hold an alert.
func chance(events []Event, alerts []time.Time, length time.Duration, span Span) (quiet, rang int) {
	for from := span.From; from.Add(length).Before(span.To); from = from.Add(24 * time.Hour) {
		to := from.Add(length)
		touched := slices.ContainsFunc(events, func(e Event) bool { return !to.Before(e.Began) && !from.After(e.Over) })
		if touched {
			continue
		}
		quiet++
		if _, ok := firstIn(alerts, from, to); ok {
			rang++
		}
	}
	return quiet, rang
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

func median[T cmp.Ordered](values []T) T {
	if len(values) == 0 {
		var none T
		return none
	}
	slices.Sort(values)
	return values[len(values)/2]
}
