package inside

import (
	"context"
	"errors"
	"fmt"
)

// claims notes who a connection says it is, before anybody is asked whether it is
// true: Recheck misses none that was believed by the registry as it was.
func (d *Door) claims(c *connection, who claim) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c.claim = who
}

// Recheck disconnects every device whose password is no longer right, or which is no
// longer registered. Whoever notices that the registry has changed calls it. An error
// says that nobody can tell of some now: they stay, and it is to be called again.
func (d *Door) Recheck(ctx context.Context) error {
	d.mu.RLock()
	open := make(map[*connection]claim, len(d.connections))
	proved := make(map[*connection]bool, len(d.connections))
	for c := range d.connections {
		if c.claim.device != "" {
			open[c], proved[c] = c.claim, c.device != ""
		}
	}
	d.mu.RUnlock()
	for c, who := range open {
		right, err := d.options.Authenticate(ctx, who.device, who.password)
		if err != nil {
			return fmt.Errorf("check the passwords of connected devices again: %w", err)
		}
		if !right && proved[c] { // who has not proved anything is refused, and told, at the login
			d.options.Log.Warn("a device is disconnected: it is no longer registered, or has another password", "device", who.device, "address", c.RemoteAddr())
		}
		if !right {
			c.giveUp(errWithdrawn)
		}
	}
	return nil
}

var errWithdrawn = errors.New("its password is no longer right")
