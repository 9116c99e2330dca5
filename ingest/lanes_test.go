package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// street is a queue with devices that send, and a clock that is moved.
type street struct {
	*queue
	t       *testing.T
	at      time.Time
	sent    map[string]int
	waiting []func(context.Context) error
}

func newStreet(t *testing.T, limits Limits) *street {
	limits.Rate = 0
	s := &street{queue: newQueue(limits), t: t, at: time.Unix(1_800_000_000, 0), sent: map[string]int{}}
	s.now = func() time.Time { return s.at }
	return s
}

// send queues so many messages of a device, each of one reading. It returns how many found
// room, and stops at the first that did not, as a connection does.
func (s *street) send(device string, messages int) (queued int) {
	return s.sendAs(device, device, messages)
}

func (s *street) sendAs(client, device string, messages int) (queued int) {
	s.t.Helper()
	for range messages {
		s.sent[device]++
		it := &item{sender: device, weight: 1, message: Message{Device: device, Client: client, Topic: fmt.Sprint(device, "/", s.sent[device])}}
		wait, err := s.offer(it)
		if err != nil {
			s.t.Fatal(err)
		}
		if wait != nil {
			s.waiting = append(s.waiting, wait)
			return queued
		}
		queued++
	}
	return queued
}

func (s *street) pour(devices, messages int) (queued int) {
	for i := range devices {
		queued += s.send(fmt.Sprint("away-", i), messages)
	}
	return queued
}

func topics(items []*item) (all []string) {
	for _, it := range items {
		all = append(all, it.message.Topic)
	}
	return all
}

// place is where the only message of a device stands among items; -1 when it is not there.
func place(items []*item, topic string) int { return slices.Index(topics(items), topic) }

func TestALiveReadingDoesNotWaitBehindABacklog(t *testing.T) {
	s := newStreet(t, DefaultLimits())
	s.pour(1_000, 16)
	if queued := s.send("live", 1); queued != 1 {
		t.Fatal("it waits for room")
	}
	batch := s.take(s.limits.Batch)
	if at := place(batch, "live/1"); at != 0 {
		t.Errorf("it is committed at place %d of the next batch", at)
	}
	if len(batch) > shortBatch || len(batch) < shortBatch/2 {
		t.Errorf("it is committed with %d others, want %d at most and not many fewer", len(batch)-1, shortBatch)
	}
}

func TestALiveReadingFindsRoomInAFullQueue(t *testing.T) {
	limits := DefaultLimits()
	limits.Queue = 1_000
	s := newStreet(t, limits)
	s.send("live", 1)
	s.release(s.take(limits.Batch))
	for device := 0; s.send(fmt.Sprint("away-", device), 20) == 20; device++ {
	}
	if s.send("live", 1) != 1 {
		t.Error("a live device waits for room behind those that pour")
	}
	for device := range 1_000 {
		s.send(fmt.Sprint("live-", device), 1)
	}
	if most := limits.Queue + limits.Queue/4; s.queue.waiting() > most {
		t.Errorf("%d readings are queued, want %d at most", s.queue.waiting(), most)
	}
	for !s.lanes.empty() {
		s.release(s.take(limits.Batch))
	}
	if s.used != 0 || s.ahead != 0 || len(s.waiters) != 0 {
		t.Errorf("when all is committed, %d and %d readings are counted, and %d wait", s.used, s.ahead, len(s.waiters))
	}
}

// A device that had to wait for room sends little at a time, and is not live for that.
func TestWhoPoursIntoAFullQueueIsNotLive(t *testing.T) {
	limits := DefaultLimits()
	limits.Queue = 100
	s := newStreet(t, limits)
	s.pour(10, 20)
	for range 40 { // what came first is gone by then
		s.at = s.at.Add(pouredFor / 4)
		s.release(s.take(10))
		for device := range 10 {
			if name := fmt.Sprint("away-", device); s.shareOf(name).waiting == 0 {
				s.send(name, 20)
			}
		}
	}
	if len(s.lanes.live) > 0 || s.ahead > 0 {
		t.Errorf("%d devices that pour are live, and %d readings of theirs have gone ahead", len(s.lanes.live), s.ahead)
	}
}

func TestNeitherLaneStarvesTheOther(t *testing.T) {
	s := newStreet(t, DefaultLimits())
	s.pour(100, 100)
	began, poured := s.at, 0
	for round := 0; round < 200 && poured < 10_000; round++ {
		for device := range 600 { // more than are committed
			if name := fmt.Sprint("live-", device); s.shareOf(name).messages == 0 {
				s.send(name, 1)
			}
		}
		batch := s.take(s.limits.Batch)
		for _, topic := range topics(batch) {
			if strings.HasPrefix(topic, "away") {
				poured++
			}
		}
		s.at = s.at.Add(30 * time.Millisecond)
		s.release(batch)
	}
	if poured != 10_000 {
		t.Errorf("%d of 10000 are committed after %v", poured, s.at.Sub(began))
	}
}

