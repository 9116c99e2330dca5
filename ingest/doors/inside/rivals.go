package inside

import (
	"maps"
	"time"

	"vigie/ingest"
)

// Two devices under one name and one client id throw each other out for ever: each
// connects again as soon as it was thrown out, and the readings of both come in shreds.
const (
	rivalsSoon  = time.Minute // a connection that was thrown out so soon after it was made
	rivalsTimes = 5           // in a row, each at most rivalsGap after the one before
	rivalsGap   = 5 * time.Minute
	rivalsMost  = 10_000 // pairs that are remembered
)

// thrown is how often in a row connections were thrown out soon after they were made.
type thrown struct {
	times int
	last  time.Time
}

// rivals notes that a connection is thrown out by another under the same client id, and
// tells the pipeline when it happens again and again, under the lock.
func (d *Door) rivals(former *connection, device, client string) {
	now := time.Now()
	if now.Sub(former.opened) > rivalsSoon {
		return
	}
	key := [2]string{device, client}
	known := d.thrown[key]
	if now.Sub(known.last) > rivalsGap {
		known.times = 0
	}
	known = thrown{known.times + 1, now}
	if known.times >= rivalsTimes {
		known.times = 0
		d.serving.Go(func() {
			d.submit(d.ctx, ingest.Message{Device: device, Client: device, Received: d.options.Now(), Rivals: true, Done: func(error) {}})
		})
	}
	if len(d.thrown) >= rivalsMost {
		maps.DeleteFunc(d.thrown, func(_ [2]string, t thrown) bool { return now.Sub(t.last) > rivalsGap })
	}
	if len(d.thrown) < rivalsMost || known.times > 1 {
		d.thrown[key] = known
	}
}
