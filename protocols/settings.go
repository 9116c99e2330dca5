package protocols

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// ReadSetting reads the value of a parameter: a number, with or without the parameter's
// unit. Its error says what the parameter admits.
func (p *Protocol) ReadSetting(name, text string) (Value, error) {
	parameter := p.Parameter(name)
	if parameter == nil {
		return 0, fmt.Errorf("%s has no parameter %q; it has %s", p.ID, name, strings.Join(p.ParameterNames(), ", "))
	}
	number, unit, _ := strings.Cut(text, " ")
	if unit != "" && Canonical(strings.TrimSpace(unit)) != parameter.Unit {
		return 0, fmt.Errorf("the setting %s is given in %s", name, parameter.Unit)
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, fmt.Errorf("the setting %s takes a number, not %q", name, text)
	}
	value, ok := Of(f)
	if !ok || value < parameter.Min || value > parameter.Max {
		return 0, fmt.Errorf("the setting %s lies between %s and %s %s; %s does not", name, parameter.Min, parameter.Max, parameter.Unit, text)
	}
	return value, nil
}

// With are the settings of a patient with others laid over them.
func (s Settings) With(over Settings) Settings {
	if len(over) == 0 {
		return s
	}
	joined := maps.Clone(s)
	if joined == nil {
		joined = Settings{}
	}
	maps.Copy(joined, over)
	return joined
}

// Under keeps the settings that a protocol has a parameter for, and admits.
func (s Settings) Under(p *Protocol) Settings {
	kept := Settings{}
	for _, parameter := range p.Parameters {
		if own, ok := s[parameter.Name]; ok && own.Value >= parameter.Min && own.Value <= parameter.Max {
			kept[parameter.Name] = own
		}
	}
	return kept
}
