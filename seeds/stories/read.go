package stories

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
)

// firstDay is day 1 where a story does not say: a Monday.
const firstDay = "2026-01-05"

// Read reads one story. When one of the problems is an error, there is no story.
func Read(data []byte) (*Story, []document.Problem) {
	doc, err := yaml.Parse(data)
	if bad := new(yaml.Error); errors.As(err, &bad) {
		return nil, []document.Problem{bad.Problem()}
	}
	translate(doc, "")
	r := &reader{}
	story := r.story(doc)
	document.InOrder(r.Problems)
	if len(r.Problems) > 0 {
		return nil, r.Problems
	}
	return story, nil
}

// reader reads a story and collects what is wrong with it.
type reader struct {
	document.Reader
	read  Story
	start string
}

func (r *reader) fault(at *document.Node, code, fr, en string, args ...any) {
	r.Fault(document.Place{Node: at}, code, protocols.Say(fr, en, args...), protocols.Text{})
}

// keys of each part of a story; true for those that must be there.
var (
	storyKeys   = map[string]bool{"story": true, "about": false, "time_zone": false, "start": false, "teams": false, "patients": false, "devices": false, "copies": false, "only": false, "administrators": false, "course": true}
	copyKeys    = map[string]bool{"protocol": true, "version": true}
	careKeys    = map[string]bool{"teams": false, "patients": false, "devices": false}
	whichKeys   = map[string]bool{"rule": false, "patient": false, "level": false, "state": false}
	statusKeys  = map[string]bool{"patient": false, "device": true, "online": false, "battery": false}
	messageKeys = map[string]bool{"to": false, "why": false, "patient": false, "rule": false, "level": false, "subject": false, "at": false, "before": false}
)

// acts are what people may do about an alert, as programs call it, each with what is
// said beside who acts.
var acts = map[string][]string{
	"acknowledge": {"note", "seen"},
	"resolve":     {"outcome", "outcomes", "note", "seen"},
	"release":     {"note"},
	"note":        {"note"},
	"assign":      {"to", "note"},
	"transfer":    {"to", "note"},
	"call-back":   {"at", "note"},
	"snooze":      {"until", "note"},
	"undo":        {},
	HandOver:      {"to", "note"},
	Strike:        struckBy,
	Unstrike:      struckBy,
	Merge:         {"into", "reason"},
	Unmerge:       {"reason"},
}

// struckBy is what is said of readings that are struck out.
var struckBy = []string{"time", "from", "until", "device", "id", "measure", "reason"}

// Strike and Unstrike are the acts of who strikes readings of a patient out, and takes that
// back. They are about no alert.
const Strike, Unstrike = "strike", "unstrike"

// Merge and Unmerge are the acts of who says that the record of a patient and another are
// one person, and takes that back.
const Merge, Unmerge = "merge", "unmerge"

// HandOver is the act of who hands over, at the end of a shift, all that they have
// taken on. It is about no alert alone.
const HandOver = "hand-over"

