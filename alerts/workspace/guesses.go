package workspace

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// guesses slows down whoever tries one token after the other at the login, by the
// address they come from.
type guesses struct {
	mu   sync.Mutex
	from map[string]guess
}

// guess is how often in a row an address was wrong, and until when it is not heard.
type guess struct {
	wrong int
	until time.Time
}

// A person mistypes a few times. Each further token has its answer after twice as long
// as the last, up to longestWait; who stays away for forgiven begins anew.
const (
	mistyped    = 5
	longestWait = time.Minute
	forgiven    = 15 * time.Minute
	addresses   = 1000 // remembered
)

// try counts a token as wrong, before it is looked at, so that many at once gain
// nothing; right takes that back. It returns how long the address has to wait, when it
// has to: then the token is not looked at.
func (g *guesses) try(address string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	known, ok := g.from[address]
	wait := known.until.Sub(now)
	switch {
	case ok && wait > 0 && wait <= longestWait: // longer when the clock was put back
		return wait
	case !ok || wait < -forgiven:
		known = guess{}
		g.makeRoom(now)
	}
	known.wrong++
	known.until = now
	if over := known.wrong - mistyped; over >= 0 {
		known.until = now.Add(min(time.Second<<min(over, 10), longestWait))
	}
	g.from[address] = known
	return 0
}

// right forgets what an address did before.
func (g *guesses) right(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.from, address)
}

// makeRoom forgets who has stayed away, or, where nobody has, who is heard soonest.
func (g *guesses) makeRoom(now time.Time) {
	if len(g.from) < addresses {
		return
	}
	soonest := ""
	for address, known := range g.from {
		if now.Sub(known.until) > forgiven {
			delete(g.from, address)
			continue
		}
		if soonest == "" || known.until.Before(g.from[soonest].until) {
			soonest = address
		}
	}
	if len(g.from) >= addresses {
		delete(g.from, soonest)
	}
}

// addressOf is where a request comes from, as far as it can be told; of IPv6 the
// network, as anybody has many addresses in it. What is served over https and comes
// unencrypted comes by a proxy, which adds whom it has it from.
func (w *Workspace) addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if forwarded := r.Header.Values("X-Forwarded-For"); len(forwarded) > 0 && r.TLS == nil && w.encrypted(r) {
		last := forwarded[len(forwarded)-1]
		host = strings.TrimSpace(last[strings.LastIndex(last, ",")+1:])
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	network, err := address.WithZone("").Prefix(64)
	if err != nil {
		return "unknown"
	}
	return network.String()
}
