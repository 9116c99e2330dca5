package protocols

import (
	"cmp"
	"time"
)

// Finding is what evaluation has to say: something began, got worse, goes on or
// ended. Findings are committed with the readings that caused them.
type Finding struct {
	Kind      FindingKind
	Enrolment string // empty for a technical finding about a device nobody is enrolled with
	Patient   string // pseudonymous; may be empty for a technical finding
	Device    string // set for technical findings
	Protocol  string // id; empty for technical findings of the service itself
	Version   string // of the protocol
	Rule      string
	Level     Level
	// Episode names the stretch of time during which the condition held, after its
	// beginning as it was known when it was raised: readings that come in order give
	// the same name, and one that comes late does not rename what was raised.
	Episode string
	At      time.Time // measurement time of what caused it
	Found   time.Time // the time that was passed in
	// TooLate tells that the alert limit of the protocol had passed when it was
	// found: it is shown, not rung.
	TooLate bool
	// Figure is the value of the first comparison that is true, and Signs how many of
	// the level's comparisons are. Signs is 0 where no figure is at hand.
	Figure Value
	Signs  int
	// Explanation is set on Raised and Risen.
	Explanation *Explanation
}

// FindingKind tells what happened to an episode.
type FindingKind uint8

// The kinds of finding.
const (
	Raised  FindingKind = iota + 1 // an episode began
	Risen                          // its level is higher than before
	Again                          // one more reading for which it holds
	Ended                          // the condition no longer holds; silence never says so
	Resumed                        // late readings show that it had not ended: it goes on
)

var kindNames = [...]string{"", "raised", "risen", "again", "ended", "resumed"}

// String returns the name used in JSON and the database.
func (k FindingKind) String() string { return kindNames[k] }

// Explanation says why a rule rang, with a copy of everything it rested on.
type Explanation struct {
	Protocol    string     `json:"protocol"`
	Version     string     `json:"version"`
	Rule        string     `json:"rule"`
	Title       Text       `json:"title"`
	Origin      string     `json:"origin,omitempty"`
	Level       Level      `json:"level"`
	At          time.Time  `json:"at"`
	Comparisons []Compared `json:"comparisons"`
	Readings    []Cited    `json:"readings"` // the latest ones behind it
	Summary     Text       `json:"summary"`  // one sentence
}

// Truth is the outcome of a condition.
type Truth string

// The outcomes. NotEnough is shown, never taken for a no.
const (
	True      Truth = "true"
	False     Truth = "false"
	NotEnough Truth = "not-enough-data"
)

// Compared is one comparison as it came out.
type Compared struct {
	Measure   string    `json:"measure"`
	Component string    `json:"component"`
	Minus     string    `json:"minus_component,omitempty"` // another component of the same readings, subtracted
	Statistic Statistic `json:"statistic"`
	From      time.Time `json:"from"` // the window, on measurement time
	To        time.Time `json:"to"`
	Count     int       `json:"count"` // readings in it
	Value     Value     `json:"value"` // null when not enough data
	Unit      string    `json:"unit"`
	Operator  Operator  `json:"operator"`
	Threshold Value     `json:"threshold"`
	Clear     Value     `json:"clear"`
	Where     []Bound   `json:"where,omitempty"` // which readings count: those within all of these bounds, in the unit of the component
	Parameter string    `json:"parameter,omitempty"`
	SetBy     string    `json:"set_by,omitempty"` // author of the patient's setting; empty for the protocol's default
	SetOn     time.Time `json:"set_on,omitzero"`
	SetReason string    `json:"set_reason,omitempty"`
	Truth     Truth     `json:"truth"`
	Sentence  Text      `json:"sentence"`
}

// Bound is one side of a filter, its number in place.
type Bound struct {
	Operator Operator `json:"operator"`
	Value    Value    `json:"value"`
}

// Shown is the value as a person reads it: to the tenth, or as finely as the
// component is measured. It takes further decimals where it would else look to be
// at its threshold, or past it, and is not.
func (c *Compared) Shown() Value {
	if c.Value == Missing {
		return Missing
	}
	for decimals := c.decimals(); decimals < 3; decimals++ {
		step := int64(1000)
		for range decimals {
			step /= 10
		}
		if v := Value(roundedRatio(int64(c.Value), step) * step); c.sameSide(v, c.Threshold) && c.sameSide(v, c.Clear) {
			return v
		}
	}
	return c.Value
}

func (c *Compared) decimals() int {
	decimals := 1
	if m := MeasureByID(c.Measure); m != nil && m.Component(c.Component) >= 0 {
		decimals = max(decimals, m.Components[m.Component(c.Component)].Decimals)
		if c.Statistic == Slope {
			decimals++
		}
	}
	return decimals
}

// sameSide reports whether v lies on that side of a limit on which the value does.
func (c *Compared) sameSide(v, limit Value) bool {
	return limit == Missing || cmp.Compare(v, limit) == cmp.Compare(c.Value, limit)
}

// Cited is a reading that an explanation rests on.
type Cited struct {
	ID      string           `json:"id"`
	Device  string           `json:"device"`
	Time    time.Time        `json:"time"`
	Measure string           `json:"measure"`
	Values  map[string]Value `json:"values"`
}
