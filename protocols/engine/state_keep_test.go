package engine

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"vigie/protocols"
)

// keptState has something of everything in its snapshot: an episode that goes
// on and one that is over, a level that waits, a silence.
func keptState(t testing.TB) *State {
	waiting := level(protocols.Red, of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, 85))
	waiting.Confirm = time.Hour
	s := stateOf(t, protocolOf(
		rule("spo2", level(protocols.Yellow, of("oxygen-saturation", "value", protocols.Last, protocols.Window{}, protocols.Below, 92)), waiting),
		silence()), followedFrom("2026-03-01T00:00:00+01:00"))
	start := at("2026-03-05T08:00:00+01:00")
	for i, value := range []float64{90, 95, 91, 80} {
		s.Add(reading("oxygen-saturation", start.Add(time.Duration(i)*time.Minute), value), start, nil)
	}
	return s
}

func TestSnapshotSurvivesALoad(t *testing.T) {
	s := keptState(t)
	kept := s.Snapshot(nil)
	if s.Dirty() {
		t.Error("it is dirty right after its snapshot")
	}
	if len(kept) > 120 {
		t.Errorf("%d bytes for so little", len(kept))
	}
	again := stateOf(t, s.plan.Protocol, s.enrolment)
	if err := again.Load(kept, nil, again.Since(kept, at("2026-03-06T00:00:00+01:00"))); err != nil {
		t.Fatal(err)
	}
	if !again.Due().Equal(s.Due()) || again.Dirty() {
		t.Errorf("due at %s, was %s; dirty: %v", again.Due(), s.Due(), again.Dirty())
	}
	if copied := again.Snapshot(nil); !bytes.Equal(copied, kept) {
		t.Errorf("%x has become %x", kept, copied)
	}
	if got := again.Snapshot([]byte("before")); !bytes.HasPrefix(got, []byte("before")) {
		t.Error("Snapshot does not append")
	}
}

func TestSnapshotThatCannotBeReadIsSaid(t *testing.T) {
	s := keptState(t)
	kept := s.Snapshot(nil)
	for i := 1; i < len(kept); i++ {
		if err := stateOf(t, s.plan.Protocol, s.enrolment).Load(kept[:i], nil, time.Time{}); !errors.Is(err, protocols.ErrSnapshot) {
			t.Errorf("cut after %d bytes: %v", i, err)
		}
	}
	for _, other := range [][]byte{append(bytes.Clone(kept), 0), {99}, {255}} {
		if err := stateOf(t, s.plan.Protocol, s.enrolment).Load(other, nil, time.Time{}); !errors.Is(err, protocols.ErrSnapshot) {
			t.Errorf("%x: %v", other, err)
		}
	}
}

func TestReadingThatChangesNothingLeavesTheSnapshotClean(t *testing.T) {
	s := stateOf(t, protocolOf(rule("pouls", level(protocols.Red, of("heart-rate", "value", protocols.Last, protocols.Window{}, protocols.Above, 120)))), enrolled())
	when := at("2026-03-05T08:00:00+01:00")
	s.Snapshot(nil)
	s.Add(reading("heart-rate", when, 70), when, nil)
	if s.Dirty() {
		t.Error("a reading that changed nothing asks for a snapshot")
	}
	s.Add(reading("heart-rate", when.Add(time.Minute), 130), when, nil)
	if !s.Dirty() {
		t.Error("an episode asks for no snapshot")
	}
}

func TestWhatFellDueWhileNobodyLookedIsFoundWithItsReadings(t *testing.T) {
	high := of("weight", "value", protocols.Mean, protocols.Window{}, protocols.Above, 80)
	high.Days = literal(1)
	p := protocolOf(rule("poids", level(protocols.Orange, high)))
	s := stateOf(t, p, enrolled())
	r := reading("weight", at("2026-03-05T08:00:00+01:00"), 81)
	s.Add(r, r.Time, nil)
	kept := s.Snapshot(nil)

	// Three weeks later the service is back.
	now := at("2026-03-26T08:00:00+01:00")
	again := stateOf(t, p, enrolled())
	since := again.Since(kept, now)
	if since.After(r.Time) {
		t.Fatalf("history is asked from %s on, without the reading of %s", since, r.Time)
	}
	if err := again.Load(kept, []*protocols.Reading{r}, since); err != nil {
		t.Fatal(err)
	}
	expectTold(t, again.Advance(now, nil), "poids raised orange 06/03 00:00")
}

