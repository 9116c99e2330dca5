package devices

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
)

// Speech is one way in which a simulated device says a reading.
type Speech struct {
	Name string
	// Kind is the last level of the topic; empty where At says the whole of it.
	Kind string
	// At is the topic of a device whose gateway has topics of its own.
	At func(device string) string
	// Say writes a reading. It reports false for what the format has no way to say.
	Say func(Reading) ([]byte, bool)
}

// Topic is where a device publishes under the prefix.
func (s *Speech) Topic(prefix, device string) string {
	if s.At != nil {
		return s.At(device)
	}
	return prefix + "/" + device + "/" + s.Kind
}

// Speeches are the ways that simulated devices know. Sources of each form are those of
// the folder in ingest/formats that reads it.
var Speeches = []Speech{
	{Name: "native", Kind: "readings", Say: func(r Reading) ([]byte, bool) { return encode(r), true }},
	{Name: "fhir", Kind: "fhir", Say: sayFHIR},
	{Name: "gatt", Kind: "gatt", Say: sayGATT},
	{Name: "openmhealth", Kind: "openmhealth", Say: sayOpenMHealth},
	{Name: "senml", Kind: "senml", Say: saySenML},
	{Name: "senml-cbor", Kind: "senml-cbor", Say: saySenMLInCBOR},
	{Name: "nightscout", Kind: "nightscout", Say: sayNightscout},
	{Name: "theengs", At: func(device string) string { return "home/hub/BTtoMQTT/" + device }, Say: sayTheengs},
}

// SpeechNamed is the way of that name, or an error that lists them.
func SpeechNamed(name string) (*Speech, error) {
	var names []string
	for i := range Speeches {
		if Speeches[i].Name == name {
			return &Speeches[i], nil
		}
		names = append(names, Speeches[i].Name)
	}
	return nil, fmt.Errorf("no simulated device speaks %q: choose one of %s", name, strings.Join(names, ", "))
}

// bounded reports whether a number of a reading is the end of what the device shows.
func (r *Reading) bounded() bool {
	for _, g := range r.Values {
		if g.Limit != protocols.Measured {
			return true
		}
	}
	return false
}

// object is a JSON object.
type object = map[string]any

func loincCode(code string) object {
	return object{"coding": []object{{"system": "http://loinc.org", "code": code}}}
}

// comparators are the bounds in FHIR.
var comparators = map[protocols.Limit]string{protocols.LessThan: "<", protocols.MoreThan: ">"}

// sayFHIR writes an Observation.
func sayFHIR(r Reading) ([]byte, bool) {
	m := protocols.MeasureByID(r.Measure)
	if m == nil || m.LOINC == "" {
		return nil, false
	}
	quantity := func(g Given, unit string) object {
		q := object{"value": g.Number, "system": "http://unitsofmeasure.org", "code": unit}
		if c := comparators[g.Limit]; c != "" {
			q["comparator"] = c
		}
		return q
	}
	o := object{"resourceType": "Observation", "status": "final", "identifier": []object{{"system": "urn:vigie:simulator", "value": r.ID}},
		"code": loincCode(fhirCode(&r, m)), "effectiveDateTime": r.Time}
	if len(m.Components) == 1 {
		o["valueQuantity"] = quantity(r.Values[m.Components[0].Name], r.Unit)
		return encode(o), true
	}
	var parts []object
	for _, c := range m.Components {
		g, given := r.Values[c.Name]
		if !given {
			continue
		}
		if c.LOINC == "" {
			return nil, false
		}
		unit := r.Unit
		if c.Own {
			unit = c.Unit
		}
		parts = append(parts, object{"code": loincCode(c.LOINC), "valueQuantity": quantity(g, unit)})
	}
	o["component"] = parts
	return encode(o), true
}

// fhirCode tells the specimens of glucose apart.
func fhirCode(r *Reading, m *protocols.Measure) string {
	switch r.Context["specimen"] {
	case "capillary":
		return "41653-7"
	case "interstitial":
		return "99504-3"
	}
	return m.LOINC
}

