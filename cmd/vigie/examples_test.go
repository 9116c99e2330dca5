package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vigie/cmd/vigie/service"
	"vigie/ingest"
)

var (
	exampleReading = regexp.MustCompile(`READING\s*=?\s*['"](\{.*\})['"]`)
	exampleGap     = regexp.MustCompile(`%(\.2f|s)`)
)

// TestTheExamplesOfADeviceSendWhatTheServiceReads holds the examples to the decoder and
// to the topics, without their tools: nothing is skipped where those are absent. The
// message of each stands in it as one literal, with gaps for the id, the time and the
// number.
func TestTheExamplesOfADeviceSendWhatTheServiceReads(t *testing.T) {
	files, err := filepath.Glob("../../deploy/examples/device.*")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source := string(text)
		found := exampleReading.FindStringSubmatch(source)
		if found == nil {
			t.Errorf("%s: no message", file)
			continue
		}
		gaps := []string{"0f8fad5b-d9cb-469f-a165-70867728950e", "2026-11-21T07:02:11+01:00", "82.10"}
		message := exampleGap.ReplaceAllStringFunc(strings.ReplaceAll(found[1], `\"`, `"`), func(string) string {
			gap := gaps[0]
			gaps = gaps[1:]
			return gap
		})
		var batch ingest.Batch
		service.Formats()[ingest.ReadingsTopic].Decode("", "", []byte(message), &batch)
		if len(gaps) != 0 || len(batch.Readings) != 1 || len(batch.Warnings) != 0 || batch.Readings[0].Values[0] != 82_100 {
			t.Errorf("%s: %s gives %+v", file, message, batch)
		}
		for _, word := range []string{"vigie/v1/", "readings", "receipts", "status", `"online`} {
			if !strings.Contains(source, word) && !strings.Contains(source, strings.ReplaceAll(word, `"`, `\"`)) {
				t.Errorf("%s does not say %s", file, word)
			}
		}
		if !regexp.MustCompile(`clean_session=False|clean: false|mosquitto_new\(argv\[2\], false,`).MatchString(source) {
			t.Errorf("%s throws away its session: what was not acknowledged is lost", file)
		}
	}
}
