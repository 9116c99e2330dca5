package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"vigie/protocols"
)

func explanationOf(t *testing.T, open openPast, arguments ...string) *protocols.Account {
	t.Helper()
	out, err := run(t, explainCommand(open), append(arguments, "--format", "json")...)
	if err != nil {
		t.Fatal(err)
	}
	var a protocols.Account
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Fatal(err)
	}
	return &a
}

func TestExplainSaysWhyARuleRang(t *testing.T) {
	a := explanationOf(t, kept(t), "--patient", "p-1", "--rule", "weight-gain-fast", "--at", "2026-05-14")
	if a.Level == protocols.NoLevel || a.Since.IsZero() {
		t.Fatalf("it does not ring: %+v", a)
	}
	c := a.Levels[0].Comparisons[0]
	if c.Truth != protocols.True || c.Threshold != 1500 || c.SetBy != "Dr Martin" || c.Count == 0 || len(a.Readings) == 0 {
		t.Errorf("it rests on %+v and %d readings", c, len(a.Readings))
	}
}

func TestExplainSaysWhyARuleDidNotRing(t *testing.T) {
	out, err := run(t, explainCommand(kept(t)), "--patient", "p-2", "--rule", "weight-gain-fast", "--at", "2026-05-14T09:00:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"ne sonne pas", "faux", "Indian/Reunion", "80", "réglé par Dr Martin"} {
		if !strings.Contains(out, words) {
			t.Errorf("it does not say %q:\n%s", words, out)
		}
	}
}

func TestExplainReadsARecordedSeries(t *testing.T) {
	a := explanationOf(t, noStore, append(weights, "--csv", weighed(t), "--rule", "weight-gain-fast", "--at", "2026-05-10")...)
	if a.Level != protocols.NoLevel || len(a.Levels[0].Comparisons) == 0 {
		t.Errorf("before the gain: %+v", a)
	}
}

func TestExplainNamesNobodyForASettingThatIsProposed(t *testing.T) {
	out, err := run(t, explainCommand(noStore), append(weights, "--csv", weighed(t), "--rule", "weight-gain-fast", "--at", "2026-05-14", "--settings", "fast-gain=1.5")...)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "au-dessus de 1,5 kg (seuil proposé)") || strings.Contains(out, "réglé par") {
		t.Errorf("it says\n%s", out)
	}
}

func TestExplainSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		arguments []string
		says      string
	}{
		{[]string{"--patient", "p-1"}, "--rule"},
		{[]string{"--rule", "x", "--at", "2026-05-01"}, "--patient and --csv"},
		{[]string{"--patient", "p-1", "--rule", "nothing", "--at", "2026-05-01"}, `no protocol that follows p-1 has a rule "nothing"`},
		{[]string{"--patient", "nobody", "--rule", "x", "--at", "2026-05-01"}, `"nobody"`},
		{[]string{"--patient", "p-1", "--rule", "weight-gain-fast", "--at", "yesterday"}, "neither a day"},
		{[]string{"--csv", "x", "--rule", "x", "--at", "2026-05-01"}, "--protocol"},
	} {
		_, err := run(t, explainCommand(kept(t)), c.arguments...)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: got %v, want a sentence with %q", c.arguments, err, c.says)
		}
	}
}

func TestExplainSpeaksEnglish(t *testing.T) {
	out, err := run(t, explainCommand(kept(t)), "--patient", "p-1", "--rule", "weight-gain-fast", "--at", "2026-05-14", "--language", "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"Fast weight gain rings, to deal with, since 2026-05-13 07:30", "time of Indian/Reunion", "◆ to deal with: true", "(threshold set by Dr Martin on 1 Apr 2026)", "from 2026-05-11 00:00 to 2026-05-15 00:00, 4 readings", "body weight  83.2"} {
		if !strings.Contains(out, words) {
			t.Errorf("it does not say %q:\n%s", words, out)
		}
	}
	// Where a number comes from, and why a person set it, stays as it was written.
	said := strings.ReplaceAll(regexp.MustCompile(`(?m)^  origin .*$`).ReplaceAllString(out, ""), "poids sec bas", "")
	if french := frenchWord.FindString(said); french != "" {
		t.Errorf("%q is French in\n%s", french, out)
	}
	if _, err := run(t, explainCommand(kept(t)), "--patient", "p-1", "--rule", "weight-gain-fast", "--at", "2026-05-14", "--language", "de"); err == nil || !strings.Contains(err.Error(), "neither fr nor en") {
		t.Errorf("a language that nobody speaks here: %v", err)
	}
}

// frenchWord finds what no English text holds.
var frenchWord = regexp.MustCompile(`(?i)[àâçèêëîïôùûœ]|\b(les?|des|une?|sur|mesures?|alertes?|règle|poids|jour|jours|heures?)\b`)
