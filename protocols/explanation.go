package protocols

import (
	"cmp"
	"strings"
	"time"
)

// MostCited is how many readings an explanation shows at most.
const MostCited = 20

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
	Readings    []Cited    `json:"readings"`        // the latest ones behind it
	Summary     Text       `json:"summary"`         // one sentence
	Last        *Latest    `json:"last,omitempty"`  // of an absence whose sentence says it
	Advice      Text       `json:"advice,omitzero"` // what the protocol proposes to look at, at that level
}

// LongestLast is how many days back an absence looks at most for the last reading before it.
const LongestLast = 400

// Latest is the last reading that an absence heard before it fell silent.
type Latest struct {
	Time    time.Time        `json:"time"`
	DayOnly bool             `json:"day_only,omitempty"` // only the civil day of Time is known
	Values  map[string]Value `json:"values"`             // as the instrument shows them
	Limits  map[string]Limit `json:"limits,omitempty"`   // of those that lie below or above
}

// Said is the sentence without the title in front of it.
func (e *Explanation) Said() Text {
	return Text{FR: strings.TrimPrefix(e.Summary.FR, e.Title.FR+" : "), EN: strings.TrimPrefix(e.Summary.EN, e.Title.In("en")+": ")}
}

// Remark adds a sentence to what the alert says.
func (e *Explanation) Remark(says Text) {
	after := func(said, says string) string {
		if says == "" || strings.HasSuffix(said, ".") {
			return strings.TrimSpace(said + " " + says)
		}
		return said + ". " + says
	}
	e.Summary = Text{FR: after(e.Summary.FR, says.FR), EN: after(e.Summary.EN, says.EN)}
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
	Flag      string    `json:"flag,omitempty"`            // looked at instead of the component: 1 where a reading carries it
	Minus     string    `json:"minus_component,omitempty"` // another component of the same readings, subtracted
	Per       string    `json:"per_component,omitempty"`   // another component of the same readings, by which it is divided
	Beside    string    `json:"minus_measure,omitempty"`   // another measure whose latest reading is subtracted, with its component where it has several, and its variant: "glucose/capillary", "blood-pressure.pulse"
	Statistic Statistic `json:"statistic"`
	From      time.Time `json:"from"` // the window, on measurement time
	To        time.Time `json:"to"`
	Count     int       `json:"count"` // readings in it
	Value     Value     `json:"value"` // null when not enough data
	// Limit is set where the value is that of a reading below or above what the
	// instrument shows. Value is then the end of what it shows.
	Limit     Limit     `json:"limit,omitzero"`
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
	Moved     *Moved    `json:"moved,omitempty"`  // set where two values are held against each other
	Reason    bool      `json:"reason,omitempty"` // the rule rang because of it
	// Each is what counted, in order of time, the latest MostCited of them; kept where a
	// sentence tells it.
	Each []Counted `json:"each,omitempty"`
	// Points is what the part of a score that begins with this comparison adds; 0 for
	// none.
	Points Value `json:"points,omitempty"`
}

// Counted is a reading or an event that counted: when it was measured or began, and the value
// that made it count. Of several that count as one, it is the gravest.
type Counted struct {
	Time  time.Time `json:"time"`
	Value Value     `json:"value"`
	Limit Limit     `json:"limit,omitzero"` // where it lies below or above what the instrument shows
}

// Moved are the two values of a comparison that looks at a change: the usual, the
// lowest or the one before, and the value now.
type Moved struct {
	From Value `json:"from"`
	To   Value `json:"to"`
	// Their limits, where one is below or above what the instrument shows.
	FromLimit Limit `json:"from_limit,omitzero"`
	ToLimit   Limit `json:"to_limit,omitzero"`
}

// Bound is one side of a filter, its number in place.
type Bound struct {
	Operator Operator  `json:"operator"`
	Value    Value     `json:"value"`
	SetBy    string    `json:"set_by,omitempty"` // as in Compared
	SetOn    time.Time `json:"set_on,omitzero"`
}

// Shown is the value as a person reads it: as finely as the component is told, a mean as a
// single reading, and per cent from ten on without decimals. It takes further decimals where it would else look to be
// at its threshold, or past it, and is not.
func (c *Compared) Shown() Value {
	if c.Value == Missing || c.Limit != Measured {
		return c.Value
	}
	for decimals := c.decimals(); decimals < 3; decimals++ {
		step := int64(1000)
		for range decimals {
			step /= 10
		}
		if v := Value(RoundedRatio(int64(c.Value), step) * step); c.sameSide(v, c.Threshold) && c.sameSide(v, c.Clear) {
			return v
		}
	}
	return c.Value
}

