package ingest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
)

// A device that sends a week at once may ask for one receipt, by the topic of that message.
// The readings are kept as ever.
func TestAMessageMayHaveOneReceipt(t *testing.T) {
	s := begin(t)
	sum := func(payload string) ingest.Receipt {
		t.Helper()
		if err := s.submit(ingest.Message{Topic: "vigie/v1/scale-1/readings/summary", Device: "scale-1", Client: "scale-1", Payload: []byte(payload), Received: s.clock(), Correlation: []byte("7")}); err != nil {
			t.Fatal(err)
		}
		receipts := s.receipts.whole(t, 1)
		if len(receipts) != 1 || receipts[0].Summary == nil {
			t.Fatalf("answered with %+v", receipts)
		}
		digest := sha256.Sum256([]byte(payload))
		if r := receipts[0]; r.ID != "" || string(r.Correlation) != "7" || r.Payload.Bytes != len(payload) || r.Payload.SHA256 != hex.EncodeToString(digest[:]) {
			t.Errorf("its sender cannot recognise %+v", r)
		}
		return receipts[0]
	}
	said := func(r ingest.Receipt) string {
		return fmt.Sprintf("%s: %d readings, %d accepted, %d duplicate, %d set aside, %d told", r.Verdict, r.Summary.Readings, r.Summary.Accepted, r.Summary.Duplicate, r.Summary.SetAside, len(r.Summary.Told))
	}
	week := "[" + weight("a", start, 82) + "," + weight("b", start.Add(-time.Hour), 82.1) + "]"
	expect(t, "a week", said(sum(week)), "accepted: 2 readings, 2 accepted, 0 duplicate, 0 set aside, 0 told")
	expect(t, "the week again", said(sum(week)), "duplicate: 2 readings, 0 accepted, 2 duplicate, 0 set aside, 0 told")
	mixed := sum("[" + weight("a", start, 82) + "," + weight("c", start.Add(-2*time.Hour), 82.2) + "," + weight("d", start, 8200) + "]")
	expect(t, "one of three is impossible", said(mixed), "set-aside: 3 readings, 1 accepted, 1 duplicate, 1 set aside, 1 told")
	expect(t, "which one", mixed.Summary.Told[0].ID, "d")
	expect(t, "what is no JSON", said(sum("[")), "set-aside: 1 readings, 0 accepted, 0 duplicate, 1 set aside, 1 told")
	expect(t, "kept", len(s.history("p1")), 3)

	var many []string
	for i := range 120 {
		many = append(many, weight(fmt.Sprint("m", i), start.Add(-time.Duration(i)*time.Minute), 8200))
	}
	expect(t, "more than are told", said(sum("["+strings.Join(many, ",")+"]")), "set-aside: 120 readings, 0 accepted, 0 duplicate, 120 set aside, 100 told")

	s.send("scale-1", week)
	expect(t, "without asking", len(s.receipts.whole(t, 2)), 2)
	if err := s.publish("scale-1", "status/summary", `{"online":true}`); err != nil {
		t.Fatal(err)
	}
	if r := s.receipts.whole(t, 1)[0]; r.Summary == nil || r.Summary.Told[0].Reasons[0].Code != "wrong-topic" {
		t.Errorf("a status has no receipt: %+v", r)
	}
	if text, err := json.Marshal(ingest.Receipt{ID: "a", Verdict: ingest.Accepted}); err != nil || strings.Contains(string(text), "summary") {
		t.Errorf("a receipt of one reading is written %s (%v)", text, err)
	}
}
