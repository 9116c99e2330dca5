// Package fhir decodes observations of FHIR R4, alone or in a bundle: those of the French
// "Mesures de santé" (ANS, 3.1.0) and of HL7's "Personal Health Devices" (1.0.0).
//
// An observation is one reading. Its code says the measure, its value or its components
// the numbers, effectiveDateTime or effectiveInstant the time. Its identifier, or else its
// id, is that of the reading. Whoever is the subject, the reading is of the patient who
// has the device: a reference means something at its sender only.
//
// What FHIR forbids to ignore is refused: another status than final, amended or
// corrected, a modifier extension, data that are marked as a test. The resources of a
// bundle that are no observations are left alone.
//
// Sources: hl7.org/fhir/R4/observation.html, bundle.html, datatypes.html#Quantity;
// interop.esante.gouv.fr/ig/fhir/mesures; hl7.org/fhir/uv/phd.
package fhir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/values"
	"vigie/protocols"
	"vigie/protocols/document"
)

// Topic is what devices publish observations under.
const Topic = "fhir"

// maxID is how many bytes the id of a reading may have.
const maxID = 128

// Decoder is an ingest.Decoder.
type Decoder struct{}

var _ ingest.Decoder = Decoder{}

// Decode implements ingest.Decoder.
func (Decoder) Decode(_, device string, payload []byte, batch *ingest.Batch) {
	d := decoding{Parts: values.Parts{Device: device, Batch: batch}}
	d.At(payload, "")
	var root head
	if err := document.ReadJSON(payload, &root, false); err != nil {
		d.Refuse(protocols.Malformed, values.Where(err), "the payload is not JSON that can be read: "+err.Error())
		d.End(protocols.Reading{})
		return
	}
	switch root.ResourceType {
	case "Observation":
		d.observation(payload)
	case "Bundle":
		d.bundle(payload, root.Entry)
	default:
		d.Refuse(protocols.Malformed, "resourceType", "an Observation or a Bundle is expected")
		d.End(protocols.Reading{})
	}
}

// head is what is read of a resource before its kind is known.
type head struct {
	ResourceType string  `json:"resourceType"`
	Entry        []entry `json:"entry"`
}

type entry struct {
	FullURL  string          `json:"fullUrl"`
	Resource json.RawMessage `json:"resource"`
}

// decoding is one payload at work.
type decoding struct {
	values.Parts

	paths []string // by component: where its value stands
	given []values.Given
	units values.Units
	meal  protocols.Meal // what another observation of the bundle says of this one; empty for nothing
}

func (d *decoding) bundle(payload []byte, entries []entry) {
	if len(entries) > ingest.MaxReadings {
		d.Refuse(protocols.TooLarge, "entry", "a message may hold "+strconv.Itoa(ingest.MaxReadings)+" readings")
		d.End(protocols.Reading{})
		return
	}
	observations := 0
	meals, said := mealsOf(payload, entries)
	for i, e := range entries {
		if said[i] {
			continue // it is told with its glucose
		}
		var kind head
		d.At(e.Resource, "entry["+strconv.Itoa(i)+"].resource.")
		if len(e.Resource) == 0 || json.Unmarshal(e.Resource, &kind) != nil || kind.ResourceType != "Observation" {
			continue
		}
		observations++
		d.meal = meals[i]
		d.observation(e.Resource)
	}
	if observations == 0 {
		d.At(payload, "")
		d.Refuse(protocols.MissingValue, "entry", "the bundle holds no Observation")
		d.End(protocols.Reading{})
	}
}

// The parts of an observation that are read.
type (
	observation struct {
		ID                string            `json:"id"`
		Identifier        []identifier      `json:"identifier"`
		Status            string            `json:"status"`
		Meta              meta              `json:"meta"`
		ModifierExtension []json.RawMessage `json:"modifierExtension"`
		Extension         []json.RawMessage `json:"extension"`
		Code              concept           `json:"code"`
		Date              string            `json:"effectiveDateTime"`
		Instant           string            `json:"effectiveInstant"`
		Period            json.RawMessage   `json:"effectivePeriod"`
		Timing            json.RawMessage   `json:"effectiveTiming"`
		Component         []component       `json:"component"`
		measured
	}
	component struct {
		Code concept `json:"code"`
		measured
	}
	measured struct {
		Quantity *quantity       `json:"valueQuantity"`
		String   json.RawMessage `json:"valueString"`
		Integer  json.RawMessage `json:"valueInteger"`
		Sampled  json.RawMessage `json:"valueSampledData"`
		Absent   json.RawMessage `json:"dataAbsentReason"`
	}
	identifier struct {
		Value string `json:"value"`
	}
	meta struct {
		Security []coding `json:"security"`
		Tag      []coding `json:"tag"`
	}
	extension struct {
		URL     string  `json:"url"`
		Concept concept `json:"valueCodeableConcept"`
	}
	concept struct {
		Coding []coding `json:"coding"`
	}
	coding struct {
		System string `json:"system"`
		Code   string `json:"code"`
	}
	quantity struct {
		Value      json.Number `json:"value"`
		Comparator string      `json:"comparator"`
		Unit       string      `json:"unit"`
		System     string      `json:"system"`
		Code       string      `json:"code"`
	}
)

