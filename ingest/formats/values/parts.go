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
	Device   string
	Batch    *ingest.Batch
	Resolver Resolver // its warnings are those of the part at hand

	part    []byte
	place   string // of the part: "[2]."
	reasons []protocols.Reason
}

// Each has every part of the payload read. named is what a person calls several of them:
// "data points". A list of none, or of more than ingest.MaxReadings, is refused whole.
func (p *Parts) Each(payload []byte, named string, read func(part []byte)) {
	p.part = payload
	parts := []json.RawMessage{payload}
	many := bytes.HasPrefix(bytes.TrimSpace(payload), []byte("["))
	if many {
		if err := json.Unmarshal(payload, &parts); err != nil || len(parts) == 0 || len(parts) > ingest.MaxReadings {
			p.Refuse(protocols.Malformed, "", "the payload is no list of 1 to "+strconv.Itoa(ingest.MaxReadings)+" "+named)
			p.End(protocols.Reading{Device: p.Device})
			return
		}
	}
	for i, part := range parts {
		p.part, p.place = part, ""
		if many {
			p.place = "[" + strconv.Itoa(i) + "]."
		}
		read(part)
	}
}

// Refuse adds a reason why the part at hand is no reading. path is that of a field in it.
func (p *Parts) Refuse(code protocols.Code, path, message string) {
	p.reasons = append(p.reasons, protocols.Reason{Code: code, Path: p.place + path, Message: message})
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
	for _, w := range p.Resolver.Warnings {
		w.Path = p.place + w.Path
		p.Batch.Warnings = append(p.Batch.Warnings, ingest.Warning{Reading: len(p.Batch.Readings), Reason: w})
	}
	p.Batch.Readings = append(p.Batch.Readings, r)
	p.Batch.Parts = append(p.Batch.Parts, p.part)
}
