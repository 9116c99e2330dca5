package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

func TestWhatADeviceWritesMovesNoCursor(t *testing.T) {
	var out bytes.Buffer
	err := writeSetAsides(&out, []ingest.SetAsideRecord{{
		ID: 7, Device: "bp-é\x1b[2J", Received: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		Reasons: []protocols.Reason{{Code: protocols.UnknownField, Path: "values.\x1b]0;x\x07\u202edlot", Message: "this measure has no such component"}},
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.ContainsAny(got, "\x1b\x07\u202e") || !strings.Contains(got, `bp-é\x1b[2J`) || !strings.Contains(got, `\u202e`) {
		t.Errorf("printed %q", got)
	}
}
