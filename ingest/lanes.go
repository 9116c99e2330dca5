package ingest

import (
	"slices"
	"time"
)

// lanes hold the messages that wait to be committed. A device that has hardly anything in
// flight is live: its messages go ahead of those of devices that pour, such as after a week
// without a network. Within a device the order stays.
//
// Neither lane starves the other. While somebody pours, a quarter of each batch is theirs,
// and they have turns: each gives all that it had queued when its turn began, so that its
// state is written once for it, and who goes on sending goes to the back. Where thousands of
// readings wait, batches are short, as a live device also waits for the one at work.
type lanes struct {
	live, pouring []*share  // who has something queued, in the order of their turns
	others        share     // of messages without a connection of their device; only its items count
	heard         time.Time // when a live device last had something queued
}

const (
	// A live device has so many messages in flight at most, of so many readings each.
	liveMessages = 2
	liveReadings = 64
	// pouredFor is for how long a device that has poured is not live.
	pouredFor = 2 * time.Second
	// backlogFrom is how many readings are queued where batches become short. Fewer are
	// soon committed, all together.
	backlogFrom = 32 * plenty
	// shortBatch is how many readings a batch has while some devices pour and others are
	// live: a few dozen milliseconds of work, and still "plenty".
	shortBatch = 2 * plenty
	// heardFor is for how long batches stay short after a live device was heard.
	heardFor = 2 * time.Second
)

// live reports whether a device is live that has so many messages in flight.
func (s *share) live(messages int, now time.Time) bool {
	return messages <= liveMessages && s.waiting == 0 && now.Sub(s.poured) >= pouredFor
}

// add queues an item.
func (l *lanes) add(it *item, now time.Time) {
	s := it.share
	if s.messages > liveMessages || it.weight > liveReadings {
		s.poured = now
	}
	live := s.live(s.messages, now)
	if it.message.Client == "" {
		// An outside broker is answered in the order in which it sends: MQTT 3.1.1, section 4.6.
		s, live = &l.others, false
	}
	if s.items = append(s.items, it); len(s.items) > 1 {
		return // it has its turn already
	}
	if live {
		l.live = append(l.live, s)
	} else {
		l.pouring = append(l.pouring, s)
	}
}

// empty reports whether nothing is queued.
func (l *lanes) empty() bool { return len(l.live)+len(l.pouring) == 0 }

// take returns what is next of so many readings that are queued: up to a number of readings
// but at least one item of each lane.
func (l *lanes) take(readings, queued int, now time.Time) (taken []*item) {
	l.part(now)
	if len(l.live) > 0 {
		l.heard = now
	}
	forLive := readings
	if len(l.pouring) > 0 {
		if queued > backlogFrom && now.Sub(l.heard) < heardFor {
			readings = min(readings, shortBatch)
		}
		forLive = readings - readings/4
	}
	taken, weight := takeFrom(&l.live, taken, forLive)
	taken, _ = takeFrom(&l.pouring, taken, readings-weight)
	return taken
}

// part moves devices that pour by now out of the live lane.
func (l *lanes) part(now time.Time) {
	still := l.live[:0]
	for _, s := range l.live {
		if s.live(s.messages, now) {
			still = append(still, s)
		} else {
			l.pouring = append(l.pouring, s)
		}
	}
	clear(l.live[len(still):])
	l.live = still
}

// takeFrom takes items of a lane, device by device.
func takeFrom(lane *[]*share, taken []*item, readings int) ([]*item, int) {
	weight, none, i := 0, len(taken), 0
	for ; i < len(*lane); i++ {
		s, n := (*lane)[i], 0
		if s.turn == 0 {
			s.turn = len(s.items)
		}
		for n < s.turn && (len(taken) == none || weight+s.items[n].weight <= readings) {
			taken, weight, n = append(taken, s.items[n]), weight+s.items[n].weight, n+1
		}
		if s.turn -= n; s.turn > 0 {
			s.items = s.items[n:]
			break
		}
		if n < len(s.items) {
			s.items, *lane = s.items[n:], append(*lane, s)
			continue
		}
		clear(s.items)
		s.items = s.items[:0]
	}
	*lane = slices.Delete(*lane, 0, i)
	return taken, weight
}

// withdraw takes out what some devices have queued.
func (l *lanes) withdraw(devices map[*share]bool) (withdrawn []*item) {
	for _, lane := range []*[]*share{&l.live, &l.pouring} {
		*lane = slices.DeleteFunc(*lane, func(s *share) bool {
			s.items = slices.DeleteFunc(s.items, func(it *item) bool {
				if devices[it.share] {
					withdrawn = append(withdrawn, it)
				}
				return devices[it.share]
			})
			s.turn = min(s.turn, len(s.items))
			return len(s.items) == 0
		})
	}
	return withdrawn
}
