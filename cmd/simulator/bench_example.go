package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"vigie/protocols"
	"vigie/seeds/scenario"
)

// sampled is the measure of the example that a bench prints: the first that the profile
// claims.
func (b *benching) sampled() *protocols.Measure {
	for _, id := range b.profile.Measures {
		if m := protocols.MeasureByID(id); m != nil {
			return m
		}
	}
	return protocols.MeasureByID("weight")
}

// simulated is the line by which a simulated device passes the bench; empty where none of
// them measures what the profile claims.
func (b *benching) simulated(broker string) string {
	if _, found := scenario.Condition(b.profile.Measures); !found {
		return ""
	}
	var measures strings.Builder
	for _, id := range slices.Compact(slices.Clone(b.profile.Measures)) {
		measures.WriteString(" --measure " + id)
	}
	return fmt.Sprintf("  %s run steady --days 28 --now%s --as %s --password %s --broker %s%s\n", ownName(os.Args[0]), measures.String(), b.device, b.password, broker, b.authorityFlag(" --ca "))
}

// ownName is how the person at the terminal has called this program.
func ownName(called string) string {
	if strings.Contains(called, "go-build") {
		return "go run ./cmd/simulator"
	}
	return called
}
