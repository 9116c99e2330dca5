package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/values"
	"vigie/protocols"
	"vigie/protocols/document"
)

// Format reads messages by one mapping. It is safe for concurrent use.
type Format struct {
	mapping Mapping
	levels  []string
	zones   []*time.Location // of the rules
}

var _ ingest.Gateway = (*Format)(nil)

func newFormat(m Mapping) *Format {
	f := &Format{mapping: m, levels: strings.Split(m.Topic, "/")}
	for i := range m.Readings {
		zone, err := time.LoadLocation(m.Readings[i].Time.Zone)
		if err != nil {
			panic("gateway: a mapping is read once it was checked: " + err.Error())
		}
		f.zones = append(f.zones, zone)
	}
	return f
}

// ID is the name of the mapping.
func (f *Format) ID() string { return f.mapping.ID }

// Title says in a few words which gateway it is for.
func (f *Format) Title() string { return f.mapping.Title }

// Filter is ingest.Gateway.Filter.
func (f *Format) Filter() string {
	levels := slices.Clone(f.levels)
	for i, level := range levels {
		if strings.HasPrefix(level, "{") {
			levels[i] = "+"
		}
	}
	return strings.Join(levels, "/")
}

// Owns is ingest.Gateway.Owns.
func (f *Format) Owns(topic string) bool {
	_, ok := f.words(topic)
	return ok
}

// words are the levels of a topic that have a name.
func (f *Format) words(topic string) (words map[string]string, ok bool) {
	levels := strings.Split(topic, "/")
	if len(levels) != len(f.levels) {
		return nil, false
	}
	words = map[string]string{}
	for i, level := range f.levels {
		switch {
		case strings.HasPrefix(level, "{"):
			words[level] = levels[i]
		case level != "+" && level != levels[i]:
			return nil, false
		}
	}
	return words, true
}

// braced are the words of a name that is made of several.
var braced = regexp.MustCompile(`\{[^{}]+\}`)

// nothing are the payloads that say that there is no value now.
var nothing = []string{"", "unavailable", "unknown", "nan", "none", "null"}

// Read is ingest.Gateway.Read.
func (f *Format) Read(topic string, payload []byte, batch *ingest.Batch) {
	words, _ := f.words(topic)
	var root any
	wrong := document.ReadJSON(payload, &root, false)
	if wrong != nil && root == nil {
		text := strings.TrimSpace(string(payload))
		if slices.Contains(nothing, strings.ToLower(text)) {
			return
		}
		root, wrong = text, nil
	}
	former := *batch
	r := reading{format: f, words: words, payload: payload, batch: batch}
	all := f.items(root)
	if len(all) > ingest.MaxReadings {
		r.refuse(protocols.Reading{}, []protocols.Reason{{Code: protocols.TooLarge, Message: "a message may hold " + strconv.Itoa(ingest.MaxReadings) + " readings"}})
		return
	}
	for _, one := range all {
		r.item, r.place, r.payload = one.value, one.place, payload
		r.device = r.deviceOf(one.key)
		if len(all) > 1 {
			r.payload = one.alone()
		}
		for rule := range f.mapping.Readings {
			r.rule(&f.mapping.Readings[rule], f.zones[rule])
		}
	}
	if wrong != nil && len(batch.Readings)+len(batch.Refused) > len(former.Readings)+len(former.Refused) { // a value stands there, or another one
		*batch, r.place, r.payload = former, "", payload
		r.refuse(protocols.Reading{}, []protocols.Reason{{Code: protocols.Malformed, Path: values.Where(wrong), Message: "the payload is not JSON that can be read: " + wrong.Error()}})
	}
}

// part is one item of a message.
type part struct {
	value any
	keyed bool   // it stands under a key, which is a device
	key   string // that key
	place string // where it stands: "[2]."
	many  bool   // it is one of a list
}

// alone is a message that holds that part and nothing else.
func (p *part) alone() []byte {
	var message = p.value
	if p.many {
		message = []any{p.value}
	}
	if p.keyed {
		message = map[string]any{p.key: message}
	}
	text, err := json.Marshal(message)
	if err != nil {
		panic("gateway: what was read as JSON can be written: " + err.Error())
	}
	return text
}