func TestABatchIsLongWhereFewReadingsWait(t *testing.T) {
	s := newStreet(t, DefaultLimits())
	s.pour(50, 20) // as fast as they are acknowledged
	s.send("live", 1)
	if got := len(s.take(s.limits.Batch)); got != 1_001 {
		t.Errorf("a batch has %d readings, want 1001", got)
	}
}

func TestABatchIsLongWhereNobodyIsLive(t *testing.T) {
	s := newStreet(t, DefaultLimits())
	s.send("live", 1)
	s.take(s.limits.Batch)
	s.pour(1_000, 16)
	s.at = s.at.Add(heardFor)
	if got := len(s.take(s.limits.Batch)); got != s.limits.Batch {
		t.Errorf("a batch has %d readings, want %d", got, s.limits.Batch)
	}
}

// An outside broker is answered in the order in which it sends, whoever sends.
func TestWhatComesFromAnOutsideBrokerKeepsItsOrder(t *testing.T) {
	s := newStreet(t, DefaultLimits())
	for i := range 300 {
		s.sendAs("", fmt.Sprint("away-", i%3), 1)
	}
	s.sendAs("", "live", 1)
	var got []string
	for !s.lanes.empty() {
		batch := s.take(7)
		got = append(got, topics(batch)...)
		s.release(batch)
	}
	for i, topic := range got[:300] {
		if want := fmt.Sprint("away-", i%3, "/", i/3+1); topic != want {
			t.Fatalf("at place %d comes %s, want %s", i, topic, want)
		}
	}
	if got[300] != "live/1" {
		t.Errorf("the last is %s", got[300])
	}
}

// A device, or an outside broker, that sends as fast as it is answered keeps nobody waiting
// for ever who is not live: its turn ends.
func TestATurnEndsThoughItsDeviceGoesOnSending(t *testing.T) {
	for _, client := range []string{"bridge", ""} {
		s := newStreet(t, DefaultLimits())
		s.sendAs(client, "bridge", 200)
		s.release(s.take(10)) // its turn has begun
		s.send("hub", 3)      // a hub at home, not live
		for taken, busy := 0, 10; ; {
			s.sendAs(client, "bridge", busy)
			batch := s.take(50)
			busy = len(batch)
			s.release(batch)
			if place(batch, "hub/3") >= 0 {
				break
			}
			if taken += busy; taken > 400 {
				t.Errorf("the hub waits behind %d readings of a bridge that had 200 before it (client %q)", taken, client)
				break
			}
		}
	}
}

// Whatever devices send, whenever: each message is committed once, and those of a device in
// its order, also where some are withdrawn.
func TestWithinADeviceTheOrderStays(t *testing.T) {
	limits := DefaultLimits()
	limits.Queue, limits.PerDevice = 200, 30
	chance := rand.New(rand.NewPCG(15, 1))
	s := newStreet(t, limits)
	last, withdrawn := map[string]int{}, 0
	check := func(items []*item) {
		for _, it := range items {
			var number int
			name, after, _ := strings.Cut(it.message.Topic, "/")
			if _, err := fmt.Sscan(after, &number); err != nil {
				t.Fatal(err)
			}
			if number <= last[name] {
				t.Fatalf("%s comes behind number %d", it.message.Topic, last[name])
			}
			last[name] = number
		}
	}
	for range 20_000 {
		s.at = s.at.Add(time.Duration(chance.IntN(1_000)) * time.Millisecond)
		name := fmt.Sprint("device-", chance.IntN(20))
		if s.shareOf(name).waiting == 0 {
			s.send(name, 1+chance.IntN(1+chance.IntN(12)))
		}
		if chance.IntN(3) > 0 {
			continue
		}
		batch := s.take(1 + chance.IntN(100))
		check(batch)
		if len(batch) > 0 && chance.IntN(5) == 0 {
			gone := s.withdraw(batch[:1])
			check(gone)
			withdrawn += len(gone)
			batch = append(batch, gone[len(gone):]...)
		}
		s.release(batch)
	}
	for !s.lanes.empty() {
		batch := s.take(100)
		check(batch)
		s.release(batch)
	}
	if withdrawn == 0 || s.queue.waiting() != 0 {
		t.Errorf("%d were withdrawn, and %d readings are counted at the end", withdrawn, s.queue.waiting())
	}
}
