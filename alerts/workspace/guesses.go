package workspace

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// guesses slows down whoever tries one token after the other, at the login or as a
// program, by the address they come from.
type guesses struct {
	mu   sync.Mutex
	from map[string]guess
	// programs are the pairs of address and token that were right before: a program
	// does not wait for what its neighbour tries.
	programs map[[2]string]bool
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

// program reports whether that token was right before from that address.
func (g *guesses) program(address, token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.programs[[2]string{address, token}]
}

// knows remembers a token as one that is used from that address.
func (g *guesses) knows(address, token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.programs) >= addresses {
		clear(g.programs)
	}
	g.programs[[2]string{address, token}] = true
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

// addressOf is where a request comes from; of IPv6 the network, as anybody has many
// addresses in it. A proxy of ours adds whom it has the request from: what others
// write there is not believed.
func (w *Workspace) addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(chain) - 1; i >= 0 && w.ours(address); i-- {
		if address, err = netip.ParseAddr(strings.TrimSpace(chain[i])); err != nil {
			return "unknown" // behind a proxy that does not say
		}
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

// ours reports whether a proxy of ours has that address.
func (w *Workspace) ours(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	for _, network := range w.Proxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
}
