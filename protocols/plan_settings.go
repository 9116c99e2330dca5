package protocols

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// checkSettings returns why a patient's settings cannot be used: one that names
// no parameter of the protocol, or lies outside its bounds.
func (p *Protocol) checkSettings(settings Settings) error {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		parameter := findParameter(p, name)
		if parameter == nil {
			return fmt.Errorf("the setting %q is no parameter of protocol %s; its parameters are %s", name, p.ID, p.parameterList())
		}
		v := settings[name].Value
		if v < parameter.Min || v > parameter.Max {
			return fmt.Errorf("the setting %s = %s is outside its bounds: from %s to %s %s", name, v, parameter.Min, parameter.Max, parameter.Unit)
		}
	}
	return nil
}

func (p *Protocol) parameterList() string {
	if len(p.Parameters) == 0 {
		return "none"
	}
	names := make([]string, len(p.Parameters))
	for i := range p.Parameters {
		names[i] = p.Parameters[i].Name
	}
	return strings.Join(names, ", ")
}

// value is the number that an operand stands for under the patient's settings.
func (p *Protocol) value(o *Operand, settings Settings) Value {
	if o.Parameter == "" {
		return o.Value
	}
	if setting, set := settings[o.Parameter]; set {
		return setting.Value
	}
	return findParameter(p, o.Parameter).Default
}

// count is the whole number, at least 1, that an operand stands for.
func (p *Protocol) count(o *Operand, settings Settings) (int, error) {
	v := p.value(o, settings)
	if v < 1000 || v%1000 != 0 || v > 366_000 {
		return 0, fmt.Errorf("%s is not a number of periods: use a whole number from 1 to 366", o.describe(v))
	}
	return int(v / 1000), nil
}

func (o *Operand) describe(v Value) string {
	if o.Parameter == "" {
		return v.String()
	}
	return o.Parameter + " = " + v.String()
}

// limits are the numbers of a comparison under the patient's settings.
func (p *Protocol) limits(c *Comparison, settings Settings) limits {
	l := limits{operator: c.Operator, threshold: p.value(&c.Threshold, settings), clear: Missing}
	switch {
	case c.Clear != nil:
		l.clear = p.value(c.Clear, settings)
	case c.Margin != 0 && c.upward():
		l.clear = l.threshold - c.Margin
	case c.Margin != 0:
		l.clear = l.threshold + c.Margin
	}
	return l
}

// bounds are the numbers of a filter under the patient's settings. Values are
// whole thousandths, so that "above 70" is "at least 70.001".
func (p *Protocol) bounds(f *Filter, settings Settings) bounds {
	b := bounds{low: math.MinInt64, high: math.MaxInt64}
	if f == nil {
		return b
	}
	if f.Above != nil {
		b.low = max(b.low, p.value(f.Above, settings)+1)
	}
	if f.AtLeast != nil {
		b.low = max(b.low, p.value(f.AtLeast, settings))
	}
	if f.Below != nil {
		b.high = min(b.high, p.value(f.Below, settings)-1)
	}
	if f.AtMost != nil {
		b.high = min(b.high, p.value(f.AtMost, settings))
	}
	return b
}
