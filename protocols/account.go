package protocols

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

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
	Stays Truth `json:"stays"` // of its condition with the thresholds that it takes to leave
	// Asked is since when a second reading is waited for; zero when none is.
	Asked       time.Time  `json:"asked,omitzero"`
	Comparisons []Compared `json:"comparisons"`
}

// Explain accounts for a rule at a moment, from the history of a patient in
// canonical order. Later readings are left out: nobody knew of them.
func Explain(p *Protocol, e Enrolment, history []*Reading, rule string, at time.Time) (*Account, error) {
	place := slices.IndexFunc(p.Rules, func(r Rule) bool { return r.ID == rule })
	if place < 0 {
		return nil, fmt.Errorf("protocol %s has no rule %q; it has %s", p.ID, rule, p.ruleList())
	}
	plan, err := NewPlan(p)
	if err != nil {
		return nil, err
	}
	state, err := plan.For(e)
	if err != nil {
		return nil, err
	}
	end, _ := slices.BinarySearchFunc(history, at, func(r *Reading, at time.Time) int {
		if r.Time.After(at) {
			return 1
		}
		return -1
	})
	history = history[:end]
	if err := state.Load(nil, nil, time.Time{}); err != nil {
		return nil, err
	}
	var found []Finding
	for _, r := range history {
		found = state.Add(r, r.Time, found[:0])
	}
	state.Advance(at, found[:0])
	run, err := newPlainRun(p, e, history)
	if err != nil {
		return nil, err
	}
	run.seen = len(history)
	view := run.viewAt(at)
	if view.today.at(e.Zone, 0).Equal(at) && !view.fedNow(&p.Rules[place]) {
		view.today = view.closed // the day that ends is looked at, as at every midnight
	}
	return state.account(&state.rules[place], view), nil
}

// fedNow reports whether a reading of that very moment feeds the rule.
func (w view) fedNow(rule *Rule) bool {
	fed := false
	for i := len(w.seen) - 1; i >= 0 && w.seen[i].Time.Equal(w.at); i-- {
		for l := range rule.Levels {
			rule.Levels[l].When.each(func(c *Comparison) { fed = fed || w.feeds(c, w.seen[i]) })
		}
	}
	return fed
}

func (p *Protocol) ruleList() string {
	names := make([]string, len(p.Rules))
	for i := range p.Rules {
		names[i] = p.Rules[i].ID
	}
	return strings.Join(names, ", ")
}

func (s *State) account(r *ruleState, at view) *Account {
	p, rule := s.plan.protocol, r.plan.rule
	a := &Account{
		Protocol: p.ID, Version: p.Version, Rule: rule.ID, Title: rule.Title, Origin: rule.Origin,
		Patient: s.enrolment.Patient, At: at.at,
	}
	if r.active() {
		a.Level = r.plan.names[r.level]
	}
	if r.open >= 0 {
		a.Since = moment(r.episodes[r.open].start)
	}
	for _, i := range r.plan.heldBy {
		if s.rules[i].active() {
			a.HeldBy = append(a.HeldBy, s.rules[i].plan.rule.ID)
		}
	}
	for i, level := range r.plan.names {
		own := LevelAccount{Level: level}
		if r.absence != nil {
			own.Truth = truthOf(int(r.run) >= r.absence.needs[i]).public()
			own.Stays, own.Comparisons = own.Truth, []Compared{s.missing(r, i)}
		} else {
			condition := &rule.Levels[i].When
			own.Truth, own.Stays = at.truth(condition, raising).public(), at.truth(condition, holding).public()
			var cites []Cited
			own.Comparisons, cites = at.compare(condition)
			a.Readings = append(a.Readings, cites...)
			if r.waiting[i] != 0 {
				own.Asked = moment(r.waiting[i])
			}
		}
		a.Levels = append(a.Levels, own)
	}
	if rule.Absence != nil {
		a.Readings = at.received(rule.Absence)
	}
	a.Readings = once(a.Readings)
	a.Summary = a.summary(s.enrolment.Zone)
	return a
}

// maxReceived is how many readings an account of silence shows at most.
const maxReceived = 5

