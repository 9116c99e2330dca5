package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

func TestAcknowledgedMeansKept(t *testing.T) {
	s := begin(t)
	kept := make(chan []string, 1)
	s.Submit(t.Context(), ingest.Message{
		Topic: "vigie/v1/scale-1/readings", Device: "scale-1", Payload: []byte(weight("a", start, 82)), Received: start,
		Done: func(err error) {
			if err != nil {
				t.Error(err)
			}
			kept <- s.history("p1")
		},
	})
	expect(t, "kept when it is acknowledged", <-kept, []string{"a"})
}

func TestSameReadingAgainIsADuplicate(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start, 82))
	s.send("scale-1", weight("a", start.Add(2*time.Minute), 82)) // its clock is set when it is heard
	s.send("scale-1", "["+weight("b", start, 82)+","+weight("b", start, 82)+"]")
	expect(t, "kept", s.history("p1"), []string{"a", "b"})
	expect(t, "receipts", s.receipts.take(t, 4), []string{"a accepted", "a duplicate", "b accepted", "b duplicate"})
	expect(t, "found", s.found(), []string(nil))
}

// TestCounterThatBeginsAnewHidesNoAlert uses ids again after a change of battery.
func TestCounterThatBeginsAnewHidesNoAlert(t *testing.T) {
	s := begin(t)
	for i, id := range []string{"1", "2", "3"} {
		s.send("scale-1", weight(id, start.Add(time.Duration(i-10)*time.Hour), 82))
	}
	for i, id := range []string{"1", "2", "3"} {
		s.send("scale-1", weight(id, start.Add(time.Duration(i-3)*time.Hour), 130))
	}
	s.send("scale-1", weight("3", start.Add(-time.Hour), 130))
	expect(t, "receipts", s.receipts.take(t, 7), []string{"1 accepted", "2 accepted", "3 accepted", "1 accepted", "2 accepted", "3 accepted", "3 duplicate"})
	expect(t, "kept", s.history("p1"), []string{"1", "2", "3", "1", "2", "3"})
	found := rules(s.found())
	if !found["weight-high"] || !found["id-reused"] {
		t.Errorf("found %v, want the alert of the patient and that of the device", found)
	}
}

// TestContradictionIsSetAsideAndTold sends another value for a moment that was told.
func TestContradictionIsSetAsideAndTold(t *testing.T) {
	for name, c := range map[string]struct {
		first, second float64
		level         protocols.Level
	}{
		"neither would ring": {82, 83, protocols.Technical},
		"the kept one rings": {130, 82, protocols.Red},
		"the other would":    {82, 130, protocols.Red},
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t)
			s.send("scale-1", weight("before", start.Add(-48*time.Hour), 82))
			s.send("scale-1", weight("a", start, c.first))
			s.send("scale-1", weight("a", start, c.second))
			s.send("scale-1", weight("a", start, c.second)) // it does not believe it
			expect(t, "receipts", s.receipts.take(t, 4), []string{"before accepted", "a accepted", "a set-aside contradiction", "a set-aside contradiction"})
			expect(t, "kept", s.history("p1"), []string{"before", "a"})
			expect(t, "set aside", s.setAside(), []string{"a contradiction"})
			var raised []protocols.Finding
			for _, f := range s.witness.Findings() {
				if f.Rule == ingest.RuleContradiction && f.Kind == protocols.Raised {
					raised = append(raised, f)
				}
			}
			if len(raised) != 1 || raised[0].Level != c.level || raised[0].Patient != "p1" || len(raised[0].Explanation.Readings) != 2 {
				t.Errorf("found %+v, want one contradiction that is %s", raised, c.level)
			}
		})
	}
}

func TestContradictionsInOneMessageGoWithThatMessage(t *testing.T) {
	s := begin(t)
	s.send("scale-1", "["+weight("a", start, 82)+","+weight("a", start, 83)+","+weight("b", start.Add(time.Hour), 82)+","+weight("c", start, 82)+"]")
	expect(t, "receipts", s.receipts.take(t, 4), []string{"a accepted", "c accepted", "b set-aside future-time", "a set-aside contradiction"})
	expect(t, "set aside", s.setAside(), []string{"b future-time", "a contradiction"})
	records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{Code: protocols.Contradiction})
	if err != nil || len(records) != 1 || string(records[0].Payload) != weight("a", start, 83) {
		t.Errorf("the record is %+v (%v)", records, err)
	}
}

