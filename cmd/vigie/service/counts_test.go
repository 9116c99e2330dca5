package service

import (
	"maps"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"vigie/ingest"
	"vigie/protocols"
)

// The operator sees apart what may hide the values of a patient. Only a beginning counts.
func TestDeviceAlertsAreCountedByWhetherTheyMayHideValues(t *testing.T) {
	registry := prometheus.NewRegistry()
	c := newCounts(registry)
	var batch ingest.Commit
	for _, rule := range ingest.TechnicalRules() {
		for _, kind := range []protocols.FindingKind{protocols.Raised, protocols.Again, protocols.Ended} {
			batch.Findings = append(batch.Findings, protocols.Finding{Kind: kind, Rule: rule, Device: "scale-1", Level: protocols.Technical, HidesValues: ingest.HidesValues(rule)})
		}
	}
	batch.Findings = append(batch.Findings, protocols.Finding{Kind: protocols.Raised, Rule: "weight-gain-fast", Patient: "p1", Level: protocols.Orange})
	c.committed(batch)
	want := map[string]float64{}
	for _, rule := range []string{ingest.RuleClock, ingest.RuleContradiction, ingest.RuleImplausible, ingest.RuleNothingUsed, ingest.RuleFlooding, ingest.RuleRivals, ingest.RuleUnit, ingest.RuleJunk} {
		want["true "+rule] = 1
	}
	for _, rule := range []string{ingest.RuleBattery, ingest.RuleOffline, ingest.RuleReused} {
		want["false "+rule] = 1
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "vigie_device_alerts_total" {
			continue
		}
		for _, m := range family.GetMetric() { // labels in the order of letters: hides, rule
			counted[m.GetLabel()[0].GetValue()+" "+m.GetLabel()[1].GetValue()] = m.GetCounter().GetValue()
		}
	}
	if !maps.Equal(counted, want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
}
