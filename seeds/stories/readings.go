package stories

import (
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

// written is the name under which a piece of a story is read as a test of a protocol.
var written = &protocols.Protocol{ID: "story"}

// test is the document of one test, with one key of it: moments and readings of a
// story are written as in the tests of protocols, and read by what reads those.
func (r *reader) test(key string, n *document.Node) (language.Timeline, bool) {
	empty := &document.Node{Kind: document.List, Line: n.Line, Column: n.Column}
	doc := mapping(n,
		"protocol", word(n, written.ID), "time_zone", word(n, r.read.Zone.String()), "start", word(n, r.start),
		"tests", list(n, mapping(n, "name", word(n, "story"), key, n, "expect", empty)))
	tests, problems := language.ParseTimelines(written, doc)
	for _, p := range problems {
		p.Path = ""
		r.Problems = append(r.Problems, p)
	}
	if len(problems) > 0 || len(tests) == 0 {
		return language.Timeline{}, false
	}
	return tests[0], true
}

func word(at *document.Node, text string) *document.Node {
	return &document.Node{Kind: document.Scalar, Text: text, Line: at.Line, Column: at.Column}
}

func list(at *document.Node, items ...*document.Node) *document.Node {
	return &document.Node{Kind: document.List, Items: items, Line: at.Line, Column: at.Column}
}

// mapping is a mapping of pairs, each a key (string) and a *document.Node.
func mapping(at *document.Node, pairs ...any) *document.Node {
	m := &document.Node{Kind: document.Mapping, Line: at.Line, Column: at.Column}
	for i := 0; i < len(pairs); i += 2 {
		m.Keys = append(m.Keys, word(at, pairs[i].(string)))
		m.Items = append(m.Items, pairs[i+1].(*document.Node))
	}
	return m
}

// moment reads day 3 07:30, day 3, 2026-01-07 07:30 or 2026-01-07; zero when n is nil.
func (r *reader) moment(n *document.Node) time.Time {
	if n == nil {
		return time.Time{}
	}
	t, ok := r.test("until", n)
	if !ok {
		return r.read.Start
	}
	return t.Until.UTC()
}

// own are the keys of a sending that a reading of a test does not have.
var own = map[string]bool{"patient": true, "twice": true, "verdict": true}

// sendings reads one reading or a series of them, or a list of both.
func (r *reader) sendings(s Step, entry, n *document.Node) {
	for _, item := range listed(n) {
		if item.Kind != document.Mapping {
			r.fault(item, "wrong-shape", "une mesure s'écrit {measure: weight, value: 80}", "a reading is written {measure: weight, value: 80}")
			continue
		}
		reading := *item
		reading.Keys, reading.Items = nil, nil
		if item.Get("at") == nil {
			reading.Keys, reading.Items = []*document.Node{word(entry.Get("at"), "at")}, []*document.Node{entry.Get("at")}
		}
		for i, key := range item.Keys {
			if !own[key.Text] {
				reading.Keys, reading.Items = append(reading.Keys, key), append(reading.Items, item.Items[i])
			}
		}
		test, ok := r.test("readings", list(item, &reading))
		if !ok {
			continue
		}
		sending := Sending{Patient: r.word(item.Get("patient")), Device: r.word(item.Get("device")), Twice: r.word(item.Get("twice")) == "true", Verdict: r.word(item.Get("verdict"))}
		for _, d := range test.Readings {
			one := sending
			one.Reading = d.Reading
			step := s
			step.At, step.Send = d.Received, &one
			r.read.Course = append(r.read.Course, step)
		}
	}
}