func TestReadingOfARefusedMomentIsNoDuplicateOfAnotherOfItsID(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("1", start, 82))
	s.send("scale-1", weight("1", start.AddDate(-1, 0, 0), 130)) // its clock was reset
	expect(t, "receipts", s.receipts.take(t, 2), []string{"1 accepted", "1 set-aside too-old not-enrolled"})
}

func TestReadingThatWouldBeRefusedNowIsADuplicateOfItself(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start, 82))
	s.move(32 * 24 * time.Hour)
	s.send("scale-1", "["+weight("a", start, 82)+","+weight("b", start, 82)+"]")
	reg := cohort()
	reg.Enrolments[0].Devices = nil
	s.enter(reg)
	s.send("scale-1", weight("a", start, 82))
	expect(t, "receipts", s.receipts.take(t, 4), []string{"a accepted", "a duplicate", "b set-aside too-old", "a duplicate"})
	expect(t, "set aside", s.setAside(), []string{"b too-old"})
	s.restart()
	s.send("scale-1", weight("a", start, 82))
	expect(t, "after a restart", s.receipts.take(t, 1), []string{"a duplicate"})
}

func TestReadingThatComesAgainAfterTheClockWasPutBackIsADuplicate(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start, 82))
	s.move(-2 * time.Hour)
	s.send("scale-1", weight("a", start, 82))
	expect(t, "receipts", s.receipts.take(t, 2), []string{"a accepted", "a duplicate"})
	expect(t, "set aside", s.setAside(), []string(nil))
}

func TestWhatCannotBeUsedIsSetAside(t *testing.T) {
	long := `"` + strings.Repeat("x", ingest.MaxPayload) + `"`
	for name, c := range map[string]struct {
		device, kind, payload string
		want                  string
	}{
		"not JSON":                    {"scale-1", "readings", "hello", "malformed"},
		"an unknown field":            {"scale-1", "readings", strings.Replace(weight("a", start, 82), `"unit"`, `"x":1,"unit"`, 1), "a unknown-field"},
		"implausible":                 {"scale-1", "readings", weight("a", start, 820), "a implausible"},
		"from an unknown device":      {"nobody", "readings", weight("a", start, 82), "a unknown-device"},
		"malformed, unknown device":   {"nobody", "readings", "hello", "malformed unknown-device"},
		"a topic of no format":        {"scale-1", "weights", weight("a", start, 82), "wrong-topic"},
		"tomorrow":                    {"scale-1", "readings", weight("a", start.Add(24*time.Hour), 82), "a future-time"},
		"a month ago":                 {"scale-1", "readings", weight("a", start.AddDate(0, 0, -32), 82), "a too-old not-enrolled"},
		"before the enrolment":        {"scale-1", "readings", weight("a", start.AddDate(0, 0, -21), 82), "a not-enrolled"},
		"feeding nobody":              {"spare-1", "readings", weight("a", start, 82), "a not-enrolled"},
		"a protocol nobody has":       {"scale-4", "readings", weight("a", start, 82), "a not-enrolled"},
		"without consent":             {"scale-3", "readings", weight("a", start, 82), "a no-consent"},
		"of another kind of device":   {"bp-1", "readings", weight("a", start, 82), "a measure-mismatch"},
		"of a device not admitted":    {"toaster-1", "readings", weight("a", start, 82), "a device-not-eligible"},
		"too large":                   {"scale-1", "readings", long, "too-large"},
		"a status that is no JSON":    {"scale-1", "status", "hello", "malformed"},
		"a status with more":          {"scale-1", "status", `{"online":true,"x":1}`, "unknown-field"},
		"a status of two minds":       {"scale-1", "status", `{"online":true,"online":false}`, "malformed"},
		"a status in capitals":        {"scale-1", "status", `{"ONLINE":true}`, "unknown-field"},
		"a status with a word":        {"scale-1", "status", `{"online":true,"battery":"full"}`, "not-a-number"},
		"a status without online":     {"scale-1", "status", `{"battery":50}`, "missing-value"},
		"a status of nobody":          {"nobody", "status", `{"online":true}`, "unknown-device"},
		"an impossible battery":       {"scale-1", "status", `{"online":true,"battery":150}`, "implausible"},
		"two JSON values as a status": {"scale-1", "status", `{"online":true}{}`, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t)
			if err := s.publish(c.device, c.kind, c.payload); err != nil {
				t.Fatalf("what is set aside is acknowledged, but: %v", err)
			}
			expect(t, "set aside", s.setAside(), []string{c.want})
			receipt := strings.Fields(c.want)
			id := ""
			if receipt[0] == "a" {
				id, receipt = "a ", receipt[1:]
			}
			expect(t, "receipts", s.receipts.take(t, 1), []string{id + "set-aside " + strings.Join(receipt, " ")})
			records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{})
			if err != nil {
				t.Fatal(err)
			}
			payload := string(records[0].Payload)
			switch {
			case strings.Contains(c.want, "no-consent"):
				expect(t, "payload kept without consent", payload, "")
			case strings.Contains(c.want, "too-large"):
				expect(t, "start of the payload kept", payload, c.payload[:4096])
			default:
				expect(t, "payload kept", payload, c.payload)
			}
			for _, patient := range []string{"p1", "p2", "p3", "p4"} {
				expect(t, "readings kept", len(s.history(patient)), 0)
			}
		})
	}
}

