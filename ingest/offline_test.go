package ingest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// sleeper is a service with a device that says whether it is online.
type sleeper struct{ *service }

func (s sleeper) says(online bool) { s.saysAt(online, s.clock()) }

func (s sleeper) saysAt(online bool, at time.Time) {
	s.t.Helper()
	payload := `{"online":false}`
	if online {
		payload = `{"online":true}`
	}
	err := s.submit(ingest.Message{Topic: "vigie/v1/scale-1/status", Device: "scale-1", Client: "scale-1", Payload: []byte(payload), Received: at})
	if err != nil {
		s.t.Fatal(err)
	}
}

// after moves the clock, sweeps, and expects these findings in all.
func (s sleeper) after(d time.Duration, want ...string) {
	s.t.Helper()
	s.move(d)
	if _, err := s.Sweep(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	expect(s.t, "found", s.offline(), want)
}

// offline lists what was found about the device's connection.
func (s sleeper) offline() []string {
	return slices.DeleteFunc(s.found(), func(f string) bool { return !strings.HasSuffix(f, " "+ingest.RuleOffline) })
}

// explains expects these words in why the device was found.
func (s sleeper) explains(want string) {
	s.t.Helper()
	var why string
	for _, f := range s.witness.Findings() {
		if f.Kind == protocols.Raised && f.Rule == ingest.RuleOffline {
			why = f.Explanation.Summary.FR
		}
	}
	if !strings.Contains(why, want) {
		s.t.Errorf("it explains itself as %q, want %q in it", why, want)
	}
}

const raised, ended = "raised device-offline", "ended device-offline"

func TestADeviceThatStaysOfflineIsFoundOnceItsGraceHasPassed(t *testing.T) {
	s := sleeper{begin(t)}
	s.says(true)
	s.says(false)
	s.after(ingest.OfflineGrace - time.Second)
	s.says(false)
	s.restart()
	s.after(time.Second, raised)
	s.says(false)
	s.after(10*ingest.OfflineGrace, raised)
	s.restart()
	s.says(true)
	s.after(0, raised, ended)
	s.says(false)
	s.after(ingest.OfflineGrace, raised, ended, raised)
	s.explains("pendant 30 h.")
}

func TestADeviceThatWakesOnceADayToSendIsNeverOffline(t *testing.T) {
	s := sleeper{begin(t)}
	for day := range 10 {
		s.says(true)
		s.send("scale-1", weight("day "+string(rune('a'+day)), s.clock(), 82))
		s.says(false)
		s.after(24 * time.Hour)
	}
	s.after(ingest.OfflineGrace, raised)
}

func TestWhatADeviceMeasuresShowsThatItLivesThoughItDoesNotSaySo(t *testing.T) {
	s := sleeper{begin(t)}
	s.says(false)
	s.move(20 * time.Hour)
	s.send("scale-1", weight("a", s.clock(), 82))
	s.send("bp-1", strings.Replace(weight("b", s.clock().Add(time.Hour-time.Minute), 82), "scale", "bp", 1)) // of another device
	s.after(ingest.OfflineGrace - time.Minute)
	s.after(time.Minute, raised)
}

func TestADeviceThatIsHeardAgainIsNotOffline(t *testing.T) {
	sends := func(payload func(s sleeper) string) func(s sleeper) {
		return func(s sleeper) { s.send("scale-1", payload(s)) }
	}
	for name, speaks := range map[string]func(s sleeper){
		"a reading":                   sends(func(s sleeper) string { return weight("a", s.clock(), 82) }),
		"a reading of weeks ago":      sends(func(s sleeper) string { return weight("a", start.AddDate(0, 0, -10), 82) }),
		"a reading that is set aside": sends(func(s sleeper) string { return weight("a", s.clock(), 999) }),
		"what nobody can read":        sends(func(s sleeper) string { return "hello" }),
	} {
		t.Run(name, func(t *testing.T) {
			s := sleeper{begin(t)}
			s.says(false)
			s.after(ingest.OfflineGrace, raised)
			s.after(time.Hour, raised)
			speaks(s)
			expect(t, "found", s.offline(), []string{raised, ended})
			s.restart()
			s.after(ingest.OfflineGrace-time.Minute, raised, ended)
			s.after(time.Minute, raised, ended, raised) // it never said that it is back
			s.says(true)
			s.after(10*ingest.OfflineGrace, raised, ended, raised, ended)
			expect(t, "each time is an episode", slices.DeleteFunc(s.episodes(), func(e string) bool { return !strings.HasPrefix(e, ingest.RuleOffline) }),
				[]string{"device-offline scale-1 2026-11-21T06:00:00Z", "device-offline scale-1 2026-11-22T13:00:00Z"})
		})
	}
}

func TestAnUploadOfOldReadingsShowsThatADeviceLives(t *testing.T) {
	s := sleeper{begin(t)}
	s.says(false)
	s.move(29 * time.Hour)
	s.send("scale-1", weight("a", start.AddDate(0, 0, -10), 82))
	s.restart()
	s.after(ingest.OfflineGrace - time.Minute)
	s.after(time.Minute, raised)
}

func TestWhatIsDeliveredOrTriedAgainDoesNotShowThatADeviceLives(t *testing.T) {
	s := sleeper{begin(t)}
	s.send("scale-1", weight("a", s.clock(), 82))
	s.send("scale-1", weight("b", s.clock(), 999))
	s.says(false)
	s.move(20 * time.Hour)
	s.send("scale-1", weight("a", start, 82))
	s.after(10*time.Hour, raised)
	s.send("scale-1", weight("a", start, 82))
	if _, err := s.Retry(t.Context(), ingest.SetAsideFilter{}); err != nil {
		t.Fatal(err)
	}
	s.after(0, raised)
}

// TestADeviceThatNeverSaysItIsBackIsLeftAlone has one whose last will tells that it
// is gone, and nothing that it is back, send every five minutes for days.
func TestADeviceThatNeverSaysItIsBackIsLeftAlone(t *testing.T) {
	written := &recording{}
	s := sleeper{begin(t, written.into)}
	s.says(false)
	written.statuses = 0
	for i := range 12 * 48 {
		s.send("scale-1", weight(fmt.Sprint(i), s.clock(), 82))
		s.after(5 * time.Minute)
	}
	if written.statuses > 48 {
		t.Errorf("its status was written %d times in two days of 576 readings", written.statuses)
	}
	s.says(true)
	written.statuses = 0
	for i := range 10 {
		s.send("scale-1", weight(fmt.Sprint("back ", i), s.clock(), 82))
	}
	expect(t, "status written for a device that is online", written.statuses, 0)
}

// recording is a store that counts how often the status of a device is written.
type recording struct {
	ingest.Store
	statuses int
}

func (r *recording) into(c *ingest.Config) { r.Store, c.Store = c.Store, r }

func (r *recording) Update(ctx context.Context, work func(ingest.Tx) error) error {
	return r.Store.Update(ctx, func(tx ingest.Tx) error { return work(recordingTx{tx, r}) })
}

type recordingTx struct {
	ingest.Tx
	recording *recording
}

func (tx recordingTx) SetDeviceStatus(status ingest.DeviceStatus) error {
	tx.recording.statuses++
	return tx.Tx.SetDeviceStatus(status)
}

func TestStatusMessagesThatComeInAnotherOrderSayTheSame(t *testing.T) {
	messages := []struct {
		online bool
		after  time.Duration
	}{{true, 0}, {false, time.Minute}, {true, time.Hour}, {false, 2 * time.Hour}}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 3, 1, 0}} {
		s := sleeper{begin(t)}
		began := s.clock()
		s.move(3 * time.Hour)
		for _, i := range order {
			s.saysAt(messages[i].online, began.Add(messages[i].after))
		}
		s.after(ingest.OfflineGrace - 4*time.Hour)
		s.after(3*time.Hour, raised)
		s.saysAt(true, began.Add(time.Hour)) // late
		s.after(time.Hour, raised)
		s.says(true)
		s.after(time.Hour, raised, ended)
	}
}