// open reports whether n is a mapping, and lists keys that are not known or missing.
func (r *reader) open(n *document.Node, keys map[string]bool) bool {
	if n == nil || n.Kind != document.Mapping {
		r.fault(n, "wrong-shape", "ici on attend des lignes « clé: valeur »", "this takes lines of \"key: value\"")
		return false
	}
	for _, key := range n.Keys {
		if _, known := keys[key.Text]; !known {
			list := strings.Join(slices.Sorted(maps.Keys(keys)), ", ")
			r.fault(key, "unknown-key", "« %s » n'est pas connu ici ; écrire l'un de : %s", "%q is not known here; write one of: %s", key.Text, list)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if keys[key] && n.Get(key) == nil {
			r.fault(n, "missing-key", "il manque « %s »", "%q is missing", key)
		}
	}
	return true
}

func (r *reader) word(n *document.Node) string {
	if n == nil || n.Kind == document.Null {
		return ""
	}
	if n.Kind != document.Scalar {
		r.fault(n, "wrong-shape", "ici on attend un mot ou un nombre", "this takes one word or number")
		return ""
	}
	return n.Text
}

func (r *reader) items(n *document.Node) []*document.Node {
	if n == nil || n.Kind == document.Null {
		return nil
	}
	if n.Kind != document.List {
		r.fault(n, "wrong-shape", "ici on attend une liste", "this takes a list")
		return nil
	}
	return n.Items
}

// words reads a word, or a list of them.
func (r *reader) words(n *document.Node) []string {
	if n == nil {
		return nil
	}
	if n.Kind != document.List {
		return []string{r.word(n)}
	}
	list := []string{}
	for _, item := range n.Items {
		list = append(list, r.word(item))
	}
	return list
}

func (r *reader) story(doc *document.Node) *Story {
	if !r.open(doc, storyKeys) {
		return nil
	}
	s := &r.read
	s.Title = r.word(doc.Get("story"))
	s.Zone, s.Start = r.beginning(doc)
	s.Care = r.care(doc)
	s.Copies = r.copies(doc.Get("copies"))
	s.Only = r.words(doc.Get("only"))
	s.Admin = r.words(doc.Get("administrators"))
	last := s.Start
	for _, entry := range r.items(doc.Get("course")) {
		last = r.entry(entry, last)
	}
	slices.SortStableFunc(s.Course, func(a, b Step) int { return a.At.Compare(b.At) })
	s.End = last
	if n := len(s.Course); n > 0 && s.Course[n-1].At.After(last) {
		s.End = s.Course[n-1].At
	}
	return s
}

func (r *reader) beginning(doc *document.Node) (*time.Location, time.Time) {
	name := cmp.Or(r.word(doc.Get("time_zone")), "Europe/Paris")
	zone, err := time.LoadLocation(name)
	if err != nil {
		r.fault(doc.Get("time_zone"), "unknown-time-zone", "« %s » n'est pas un fuseau horaire ; écrire un nom de l'IANA : Europe/Paris, Indian/Reunion", "%q is not a time zone; write an IANA name: Europe/Paris, Indian/Reunion", name)
		zone = time.UTC
	}
	r.start = cmp.Or(r.word(doc.Get("start")), firstDay)
	start, err := time.ParseInLocation(time.DateOnly, r.start, zone)
	if err != nil {
		r.fault(doc.Get("start"), "bad-date", "« %s » n'est pas une date ; l'écrire ainsi : 2026-01-31", "%q is not a date; write it as 2026-01-31", r.start)
		r.start = firstDay
	}
	return zone, start
}

func (r *reader) copies(n *document.Node) (list []Copy) {
	for _, item := range r.items(n) {
		if r.open(item, copyKeys) {
			list = append(list, Copy{item.Line, item.Column, r.word(item.Get("protocol")), r.word(item.Get("version"))})
		}
	}
	return list
}

// care reads who is followed. Its items are checked as a registry when they are
// imported; moments in them become instants here.
func (r *reader) care(n *document.Node) Care {
	var c Care
	for _, part := range []struct {
		key  string
		list *[]*document.Node
	}{{"teams", &c.Teams}, {"patients", &c.Patients}, {"devices", &c.Devices}} {
		*part.list = r.items(n.Get(part.key))
		for _, item := range *part.list {
			r.instants(item)
		}
	}
	return c
}

// instants writes moments of a story as a registry has them.
func (r *reader) instants(n *document.Node) {
	for _, item := range n.Items {
		r.instants(item)
	}
	if n.Kind == document.Scalar && strings.HasPrefix(n.Text, "day ") {
		n.Text = r.moment(n).Format(time.RFC3339)
	}
}

// entry reads one entry of the course, and returns its moment.
func (r *reader) entry(n *document.Node, last time.Time) time.Time {
	if n.Kind != document.Mapping || n.Get("at") == nil {
		r.fault(n, "missing-key", "chaque entrée du déroulé commence par « at: day 3 07:30 », ou « à: jour 3 07:30 »", "each entry of the course begins with \"at: day 3 07:30\"")
		return last
	}
	at := r.moment(n.Get("at"))
	if at.Before(last) {
		r.fault(n.Get("at"), "out-of-order", "le déroulé suit l'ordre du temps ; l'entrée d'avant est plus tardive", "the course follows the order of time; the entry before is later")
		return last
	}
	if len(n.Keys) == 1 {
		r.fault(n, "missing-key", "il ne se passe rien ici : écrire send, acknowledge, told, list…", "nothing happens here: write send, acknowledge, told, list…")
	}
	for i, key := range n.Keys {
		if key.Text != "at" {
			r.step(Step{At: at, Line: key.Line, Column: key.Column}, n, key, n.Items[i])
		}
	}
	return at
}

// step reads what one key of an entry says.
func (r *reader) step(s Step, entry, key, n *document.Node) {
	switch key.Text {
	case "send":
		r.sendings(s, entry, n)
		return
	case "change":
		if r.open(n, careKeys) {
			care := r.care(n)
			s.Change = &care
		}
	case "service":
		s.Service = r.turn(n, "service", "stop", "start", "kill")
	case "mailbox":
		s.Channel = r.turn(n, "mail", "down", "up")
	case "webhook":
		s.Channel = r.turn(n, "webhook", "down", "up")
	case "channels": // any of them, by name
		if n.Kind != document.Mapping {
			r.fault(n, "wrong-shape", "ceci doit être un ensemble de clés, chacune un canal", "this must be a mapping of keys, each a channel")
			return
		}
		for i, item := range n.Items {
			s.Channel = r.turn(item, n.Keys[i].Text, "down", "up")
			r.read.Course = append(r.read.Course, s)
		}
		return
	case "status":
		s.Status = r.status(n)
	case "told":
		s.Told = r.told(n)
	case "list":
		s.List = r.list(n)
	case "alert":
		for _, item := range listed(n) {
			look := r.look(item)
			s.Alert = &look
			r.read.Course = append(r.read.Course, s)
		}
		return
	default:
		if _, known := acts[key.Text]; !known {
			r.fault(key, "unknown-key", "« %s » n'est rien qui puisse arriver ; écrire l'un de : %s", "%q is nothing that may happen; write one of: %s", key.Text, strings.Join(happenings(), ", "))
			return
		}
		for _, item := range listed(n) {
			s.Act = r.act(key.Text, item)
			r.read.Course = append(r.read.Course, s)
		}
		return
	}
	r.read.Course = append(r.read.Course, s)
}

// listed are the items of a list, or n alone.
func listed(n *document.Node) []*document.Node {
	if n.Kind == document.List {
		return n.Items
	}
	return []*document.Node{n}
}

func happenings() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(acts)), "send", "change", "service", "mailbox", "webhook", "channels", "status", "told", "list", "alert")))
}

