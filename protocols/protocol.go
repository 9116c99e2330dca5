package protocols

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Protocol is one care protocol: what is observed, which rules apply, who gets
// called. It is data: Parse reads it from a reviewed file.
type Protocol struct {
	ID           string
	Version      string // "1", "2"… or a date; never changes once used
	Title        Text
	Pathology    Pathology
	Status       string // "example" until a named professional has validated it
	ValidatedBy  string // empty while Status is "example"
	ValidatedOn  string // date, empty while Status is "example"
	Origin       string // the official text the structure follows
	Eligibility  Eligibility
	Observations []Observation
	Parameters   []Parameter
	Rules        []Rule
	Answer       map[Level]time.Duration // delay to acknowledge, counted in the team's opening hours
	Rest         map[Level]time.Duration // how long a resolved alert whose condition still holds stays away; Vigie's own where it is not set
	FollowUp     map[Level]time.Duration // how soon whoever took an alert on is asked again; Vigie's own where it is not set
	TooLate      time.Duration           // an alert found later than this after its measurement is shown, not rung
	Patient      Text                    // what the patient is told, in plain words
}

// Pathology is the disease a protocol is for.
type Pathology struct {
	ICD10 string // "I50"
	Title Text
}

// Eligibility says which patients and which devices a protocol admits.
type Eligibility struct {
	Patient Text          // in words, for the person who enrols
	MinAge  int           // in years; 0 for no limit
	MaxAge  int           // the last year of age that it is for; 0 for no limit
	Devices []DeviceClass // a device must match one of them
}

// DeviceClass is a kind of device, or one brand or model of it. An empty brand
// or model admits all.
type DeviceClass struct {
	Kind  string // "scale", "oximeter"
	Brand string
	Model string
}

// Admits reports whether a device of that kind, brand and model may feed the
// protocol.
func (e *Eligibility) Admits(kind, brand, model string) bool {
	for _, d := range e.Devices {
		if d.Kind == kind && (d.Brand == "" || d.Brand == brand) && (d.Model == "" || d.Model == model) {
			return true
		}
	}
	return false
}

// Observation is a measure that the protocol uses, with how often it is due.
type Observation struct {
	Measure     *Measure
	Variant     uint8
	Mandatory   bool
	Cadence     Cadence
	IgnoreFlags []string // readings carrying one of these never feed a rule
	// Plausible, when set, keeps gross errors of a weight out of the rules.
	Plausible *Plausibility
	// Silent are the components that are shown and never ring, and the lines of danger beyond
	// which nothing rings, each with the reason.
	Silent []SilentComponent
}

// Plausibility says which weight is taken for an error of the person or the scale,
// until another weighing agrees with it. It is for weight only: every other measure
// rings at once, for a dangerous value may be true.
//
// The usual is the median of the readings of the last Days × 24 hours, to the
// thousandth, doubted ones included. A reading is doubted when there are at least
// AtLeast of them, it is farther than Within from their median, and farther than
// Agree from the latest of them. A reading by a professional is never doubted. A
// doubted reading counts from the next one on, if that one lies within Agree of it.
//
// Seed is a parameter that holds the patient's weight, such as that on leaving hospital;
// its zero for none. From the day on which it is set, what came before is forgotten, and it
// is held against like a reading of the first instant of that day.
type Plausibility struct {
	Within  Operand // kg
	Agree   Operand // kg
	Days    int
	AtLeast int     // readings
	Seed    Operand // kg
}

// SilentComponent is a component that a protocol shows without any rule about it, or a line
// of danger that it leaves unheard.
type SilentComponent struct {
	Name   string // of the component or the line
	Reason Text
}

// SilentBecause is why a component never rings, or what lies beyond a line; empty where the
// protocol does not say that it does not.
func (o *Observation) SilentBecause(name string) Text {
	for _, s := range o.Silent {
		if s.Name == name {
			return s.Reason
		}
	}
	return Text{}
}