// items are the parts of a message: of a list each item, and of an object whose keys are
// devices what stands under each.
func (f *Format) items(root any) (all []part) {
	if f.mapping.Device != keys {
		return listed(nil, part{value: root})
	}
	object, _ := root.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(object)) {
		all = listed(all, part{value: object[key], keyed: true, key: key, place: key + "."})
	}
	return all
}

func listed(all []part, p part) []part {
	items, many := p.value.([]any)
	if !many {
		return append(all, p)
	}
	for i, item := range items {
		all = append(all, part{value: item, keyed: p.keyed, key: p.key, many: true, place: strings.TrimSuffix(p.place, ".") + "[" + strconv.Itoa(i) + "]."})
	}
	return all
}

// deviceOf is the name of the device that has measured the item at hand; empty where the
// message does not say.
func (r *reading) deviceOf(key string) string {
	switch where := r.format.mapping.Device; {
	case where == "":
		return bare(r.words["{device}"])
	case where == connection:
		return ingest.Connection
	case where == keys:
		return bare(key)
	case strings.Contains(where, "{"):
		return r.composed(where)
	default:
		name, _ := r.lookup(where)
		text, _ := name.(string)
		return bare(text)
	}
}

// bare is a name without the colons of an address.
func bare(name string) string { return strings.ReplaceAll(name, ":", "") }

// composed is a name of several words, each in braces: a level of the topic, or a path.
func (r *reading) composed(pattern string) string {
	whole := true
	name := braced.ReplaceAllStringFunc(pattern, func(word string) string {
		value, stands := r.lookup(word)
		if !stands {
			value, stands = r.lookup(strings.Trim(word, "{}"))
		}
		text := ""
		switch v := value.(type) {
		case string:
			text = v
		case json.Number:
			text = v.String()
		}
		whole = whole && stands && text != ""
		return text
	})
	if !whole {
		return ""
	}
	return bare(name)
}

// reading is one message being read.
type reading struct {
	format  *Format
	words   map[string]string
	payload []byte
	batch   *ingest.Batch
	device  string
	item    any
	place   string
}

func (r *reading) lookup(where string) (value any, ok bool) {
	if word, named := r.words[where]; named {
		return word, true
	}
	if where == "." {
		return r.item, r.item != nil
	}
	value = r.item
	for key := range strings.SplitSeq(where, ".") {
		object, is := value.(map[string]any)
		if !is {
			return nil, false
		}
		if value, ok = object[key]; !ok {
			return nil, false
		}
	}
	return value, value != nil
}

// fits reports whether the words that a rule asks for stand in the message.
func (r *reading) fits(rule *Rule) bool {
	for where, pattern := range rule.When {
		value, _ := r.lookup(where)
		if fits, err := path.Match(pattern, fmt.Sprint(value)); err != nil || !fits {
			return false
		}
	}
	return true
}

// rule reads one measure out of an item; nothing where none of its values stands there.
func (r *reading) rule(rule *Rule, zone *time.Location) {
	if !r.fits(rule) {
		return
	}
	m := protocols.MeasureByID(rule.Measure)
	var given []values.Given
	some := false
	for i := range m.Components {
		c := &m.Components[i]
		value, stands := r.lookup(rule.Values[c.Name])
		if rule.Values[c.Name] == "" || !stands {
			continue
		}
		some = some || !c.Optional || len(m.Components) == 1
		given = append(given, values.Given{Name: []byte(c.Name), Number: number(value)})
	}
	if len(given) == 0 || !some && required(m) {
		return
	}
	made := protocols.Reading{Device: r.device, Measure: m, Battery: -1, Variant: uint8(m.Variant(rule.Specimen)), Values: make([]protocols.Value, len(m.Components))}
	var resolver values.Resolver
	resolver.Resolve(m, given, r.units(rule), made.Values)
	made.Limits = resolver.Limits
	reasons := resolver.Reasons
	received, when, wrong := r.time(&rule.Time, zone)
	if wrong != nil {
		reasons = append(reasons, *wrong)
	}
	made.Time = when
	made.ID = r.id(rule, &made, received)
	if len(reasons) > 0 {
		r.refuse(made, reasons)
		return
	}
	for _, w := range resolver.Warnings {
		if w.Code != protocols.OtherSpelling { // of the mapping, which nobody at the device can change
			w.Path = r.place + w.Path
			r.batch.Warnings = append(r.batch.Warnings, ingest.Warning{Reading: len(r.batch.Readings), Reason: w})
		}
	}
	if received {
		r.batch.Ages = append(r.batch.Ages, ingest.Age{Reading: len(r.batch.Readings)})
	}
	r.batch.Readings = append(r.batch.Readings, made)
	r.batch.Parts = append(r.batch.Parts, r.payload)
}

