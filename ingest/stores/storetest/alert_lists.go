package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// ward raises n alerts of all levels over several patients, teams and rules.
func (b *bench) ward(n int) {
	b.Helper()
	levels := []protocols.Level{protocols.Yellow, protocols.Red, protocols.Orange, protocols.Technical}
	for i := range n {
		b.directory.care.Team.ID = fmt.Sprintf("team-%d", i%3)
		f := Finding(protocols.Raised, fmt.Sprintf("rule-%d", i%5), "ep", levels[i%4], time.Duration(i/8)*time.Minute)
		f.Enrolment, f.Patient, f.Protocol = fmt.Sprintf("e-%d", i), fmt.Sprintf("p-%d", i%7), fmt.Sprintf("protocol-%d", i%2)
		b.found(f)
	}
}

func worklistOrder(t *testing.T, b *bench) {
	b.ward(40)
	list := b.list(alerts.Filter{})
	ordered := slices.IsSortedFunc(list, func(x, y alerts.Alert) int {
		if x.Level != y.Level {
			return int(y.Level) - int(x.Level)
		}
		if c := x.RaisedAt.Compare(y.RaisedAt); c != 0 {
			return c
		}
		return map[bool]int{true: -1, false: 1}[x.ID < y.ID]
	})
	if len(list) != 40 || !ordered {
		t.Errorf("%d alerts, in order: %v", len(list), ordered)
	}
}

func newestFirst(t *testing.T, b *bench) {
	b.ward(40)
	want := b.list(alerts.Filter{})
	for i, a := range want {
		if i%3 == 0 {
			b.resolve(a.ID, time.Hour)
		}
	}
	for name, states := range map[string][]alerts.State{"all": nil, "open": {alerts.Open}, "resolved": {alerts.Resolved}} {
		want := b.list(alerts.Filter{States: states})
		slices.SortFunc(want, func(x, y alerts.Alert) int {
			return cmp.Or(y.RaisedAt.Compare(x.RaisedAt), strings.Compare(y.ID, x.ID))
		})
		paged := []alerts.Alert{}
		for filter := (alerts.Filter{States: states, Newest: true, Limit: 7}); ; {
			page := b.list(filter)
			paged = append(paged, page...)
			if len(page) < 7 {
				break
			}
			filter.After = alerts.After(&page[6]).String()
		}
		if !reflect.DeepEqual(paged, want) {
			t.Errorf("%s: pages hold %d alerts, want the same %d, newest first", name, len(paged), len(want))
		}
	}
}

func filters(t *testing.T, b *bench) {
	b.ward(60)
	all := b.list(alerts.Filter{})
	for i, a := range all {
		switch i % 6 {
		case 0:
			b.acknowledge(a.ID, time.Hour)
		case 1:
			b.resolve(a.ID, time.Hour)
		}
	}
	all = b.list(alerts.Filter{})
	from, to := Morning.Add(2*time.Minute), Morning.Add(5*time.Minute)
	for name, c := range map[string]struct {
		filter alerts.Filter
		keeps  func(a alerts.Alert) bool
	}{
		"open":        {alerts.Filter{States: []alerts.State{alerts.Open}}, func(a alerts.Alert) bool { return a.State == alerts.Open }},
		"unresolved":  {alerts.Filter{States: []alerts.State{alerts.Open, alerts.Acknowledged}}, func(a alerts.Alert) bool { return a.State != alerts.Resolved }},
		"resolved":    {alerts.Filter{States: []alerts.State{alerts.Resolved}}, func(a alerts.Alert) bool { return a.State == alerts.Resolved }},
		"levels":      {alerts.Filter{Levels: []protocols.Level{protocols.Red, protocols.Technical}}, func(a alerts.Alert) bool { return a.Level == protocols.Red || a.Level == protocols.Technical }},
		"team":        {alerts.Filter{Team: "team-1"}, func(a alerts.Alert) bool { return a.Team == "team-1" }},
		"patient":     {alerts.Filter{Patient: "p-3"}, func(a alerts.Alert) bool { return a.Patient == "p-3" }},
		"protocol":    {alerts.Filter{Protocol: "protocol-1"}, func(a alerts.Alert) bool { return a.Protocol == "protocol-1" }},
		"rule":        {alerts.Filter{Rule: "rule-2"}, func(a alerts.Alert) bool { return a.Rule == "rule-2" }},
		"from and to": {alerts.Filter{From: from, To: to}, func(a alerts.Alert) bool { return !a.RaisedAt.Before(from) && a.RaisedAt.Before(to) }},
		"together": {alerts.Filter{States: []alerts.State{alerts.Open}, Levels: []protocols.Level{protocols.Red}, Team: "team-0"},
			func(a alerts.Alert) bool {
				return a.State == alerts.Open && a.Level == protocols.Red && a.Team == "team-0"
			}},
	} {
		want := []alerts.Alert{}
		for _, a := range all {
			if c.keeps(a) {
				want = append(want, a)
			}
		}
		got := b.list(c.filter)
		if len(want) == 0 || len(want) == len(all) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d alerts of %d, want %d", name, len(got), len(all), len(want))
		}
	}
}