// FuzzLoad looks for a snapshot that breaks the state rather than be refused.
func FuzzLoad(f *testing.F) {
	s := keptState(f)
	f.Add(s.Snapshot(nil))
	f.Fuzz(func(t *testing.T, kept []byte) {
		again := stateOf(t, s.plan.Protocol, s.enrolment)
		again.Since(kept, at("2026-03-06T00:00:00+01:00"))
		if err := again.Load(kept, nil, time.Time{}); err != nil {
			if !errors.Is(err, protocols.ErrSnapshot) {
				t.Errorf("%v is not said to be about the snapshot", err)
			}
			return
		}
		again.Add(reading("oxygen-saturation", at("2026-03-06T08:00:00+01:00"), 80), at("2026-03-06T08:00:00+01:00"), nil)
		if err := stateOf(t, s.plan.Protocol, s.enrolment).Load(again.Snapshot(nil), nil, time.Time{}); err != nil {
			t.Errorf("what was loaded cannot be kept: %v", err)
		}
	})
}

func TestSnapshotOfAnotherVersionSaysNothing(t *testing.T) {
	s := keptState(t)
	kept := s.Snapshot(nil)
	next := *s.plan.Protocol
	next.Version += "-next"
	again := stateOf(t, &next, s.enrolment)
	if err := again.Load(kept, nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for i := range again.rules {
		if r := &again.rules[i]; r.active() || len(r.log) > 0 || len(r.episodes) > 0 {
			t.Errorf("the rule %s of the next version stands where that of the former stood", r.plan.Rule.ID)
		}
	}
	if !again.Dirty() {
		t.Error("the snapshot of the former version stays")
	}
}

func TestSnapshotOfTheFormerShapeIsRead(t *testing.T) {
	s := keptState(t)
	kept := s.Snapshot(nil)
	e := encoder{}
	e.count(editionOf(s.plan.Protocol))
	former := append([]byte{1}, kept[1+len(e.to):]...)
	again := stateOf(t, s.plan.Protocol, s.enrolment)
	if err := again.Load(former, nil, again.Since(former, at("2026-03-06T00:00:00+01:00"))); err != nil {
		t.Fatal(err)
	}
	if copied := again.Snapshot(nil); !bytes.Equal(copied, kept) {
		t.Errorf("%x has become %x", kept, copied)
	}
}

// keptByVersion1 is what the first released version kept of keptState.
const keptByVersion1 = "0102e0f0a09a0d0202e8b928010000020402e7020000000278010000027800000002780000020200000202e702027800027801000000"

func TestStateKeptByTheFirstVersionGoesOnWithoutMissingOrRepeating(t *testing.T) {
	kept, err := hex.DecodeString(keptByVersion1)
	if err != nil {
		t.Fatal(err)
	}
	undisturbed := keptState(t)
	start := at("2026-03-05T08:00:00+01:00")
	var history []*protocols.Reading
	for i, value := range []float64{90, 95, 91, 80} {
		history = append(history, reading("oxygen-saturation", start.Add(time.Duration(i)*time.Minute), value))
	}
	again := stateOf(t, undisturbed.plan.Protocol, undisturbed.enrolment)
	if err := again.Load(kept, history, again.Since(kept, start.Add(4*time.Minute))); err != nil {
		t.Fatal(err)
	}
	for _, next := range []*protocols.Reading{
		reading("oxygen-saturation", start.Add(4*time.Minute), 79),
		reading("oxygen-saturation", start.Add(5*time.Minute), 96),
		reading("weight", start.Add(6*time.Minute), 80),
	} {
		want, got := undisturbed.Add(next, next.Time, nil), again.Add(next, next.Time, nil)
		if len(want) == 0 || told(got, paris) != told(want, paris) {
			t.Errorf("found:\n%s\nwithout the restart:\n%s", told(got, paris), told(want, paris))
		}
	}
	later := start.AddDate(0, 0, 10)
	if want, got := undisturbed.Advance(later, nil), again.Advance(later, nil); len(want) == 0 || told(got, paris) != told(want, paris) {
		t.Errorf("found:\n%s\nwithout the restart:\n%s", told(got, paris), told(want, paris))
	}
}
