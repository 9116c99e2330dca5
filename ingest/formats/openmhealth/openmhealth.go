// Package openmhealth decodes data points of Open mHealth and IEEE 1752.1, alone or in a
// list.
//
// The name of the schema in the header says the measure, the body its numbers and its
// time. The id of the data point is that of the reading. An average, a minimum or a time
// interval is no single measurement, and is refused.
//
// Sources: github.com/openmhealth/schemas, schema/omh: header, data-point, time-frame,
// blood-pressure, body-weight, blood-glucose, heart-rate, oxygen-saturation,
// body-temperature, respiratory-rate.
package openmhealth

import (
	"encoding/json"
	"maps"
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

// Topic is what devices publish data points under.
const Topic = "openmhealth"

// maxID is how many bytes the id of a reading may have.
const maxID = 128

// Decoder is an ingest.Decoder.
type Decoder struct{}

var _ ingest.Decoder = Decoder{}

// schema is what a data point of one name measures.
type schema struct {
	measure string
	fields  map[string]string // component by the name of its field in the body
}

// schemas are the data points that are read, by the name in their header.
var schemas = map[string]schema{
	"blood-pressure":    {"blood-pressure", map[string]string{"systolic_blood_pressure": "systolic", "diastolic_blood_pressure": "diastolic"}},
	"body-weight":       {"weight", map[string]string{"body_weight": "value"}},
	"blood-glucose":     {"glucose", map[string]string{"blood_glucose": "value"}},
	"heart-rate":        {"heart-rate", map[string]string{"heart_rate": "value"}},
	"oxygen-saturation": {"oxygen-saturation", map[string]string{"oxygen_saturation": "value"}},
	"body-temperature":  {"temperature", map[string]string{"body_temperature": "value"}},
	"respiratory-rate":  {"respiratory-rate", map[string]string{"respiratory_rate": "value"}},
}

// units are the words of the schemas that are no UCUM.
var units = map[string]string{"beats/min": "/min", "breaths/min": "/min", "C": "Cel", "F": "[degF]", "lb": "[lb_av]"}

// specimens are the words of specimen_source that have one here.
var specimens = map[string]string{"capillary blood": "capillary", "interstitial fluid": "interstitial"}

// selfReported is the modality of what a person typed in.
const selfReported = "self-reported"

// The parts of a data point that are read.
type (
	point struct {
		Header header                     `json:"header"`
		Body   map[string]json.RawMessage `json:"body"`
	}
	header struct {
		ID     string `json:"id"`
		UUID   string `json:"uuid"` // as IEEE 1752.1 calls it
		Schema struct {
			Name string `json:"name"`
		} `json:"schema_id"`
		Modality   string `json:"modality"` // of IEEE 1752.1
		Provenance struct {
			Modality string `json:"modality"`
		} `json:"acquisition_provenance"`
	}
	quantity struct {
		Value json.Number `json:"value"`
		Unit  string      `json:"unit"`
	}
)

// Decode implements ingest.Decoder.
func (Decoder) Decode(_, device string, payload []byte, batch *ingest.Batch) {
	d := decoding{values.Parts{Device: device, Batch: batch}}
	d.Each(payload, "data points", d.one)
}

// decoding is one payload at work.
type decoding struct{ values.Parts }

func (d *decoding) one(part []byte) {
	r := protocols.Reading{Device: d.Device, Battery: -1}
	var p point
	if err := document.ReadJSON(part, &p, false); err != nil {
		d.Refuse(protocols.Malformed, values.Where(err), "this is no data point: "+err.Error())
		d.End(r)
		return
	}
	if r.ID = p.Header.ID; r.ID == "" {
		r.ID = p.Header.UUID
	}
	if r.ID == "" || len(r.ID) > maxID {
		r.ID = ""
		d.Refuse(protocols.MissingValue, "header.id", "a data point has an id of 1 to "+strconv.Itoa(maxID)+" bytes")
	}
	s, known := schemas[p.Header.Schema.Name]
	if !known {
		d.Refuse(protocols.UnknownMeasure, "header.schema_id.name", "the schemas that are read: "+strings.Join(slices.Sorted(maps.Keys(schemas)), ", "))
		d.End(r)
		return
	}
	if p.Body["descriptive_statistic"] != nil {
		d.Refuse(protocols.Malformed, "body.descriptive_statistic", "a statistic of several measurements is none itself: send each of them")
	}
	if p.Header.Modality == selfReported || p.Header.Provenance.Modality == selfReported {
		r.Source = protocols.FromPatient
	}
	r.Measure = protocols.MeasureByID(s.measure)
	d.specimen(&p, &r)
	d.meal(&p, &r)
	d.system(p.Body["system"])
	d.time(p.Body["effective_time_frame"], &r)
	d.values(&p, &s, &r)
	d.End(r)
}

// specimen reads what glucose was measured in, where it says so.
func (d *decoding) specimen(p *point, r *protocols.Reading) {
	var word string
	if text := p.Body["specimen_source"]; text != nil && json.Unmarshal(text, &word) != nil {
		d.Refuse(protocols.Malformed, "body.specimen_source", "this has to be a text")
	}
	if word == "tears" {
		d.Refuse(protocols.UnknownMeasure, "body.specimen_source", "glucose of tears is no measure here")
	}
	r.Variant = uint8(max(0, r.Measure.Variant(specimens[word])))
}

// meal reads when, by a meal, it was measured; "not fasting" says no moment.
func (d *decoding) meal(p *point, r *protocols.Reading) {
	text := p.Body["temporal_relationship_to_meal"]
	if text == nil {
		return
	}
	var word string
	if json.Unmarshal(text, &word) != nil {
		d.Refuse(protocols.Malformed, "body.temporal_relationship_to_meal", "this has to be a text")
	}
	if meal := protocols.MealOf(word); meal != "" {
		r.Context = map[string]string{protocols.MealContext: string(meal)}
	}
}

// system refuses a saturation of other blood than an oximeter sees: venous, for one.
func (d *decoding) system(text json.RawMessage) {
	var word string
	if text == nil {
		return
	}
	if json.Unmarshal(text, &word) != nil || word != "peripheral" {
		d.Refuse(protocols.UnknownMeasure, "body.system", "a saturation is read where it is peripheral, or where nothing else is said")
	}
}

// time reads a time frame, which has to be one moment.
func (d *decoding) time(text json.RawMessage, r *protocols.Reading) {
	var frame struct {
		At       string          `json:"date_time"`
		Interval json.RawMessage `json:"time_interval"`
	}
	const path = "body.effective_time_frame"
	switch err := json.Unmarshal(text, &frame); {
	case text == nil:
		d.Refuse(protocols.MissingValue, path, "a measurement has a time")
		return
	case err != nil:
		d.Refuse(protocols.Malformed, path, "a time frame is an object with a date_time")
		return
	case frame.Interval != nil:
		d.Refuse(protocols.Malformed, path+".time_interval", "a measurement is of one moment: date_time")
		return
	}
	at, err := time.Parse(time.RFC3339, frame.At)
	if err != nil {
		d.Refuse(protocols.Malformed, path+".date_time", `a time is written "2026-11-21T07:02:11+01:00"`)
		return
	}
	r.Time = at.UTC()
}

// values reads the numbers, each with its unit.
func (d *decoding) values(p *point, s *schema, r *protocols.Reading) {
	var given []values.Given
	fields := map[string]string{}
	u := values.Units{Object: true}
	for _, field := range slices.Sorted(maps.Keys(s.fields)) {
		component := s.fields[field]
		fields[component] = field
		text := p.Body[field]
		if text == nil {
			continue
		}
		var q quantity
		if err := json.Unmarshal(text, &q); err != nil {
			d.Refuse(protocols.Malformed, "body."+field, `a quantity is {"value":120,"unit":"mmHg"}`)
			continue
		}
		number, err := q.Value.Float64()
		if err != nil {
			number = math.NaN()
		}
		unit := q.Unit
		if ucum := units[unit]; ucum != "" {
			unit = ucum
		}
		given = append(given, values.Given{Name: []byte(component), Number: number})
		u.Each = append(u.Each, values.Unit{Component: []byte(component), Unit: []byte(unit)})
	}
	d.Resolve(r, given, &u, func(path string) string { return pathOf(path, fields) })
}

// pathOf is where a reason of the resolver stands in the data point.
func pathOf(path string, fields map[string]string) string {
	if component, ok := strings.CutPrefix(path, "values."); ok && fields[component] != "" {
		return "body." + fields[component] + ".value"
	}
	if component, ok := strings.CutPrefix(path, "unit."); ok && fields[component] != "" {
		return "body." + fields[component] + ".unit"
	}
	return "body"
}
