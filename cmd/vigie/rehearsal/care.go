package rehearsal

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/seeds"
	"vigie/seeds/stories"
)

// care is who is followed, by whom and with what, as the story says so far, with a
// default for whatever it does not say.
type care struct {
	stage      *stage
	teams      map[string]*document.Node // as written, by id
	devices    map[string]*document.Node
	enrolments map[string]*document.Node // patient and enrolment in one, by id of the enrolment
	order      []string                  // patients
	enrolled   []string                  // enrolments, in order
	feeds      map[string][]string       // devices, by patient
	problems   []document.Problem
}

func newCare(s *stage) care {
	return care{stage: s, teams: map[string]*document.Node{}, devices: map[string]*document.Node{}, enrolments: map[string]*document.Node{}}
}

// physician is who prescribes and sets thresholds, where a story does not say.
const (
	physician = "Dr Martin"
	rpps      = "10001234565"
)

// change imports what a story says of teams, patients and devices, over what it said
// before.
func (s *stage) change(said *stories.Care) error {
	if s.service == nil {
		return errors.New("the service does not run: nothing can be imported")
	}
	c := &s.care
	c.lay(said)
	doc := c.document()
	reg, problems, err := registry.Check(s.ctx, doc, s.shelf.Protocol, s.service.Registry())
	if err != nil {
		return fmt.Errorf("check who is followed: %w", err)
	}
	for _, p := range append(c.problems, problems...) {
		if p.Severity == document.Error {
			s.result.Problems = append(s.result.Problems, p)
		}
	}
	if len(s.result.Problems) > 0 {
		return nil
	}
	for i := range reg.Devices {
		d := &reg.Devices[i]
		if s.devices[d.Name] == nil {
			s.devices[d.Name] = &device{name: d.Name, kind: d.Kind, password: registry.NewPassword()}
		}
		d.Password = s.devices[d.Name].password
	}
	changes, err := s.service.Registry().Import(s.ctx, &reg, physician, s.Now())
	if err != nil {
		return fmt.Errorf("import who is followed: %w", err)
	}
	s.tell("registry: %d added, %d changed", changes.Added, changes.Changed)
	s.quiet = false
	return nil
}

// lay puts what is said over what was said before, key by key.
func (c *care) lay(said *stories.Care) {
	for _, item := range said.Teams {
		id := text(item, "id")
		c.teams[id] = over(c.teams[id], item)
	}
	for _, item := range said.Devices {
		name := text(item, "name")
		c.devices[name] = over(c.devices[name], item)
	}
	for _, item := range said.Patients {
		patient := text(item, "id")
		id := text(item, "enrolment")
		if id == "" {
			id = "e-" + patient
		}
		if !slices.Contains(c.order, patient) {
			c.order = append(c.order, patient)
		}
		if c.enrolments[id] == nil {
			c.enrolled = append(c.enrolled, id)
		}
		c.enrolments[id] = over(c.enrolments[id], item)
	}
}

// over is a mapping with the keys of another put in the place of its own; settings
// one by one.
func over(former, item *document.Node) *document.Node {
	if former == nil || former.Kind != document.Mapping || item.Kind != document.Mapping {
		return item
	}
	merged := *former
	merged.Keys, merged.Items = slices.Clone(former.Keys), slices.Clone(former.Items)
	merged.Line, merged.Column = item.Line, item.Column
	for i, key := range item.Keys {
		value := item.Items[i]
		if key.Text == "settings" || key.Text == "consent" {
			value = over(former.Get(key.Text), value)
		}
		put(&merged, key.Text, value)
	}
	return &merged
}

func put(n *document.Node, key string, value *document.Node) {
	for i := range n.Keys {
		if n.Keys[i].Text == key {
			n.Items[i] = value
			return
		}
	}
	n.Keys = append(n.Keys, &document.Node{Kind: document.Scalar, Text: key, Line: value.Line, Column: value.Column})
	n.Items = append(n.Items, value)
}

// text is the word under a key.
func text(n *document.Node, key string) string {
	if value := n.Get(key); value != nil && value.Kind == document.Scalar {
		return value.Text
	}
	return ""
}

// writer makes nodes that stand at a place of the story.
type writer struct{ at *document.Node }

func (w writer) word(text string) *document.Node {
	return &document.Node{Kind: document.Scalar, Text: text, Quoted: true, Line: w.at.Line, Column: w.at.Column}
}

func (w writer) bare(text string) *document.Node {
	n := w.word(text)
	n.Quoted = false
	return n
}