// TestAPulseThatCannotBeUsedDoesNotHideThePressure keeps the components that count,
// and tells the sender of the one that was left out.
func TestAPulseThatCannotBeUsedDoesNotHideThePressure(t *testing.T) {
	s := begin(t)
	pressure := func(id string, at time.Time, pulse string) string {
		return fmt.Sprintf(`{"id":%q,"time":%q,"measure":"blood-pressure","values":{"systolic":215,"diastolic":131%s},"unit":"mm[Hg]"}`, id, at.Format(time.RFC3339), pulse)
	}
	s.send("bp-1", "["+pressure("a", start, `,"pulse":70`)+","+pressure("b", start.Add(time.Hour), `,"pulse":null`)+","+pressure("c", start.Add(time.Minute), `,"pulse":0`)+"]")
	expect(t, "receipts", s.receipts.take(t, 3), []string{"a accepted", "c accepted warned implausible [2].values.pulse", "b set-aside future-time"})
	expect(t, "kept", s.history("p1"), []string{"a", "c"})
}

func TestAnothersTopicIsSetAside(t *testing.T) {
	s := begin(t)
	err := s.submit(ingest.Message{Topic: "vigie/v1/bp-1/readings", Device: "bp-1", Client: "scale-1", Payload: []byte(weight("a", start, 82)), Received: start})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "set aside", s.setAside(), []string{"wrong-topic"})
	records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{Device: "scale-1"})
	if err != nil || len(records) != 1 {
		t.Errorf("it is not listed under the device that sent it: %+v, %v", records, err)
	}
}

func TestOnlyTheBadReadingsOfAMessageAreSetAside(t *testing.T) {
	s := begin(t)
	s.send("scale-1", "["+weight("a", start, 82)+", "+weight("b", start.Add(time.Hour), 82)+", "+weight("c", start, 820)+", "+weight("d", start, 83)+"]")
	expect(t, "kept", s.history("p1"), []string{"a", "d"})
	expect(t, "set aside", s.setAside(), []string{"b future-time", "c implausible"})
	expect(t, "receipts", s.receipts.take(t, 4), []string{"a accepted", "d accepted", "b set-aside future-time", "c set-aside implausible"})
	records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{Code: protocols.FutureTime})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "payload kept of one reading", string(records[0].Payload), weight("b", start.Add(time.Hour), 82))
}

