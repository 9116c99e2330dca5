package replay

import (
	"math"
	"slices"
	"time"

	"vigie/protocols"
)

// Event is something that truly happened to a patient, known from elsewhere: an
// admission, a hypoglycaemia, a silence.
type Event struct {
	Kind    string    `json:"kind"`
	Patient string    `json:"patient"`
	Groups  []string  `json:"groups,omitempty"` // parts of its kind that it belongs to: phenotypes
	Began   time.Time `json:"began"`            // the first change that could have been seen
	// InTime is the last moment at which an alert leaves the time to act that its kind asks
	// for: three days before, or a day after. Before Began, where nothing could.
	InTime time.Time `json:"in_time"`
	At     time.Time `json:"at"`     // the event itself
	Useful time.Time `json:"useful"` // an alert raised later than this has come too late to help
	Over   time.Time `json:"over"`   // until then, and no longer, quiet days are not quiet
	// Standing says that an alert at orange or red which holds when it begins tells of it
	// too: its row is open, or comes back within a day of being dealt with.
	Standing bool `json:"standing,omitempty"`
}

// Caught says how the alerts of some rules fared against one kind of event, or one group
// of it.
type Caught struct {
	Kind        string  `json:"kind"`
	Group       string  `json:"group,omitempty"`
	Events      int     `json:"events"`
	Caught      int     `json:"caught"`      // an alert rang, or rose, from Began to Useful, or was Standing
	Sensitivity float64 `json:"sensitivity"` // Caught of Events, in per cent
	// Likely is where the sensitivity would lie with many more such events.
	Likely Interval `json:"sensitivity_95"`
	// InTime counts the events with an alert from Began to InTime.
	InTime       int      `json:"in_time"`
	InTimeShare  float64  `json:"in_time_share"` // of Events, in per cent
	InTimeLikely Interval `json:"in_time_share_95"`
	// Warning is the median, in days, from the first ring to the event; negative when it
	// came after. WarningLikely is where that of many more events would lie.
	Warning       float64  `json:"warning_days"`
	WarningLikely Interval `json:"warning_days_95"`
	// ChanceWarning is the median that quiet stretches as long as the events give, counted
	// as if each ended in such an event; 0 where nothing rings in them.
	ChanceWarning float64 `json:"warning_days_by_chance"`
	// Chance is the share, in per cent, of stretches as long as the events, of all patients
	// at quiet times, in which an alert rings all the same; ChanceInTime likewise of
	// stretches from Began to InTime. A share is worth what it exceeds this by.
	Chance       float64 `json:"by_chance"`
	ChanceInTime float64 `json:"in_time_by_chance"`
	// Groups holds the same of each part of the kind.
	Groups []Caught `json:"groups,omitempty"`
}

// Interval is a range that holds the true figure in 95 of 100 measures. It takes the
// events as independent, and those of one patient are not quite.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// normal95 is the quantile of the normal distribution for 95 per cent.
const normal95 = 1.959964

// interval is the score interval of a share (E. B. Wilson, 1927), in per cent, which keeps
// to 0 and 100 and suits few events. It is 0 to 100 per cent for none.
func interval(part, whole int) Interval {
	if whole == 0 {
		return Interval{0, 100}
	}
	const z = normal95
	n, p := float64(whole), float64(part)/float64(whole)
	middle, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return Interval{100 * max(0, (middle-half)/(1+z*z/n)), 100 * min(1, (middle+half)/(1+z*z/n))}
}

// medianInterval is that of a median, by its ranks among the values, which are in order.
func medianInterval(values []time.Duration) Interval {
	n := len(values)
	if n == 0 {
		return Interval{}
	}
	half := normal95 * math.Sqrt(float64(n)) / 2
	low := max(0, int(math.Floor(float64(n)/2-half)))
	high := min(n-1, int(math.Ceil(float64(n)/2+half)))
	return Interval{values[low].Hours() / 24, values[high].Hours() / 24}
}

// Score is how the alerts of some rules fared against what truly happened. An alert is a
// row of the list, from its first ring until somebody has dealt with it.
type Score struct {
	Kinds       []Caught     `json:"kinds"`
	Alerts      int          `json:"alerts"`
	Rate        float64      `json:"alerts_per_100_patient_days"`
	False       int          `json:"false_alerts"` // outside of every event of the patient
	FalseRate   float64      `json:"false_per_100_patient_days"`
	Precision   float64      `json:"predictive_value"` // alerts that are about an event, in per cent
	PrecisionBy Interval     `json:"predictive_value_95"`
	PatientDays float64      `json:"patient_days"`
	Levels      []LevelScore `json:"levels,omitempty"`
}

// LevelScore is the part of the rows whose gravest level is this one.
type LevelScore struct {
	Level       protocols.Level `json:"level"`
	Alerts      int             `json:"alerts"`
	Rate        float64         `json:"alerts_per_100_patient_days"`
	False       int             `json:"false_alerts"`
	FalseRate   float64         `json:"false_per_100_patient_days"`
	Precision   float64         `json:"predictive_value"`
	PrecisionBy Interval        `json:"predictive_value_95"`
	// Kinds counts as seen only what rang at this level or at a graver one.
	Kinds []Caught `json:"kinds"`
}

// Truth is what alerts are judged by.
type Truth struct {
	Events []Event
	// Dealt says when somebody has dealt with a row that opened with this alert; each
	// episode is a row of its own where it is nil.
	Dealt func(*Alert) time.Time
	// Parted asks for the score of each level and of each group too.
	Parted bool
}

// levels are those by which a score is parted, gravest first.
var levels = []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow}

// Judge scores the alerts that about admits against the truth. Only the kinds of event
// that kinds admits count as something to be caught, and as something an alert may rightly
// be about: from its first change until an alert could no longer help. An alert during a
// pause or a recovery is about nothing.
func (o *Outcome) Judge(truth Truth, about func(*Alert) bool, kinds func(string) bool) Score {
	own := &Outcome{PatientDays: o.PatientDays, Watched: o.Watched}
	for i := range o.Alerts {
		if about(&o.Alerts[i]) {
			own.Alerts = append(own.Alerts, o.Alerts[i])
		}
	}
	rows := own.Rows(truth.Dealt)
	c := newInquiry(own, truth.Events, kinds)
	score := Score{PatientDays: o.PatientDays, Alerts: len(rows)}
	score.False = c.falseAmong(rows)
	score.Rate, score.FalseRate = o.rate(score.Alerts), o.rate(score.False)
	score.Precision, score.PrecisionBy = share(score.Alerts-score.False, score.Alerts), interval(score.Alerts-score.False, score.Alerts)
	score.Kinds = c.kinds(own.Alerts, protocols.Technical, truth.Parted)
	if !truth.Parted {
		return score
	}
	for _, level := range levels {
		at := slices.DeleteFunc(slices.Clone(rows), func(a Alert) bool { return a.Level != level })
		if len(at) == 0 {
			continue
		}
		l := LevelScore{Level: level, Alerts: len(at), Rate: o.rate(len(at)), False: c.falseAmong(at)}
		l.FalseRate = o.rate(l.False)
		l.Precision, l.PrecisionBy = share(l.Alerts-l.False, l.Alerts), interval(l.Alerts-l.False, l.Alerts)
		l.Kinds = c.kinds(own.Alerts, level, false)
		score.Levels = append(score.Levels, l)
	}
	return score
}