func farFilters(t *testing.T, b *bench) {
	b.ward(6)
	all := len(b.list(alerts.Filter{}))
	for _, far := range farDates {
		before, after := all, 0
		if far.Before(Morning) {
			before, after = 0, all
		}
		if got := len(b.list(alerts.Filter{To: far})); got != before {
			t.Errorf("%d alerts raised before %s, want %d", got, far, before)
		}
		if got := len(b.list(alerts.Filter{From: far})); got != after {
			t.Errorf("%d alerts raised from %s, want %d", got, far, after)
		}
	}
}

func pages(t *testing.T, b *bench) {
	b.ward(50)
	all := b.list(alerts.Filter{})
	var paged []alerts.Alert
	filter := alerts.Filter{Limit: 7}
	for {
		page := b.list(filter)
		paged = append(paged, page...)
		if len(page) < 7 {
			break
		}
		filter.After = alerts.After(&page[6]).String()
	}
	if !reflect.DeepEqual(paged, all) {
		t.Errorf("pages hold %d alerts, want the same %d in the same order", len(paged), len(all))
	}
}

func badCursor(t *testing.T, b *bench) {
	for _, cursor := range []string{"x", "////", "MTIz", alerts.Cursor{Level: 200}.String()} {
		if _, err := b.store.Alerts(b.ctx, alerts.Filter{After: cursor}); !errors.Is(err, alerts.ErrCursor) {
			t.Errorf("cursor %q: got %v, want ErrCursor", cursor, err)
		}
	}
}

func eventNumbers(t *testing.T, b *bench) {
	if seq, err := b.store.LastSeq(b.ctx); err != nil || seq != 0 {
		t.Fatalf("an empty store is at event %d, %v", seq, err)
	}
	b.ward(10)
	var seen []int64
	for after := int64(0); ; {
		events, err := b.store.EventsAfter(b.ctx, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			seen = append(seen, e.Seq)
			after = e.Seq
		}
	}
	last, err := b.store.LastSeq(b.ctx)
	if err != nil || len(seen) != 10 || !slices.IsSorted(seen) || last != seen[9] {
		t.Errorf("events %v, last %d, %v", seen, last, err)
	}
}

func summary(t *testing.T, b *bench) {
	b.ward(12)
	list := b.list(alerts.Filter{Levels: []protocols.Level{protocols.Red}})
	b.acknowledge(list[0].ID, time.Hour)
	b.resolve(list[1].ID, time.Hour)
	message := b.waiting()[0]
	if err := b.store.Refuse(b.ctx, message.ID, Morning, "gone"); err != nil {
		t.Fatal(err)
	}
	got, err := b.store.Summary(b.ctx, alerts.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	want := alerts.Summary{
		Unresolved: map[alerts.State]map[protocols.Level]int{
			alerts.Open:         {protocols.Red: 1, protocols.Orange: 3, protocols.Yellow: 3, protocols.Technical: 3},
			alerts.Acknowledged: {protocols.Red: 1},
		},
		Waiting: 17, Undelivered: 1, OldestWaiting: message.Created,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("summary\n%+v, want\n%+v", got, want)
	}
	if got.Count(alerts.Open) != 10 {
		t.Errorf("%d open alerts, want 10", got.Count(alerts.Open))
	}
	if one, err := b.store.Summary(b.ctx, alerts.Filter{Team: "team-1"}); err != nil || one.Count(alerts.Open)+one.Count(alerts.Acknowledged) < 3 || one.Count(alerts.Open) >= 10 {
		t.Errorf("summary of one team %+v, %v", one, err)
	}
}

// within holds that lists and counts show what some teams, and nobody, are in charge of.
func within(t *testing.T, b *bench) {
	for _, team := range []string{"team-a", "team-b", ""} {
		b.directory.care.Team.ID = team
		b.found(Finding(protocols.Raised, "rule-"+team, "ep-1", protocols.Red, 0))
	}
	for _, c := range []struct {
		teams []string
		want  string
	}{
		{nil, "rule- rule-team-a rule-team-b"},
		{[]string{}, "rule-"},
		{[]string{"team-a"}, "rule- rule-team-a"},
		{[]string{"team-a", "team-b", "team-c"}, "rule- rule-team-a rule-team-b"},
	} {
		for _, f := range []alerts.Filter{{Within: c.teams}, {Within: c.teams, States: []alerts.State{alerts.Open}}, {Within: c.teams, Newest: true}} {
			var rules []string
			for _, a := range b.list(f) {
				rules = append(rules, a.Rule)
			}
			slices.Sort(rules)
			if got := strings.Join(rules, " "); got != c.want {
				t.Errorf("within %q: got %q, want %q", c.teams, got, c.want)
			}
		}
		summary, err := b.store.Summary(b.ctx, alerts.Filter{Within: c.teams})
		if want := len(strings.Fields(c.want)); err != nil || summary.Count(alerts.Open) != want {
			t.Errorf("within %q: %d are counted, %v; want %d", c.teams, summary.Count(alerts.Open), err, want)
		}
	}
	if got := b.list(alerts.Filter{Within: []string{"team-a"}, Team: "team-b"}); len(got) != 0 {
		t.Errorf("another team's are listed: %+v", got)
	}
}
