package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"path"
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

// nothing are the payloads that say that there is no value now.
var nothing = []string{"", "unavailable", "unknown", "nan", "none", "null"}

// Read is ingest.Gateway.Read.
func (f *Format) Read(topic string, payload []byte, batch *ingest.Batch) (device string) {
	words, _ := f.words(topic)
	r := reading{format: f, words: words, payload: payload, batch: batch}
	var root any
	wrong := document.ReadJSON(payload, &root, false)
	if wrong != nil && root == nil {
		text := strings.TrimSpace(string(payload))
		if slices.Contains(nothing, strings.ToLower(text)) {
			return ""
		}
		root, wrong = text, nil
	}
	r.item = root
	r.device = strings.ReplaceAll(words["{device}"], ":", "")
	if f.mapping.Device == connection {
		r.device = ingest.Connection
	} else if f.mapping.Device != "" {
		name, _ := r.lookup(f.mapping.Device)
		text, _ := name.(string)
		r.device = strings.ReplaceAll(text, ":", "")
	}
	items, many := root.([]any)
	if !many {
		items = []any{root}
	}
	if len(items) > ingest.MaxReadings {
		r.refuse(protocols.Reading{}, []protocols.Reason{{Code: protocols.TooLarge, Message: "a message may hold " + strconv.Itoa(ingest.MaxReadings) + " readings"}})
		return r.device
	}
	former := *batch
	for i, item := range items {
		r.item, r.place = item, ""
		if many {
			r.place = "[" + strconv.Itoa(i) + "]."
		}
		for rule := range f.mapping.Readings {
			r.rule(&f.mapping.Readings[rule], f.zones[rule])
		}
	}
	if len(batch.Readings)+len(batch.Refused) == len(former.Readings)+len(former.Refused) {
		return ""
	}
	if wrong != nil { // a value stands there, or another one
		*batch, r.place = former, ""
		r.refuse(protocols.Reading{}, []protocols.Reason{{Code: protocols.Malformed, Path: values.Where(wrong), Message: "the payload is not JSON that can be read: " + wrong.Error()}})
	}
	return r.device
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