func TestAClockPutBackDoesNotMakeADeviceMute(t *testing.T) {
	s := sleeper{begin(t)}
	s.says(true)
	s.move(-2 * time.Hour)
	s.says(false)
	s.after(ingest.OfflineGrace, raised)
}

func TestTheOperatorChoosesTheGrace(t *testing.T) {
	s := sleeper{begin(t, func(c *ingest.Config) { c.Limits.OfflineGrace = 0 })}
	s.says(false)
	s.after(0, raised)
	s.says(true)
	s.after(0, raised, ended)
	for grace, want := range map[time.Duration]string{90 * time.Minute: "pendant 90 min.", 20 * time.Second: "pendant 20 s."} {
		s := sleeper{begin(t, func(c *ingest.Config) { c.Limits.OfflineGrace = grace })}
		s.says(false)
		s.after(grace, raised)
		s.explains(want)
	}
}

func TestTheBatteryToldWithAReadingMeasuredBeforeTheConnectionIsHeard(t *testing.T) {
	s := sleeper{begin(t)}
	measured := s.clock()
	s.move(time.Minute)
	s.says(true)
	s.send("scale-1", strings.Replace(weight("a", measured, 82), `"unit"`, `"battery":9,"unit"`, 1))
	expect(t, "found", s.found(), []string{"raised battery-low"})
}

