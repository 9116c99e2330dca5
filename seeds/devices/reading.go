package devices

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"vigie/protocols"
)

// Reading is a reading as a device publishes it.
type Reading struct {
	ID      string            `json:"id"`
	Time    string            `json:"time"`
	Measure string            `json:"measure"`
	Values  map[string]Given  `json:"values"`
	Unit    string            `json:"unit"`
	Source  string            `json:"source,omitempty"`
	Context map[string]string `json:"context,omitempty"`
	Battery int               `json:"battery,omitempty"`
	Extra   map[string]any    `json:"-"` // fields that no reading has
}

// Given is a number as a device sends it, or the end of what it shows: 40, {"below": 40}.
type Given struct {
	Number float64
	Limit  protocols.Limit
}

// MarshalJSON writes it as a device does.
func (g Given) MarshalJSON() ([]byte, error) {
	if g.Limit == protocols.Measured {
		return json.Marshal(g.Number)
	}
	return json.Marshal(map[protocols.Limit]float64{g.Limit: g.Number})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (g *Given) UnmarshalJSON(data []byte) error {
	*g = Given{}
	if err := json.Unmarshal(data, &g.Number); err == nil {
		return nil
	}
	var limited map[protocols.Limit]float64
	if err := json.Unmarshal(data, &limited); err != nil {
		return err
	}
	for g.Limit, g.Number = range limited {
	}
	return nil
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

// Published writes a reading as a device would, in canonical units. The zone is where a
// day of which the hour is not known has its date.
func Published(r *protocols.Reading, zone *time.Location) Reading {
	out := Reading{ID: r.ID, Time: r.Time.Format(time.RFC3339Nano), Measure: r.Measure.ID, Values: map[string]Given{}, Source: r.Source.String()}
	if r.DayOnly {
		out.Time = r.Time.In(zone).Format(time.DateOnly)
	}
	for i, v := range r.Values {
		if v == protocols.Missing {
			continue
		}
		shown, limit := r.Shown(i)
		out.Values[r.Measure.Components[i].Name] = Given{Number: shown.Float(), Limit: limit}
		if out.Unit == "" && !r.Measure.Components[i].Own {
			out.Unit = r.Measure.Components[i].Unit
		}
	}
	if r.Variant > 0 {
		out.Context = map[string]string{"specimen": r.Measure.Variants[r.Variant-1]}
	}
	return out
}

// reading writes what was taken as the device publishes it, in its own zone.
func (t taken) reading(device string, zone *time.Location, battery int) Reading {
	layout := time.RFC3339
	if t.zoneless {
		layout = "2006-01-02T15:04:05"
	}
	r := Reading{
		ID: ReadingID(device, t.measure, t.at), Time: t.measured.In(zone).Format(layout), Measure: t.measure,
		Values: make(map[string]Given, len(t.values)), Unit: t.unit, Source: t.source, Battery: battery, Extra: t.extra,
	}
	for name, number := range t.values {
		r.Values[name] = Given{Number: number}
	}
	if t.variant != "" {
		r.Context = map[string]string{"specimen": t.variant}
	}
	return r
}
