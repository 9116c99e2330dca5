package registry

import (
	"fmt"
	"io"
	"time"

	"github.com/goccy/go-yaml"

	"vigie/protocols"
)

// Write writes a registry as the YAML that Check takes: what was read comes
// back. Times are those of the enrolment's own time zone; midnights are dates, and the
// date of an end is the last day.
func Write(w io.Writer, reg *Registry) error {
	sections := []struct {
		name  string
		items int
		item  func(i int) any
	}{
		{"teams", len(reg.Teams), func(i int) any { return reg.Teams[i] }},
		{"patients", len(reg.Patients), func(i int) any { return reg.Patients[i] }},
		{"devices", len(reg.Devices), func(i int) any { return reg.Devices[i] }},
		{"enrolments", len(reg.Enrolments), func(i int) any { return local(reg.Enrolments[i]) }},
		{"merges", len(reg.Merges), func(i int) any { return written(reg.Merges[i]) }},
	}
	for _, section := range sections {
		if section.items == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s:\n", section.name); err != nil {
			return fmt.Errorf("writing the registry: %w", err)
		}
		for i := range section.items {
			if err := writeItem(w, section.item(i)); err != nil {
				return fmt.Errorf("writing %s[%d]: %w", section.name, i, err)
			}
		}
	}
	return nil
}

// writeItem writes one item of a list, so that a large registry is never in
// memory as text.
func writeItem(w io.Writer, item any) error {
	text, err := yaml.MarshalWithOptions([]any{item}, yaml.IndentSequence(true),
		yaml.CustomMarshaler(writeTime), yaml.CustomMarshaler(writeValue))
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

func writeTime(t time.Time) ([]byte, error) {
	if t.Equal(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())) {
		return []byte(t.Format(time.DateOnly)), nil
	}
	return []byte(t.Format(time.RFC3339Nano)), nil
}

func writeValue(v protocols.Value) ([]byte, error) { return []byte(v.String()), nil }

// writtenMerge is a merge in a file. Its moment is an instant, at midnight too: no time zone
// stands beside it.
type writtenMerge struct{ From, Into, Author, Reason, At string }

func written(m Merge) writtenMerge {
	return writtenMerge{m.From, m.Into, m.Author, m.Reason, m.At.UTC().Format(time.RFC3339Nano)}
}

// local returns e with its times where the patient lives.
func local(e Enrolment) Enrolment {
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return e // written in UTC, which says the same
	}
	e.From, e.Prescription = e.From.In(zone), LastDay(e.Prescription, zone)
	e.Consent.Date = e.Consent.Date.In(zone)
	if !e.Consent.Withdrawn.IsZero() {
		e.Consent.Withdrawn = e.Consent.Withdrawn.In(zone)
	}
	if !e.Consent.History.IsZero() {
		e.Consent.History = e.Consent.History.In(zone)
	}
	for _, name := range Purposes {
		if p := e.Consent.Purpose(name); !p.IsZero() {
			p.Date = p.Date.In(zone)
			if !p.Withdrawn.IsZero() {
				p.Withdrawn = p.Withdrawn.In(zone)
			}
		}
	}
	settings := make(protocols.Settings, len(e.Settings))
	for name, s := range e.Settings {
		s.Date = s.Date.In(zone)
		settings[name] = s
	}
	e.Settings = settings
	pauses := make([]protocols.Pause, len(e.Pauses))
	for i, p := range e.Pauses {
		p.From, p.Until = p.From.In(zone), p.Until.In(zone)
		pauses[i] = p
	}
	e.Pauses = pauses
	if e.Validated != nil {
		e.Validated = &Validation{e.Validated.Author, e.Validated.At.In(zone)}
	}
	return e
}
