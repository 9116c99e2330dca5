package workspace

import (
	"context"
	"time"

	"vigie/protocols"
)

// What an alert shows of the last values: as far back, and as many at most.
const (
	lastValuesBack = 14 * 24 * time.Hour
	mostLastValues = 8
)

// lastValues are the last values of all that a patient measures, for who answers an alert
// about one of them. None for an alert about a device of nobody.
func (w *Workspace) lastValues(ctx context.Context, v view, patient string) []tile {
	if patient == "" {
		return nil
	}
	filled := patientView{view: v}
	p := album{w: w, v: &filled, patient: patient, heard: map[string]heard{}, measured: map[*protocols.Measure][]*protocols.Reading{}, struck: map[*protocols.Measure][]*protocols.Reading{}}
	p.read(ctx, nil, v.now.Add(-lastValuesBack), v.now)
	for _, m := range protocols.Measures() {
		for i := range m.Components {
			if points := pointsOf(p.measured[m], i); len(points) > 0 {
				p.tile(m, i, points)
			}
		}
	}
	if len(filled.Tiles) < 2 {
		return nil // the chart below says as much
	}
	return filled.Tiles[:min(len(filled.Tiles), mostLastValues)]
}
