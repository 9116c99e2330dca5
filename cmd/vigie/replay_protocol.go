package main

import (
	"fmt"
	"os"
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
			value, err := p.ReadSetting(pair[0], pair[1])
			if err != nil {
				return nil, err
			}
			settings[pair[0]] = protocols.Setting{Value: value, Author: "vigie replay"}
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