func TestDayAloneIsNoonWhereThePatientLives(t *testing.T) {
	s := begin(t)
	day := func(id, date string) string {
		return fmt.Sprintf(`{"id":%q,"time":%q,"measure":"glucose","values":{"value":100},"unit":"mg/dL"}`, id, date)
	}
	s.send("meter-2", day("a", "2026-11-20"))
	s.send("meter-2", day("b", "2026-11-21")) // it is 10:00 in La Réunion: the day has begun
	s.send("meter-2", day("c", "2026-11-22"))
	expect(t, "kept", s.history("p2"), []string{"a", "b"})
	expect(t, "set aside", s.setAside(), []string{"c future-time"})
	err := s.store.History(t.Context(), "p2", nil, time.Time{}, start.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
		if want := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC); r.ID == "a" && (!r.Time.Equal(want) || !r.DayOnly) {
			t.Errorf("the day alone is kept as %v, want %v", r.Time, want)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSpecimenFollowsFromTheKindOfDevice(t *testing.T) {
	s := begin(t)
	s.send("cgm-2", glucose("i", start, 100))
	s.send("meter-2", glucose("c", start, 100))
	s.send("meter-2", strings.Replace(glucose("s", start, 100), `"unit"`, `"context":{"specimen":"interstitial"},"unit"`, 1))
	variants := map[string]uint8{}
	err := s.store.History(t.Context(), "p2", nil, time.Time{}, start.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
		variants[r.ID] = r.Variant
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "specimens", variants, map[string]uint8{"i": 2, "c": 1, "s": 2})
}

func TestConsentWithdrawnEndsIt(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start, 82))
	reg := cohort()
	reg.Enrolments[0].Consent.Withdrawn = start.Add(time.Hour)
	s.enter(reg)
	s.send("scale-1", weight("b", start.Add(time.Minute), 82))
	s.move(2 * time.Hour)
	s.send("scale-1", weight("c", start.Add(2*time.Minute), 82)) // measured before, sent after
	s.send("scale-1", "nonsense")
	expect(t, "kept", s.history("p1"), []string{"a", "b"})
	expect(t, "set aside", s.setAside(), []string{"c no-consent", "malformed"})
	records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		expect(t, "payload kept of "+r.Reading, string(r.Payload), "")
	}
}

// faulty is a store whose transactions a test can fail or hold up.
type faulty struct {
	ingest.Store
	fault atomic.Pointer[func() error]
	keep  func(readings []*protocols.Reading) error
}

func (f *faulty) Update(ctx context.Context, work func(ingest.Tx) error) error {
	if fault := f.fault.Load(); fault != nil {
		if err := (*fault)(); err != nil {
			return err
		}
	}
	return f.Store.Update(ctx, func(tx ingest.Tx) error { return work(faultyTx{tx, f}) })
}

type faultyTx struct {
	ingest.Tx
	faulty *faulty
}

func (tx faultyTx) Keep(readings []*protocols.Reading, at time.Time) ([]ingest.Fate, error) {
	fresh, err := tx.Tx.Keep(readings, at)
	if err == nil && tx.faulty.keep != nil {
		err = tx.faulty.keep(readings)
	}
	return fresh, err
}

func (f *faulty) into(c *ingest.Config) {
	f.Store = c.Store
	c.Store = f
}

func (f *faulty) set(fault func() error) {
	if fault == nil {
		f.fault.Store(nil)
		return
	}
	f.fault.Store(&fault)
}

var errDisk = errors.New("the disk is full")

func TestStoreThatFailsIsTriedAgain(t *testing.T) {
	store := &faulty{}
	s := begin(t, store.into)
	var tries atomic.Int32
	store.set(func() error {
		if tries.Add(1) <= 2 {
			return errDisk
		}
		return nil
	})
	s.send("scale-1", weight("a", start, 130))
	expect(t, "tries", tries.Load(), int32(3))
	expect(t, "kept", s.history("p1"), []string{"a"})
	expect(t, "found", s.found(), []string{"raised weight-high"})
}

