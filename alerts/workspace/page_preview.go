package workspace

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/protocols/words"
)

// preview is what a setting would have changed in the last days: it is shown before
// anything is kept.
type preview struct {
	Name, Value          string // as they were typed
	Title, Before, After string
	Days                 int
	Choices              []choice // for how many days
	Said                 string   // "3 alertes au lieu de 11"
	Rules                []previewRule
	Changes              []previewChange
	More                 int    // changes that are not listed
	Error                string // why nothing could be foreseen
	MayKeep              bool   // the setting can be kept
	Followed             string // from when on, where the patient was not followed all the time
}

// previewRule counts the alerts of a rule, as it is and as it would be.
type previewRule struct {
	Title      string
	Now, Then  string
	Up, Same   bool
	difference int
}

// previewChange is one alert that would not have rung, or that would have.
type previewChange struct {
	At    *stamp
	Title string
	Level protocols.Level
	Gone  bool
	when  time.Time
}

// usualPreview is how many days a preview looks back unless another number is asked for.
const usualPreview = 30

// mostChanges is how many changes a preview lists.
const mostChanges = 40

// previewTakes is how long a preview may read and run.
const previewTakes = 20 * time.Second

// previewOf fills in what a setting would have changed, where the address asks for it.
func (w *Workspace) previewOf(ctx context.Context, v *enrolmentView, e *registry.Enrolment, query url.Values) {
	name := query.Get("name")
	if name == "" || w.Preview == nil || !v.Prescribes {
		return
	}
	p := &preview{Name: name, Value: strings.TrimSpace(query.Get("value")), Days: usualPreview}
	v.Preview = p
	for _, days := range []int{14, 30, 90} {
		text := whole(v.Language, days)
		if query.Get("days") == text {
			p.Days = days
		}
		p.Choices = append(p.Choices, choice{ID: text, Text: v.counted("preview.days", days)})
	}
	for i := range p.Choices {
		p.Choices[i].Chosen = p.Choices[i].ID == whole(v.Language, p.Days)
	}
	protocol := w.protocolOf(e)
	if protocol == nil || protocol.Parameter(name) == nil {
		p.Error = v.T("preview.unknown")
		return
	}
	parameter := protocol.Parameter(name)
	p.Title = v.In(parameter.Title)
	now, next, refused := settingsWith(e, parameter, p.Value)
	if refused != nil {
		p.Error = v.In(refused.Text)
		return
	}
	p.MayKeep = true
	unit := words.UsageOf(protocol, parameter).Unit
	p.Before, p.After = v.Say(now, 0, unit), v.Say(valueIn(next, parameter), 0, unit)
	ctx, cancel := context.WithTimeout(ctx, previewTakes)
	defer cancel()
	span := replay.Span{From: v.now.AddDate(0, 0, -p.Days), To: v.now}
	other := *e
	other.Settings = next
	found, err := w.Preview(ctx, []registry.Enrolment{*e, other}, span)
	if err != nil {
		w.Log.Warn("a setting is changed without a preview", "error", err)
		p.Error = v.T("preview.failed")
		return
	}
	if e.From.After(span.From) {
		p.Followed = date(v.Language, e.From.In(v.Zone("")), v.now)
	}
	p.compare(v.view, protocol, next, found[0], found[1])
}

// settingsWith are the settings of an enrolment with one changed, and the value before;
// back to that of the protocol where nothing is typed.
func settingsWith(e *registry.Enrolment, parameter *protocols.Parameter, typed string) (before protocols.Value, next protocols.Settings, refused *alerts.Refused) {
	before = valueIn(e.Settings, parameter)
	next = maps.Clone(e.Settings)
	if next == nil {
		next = protocols.Settings{}
	}
	delete(next, parameter.Name)
	if typed == "" {
		return before, next, nil
	}
	number, err := strconv.ParseFloat(strings.Replace(typed, ",", ".", 1), 64)
	value, fits := protocols.Of(number)
	if err != nil || !fits {
		return before, nil, refuse(codeMalformed, "La valeur n'est pas un nombre.", "The value is not a number.")
	}
	if value < parameter.Min || value > parameter.Max {
		return before, nil, refuse(codeMalformed, "La valeur sort de ce que le protocole permet.", "The value is outside of what the protocol allows.")
	}
	next[parameter.Name] = protocols.Setting{Value: value}
	return before, next, nil
}

func valueIn(settings protocols.Settings, parameter *protocols.Parameter) protocols.Value {
	if s, set := settings[parameter.Name]; set {
		return s.Value
	}
	return parameter.Default
}

// compare sets the alerts of today's settings against those of the others.
func (p *preview) compare(v view, protocol *protocols.Protocol, settings protocols.Settings, now, then []replay.Alert) {
	count := func(n int) string {
		if n == 0 {
			return v.T("preview.alerts.none")
		}
		return v.counted("preview.alerts", n)
	}
	p.Said = count(len(then)) + " " + v.T("preview.instead") + " " + whole(v.Language, len(now))
	if len(now) == len(then) {
		p.Said = count(len(now)) + v.T("preview.as-before")
	}
	titles := map[string]string{}
	for i := range protocol.Rules {
		rule := &protocol.Rules[i]
		titles[rule.ID] = v.In(protocol.TitleOf(rule, settings))
		of := func(a replay.Alert) bool { return a.Rule == rule.ID }
		before, after := alertsThat(now, of), alertsThat(then, of)
		if before+after > 0 {
			p.Rules = append(p.Rules, previewRule{
				Title: titles[rule.ID], Now: whole(v.Language, before), Then: whole(v.Language, after), Up: after > before, Same: after == before, difference: max(after-before, before-after),
			})
		}
	}
	slices.SortStableFunc(p.Rules, func(a, b previewRule) int { return b.difference - a.difference })
	d := replay.Compare(&replay.Outcome{Alerts: now}, &replay.Outcome{Alerts: then})
	list := func(found []replay.Alert, gone bool) {
		for i := range found {
			a := &found[i]
			p.Changes = append(p.Changes, previewChange{At: v.Stamp(a.Time, ""), Title: titles[a.Rule], Level: a.Level, Gone: gone, when: a.Time})
		}
	}
	list(d.OnlyFirst, true)
	list(d.OnlySecond, false)
	slices.SortStableFunc(p.Changes, func(a, b previewChange) int { return b.when.Compare(a.when) })
	p.More = max(0, len(p.Changes)-mostChanges)
	p.Changes = p.Changes[:len(p.Changes)-p.More]
}

func alertsThat(found []replay.Alert, of func(replay.Alert) bool) (n int) {
	for i := range found {
		if of(found[i]) {
			n++
		}
	}
	return n
}