// received are the latest readings of what an absence looks at: they tell since
// when there has been silence.
func (w view) received(a *Absence) []Cited {
	var shown []Cited
	for _, r := range slices.Backward(w.seen) {
		if len(shown) < maxReceived && slices.Contains(a.measures(), r.Measure) {
			shown = append(shown, r.cited())
		}
	}
	return shown
}

// missing is how many periods in a row lack a reading, for one level.
func (s *State) missing(r *ruleState, level int) Compared {
	out := r.absence.outcome(int(r.run))
	out.truth = truthOf(int(r.run) >= r.absence.needs[level])
	return teller{s.plan.protocol, &s.enrolment}.missing(r.absence.rule, level, out)
}

// once keeps each reading one time, in order of time.
func once(cited []Cited) []Cited {
	slices.SortStableFunc(cited, func(a, b Cited) int { return a.Time.Compare(b.Time) })
	seen := map[[2]string]bool{}
	return slices.DeleteFunc(cited, func(c Cited) bool {
		key := [2]string{c.Device, c.ID}
		again := seen[key]
		seen[key] = true
		return again
	})
}

var levelInWords = map[Level]Text{
	Technical: {"technique", "technical"}, Yellow: {"à surveiller", "to watch"},
	Orange: {"à traiter", "to deal with"}, Red: {"à traiter en priorité", "to deal with first"},
}

// summary says in one sentence where the rule stands, and the gravest reason.
func (a *Account) summary(zone *time.Location) Text {
	why := a.Levels[a.telling()]
	reasons := Text{FR: sentences(why.Comparisons, "fr", " ; "), EN: sentences(why.Comparisons, "en", "; ")}
	title := Text{FR: a.Title.FR, EN: a.Title.In("en")}
	switch {
	case a.Level != NoLevel:
		word, since, lingers := levelInWords[a.Level], a.Since.In(zone), Text{}
		if why.Truth != True {
			lingers = Text{FR: ", n'ayant pas passé le seuil de retour", EN: ", not being past the threshold to leave"}
			if why.Comparisons[0].Statistic == MissingPeriods {
				lingers = Text{FR: ", rien de complet n'étant venu depuis", EN: ", nothing complete having come since"}
			}
		}
		return Text{
			FR: fmt.Sprintf("%s sonne, %s, depuis le %s%s : %s", title.FR, word.FR, since.Format("02/01/2006 à 15:04"), lingers.FR, reasons.FR),
			EN: fmt.Sprintf("%s rings, %s, since %s%s: %s", title.EN, word.EN, since.Format("2006-01-02 15:04"), lingers.EN, reasons.EN),
		}
	case why.Truth == True && len(a.HeldBy) > 0:
		return Text{
			FR: fmt.Sprintf("%s ne sonne pas : retenue par %s", title.FR, strings.Join(a.HeldBy, ", ")),
			EN: fmt.Sprintf("%s does not ring: held back by %s", title.EN, strings.Join(a.HeldBy, ", ")),
		}
	case !why.Asked.IsZero():
		return Text{
			FR: fmt.Sprintf("%s ne sonne pas encore : une seconde mesure est attendue ; %s", title.FR, reasons.FR),
			EN: fmt.Sprintf("%s does not ring yet: a second reading is waited for; %s", title.EN, reasons.EN),
		}
	case why.Truth == NotEnough:
		return Text{
			FR: fmt.Sprintf("%s ne sonne pas, faute de données : %s", title.FR, reasons.FR),
			EN: fmt.Sprintf("%s does not ring, for want of data: %s", title.EN, reasons.EN),
		}
	}
	return Text{
		FR: fmt.Sprintf("%s ne sonne pas : %s", title.FR, reasons.FR),
		EN: fmt.Sprintf("%s does not ring: %s", title.EN, reasons.EN),
	}
}

// telling is the place of the level that says most about where the rule stands:
// the one it is at, else the gravest that is true, else the mildest, which is
// the first that could be.
func (a *Account) telling() int {
	best := 0
	for i, l := range a.Levels {
		if l.Level == a.Level {
			return i
		}
		if l.Truth == True {
			best = i
		}
	}
	return best
}

func sentences(compared []Compared, language, between string) string {
	all := make([]string, len(compared))
	for i := range compared {
		all[i] = compared[i].Sentence.In(language)
	}
	return strings.Join(all, between)
}
