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

func TestASettingIsNotDatedInTheFuture(t *testing.T) {
	doc, err := ParseYAML([]byte(ward))
	if err != nil {
		t.Fatal(err)
	}
	reg, _ := check(t, ward, nil)
	set := reg.Enrolments[0].Settings["fast-gain"].Date
	for name, c := range map[string]struct {
		now  time.Time
		want bool
	}{
		"decided that day, far in the east": {set.Add(-13 * time.Hour), false},
		"decided long ago":                  {set.AddDate(0, 3, 0), false},
		"of the day after tomorrow":         {set.AddDate(0, 0, -2), true},
		"of another year, mistyped":         {set.AddDate(-1, 0, 0), true},
	} {
		problems := Ahead(doc, &reg, c.now)
		if got := Refused(problems); got != c.want {
			t.Errorf("%s: %+v", name, problems)
		}
		for _, p := range problems {
			if p.Code != "future-setting" || p.Line == 0 || p.Path != "enrolments[0].settings.fast-gain" || !strings.Contains(p.Message.FR, "avenir") {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
}
