package ingest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// A device without a clock says how many seconds ago it has measured.
func TestADeviceWithoutAClockGivesAnAge(t *testing.T) {
	s := begin(t)
	aged := func(id, age string) string {
		return `{"id":"` + id + `","age":` + age + `,"measure":"weight","values":{"value":82.1},"unit":"kg"}`
	}
	s.send("scale-1", `[`+aged("a", "90.5")+`,`+weight("b", start.Add(-time.Hour), 81)+`,`+aged("c", "0")+`]`)
	moments := map[string]time.Time{}
	err := s.store.History(t.Context(), "p1", nil, time.Time{}, start.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
		moments[r.ID] = r.Time
		return true
	})
	want := map[string]time.Time{"a": start.Add(-90500 * time.Millisecond), "b": start.Add(-time.Hour), "c": start}
	for id, at := range want {
		if !moments[id].Equal(at) {
			t.Errorf("%s was measured at %s, want %s (%v)", id, moments[id], at, err)
		}
	}
	s.receipts.take(t, 3)
	s.move(9 * time.Minute) // the same message, which was not acknowledged
	s.send("scale-1", aged("a", "90.5"))
	s.send("scale-1", aged("old", "2764800")) // 32 days
	if err := s.submit(ingest.Message{Topic: "vigie/v1/scale-1/readings", Device: "scale-1", Payload: []byte(aged("kept", "1")), Received: s.clock(), Retained: true}); err != nil {
		t.Fatal(err)
	}
	expect(t, "receipts", s.receipts.take(t, 3), []string{"a duplicate", "old set-aside too-old not-enrolled", "kept set-aside clock-not-set"})
}

// What cannot be read has no id: its sender knows it by a digest, by its beginning and by
// what it gave for that.
func TestWhatCannotBeReadIsRecognisedByItsSender(t *testing.T) {
	s := begin(t)
	payload := "{\"id\":\xff" + strings.Repeat("x", 100)
	err := s.submit(ingest.Message{Topic: "vigie/v1/scale-1/readings", Device: "scale-1", Payload: []byte(payload), Received: s.clock(), Correlation: []byte("message 7")})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(payload))
	receipt := s.receipts.whole(t, 1)[0]
	want := ingest.Fingerprint{Bytes: len(payload), SHA256: hex.EncodeToString(sum[:]), Begins: "{\"id\":\ufffd" + strings.Repeat("x", 25)}
	if receipt.Payload == nil || *receipt.Payload != want || string(receipt.Correlation) != "message 7" {
		t.Errorf("the receipt is %+v, %+v", receipt, receipt.Payload)
	}
	s.send("scale-1", weight("a", start, 8200))
	if receipt := s.receipts.whole(t, 1)[0]; receipt.ID != "a" || receipt.Payload != nil || receipt.Correlation != nil {
		t.Errorf("of a reading with an id: %+v", receipt)
	}
}