// Cadence says how often something is expected. The zero Cadence expects
// nothing.
type Cadence struct {
	Times  int           // how many
	Per    Period        // in each civil day or week of the patient, or in each session
	Of     *Measure      // with PerSession: the measure of which each reading is a session; else nil
	Before time.Duration // local time of day by which it is due; 0 for the end of the day
	Grace  time.Duration // how long after that it may still arrive; with PerSession, how far it may lie from the session's reading
	Every  time.Duration // for continuous sensors: the usual step between two readings, from which wear is computed
	// EveryParameter names the parameter, in minutes, that holds Every where
	// patients have different sensors; Every is then its default.
	EveryParameter string
}

// Period is what readings are expected in: a civil period, or a session.
type Period string

// The periods.
const (
	PerDay     Period = "day"
	PerWeek    Period = "week"
	PerSession Period = "session"
)

// Parameter is a number that may be set per patient.
type Parameter struct {
	Name    string
	Title   Text
	Unit    string // UCUM
	Default Value
	Min     Value
	Max     Value
	Origin  string // where the default comes from
	// MustBeSet says that nobody is followed without a value of his own: no default suits
	// every patient, as of a dry weight.
	MustBeSet bool
}

// Rule is one question asked of the readings. Its levels go from the mildest to
// the gravest; at most one holds at a time.
type Rule struct {
	ID    string
	Title Text // where no patient is known; else see Protocol.TitleOf
	// TitlePlaces is the title as its author wrote it, where it has places of settings:
	// "Hypoglycémies sévères (< {severe-threshold})". Title has their defaults.
	TitlePlaces Text
	Advice      Text // what the text suggests to look at; may be empty
	// Sentence is what an alert says, in the author's words, with places for values:
	// see Places. Empty for the generated one.
	Sentence Text
	Origin   string
	Levels   []RuleLevel
	Remarks  []Remark
	HeldBy   []string // ids of rules which, while active, hold this one back
	YieldsTo []string // ids of rules which hold back what is not graver than they stand
	Event    bool     // it tells of something that happened: it rings whenever it comes, for days
	Absence  *Absence // set when the rule is about silence; Levels then hold no conditions
}

// Holders are the ids of every rule that may hold this one back.
func (r *Rule) Holders() []string { return slices.Concat(r.HeldBy, r.YieldsTo) }

// RuleLevel is the condition for one level of a rule.
type RuleLevel struct {
	Level    Level
	When     Condition
	Sentence Text // of this level, instead of the rule's; may be empty
	Advice   Text // of this level, instead of the rule's; may be empty
	// Confirm, when not zero, asks for a second reading: the level holds when
	// the next reading within this time says so too. Without a next reading it
	// holds once the time has run out: silence resolves nothing.
	Confirm time.Duration
	// ConfirmApart is how long after the first reading the second one has to be measured to
	// confirm; a sooner one that says so too leaves it waiting. 0 for any.
	ConfirmApart time.Duration
}

// Remark is a sentence that an alert adds when its condition is true at the moment at
// which the alert is raised or rises: that a value is to be checked, or that another
// device contradicts it. It never raises, ends or holds back anything.
type Remark struct {
	When Condition // without Lasting and Days: it is of that moment
	Says Text      // with places, as in Rule.Sentence
}

// Absence expects a measure by its cadence. Periods without enough readings are
// counted from the enrolment on; a pause stops the count.
type Absence struct {
	Measure    *Measure
	Variant    uint8
	Components []int // that a reading must hold to count; none for any reading
	Cadence    Cadence
	Missing    []MissingLevel // rising
}

// MissingLevel raises a level after that many missing periods in a row.
type MissingLevel struct {
	Level   Level
	Periods Operand
}

// Settings are the parameters of one patient under one protocol, each with who
// set it, when and why. A parameter that is not in it has its default.
type Settings map[string]Setting

// Setting is one parameter of one patient.
type Setting struct {
	Value  Value     `json:"value"`
	Author string    `json:"author"`
	Date   time.Time `json:"date"`
	Reason string    `json:"reason"`
}

// Enrolment is a patient under a protocol version, as evaluation needs it.
type Enrolment struct {
	ID       string
	Patient  string // pseudonymous
	Zone     *time.Location
	Settings Settings
	From     time.Time // absence is counted from here
	Until    time.Time // prescription end; zero for none
	Pauses   []Pause
}

// Pause holds back the alerts of absence for hospital or holidays. It always
// has an end, an author and a reason, and stays visible.
type Pause struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Author string    `json:"author"`
	Reason string    `json:"reason"`
}

