package written

import (
	"fmt"
	"testing"
	"time"
)

func TestEachLanguageWritesItsOwnWay(t *testing.T) {
	june := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	say := func(language string) []string {
		return []string{
			fmt.Sprint(Singular(language, 0), Singular(language, 1), Singular(language, 2)),
			Decimal(language, -1513.26, 1), Decimal(language, -0.04, 1), Number(language, -1513.26, 1), Number(language, 999, 0),
			Whole(language, 1_234_567), Day(language, june), Day(language, june.AddDate(0, 2, 5)),
		}
	}
	for language, want := range map[string][]string{
		"fr": {"true true false", "-1513,3", "0,0", "−1\u202f513,3", "999", "1\u202f234\u202f567", "1er juin", "6 août"},
		"en": {"false true false", "-1513.3", "0.0", "−1,513.3", "999", "1,234,567", "1 Jun", "6 Aug"},
	} {
		for i, said := range say(language) {
			if said != want[i] {
				t.Errorf("%s: %q, want %q", language, said, want[i])
			}
		}
	}
}
