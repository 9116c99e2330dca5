package trial

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/engine/plain"
	"vigie/protocols/words"
)

// Explain accounts for a rule at a moment, from the history of a patient in
// canonical order. Later readings are left out: nobody knew of them.
func Explain(p *protocols.Protocol, e protocols.Enrolment, history []*protocols.Reading, rule string, at time.Time) (*protocols.Account, error) {
	place := slices.IndexFunc(p.Rules, func(r protocols.Rule) bool { return r.ID == rule })
	if place < 0 {
		return nil, fmt.Errorf("protocol %s has no rule %q; it has %s", p.ID, rule, strings.Join(p.RuleIDs(), ", "))
	}
	end, _ := slices.BinarySearchFunc(history, at, func(r *protocols.Reading, at time.Time) int {
		if r.Time.After(at) {
			return 1
		}
		return -1
	})
	state, err := stateAt(p, e, history[:end], at)
	if err != nil {
		return nil, err
	}
	return account(p, &e, &p.Rules[place], state.Standing(place), plain.Look(p, &e, history[:end], &p.Rules[place], at), at), nil
}

// stateAt is the state of a patient once the history and the time up to a moment
// have gone by.
func stateAt(p *protocols.Protocol, e protocols.Enrolment, history []*protocols.Reading, at time.Time) (*engine.State, error) {
	plan, err := engine.NewPlan(p)
	if err != nil {
		return nil, err
	}
	state, err := plan.For(e)
	if err != nil {
		return nil, err
	}
	if err := state.Load(nil, nil, time.Time{}); err != nil {
		return nil, err
	}
	var found []protocols.Finding
	for _, r := range history {
		found = state.Add(r, r.Time, found[:0])
	}
	state.Advance(at, found[:0])
	return state, nil
}

// maxReceived is how many readings an account of silence shows at most: they tell
// since when there has been silence.
const maxReceived = 5

func account(p *protocols.Protocol, e *protocols.Enrolment, rule *protocols.Rule, stands engine.Standing, view plain.View, at time.Time) *protocols.Account {
	a := &protocols.Account{
		Protocol: p.ID, Version: p.Version, Rule: rule.ID, Title: p.TitleOf(rule, e.Settings), Origin: rule.Origin,
		Patient: e.Patient, At: at.UTC(), Level: stands.Level, Since: stands.Since, HeldBy: stands.HeldBy,
	}
	for i, level := range rule.Raises() {
		own := protocols.LevelAccount{Level: level}
		if rule.Absence != nil {
			own.Comparisons = stands.Missing[i : i+1]
			own.Truth = own.Comparisons[0].Truth
			own.Stays = own.Truth
		} else {
			when := &rule.Levels[i].When
			own.Truth, own.Stays, own.Asked = view.Enters(when), view.Stays(when), stands.Asked[i]
			var cites []protocols.Cited
			own.Comparisons, cites = view.Compare(when)
			own.Told = told(p, e, rule, &own, once(slices.Clone(cites)), at)
			a.Readings = append(a.Readings, cites...)
		}
		a.Levels = append(a.Levels, own)
	}
	if rule.Absence != nil {
		a.Readings = view.Latest(rule.Absence.Measures(), maxReceived)
	}
	a.Readings = once(a.Readings)
	a.HeldBy = append(a.HeldBy, yielding(a, stands.YieldsTo)...)
	a.Summary = words.Account(a, e.Zone)
	return a
}

// told is what a level whose condition is true says now.
func told(p *protocols.Protocol, e *protocols.Enrolment, rule *protocols.Rule, own *protocols.LevelAccount, cites []protocols.Cited, at time.Time) protocols.Text {
	if own.Truth != protocols.True {
		return protocols.Text{}
	}
	why := protocols.Explanation{Rule: rule.ID, Title: rule.Title, Level: own.Level, At: at, Comparisons: own.Comparisons, Readings: cites}
	words.Tell(p, e, rule, &why)
	return why.Said()
}

// yielding lists the rules that hold back the gravest level whose condition is true.
func yielding(a *protocols.Account, to []engine.Holder) (ids []string) {
	level := protocols.NoLevel
	for i := range a.Levels {
		if a.Levels[i].Truth == protocols.True {
			level = a.Levels[i].Level
		}
	}
	for _, holder := range to {
		if level != protocols.NoLevel && level > a.Level && holder.Level >= level {
			ids = append(ids, holder.Rule)
		}
	}
	return ids
}

// once keeps each reading one time, in order of time.
func once(cited []protocols.Cited) []protocols.Cited {
	slices.SortStableFunc(cited, func(a, b protocols.Cited) int { return a.Time.Compare(b.Time) })
	seen := map[[2]string]bool{}
	return slices.DeleteFunc(cited, func(c protocols.Cited) bool {
		key := [2]string{c.Device, c.ID}
		again := seen[key]
		seen[key] = true
		return again
	})
}
