package values

import (
	"bytes"
	"encoding/json"
	"strconv"

	"vigie/ingest"
	"vigie/protocols"
)

// Parts is a payload at work that holds one part, or a list of them, each of which becomes
// a reading or is refused with its reasons.
type Parts struct {
	Device string
	Batch  *ingest.Batch

	resolver Resolver // its warnings are those of the part at hand
	part     []byte
	place    string // of the part: "[2]."
	reasons  []protocols.Reason
}

// Each has every part of the payload read. named is what a person calls several of them:
// "data points". A list of none, or of more than ingest.MaxReadings, is refused whole.
func (p *Parts) Each(payload []byte, named string, read func(part []byte)) {
	p.part = payload
	var parts []json.RawMessage // not payload at first: a RawMessage is read into the bytes that it has
	many := bytes.HasPrefix(bytes.TrimSpace(payload), []byte("["))
	if !many {
		parts = []json.RawMessage{payload}
	} else {
		if err := json.Unmarshal(payload, &parts); err != nil || len(parts) == 0 || len(parts) > ingest.MaxReadings {
			p.Refuse(protocols.Malformed, "", "the payload is no list of 1 to "+strconv.Itoa(ingest.MaxReadings)+" "+named)
			p.End(protocols.Reading{Device: p.Device})
			return
		}
	}
	for i, part := range parts {
		place := ""
		if many {
			place = "[" + strconv.Itoa(i) + "]."
		}
		p.At(part, place)
		read(part)
	}
}

// At has the part at hand be another one. place is where it stands in the payload, as
// the paths of its fields begin: "entry[2].resource.".
func (p *Parts) At(part []byte, place string) { p.part, p.place = part, place }

// maxReasons is how many reasons one part is told.
const maxReasons = 32

// Refuse adds a reason why the part at hand is no reading. path is that of a field in it.
func (p *Parts) Refuse(code protocols.Code, path, message string) {
	if len(p.reasons) < maxReasons {
		p.reasons = append(p.reasons, protocols.Reason{Code: code, Path: p.place + path, Message: message})
	}
}

// Resolve gives the reading of the part at hand its values, or refuses the part. where
// turns a path of a Resolver, "values.systolic", into that of the part; nil where they are
// the same.
func (p *Parts) Resolve(r *protocols.Reading, given []Given, units *Units, where func(path string) string) {
	if where == nil {
		where = func(path string) string { return path }
	}
	r.Values = make([]protocols.Value, len(r.Measure.Components))
	p.resolver.Resolve(r.Measure, given, units, r.Values)
	r.Limits = p.resolver.Limits
	for _, reason := range p.resolver.Reasons {
		p.Refuse(reason.Code, where(reason.Path), reason.Message)
	}
	for i := range p.resolver.Warnings {
		w := &p.resolver.Warnings[i]
		w.Path = where(w.Path)
	}
}

// Refused reports whether the part at hand has such a reason.
func (p *Parts) Refused() bool { return len(p.reasons) > 0 }

// End adds the reading of the part at hand, or why it is none.
func (p *Parts) End(r protocols.Reading) {
	if p.Refused() {
		p.Batch.Refused = append(p.Batch.Refused, ingest.Refusal{Reading: r, Payload: p.part, Reasons: p.reasons})
		p.reasons = nil
		return
	}
	for _, w := range p.resolver.Warnings {
		w.Path = p.place + w.Path
		p.Batch.Warnings = append(p.Batch.Warnings, ingest.Warning{Reading: len(p.Batch.Readings), Reason: w})
	}
	p.Batch.Readings = append(p.Batch.Readings, r)
	p.Batch.Parts = append(p.Batch.Parts, p.part)
}
