package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"vigie/ingest/yaml"
	"vigie/protocols"
)

// readProtocol reads a protocol from a file, or from the library by its id,
// alone or with a version: "diabetes", "diabetes@1".
func readProtocol(ref string) (*protocols.Protocol, error) {
	name, version, pinned := ref, "", false
	if _, err := os.Stat(ref); err != nil {
		name, version, pinned = strings.Cut(ref, "@")
	}
	found, err := openProtocol(name)
	if err != nil {
		return nil, err
	}
	p, err := found.protocol()
	if err != nil {
		return nil, err
	}
	if pinned && p.Version != version {
		return nil, fmt.Errorf("the library holds version %s of %s, not %s", p.Version, p.ID, version)
	}
	return p, nil
}

// isSettings tells settings from a protocol: "name=value", or a file without rules.
func isSettings(text string) bool {
	data, err := os.ReadFile(text)
	if err != nil {
		return strings.Contains(text, "=")
	}
	doc, err := yaml.Parse(data)
	return err == nil && doc.Get("rules") == nil
}

// readSettings reads "name=value" and files of them, and holds each against the
// bounds of its parameter.
func readSettings(all []string, p *protocols.Protocol) (protocols.Settings, error) {
	settings := protocols.Settings{}
	for _, text := range all {
		pairs, err := settingPairs(text)
		if err != nil {
			return nil, err
		}
		for _, pair := range pairs {
			if err := set(settings, p, pair[0], pair[1]); err != nil {
				return nil, err
			}
		}
	}
	return settings, nil
}

// settingPairs lists names and values, as text.
func settingPairs(text string) ([][2]string, error) {
	data, err := os.ReadFile(text)
	if err != nil {
		return assignments(text)
	}
	doc, err := yaml.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	if inner := doc.Get("settings"); inner != nil {
		doc = inner
	}
	var pairs [][2]string
	for i, key := range doc.Keys {
		value := doc.Items[i]
		if inner := value.Get("value"); inner != nil {
			value = inner
		}
		pairs = append(pairs, [2]string{key.Text, value.Text})
	}
	return pairs, nil
}

// assignments reads "name=value,name=value".
func assignments(text string) ([][2]string, error) {
	var pairs [][2]string
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("the setting %q is neither name=value nor a file", part)
		}
		pairs = append(pairs, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return pairs, nil
}

// set gives one parameter its value: a number in the parameter's unit.
func set(settings protocols.Settings, p *protocols.Protocol, name, text string) error {
	i := slices.IndexFunc(p.Parameters, func(q protocols.Parameter) bool { return q.Name == name })
	if i < 0 {
		names := make([]string, len(p.Parameters))
		for i := range p.Parameters {
			names[i] = p.Parameters[i].Name
		}
		return fmt.Errorf("%s has no parameter %q; it has %s", p.ID, name, strings.Join(names, ", "))
	}
	parameter := &p.Parameters[i]
	number, unit, _ := strings.Cut(text, " ")
	if unit != "" && protocols.Canonical(strings.TrimSpace(unit)) != parameter.Unit {
		return fmt.Errorf("the setting %s is given in %s", name, parameter.Unit)
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return fmt.Errorf("the setting %s takes a number, not %q", name, text)
	}
	value, ok := protocols.Of(f)
	if !ok || value < parameter.Min || value > parameter.Max {
		return fmt.Errorf("the setting %s lies between %s and %s %s; %s does not", name, parameter.Min, parameter.Max, parameter.Unit, text)
	}
	settings[name] = protocols.Setting{Value: value, Author: "vigie replay"}
	return nil
}

// withSettings lays settings over those of a patient.
func withSettings(own, over protocols.Settings) protocols.Settings {
	if len(over) == 0 {
		return own
	}
	joined := maps.Clone(own)
	if joined == nil {
		joined = protocols.Settings{}
	}
	maps.Copy(joined, over)
	return joined
}

// keepKnown keeps the settings that a protocol has a parameter for, and admits.
func keepKnown(settings protocols.Settings, p *protocols.Protocol) protocols.Settings {
	kept := protocols.Settings{}
	for _, parameter := range p.Parameters {
		if s, ok := settings[parameter.Name]; ok && s.Value >= parameter.Min && s.Value <= parameter.Max {
			kept[parameter.Name] = s
		}
	}
	return kept
}
