package main

import (
	"strings"
	"testing"
	"time"

	"vigie/alerts"
)

// TestJudgeSeesWhatIsWrong holds the judge to finding each kind of fault: a crash
// test that cannot fail shows nothing.
func TestJudgeSeesWhatIsWrong(t *testing.T) {
	w := newWard(2, 3, time.Now(), "")
	same := func() *record {
		r := &record{readings: map[string]int{}, journal: map[string]int{}, alerts: map[string]string{"a": "low, orange, 3 occurrences"},
			events: map[string]int{"a raised orange": 1}, messages: map[string]letter{"m": {about: "a raised", sent: true}}}
		for i, device := range w.devices {
			for _, p := range w.life[i] {
				r.readings[device+"/"+p.id], r.journal[device+"/"+p.id] = 1, 1
			}
		}
		return r
	}
	for _, c := range []struct {
		what string
		harm func(*record, *people)
		want counts
	}{
		{"nothing", func(*record, *people) {}, counts{}},
		{"a reading is gone", func(r *record, _ *people) { delete(r.readings, "oximeter-000/000001") }, counts{lost: 1}},
		{"a reading is not in the journal", func(r *record, _ *people) { delete(r.journal, "oximeter-001/000002") }, counts{lost: 1}},
		{"a reading is there twice", func(r *record, _ *people) { r.readings["oximeter-000/000001"] = 2 }, counts{doubled: 1}},
		{"an alert is gone", func(r *record, _ *people) { delete(r.alerts, "a") }, counts{missed: 1}},
		{"an alert counts one reading less", func(r *record, _ *people) { r.alerts["a"] = "low, orange, 2 occurrences" }, counts{missed: 1}},
		{"an alert from nowhere", func(r *record, _ *people) { r.alerts["b"] = "low" }, counts{repeated: 1}},
		{"an event twice", func(r *record, _ *people) { r.events["a raised orange"] = 2 }, counts{repeated: 1}},
		{"a message never came", func(_ *record, p *people) { p.forget() }, counts{missed: 1}},
		{"a message twice without a kill", func(_ *record, p *people) { p.told("m") }, counts{repeated: 1}},
		{"a message twice after a kill", func(_ *record, p *people) { p.killed(); p.told("m") }, counts{}},
		{"a message three times after a kill", func(_ *record, p *people) { p.killed(); p.told("m"); p.told("m") }, counts{repeated: 1}},
		{"a message was never written", func(r *record, p *people) { delete(r.messages, "m"); p.forget() }, counts{missed: 1}},
		{"a message is written twice", func(r *record, p *people) { r.messages["n"] = r.messages["m"]; p.told("n") }, counts{repeated: 1}},
		{"a message that nobody wrote", func(_ *record, p *people) { p.told("x") }, counts{repeated: 1}},
	} {
		t.Run(c.what, func(t *testing.T) {
			devices := &crowd{ward: w}
			for i, name := range w.devices {
				d := &device{name: name, life: w.life[i]}
				for range d.life {
					d.acked = append(d.acked, time.Now())
				}
				devices.devices = append(devices.devices, d)
			}
			got, told := same(), &people{came: map[string][]delivery{}}
			told.told("m")
			c.harm(got, told)
			var out strings.Builder
			j := &judge{out: &out}
			j.readings(devices, got)
			j.alerts(got, same())
			j.messages(told, got, same())
			if c.want.acknowledged = 6; j.counts != c.want {
				t.Errorf("counted %+v, want %+v: %s", j.counts, c.want, out.String())
			}
			if j.clean() != (out.Len() == 0) {
				t.Errorf("counted %+v and said %q", j.counts, out.String())
			}
		})
	}
}

