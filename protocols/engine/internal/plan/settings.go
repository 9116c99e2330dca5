package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vigie/protocols"
)

// checkSettings returns why a patient's settings cannot be used: one that names
// no parameter of the protocol, or lies outside its bounds.
func checkSettings(p *protocols.Protocol, settings protocols.Settings) error {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		parameter := p.Parameter(name)
		if parameter == nil {
			return fmt.Errorf("the setting %q is no parameter of protocol %s; its parameters are %s", name, p.ID, cmp.Or(strings.Join(p.ParameterNames(), ", "), "none"))
		}
		v := settings[name].Value
		if v < parameter.Min || v > parameter.Max {
			return fmt.Errorf("the setting %s = %s is outside its bounds: from %s to %s %s", name, v, parameter.Min, parameter.Max, parameter.Unit)
		}
	}
	return nil
}

// count is the whole number, at least 1, that an operand stands for.
func countOf(p *protocols.Protocol, o *protocols.Operand, settings protocols.Settings) (int, error) {
	v := p.Value(o, settings)
	if v < 1000 || v%1000 != 0 || v > 366_000 {
		return 0, fmt.Errorf("%s is not a number of periods: use a whole number from 1 to 366", described(o, v))
	}
	return int(v / 1000), nil
}

func described(o *protocols.Operand, v protocols.Value) string {
	if o.Parameter == "" {
		return v.String()
	}
	return o.Parameter + " = " + v.String()
}

// limitsOf are the numbers of a comparison under the patient's settings.
func limitsOf(p *protocols.Protocol, c *protocols.Comparison, settings protocols.Settings) Limits {
	threshold, clear := p.Limits(c, settings)
	return Limits{c.Operator, threshold, clear}
}

// Limits are the numbers that a comparison compares with, in place.
type Limits struct {
	Operator  protocols.Operator
	Threshold protocols.Value
	Clear     protocols.Value // Missing when leaving takes no more than the threshold
}

// LeafFit is what a comparison takes from the settings.
type LeafFit struct {
	Limits
	Wanted protocols.CivilDay // with Days: how many days in a row
}
