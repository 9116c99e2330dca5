// Package gateway reads what gateways publish under topics of their own: a mapping, which
// is a file, says where the device's name, the values, the unit and the time stand.
//
// A mapping never guesses. A message in which none of its values stands is no reading,
// and nothing is kept of it. One that holds some of them is read, or refused with reasons.
package gateway

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
)

// Mapping says how the messages of one kind of gateway are read.
type Mapping struct {
	ID      string   `yaml:"gateway"`
	Title   string   `yaml:"title"`
	Sources []string `yaml:"sources"` // where the shape of its messages was read
	// Topic is a pattern by levels: a word, + for any, {name} for any that is named.
	// {device} is the name of the device; colons are left out of it.
	Topic string `yaml:"topic"`
	// Device says where the name is if the topic has none: its path; connection for who has
	// logged in; keys where the message is an object of devices by name; or words in braces,
	// each a level of the topic or a path: "{hub}-user-{user_slot}".
	Device   string   `yaml:"device"`
	Readings []Rule   `yaml:"readings"`
	Samples  []Sample `yaml:"samples"`
}

// Rule says where one measure stands. A path is keys parted by points; "." is the whole
// payload, and {name} a level of the topic.
type Rule struct {
	Measure  string            `yaml:"measure"`
	When     map[string]string `yaml:"when"`     // path to a word that has to stand there, with * for any letters
	Values   map[string]string `yaml:"values"`   // component to path
	Unit     string            `yaml:"unit"`     // of the main components
	UnitAt   string            `yaml:"unit_at"`  // path of the unit, in the place of unit
	Specimen string            `yaml:"specimen"` // of glucose: capillary or interstitial
	Time     When              `yaml:"time"`
	ID       string            `yaml:"id"` // path; derived from time and values where there is none
}

// When says where the time of a reading stands.
type When struct {
	At   string `yaml:"at"`   // path; empty for the time of receipt
	As   string `yaml:"as"`   // seconds or milliseconds since 1970, instant (RFC 3339), local
	Zone string `yaml:"zone"` // of local times: Europe/Paris, or configured for the zone of the configuration
	Or   string `yaml:"or"`   // receipt: that time, where there is nothing at the path
}

// Sample is a message with what it gives, one line a reading as Lines writes it.
type Sample struct {
	Topic   string   `yaml:"topic"`
	Payload string   `yaml:"payload"`
	Gives   []string `yaml:"gives"`
}

//go:embed shipped/*.yaml
var shipped embed.FS

// Shipped returns the text of a mapping that ships; ok is false where there is none.
func Shipped(id string) (text []byte, ok bool) {
	text, err := shipped.ReadFile("shipped/" + id + ".yaml")
	return text, err == nil
}

// IDs lists the mappings that ship.
func IDs() (ids []string) {
	files, err := fs.Glob(shipped, "shipped/*.yaml")
	if err != nil {
		panic("gateway: the pattern of the files that ship is good: " + err.Error())
	}
	for _, file := range files {
		ids = append(ids, strings.TrimSuffix(path.Base(file), ".yaml"))
	}
	return ids
}

// configured stands for the zone that an operator names; connection for the device that
// has logged in; keys for the keys of a message.
const (
	configured = "configured"
	connection = "connection"
	keys       = "keys"
)

// Parse reads a mapping and lists everything that is wrong with it. The zone is that of
// local times where the mapping leaves it to the configuration; empty where nobody names
// one, which such a mapping refuses. Problems are errors: without any it may be used.
func Parse(text []byte, zone string) (*Format, []document.Problem) {
	root, err := yaml.Parse(text)
	if err != nil {
		if bad, ok := err.(*yaml.Error); ok {
			return nil, []document.Problem{bad.Problem()}
		}
		return nil, []document.Problem{{Line: 1, Column: 1, Code: "not-yaml", Message: protocols.Say("%s", "%s", err.Error()), Severity: document.Error}}
	}
	p := parser{Filler: document.Filler{Tag: "yaml"}}
	at := document.Place{Node: root}
	p.Fill(at, &p.mapping)
	for i := range p.mapping.Readings {
		if when := &p.mapping.Readings[i].Time; when.Zone == configured {
			when.Zone = zone
		}
	}
	p.check(at)
	if len(p.Problems) > 0 {
		return nil, p.Problems
	}
	return newFormat(p.mapping), nil
}

