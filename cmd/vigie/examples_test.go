package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vigie/cmd/vigie/service"
	"vigie/ingest"
)

var (
	exampleReading = regexp.MustCompile(`READING(?:\[\])?\s*=?\s*['"](\{.*\})['"]`)
	exampleGap     = regexp.MustCompile(`%(\.2f|s)`)
)

// TestTheExamplesOfADeviceSendWhatTheServiceReads holds the examples to the decoder and
// to the topics, without their tools: nothing is skipped where those are absent. The
// message of each stands in it as one literal, with gaps for the id, the time and the
// number.
func TestTheExamplesOfADeviceSendWhatTheServiceReads(t *testing.T) {
	files, err := filepath.Glob("../../deploy/examples/device.*")
	if err != nil || len(files) != 4 {
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
		if !regexp.MustCompile(`clean_session=False|clean: false|setCleanSession\(false\)|mosquitto_new\(argv\[2\], false,`).MatchString(source) {
			t.Errorf("%s throws away its session: what was not acknowledged is lost", file)
		}
	}
}

// thousands writes a number as the guide does: 20,000.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// TestTheGuideOfAVendorIsTrue holds its limits to the code, its topics to the formats, and
// its reading to the decoder.
func TestTheGuideOfAVendorIsTrue(t *testing.T) {
	text, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(text)
	limits := ingest.DefaultLimits()
	for _, says := range []string{
		fmt.Sprintf("at most %d MiB and %s readings", ingest.MaxPayload>>20, thousands(ingest.MaxReadings)),
		fmt.Sprintf("%s readings at once, then %s a second", thousands(limits.Burst), thousands(int(limits.Rate))),
		fmt.Sprintf("at most %d messages that are not acknowledged", limits.PerDevice),
	} {
		if !strings.Contains(guide, says) {
			t.Errorf("the guide does not say %q", says)
		}
	}
	for topic := range service.Formats() {
		if !strings.Contains(guide, "{device}/"+topic+"`") && !strings.Contains(guide, "…/"+topic+"`") {
			t.Errorf("the guide does not say what is published under %s", topic)
		}
	}
	_, example, found := strings.Cut(guide, "```json\n")
	example, _, _ = strings.Cut(example, "```")
	var batch ingest.Batch
	service.Formats()[ingest.ReadingsTopic].Decode("", "", []byte(example), &batch)
	if !found || len(batch.Readings) != 1 || len(batch.Refused) != 0 {
		t.Errorf("the reading of the guide gives %+v", batch)
	}
}
