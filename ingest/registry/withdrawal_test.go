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