// ShownAs is Shown for a difference of two values as they are shown, so that a person who
// subtracts them gets it; Shown where that would look to be on another side of the threshold.
func (c *Compared) ShownAs(difference Value) Value {
	if c.Value == Missing || !c.sameSide(difference, c.Threshold) {
		return c.Shown()
	}
	return difference
}

// decimals is with how many decimals the value is told, where it lies far from its threshold.
func (c *Compared) decimals() int {
	m := MeasureByID(c.Measure)
	if m == nil || m.Component(c.Component) < 0 {
		return 1
	}
	told := &m.Components[m.Component(c.Component)]
	percent := c.Unit == "%" && (told.Unit != "%" || c.Statistic.Row().Gives == GivesPercent)
	switch {
	case percent && max(c.Value, -c.Value) >= 10_000:
		return 0
	case c.Statistic == Slope:
		return max(1, told.Decimals) + 1
	case percent || told.Unit == "{score}" || c.Per != "" || c.Unit != "" && c.Unit != told.Unit:
		return 1 // a mean of grades, a ratio, a number of deviations
	}
	return told.Decimals
}

// Guard reports whether the comparison only asks for enough data. It can be a reason, and
// says nothing of the patient.
func (c *Compared) Guard() bool {
	return onlyEnough(c.Statistic, c.Operator, c.Threshold == 0 && c.Parameter == "", len(c.Where) > 0)
}

// Guard reports whether the comparison only asks for enough data.
func (c *Comparison) Guard() bool {
	return onlyEnough(c.Statistic, c.Operator, c.Threshold == Operand{}, c.Where != nil)
}

func onlyEnough(s Statistic, o Operator, atNone, filtered bool) bool {
	anyReading := s == Wear && o == Above && atNone
	return anyReading || s == DaysCovered || s == Count && !filtered
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
	DayOnly bool             `json:"day_only,omitempty"` // only the civil day of Time is known
	Measure string           `json:"measure"`
	Values  map[string]Value `json:"values"`           // as the instrument shows them
	Limits  map[string]Limit `json:"limits,omitempty"` // of those that lie below or above
}

// Cite copies what an explanation shows of a reading.
func (r *Reading) Cite() Cited {
	c := Cited{ID: r.ID, Device: r.Device, Time: r.Time.UTC(), DayOnly: r.DayOnly, Measure: r.Measure.ID, Values: make(map[string]Value, len(r.Values))}
	for i, v := range r.Values {
		if v == Missing {
			continue
		}
		name := r.Measure.Components[i].Name
		shown, limit := r.Shown(i)
		c.Values[name] = shown
		if limit == Measured {
			continue
		}
		if c.Limits == nil {
			c.Limits = map[string]Limit{}
		}
		c.Limits[name] = limit
	}
	return c
}

// Latest copies what an absence says of a reading.
func (r *Reading) Latest() *Latest {
	c := r.Cite()
	return &Latest{Time: c.Time, DayOnly: c.DayOnly, Values: c.Values, Limits: c.Limits}
}

// LimitBy says that a value of the comparison is that of a reading below or above what
// the instrument shows, where one of the readings behind it is such a reading.
func (c *Compared) LimitBy(readings []Cited) {
	row := c.Statistic.Row()
	for i := range c.Each {
		one := &c.Each[i]
		one.Value, one.Limit = c.Limited(one.Value, readings)
	}
	switch {
	case c.Minus != "" || c.Flag != "" || row == nil:
	case c.Moved != nil:
		moved := *c.Moved
		moved.From, moved.FromLimit = c.Limited(moved.From, readings)
		moved.To, moved.ToLimit = c.Limited(moved.To, readings)
		c.Moved = &moved
	case row.Gives == GivesLevel:
		c.Value, c.Limit = c.Limited(c.Value, readings)
		c.limitByThreshold()
	}
}

// limitByThreshold does the same for a reading too long ago to be cited. A value that
// is one thousandth beyond a threshold is beyond it, however it was measured.
func (c *Compared) limitByThreshold() {
	m := MeasureByID(c.Measure)
	component := &m.Components[m.Component(c.Component)]
	for _, end := range [...]Value{c.Threshold, c.Clear} {
		for _, limit := range [...]Limit{LessThan, MoreThan} {
			if c.Limit == Measured && !component.Whole && end != Missing && component.Beyond(end, limit) == c.Value {
				c.Value, c.Limit = end, limit
			}
		}
	}
}

