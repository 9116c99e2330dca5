package service

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"vigie/alerts/meter"
	"vigie/ingest"
	"vigie/protocols"
)

// The operator sees apart what may hide the values of a patient. Only a beginning counts.
func TestDeviceAlertsAreCountedByWhetherTheyMayHideValues(t *testing.T) {
	to := meter.New()
	c := newCounts(to)
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
	answer := httptest.NewRecorder()
	to.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	counted := map[string]float64{}
	for line := range strings.Lines(answer.Body.String()) {
		var hides, rule string
		var count float64
		if n, _ := fmt.Sscanf(line, "vigie_device_alerts_total{hides=%q,rule=%q} %g", &hides, &rule, &count); n == 3 {
			counted[hides+" "+rule] = count
		}
	}
	if !maps.Equal(counted, want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
}