func (w writer) words(texts ...string) *document.Node {
	n := &document.Node{Kind: document.List, Line: w.at.Line, Column: w.at.Column}
	for _, text := range texts {
		n.Items = append(n.Items, w.word(text))
	}
	return n
}

func (w writer) mapping() *document.Node {
	return &document.Node{Kind: document.Mapping, Line: w.at.Line, Column: w.at.Column}
}

// document is the registry that the story says, with every default filled in.
func (c *care) document() *document.Node {
	c.feeds, c.problems = map[string][]string{}, nil
	lists := map[string]*document.Node{}
	for _, name := range []string{"teams", "patients", "devices", "enrolments"} {
		lists[name] = &document.Node{Kind: document.List, Line: 1, Column: 1}
	}
	add := func(list string, item *document.Node) { lists[list].Items = append(lists[list].Items, item) }
	for i, patient := range c.order {
		first := true
		for _, id := range c.enrolled {
			item := c.enrolments[id]
			if text(item, "id") != patient {
				continue
			}
			if first {
				add("patients", c.patient(i, item))
			}
			first = false
			add("enrolments", c.enrolment(id, item))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.teams)) {
		add("teams", c.team(id, c.teams[id]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.devices)) {
		item := *c.devices[name]
		w := writer{&item}
		item.Keys, item.Items = slices.Clone(item.Keys), slices.Clone(item.Items)
		if item.Get("serial") == nil {
			put(&item, "serial", w.word(name))
		}
		add("devices", &item)
	}
	doc := &document.Node{Kind: document.Mapping, Line: 1, Column: 1}
	for _, name := range []string{"teams", "patients", "devices", "enrolments"} {
		put(doc, name, lists[name])
	}
	return doc
}

// patient writes the identity of somebody who does not exist.
func (c *care) patient(place int, item *document.Node) *document.Node {
	w := writer{item}
	n := w.mapping()
	put(n, "id", w.word(text(item, "id")))
	if identity := item.Get("identity"); identity != nil {
		put(n, "identity", identity)
		return n
	}
	matricule := fmt.Sprintf("2500175056%03d", place+1)
	key, _ := registry.INSKey(matricule) // of thirteen digits
	identity := w.mapping()
	for _, trait := range [][2]string{
		{"ins", matricule + key}, {"oid", registry.OIDTest}, {"birth_name", "FICTIF"}, {"given_names", "CAMILLE"}, {"first_given_name", "CAMILLE"},
		{"sex", "F"}, {"birth_date", "1950-01-15"}, {"birth_place", "75056"},
	} {
		put(identity, trait[0], w.word(trait[1]))
	}
	put(n, "identity", identity)
	return n
}

// enrolment writes an enrolment; what only says who the patient is is left out.
func (c *care) enrolment(id string, item *document.Node) *document.Node {
	w := writer{item}
	n := w.mapping()
	patient := text(item, "id")
	put(n, "id", w.word(id))
	put(n, "patient", w.word(patient))
	for i, key := range item.Keys {
		if !slices.Contains([]string{"id", "enrolment", "identity", "settings", "pauses", "consent"}, key.Text) {
			n.Keys, n.Items = append(n.Keys, key), append(n.Items, item.Items[i])
		}
	}
	orElse := func(key string, otherwise func() *document.Node) {
		if n.Get(key) == nil {
			put(n, key, otherwise())
		}
	}
	start := c.stage.story.Start
	orElse("version", func() *document.Node { return w.word(c.stage.latest[text(item, "protocol")]) })
	orElse("time_zone", func() *document.Node { return w.word(c.stage.story.Zone.String()) })
	orElse("team", func() *document.Node { return w.word(c.anyTeam(w)) })
	orElse("physician", func() *document.Node { return w.word(rpps) })
	orElse("from", func() *document.Node { return w.word(start.Format(time.RFC3339)) })
	orElse("prescription_end", func() *document.Node { return w.word(c.yearAfter(text(n, "from")).Format(time.RFC3339)) })
	orElse("devices", func() *document.Node { return w.words(c.instruments(patient, n, w)...) })
	if devices := n.Get("devices"); devices != nil {
		for _, d := range devices.Items {
			c.feeds[patient] = append(c.feeds[patient], d.Text)
		}
	}
	put(n, "consent", c.consent(n, item.Get("consent"), w))
	if settings := item.Get("settings"); settings != nil {
		put(n, "settings", c.settings(settings))
	}
	if pauses := item.Get("pauses"); pauses != nil {
		put(n, "pauses", c.pauses(pauses))
	}
	return n
}

// yearAfter is the end of a prescription of a year.
func (c *care) yearAfter(from string) time.Time {
	zone := c.stage.story.Zone
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, from, zone); err == nil {
			return t.In(zone).AddDate(1, 0, 0)
		}
	}
	return c.stage.story.Start.AddDate(1, 0, 0)
}

