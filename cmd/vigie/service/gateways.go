package service

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"vigie/cmd/vigie/config"
	"vigie/ingest"
	"vigie/ingest/formats/gateway"
)

// Gateways reads the mappings that a configuration names.
func Gateways(c config.Topics) ([]ingest.Gateway, error) {
	var all []ingest.Gateway
	for _, name := range c.Gateways {
		text, err := Mapping(name)
		if err != nil {
			return nil, fmt.Errorf("topics.gateways: %w", err)
		}
		format, problems := gateway.Parse(text, c.GatewayZone)
		if len(problems) > 0 {
			return nil, fmt.Errorf("topics.gateways: %s, line %d: %s; vigie gateway check says the rest", name, problems[0].Line, problems[0].Message.EN)
		}
		for _, other := range append(filtersOf(all), c.Prefix+"/+/+") {
			if overlap(format.Filter(), other) {
				return nil, fmt.Errorf("topics.gateways: %s has topics that also belong to %s: change one of the two", name, other)
			}
		}
		all = append(all, format)
	}
	return all, nil
}

// Mapping is the text of a mapping, by the name of one that ships or by its file.
func Mapping(name string) ([]byte, error) {
	if text, ships := gateway.Shipped(name); ships {
		return text, nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is no file, and no mapping that ships: these are %s", name, strings.Join(gateway.IDs(), ", "))
	}
	return text, err
}

func filtersOf(gateways []ingest.Gateway) (filters []string) {
	for _, g := range gateways {
		filters = append(filters, g.Filter())
	}
	return filters
}

// overlap reports whether a topic can belong to two filters.
func overlap(a, b string) bool {
	first, second := strings.Split(a, "/"), strings.Split(b, "/")
	if len(first) != len(second) {
		return false
	}
	for i := range first {
		if first[i] != second[i] && first[i] != "+" && second[i] != "+" {
			return false
		}
	}
	return true
}
