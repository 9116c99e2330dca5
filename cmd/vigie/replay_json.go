package main

import (
	"encoding/json"
	"io"
	"math"

	"vigie/protocols"
	"vigie/protocols/replay"
)

// replayReport is a replay as a program reads it.
type replayReport struct {
	Protocol    string                     `json:"protocol"`
	Version     string                     `json:"version"`
	Settings    map[string]protocols.Value `json:"settings,omitempty"`
	Source      string                     `json:"source"`
	Zone        string                     `json:"time_zone"`
	Span        replay.Span                `json:"span"`
	Patients    int                        `json:"patients"`
	PatientDays float64                    `json:"patient_days"`
	Readings    int                        `json:"readings"`
	DaysOnly    *replay.DaysOnly           `json:"days_only,omitempty"` // what is not seen of readings without an hour
	Alerts      []replay.Alert             `json:"alerts"`
	Totals      replay.Totals              `json:"totals"`
	Statistics  map[string]any             `json:"statistics"`
	Against     *againstReport             `json:"against,omitempty"`
}

// againstReport is the other side of a comparison.
type againstReport struct {
	Protocol string                     `json:"protocol"`
	Version  string                     `json:"version"`
	Settings map[string]protocols.Value `json:"settings,omitempty"`
	Totals   replay.Totals              `json:"totals"`
	replay.Difference
}

func writeJSON(w io.Writer, _ tongue, r *replayed) error {
	first := r.versions[0]
	report := replayReport{
		Protocol: first.protocol.ID, Version: first.protocol.Version, Settings: settingValues(r.settings(first)),
		Source: r.source.title, Zone: r.source.zone.String(), Span: r.span,
		Patients: r.outcomes[0].Patients, PatientDays: math.Round(r.outcomes[0].PatientDays*1000) / 1000, Readings: r.outcomes[0].Readings, DaysOnly: r.daysOnly(),
		Alerts: r.outcomes[0].Alerts, Totals: r.totals(0), Statistics: r.statistics.ByMeasure(),
	}
	if report.Alerts == nil {
		report.Alerts = []replay.Alert{}
	}
	if len(r.versions) > 1 {
		second := r.versions[1]
		report.Against = &againstReport{
			second.protocol.ID, second.protocol.Version, settingValues(r.settings(second)), r.totals(1), replay.Compare(r.outcomes[0], r.outcomes[1]),
		}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(report)
}

func settingValues(settings protocols.Settings) map[string]protocols.Value {
	values := map[string]protocols.Value{}
	for name, s := range settings {
		values[name] = s.Value
	}
	return values
}