func TestStoreThatStaysAwayIsToldToTheDoor(t *testing.T) {
	store := &faulty{}
	s := begin(t, store.into)
	s.send("scale-1", weight("a", start, 82))
	store.set(func() error { return errDisk })
	if err := s.publish("scale-1", "readings", weight("b", start.Add(time.Second), 130)); !errors.Is(err, errDisk) {
		t.Errorf("done with %v, want the fault of the store", err)
	}
	store.set(nil)
	expect(t, "kept", s.history("p1"), []string{"a"})
	s.send("scale-1", weight("b", start.Add(time.Second), 130))
	expect(t, "kept once it is back", s.history("p1"), []string{"a", "b"})
	expect(t, "found", s.found(), []string{"raised weight-high", "raised weight-gain"})
}

// outcomes submits one reading for each word, "device id", while the first is being
// committed, and tells which were acknowledged.
func (s *service) outcomes(store *faulty, words ...string) map[string]bool {
	s.t.Helper()
	hold := make(chan struct{})
	var calls atomic.Int32
	store.set(func() error {
		if calls.Add(1) == 1 {
			<-hold
		}
		return nil
	})
	type outcome struct {
		word string
		kept bool
	}
	results := make(chan outcome, len(words))
	for _, word := range words {
		device, id, _ := strings.Cut(word, " ")
		s.Submit(s.t.Context(), ingest.Message{Topic: "vigie/v1/" + device + "/readings", Device: device, Payload: []byte(weight(id, start, 82)), Received: start,
			Done: func(err error) { results <- outcome{word, err == nil} }})
	}
	close(hold)
	got := map[string]bool{}
	for range words {
		r := <-results
		got[r.word] = r.kept
	}
	return got
}

// poisoned fails the transactions that hold the reading "poison".
func poisoned(fault func() error) *faulty {
	return &faulty{keep: func(readings []*protocols.Reading) error {
		for _, r := range readings {
			if r.ID == "poison" {
				return fault()
			}
		}
		return nil
	}}
}

func TestOneMessageThatCannotBeCommittedDoesNotTakeThoseOfOthersWithIt(t *testing.T) {
	store := poisoned(func() error { return errDisk })
	s := begin(t, store.into)
	got := s.outcomes(store, "scale-0 first", "scale-0 a", "scale-1 poison", "scale-0 b", "scale-0 c")
	expect(t, "outcomes", got, map[string]bool{"scale-0 first": true, "scale-0 a": true, "scale-1 poison": false, "scale-0 b": true, "scale-0 c": true})
}

func TestNothingOfADeviceOvertakesWhatCouldNotBeCommitted(t *testing.T) {
	store := poisoned(func() error { return errDisk })
	s := begin(t, store.into, func(c *ingest.Config) { c.Limits.Batch = 4 })
	got := s.outcomes(store, "scale-1 first", "scale-1 a", "scale-1 poison", "scale-1 b", "scale-0 c", "scale-1 queued", "scale-0 d")
	expect(t, "outcomes", got, map[string]bool{"scale-1 first": true, "scale-1 a": true, "scale-1 poison": false, "scale-1 b": false,
		"scale-0 c": true, "scale-1 queued": false, "scale-0 d": true})
	expect(t, "kept", s.history("p1"), []string{"c", "d", "a", "first"})
}

func TestMessageThatMeetsAFaultOfTheProgramDoesNotSilenceItsDevice(t *testing.T) {
	store := poisoned(func() error { panic("a fault") })
	s := begin(t, store.into)
	got := s.outcomes(store, "scale-1 first", "scale-1 poison", "scale-1 b")
	expect(t, "outcomes", got, map[string]bool{"scale-1 first": true, "scale-1 poison": false, "scale-1 b": true})
}