func (r *reader) turn(n *document.Node, what string, words ...string) *Turn {
	to := r.word(n)
	if !slices.Contains(words, to) {
		r.fault(n, "unknown-word", "« %s » n'est pas connu ici ; écrire l'un de : %s", "%q is not known here; write one of: %s", to, strings.Join(words, ", "))
	}
	return &Turn{what, to}
}

func (r *reader) status(n *document.Node) *Status {
	s := &Status{Payload: map[string]string{}}
	if !r.open(n, statusKeys) {
		return s
	}
	s.Patient, s.Device = r.word(n.Get("patient")), r.word(n.Get("device"))
	for _, key := range []string{"online", "battery"} {
		if value := n.Get(key); value != nil {
			s.Payload[key] = r.word(value)
		}
	}
	return s
}

func (r *reader) which(n *document.Node) Which {
	return Which{Patient: r.word(n.Get("patient")), Rule: r.word(n.Get("rule")), Level: r.word(n.Get("level")), State: r.word(n.Get("state"))}
}

func (r *reader) act(what string, n *document.Node) *Act {
	keys := maps.Clone(whichKeys)
	switch what {
	case HandOver:
		clear(keys)
	case Strike, Unstrike, Merge, Unmerge:
		keys = map[string]bool{"patient": false}
	}
	keys["by"], keys["refused"] = true, false
	for _, said := range acts[what] {
		keys[said] = false
	}
	a := &Act{What: what, Body: map[string]any{}}
	if !r.open(n, keys) {
		return a
	}
	a.Alert, a.By, a.Refused = r.which(n), r.word(n.Get("by")), r.word(n.Get("refused"))
	for _, said := range acts[what] {
		if value := n.Get(said); value != nil {
			a.Body[said] = r.json(value)
		}
	}
	return a
}

// json is a value as programs send it: moments in full, and true and false.
func (r *reader) json(n *document.Node) any {
	switch {
	case n.Kind == document.Mapping:
		object := map[string]any{}
		for i, key := range n.Keys {
			object[key.Text] = r.json(n.Items[i])
		}
		return object
	case n.Kind == document.List:
		list := []any{}
		for _, item := range n.Items {
			list = append(list, r.json(item))
		}
		return list
	case strings.HasPrefix(n.Text, "day "):
		return r.moment(n).Format(time.RFC3339)
	case n.Text == "true" || n.Text == "false":
		return n.Text == "true"
	}
	return n.Text
}

func (r *reader) told(n *document.Node) *Told {
	t := &Told{}
	for _, item := range r.items(n) {
		if !r.open(item, messageKeys) {
			continue
		}
		t.Messages = append(t.Messages, Message{
			Line: item.Line, Column: item.Column, To: r.word(item.Get("to")), Why: r.word(item.Get("why")), Patient: r.word(item.Get("patient")),
			Rule: r.word(item.Get("rule")), Level: r.word(item.Get("level")), Subject: r.word(item.Get("subject")),
			At: r.moment(item.Get("at")), By: r.moment(item.Get("before")),
		})
	}
	return t
}

// list reads the rows of the worklist; as a mapping, it has a query beside them.
func (r *reader) list(n *document.Node) *List {
	l := &List{Query: map[string]string{}}
	rows := n
	if n.Kind == document.Mapping {
		rows = n.Get("rows")
		for i, key := range n.Keys {
			if key.Text != "rows" {
				l.Query[key.Text] = r.word(n.Items[i])
			}
		}
	}
	for _, item := range r.items(rows) {
		l.Rows = append(l.Rows, r.look(item))
	}
	return l
}

// look reads what an alert must say. Its keys are those that name the alert, or the
// fields of an alert as programs read it.
func (r *reader) look(n *document.Node) Look {
	l := Look{Line: n.Line, Column: n.Column}
	if n.Kind != document.Mapping {
		r.fault(n, "wrong-shape", "ici on attend des lignes « clé: valeur »", "this takes lines of \"key: value\"")
		return l
	}
	l.Alert = r.which(n)
	for i, key := range n.Keys {
		value := n.Items[i]
		switch key.Text {
		case "rule", "patient":
		case "says":
			l.Says = r.words(value)
		case "says-now":
			l.Now = r.words(value)
		case "events":
			l.Events = r.words(value)
		case "none":
			l.None = r.word(value) == "true"
		default:
			text := r.word(value)
			if strings.HasPrefix(text, "day ") {
				text = r.moment(value).UTC().Format(time.RFC3339)
			}
			l.Fields = append(l.Fields, Field{Name: key.Text, Value: text, Line: key.Line, Column: key.Column})
		}
	}
	return l
}
