package access

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Tries slows down whoever is wrong too often, by a key: the address they come from,
// or the account they try. The zero value is ready.
type Tries struct {
	mu   sync.Mutex
	from map[string]try
}

// try is how often in a row a key was wrong, and until when it is not heard.
type try struct {
	wrong int
	until time.Time
}

// A person mistypes a few times. Each further try has its answer after twice as long
// as the last, up to longestWait; who stays away for forgiven begins anew.
const (
	mistyped    = 5
	longestWait = time.Minute
	forgiven    = 15 * time.Minute
	remembered  = 1000
)

// Count counts a try as wrong, before it is looked at, so that many at once gain
// nothing; Right takes that back. It returns how long the key has to wait, when it
// has to: then the try is not looked at.
func (t *Tries) Count(key string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.from[key]
	wait := known.until.Sub(now)
	switch {
	case ok && wait > 0 && wait <= longestWait: // longer when the clock was put back
		return wait
	case !ok || wait < -forgiven:
		known = try{}
		t.makeRoom(now)
	}
	known.wrong++
	known.until = now
	if over := known.wrong - mistyped; over >= 0 {
		known.until = now.Add(min(time.Second<<min(over, 10), longestWait))
	}
	t.from[key] = known
	return 0
}

// Right forgets what a key did before.
func (t *Tries) Right(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.from, key)
}

// makeRoom forgets who has stayed away, or, where nobody has, the tenth that is heard
// soonest: thousands who come once each are not sorted once each.
func (t *Tries) makeRoom(now time.Time) {
	if t.from == nil {
		t.from = map[string]try{}
	}
	if len(t.from) < remembered {
		return
	}
	maps.DeleteFunc(t.from, func(_ string, known try) bool { return now.Sub(known.until) > forgiven })
	if len(t.from) < remembered {
		return
	}
	soonest := slices.SortedFunc(maps.Keys(t.from), func(a, b string) int { return t.from[a].until.Compare(t.from[b].until) })
	for _, key := range soonest[:remembered/10] {
		delete(t.from, key)
	}
}