// Newer reports whether a version came after another one: by number where versions are
// numbers.
func Newer(version, than string) bool {
	return cmp.Or(cmp.Compare(len(version), len(than)), cmp.Compare(version, than)) > 0
}

// Rule returns the rule of that id, or nil.
func (p *Protocol) Rule(id string) *Rule {
	for i := range p.Rules {
		if p.Rules[i].ID == id {
			return &p.Rules[i]
		}
	}
	return nil
}

// RuleIDs lists the rules.
func (p *Protocol) RuleIDs() []string {
	ids := make([]string, len(p.Rules))
	for i := range p.Rules {
		ids[i] = p.Rules[i].ID
	}
	return ids
}

// Parameter returns the parameter of that name, or nil.
func (p *Protocol) Parameter(name string) *Parameter {
	for i := range p.Parameters {
		if p.Parameters[i].Name == name {
			return &p.Parameters[i]
		}
	}
	return nil
}

// ParameterNames lists the parameters.
func (p *Protocol) ParameterNames() []string {
	names := make([]string, len(p.Parameters))
	for i := range p.Parameters {
		names[i] = p.Parameters[i].Name
	}
	return names
}

// Observation returns how a measure is observed, or nil.
func (p *Protocol) Observation(m *Measure, variant uint8) *Observation {
	for i := range p.Observations {
		if o := &p.Observations[i]; o.Measure == m && o.Variant == variant {
			return o
		}
	}
	return nil
}

// LooksAt reports whether the protocol observes a measure, or has a rule about it.
func (p *Protocol) LooksAt(m *Measure) bool {
	if slices.ContainsFunc(p.Observations, func(o Observation) bool { return o.Measure == m }) {
		return true
	}
	return slices.ContainsFunc(p.Rules, func(rule Rule) (looks bool) {
		if rule.Absence != nil {
			return slices.Contains(rule.Absence.Measures(), m)
		}
		for i := range rule.Levels {
			rule.Levels[i].When.Comparisons(func(c *Comparison) { looks = looks || c.Measure == m || c.Beside != nil && c.Beside.Measure == m })
		}
		return looks
	})
}

// Doubts reports whether gross errors of a measure are kept out of the rules.
func (p *Protocol) Doubts(m *Measure) bool {
	return slices.ContainsFunc(p.Observations, func(o Observation) bool { return o.Measure == m && o.Plausible != nil })
}

// Expects returns the observation that says how often a rule may expect a
// measure: the one of the variant, else the one that tells no variants apart.
func (p *Protocol) Expects(m *Measure, variant uint8) *Observation {
	if o := p.Observation(m, variant); o != nil {
		return o
	}
	return p.Observation(m, 0)
}

// UsualStep is the time from one expected reading of a measure to the next, by
// the cadence of its observation and the patient's settings; 0 when nothing says.
func (p *Protocol) UsualStep(m *Measure, variant uint8, settings Settings) time.Duration {
	o := p.Expects(m, variant)
	if o == nil {
		return 0
	}
	cadence := &o.Cadence
	switch {
	case p.Parameter(cadence.EveryParameter) != nil:
		minutes := p.Value(&Operand{Parameter: cadence.EveryParameter}, settings)
		return time.Duration(minutes) * time.Minute / 1000
	case cadence.Every > 0:
		return cadence.Every
	case cadence.Times > 0 && cadence.Per == PerDay:
		return 24 * time.Hour / time.Duration(cadence.Times)
	case cadence.Times > 0 && cadence.Per == PerWeek:
		return 7 * 24 * time.Hour / time.Duration(cadence.Times)
	}
	return 0
}

// Value is the number that an operand stands for under the patient's settings.
func (p *Protocol) Value(o *Operand, settings Settings) Value {
	if o.Parameter == "" {
		return o.Value
	}
	if setting, set := settings[o.Parameter]; set {
		return o.Of(setting.Value)
	}
	return o.Of(p.Parameter(o.Parameter).Default)
}

// Extent returns the lowest and highest value an operand can have for any patient.
func (p *Protocol) Extent(o Operand) (low, high Value) {
	if parameter := p.Parameter(o.Parameter); parameter != nil {
		low, high = o.Of(parameter.Min), o.Of(parameter.Max)
		return min(low, high), max(low, high) // a multiple may turn them round
	}
	return o.Value, o.Value
}