// Try holds a mapping to its own samples, and lists those that give something else.
func Try(text []byte) []document.Problem {
	f, problems := Parse(text, "Europe/Paris")
	if len(problems) > 0 {
		return problems
	}
	root, err := yaml.Parse(text)
	if err != nil {
		return nil // it was read above
	}
	p := parser{mapping: f.mapping}
	p.samples(document.Place{Node: root}, f)
	return p.Problems
}

type parser struct {
	document.Filler
	mapping Mapping
}

func (p *parser) bad(at document.Place, code, fr, en string, args ...any) {
	p.Fault(at, code, protocols.Text{FR: fmt.Sprintf(fr, args...), EN: fmt.Sprintf(en, args...)}, protocols.Text{})
}

func (p *parser) check(at document.Place) {
	m := &p.mapping
	if !document.IsName(m.ID) {
		p.bad(at.Key("gateway"), "bad-name", "la passerelle doit avoir un nom : des minuscules, des chiffres, des traits d'union", "the gateway needs a name: lower-case letters, digits, hyphens")
	}
	p.checkTopic(at.Key("topic"))
	if len(m.Readings) == 0 {
		p.bad(at.Key("readings"), "missing-key", "aucune mesure n'est décrite (readings)", "no reading is described (readings)")
	}
	for i, item := range p.Items(at.Key("readings")) {
		p.checkRule(item, &m.Readings[i])
	}
	if len(m.Samples) == 0 {
		p.bad(at.Key("samples"), "no-samples", "une correspondance a des exemples (samples)", "a mapping has samples (samples)")
	}
}

func (p *parser) checkTopic(at document.Place) {
	m := &p.mapping
	levels := strings.Split(m.Topic, "/")
	devices := 0
	for _, level := range levels {
		named := strings.HasPrefix(level, "{") && strings.HasSuffix(level, "}")
		if level == "{device}" {
			devices++
		}
		if level == "" || strings.ContainsAny(level, "#$") || level != "+" && !named && strings.ContainsAny(level, "+{}") {
			p.bad(at, "bad-topic", "« %s » n'est pas un niveau de sujet : un mot, + ou {nom}", "%q is no level of a topic: a word, + or {name}", level)
		}
	}
	if devices+min(1, len(m.Device)) != 1 {
		p.bad(at, "no-device", "le nom de l'appareil est dans le sujet ({device}) ou dans le message (device), et à un seul endroit", "the name of the device stands in the topic ({device}) or in the message (device), and in one place only")
	}
}

func (p *parser) checkRule(at document.Place, r *Rule) {
	measure := protocols.MeasureByID(r.Measure)
	if measure == nil {
		p.bad(at.Key("measure"), "unknown-measure", "aucune mesure ne porte le nom « %s » : vigie measures les liste", "there is no measure %q: vigie measures lists them", r.Measure)
		return
	}
	for name := range r.Values {
		if measure.Component(name) < 0 {
			p.bad(at.Key("values").Key(name), "unknown-component", "%s n'a pas de composante « %s »", "%s has no component %q", measure.ID, name)
		}
	}
	for i := range measure.Components {
		if c := &measure.Components[i]; !c.Optional && r.Values[c.Name] == "" {
			p.bad(at.Key("values"), "missing-component", "la composante « %s » manque", "the component %q is missing", c.Name)
		}
	}
	switch {
	case (r.Unit == "") == (r.UnitAt == ""):
		p.bad(at, "no-unit", "dire l'unité (unit) ou l'endroit où elle est (unit_at)", "say the unit (unit) or where it stands (unit_at)")
	case r.Unit != "" && !suits(measure, r.Unit):
		p.bad(at.Key("unit"), "unit-mismatch", "%s ne se donne pas en %s", "%s is not given in %s", measure.ID, r.Unit)
	}
	if r.Specimen != "" && measure.Variant(r.Specimen) == 0 {
		p.bad(at.Key("specimen"), "unknown-specimen", "%s n'a pas cette sorte de prélèvement", "%s has no such specimen", measure.ID)
	}
	for where, word := range r.When {
		if _, err := path.Match(word, ""); err != nil {
			p.bad(at.Key("when").Key(where), "bad-pattern", "« %s » n'est pas un motif", "%q is no pattern", word)
		}
	}
	p.checkTime(at.Key("time"), &r.Time)
}

