package main

import (
	"os"
	"path/filepath"
	"testing"
)

// judged is one recorded series under one protocol, and what a nurse would say of each
// alert. A change of a protocol that rings otherwise on real people is looked at here.
var judged = []struct {
	file, protocol string
	rang           map[string]string // by rule, with the judgement
}{
	// Four readings of 66 to 69 mg/dL, none below 54; 91.7 % of the time in range.
	{"cgm-subject-1.csv", "diabetes", nil},
	{"cgm-subject-1.csv", "diabetes-pregnancy", map[string]string{
		"very-high-glucose": "right: four hours with a mean of 203 mg/dL, which a pregnancy is to be told of",
		"time-above-range":  "right under the tighter range of a pregnancy, which this person does not have",
		"time-in-range-low": "right under the tighter range of a pregnancy, which this person does not have",
	}},
	// A person in intensive care, eight minutes at one reading a second.
	// Its breathing is fast for 25 seconds: no reading a minute later confirms that.
	{"oximetry-bidmc-01.csv", "copd", nil},
	{"oximetry-bidmc-01.csv", "respiratory-failure", nil},
	{"oximetry-bidmc-01.csv", "heart-failure", nil},
	{"oximetry-bidmc-02.csv", "copd", nil},
	{"oximetry-bidmc-02.csv", "respiratory-failure", nil},
	{"oximetry-bidmc-02.csv", "heart-failure", nil},
	{"oximetry-bidmc-03.csv", "copd", nil},
	{"oximetry-bidmc-03.csv", "respiratory-failure", nil},
	{"oximetry-bidmc-03.csv", "heart-failure", nil},
}

func TestEveryAlertOnARealSeriesWasJudged(t *testing.T) {
	for _, c := range judged {
		series := filepath.Join("..", "..", "..", "shared", "data", c.file)
		if _, err := os.Stat(series); err != nil {
			t.Skipf("the recorded series are not here: %v", err)
		}
		arguments := []string{"--protocol", c.protocol, "--csv", series, "--measure", "glucose", "--column", "gl"}
		if c.file != "cgm-subject-1.csv" {
			arguments = []string{
				"--protocol", c.protocol, "--csv", series, "--time-column", "Time [s]", "--start", "2026-01-05T08:00:00Z",
				"--measure", "oxygen-saturation", "--column", "SpO2", "--measure", "heart-rate", "--column", "PULSE", "--measure", "respiratory-rate", "--column", "RESP",
			}
		}
		rang := map[string]bool{}
		for _, a := range replayOf(t, arguments...).Alerts {
			rang[a.Rule] = true
			if c.rang[a.Rule] == "" {
				t.Errorf("%s under %s: %s rang at %v, and nobody has judged it", c.file, c.protocol, a.Rule, a.Time)
			}
		}
		for rule := range c.rang {
			if !rang[rule] {
				t.Errorf("%s under %s: %s no longer rings", c.file, c.protocol, rule)
			}
		}
	}
}