// Limits are the threshold of a comparison and what it takes to leave, under the
// patient's settings. Clear is Missing when leaving takes no more than the
// threshold.
func (p *Protocol) Limits(c *Comparison, settings Settings) (threshold, clear Value) {
	threshold = p.Value(&c.Threshold, settings)
	switch {
	case c.Clear != nil:
		return threshold, p.Value(c.Clear, settings)
	case c.Margin != 0 && c.Upward():
		return threshold, threshold - c.Margin
	case c.Margin != 0:
		return threshold, threshold + c.Margin
	}
	return threshold, Missing
}

// Raises lists the levels that the rule can raise, mildest first.
func (r *Rule) Raises() []Level {
	var levels []Level
	for i := range r.Levels {
		levels = append(levels, r.Levels[i].Level)
	}
	if r.Absence != nil {
		for _, m := range r.Absence.Missing {
			levels = append(levels, m.Level)
		}
	}
	return levels
}

// At is the level of the rule's conditions; nil where it has none of that level.
func (r *Rule) At(level Level) *RuleLevel {
	for i := range r.Levels {
		if r.Levels[i].Level == level {
			return &r.Levels[i]
		}
	}
	return nil
}

// AdviceAt is what the protocol proposes to look at, at a level.
func (r *Rule) AdviceAt(level Level) Text {
	if l := r.At(level); l != nil {
		return l.Advice.or(r.Advice)
	}
	return r.Advice
}

// SentenceAt is the author's sentence at a level; empty for none.
func (r *Rule) SentenceAt(level Level) Text {
	if l := r.At(level); l != nil {
		return l.Sentence.or(r.Sentence)
	}
	return r.Sentence
}

// Comparisons calls visit for every comparison of the rule.
func (r *Rule) Comparisons(visit func(*Comparison)) {
	for i := range r.Levels {
		r.Levels[i].When.Comparisons(visit)
	}
}

// Scores calls visit for every score of the rule and of its remarks.
func (r *Rule) Scores(visit func(*Score)) {
	for i := range r.Levels {
		r.Levels[i].When.Scores(visit)
	}
	for i := range r.Remarks {
		r.Remarks[i].When.Scores(visit)
	}
}

// Remarked calls visit for every comparison of the remarks.
func (r *Rule) Remarked(visit func(*Comparison)) {
	for i := range r.Remarks {
		r.Remarks[i].When.Comparisons(visit)
	}
}

// EpisodeName names an episode of the rule after its beginning. Readings of one
// moment can begin several: those after the first are told apart by their number.
func (r *Rule) EpisodeName(start time.Time, nth int) string {
	name := r.ID + "@" + start.Format(time.RFC3339Nano)
	if nth > 0 {
		name += "+" + strconv.Itoa(nth)
	}
	return name
}

// EpisodeStart is when the episode of that name began; false for a name that tells
// nothing of that, as those of technical rules.
func EpisodeStart(name string) (time.Time, bool) {
	_, start, found := strings.Cut(name, "@")
	start, _, _ = strings.Cut(start, "+")
	at, err := time.Parse(time.RFC3339Nano, start)
	return at, found && err == nil
}

// Takes reports whether a reading is one that was waited for. Flags do not
// matter: the device did transmit.
func (a *Absence) Takes(r *Reading) bool {
	return r.Measure == a.Measure && (a.Variant == 0 || a.Variant == r.Variant) &&
		!slices.ContainsFunc(a.Components, func(i int) bool { return i >= len(r.Values) || r.Values[i] == Missing })
}

// Measures are those that the absence looks at.
func (a *Absence) Measures() []*Measure {
	if of := a.Cadence.Of; of != nil && of != a.Measure {
		return []*Measure{a.Measure, of}
	}
	return []*Measure{a.Measure}
}

// MaxSessionGrace bounds how far a reading may lie from the session it belongs
// to: what is a day away belongs to the next one.
const MaxSessionGrace = 24 * time.Hour

// Freshness is how long the latest reading alone, the zero window, stays
// evidence: what was measured before is too old to be combined with what is
// measured now.
const Freshness = 7 * 24 * time.Hour
