package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"vigie/seeds/scenario"
)

func TestAScenarioIsWrittenWithTheTruthBeside(t *testing.T) {
	file := filepath.Join(t.TempDir(), "truth.json")
	var out bytes.Buffer
	root := rootCommand()
	root.SetOut(&out)
	root.SetArgs([]string{"run", "decompensation", "--days", "30", "--truth", file})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	var truth scenario.Truth
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &truth) != nil || len(truth.Events) == 0 || truth.Events[0].Kind != "decompensation" {
		t.Errorf("%v: the truth is %s", err, text)
	}
	if lines := bytes.Count(out.Bytes(), []byte("\n")); lines != truth.Readings || lines == 0 {
		t.Errorf("%d messages of %d readings", lines, truth.Readings)
	}
	root.SetArgs([]string{"run", "love"})
	if root.Execute() == nil {
		t.Error("there is no such scenario")
	}
}
