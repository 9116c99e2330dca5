package registry

import (
	"strings"
	"testing"
	"time"
)

// TestAWithdrawalTypedTodayMeansNow types the day on which a patient of La Réunion
// withdraws, at 15:30 there.
func TestAWithdrawalTypedTodayMeansNow(t *testing.T) {
	now := time.Date(2026, 12, 4, 11, 30, 0, 0, time.UTC)
	midnight := func(day int) time.Time { return time.Date(2026, 12, day, 0, 0, 0, 0, reunion(t)) }
	kept, _ := check(t, ward, nil)
	kept.Enrolments[0].Consent.Withdrawn = now.Add(-2 * time.Hour)
	for name, c := range map[string]struct {
		typed string
		known Known
		want  time.Time
	}{
		"today":                            {"2026-12-04", nothing{}, now},
		"today, and already kept":          {"2026-12-04", held{kept}, now.Add(-2 * time.Hour)},
		"of another day than the one kept": {"2026-12-03", held{kept}, midnight(3)},
		"yesterday":                        {"2026-12-03", nothing{}, midnight(3)},
		"tomorrow":                         {"2026-12-05", nothing{}, midnight(5)},
		"at an hour of today":              {"2026-12-04T10:00:00+04:00", nothing{}, midnight(4).Add(10 * time.Hour)},
		"not at all":                       {"", nothing{}, time.Time{}},
	} {
		text := ward
		if c.typed != "" {
			text = strings.Replace(ward, "scope: weight}", "scope: weight, withdrawn: "+c.typed+"}", 1)
		}
		doc, err := ParseYAML([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		reg, _ := check(t, text, nil)
		if err := WithdrawNow(t.Context(), doc, &reg, c.known, now); err != nil {
			t.Fatal(err)
		}
		if got := reg.Enrolments[0].Consent.Withdrawn; !got.Equal(c.want) {
			t.Errorf("withdrawn %s: from %s on, want %s", name, got, c.want)
		}
	}
}

// Research is agreed to apart from the monitoring, and withdrawn without it, at once.
func TestAPurposeIsGivenAndWithdrawnByItself(t *testing.T) {
	text := strings.Replace(ward, "scope: weight}", `scope: weight, notice: "3", how: written, by: Léa Morel, proof_sha256: `+strings.Repeat("0a", 32)+`,
      research: {given: true, date: 2026-02-01, with: OSICAT}}`, 1)
	reg, problems := check(t, text, nil)
	if Refused(problems) {
		t.Fatal(problems)
	}
	e := &reg.Enrolments[0]
	day := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 12, 0, 0, 0, reunion(t)) }
	if c := e.Consent; c.Notice != "3" || c.How != "written" || !c.Research.At(day(2, 1)) || c.Research.At(day(1, 31)) || c.Sharing.At(day(2, 1)) {
		t.Errorf("%+v", c)
	}
	withdrawn, known := e.Allowing("research", Purpose{}, day(3, 1))
	if c := withdrawn.Consent; !known || c.Research.At(day(3, 1)) || !c.Research.At(day(2, 28)) || c.Research.With != "OSICAT" || !c.At(day(3, 2)) {
		t.Errorf("once it is withdrawn: %+v", c)
	}
	if back := broughtBack(&withdrawn, e); len(back) != 1 || back[0].field != "consent.research.date" {
		t.Errorf("an older file: %+v", back)
	}
	more, _ := e.Allowing("research", Purpose{Given: true, How: "written"}, day(3, 2))
	if p := more.Consent.Research; p.How != "written" || p.With != "OSICAT" || !p.Date.Equal(e.Consent.Research.Date) {
		t.Errorf("said again with more: %+v", p)
	}
	anew, _ := withdrawn.Allowing("research", Purpose{Given: true, With: "other"}, day(4, 1))
	if p := anew.Consent.Research; !p.At(day(4, 1)) || p.At(day(3, 31)) || p.With != "other" {
		t.Errorf("given anew: %+v", p)
	}
	refused, _ := e.Allowing("sharing", Purpose{}, day(3, 1))
	if p := refused.Consent.Sharing; p.Given || p.IsZero() {
		t.Errorf("a refusal is not kept: %+v", p)
	}
	if again := withdrawn.Consenting(day(4, 1), "weight"); again.Consent.Research != withdrawn.Consent.Research {
		t.Error("a new consent to the monitoring changes that to research")
	}
	if _, known := e.Allowing("marketing", Purpose{Given: true}, day(3, 1)); known {
		t.Error("a purpose that does not exist is agreed to")
	}
	for field, wrong := range map[string]string{"consent.how": "how: whispered", "consent.proof_sha256": "proof_sha256: abc", "consent.sharing.date": "sharing: {given: true}", "consent.research.withdrawn": "research: {given: true, date: 2026-02-01, withdrawn: 2026-01-01}"} {
		_, problems := check(t, strings.Replace(ward, "scope: weight}", "scope: weight, "+wrong+"}", 1), nil)
		if len(problems) != 1 || problems[0].Path != "enrolments[0]."+field {
			t.Errorf("%s: %+v", wrong, problems)
		}
	}
}