func required(m *protocols.Measure) bool {
	return slices.ContainsFunc(m.Components, func(c protocols.Component) bool { return !c.Optional })
}

func (r *reading) refuse(made protocols.Reading, reasons []protocols.Reason) {
	told := slices.Clone(reasons)
	for i := range told {
		told[i].Path = r.place + told[i].Path
	}
	made.Device = r.device
	r.batch.Refused = append(r.batch.Refused, ingest.Refusal{Reading: made, Payload: r.payload, Reasons: told})
}

// number is a number, also one that is written as a text; NaN for all else.
func number(value any) float64 {
	text := ""
	switch v := value.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsAny(text, "xXpP_") {
		return math.NaN()
	}
	return n
}

func (r *reading) units(rule *Rule) *values.Units {
	unit := rule.Unit
	if rule.UnitAt != "" {
		found, _ := r.lookup(rule.UnitAt)
		unit, _ = found.(string)
	}
	return &values.Units{All: []byte(unit)}
}

// id is what the gateway calls the reading, or what follows from it.
func (r *reading) id(rule *Rule, made *protocols.Reading, received bool) string {
	if rule.ID != "" {
		switch v, _ := r.lookup(rule.ID); v := v.(type) {
		case string:
			if v != "" && len(v) <= 128 {
				return v
			}
		case json.Number:
			return v.String()
		}
	}
	moment := ""
	if !received {
		moment = made.Time.UTC().Format(time.RFC3339Nano)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%v\x00%v", made.Measure.ID, moment, made.Values, made.Limits))
	return hex.EncodeToString(sum[:12])
}

// localForms are how a local time may be written.
var localForms = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"}

// time is when the reading was measured, or that it counts as measured on receipt.
func (r *reading) time(w *When, zone *time.Location) (received bool, at time.Time, wrong *protocols.Reason) {
	value, stands := r.lookup(w.At)
	if w.At == "" || !stands && w.Or == "receipt" {
		return true, at, nil
	}
	reason := func(code protocols.Code, message string) *protocols.Reason {
		return &protocols.Reason{Code: code, Path: w.At, Message: message}
	}
	if !stands {
		return false, at, reason(protocols.MissingValue, "there is no time here")
	}
	text := strings.TrimSpace(fmt.Sprint(value))
	switch w.As {
	case "seconds", "milliseconds":
		n := number(value)
		if w.As == "seconds" {
			n *= 1000
		}
		if math.IsNaN(n) || math.Abs(n) > 1e14 {
			return false, at, reason(protocols.Malformed, "a time is a number of "+w.As+" since 1970")
		}
		return false, time.UnixMilli(int64(math.Round(n))).UTC(), nil
	case "instant":
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return false, time.Time{}, reason(protocols.Malformed, `a time is written "2026-11-21T07:02:11+01:00"`)
		}
		return false, at.UTC(), nil
	}
	for _, form := range localForms {
		wall, err := time.ParseInLocation(form, text, time.UTC)
		if err != nil {
			continue
		}
		first, ways := values.Instants(wall, zone)
		if ways != 1 {
			return false, time.Time{}, reason(protocols.NoTimeZone, "the clock is changed at this local time: it names no moment, or two")
		}
		return false, first, nil
	}
	return false, time.Time{}, reason(protocols.Malformed, `a local time is written "2026-11-21 07:02:11"`)
}