// gattClock is a Date Time: the wall clock, here of UTC.
func gattClock(at time.Time) []byte {
	at = at.UTC()
	b := binary.LittleEndian.AppendUint16(nil, uint16(at.Year()))
	return append(b, byte(at.Month()), byte(at.Day()), byte(at.Hour()), byte(at.Minute()), byte(at.Second()))
}

// sfloat is a number of IEEE 11073-20601 in 16 bits, with that exponent.
func sfloat(number float64, exponent int) []byte {
	mantissa := int(math.Round(number * math.Pow10(-exponent)))
	return binary.LittleEndian.AppendUint16(nil, uint16(exponent&0xf)<<12|uint16(mantissa)&0xfff)
}

// sayGATT writes a characteristic as a box passes it on. Its clock knows whole seconds.
func sayGATT(r Reading) ([]byte, bool) {
	at, err := time.Parse(time.RFC3339Nano, r.Time)
	if err != nil || r.bounded() {
		return nil, false
	}
	clock, value := gattClock(at), r.Values["value"].Number
	m := object{"zone": "UTC", "id": r.ID}
	var code string
	var b []byte
	switch r.Measure {
	case "blood-pressure":
		code, b = "2A35", []byte{2}
		for _, name := range []string{"systolic", "diastolic"} {
			b = append(b, sfloat(r.Values[name].Number, 0)...)
		}
		b = append(append(b, 0xff, 0x07), clock...) // the mean is no number
		if pulse, given := r.Values["pulse"]; given {
			b[0] |= 4
			b = append(b, sfloat(pulse.Number, 0)...)
		}
	case "weight":
		code, b = "2A9D", append(binary.LittleEndian.AppendUint16([]byte{2}, uint16(math.Round(value*200))), clock...)
	case "temperature":
		code, b = "2A1C", append(binary.LittleEndian.AppendUint32([]byte{2}, 0xff<<24|uint32(math.Round(value*10))&0xffffff), clock...)
	case "oxygen-saturation":
		code, b = "2A5E", slices.Concat([]byte{1}, sfloat(value, 0), []byte{0xff, 0x07}, clock)
	case "glucose":
		kind := map[string]byte{"capillary": 0x11, "interstitial": 0x19}[r.Context["specimen"]]
		if kind == 0 {
			return nil, false
		}
		code, b = "2A18", slices.Concat([]byte{2, 1, 0}, clock, sfloat(value/100_000, -5), []byte{kind})
	case "heart-rate":
		code, b = "2A37", []byte{0, byte(value)}
		m["time"] = r.Time
		delete(m, "zone")
	default:
		return nil, false
	}
	m["characteristic"], m["value"] = code, hex.EncodeToString(b)
	return encode(m), true
}

// dataPoints are the schemas of Open mHealth, with the field of each component and the
// unit as they write it.
var dataPoints = map[string]struct {
	schema string
	fields map[string]string
	unit   string
}{
	"blood-pressure":    {"blood-pressure", map[string]string{"systolic": "systolic_blood_pressure", "diastolic": "diastolic_blood_pressure"}, "mmHg"},
	"weight":            {"body-weight", map[string]string{"value": "body_weight"}, "kg"},
	"glucose":           {"blood-glucose", map[string]string{"value": "blood_glucose"}, "mg/dL"},
	"heart-rate":        {"heart-rate", map[string]string{"value": "heart_rate"}, "beats/min"},
	"oxygen-saturation": {"oxygen-saturation", map[string]string{"value": "oxygen_saturation"}, "%"},
	"temperature":       {"body-temperature", map[string]string{"value": "body_temperature"}, "C"},
	"respiratory-rate":  {"respiratory-rate", map[string]string{"value": "respiratory_rate"}, "breaths/min"},
}

