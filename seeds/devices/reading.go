package devices

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
)

// Reading is a reading as a device publishes it.
type Reading struct {
	ID      string             `json:"id"`
	Time    string             `json:"time"`
	Measure string             `json:"measure"`
	Values  map[string]float64 `json:"values"`
	Unit    string             `json:"unit"`
	Source  string             `json:"source,omitempty"`
	Context map[string]string  `json:"context,omitempty"`
	Battery int                `json:"battery,omitempty"`
	Extra   map[string]any     `json:"-"` // fields that no reading has
}

// MarshalJSON writes the reading, extra fields last.
func (r Reading) MarshalJSON() ([]byte, error) {
	type plain Reading
	text, err := json.Marshal(plain(r))
	if err != nil || len(r.Extra) == 0 {
		return text, err
	}
	extra, err := json.Marshal(r.Extra)
	if err != nil {
		return nil, err
	}
	return append(append(text[:len(text)-1], ','), extra[1:]...), nil
}

// ReadingID names a reading by what it is: the same device, measure (or other
// name) and time give the same id, so that publishing it again changes nothing.
func ReadingID(device, what string, at time.Time) string {
	sum := sha256.Sum256([]byte(device + "\x00" + what + "\x00" + at.UTC().Format(time.RFC3339Nano)))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// reading writes what was taken as the device publishes it, in its own zone.
func (t taken) reading(device string, zone *time.Location, battery int) Reading {
	layout := time.RFC3339
	if t.zoneless {
		layout = "2006-01-02T15:04:05"
	}
	r := Reading{
		ID: ReadingID(device, t.measure, t.at), Time: t.measured.In(zone).Format(layout), Measure: t.measure,
		Values: t.values, Unit: t.unit, Source: t.source, Battery: battery, Extra: t.extra,
	}
	if t.variant != "" {
		r.Context = map[string]string{"specimen": t.variant}
	}
	return r
}