func (d *decoding) observation(text []byte) {
	var o observation
	if err := json.Unmarshal(text, &o); err != nil { // a field given twice was looked for in the whole
		d.Refuse(protocols.Malformed, "", "this is no Observation: "+err.Error())
		d.End(protocols.Reading{})
		return
	}
	r := protocols.Reading{Device: d.Device, Battery: -1}
	d.meant(&o)
	d.measure(&o.Code, &r)
	d.moment(&o, &r)
	d.time(&o, &r)
	if r.Measure != nil {
		d.values(&o, &r)
	}
	r.ID = d.id(&o, &r)
	d.End(r)
}

// measuredStatus are those of an observation that is a measurement.
var measuredStatus = []string{"final", "amended", "corrected"}

// meant refuses what is no measurement, or says so in a way that nobody may ignore.
func (d *decoding) meant(o *observation) {
	if !slices.Contains(measuredStatus, o.Status) {
		d.Refuse(protocols.Malformed, "status", "only final, amended or corrected observations are measurements")
	}
	if len(o.ModifierExtension) > 0 {
		d.Refuse(protocols.UnknownField, "modifierExtension", "what a modifier extension means is not known")
	}
	test := func(c coding) bool { return c.Code == "HTEST" }
	if slices.ContainsFunc(o.Meta.Security, test) || slices.ContainsFunc(o.Meta.Tag, test) {
		d.Refuse(protocols.Malformed, "meta.security", "data that are marked as a test are no measurement")
	}
}

// measure finds what the codes say. Those that are known have to agree.
func (d *decoding) measure(code *concept, r *protocols.Reading) {
	for _, c := range code.Coding {
		m, variant := observed(c.System, c.Code)
		switch {
		case m == nil:
		case r.Measure == nil:
			r.Measure, r.Variant = m, variant
		case r.Measure != m || variant != 0 && r.Variant != 0 && variant != r.Variant:
			d.Refuse(protocols.Inconsistent, "code", "its codes are those of two measures: "+r.Measure.ID+" and "+m.ID)
			return
		case variant != 0:
			r.Variant = variant
		}
	}
	if r.Measure == nil {
		d.Refuse(protocols.UnknownMeasure, "code", "no measure has one of these codes")
	}
}

// moment reads when by a meal a glucose was measured: of its codes, and of the extension of
// "Mesures de santé". What they say has to agree.
func (d *decoding) moment(o *observation, r *protocols.Reading) {
	if r.Measure == nil || r.Measure.ID != "glucose" {
		return
	}
	meal, agree := d.meal, true
	for _, c := range o.Code.Coding {
		if meal, agree = finer(meal, momentOf(c.System, c.Code)); !agree {
			d.Refuse(protocols.Inconsistent, "code", "its codes name two moments by a meal")
			return
		}
	}
	for i, text := range o.Extension {
		var e extension
		if json.Unmarshal(text, &e) != nil || !slices.Contains(momentExtensions, e.URL) {
			continue
		}
		for _, c := range e.Concept.Coding {
			system := c.System
			if system == loinc {
				system = frenchLOINC // its codes are those of the French list, whatever the name of that
			}
			if meal, agree = finer(meal, momentOf(system, c.Code)); !agree {
				d.Refuse(protocols.Inconsistent, "extension["+strconv.Itoa(i)+"].valueCodeableConcept", "the code of the observation names another moment by a meal")
				return
			}
		}
	}
	if meal != "" {
		r.Context = map[string]string{protocols.MealContext: string(meal)}
	}
}