// TestWhatADeviceSaysIsTakenInItsOrder has three messages come one by one, and
// all in one batch.
func TestWhatADeviceSaysIsTakenInItsOrder(t *testing.T) {
	for _, together := range []bool{false, true} {
		store := &faulty{}
		s := begin(t, store.into)
		hold := make(chan struct{})
		store.set(func() error { <-hold; return nil })
		if !together {
			close(hold)
		}
		done := make(chan error)
		for _, m := range []struct{ kind, payload string }{
			{ingest.ReadingsTopic, weight("a", start, 82)},
			{ingest.StatusTopic, `{"online":true,"battery":90}`},
			{ingest.ReadingsTopic, strings.Replace(weight("b", start.Add(-time.Hour), 82), `"unit"`, `"battery":5,"unit"`, 1)},
		} {
			s.Submit(t.Context(), ingest.Message{Topic: "vigie/v1/scale-1/" + m.kind, Device: "scale-1", Client: "scale-1", Payload: []byte(m.payload), Received: start,
				Done: func(err error) { done <- err }})
			if !together {
				expect(t, "error", <-done, nil)
			}
		}
		if together {
			close(hold)
			for range 3 {
				expect(t, "error", <-done, nil)
			}
		}
		expect(t, "found in what was measured before the battery was changed", s.found(), []string(nil))
	}
}

// TestWhatABrokerHadRetainedEndsNothing has a service come back to an outside broker,
// which tells it what each device said last, however long ago.
func TestWhatABrokerHadRetainedEndsNothing(t *testing.T) {
	s := sleeper{begin(t)}
	retained := func(payload string) {
		t.Helper()
		s.move(time.Minute)
		err := s.submit(ingest.Message{Topic: "vigie/v1/scale-1/status", Device: "scale-1", Payload: []byte(payload), Received: s.clock(), Retained: true})
		expect(t, "error", err, nil)
	}
	retained(`{"online":true,"battery":87}`)
	s.send("scale-1", strings.Replace(weight("a", s.clock(), 82), `"unit"`, `"battery":9,"unit"`, 1))
	s.says(false)
	s.after(ingest.OfflineGrace, raised)
	s.restart()
	retained(`{"online":true,"battery":87}`)
	expect(t, "found", s.found(), []string{"raised battery-low", raised})
	s.says(true)
	retained(`{"online":false,"battery":87}`)
	s.after(ingest.OfflineGrace, raised, ended, raised)
	expect(t, "found", s.found(), []string{"raised battery-low", raised, ended, raised})
}