// TestJudgeSeesWhatBecameOfActs holds the judge to what a person was answered.
func TestJudgeSeesWhatBecameOfActs(t *testing.T) {
	const noted, taken, closed = alerts.EventNoted, alerts.EventAcknowledged, alerts.EventResolved
	all := []deed{{"a", noted, done}, {"b", taken, done}, {"c", closed, done}, {"d", noted, refused}, {"e", noted, none}, {"f", noted, none}}
	for _, c := range []struct {
		what string
		kept map[string][]alerts.EventKind
		want counts
	}{
		{"as it was told", map[string][]alerts.EventKind{"a": {noted}, "b": {taken}, "c": {closed}, "f": {noted}}, counts{}},
		{"an act is gone", map[string][]alerts.EventKind{"a": {noted}, "c": {closed}}, counts{lost: 1}},
		{"an act is another", map[string][]alerts.EventKind{"a": {noted}, "b": {noted}, "c": {closed}}, counts{lost: 1}},
		{"an act twice", map[string][]alerts.EventKind{"a": {noted, noted}, "b": {taken}, "c": {closed}}, counts{doubled: 1}},
		{"a refused one is kept", map[string][]alerts.EventKind{"a": {noted}, "b": {taken}, "c": {closed}, "d": {noted}}, counts{doubled: 1}},
		{"one without an answer twice", map[string][]alerts.EventKind{"a": {noted}, "b": {taken}, "c": {closed}, "e": {noted, noted}}, counts{doubled: 1}},
	} {
		j := &judge{out: new(strings.Builder)}
		if _, err := j.deeds(all, c.kept); err != nil || j.counts != c.want {
			t.Errorf("%s: counted %+v (%v), want %+v", c.what, j.counts, err, c.want)
		}
	}
	if _, err := new(judge).deeds(nil, nil); err == nil {
		t.Error("where nobody did anything, nothing is shown")
	}
}

// TestJudgeSeesWhichRulesRang holds the judge to the gravest level of each.
func TestJudgeSeesWhichRulesRang(t *testing.T) {
	of := func(lines ...string) *record {
		r := &record{alerts: map[string]string{}}
		for _, line := range lines {
			r.alerts[line] = line
		}
		return r
	}
	want := of("e-1 low red, episode x, open", "e-1 low orange, episode y, open", "e-2 low yellow, episode z, open")
	for _, c := range []struct {
		got  *record
		want counts
	}{
		{of("e-1 low red, episode q, open", "e-2 low orange, episode r, open"), counts{}},
		{of("e-1 low orange, episode q, open", "e-2 low yellow, episode r, open"), counts{missed: 1}},
		{of("e-1 low red, episode q, open"), counts{missed: 1}},
		{of("e-1 low red, episode q, open", "e-2 low yellow, episode r, open", "e-3 low yellow, episode s, open"), counts{repeated: 1}},
	} {
		j := &judge{out: new(strings.Builder)}
		if j.rang(c.got, want); j.counts != c.want {
			t.Errorf("%v: counted %+v, want %+v", c.got.alerts, j.counts, c.want)
		}
	}
}

// By a clock that was wrong, a further episode may call people again, or not yet. What it
// tells comes once all the same, and nothing else is excused.
func TestJudgeKnowsAWrongClock(t *testing.T) {
	for about, want := range map[string]int{"a recurred red mail": 0, "a raised red mail": 1} {
		p := &people{came: map[string][]delivery{}}
		p.told("m")
		got := &record{messages: map[string]letter{"m": {about: about, sent: true}}}
		j := &judge{out: new(strings.Builder), wrongClock: true}
		j.messages(p, got, &record{messages: map[string]letter{}})
		if j.repeated != want {
			t.Errorf("%s: %d repeated, want %d", about, j.repeated, want)
		}
		p.told("m")
		j = &judge{out: new(strings.Builder), wrongClock: true}
		j.messages(p, got, got)
		if j.repeated != 1 {
			t.Errorf("%s came twice: %d repeated, want 1", about, j.repeated)
		}
	}
	digest := letter{about: " digest yellow mail", later: true}
	for _, moved := range []bool{false, true} {
		j := &judge{out: new(strings.Builder), movedClock: moved}
		j.messages(&people{}, &record{messages: map[string]letter{"today": digest, "tomorrow": digest}}, &record{messages: map[string]letter{"today": digest}})
		if excused := j.repeated == 0; excused != moved {
			t.Errorf("by a clock that was moved (%v) digests for two openings: %d repeated", moved, j.repeated)
		}
	}
}