// time reads the time or the day. A month or a year is no time of a measurement.
func (d *decoding) time(o *observation, r *protocols.Reading) {
	path, text := "effectiveDateTime", o.Date
	if text == "" {
		path, text = "effectiveInstant", o.Instant
	}
	switch {
	case o.Date != "" && o.Instant != "":
		d.Refuse(protocols.Malformed, "effectiveInstant", "an observation has one time")
		return
	case text == "" && (o.Period != nil || o.Timing != nil):
		d.Refuse(protocols.Malformed, "effective", "a reading has one time: use effectiveDateTime")
		return
	case text == "":
		d.Refuse(protocols.MissingValue, "effectiveDateTime", "this field is required")
		return
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil && path == "effectiveDateTime" {
		r.Time, r.DayOnly = day.Add(12*time.Hour), true
		return
	}
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err == nil:
		r.Time = at.UTC()
	case len(text) > len(time.DateOnly) && !strings.ContainsAny(text[len(time.DateOnly):], "Z+-"):
		d.Refuse(protocols.NoTimeZone, path, "a time needs its offset: 2026-11-21T07:02:11+01:00")
	default:
		d.Refuse(protocols.Malformed, path, "a time is written 2026-11-21T07:02:11+01:00, a day 2026-11-21")
	}
}

// values reads the numbers, of the observation itself or of its components.
func (d *decoding) values(o *observation, r *protocols.Reading) {
	m := r.Measure
	d.given, d.units = d.given[:0], values.Units{Object: true}
	d.paths = slices.Repeat([]string{""}, len(m.Components))
	if at := whole(m, &o.Code); at >= 0 {
		d.value(m, at, "", &o.measured)
	} else if o.Quantity != nil {
		d.Refuse(protocols.Malformed, "valueQuantity", "the numbers of this measure stand in its components")
	}
	for i := range o.Component {
		c := &o.Component[i]
		place := "component[" + strconv.Itoa(i) + "]."
		found := -1
		for _, code := range c.Code.Coding {
			if at := part(m, code.System, code.Code); at >= 0 {
				found = at
			}
		}
		if found < 0 {
			d.Refuse(protocols.UnknownField, place+"code", "this measure has no component of these codes")
			continue
		}
		d.value(m, found, place, &c.measured)
	}
	d.Resolve(r, d.given, &d.units, func(path string) string { return d.pathOf(m, path) })
}

// whole is the component that the value of the observation itself is; −1 where its
// numbers stand in components.
func whole(m *protocols.Measure, code *concept) int {
	if len(m.Components) == 1 {
		return 0
	}
	for _, c := range code.Coding {
		if at := part(m, c.System, c.Code); at >= 0 {
			return at
		}
	}
	return -1
}

// value adds one number. One that is absent for a reason is not given.
func (d *decoding) value(m *protocols.Measure, at int, place string, v *measured) {
	path := place + "valueQuantity"
	d.paths[at] = path
	switch q := v.Quantity; {
	case q != nil && v.Absent != nil:
		d.Refuse(protocols.Inconsistent, place+"dataAbsentReason", "a value that is there is not absent")
	case v.String != nil || v.Integer != nil || v.Sampled != nil:
		d.Refuse(protocols.Malformed, place+"value", "a number with its unit is a valueQuantity")
	case q == nil: // Resolve says that it is missing
	default:
		given := values.Given{Name: []byte(m.Components[at].Name), Number: math.NaN()}
		if n, err := q.Value.Float64(); err == nil {
			given.Number = n
		}
		limit, known := comparators[q.Comparator]
		if !known {
			d.Refuse(protocols.Malformed, path+".comparator", `only "<" and ">" say that a value is beyond what the device shows`)
		}
		given.Limit = limit
		d.given = append(d.given, given)
		unit := q.Code
		if q.System != ucum || unit == "" {
			unit = q.Unit
		}
		d.units.Each = append(d.units.Each, values.Unit{Component: given.Name, Unit: []byte(unit)})
	}
}

var comparators = map[string]protocols.Limit{"": protocols.Measured, "<": protocols.LessThan, ">": protocols.MoreThan}

// pathOf turns a path of the resolver, "values.systolic", into that of the resource.
func (d *decoding) pathOf(m *protocols.Measure, path string) string {
	field, name, parted := strings.Cut(path, ".")
	at := m.Component(name)
	if !parted || at < 0 || d.paths[at] == "" {
		return "value"
	}
	if field == "unit" {
		return d.paths[at] + ".code"
	}
	return d.paths[at] + ".value"
}

// id is what the sender calls the observation, or what follows from it.
func (d *decoding) id(o *observation, r *protocols.Reading) string {
	for _, i := range o.Identifier {
		if i.Value != "" && len(i.Value) <= maxID {
			return i.Value
		}
	}
	if o.ID != "" && len(o.ID) <= maxID {
		return o.ID
	}
	if r.Measure == nil {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%v\x00%v", r.Measure.ID, r.Time.Format(time.RFC3339Nano), r.Values, r.Limits))
	return hex.EncodeToString(sum[:12])
}
