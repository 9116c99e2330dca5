package registry

import (
	"strings"
	"testing"
	"time"

	"vigie/protocols"
)

// TestAnOlderFileBringsNothingBack holds the ward against what is kept of it since.
func TestAnOlderFileBringsNothingBack(t *testing.T) {
	reg, _ := check(t, ward, nil)
	for name, c := range map[string]struct {
		change func(*Enrolment)
		path   string
	}{
		"nothing changed": {func(*Enrolment) {}, ""},
		"withdrawn":       {func(e *Enrolment) { e.Consent.Withdrawn = e.Consent.Date.AddDate(0, 1, 0) }, "enrolments[0].consent.date"},
		"refused since":   {func(e *Enrolment) { e.Consent = Consent{Date: e.Consent.Date.AddDate(0, 1, 0)} }, "enrolments[0].consent.date"},
		"set since": {func(e *Enrolment) {
			set := e.Settings["fast-gain"]
			set.Value, set.Date = 2000, set.Date.Add(24*time.Hour)
			e.Settings = protocols.Settings{"fast-gain": set}
		}, "enrolments[0].settings.fast-gain"},
	} {
		former := reg.Enrolments[0]
		c.change(&former)
		back := broughtBack(&former, &reg.Enrolments[0])
		if c.path == "" {
			if len(back) > 0 {
				t.Errorf("%s: %+v", name, back)
			}
			continue
		}
		if len(back) != 1 || !strings.HasSuffix(c.path, back[0].field) || back[0].text.FR == "" || back[0].text.EN == "" {
			t.Errorf("%s: %+v, want %s", name, back, c.path)
		}
	}
}