func TestDevicesWaitWhenTheStoreStalls(t *testing.T) {
	store := &faulty{}
	s := begin(t, store.into, func(c *ingest.Config) { c.Limits.PerDevice, c.Limits.Queue = 4, 10 })
	hold := make(chan struct{})
	store.set(func() error { <-hold; return nil })
	ctx, cancel := context.WithCancel(t.Context())
	var queued, done, failed atomic.Int32
	var all sync.WaitGroup
	flood := func(device string, count int) {
		for i := range count {
			all.Go(func() {
				s.Submit(ctx, ingest.Message{Topic: "vigie/v1/" + device + "/readings", Device: device, Payload: []byte(weight(fmt.Sprint(i), start, 82)), Received: start,
					Done: func(err error) {
						if err != nil {
							failed.Add(1)
						} else {
							done.Add(1)
						}
					}})
				if ctx.Err() == nil {
					queued.Add(1)
				}
			})
		}
	}
	flood("scale-1", 30)
	eventually(t, "a device has its share in flight and no more", func() bool { return queued.Load() == 4 })
	if err := func() error {
		quick, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		s.Submit(quick, ingest.Message{Topic: "vigie/v1/bp-1/readings", Device: "bp-1", Payload: []byte(weight("x", start, 82)), Received: start, Done: func(error) {}})
		return quick.Err()
	}(); err != nil {
		t.Errorf("another device had to wait behind the one that floods: %v", err)
	}
	flood("cgm-2", 30)
	flood("meter-2", 30)
	eventually(t, "what is queued is bounded", func() bool { return queued.Load() == 9 }) // and one of bp-1
	cancel()
	all.Wait()
	expect(t, "turned away", failed.Load(), int32(81))
	close(hold)
	eventually(t, "what was queued is committed", func() bool { return done.Load() == 9 })
}

// eventually waits for what other goroutines are about to bring.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		case <-tick.C:
		}
	}
}

// TestJunkBeyondTheQuotaIsCounted has a broken device send rubbish and, between, what can
// be read and not be used.
func TestJunkBeyondTheQuotaIsCounted(t *testing.T) {
	counted := 0
	s := begin(t, func(c *ingest.Config) {
		c.Limits.JunkRecords, c.Limits.JunkBytes = 3, 1000
		c.Committed = func(commit ingest.Commit) { counted += commit.Counted }
	})
	rubbish := func(device string, n int) {
		for i := range n {
			s.send(device, fmt.Sprintf("rubbish %d of %s", i, s.clock()))
		}
	}
	rubbish("scale-1", 5)
	s.send("scale-1", weight("impossible", s.clock(), 820))
	s.send("scale-1", strings.Replace(weight("unknown", s.clock(), 82), "weight", "mood", 1))
	s.send("scale-1", weight("good", s.clock(), 82))
	s.send("scale-0", "rubbish of another")
	for i := range 4 {
		s.send(fmt.Sprintf("stranger-%d", i), "rubbish of strangers")
	}
	aside := func() (n int) {
		records, err := s.store.SetAsides(t.Context(), ingest.SetAsideFilter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return len(records)
	}
	expect(t, "set aside", aside(), 3+2+1+3)
	expect(t, "kept", s.history("p1"), []string{"good"})
	junk := func() (n int) {
		for _, found := range s.found() {
			if found == "raised "+ingest.RuleJunk {
				n++
			}
		}
		return n
	}
	expect(t, "alerts", junk(), 1)
	s.move(24 * time.Hour)
	rubbish("scale-1", 3)
	s.send("scale-1", strings.Repeat("x", 1001))
	s.stop()
	expect(t, "counted", counted, 2+1+1)
	s.open()
	expect(t, "set aside on the next day", aside(), 9+3)
}

func TestFloodingDeviceIsSlowedDownAloneAndTold(t *testing.T) {
	s := begin(t, func(c *ingest.Config) { c.Limits.Rate, c.Limits.Burst = 0.001, 3 })
	for i := range 3 {
		s.send("scale-1", weight(fmt.Sprint(i), start, 82))
	}
	ctx, cancel := context.WithCancel(t.Context())
	slowed := make(chan error, 1)
	go s.Submit(ctx, ingest.Message{Topic: "vigie/v1/scale-1/readings", Device: "scale-1", Payload: []byte(weight("4", start, 82)), Received: start,
		Done: func(err error) { slowed <- err }})
	eventually(t, "the flood is told with the readings of others", func() bool {
		s.send("scale-0", weight(fmt.Sprint(time.Now().UnixNano()), start, 82))
		return len(s.found()) > 0
	})
	expect(t, "found", s.found(), []string{"raised device-flooding"})
	cancel()
	if err := <-slowed; !errors.Is(err, context.Canceled) {
		t.Errorf("the flooding device was not made to wait: %v", err)
	}
}

func TestCloseCommitsWhatIsQueued(t *testing.T) {
	store := &faulty{}
	s := begin(t, store.into)
	hold := make(chan struct{})
	store.set(func() error { <-hold; return nil })
	var done atomic.Int32
	for i := range 50 {
		s.Submit(t.Context(), ingest.Message{Topic: "vigie/v1/scale-1/readings", Device: "scale-1", Payload: []byte(weight(fmt.Sprint(i), start, 82)), Received: start,
			Done: func(err error) {
				if err == nil {
					done.Add(1)
				}
			}})
	}
	closed := make(chan struct{})
	go func() { s.Pipeline.Close(); close(closed) }()
	close(hold)
	<-closed
	expect(t, "acknowledged", done.Load(), int32(50))
	expect(t, "kept", len(s.history("p1")), 50)
	if err := s.publish("scale-1", "readings", weight("late", start, 82)); !errors.Is(err, ingest.ErrClosed) {
		t.Errorf("a message after Close is done with %v, want ErrClosed", err)
	}
}

func TestCommittedTellsWhatHappened(t *testing.T) {
	var told []ingest.Commit
	var mu sync.Mutex
	s := begin(t, func(c *ingest.Config) {
		c.Committed = func(commit ingest.Commit) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, ingest.Commit{Messages: commit.Messages, Accepted: commit.Accepted, Duplicates: commit.Duplicates,
				SetAside: append([]ingest.SetAsideRecord(nil), commit.SetAside...), Findings: append([]protocols.Finding(nil), commit.Findings...)})
		}
	})
	s.send("scale-1", "["+weight("a", start, 130)+","+weight("a", start, 130)+","+weight("b", start, 999)+"]")
	s.Pipeline.Close()
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 1 || told[0].Messages != 1 || told[0].Accepted != 1 || told[0].Duplicates != 1 || len(told[0].SetAside) != 1 || len(told[0].Findings) != 3 {
		t.Errorf("told %+v", told)
	}
}

