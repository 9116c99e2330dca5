package simulation

import (
	"math"

	"vigie/protocols"
)

// adapted says how a physician who knows a patient's usual value sets a
// parameter: so far from the usual, and only where the default would ring for a
// patient who is as usual.
type adapted struct {
	measure string  // in Patient.Usual
	off     float64 // from the usual value; below it when negative
}

var adapts = map[string]adapted{
	"saturation-low":    {"oxygen-saturation", -4},
	"systolic-low":      {"systolic", -25},
	"systolic-high":     {"systolic", 35},
	"pulse-low":         {"pulse", -16},
	"pulse-high":        {"pulse", 28},
	"ventilation-hours": {"ventilated-hours", -3},
	"oxygen-hours":      {"oxygen-hours", -4},
}

// Settings are what the physician of a simulated patient sets under a protocol:
// the few thresholds that a patient's usual state would cross, moved away from
// it within their bounds. Everything else keeps its default.
func (p *Patient) Settings(protocol *protocols.Protocol) protocols.Settings {
	settings := protocols.Settings{}
	for i := range protocol.Parameters {
		parameter := &protocol.Parameters[i]
		how, known := adapts[parameter.Name]
		usual, measured := p.Usual[how.measure]
		if !known || !measured {
			continue
		}
		wanted, ok := protocols.Of(math.Round(usual + how.off))
		milder := (how.off < 0) == (wanted < parameter.Default)
		if !ok || wanted == parameter.Default || !milder {
			continue
		}
		settings[parameter.Name] = protocols.Setting{
			Value: min(max(wanted, parameter.Min), parameter.Max), Author: "simulation", Date: p.From,
			Reason: "valeur habituelle de ce patient",
		}
	}
	return settings
}