// sayOpenMHealth writes a data point. A pulse beside a pressure has no field in it.
func sayOpenMHealth(r Reading) ([]byte, bool) {
	p, known := dataPoints[r.Measure]
	if _, err := time.Parse(time.RFC3339Nano, r.Time); !known || err != nil || r.bounded() {
		return nil, false
	}
	body := object{"effective_time_frame": object{"date_time": r.Time}}
	for component, field := range p.fields {
		body[field] = object{"value": r.Values[component].Number, "unit": p.unit}
	}
	switch r.Context["specimen"] {
	case "capillary":
		body["specimen_source"] = "capillary blood"
	case "interstitial":
		body["specimen_source"] = "interstitial fluid"
	}
	return encode(object{"header": object{"id": r.ID, "creation_date_time": r.Time, "schema_id": object{"namespace": "omh", "name": p.schema, "version": "2.0"}}, "body": body}), true
}

// sayTheengs writes what a gateway heard of a scale. It has no time: that of receipt counts.
func sayTheengs(r Reading) ([]byte, bool) {
	if r.Measure != "weight" || r.bounded() {
		return nil, false
	}
	return encode(object{"id": "AA:BB:CC:DD:EE:FF", "rssi": -67, "weighing_mode": "person", "unit": "kg", "weight": json.Number(fmt.Sprintf("%.2f", r.Values["value"].Number))}), true
}

// pack is a reading as SenML records: what all of them share stands in the first. Their
// names have no place for an id, which follows from sensor, measure and moment.
func pack(r *Reading) (records []object, able bool) {
	m := protocols.MeasureByID(r.Measure)
	at, err := time.Parse(time.RFC3339Nano, r.Time)
	if m == nil || err != nil || r.bounded() {
		return nil, false
	}
	base := "urn:vigie:simulator:" + r.Measure
	if specimen := r.Context["specimen"]; specimen != "" {
		base += "/" + specimen
	}
	for _, c := range m.Components {
		g, given := r.Values[c.Name]
		if !given {
			continue
		}
		record := object{"u": r.Unit, "v": g.Number}
		if c.Own {
			record["u"] = c.Unit
		}
		if len(m.Components) > 1 {
			record["n"] = "/" + c.Name
		}
		records = append(records, record)
	}
	if len(records) > 0 {
		records[0]["bn"], records[0]["bt"] = base, float64(at.UnixMilli())/1000
	}
	return records, len(records) > 0
}

func saySenML(r Reading) ([]byte, bool) {
	records, able := pack(&r)
	return encode(records), able
}

// senMLLabels are the labels of fields in CBOR: RFC 8428, table 4.
var senMLLabels = map[string]byte{"bn": 0x21, "bt": 0x22, "n": 0x00, "u": 0x01, "v": 0x02} // -2, -3, 0, 1, 2

// saySenMLInCBOR writes the same records as RFC 8949 has it: an array of maps, whose
// numbers are doubles.
func saySenMLInCBOR(r Reading) ([]byte, bool) {
	records, able := pack(&r)
	b := []byte{0x80 | byte(len(records))}
	for _, record := range records {
		b = append(b, 0xa0|byte(len(record)))
		for _, field := range slices.Sorted(maps.Keys(record)) {
			b = append(b, senMLLabels[field])
			switch value := record[field].(type) {
			case float64:
				b = binary.BigEndian.AppendUint64(append(b, 0xfb), math.Float64bits(value))
			case string:
				b = append(append(b, 0x78, byte(len(value))), value...)
			}
		}
	}
	return b, able
}

// sayNightscout writes an entry of a sensor. It shows 39 for what is below 40, and 401 for
// what is above 400.
func sayNightscout(r Reading) ([]byte, bool) {
	at, err := time.Parse(time.RFC3339Nano, r.Time)
	if err != nil || r.Measure != "glucose" || r.Unit != "mg/dL" || r.Context["specimen"] != "interstitial" {
		return nil, false
	}
	g := r.Values["value"]
	switch {
	case g.Limit == protocols.LessThan && g.Number == 40:
		g.Number = 39
	case g.Limit == protocols.MoreThan && g.Number == 400:
		g.Number = 401
	case g.Limit != protocols.Measured:
		return nil, false
	}
	return encode(object{"_id": r.ID, "type": "sgv", "sgv": g.Number, "date": at.UnixMilli(), "device": "dexcom"}), true
}