func TestRetryAfterTheRegistryWasCorrected(t *testing.T) {
	s := begin(t)
	s.send("spare-1", "["+weight("a", start, 130)+","+weight("b", start, 999)+"]")
	s.send("spare-1", weight("c", start.Add(time.Minute), 131))
	s.send("nobody", weight("d", start, 82))
	expect(t, "set aside", s.setAside(), []string{"a not-enrolled", "b implausible", "c not-enrolled", "d unknown-device"})
	retried, err := s.Retry(t.Context(), ingest.SetAsideFilter{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "before the correction", retried, ingest.Retried{Tried: 4, Refused: 4})
	expect(t, "still set aside", len(s.setAside()), 4)

	s.move(40 * 24 * time.Hour) // long after the readings would have been too old
	reg := cohort()
	reg.Enrolments[0].Devices = append(reg.Enrolments[0].Devices, "spare-1")
	s.enter(reg)
	retried, err = s.Retry(t.Context(), ingest.SetAsideFilter{Device: "spare-1"})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "after the correction", retried, ingest.Retried{Tried: 3, Accepted: 2, Refused: 1})
	expect(t, "kept", s.history("p1"), []string{"a", "c"})
	expect(t, "still set aside", s.setAside(), []string{"b implausible", "d unknown-device"})
	if found := strings.Join(s.found(), ", "); !strings.Contains(found, "raised weight-high") {
		t.Errorf("nothing was found in what was tried again: %s", found)
	}
	retried, err = s.Retry(t.Context(), ingest.SetAsideFilter{Device: "spare-1"})
	expect(t, "a third time", retried, ingest.Retried{Tried: 1, Refused: 1})
	expect(t, "error", err, nil)
}

