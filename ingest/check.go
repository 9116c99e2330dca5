package ingest

import (
	"fmt"

	"vigie/protocols"
)

// MaxPayload is how many bytes one message may hold.
const MaxPayload = 1 << 20

// MaxReadings is how many readings one message may hold.
const MaxReadings = 10_000

// CheckValues appends to reasons what is wrong with the values of a reading,
// given in canonical units, one per component: those that are missing, outside
// what an instrument can report, or contradict each other. Every format ends
// with it. Paths begin with prefix, and no message holds a value.
func CheckValues(m *protocols.Measure, values []protocols.Value, prefix string, reasons []protocols.Reason) []protocols.Reason {
	given := false
	for i, v := range values {
		c := &m.Components[i]
		switch {
		case v != protocols.Missing:
			given = true
			if v < c.Low || v > c.High {
				reasons = append(reasons, protocols.Reason{Code: protocols.Implausible, Path: prefix + c.Name,
					Message: fmt.Sprintf("an instrument can report %s to %s %s", c.Low, c.High, c.Unit)})
			} else if c.Whole && v%1000 != 0 {
				reasons = append(reasons, protocols.Reason{Code: protocols.Implausible, Path: prefix + c.Name, Message: "only a whole number makes sense"})
			}
		case !c.Optional:
			reasons = append(reasons, protocols.Reason{Code: protocols.MissingValue, Path: prefix + c.Name, Message: "this component is required"})
		}
	}
	if !given && len(reasons) == 0 {
		reasons = append(reasons, protocols.Reason{Code: protocols.MissingValue, Path: prefix + m.Components[0].Name, Message: "at least one component is required"})
	}
	for _, rule := range contradictions[m.ID] {
		if rule.broken(m, values) {
			reasons = append(reasons, protocols.Reason{Code: protocols.Inconsistent, Path: prefix + rule.low, Message: rule.message})
		}
	}
	return reasons
}

// contradiction is a pair of components that cannot be so: low above high, or,
// with never set, both at once.
type contradiction struct {
	low, high string
	never     bool
	message   string
}

func (c *contradiction) broken(m *protocols.Measure, values []protocols.Value) bool {
	low, high := values[m.Component(c.low)], values[m.Component(c.high)]
	if low == protocols.Missing || high == protocols.Missing {
		return false
	}
	if c.never {
		return low > 0 && high > 0
	}
	return low > high
}

// contradictions lists, by measure, what the components of one reading cannot be.
var contradictions = map[string][]contradiction{
	"blood-pressure": {
		{low: "diastolic", high: "systolic", message: "the diastolic pressure is above the systolic"},
		{low: "mean", high: "systolic", message: "the mean pressure is above the systolic"},
		{low: "diastolic", high: "mean", message: "the diastolic pressure is above the mean"},
	},
	"dialysis-session": {
		{low: "diastolic-start", high: "systolic-start", message: "the diastolic pressure is above the systolic"},
		{low: "diastolic-end", high: "systolic-end", message: "the diastolic pressure is above the systolic"},
	},
	"pill-dispenser": {
		{low: "missed", high: "taken", never: true, message: "a dose cannot be taken and missed at once"},
	},
}