// Limited is a value as the instrument showed it, with its limit, where one of these readings
// has it.
func (c *Compared) Limited(v Value, readings []Cited) (Value, Limit) {
	for i := range readings {
		limit := readings[i].Limits[c.Component]
		if limit == Measured || readings[i].Measure != c.Measure {
			continue
		}
		m := MeasureByID(c.Measure)
		end := readings[i].Values[c.Component]
		if m.Components[m.Component(c.Component)].Beyond(end, limit) == v {
			return end, limit
		}
	}
	return v, Measured
}

// Explanation begins an explanation with what the rule says of itself to a patient with
// these settings.
func (p *Protocol) Explanation(rule *Rule, settings Settings, level Level, at time.Time) *Explanation {
	return &Explanation{
		Protocol: p.ID, Version: p.Version, Rule: rule.ID, Title: p.TitleOf(rule, settings), Origin: rule.Origin,
		Level: level, At: at, Advice: rule.AdviceAt(level),
	}
}

// Compared begins what an explanation says of a comparison: what was asked, with
// the patient's settings in place, and nothing yet of how it came out.
func (p *Protocol) Compared(c *Comparison, settings Settings) Compared {
	threshold, clear := p.Limits(c, settings)
	asked := Compared{
		Measure: c.Measure.ID, Component: c.Measure.Components[c.Component].Name, Statistic: c.Statistic, Unit: c.Result(),
		Operator: c.Operator, Threshold: threshold, Clear: clear, Value: Missing, Truth: NotEnough,
	}
	asked.Flag = c.Flag
	if c.MinusComponent >= 0 {
		asked.Minus = c.Measure.Components[c.MinusComponent].Name
	}
	if b := c.Beside; b != nil {
		asked.Beside = b.name()
	}
	if c.PerComponent >= 0 {
		asked.Per = c.Measure.Components[c.PerComponent].Name
	}
	for _, side := range c.Where.Sides() {
		bound := Bound{Operator: side.Operator, Value: p.Value(side.Limit, settings)}
		if setting, set := settings[side.Limit.Parameter]; set && side.Limit.Parameter != "" {
			bound.SetBy, bound.SetOn = setting.Author, setting.Date.UTC()
		}
		asked.Where = append(asked.Where, bound)
	}
	asked.setBy(&c.Threshold, settings)
	return asked
}

// ComparedPeriods is Compared for the level of an absence.
func (p *Protocol) ComparedPeriods(a *Absence, level int, settings Settings) Compared {
	periods := &a.Missing[level].Periods
	component := 0
	if len(a.Components) > 0 {
		component = a.Components[0]
	}
	asked := Compared{
		Measure: a.Measure.ID, Component: a.Measure.Components[component].Name, Statistic: MissingPeriods, Unit: periodUnits[a.Cadence.Per],
		Operator: AtLeast, Threshold: p.Value(periods, settings), Clear: Missing, Value: Missing, Truth: NotEnough,
	}
	asked.setBy(periods, settings)
	return asked
}

// periodUnits are what missing periods are counted in; sessions are a plain count.
var periodUnits = map[Period]string{PerDay: "d", PerWeek: "wk", PerSession: "1"}

// setBy says who set the threshold, when a person did.
func (c *Compared) setBy(o *Operand, settings Settings) {
	c.Parameter = o.Parameter
	if setting, set := settings[o.Parameter]; set && o.Parameter != "" {
		c.SetBy, c.SetOn, c.SetReason = setting.Author, setting.Date.UTC(), setting.Reason
	}
}

// Account says where one rule of one patient stands at one moment, and why:
// why it rings, or why it does not.
type Account struct {
	Protocol string         `json:"protocol"`
	Version  string         `json:"version"`
	Rule     string         `json:"rule"`
	Title    Text           `json:"title"`
	Origin   string         `json:"origin,omitempty"`
	Patient  string         `json:"patient"`
	At       time.Time      `json:"at"`
	Level    Level          `json:"level"`             // "none" when it does not ring
	Since    time.Time      `json:"since,omitzero"`    // when the episode that goes on began
	HeldBy   []string       `json:"held_by,omitempty"` // rules that hold it back
	Levels   []LevelAccount `json:"levels"`            // mildest first
	Readings []Cited        `json:"readings"`          // the latest that any level looks at
	Summary  Text           `json:"summary"`           // one sentence
}

// LevelAccount is one level of the rule.
type LevelAccount struct {
	Level Level `json:"level"`
	Truth Truth `json:"truth"` // of its condition, from which it would begin
	// Told is what the level says at that moment, where its condition is true; empty for an
	// absence.
	Told  Text  `json:"told,omitzero"`
	Stays Truth `json:"stays"` // of its condition with the thresholds that it takes to leave
	// Asked is since when a second reading is waited for; zero when none is.
	Asked       time.Time  `json:"asked,omitzero"`
	Comparisons []Compared `json:"comparisons"`
}