// anyTeam is the first team of the story, or one that is made: open on working days.
func (c *care) anyTeam(w writer) string {
	if len(c.teams) == 0 {
		team := w.mapping()
		put(team, "id", w.word("equipe"))
		put(team, "mail", w.words("equipe@vigie.example"))
		put(team, "escalate", w.words("astreinte@vigie.example"))
		c.teams["equipe"] = team
	}
	return slices.Sorted(maps.Keys(c.teams))[0]
}

func (c *care) team(id string, item *document.Node) *document.Node {
	team := *item
	w := writer{item}
	team.Keys, team.Items = slices.Clone(item.Keys), slices.Clone(item.Items)
	for _, key := range []struct {
		name  string
		value *document.Node
	}{
		{"name", w.word(id)},
		{"time_zone", w.word(c.stage.story.Zone.String())},
		{"opens", w.word("08:30")},
		{"closes", w.word("18:00")},
		{"days", w.words("monday", "tuesday", "wednesday", "thursday", "friday")},
		{"mail", w.words(id + "@vigie.example")},
		{"escalate", w.words("astreinte-" + id + "@vigie.example")},
	} {
		if item.Get(key.name) == nil {
			put(&team, key.name, key.value)
		}
	}
	if text(item, "webhook") == "true" {
		put(&team, "webhook", w.word(c.stage.post.hookURL(id)))
	}
	return &team
}

// instruments are devices of every kind that the protocol admits.
func (c *care) instruments(patient string, enrolment *document.Node, w writer) []string {
	p := c.stage.shelf.Protocol(text(enrolment, "protocol"), text(enrolment, "version"))
	if p == nil {
		return nil
	}
	var names []string
	for _, class := range p.Eligibility.Devices {
		name := patient + "-" + class.Kind
		d := w.mapping()
		put(d, "name", w.word(name))
		put(d, "kind", w.word(class.Kind))
		put(d, "brand", w.word(class.Brand))
		put(d, "model", w.word(class.Model))
		c.devices[name] = d
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (c *care) consent(enrolment, said *document.Node, w writer) *document.Node {
	consent := w.mapping()
	put(consent, "given", w.bare("true"))
	put(consent, "date", w.word(text(enrolment, "from")))
	put(consent, "scope", w.word("télésurveillance"))
	if said == nil {
		return consent
	}
	return over(consent, said)
}

// settings signs thresholds of which only the value is written.
func (c *care) settings(said *document.Node) *document.Node {
	signed := *said
	signed.Items = slices.Clone(said.Items)
	for i, value := range said.Items {
		if value.Kind != document.Scalar {
			continue
		}
		w, plain := writer{value}, *value
		setting := w.mapping()
		put(setting, "value", &plain)
		put(setting, "author", w.word(physician))
		put(setting, "date", w.word(c.stage.Now().Format(time.RFC3339)))
		put(setting, "reason", w.word("réglage du patient"))
		*value = *setting // it stays signed as it is now
		signed.Items[i] = value
	}
	return &signed
}

func (c *care) pauses(said *document.Node) *document.Node {
	signed := *said
	signed.Items = nil
	for _, item := range said.Items {
		pause := *item
		w := writer{item}
		pause.Keys, pause.Items = slices.Clone(item.Keys), slices.Clone(item.Items)
		if item.Get("author") == nil {
			put(&pause, "author", w.word(physician))
		}
		if item.Get("reason") == nil {
			put(&pause, "reason", w.word("pause"))
		}
		signed.Items = append(signed.Items, &pause)
	}
	return &signed
}

// devicesOf lists the devices of a patient.
func (c *care) devicesOf(patient string) []string { return c.feeds[patient] }

// lives are the habits of the demonstration.
var lives = sync.OnceValues(seeds.Lives)

// measures reports whether a kind of device measures what a reading holds, by the
// habits of the demonstration.
func measures(kind string, r *protocols.Reading) bool {
	scenarios, err := lives()
	return err == nil && scenarios.Measures(kind, r)
}