func TestRecordThatMeetsAFaultHoldsUpNoOther(t *testing.T) {
	store := poisoned(func() error { panic("a fault") })
	s := begin(t, store.into)
	for _, id := range []string{"a", "poison", "b"} {
		s.send("spare-1", weight(id, start, 82))
	}
	reg := cohort()
	reg.Enrolments[0].Devices = append(reg.Enrolments[0].Devices, "spare-1")
	s.enter(reg)
	retried, err := s.Retry(t.Context(), ingest.SetAsideFilter{})
	expect(t, "error", err, nil)
	expect(t, "tried again", retried, ingest.Retried{Tried: 3, Accepted: 2, Failed: 1})
	expect(t, "kept", s.history("p1"), []string{"a", "b"})
	expect(t, "still set aside", s.setAside(), []string{"poison not-enrolled"})
}

func TestWhatIsTriedAgainInVainIsToldAndCountedOnce(t *testing.T) {
	setAside := 0
	s := begin(t, func(c *ingest.Config) { c.Committed = func(commit ingest.Commit) { setAside += len(commit.SetAside) } })
	s.send("spare-1", weight("a", start, 82))
	if _, err := s.Retry(t.Context(), ingest.SetAsideFilter{}); err != nil {
		t.Fatal(err)
	}
	s.send("scale-1", weight("b", start, 82))
	expect(t, "receipts", s.receipts.take(t, 2), []string{"a set-aside not-enrolled", "b accepted"})
	s.Pipeline.Close()
	expect(t, "counted as set aside", setAside, 1)
}

func TestReadingOfTheFutureIsAcceptedOnceItsTimeHasCome(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(2*time.Hour), 82)) // the clock here is two hours behind
	expect(t, "set aside", s.setAside(), []string{"a future-time"})
	s.move(2 * time.Hour)
	retried, err := s.Retry(t.Context(), ingest.SetAsideFilter{})
	expect(t, "tried again", retried, ingest.Retried{Tried: 1, Accepted: 1})
	expect(t, "error", err, nil)
	expect(t, "kept", s.history("p1"), []string{"a"})
}

func TestConfigurationIsChecked(t *testing.T) {
	if _, err := ingest.New(ingest.Config{}); err == nil {
		t.Error("a pipeline without a store was started")
	}
	s := begin(t)
	_, err := ingest.New(ingest.Config{Store: s.store, Plans: ingest.Plans(find), Now: s.clock, Prefix: "x"})
	if err == nil || !strings.Contains(err.Error(), "limits") {
		t.Errorf("a pipeline without limits: %v", err)
	}
}

func TestDeviceOfTwoPatientsIsRefused(t *testing.T) {
	s := begin(t)
	reg := cohort()
	second := reg.Enrolments[0]
	second.ID, second.Patient = "e5", "p2"
	s.enter(&registry.Registry{Enrolments: []registry.Enrolment{second}})
	s.send("scale-1", weight("a", start, 82))
	expect(t, "set aside", s.setAside(), []string{"a not-enrolled"})
}

// TestADeviceThatGivesUpIsHeardInTheEnd has a device with more to send than it may at
// once give up each time before it has waited long enough.
func TestADeviceThatGivesUpIsHeardInTheEnd(t *testing.T) {
	s := begin(t, func(c *ingest.Config) { c.Limits.Rate, c.Limits.Burst = 40, 20 })
	var first, upload []string
	for i := range 20 {
		first = append(first, weight(fmt.Sprint("first ", i), start, 82))
		upload = append(upload, weight(fmt.Sprint(i), start, 82))
	}
	s.send("scale-1", "["+strings.Join(first, ",")+"]")
	patience := 100 * time.Millisecond // a fifth of what it would take
	tries := 0
	for kept := false; !kept; tries++ {
		if tries == 50 {
			t.Fatal("it is never heard")
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		done := make(chan error, 1)
		s.Submit(ctx, ingest.Message{Topic: "vigie/v1/scale-1/readings", Device: "scale-1", Payload: []byte("[" + strings.Join(upload, ",") + "]"), Received: start,
			Done: func(err error) { done <- err }})
		kept = <-done == nil
		cancel()
	}
	expect(t, "kept", len(s.history("p1")), 40)
}