func suits(m *protocols.Measure, unit string) bool {
	_, ok := m.Convert(0, 0, protocols.Canonical(unit))
	return ok
}

// forms are how times are written.
var forms = []string{"seconds", "milliseconds", "instant", "local"}

func (p *parser) checkTime(at document.Place, w *When) {
	if w.At == "" {
		if w.As != "receipt" {
			p.bad(at, "no-time", "dire où est l'heure (at), ou que c'est celle de la réception (as: receipt)", "say where the time stands (at), or that it is that of receipt (as: receipt)")
		}
		return
	}
	if !slices.Contains(forms, w.As) {
		p.bad(at.Key("as"), "bad-time", "une heure s'écrit %s", "a time is written as %s", strings.Join(forms, ", "))
	}
	if _, err := time.LoadLocation(w.Zone); (w.As == "local") != (w.Zone != "") || err != nil {
		p.bad(at.Key("zone"), "bad-time-zone", "une heure locale, et elle seule, a un fuseau : zone, ou topics.gateway_zone", "a local time, and no other, has a zone: zone, or topics.gateway_zone")
	}
	if w.Or != "" && w.Or != "receipt" {
		p.bad(at.Key("or"), "bad-time", "à défaut de l'heure, celle de la réception : or: receipt", "where there is no time, that of receipt: or: receipt")
	}
}

// samples holds the mapping to its own samples.
func (p *parser) samples(at document.Place, f *Format) {
	for i, item := range p.Items(at.Key("samples")) {
		s := &f.mapping.Samples[i]
		if !f.Owns(s.Topic) {
			p.bad(item.Key("topic"), "other-topic", "le sujet n'est pas celui de la correspondance", "the topic is not one of the mapping")
			continue
		}
		if got := f.Lines(s.Topic, []byte(s.Payload)); !slices.Equal(got, s.Gives) {
			p.bad(item.Key("gives"), "sample-differs", "l'exemple donne %q", "the sample gives %q", got)
		}
	}
}

// Lines says what a message gives, one line a reading: device, measure, values in
// canonical units, time; or refused, code and path.
func (f *Format) Lines(topic string, payload []byte) (lines []string) {
	var batch ingest.Batch
	f.Read(topic, payload, &batch)
	aged := map[int]bool{}
	for _, a := range batch.Ages {
		aged[a.Reading] = true
	}
	for i := range batch.Readings {
		r := &batch.Readings[i]
		if r.Device == "" {
			lines = append(lines, "refused "+string(protocols.UnknownDevice))
			continue
		}
		words := []string{r.Device, r.Measure.ID}
		for c := range r.Values {
			if r.Values[c] != protocols.Missing {
				shown, limit := r.Shown(c)
				words = append(words, r.Measure.Components[c].Name+"="+limit.Sign()+shown.String())
			}
		}
		at := "receipt"
		if !aged[i] {
			at = r.Time.Format(time.RFC3339)
		}
		words = append(words, at)
		lines = append(lines, strings.Join(words, " "))
	}
	for _, refused := range batch.Refused {
		for _, reason := range refused.Reasons {
			lines = append(lines, strings.TrimSpace("refused "+string(reason.Code)+" "+reason.Path))
		}
	}
	return lines
}
