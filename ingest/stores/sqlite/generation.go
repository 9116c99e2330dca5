package sqlite

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"sync"

	"vigie/protocols"
)

// recent is what has been kept and not been filed yet: one generation that is
// filling, and at times one that is being filed.
//
// The ids and the places in the filing belong to the writer. Everything else is
// read by all, under the lock.
type recent struct {
	size     int // of a generation
	mu       sync.RWMutex
	filling  *generation
	filing   *generation // nil between filings
	complete int64       // the last block of finished filings
}

// generation is some tens of thousands of readings on their way from the journal
// into blocks.
type generation struct {
	entries  []entry
	patients map[int64][]int32 // places in entries
	ids      map[identity]struct{}

	// Of the filing.
	sorted  chan struct{} // closed when both orders are there
	byTime  []int32       // places in entries, by patient, measure, time and sequence number
	byID    []int32       // places in entries, by device and id
	blocked int           // how many of byTime are filed
	known   int           // how many of byID are filed
}

// entry is one reading.
type entry struct {
	patient, measure, device int64
	milli                    int64
	seq                      int64
	id                       string
	key                      []byte // the id as stored, part of body
	body                     []byte
}

// identity is what makes a reading the same again.
type identity struct {
	device int64
	id     string
}

func newGeneration() *generation {
	return &generation{patients: map[int64][]int32{}, ids: map[identity]struct{}{}}
}

// add takes readings that were committed. Their ids are there already.
func (g *generation) add(entries []entry) {
	for i := range entries {
		g.patients[entries[i].patient] = append(g.patients[entries[i].patient], int32(len(g.entries)+i))
	}
	g.entries = append(g.entries, entries...)
}

// last is the sequence number up to which a generation reaches.
func (g *generation) last() int64 { return g.entries[len(g.entries)-1].seq }

// sort puts the readings into the orders in which they are filed.
func (g *generation) sort() {
	g.byTime = g.ordered(func(e *entry) int64 { return e.patient }, func(x, y *entry) int {
		return cmp.Or(cmp.Compare(x.measure, y.measure), cmp.Compare(x.milli, y.milli), cmp.Compare(x.seq, y.seq))
	})
	g.byID = g.ordered(func(e *entry) int64 { return e.device }, func(x, y *entry) int { return bytes.Compare(x.key, y.key) })
	close(g.sorted)
}

// ordered returns the places of the readings group by group, each in its order.
// Within a group they mostly came in that order already, and then take no sorting.
func (g *generation) ordered(group func(*entry) int64, order func(x, y *entry) int) []int32 {
	groups := map[int64][]int32{}
	for i := range g.entries {
		key := group(&g.entries[i])
		groups[key] = append(groups[key], int32(i))
	}
	places := make([]int32, 0, len(g.entries))
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		from := len(places)
		places = append(places, groups[key]...)
		slices.SortFunc(places[from:], func(a, b int32) int { return order(&g.entries[a], &g.entries[b]) })
	}
	return places
}

// ready reports whether the filing can go on.
func (g *generation) ready() bool {
	select {
	case <-g.sorted:
		return true
	default:
		return false
	}
}

// holds reports whether a reading is among those that are not filed yet.
func (r *recent) holds(who identity) bool {
	if _, ok := r.filling.ids[who]; ok {
		return true
	}
	if r.filing == nil {
		return false
	}
	_, ok := r.filing.ids[who]
	return ok
}

// settle takes the readings of a transaction that was committed, and starts the
// next filing when it is time.
func (r *recent) settle(entries []entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.filling.add(entries)
	if r.filing == nil && r.full() {
		r.filing, r.filling = r.filling, newGeneration()
		r.filing.sorted = make(chan struct{})
		go r.filing.sort() // no entry is added or changed any more
	}
}

// A generation waits until patients have several readings in it each, because
// filing them together is what it is for; but not for ever, because it is held in
// memory.
const (
	perPatient   = 16
	largestTimes = 8
)

func (r *recent) full() bool {
	count := len(r.filling.entries)
	return count >= r.size && (count >= perPatient*len(r.filling.patients) || count >= largestTimes*r.size)
}

// finish drops the generation that has been filed, up to that block.
func (r *recent) finish(block int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.filing, r.complete = nil, block
}

// of copies out what is not filed yet of a patient's measure (of all when it is
// 0) in [from, to), by milliseconds, and returns the block after which others
// are not to be read: those are of readings that are among these.
func (r *recent) of(patient, measure, from, to int64) (entries []entry, complete int64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, g := range []*generation{r.filing, r.filling} {
		if g == nil {
			continue
		}
		for _, place := range g.patients[patient] {
			if e := &g.entries[place]; e.milli >= from && e.milli <= to && (measure == 0 || e.measure == measure) {
				entries = append(entries, *e)
			}
		}
	}
	return entries, r.complete
}

// bounds widens a range of times by what is not filed yet of a patient.
func (r *recent) bounds(patient, since, until int64) (int64, int64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, g := range []*generation{r.filing, r.filling} {
		if g == nil {
			continue
		}
		for _, place := range g.patients[patient] {
			since, until = min(since, g.entries[place].milli), max(until, g.entries[place].milli)
		}
	}
	return since, until
}

// canonical is the order of protocols.Reading.Before for sorting.
func canonical(a, b *protocols.Reading) int {
	if a.Before(b) {
		return -1
	}
	if b.Before(a) {
		return 1
	}
	return 0
}
