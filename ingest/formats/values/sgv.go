package values

import (
	"math"

	"vigie/protocols"
)

// SGV is what a sensor glucose value of Nightscout says, which is in mg/dL. device is who
// has told it; empty and "dexcom" are Dexcom's, whose 39 and 401 stand for LOW and HIGH. A
// value below 39 is an error code of the sensor, and no number: NaN.
//
// Source: github.com/nightscout/cgm-remote-monitor, lib/sandbox.js (displayBg) and
// lib/plugins/errorcodes.js.
func SGV(value float64, device string) (number float64, limit protocols.Limit) {
	dexcom := device == "" || device == "dexcom"
	switch {
	case value < 39:
		return math.NaN(), protocols.Measured
	case dexcom && value == 39:
		return 40, protocols.LessThan
	case dexcom && value == 401:
		return 400, protocols.MoreThan
	}
	return value, protocols.Measured
}
